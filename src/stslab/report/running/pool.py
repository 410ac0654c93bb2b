"""Where notebooks run: here, several at a time, or on a cluster (see cluster.py)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from .kernels import kill_all

if TYPE_CHECKING:
    from .run import Done, Work

OnCell = Callable[[int], None]


class Pool(Protocol):
    """Runs notebooks.

    Attributes
    ----------
    is_here : bool
        Whether it sees this machine's files.
    """

    is_here: bool

    def submit(self, work: Work, on_cell: OnCell) -> Future[Done]: ...
    def stop(self, build: str) -> None:
        """End all that runs for a build; may be called again and again until all has ended."""

    def close(self) -> None: ...


class LocalPool:
    """Runs notebooks on this machine, each in a kernel of its own, `jobs` at a time."""

    is_here = True

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="notebook")

    def submit(self, work: Work, on_cell: OnCell) -> Future[Done]:
        from .run import run

        return self._threads.submit(run, work, on_cell)

    def stop(self, build: str) -> None:
        from .run import give_up

        give_up(build)
        self._threads.shutdown(wait=False, cancel_futures=True)
        kill_all()

    def close(self) -> None:
        self._threads.shutdown()
