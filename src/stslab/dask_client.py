"""A client of a Dask scheduler, for reports and stores alike."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

ANSWER = 10  # seconds for a cluster's scheduler, and for its first worker


def connect(address: str, error: type[ValueError]) -> Client:
    """Return a client of a Dask scheduler that has workers.

    Parameters
    ----------
    address : str
        Such as ``tcp://127.0.0.1:8786``.
    error : type
        Raised if Dask is not installed, no scheduler answers or it has no workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise error("--scheduler needs the extra 'dask': pip install 'stslab[dask]'.") from None
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as problem:
        raise error(
            f"--scheduler {address}: no Dask scheduler answers there ({type(problem).__name__}). "
            f"Start one with: dask scheduler"
        ) from problem
    try:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=ANSWER)
        if not client.nthreads():
            raise error(
                f"--scheduler {address}: it has no workers. Start some with: dask worker {address}"
            )
    except BaseException:
        client.close()
        raise
    return client
