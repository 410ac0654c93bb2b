"""A file of any size → a store, in bounded memory, on one process, several, or a Dask cluster.

Chunks are encoded in any order and added in the file's, each in one go. So a build that ends early
leaves the first chunks, a later one goes on behind them, and what comes out does not depend on who
encoded what, because a text's embedding depends on the text alone (see `stslab.encode`). Embeddings
are not kept in the cache of `stslab.encode`: the store is where they are kept.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...inputs.checks import InputError
from ...models.encoding import Embeddings, Encoder, encoded_batches
from ...models.finding import library_versions
from ..opening import identity_of
from ..store import Found, Identity, Store, StoreError, agreed
from .streaming import TextFile
from .update import Update

ANSWER = 10  # seconds for a cluster's scheduler, and for its first worker
ATTEMPTS = 3  # times that a chunk is encoded when the process that does it is lost
# Shapes of batches, see `encoding.SHAPE`. Padding less than `stslab.encode` does pays where chunks
# are large enough to fill batches of more lengths; a graphics card wants larger ones.
ON_CPU, ON_CARD = (8, 32, 2048), (8, 256, 32_768)


class Progress(NamedTuple):
    """How far a build is."""

    done: int  # texts of the file that are in the store
    total: int  # texts in the file
    encoded: int  # of those done, the ones that were encoded now


class Embedded(NamedTuple):
    """What a build did."""

    texts: int  # in the file, and now in the store
    encoded: int  # now; the others were there already, or repeat one
    removed: int  # by how many texts the store is smaller than before


class Work(NamedTuple):
    """What a worker needs to know of the model."""

    model: Any  # a name or a folder to load; an encoder of your own travels itself
    device: str | None
    threads: int | None  # of the processor; None: as many as the worker has
    identity: Identity
    versions: dict[str, str]


def embed_file(
    path: str | Path,
    store: Store,
    *,
    model: Encoder,
    column: str | None = None,
    sheet: str | None = None,
    processes: int = 1,
    scheduler: str | None = None,
    replace: bool = False,
    listener: Callable[[Progress], None] = lambda progress: None,
) -> Embedded:
    """Encode the texts of a file into a store, or go on with it.

    The file is read twice: once to check all of it, then to encode it. A text's ``corpus_id`` is
    its position among the texts of the file, as in `stslab.read_corpus`; other columns become
    metadata. A text whose vector is in the store already is not encoded again, wherever it stands
    in the file now; one that the file repeats is encoded once. What the file no longer has is
    deleted at the end.

    Parameters
    ----------
    path : str or Path
        A file that `stslab.read_corpus` takes. Text files and ``.parquet`` are read chunk by chunk;
        ``.json`` and ``.xlsx`` have to fit in memory.
    store : Store
        Opened with this model. It holds the texts of one file.
    model : Encoder
        A model trained with prompts for queries and documents uses that for documents.
    column, sheet : str or None, default None
        As for `stslab.read_corpus`.
    processes : int, default 1
        With more than one, each loads the model once; they share the processor's cores.
    scheduler : str or None, default None
        The address of a Dask scheduler; its workers encode instead of processes here.
    replace : bool, default False
        Go on although the store holds other texts, which are replaced.
    listener : callable
        Called with a `Progress` after each chunk.

    Returns
    -------
    Embedded

    Raises
    ------
    InputError
        Before anything is encoded: the file cannot be read; the store is of another model; fewer
        than half of the file's first texts are among the store's first ones, so that it seems to
        hold another file; a worker has another model or other library versions.
    StoreError
        If the store cannot be written or the cluster is lost; what was added before is kept.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stslab.stores import open_store
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name) / "my.txt"
    >>> _ = file.write_text("abba\\ncab\\n")
    >>> with open_store("exact", model=Letters()) as store:
    ...     embed_file(file, store, model=Letters())
    ...     embed_file(file, store, model=Letters())
    Embedded(texts=2, encoded=2, removed=0)
    Embedded(texts=2, encoded=0, removed=0)
    >>> folder.cleanup()
    """
    agreed(store.url, store.identity, identity_of(model))
    with (
        TextFile(path, column=column, sheet=sheet) as file,
        _workers(model, processes, scheduler) as workers,
    ):
        if not replace:
            _check_same_file(file, store)
        before = store.count()
        done = encoded = 0
        with closing(Update(store)) as update:
            for texts, new in _added(file, store, workers, update):
                done, encoded = done + texts, encoded + new
                listener(Progress(done, file.count, encoded))
            file.check_unchanged()
            update.finish(done)
    return Embedded(done, encoded, max(0, before - done))


class _Chunk(NamedTuple):
    """Texts of the file, next to each other."""

    texts: int
    ids: list[int]  # of the texts that are not in the store, or not there
    changed: list[Found]  # these texts
    missing: list[str]  # those of them that have to be encoded
    task: Any  # what encodes them


def _added(
    file: TextFile, store: Store, workers: _Workers, update: Update
) -> Iterator[tuple[int, int]]:
    """Add chunk by chunk; give how many texts each has, and how many of them were encoded."""
    waiting: deque[_Chunk] = deque()
    start = 0
    for found in file.chunks():
        waiting.append(_begun(found, start, store, workers, update))
        start += len(found)
        if len(waiting) > workers.window:
            yield _finished(waiting.popleft(), workers, update)
    while waiting:
        yield _finished(waiting.popleft(), workers, update)


def _begun(
    found: list[Found], start: int, store: Store, workers: _Workers, update: Update
) -> _Chunk:
    known = store.get(range(start, start + len(found)))
    changes = [(key, each) for key, each in enumerate(found, start) if known.get(key) != each]
    ids = [key for key, _ in changes]
    changed = [each for _, each in changes]
    missing = update.missing([each.text for each in changed])
    task = workers.submit(missing) if missing else None
    return _Chunk(len(found), ids, changed, missing, task)


def _finished(chunk: _Chunk, workers: _Workers, update: Update) -> tuple[int, int]:
    vectors: Any = workers.result(chunk.task) if chunk.missing else []
    if chunk.ids:
        update.put(chunk.ids, chunk.changed, dict(zip(chunk.missing, vectors, strict=True)))
    return chunk.texts, len(chunk.missing)


def _check_same_file(file: TextFile, store: Store) -> None:
    """Refuse a store of another file; texts that were changed, moved or added are no reason."""
    first = next(file.chunks())
    known = store.get(range(len(first)))
    texts = Counter(found.text for found in first[: len(known)])
    both = sum((texts & Counter(found.text for found in known.values())).values())
    if 2 * both < sum(texts.values()):
        raise InputError(
            f"{store.url}: it seems to hold another file: of the first {sum(texts.values()):,} "
            f"texts of {file.name}, {both:,} are among its first ones. Name another store; or, to "
            f"replace what it holds, pass replace=True (--replace)."
        )


# Who encodes


class _Workers(Protocol):
    window: int  # chunks to submit before the first result is waited for

    def submit(self, texts: list[str]) -> Any: ...
    def result(self, task: Any) -> Embeddings: ...


@contextmanager
def _workers(model: Any, processes: int, scheduler: str | None) -> Iterator[_Workers]:
    if not scheduler and processes < 2:
        yield _Here(model)
        return
    name, device = model, None
    if source := getattr(model, "source", None):
        name = str(source.folder) if source.source == "folder" else source.name
        device = model.device.type
    threads = None if scheduler else max(1, (os.cpu_count() or 1) // processes)
    work = Work(name, device, threads, identity_of(model), library_versions())
    if scheduler:
        with _cluster(work, scheduler) as workers:
            yield workers
    else:
        with closing(_Processes(work, processes)) as workers:
            yield workers


class _Here:
    """Encodes in this process, when a result is asked for."""

    window = 0

    def __init__(self, model: Encoder) -> None:
        self.model = model

    def submit(self, texts: list[str]) -> list[str]:
        return texts

    def result(self, task: list[str]) -> Embeddings:
        return _vectors(task, self.model)


class _Process:
    """A process that encodes, with a pipe of its own.

    It has one chunk at a time, so it reads whenever this process writes and neither waits for ever.
    """

    def __init__(self, work: Work, lifeline: Connection) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_encode_for, args=(work, theirs, lifeline))
        with _interrupts_kept_here():
            self.process.start()
        # With the only open end in that process, a read here ends when it is lost.
        theirs.close()
        self.chunk: int | None = None  # the number of the one that it encodes

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class _Processes:
    """Encodes in several processes; what one of them did not finish, another does again.

    Not by `concurrent.futures`: its results share one pipe, which a process that is killed while it
    writes blocks for ever, and its manager's thread raises InvalidStateError where a future was
    cancelled while the pool breaks. Here is no thread, and a pipe for each process.
    """

    def __init__(self, work: Work, processes: int) -> None:
        self.work, self.window = work, 2 * processes
        self._numbers = count()
        self._texts: dict[int, list[str]] = {}  # of chunks that are not finished
        self._waiting: deque[int] = deque()  # chunks that no process has yet
        self._lost: Counter[int] = Counter()  # how often the process that had it was lost
        self._results: dict[int, Embeddings | Exception] = {}
        # Nothing is ever written to this pipe: processes leave when this one has closed its end, as
        # it also has when it was killed.
        self._theirs, self._ours = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._processes: list[_Process] = []
        try:
            for _ in range(processes):
                self._processes.append(_Process(work, self._theirs))
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
            busy = {each.pipe: each for each in self._processes if each.chunk is not None}
            for pipe in wait_for_any(list(busy)):
                self._receive(busy[pipe])  # type: ignore[index]
        result = self._results.pop(task)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        self._ours.close()
        for process in self._processes:
            process.stop()
        self._theirs.close()

    def _hand_out(self) -> None:
        for process in self._processes:
            if process.chunk is None and self._waiting:
                process.chunk = self._waiting.popleft()
                with suppress(OSError):  # it is lost, which `_receive` learns from the same pipe
                    process.pipe.send(self._texts[process.chunk])

    def _receive(self, process: _Process) -> None:
        chunk, process.chunk = process.chunk, None
        assert chunk is not None
        try:
            self._results[chunk] = process.pipe.recv()
            del self._texts[chunk]
        except (EOFError, OSError):
            process.stop()
            self._processes[self._processes.index(process)] = _Process(self.work, self._theirs)
            self._lost[chunk] += 1
            if self._lost[chunk] < ATTEMPTS:
                self._waiting.appendleft(chunk)
            else:
                self._results[chunk] = StoreError(
                    f"a process that encodes was lost {ATTEMPTS} times, perhaps because memory is "
                    f"short. What was added before is kept; go on with fewer processes."
                )


def _encode_for(work: Work, pipe: Connection, lifeline: Connection) -> None:
    """Encode one chunk after another, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_after, args=(lifeline,), daemon=True).start()
    with suppress(EOFError, OSError):  # the process that asks has gone
        while True:
            texts = pipe.recv()
            try:
                answer: Any = encode_there(work, texts)
            except Exception as error:
                answer = error
            pipe.send(answer)


