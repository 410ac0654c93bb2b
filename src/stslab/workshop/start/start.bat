@echo off
rem Sets up .venv beside this file from wheels, without a network, and opens the notebooks.
rem `start.bat check` runs the doctor and notebook 01 instead; other words go to JupyterLab.
setlocal
cd /d "%~dp0"
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONUTF8=1"
if exist .venv\ready goto ready

set "probe=import platform, sys; here = platform.system(), platform.machine(), '.'.join(map(str, sys.version_info[:2])); oldest = tuple(map(int, '@OLDEST@'.split('.'))); sys.exit(here != ('@SYSTEM@', '@MACHINE@', '@PYTHON@') or oldest > sys.version_info[:3])"
set "python="
for %%p in ("py -@PYTHON@" "python" "python3") do if not defined python %%~p -c "%probe%" >nul 2>nul && set "python=%%~p"
if not defined python set "why=this kit needs @RELEASE@ on @NEEDS@, and found none. Install Python @PYTHON@, or ask for the kit of your system. START.txt says more."
if not defined python goto failed
echo Setting up .venv (once, a few minutes) ...
if exist .venv rmdir /s /q .venv
set "why=%python% made no environment (see above)."
%python% -m venv .venv || goto failed
set "why=the packages were not installed (see above). They are for @NEEDS@, and take about 2.5 GB of disk."
.venv\Scripts\python -m pip --isolated --disable-pip-version-check -q install --no-index --find-links wheels -r requirements.txt || goto failed
type nul > .venv\ready

:ready
.venv\Scripts\python -m stslab.cli doctor
set "doctor=%errorlevel%"
if "%~1"=="check" goto check
set "why=JupyterLab did not start (see above)."
.venv\Scripts\python -m stslab.cli lab --LabApp.default_url=/lab/tree/01_what_is_sts.ipynb %* || goto failed
exit /b 0

:check
set "why=check failed: notebook 01 stopped (see above)."
set "run=%TEMP%\stslab-check-%RANDOM%.ipynb"
.venv\Scripts\python -m papermill --log-level ERROR --no-progress-bar --kernel python3 --cwd notebooks notebooks\01_what_is_sts.ipynb "%run%" || goto failed
del "%run%"
set "why=check failed: notebook 01 ran to its end, but the doctor is not content."
if not "%doctor%"=="0" goto failed
echo check passed: the doctor is content, and notebook 01 ran to its end.
exit /b 0

:failed
echo stslab: %why% 1>&2
if not "%~1"=="check" pause
exit /b 1
