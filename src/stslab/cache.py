"""Embeddings kept on disk, so that a text is encoded once across notebooks and runs.

An embedding depends on its text alone (see `encoding`), so a page's bytes do not depend on what
was found here. SQLite keeps parallel kernels and kills from doing harm: each batch is one
transaction. An entry that does not match its checksum counts as absent; a damaged file is
started anew. ``STSLAB_CACHE`` names another folder, or is ``off``.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .models import ModelSource, library_versions

LIMIT = 2**30  # bytes; the oldest entries leave first
AT_ONCE = 500  # keys per question


def cache_file() -> Path | None:
    """Say where embeddings are kept; None when the cache is off.

    Returns
    -------
    pathlib.Path or None
    """
    folder = os.environ.get("STSLAB_CACHE", "")
    if folder == "off":
        return None
    if not folder:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("stslab", appauthor=False)
    return Path(folder) / "embeddings.sqlite"


def cache_size() -> tuple[int, int]:
    """Count what is kept.

    Returns
    -------
    tuple of int
        Embeddings, and bytes on disk.
    """
    file = cache_file()
    if file is None or not file.exists():
        return 0, 0
    with _open(file) as database:
        (count,) = database.execute("SELECT count(*) FROM embeddings").fetchone()
    return count, file.stat().st_size


def clear_cache() -> None:
    """Forget all embeddings."""
    if file := cache_file():
        for part in ("", "-wal", "-shm"):
            file.with_name(file.name + part).unlink(missing_ok=True)


class EmbeddingCache:
    """The embeddings of one model with one prompt; behaves as empty where it cannot work.

    Parameters
    ----------
    model : sentence_transformers.SentenceTransformer
    prompt : str
        What is put before each text.
    shape : tuple of int
        What the shape of a batch follows from; another one may move the last digits.
    """

    def __init__(self, model: Any, prompt: str, shape: tuple[int, ...]) -> None:
        source: ModelSource | None = getattr(model, "_stslab_source", None)
        self.file = cache_file() if source else None
        self.dimension = int(model.get_embedding_dimension())
        versions = library_versions()
        # The layers as they are, too: someone may have changed the pooling of a loaded model.
        about = (source and source.sha256, repr(model), model.max_seq_length, self.dimension)
        where = (str(model.dtype), model.device.type, versions)
        self.salt = repr((*about, prompt, shape, *where)).encode()

    def read(self, texts: Sequence[str]) -> dict[int, Any]:
        """Find what is known: position in `texts` → embedding."""
        row = {self._key(text): index for index, text in enumerate(texts)}
        found: dict[int, Any] = {}
        for keys in _chunks(list(row), AT_ONCE) if self.file else ():
            marks = ",".join("?" * len(keys))
            query = f"SELECT key, vector, checksum FROM embeddings WHERE key IN ({marks})"
            for key, vector, checksum in self._try(partial(_ask, query, keys)):
                if zlib.crc32(key + vector) == checksum and len(vector) == 4 * self.dimension:
                    found[row[key]] = np.frombuffer(vector, np.float32)
        return found

    def write(self, texts: Sequence[str], embeddings: Any) -> None:
        """Keep a batch, in one transaction."""
        rows = []
        for text, embedding in zip(texts, embeddings, strict=True):
            key, vector = self._key(text), np.asarray(embedding, np.float32).tobytes()
            rows.append((key, vector, zlib.crc32(key + vector)))

        def insert(database: sqlite3.Connection) -> list[Any]:
            database.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)
            oldest = LIMIT // (len(rows[0][1]) + 64)  # entries that fit
            query = "DELETE FROM embeddings WHERE rowid <= (SELECT max(rowid) FROM embeddings) - ?"
            database.execute(query, (oldest,))
            return []

        if self.file:
            self._try(insert)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self.salt + b"\0" + text.encode("utf-8", "surrogatepass")).digest()

    def _try(self, work: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
        """Work on the database; start it anew if damaged, do without it if it cannot be had."""
        assert self.file
        for _ in range(2):
            try:
                with _open(self.file) as database:
                    return work(database)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # locked, full or read-only disk
                    return []
                clear_cache()
            except OSError:
                return []
        return []


@contextmanager
def _open(file: Path) -> Iterator[sqlite3.Connection]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=10)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS embeddings (key BLOB UNIQUE, vector BLOB, checksum INTEGER)"
        )
        yield database


def _ask(query: str, keys: Sequence[bytes], database: sqlite3.Connection) -> list[Any]:
    return list(database.execute(query, keys))


def _chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
