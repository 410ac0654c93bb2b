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
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain, count, repeat
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...inputs.checks import InputError
from ...models.encoding import Embeddings, Encoder, encoded_batches
from ...models.finding import library_versions
from ..opening import identity_of
from ..store import Found, Identity, Store, StoreError, agreed
from .streaming import TextFile

ANSWER = 10  # seconds for a cluster's scheduler, and for its first worker
ATTEMPTS = 3  # times that a chunk is encoded when the process that does it is lost
AT_ONCE = 10_000  # texts deleted at a time
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
    encoded: int  # now; the others were there already
    removed: int  # from the store, because the file has fewer texts than it once had


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
    metadata. What is in the store already, with the same text and metadata, is not encoded again.
    What the file no longer has is deleted at the end.

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
        done = encoded = 0
        for texts, new in _added(file, store, workers):
            done, encoded = done + texts, encoded + new
            listener(Progress(done, file.count, encoded))
        file.check_unchanged()
    return Embedded(done, encoded, _remove_from(done, store))


def _added(file: TextFile, store: Store, workers: _Workers) -> Iterator[tuple[int, int]]:
    """Add chunk by chunk; give how many texts each has, and how many of them were encoded."""
    waiting: deque[tuple[int, list[tuple[int, Found]], Any]] = deque()
    start = 0
    for chunk in chain(file.chunks(), repeat(None)):
        if chunk:
            known = store.get(range(start, start + len(chunk)))
            there = enumerate(chunk, start)
            new = [(key, found) for key, found in there if known.get(key) != found]
            task = workers.submit([found.text for _, found in new]) if new else None
            waiting.append((len(chunk), new, task))
            start += len(chunk)
        elif not waiting:
            return
        if not chunk or len(waiting) > workers.window:
            texts, new, task = waiting.popleft()
            if new:
                ids, found = zip(*new, strict=True)
                store.add(
                    [each.text for each in found],
                    workers.result(task),
                    ids=ids,
                    metadata=[each.metadata for each in found],
                )
            yield texts, len(new)


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


def _remove_from(start: int, store: Store) -> int:
    """Delete what comes after a file's end, the last first: what is left then has no gaps."""
    end = store.count()
    for stop in range(end, start, -AT_ONCE):
        store.delete(range(max(start, stop - AT_ONCE), stop))
    return max(0, end - start)


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
    if found := getattr(model, "found", None):
        name = str(found.folder) if found.source == "folder" else found.name
        device = model.device.type
    threads = None if scheduler else max(1, (os.cpu_count() or 1) // processes)
    work = Work(name, device, threads, identity_of(model), library_versions())
    with _cluster(work, scheduler) if scheduler else _processes(work, processes) as workers:
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


class _Elsewhere:
    """Encodes in other processes; what one of them did not finish, another does again."""

    def __init__(self, work: Work, started: Callable[[], Executor], count_: int) -> None:
        self.work, self.window = work, 2 * count_
        self._started, self._keys = started, count()
        self._executor = started()
        self._texts: dict[int, list[str]] = {}
        self._futures: dict[int, Future[Embeddings]] = {}

    def submit(self, texts: list[str]) -> int:
        key = next(self._keys)
        self._texts[key] = texts
        self._give(key)
        return key

    def result(self, task: int) -> Embeddings:
        for _ in range(ATTEMPTS):
            try:
                vectors = self._futures[task].result()
            except BrokenExecutor:
                self._start_again()
            else:
                del self._futures[task], self._texts[task]
                return vectors
        raise StoreError(
            f"a process that encodes was lost {ATTEMPTS} times, perhaps because memory is short. "
            f"What was added before is kept; go on with fewer processes."
        )

    def _start_again(self) -> None:
        self._executor.shutdown(wait=False)
        self._executor = self._started()
        for key in self._texts:
            self._give(key)

    def _give(self, key: int) -> None:
        try:
            with _interrupts_kept_here():
                future = self._executor.submit(encode_there, self.work, self._texts[key])
        except BrokenExecutor as error:  # whoever asks for the result starts again
            future = Future()
            future.set_exception(error)
        self._futures[key] = future

    def close(self, *, wait: bool) -> None:
        for future in self._futures.values():
            future.cancel()
        self._executor.shutdown(wait=wait)


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


@contextmanager
def _processes(work: Work, processes: int) -> Iterator[_Elsewhere]:
    context = multiprocessing.get_context("spawn")
    # Nothing is ever written to this pipe: workers leave when this process has closed its end, as
    # it also has when it was killed.
    theirs, ours = context.Pipe(duplex=False)

    def started() -> Executor:
        return ProcessPoolExecutor(processes, context, _begin, (theirs,))

    workers = _Elsewhere(work, started, processes)
    try:
        yield workers
        workers.close(wait=True)
    finally:
        ours.close()
        workers.close(wait=False)
        theirs.close()


def _begin(pipe: Connection) -> None:
    """Prepare a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_after, args=(pipe,), daemon=True).start()


def _leave_after(pipe: Connection) -> None:
    pipe.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _cluster(work: Work, address: str) -> Iterator[_Elsewhere]:
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
        # Dask gives the task of a worker that is lost to another one itself.
        workers = _Elsewhere(work, lambda: client.get_executor(pure=False), threads)
        try:
            yield workers
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
        finally:
            workers.close(wait=False)


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
