"""A file of any size → a store, in bounded memory, on one process, several, or a Dask cluster.

Chunks are encoded in any order and added in the order of the file, each in one step. So a build
that ends early leaves the first chunks, and a later one continues after them. The result does not
depend on which worker encoded what, because a text's embedding depends on the text alone (see
`stslab.encode`). Embeddings are not written to the cache of `stslab.encode`: the store holds them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ...inputs.checks import InputError
from ...models.encoding import Encoder
from ..opening import identity_of
from ..store import Store, StoredText, check_identity
from .streaming import TextFile
from .update import Update
from .workers import Workers, open_workers


class Progress(NamedTuple):
    """The progress of a build."""

    done: int  # texts of the file that are in the store
    total: int  # texts in the file
    encoded: int  # of those done, the ones that were encoded now


class Embedded(NamedTuple):
    """The result of a build."""

    texts: int  # in the file, and now in the store
    encoded: int  # now; the others were there already, or repeat one
    removed: int  # by how many texts the store is smaller than before


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
    """Encode the texts of a file into a store, or continue an earlier build.

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
    check_identity(store.url, store.identity, identity_of(model))
    with (
        TextFile(path, column=column, sheet=sheet) as file,
        open_workers(model, processes, scheduler) as workers,
    ):
        if not replace:
            _check_same_file(file, store)
        old_count = store.count()
        total = total_encoded = 0
        with closing(Update(store)) as update:
            for texts, encoded in _add_chunks(file, store, workers, update):
                total += texts
                total_encoded += encoded
                listener(Progress(total, file.count, total_encoded))
            file.check_unchanged()
            update.finish(total)
    return Embedded(total, total_encoded, max(0, old_count - total))


class _Chunk(NamedTuple):
    """Consecutive texts of the file."""

    texts: int
    ids: list[int]  # of the texts that the store does not hold under their id
    changed: list[StoredText]  # these texts
    missing: list[str]  # those of them that have to be encoded
    task: Any  # the workers' task that encodes them


def _add_chunks(
    file: TextFile, store: Store, workers: Workers, update: Update
) -> Iterator[tuple[int, int]]:
    """Add chunk by chunk; yield the number of texts in each, and of those that were encoded."""
    submitted: deque[_Chunk] = deque()
    start = 0
    for texts in file.chunks():
        submitted.append(_submit_chunk(texts, start, store, workers, update))
        start += len(texts)
        if len(submitted) > workers.window:
            yield _put_chunk(submitted.popleft(), workers, update)
    while submitted:
        yield _put_chunk(submitted.popleft(), workers, update)


def _submit_chunk(
    texts: list[StoredText], start: int, store: Store, workers: Workers, update: Update
) -> _Chunk:
    """Submit the texts of a chunk that the store has no vectors of."""
    stored = store.get(range(start, start + len(texts)))
    ids, changed = [], []
    for key, text in enumerate(texts, start):
        if stored.get(key) != text:
            ids.append(key)
            changed.append(text)
    missing = update.missing([stored_text.text for stored_text in changed])
    task = None
    if missing:
        task = workers.submit(missing)
    return _Chunk(len(texts), ids, changed, missing, task)


def _put_chunk(chunk: _Chunk, workers: Workers, update: Update) -> tuple[int, int]:
    """Wait for a chunk's vectors and put it into the store."""
    vectors: Any = []
    if chunk.missing:
        vectors = workers.result(chunk.task)
    if chunk.ids:
        update.put(chunk.ids, chunk.changed, dict(zip(chunk.missing, vectors, strict=True)))
    return chunk.texts, len(chunk.missing)


def _check_same_file(file: TextFile, store: Store) -> None:
    """Raise InputError for a store of another file; some changed or moved texts are no reason."""
    first_chunk = next(file.chunks())
    stored = store.get(range(len(first_chunk)))
    texts_in_file = Counter(text.text for text in first_chunk[: len(stored)])
    texts_in_store = Counter(text.text for text in stored.values())
    common = (texts_in_file & texts_in_store).total()
    total = texts_in_file.total()
    if 2 * common < total:
        raise InputError(
            f"{store.url}: it seems to hold another file: of the first {total:,} texts of "
            f"{file.name}, {common:,} are among its first ones. Name another store; or, to "
            f"replace what it holds, pass replace=True (--replace)."
        )
