"""Kernels for the notebooks: warm (forked from a process that has imported the stack) or fresh.

`WarmProvisioner` is a jupyter_client kernel provisioner, registered as an entry point. A warm
kernel is a real kernel: a process of its own with its own namespace; it only skips the seconds
that importing the stack takes.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NoReturn

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool

KernelKind = Literal["warm", "fresh"]

# Imported once, before the fork, with all that these import. Import only: a threaded operation
# before the fork would make the child's next one hang, and CUDA must not be touched. stslab itself
# is left out, so that a saved helper file is picked up by the next kernel.
PRELOAD = [
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "lazy_loader",
    "sqlite3",
    "matplotlib_inline.backend_inline",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "sklearn.feature_extraction.text",
    "sklearn.decomposition",
    "sentence_transformers",
    "transformers.models.bert.modeling_bert",
]
# The same in every kernel, warm or fresh, whoever runs it: what would make two runs differ.
ENVIRONMENT = {
    "COLUMNS": "100",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # transformers obeys it, too
    "LC_ALL": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_WAIT_POLICY": "PASSIVE",  # kernels beside each other share the cores
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # it warns of breakpoints that no one sets
    "PYDEVD_USE_FRAME_EVAL": "NO",  # as ipykernel sets it for itself
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore:IProgress not found",  # tqdm asks for a widget that a page has not
    "SOURCE_DATE_EPOCH": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",  # progress bars would land in the page
    "TZ": "UTC",
}
# Those that JupyterLab leaves out, where somebody waits for the bar.
BAR_VARIABLES = ("HF_HUB_DISABLE_PROGRESS_BARS", "TQDM_DISABLE")
# Someone's own settings, which would reach the pages: code to run at each start, debuggers, the
# test runner (ipykernel behaves differently under pytest).
LEFT_OUT = ("PYTHONSTARTUP", "PYTHONBREAKPOINT", "PYTHONINSPECT", "PYTEST_CURRENT_TEST")
REQUEST = "STSLAB_REQUEST_"  # what make was given, for the command and for nobody else


def default_kind() -> KernelKind:
    """Return warm where forking is safe: not on Windows (no fork) nor macOS (unsafe by default)."""
    if sys.platform.startswith("linux"):
        return "warm"
    return "fresh"


def kernel_environment(session_folder: Path) -> dict[str, str]:
    """Return a kernel's environment: this process's, less what would make two runs differ.

    IPython and Jupyter keep a session's files in `session_folder`, so that no profile counts.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in LEFT_OUT and not name.startswith(REQUEST)
    }
    folders = {"IPYTHONDIR": str(session_folder), "JUPYTER_CONFIG_DIR": str(session_folder)}
    cache = inherited.get("STSLAB_CACHE", "")
    if cache not in ("", "off"):
        folders["STSLAB_CACHE"] = str(Path(cache).absolute())  # the kernel works in another folder
    if not os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 (there may be no home)
        folders["MPLCONFIGDIR"] = str(session_folder)  # matplotlib would warn, in the page
    return inherited | _fixed_environment() | folders


def _fixed_environment(*, bars: bool = False) -> dict[str, str]:
    """Return the variables that are the same for all kernels; with progress bars only if wanted.

    They include matplotlib's default settings, so that no matplotlibrc counts.
    """
    fixed = dict(ENVIRONMENT)
    if bars:
        for name in BAR_VARIABLES:
            del fixed[name]
    matplotlib = importlib.util.find_spec("matplotlib")
    assert matplotlib
    assert matplotlib.origin
    fixed["MATPLOTLIBRC"] = str(Path(matplotlib.origin).parent / "mpl-data" / "matplotlibrc")
    return fixed


# The one process that forks warm kernels; it leaves when its standard input closes.
_warm: subprocess.Popen[bytes] | None = None
_warm_lock = threading.Lock()
_warm_bars = False  # also for the process that replaces one which was killed


def warm_up(*, bars: bool = False) -> None:
    """Start the process that imports the stack, and return while it imports.

    Its kernels show progress bars only if `bars` is true, as in JupyterLab, where somebody waits.
    """
    global _warm_bars
    with _warm_lock:
        _warm_bars = bars
        _warm_process()