def _leave_after(lifeline: Connection) -> None:
    lifeline.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _interrupts_kept_here() -> Iterator[None]:
    """Let no Ctrl-C reach the processes that are started: it is for this one, which ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Cluster:
    """Encodes on a cluster; Dask gives the task of a worker that is lost to another one itself."""

    def __init__(self, work: Work, client: Any, threads: int) -> None:
        self.work, self.client, self.window = work, client, 2 * threads

    def submit(self, texts: list[str]) -> Any:
        return self.client.submit(encode_there, self.work, texts, pure=False)

    def result(self, task: Any) -> Embeddings:
        return task.result()  # type: ignore[no-any-return]


@contextmanager
def _cluster(work: Work, address: str) -> Iterator[_Cluster]:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler needs the extra 'dask': pip install 'stslab[dask]'."
        ) from None
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: no Dask scheduler answers there ({type(error).__name__}). "
            f"Start one with: dask scheduler"
        ) from error
    with client:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=ANSWER)
        if not (threads := sum(client.nthreads().values())):
            raise InputError(
                f"--scheduler {address}: it has no workers. Start some with: dask worker {address}"
            )
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


_one_at_a_time = threading.Lock()  # a Dask worker has threads; a tokenizer is for one


def encode_there(work: Work, texts: list[str]) -> Embeddings:
    """Encode in a worker, if it would give the same numbers."""
    with _one_at_a_time:
        model = _loaded(work.model, work.device, work.threads)
        for wanted, here in (
            (work.identity, identity_of(model)),
            (work.versions, library_versions()),
        ):
            if wanted != here:
                raise InputError(
                    f"a worker differs: it has {_said(here)}; the store needs {_said(wanted)}. "
                    f"Install the same there."
                )
        return _vectors(texts, model)


def _said(about: Identity | dict[str, str]) -> str:
    if isinstance(about, Identity):
        return about.describe()
    return ", ".join(f"{name} {version}" for name, version in about.items())


@functools.lru_cache(maxsize=1)
def _loaded(model: Any, device: str | None, threads: int | None) -> Any:
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
        shape = ON_CPU if model.device.type == "cpu" else ON_CARD
        for rows, some in encoded_batches(unique, model, "document", shape):
            vectors[rows] = some
    else:
        vectors = np.asarray(model.encode(unique), dtype=np.float32)
    row = {text: index for index, text in enumerate(unique)}
    return vectors[[row[text] for text in texts]]  # type: ignore[no-any-return]
