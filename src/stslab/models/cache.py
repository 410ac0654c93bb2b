"""Embeddings kept on disk, so that a text is encoded once across notebooks and runs.

An embedding depends on its text alone (see `encoding`), so a page's bytes do not depend on what
was found here. SQLite keeps parallel kernels and kills from doing harm: each batch is one
transaction. An entry that does not match its checksum counts as absent; a damaged file, or one of
another schema, is started anew; a file that cannot be had is done without. Nothing here says so: a
kernel's words would land in a page, which then depended on what was found here. The command does,
see `stslab.report.cached`. ``STSLAB_CACHE`` names another folder, or is ``off``. The folder and the
file are their owner's only: who could write them could give any score.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_dir

from .finding import ModelSource, library_versions

LIMIT = 2**30  # bytes; the oldest entries leave first
PATIENCE = 5  # seconds to wait for another process's transaction; after one wait in vain, no more
FIND = "SELECT vector, checksum FROM embeddings WHERE key = ?"
SCHEMA = "CREATE TABLE embeddings (key BLOB UNIQUE, vector BLOB, checksum INTEGER)"

_given_up: set[Path] = set()


def cache_file() -> Path | None:
    """Say where embeddings are kept; None when the cache is off."""
    try:
        folder = os.environ.get("STSLAB_CACHE") or user_cache_dir("stslab", appauthor=False)
    except RuntimeError:  # a user without a home, as in a container
        folder = "off"
    return None if folder == "off" else Path(folder) / "embeddings.sqlite"


def clear_cache() -> None:
    """Forget all embeddings."""
    if file := cache_file():
        for part in ("", "-wal", "-shm", "-journal"):
            file.with_name(file.name + part).unlink(missing_ok=True)


class EmbeddingCache:
    """The embeddings of one model with one prompt; behaves as empty where it cannot work.

    Another `shape` of a batch may move an embedding's last digits.
    """

    def __init__(self, model: Any, prompt: str, shape: tuple[int, ...]) -> None:
        source: ModelSource | None = getattr(model, "found", None)
        self.file = cache_file() if source else None
        self.dimension = int(model.get_embedding_dimension())
        # The layers as they are, too: someone may have changed the pooling of a loaded model.
        about = (source and source.sha256, repr(model), model.max_seq_length, self.dimension)
        where = (str(model.dtype), model.device.type, library_versions())
        self.salt = repr((*about, prompt, shape, *where)).encode()

    def read(self, texts: Sequence[str]) -> dict[int, Any]:
        """Find what is known: position in `texts` → embedding."""
        found: dict[int, Any] = {}

        def look_up(database: sqlite3.Connection) -> None:
            for index, text in enumerate(texts):
                key = self._key(text)
                for vector, checksum in database.execute(FIND, (key,)):
                    if zlib.crc32(key + vector) == checksum and len(vector) == 4 * self.dimension:
                        found[index] = np.frombuffer(vector, np.float32)

        tried(self.file, look_up)
        return {index: each for index, each in found.items() if np.isfinite(each).all()}

    def write(self, texts: Sequence[str], embeddings: Any) -> None:
        """Keep a batch, in one transaction."""
        rows = []
        for text, embedding in zip(texts, embeddings, strict=True):
            key, vector = self._key(text), np.asarray(embedding, np.float32).tobytes()
            rows.append((key, vector, zlib.crc32(key + vector)))

        def insert(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)
            oldest = LIMIT // (len(rows[0][1]) + 64)  # entries that fit
            query = "DELETE FROM embeddings WHERE rowid <= (SELECT max(rowid) FROM embeddings) - ?"
            database.execute(query, (oldest,))

        tried(self.file, insert)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self.salt + b"\0" + text.encode("utf-8", "surrogatepass")).digest()


def tried(file: Path | None, work: Callable[[sqlite3.Connection], Any]) -> Any:
    """Work on the database, twice if it was damaged, not at all once it cannot be had."""
    for _ in range(2):
        if file is None or file in _given_up:
            break
        try:
            with opened(file) as database:
                return work(database)
        except (OSError, sqlite3.DatabaseError) as error:
            mend(file, error)
    return None


def mend(file: Path, error: Exception) -> Exception | None:
    """Start a damaged file anew, or give up one that cannot be had; say why, if so."""
    if isinstance(error, OSError | sqlite3.OperationalError):  # locked, or a full or read-only disk
        _given_up.add(file)
        return error
    try:
        clear_cache()
    except OSError as why:
        return mend(file, why)
    return None


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)  # if new; the files that SQLite puts beside it take its mode
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as database, database:
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
        database.execute(SCHEMA.replace("TABLE", "TABLE IF NOT EXISTS"))
        about = database.execute("SELECT sql FROM sqlite_master WHERE name = 'embeddings'")
        if about.fetchall() != [(SCHEMA,)]:
            raise sqlite3.DatabaseError("another schema")
        yield database
