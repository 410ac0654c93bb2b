"""papermill's engine for a build: the kernel's kind, a seed, a watchdog, a report of each cell."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import CellExecutionError
from nbformat import ValidationError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.iorw import write_ipynb
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from ..request.values import shown
from .kernels import KernelKind, default_kind, environment, tolerate_gone

SEED = "__import__('random').seed(0); __import__('numpy').random.seed(0)"
STALL = 60.0  # seconds without any CPU time in a running cell of a warm kernel
STARTUP = 90  # seconds for a kernel to answer, the preloading included
OUTPUTS = 600  # seconds for a cell's outputs to arrive after its end; a dead kernel is seen sooner
STOPPED = "stopped.ipynb"  # in the scratch folder: a notebook as far as it got
SOCKET_PATH = 80  # characters; a system takes about 100 and jupyter_client adds some


class KernelStalled(RuntimeError):
    """A warm kernel that did not start or stopped making progress; a fresh one may do better."""


class OutputsLate(TimeoutError):
    """A cell that ended, and whose outputs did not arrive."""


class StslabEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine, with the kernel's kind, a seed, and a report of each cell."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = STARTUP,
        execution_timeout: float | None = None,
        *,
        scratch: Path,
        kernel_kind: KernelKind | None = None,
        on_cell: Callable[[int], None] | None = None,
        given_up: Callable[[], bool] = lambda: False,
        **kwargs: Any,
    ) -> Any:
        """Run the notebook.

        Parameters
        ----------
        scratch : Path
            Where the kernel's connection file, sockets and session go.
        kernel_kind : {"warm", "fresh"} or None
            None takes what the platform allows.
        on_cell : callable or None
            Called with the index of each cell before it runs.
        given_up : callable
            Once it returns True, the kernel is killed.
        """
        settings = merge_kwargs(
            remove_args(["input_path", "timeout", "startup_timeout"], **kwargs),
            timeout=execution_timeout,
            startup_timeout=max(start_timeout, STARTUP),
            iopub_timeout=OUTPUTS,
            kernel_name=kernel_name,
            shutdown_kernel="immediate",
            log=logger,
        )
        client = _Client(nb_man, **settings)
        client.stslab_kind = kernel_kind or default_kind()
        client.stslab_scratch = scratch
        client.stslab_on_cell = on_cell
        try:
            with client.watched(given_up):
                return client.execute(env=environment(scratch))
        except Exception:
            write_ipynb(client.nb, str(scratch / STOPPED))
            raise


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    stslab_kind: KernelKind
    stslab_scratch: Path
    stslab_on_cell: Callable[[int], None] | None
    stslab_running = False
    stslab_stalled = False
    stslab_group: int | None = None

    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        manager.client_factory = _QuickClient
        # This environment's Python, whatever kernel someone has installed under this name.
        manager.kernel_spec.argv = make_ipkernel_cmd()
        manager.kernel_spec.env = {}
        if self.stslab_kind == "warm":
            stanza = {"provisioner_name": "stslab-warm", "config": {}}
            manager.kernel_spec.metadata["kernel_provisioner"] = stanza
        manager.connection_file = str(self.stslab_scratch / "kernel.json")
        if sys.platform != "win32" and len(os.fsencode(manager.connection_file)) <= SOCKET_PATH:
            # Kernels beside each other collide on TCP ports now and then; files do not.
            manager.transport = "ipc"
        elif manager.has_trait("transport_encryption"):
            manager.transport_encryption = "auto"
        manager.log = self.log
        return manager

    def start_new_kernel(self, **kwargs: Any) -> None:
        # Beside what goes into the page, a kernel's streams are for nobody: a terminal shows the
        # build, and --json is one document.
        with self._starting(), self._log.open("wb") as log:
            super().start_new_kernel(**kwargs, stdout=log, stderr=log)
        self.stslab_group = self.km.provisioner.pgid

    def start_new_kernel_client(self) -> Any:
        with self._starting():
            client = super().start_new_kernel_client()
        client.execute(SEED, silent=True, store_history=False)
        return client

    @property
    def _log(self) -> Path:
        return self.stslab_scratch / "kernel.log"

    @contextmanager
    def _starting(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # it died, or did not answer in time
            last_words = self._log.read_text(errors="replace")[-300:] if self._log.exists() else ""
            if self.stslab_kind == "warm":
                message = f"a warm kernel did not start: {error} {last_words}"
                raise KernelStalled(message.strip()) from error
            raise RuntimeError(f"{error} {last_words}".strip()) from error

    def execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        if self.stslab_on_cell:
            self.stslab_on_cell(cell_index)
        self.stslab_running = True
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        except Exception as error:
            if self.stslab_stalled:
                message = f"a warm kernel used no CPU for {STALL:.0f} s"
                raise KernelStalled(message) from error
            if "The message was: Timeout waiting for IOPub output" in str(error):  # nbclient's
                raise OutputsLate(
                    f"the cell ended, but its outputs did not arrive within {OUTPUTS} s. Show "
                    f"less in it, or split it."
                ) from error
            if isinstance(error, CellExecutionError):
                self._name_error(cell, error)
            raise
        finally:
            self.stslab_running = False

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Keep an output; one that no notebook can hold fails its cell, not the machinery."""
        count = cell.execution_count
        try:
            return super().process_message(msg, cell, cell_index)
        except (ValidationError, LookupError, TypeError, AttributeError, RecursionError) as error:
            cell.execution_count = count
            message = (
                f"cell {cell_index + 1} shows what a notebook cannot hold: {_misfit(error)}. "
                "Show text as text, and an image as base64 text."
            )
            cell.outputs.append(
                new_output("error", ename="OutputError", evalue=message, traceback=[message])
            )

    @staticmethod
    def _name_error(cell: Any, error: Any) -> None:
        """Keep the error of a kernel that could not even show it, for want of files or memory."""
        if not any(output.output_type == "error" for output in cell.outputs):
            message = {"ename": error.ename, "evalue": error.evalue, "traceback": [error.traceback]}
            cell.outputs.append(new_output("error", **message))

    @contextmanager
    def watched(self, given_up: Callable[[], bool]) -> Iterator[None]:
        """Kill the kernel when the build is given up, or when it is warm and hangs."""
        finished = threading.Event()

        def watch() -> None:
            clock = _IdleClock()
            while not finished.wait(0.2):
                provisioner = getattr(self.km, "provisioner", None)
                if not (provisioner and provisioner.pid):
                    continue
                if self.stslab_kind == "warm" and self.stslab_running:
                    self.stslab_stalled = clock.idle_seconds(provisioner.pid) > STALL
                if self.stslab_stalled or given_up():
                    self._kill_group()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()
            self._kill_group()  # what the notebook started and left running
            self._kill_others()

    def _kill_group(self) -> None:
        if self.stslab_group and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.stslab_group, signal.SIGKILL)

    def _kill_others(self) -> None:
        """Kill what left the group, as `setsid` does: it still has the kernel's environment."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("IPYTHONDIR") == str(self.stslab_scratch):
                    process.kill()


def _misfit(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{', '.join(map(str, error.relative_path))} is {shown(error.instance)}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


class _IdleClock:
    """How long a process and what it started have used no CPU time."""

    def __init__(self) -> None:
        self.used, self.since, self.looked = -1.0, time.monotonic(), 0.0

    def idle_seconds(self, pid: int) -> float:
        now = time.monotonic()
        if now - self.looked >= 1:  # a look costs something, too
            self.looked = now
            with tolerate_gone():
                process = psutil.Process(pid)
                family = [process, *process.children(recursive=True)]
                used = sum(sum(member.cpu_times()[:2]) for member in family)
                if abs(used - self.used) > 0.02:
                    self.used, self.since = used, now
        return now - self.since


class _QuickClient(AsyncKernelClient):
    """A client that starts as soon as the kernel answers on both channels.

    jupyter_client's own then waits for a silence of 0.2 s on the output channel, to be rid of
    messages that nbclient skips by itself.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel's first answer and for its output channel's first message."""
        deadline = time.monotonic() + (timeout or STARTUP)
        self.kernel_info()
        for channel in (self.shell_channel, self.iopub_channel):
            while True:
                try:
                    await channel.get_msg(timeout=0.5)
                    break
                except Empty:
                    if not await self._async_is_alive():
                        raise RuntimeError("it died before it answered") from None
                    if time.monotonic() > deadline:
                        raise RuntimeError(f"no answer in {timeout:.0f} seconds") from None
                    self.kernel_info()


logger.setLevel("CRITICAL")  # what goes wrong stands on the page and in the build's own words
papermill_engines.register("stslab", StslabEngine)
