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
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import ValidationError
from nbformat.v4 import new_code_cell, new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.log import logger

from ..messages import short_repr
from .kernels import KernelKind, kernel_environment

SEED = "__import__('random').seed(0); __import__('numpy').random.seed(0)"
STALL = 60.0  # seconds without any CPU time in a running cell of a warm kernel
STARTUP = 90  # seconds for a kernel to answer, the preloading included
OUTPUTS = 600  # seconds for a cell's outputs to arrive after its end; a dead kernel is seen sooner
SOCKET_PATH = 80  # characters; a system takes about 100 and jupyter_client adds some


class KernelStalled(RuntimeError):
    """A warm kernel that did not start or stopped making progress; a fresh one may do better."""


class StslabEngine(Engine):  # type: ignore[misc]
    """Runs a notebook; whatever ends it early stands in its cell, as an exception would."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        scratch: Path,
        kernel_kind: KernelKind,
        on_cell: Callable[[int], None],
        given_up: Callable[[], bool],
        execution_timeout: float | None,
        resources: dict[str, Any],
        **_: Any,
    ) -> None:
        """Run the notebook; once `given_up` returns True, the kernel is killed."""
        client = _Client(
            nb_man,
            timeout=execution_timeout,
            startup_timeout=STARTUP,
            iopub_timeout=OUTPUTS,
            kernel_name=kernel_name,
            shutdown_kernel="immediate",
            resources=resources,
            log=logger,
        )
        client.stslab_kind, client.stslab_scratch = kernel_kind, scratch
        client.stslab_on_cell = on_cell
        try:
            with client.watched(given_up):
                client.execute(env=kernel_environment(scratch))
        except Exception as error:
            client.explain(error)


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    stslab_kind: KernelKind
    stslab_scratch: Path
    stslab_on_cell: Callable[[int], None]
    stslab_cell: int | None = None  # the last that was started
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
        with (self.stslab_scratch / "kernel.log").open("wb") as log:
            super().start_new_kernel(**kwargs, stdout=log, stderr=log)
        self.stslab_group = self.km.provisioner.pgid

    def start_new_kernel_client(self) -> Any:
        client = super().start_new_kernel_client()
        client.execute(SEED, silent=True, store_history=False)
        return client

    def execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        self.stslab_cell = cell_index
        self.stslab_on_cell(cell_index)
        self.stslab_running = True
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        except CellExecutionError as error:
            # A kernel may be unable to show its error, for want of files or memory.
            if not any(output.output_type == "error" for output in cell.outputs):
                cell.outputs.append(_error(error.ename, error.evalue, error.traceback))
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
            cell.outputs.append(_error("OutputError", message, message))

    def explain(self, error: Exception) -> None:
        """Put into the cell that was stopped why, or pass on that a fresh kernel may do better."""
        if self.stslab_stalled:
            raise KernelStalled(f"a warm kernel used no CPU for {STALL:.0f} s") from error
        if isinstance(error, CellTimeoutError):
            name = "CellTimeout"
            message = (
                f"the cell ran longer than {self.timeout} s. Raise the preset's timeout, or make "
                f"its work smaller."
            )
            if "The message was: Timeout waiting for IOPub output" in str(error):  # nbclient's
                name = "OutputTimeout"
                message = (
                    f"the cell ended, but its outputs did not arrive within {OUTPUTS} s. Show "
                    f"less in it, or split it."
                )
        elif isinstance(error, DeadKernelError):
            name = "DeadKernel"
            message = (
                "the kernel died: killed from outside, out of memory, or crashed in native code."
            )
        elif not isinstance(error, RuntimeError):
            raise error
        else:  # it died, or did not answer in time
            log = self.stslab_scratch / "kernel.log"
            last_words = ""
            if log.exists():
                last_words = log.read_text(errors="replace")[-300:]
            name, message = "KernelDidNotStart", f"{error} {last_words}".strip()
            if self.stslab_kind == "warm" and self.stslab_cell is None:
                raise KernelStalled(f"a warm kernel did not start: {message}") from error
        code = [cell for cell in self.nb.cells[self.stslab_cell :] if cell.cell_type == "code"]
        if not code:  # a notebook of text alone
            code = [new_code_cell(id="stopped", metadata={"papermill": {"status": "failed"}})]
            self.nb.cells += code
        code[0].outputs.append(_error(name, message, message))

    @contextmanager
    def watched(self, given_up: Callable[[], bool]) -> Iterator[None]:
        """Kill the kernel when the build is given up, or when it is warm and hangs."""
        finished = threading.Event()

        def watch() -> None:
            used, since = -1.0, time.monotonic()
            while not finished.wait(1):
                if self.stslab_kind == "warm" and self.stslab_running:
                    cpu_seconds = _cpu_seconds(self.stslab_group)
                    if abs(cpu_seconds - used) > 0.02:
                        used, since = cpu_seconds, time.monotonic()
                    self.stslab_stalled = time.monotonic() - since > STALL
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
            # What left the group, as `setsid` does, still has the kernel's environment.
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if process.environ().get("IPYTHONDIR") == str(self.stslab_scratch):
                        process.kill()

    def _kill_group(self) -> None:
        if self.stslab_group and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.stslab_group, signal.SIGKILL)


def _error(name: str, message: str, traceback: str) -> Any:
    return new_output("error", ename=name, evalue=message, traceback=[traceback])


def _misfit(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{', '.join(map(str, error.relative_path))} is {short_repr(error.instance)}"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)


def _cpu_seconds(pid: int | None) -> float:
    """Sum up the CPU time of a process and of what it started; it may end meanwhile."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            total += sum(member.cpu_times()[:2])
    return total


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
