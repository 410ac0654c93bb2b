"""The workers that encode texts for a store: this process, several processes, or a Dask cluster."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...dask_client import connect
from ...inputs.checks import InputError
from ...models.encoding import Embeddings, Encoder, encoded_batches
from ...models.finding import library_versions
from ..opening import identity_of
from ..store import Identity, StoreError

ATTEMPTS = 3  # times that a chunk is encoded when the process that does it is lost
# Shapes of batches, see `encoding.SHAPE`. Texts are padded to a smaller multiple than by
# `stslab.encode`, because a chunk is large enough to fill batches of more lengths. A GPU needs
# larger batches.
SHAPE_ON_CPU = (8, 32, 2048)
SHAPE_ON_GPU = (8, 256, 32_768)


class Work(NamedTuple):
    """The model that a worker encodes with, and what must be the same there."""

    model: Any  # a name or a folder to load; an encoder of your own travels itself
    device: str | None
    threads: int | None  # of the processor; None: as many as the worker has
    identity: Identity
    versions: dict[str, str]


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
        with closing(_Processes(work, processes)) as workers:
            yield workers


class _ThisProcess:
    """Encodes in this process, when `result` is called."""

    window = 0

    def __init__(self, model: Encoder) -> None:
        self.model = model

    def submit(self, texts: list[str]) -> list[str]:
        return texts

    def result(self, task: list[str]) -> Embeddings:
        return _vectors(task, self.model)


class _Process:
    """A process that encodes, with a pipe of its own.

    It has one chunk at a time, so that it reads whenever this process writes; otherwise both could
    wait for each other.
    """

    def __init__(self, work: Work, lifeline: Connection) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = context.Pipe()
        self.process = context.Process(target=_encode_chunks, args=(work, child_pipe, lifeline))
        with _interrupts_kept_here():
            self.process.start()
        # That process then has the only other end, so that a read here ends when it is lost.
        child_pipe.close()
        self.chunk: int | None = None  # the number of the one that it encodes

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class _Processes:
    """Encodes in several processes; a chunk that one did not finish is encoded by another.

    This is not `concurrent.futures`, whose results share one pipe: a process that is killed while
    it writes blocks that pipe for ever, and the pool's thread raises InvalidStateError for a future
    that was cancelled while the pool broke. Here is no thread, and each process has its own pipe.
    """

    def __init__(self, work: Work, processes: int) -> None:
        self.work, self.window = work, 2 * processes
        self._numbers = count()
        self._texts: dict[int, list[str]] = {}  # of chunks that are not finished
        self._waiting: deque[int] = deque()  # chunks that no process has yet
        self._lost: Counter[int] = Counter()  # how often the process that had it was lost
        self._results: dict[int, Embeddings | Exception] = {}
        # Nothing is ever written to this pipe: the processes end when this process closes its end,
        # which the system does if it is killed.
        pipe = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._lifeline, self._lifeline_end = pipe
        self._processes: list[_Process] = []
        try:
            for _ in range(processes):
                self._processes.append(_Process(work, self._lifeline))
        except BaseException:
            self.close()
            raise

    def submit(self, texts: list[str]) -> int:
        number = next(self._numbers)
        self._texts[number] = texts
        self._waiting.append(number)
        self._hand_out()
        return number

    def result(self, task: int) -> Embeddings:
        while task not in self._results:
            self._hand_out()
            busy = {
                process.pipe: process for process in self._processes if process.chunk is not None
            }
            for pipe in wait_for_any(list(busy)):
                self._receive(busy[pipe])  # type: ignore[index]
        result = self._results.pop(task)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        self._lifeline_end.close()
        for process in self._processes:
            process.stop()
        self._lifeline.close()

    def _hand_out(self) -> None:
        for process in self._processes:
            if process.chunk is None and self._waiting:
                process.chunk = self._waiting.popleft()
                with suppress(OSError):  # it is lost; `_receive` reads that from the same pipe
                    process.pipe.send(self._texts[process.chunk])

    def _receive(self, process: _Process) -> None:
        chunk, process.chunk = process.chunk, None
        assert chunk is not None
        try:
            self._results[chunk] = process.pipe.recv()
            del self._texts[chunk]
        except (EOFError, OSError):
            process.stop()
            self._processes[self._processes.index(process)] = _Process(self.work, self._lifeline)
            self._lost[chunk] += 1
            if self._lost[chunk] < ATTEMPTS:
                self._waiting.appendleft(chunk)
            else:
                self._results[chunk] = StoreError(
                    f"a process that encodes was lost {ATTEMPTS} times, perhaps because memory is "
                    f"short. What was added before is kept; go on with fewer processes."
                )


def _encode_chunks(work: Work, pipe: Connection, lifeline: Connection) -> None:
    """Encode one chunk after another, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    with suppress(EOFError, OSError):  # the process that sends texts has ended
        while True:
            texts = pipe.recv()
            try:
                result: Any = encode_for(work, texts)
            except Exception as error:
                result = error
            pipe.send(result)


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of a pipe is closed."""
    lifeline.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _interrupts_kept_here() -> Iterator[None]:
    """Start processes that ignore Ctrl-C: this process receives it and ends them."""
    if sys.platform == "win32":
        yield
        return
    old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)


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


# A Dask worker encodes in several threads, and a tokenizer works in one thread only.
_model_lock = threading.Lock()


def encode_for(work: Work, texts: list[str]) -> Embeddings:
    """Return the embeddings of texts; raise InputError in a worker that would compute others."""
    with _model_lock:
        model = _load(work.model, work.device, work.threads)
        identity, versions = identity_of(model), library_versions()
        if identity != work.identity:
            raise _difference(identity.describe(), work.identity.describe())
        if versions != work.versions:
            raise _difference(_describe_versions(versions), _describe_versions(work.versions))
        return _vectors(texts, model)


def _difference(actual: str, expected: str) -> InputError:
    return InputError(
        f"a worker differs: it has {actual}; the store needs {expected}. Install the same there."
    )


def _describe_versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


@functools.lru_cache(maxsize=1)
def _load(model: Any, device: str | None, threads: int | None) -> Any:
    if not isinstance(model, str):
        return model
    from ...models.loading import load_model

    if threads:
        import torch

        torch.set_num_threads(threads)
    return load_model(model, device=device)


def _vectors(texts: list[str], model: Any) -> Embeddings:
    unique = list(dict.fromkeys(texts))
    if hasattr(model, "preprocess"):
        vectors: Any = np.empty((len(unique), model.get_embedding_dimension()), np.float32)
        shape = SHAPE_ON_CPU if model.device.type == "cpu" else SHAPE_ON_GPU
        for rows, batch in encoded_batches(unique, model, "document", shape):
            vectors[rows] = batch
    else:
        vectors = np.asarray(model.encode(unique), dtype=np.float32)
    row = {text: index for index, text in enumerate(unique)}
    return vectors[[row[text] for text in texts]]  # type: ignore[no-any-return]
