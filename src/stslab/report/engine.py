"""papermill's engine for a build: the kernel's kind, a seed, a watchdog, a report of each cell."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.utils import merge_kwargs, remove_args

from .kernels import ENVIRONMENT, KernelKind, default_kind, tolerate_gone, warm_up

SEED = "__import__('random').seed(0); __import__('numpy').random.seed(0)"
STALL = 60.0  # seconds without any CPU time in a running cell of a warm kernel
STARTUP = 90  # seconds for a kernel to answer, the preloading included


class KernelStalled(RuntimeError):
    """A warm kernel that stopped making progress; a fresh one may do better."""


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
        kernel_kind: KernelKind | None = None,
        runtime_folder: str | None = None,
        on_cell: Callable[[int], None] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the notebook.

        Parameters
        ----------
        kernel_kind : {"warm", "fresh"} or None
            None takes what the platform allows.
        runtime_folder : str or None
            Where the kernel's connection file and sockets go; a short path.
        on_cell : callable or None
            Called with the index of each cell before it runs.
        """
        settings = merge_kwargs(
            remove_args(["input_path", "timeout", "startup_timeout"], **kwargs),
            timeout=execution_timeout,
            startup_timeout=max(start_timeout, STARTUP),
            kernel_name=kernel_name,
            shutdown_kernel="immediate",
            coalesce_streams=True,
        )
        client = _Client(nb_man, **settings)
        client.stslab_kind = kernel_kind or default_kind()
        client.stslab_runtime = runtime_folder
        client.stslab_on_cell = on_cell
        if client.stslab_kind == "warm":
            warm_up()
        with client.watchdog():
            return client.execute(env={**os.environ, **ENVIRONMENT})


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    stslab_kind: KernelKind
    stslab_runtime: str | None
    stslab_on_cell: Callable[[int], None] | None
    stslab_running = False
    stslab_stalled = False

    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        if self.stslab_kind == "warm":
            stanza = {"provisioner_name": "stslab-warm", "config": {}}
            manager.kernel_spec.metadata["kernel_provisioner"] = stanza
        if self.stslab_runtime and sys.platform != "win32":
            # Kernels beside each other collide on TCP ports now and then; files do not.
            manager.transport = "ipc"
            manager.connection_file = f"{self.stslab_runtime}/kernel.json"
        return manager

    def start_new_kernel_client(self) -> Any:
        client = super().start_new_kernel_client()
        client.execute(SEED, silent=True, store_history=False)
        return client

    def execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        if self.stslab_on_cell:
            self.stslab_on_cell(cell_index)
        self.stslab_running = True
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        except Exception as error:
            if self.stslab_stalled:
                raise KernelStalled(f"a warm kernel used no CPU for {STALL:.0f} s") from error
            raise
        finally:
            self.stslab_running = False

    @contextmanager
    def watchdog(self) -> Iterator[None]:
        """Kill a warm kernel that hangs in a cell without using any CPU."""
        finished = threading.Event()

        def watch() -> None:
            last, since = -1.0, time.monotonic()
            while not finished.wait(1.0):
                provisioner = getattr(self.km, "provisioner", None)
                if not (self.stslab_running and provisioner and provisioner.pid):
                    since = time.monotonic()
                    continue
                with tolerate_gone():
                    used = sum(psutil.Process(provisioner.pid).cpu_times()[:4])
                    if used - last > 0.02:
                        last, since = used, time.monotonic()
                if time.monotonic() - since > STALL:
                    self.stslab_stalled = True
                    with tolerate_gone():
                        psutil.Process(provisioner.pid).kill()
                    return

        if self.stslab_kind == "warm":
            threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            finished.set()


papermill_engines.register("stslab", StslabEngine)