def cool_down() -> None:
    """End that process and its kernels."""
    global _warm
    if _warm:
        _warm.terminate()  # it may be importing still
        with suppress(OSError):  # what it was asked may not be read any more
            _warm.communicate()  # closes its input, waits for its end
        _warm = None


def _warm_process() -> subprocess.Popen[bytes]:
    global _warm
    if _warm and _warm.poll() is not None:  # it was killed
        cool_down()
    if _warm is None:
        # A pandas.py in the current folder is not pandas.
        code = f"import sys; sys.path.remove(''); import {__name__} as warm"
        _warm = subprocess.Popen(
            [sys.executable, "-c", f"{code}; warm.serve_forks({PRELOAD!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _fixed_environment(bars=_warm_bars),
            start_new_session=True,  # Ctrl-C is for the builder, which then ends its kernels
        )
    return _warm


def _fork(request: dict[str, Any]) -> int:
    """Start a warm kernel and return its process id."""
    answer = b""
    with _warm_lock, suppress(BrokenPipeError):
        process = _warm_process()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    if not answer:
        raise RuntimeError("the process that forks warm kernels has ended")
    return int(answer)


class WarmProvisioner(LocalProvisioner):
    """Start a kernel by forking the warm process instead of starting Python."""

    process: Any
    or_fresh = Bool(False, help="Start Python where no kernel can be forked.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; `cmd` is the kernelspec's command with its arguments."""
        log = os.devnull
        if kwargs.get("stdout"):
            log = kwargs["stdout"].name
        request = {
            "arguments": cmd[cmd.index("ipykernel_launcher") + 1 :],
            "cwd": str(kwargs.get("cwd") or Path.cwd()),
            "env": kwargs["env"],
            "log": log,
        }
        try:
            self.pid = self.pgid = await asyncio.to_thread(_fork, request)
        except RuntimeError:
            if not self.or_fresh:
                raise
            return await super().launch_kernel(cmd, **kwargs)
        self.process = _Forked(self.pid)
        self.cwd = kwargs.get("cwd")
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill it and wait for its end, which takes a moment; jupyter_client looks each 0.1 s."""
        await super().kill(restart)
        if self.process:
            await asyncio.to_thread(self.process.wait)


def serve_forks(modules: list[str]) -> None:
    """Import modules, then fork a kernel for each request on standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed here or by a kernel's C code is no answer
    for module in modules:
        with suppress(ImportError):  # it only costs time
            importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended kernels need no one to wait for them
    own_pid = os.getpid()
    while line := sys.stdin.buffer.readline():
        pid = os.fork()
        if pid == 0:
            answers.close()  # or the builder would wait for an answer after the warm process died
            try:
                _become_kernel(own_pid, **json.loads(line))
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        answers.write(f"{pid}\n".encode())
        answers.flush()
    os._exit(0)  # nothing to tidy up, and the builder may be waiting


def _become_kernel(
    parent: int, arguments: list[str], cwd: str, env: dict[str, str], log: str
) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()  # a group of its own: an interrupt reaches the kernel and what it started
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), stream)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["ipykernel_launcher", *arguments]
    for module in [name for name in sys.modules if name.split(".")[0] == "stslab"]:
        del sys.modules[module]  # a kernel imports the helper as it is now
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    # It leaves when the warm process does.
    app.initialize([*arguments, f"--IPKernelApp.parent_handle={parent}"])
    app.start()
    os._exit(0)


class _Forked(psutil.Process):
    """A forked kernel, with the part of Popen's interface that a provisioner uses."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """Return None while it runs; its exit status is the warm process's, and not needed."""
        with suppress(psutil.NoSuchProcess):
            # Where nobody waits for orphans, an ended one stays as a zombie.
            if self.is_running() and self.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def wait(self, timeout: float | None = 5) -> int:
        with suppress(psutil.TimeoutExpired):
            super().wait(timeout)
        return 0

    def send_signal(self, signum: int) -> None:
        """Reach a kernel that has not made its group yet."""
        with suppress(psutil.NoSuchProcess):
            super().send_signal(signum)
