"""Kernels for the notebooks: warm (forked from a process that has imported the stack) or fresh.

`WarmProvisioner` is a jupyter_client kernel provisioner, registered as an entry point. A warm
kernel is a real kernel: a process of its own with its own namespace; it only skips the seconds
that importing the stack takes.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NoReturn

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

KernelKind = Literal["warm", "fresh"]

# Imported once, before the fork. Import only: a threaded operation before the fork would make the
# child's next one hang, and CUDA must not be touched. stslab itself is left out, so that a saved
# helper file is picked up by the next kernel.
PRELOAD = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completer",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "matplotlib.backends.backend_svg",
    "pandas",
    "scipy.cluster.hierarchy",
    "seaborn",
    "sklearn.feature_extraction.text",
    "sklearn.decomposition",
    "torch",
    "sentence_transformers",
    "transformers.models.bert.modeling_bert",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
]
# The same in every kernel, warm or fresh: what would make two runs of one notebook differ.
ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",  # progress bars would land in the page
    "OMP_WAIT_POLICY": "PASSIVE",  # kernels beside each other share the cores
    "TZ": "UTC",
    "COLUMNS": "100",
}


def default_kind() -> KernelKind:
    """Warm where forking is safe: not on Windows (no fork) nor macOS (unsafe by default)."""
    return "warm" if sys.platform.startswith("linux") else "fresh"


def warm_up() -> None:
    """Start the process that imports the stack; returns at once, it imports meanwhile."""
    _WarmProcess.get()


def kill_all() -> None:
    """Kill every process below this one: kernels, and what they started."""
    for process in psutil.Process().children(recursive=True):
        with tolerate_gone():
            process.kill()


class WarmProvisioner(LocalProvisioner):
    """Start a kernel by forking the warm process instead of starting Python."""

    process: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; `cmd` is the kernelspec's command with its arguments."""
        request = {
            "arguments": cmd[cmd.index("ipykernel_launcher") + 1 :],
            "cwd": str(kwargs.get("cwd") or Path.cwd()),
            "env": kwargs["env"],
        }
        pid = await asyncio.to_thread(_WarmProcess.get().fork, request)
        self.process = _Forked(pid)
        self.pid = self.pgid = pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info


class _WarmProcess:
    """This process's one warm process; it leaves when its standard input closes."""

    _lock = threading.Lock()
    _instance: _WarmProcess | None = None

    @classmethod
    def get(cls) -> _WarmProcess:
        with cls._lock:
            if cls._instance is None or cls._instance._popen.poll() is not None:
                cls._instance = cls()
            return cls._instance

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve_forks; serve_forks()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
            start_new_session=True,  # Ctrl-C is for the builder, which then ends its kernels
        )

    def fork(self, request: dict[str, Any]) -> int:
        """Ask for a kernel and return its process id."""
        with self._lock:
            assert self._popen.stdin is not None
            assert self._popen.stdout is not None
            self._popen.stdin.write(json.dumps(request).encode() + b"\n")
            self._popen.stdin.flush()
            answer = self._popen.stdout.readline()
        if not answer:
            raise RuntimeError("the process that forks warm kernels has ended")
        return int(answer)


def serve_forks() -> None:
    """Import the stack, then fork a kernel for each request on standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed here or by a kernel's C code is no answer
    for module in PRELOAD:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended kernels need no one to wait for them
    while line := sys.stdin.buffer.readline():
        pid = os.fork()
        if pid == 0:
            _become_kernel(**json.loads(line))
        answers.write(f"{pid}\n".encode())
        answers.flush()


def _become_kernel(arguments: list[str], cwd: str, env: dict[str, str]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()  # a group of its own: an interrupt reaches the kernel and what it started
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["ipykernel_launcher", *arguments]
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    # It leaves when the warm process does.
    app.initialize([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
    app.start()
    os._exit(0)


class _Forked:
    """A forked kernel, with the part of Popen's interface that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        with tolerate_gone():
            self._process: psutil.Process | None = psutil.Process(pid)
            return
        self._process = None

    def poll(self) -> int | None:
        """Return None while it runs; its exit status is the warm process's, and not needed."""
        return None if self._process and self._process.is_running() else 0

    def wait(self) -> int:
        if self._process:
            self._process.wait()
        return 0

    def send_signal(self, signum: int) -> None:
        with tolerate_gone():
            if self._process:
                self._process.send_signal(signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def tolerate_gone() -> suppress:
    """Tolerate a process that ended in the meantime."""
    return suppress(psutil.NoSuchProcess)
