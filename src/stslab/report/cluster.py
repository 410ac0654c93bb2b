"""A Dask cluster as the place where notebooks run."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from . import freshness
from .parameters import RequestError


def executor(address: str) -> Executor:
    """Connect to a cluster whose workers run the same stslab.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``"tcp://localhost:8786"``.

    Returns
    -------
    concurrent.futures.Executor
        Runs each notebook on some worker, and again on another if the worker is lost.

    Raises
    ------
    RequestError
        If the extra is not installed, nobody answers, or a worker's versions differ.
    """
    try:
        from distributed import Client
    except ImportError:
        raise RequestError(
            "--scheduler needs the extra 'dask': pip install 'stslab[dask]'."
        ) from None
    try:
        client = Client(address, timeout=5)
    except (OSError, TimeoutError, ValueError) as error:
        raise RequestError(
            f"--scheduler {address}: no Dask scheduler answers there ({type(error).__name__}). "
            f"Start one with: dask scheduler"
        ) from error
    here = environment()
    for worker, there in client.run(environment).items():
        if different := freshness.changes(here, there):
            client.close()
            raise RequestError(
                f"--scheduler {address}: worker {worker} differs from this machine: "
                f"{'; '.join(different)}. Its pages would not be the same bytes."
            )
    # A page is not a pure function's value to Dask: forced builds run again.
    pool: Executor = client.get_executor(pure=False, retries=2)
    return pool


def environment() -> dict[str, Any]:
    """Say what the pages made on a machine depend on there: versions and the helper's source."""
    helper = freshness.helper_modules("import stslab")
    files = {f"helper {name}": freshness.file_digest(freshness.HELPER / name) for name in helper}
    return freshness.versions() | files
