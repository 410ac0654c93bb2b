"""The workers that encode texts for a store: this process, several processes, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from ...dask_client import connect
from ...inputs.checks import InputError
from ...models.encoding import Embeddings, Encoder
from ...models.finding import library_versions
from ..opening import identity_of
from ..store import StoreError
from .encoding_work import Work, encode_for, vectors_of
from .processes import Processes


class Workers(Protocol):
    """The interface of all workers."""

    window: int  # chunks to submit before the first result is waited for

    def submit(self, texts: list[str]) -> Any: ...
    def result(self, task: Any) -> Embeddings: ...


@contextmanager
def open_workers(model: Any, processes: int, scheduler: str | None) -> Iterator[Workers]:
    """Start workers: processes, those of a Dask scheduler, or none but this process."""
    if not scheduler and processes < 2:
        yield _ThisProcess(model)
        return
    name, device = model, None
    source = getattr(model, "source", None)
    if source is not None:
        name, device = source.name, model.device.type
        if source.source == "folder":
            name = str(source.folder)
    threads = None
    if not scheduler:
        threads = max(1, (os.cpu_count() or 1) // processes)
    work = Work(name, device, threads, identity_of(model), library_versions())
    if scheduler:
        with _cluster(work, scheduler) as workers:
            yield workers
    else:
        with closing(Processes(work, processes)) as workers:
            yield workers


class _ThisProcess:
    """Encodes in this process, when `result` is called."""

    window = 0

    def __init__(self, model: Encoder) -> None:
        self.model = model

    def submit(self, texts: list[str]) -> list[str]:
        return texts

    def result(self, task: list[str]) -> Embeddings:
        return vectors_of(task, self.model)


class _Cluster:
    """Encodes on a cluster; Dask itself repeats a lost worker's task on another worker."""

    def __init__(self, work: Work, client: Any, threads: int) -> None:
        self.work, self.client, self.window = work, client, 2 * threads

    def submit(self, texts: list[str]) -> Any:
        return self.client.submit(encode_for, self.work, texts, pure=False)

    def result(self, task: Any) -> Embeddings:
        return task.result()  # type: ignore[no-any-return]


@contextmanager
def _cluster(work: Work, address: str) -> Iterator[_Cluster]:
    with connect(address, InputError) as client:
        threads = sum(client.nthreads().values())
        try:
            yield _Cluster(work, client, threads)
        except (ValueError, StoreError):
            raise
        except Exception as error:
            from distributed import CancelledError, KilledWorker

            if not isinstance(error, CancelledError | KilledWorker | OSError):
                raise
            raise StoreError(
                f"--scheduler {address}: the cluster did not finish ({type(error).__name__}). What "
                f"was added before is kept; run this again to go on."
            ) from error
