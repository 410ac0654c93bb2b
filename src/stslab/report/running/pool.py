"""Where notebooks run: here, several at a time, or on the workers of a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from stslab.dask_client import connect

from .. import identity
from ..messages import RequestError

if TYPE_CHECKING:
    from .run import RunResult, Work

FILES, FILES_EACH = 128, 32  # open files of a kernel, and of the builder for each; measured: 65, 29
MEMORY = 2 * 2**30  # bytes of address space; PyTorch's libraries alone take more


def check_limits(jobs: int) -> None:
    """Raise the limit of open files to what is needed; raise RequestError where that is impossible.

    Without enough files ZeroMQ, which the builder speaks to kernels with, ends the whole process.
    """
    if sys.platform == "win32":
        return
    import resource

    needed = FILES + FILES_EACH * jobs
    files, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < needed:  # -1: no limit
        if 0 <= hard_limit < needed:
            raise RequestError(
                f"notebooks, {jobs} at a time, need {needed} open files, and the limit is "
                f"{hard_limit}. Raise it (ulimit -n {needed}), or pass a smaller --jobs."
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard_limit))
    memory, _ = resource.getrlimit(resource.RLIMIT_AS)
    if 0 <= memory < MEMORY:
        raise RequestError(
            f"the limit of memory is {memory / 2**30:.1f} GiB (ulimit -v), and notebooks need "
            f"more than {MEMORY / 2**30:.0f} GiB of address space. Raise it: ulimit -v unlimited"
        )


class LocalPool:
    """Runs notebooks on this machine, each in a kernel of its own, `jobs` at a time."""

    is_here = True  # it sees this machine's files

    def __init__(self, jobs: int) -> None:
        if jobs:
            check_limits(jobs)
        self._threads = ThreadPoolExecutor(jobs or 1, thread_name_prefix="notebook")

    def submit(self, work: Work, on_cell: Callable[[int], None]) -> Future[RunResult]:
        from .run import run

        return self._threads.submit(run, work, on_cell)

    def stop(self, build: str) -> None:
        """End all that runs for a build; may be called again and again until all has ended."""
        from .run import give_up

        give_up(build)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in psutil.Process().children(recursive=True):  # kernels, what they started
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def close(self) -> None:
        self._threads.shutdown()


class ClusterPool:
    """Runs notebooks on the workers of a cluster, and again on another when a worker is lost."""

    is_here = False

    def __init__(self, address: str) -> None:
        self._client = connect(address, RequestError)
        # A page is no pure function's value to Dask: forced builds run again.
        self._executor = self._client.get_executor(pure=False)
        self._stopped = False
        try:
            self._check(address)
        except BaseException:
            self.close()
            raise

    def _check(self, address: str) -> None:
        worker_states = self._client.run(machine_state, on_error="return")
        problem = ""
        builder_state = machine_state()
        for worker, worker_state in worker_states.items():
            if not isinstance(worker_state, dict):
                problem = (
                    f"stslab does not run on worker {worker} ({worker_state!r}). Install the same "
                    f"version there."
                )
            elif different := identity.changes(builder_state, worker_state):
                problem = (
                    f"worker {worker} differs from this machine: {'; '.join(different)}. Its "
                    f"pages would not be the same bytes."
                )
        if problem:
            raise RequestError(f"--scheduler {address}: {problem}")

    def submit(self, work: Work, on_cell: Callable[[int], None]) -> Future[RunResult]:
        """Run a notebook on some worker; which cell it is at is not reported."""
        future: Future[RunResult] = self._executor.submit(run_there, work, machine_state())
        return future

    def stop(self, build: str) -> None:
        if not self._stopped:
            self._stopped = True
            from .run import give_up

            self._executor.shutdown(wait=False)
            self._client.run(give_up, build, on_error="ignore")

    def close(self) -> None:
        self._client.close()


def run_there(work: Work, expected: dict[str, str]) -> RunResult:
    """Run a notebook on this worker, if it would make the same bytes."""
    from .run import run

    if different := identity.changes(expected, machine_state()):
        raise RequestError(f"a worker differs from the builder: {'; '.join(different)}.")
    return run(work)


def machine_state() -> dict[str, str]:
    """Return the versions and the helper's digests that the pages made on a machine depend on."""
    return identity.versions() | identity.helper_digests(["import stslab"])
