"""Where notebooks run: here, several at a time, or on a cluster (see cluster.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..request.values import RequestError
from .kernels import kill_all

if TYPE_CHECKING:
    from .run import Done, Work

FILES, FILES_EACH = 128, 32  # open files of a kernel, and of the builder for each; measured: 65, 29
MEMORY = 2 * 2**30  # bytes of address space; PyTorch's libraries alone take more


def check_limits(jobs: int) -> None:
    """See that the system's limits let notebooks run; raise a limit that may be raised.

    Beyond them, a library that kernels are spoken to with (ZeroMQ) ends this whole process.
    """
    if sys.platform == "win32":
        return
    import resource

    needed = FILES + FILES_EACH * jobs
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < needed:  # -1: no limit
        if 0 <= most < needed:
            raise RequestError(
                f"notebooks, {jobs} at a time, need {needed} open files, and the limit is {most}. "
                f"Raise it (ulimit -n {needed}), or pass a smaller --jobs."
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
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

    def submit(self, work: Work, on_cell: Callable[[int], None]) -> Future[Done]:
        from .run import run

        return self._threads.submit(run, work, on_cell)

    def stop(self, build: str) -> None:
        """End all that runs for a build; may be called again and again until all has ended."""
        from .run import give_up

        give_up(build)
        self._threads.shutdown(wait=False, cancel_futures=True)
        kill_all()

    def close(self) -> None:
        self._threads.shutdown()
