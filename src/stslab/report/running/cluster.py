"""A Dask cluster as the place where notebooks run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import identity
from ..request.values import RequestError

if TYPE_CHECKING:
    from .run import Done, Work

ANSWER = 10  # seconds for the scheduler, and for its first worker


class ClusterPool:
    """Runs notebooks on the workers of a cluster, and again on another when a worker is lost."""

    is_here = False

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RequestError(
                "--scheduler needs the extra 'dask': pip install 'stslab[dask]'."
            ) from None
        try:
            self._client = Client(address, timeout=ANSWER, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise RequestError(
                f"--scheduler {address}: no Dask scheduler answers there "
                f"({type(error).__name__}). Start one with: dask scheduler"
            ) from error
        # A page is no pure function's value to Dask: forced builds run again.
        self._executor = self._client.get_executor(pure=False)
        self._stopped = False
        try:
            self._check(address)
        except BaseException:
            self.close()
            raise

    def _check(self, address: str) -> None:
        with suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=ANSWER)
        answers = self._client.run(environment, on_error="return")
        problem = "" if answers else f"it has no workers. Start some with: dask worker {address}"
        here = environment()
        for worker, there in answers.items():
            if not isinstance(there, dict):
                problem = (
                    f"stslab does not run on worker {worker} ({there!r}). Install the same "
                    f"version there."
                )
            elif different := identity.changes(here, there):
                problem = (
                    f"worker {worker} differs from this machine: {'; '.join(different)}. Its "
                    f"pages would not be the same bytes."
                )
        if problem:
            raise RequestError(f"--scheduler {address}: {problem}")

    def submit(self, work: Work, on_cell: Callable[[int], None]) -> Future[Done]:
        """Run a notebook on some worker; which cell it is at is not reported."""
        future: Future[Done] = self._executor.submit(run_there, work, environment())
        return future

    def stop(self, build: str) -> None:
        if not self._stopped:
            self._stopped = True
            from .run import give_up

            self._executor.shutdown(wait=False)
            self._client.run(give_up, build, on_error="ignore")

    def close(self) -> None:
        self._client.close()


def run_there(work: Work, expected: dict[str, str]) -> Done:
    """Run a notebook on this worker, if it would make the same bytes."""
    from .run import run

    if different := identity.changes(expected, environment()):
        raise RequestError(f"a worker differs from the builder: {'; '.join(different)}.")
    return run(work)


def environment() -> dict[str, str]:
    """Say what the pages made on a machine depend on there: versions and the helper's source."""
    return identity.versions() | identity.helper_digests("import stslab")
