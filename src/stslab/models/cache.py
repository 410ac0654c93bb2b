"""Embeddings kept on disk, so that a text is encoded once across notebooks and runs.

An embedding depends on its text alone (see `encoding`), so a page's bytes do not depend on what
the cache holds. Each batch is one SQLite transaction, so parallel kernels and killed processes do
no harm. An entry that does not match its checksum counts as absent; a damaged file, or one of
another schema, is replaced by a new one; a file that cannot be opened is not used. None of this is
reported here: the output of a kernel would become part of a page, which would then depend on the
state of the cache. The command reports it, see `stslab.report.cached`. ``STSLAB_CACHE`` names
another folder, or is ``off``. Only their owner can read and write the folder and the file, because
whoever can write them can forge any score.
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
SELECT = "SELECT vector, checksum FROM embeddings WHERE key = ?"
SCHEMA = "CREATE TABLE embeddings (key BLOB UNIQUE, vector BLOB, checksum INTEGER)"

# Files that are locked or cannot be written: this process does not try them again.
_unusable_files: set[Path] = set()


def cache_file() -> Path | None:
    """Return the path of the cache; None when it is off."""
    try:
        folder = os.environ.get("STSLAB_CACHE") or user_cache_dir("stslab", appauthor=False)
    except RuntimeError:  # a user without a home, as in a container
        folder = "off"
    if folder == "off":
        return None
    return Path(folder) / "embeddings.sqlite"


def clear_cache() -> None:
    """Delete all embeddings."""
    file = cache_file()
    if file is not None:
        for suffix in ("", "-wal", "-shm", "-journal"):  # SQLite's files beside the database
            file.with_name(file.name + suffix).unlink(missing_ok=True)


class EmbeddingCache:
    """The embeddings of one model with one prompt; behaves as empty where it cannot work.

    Another `shape` of a batch may move an embedding's last digits.
    """

    def __init__(self, model: Any, prompt: str, shape: tuple[int, ...]) -> None:
        source: ModelSource | None = getattr(model, "source", None)
        self.file = None
        if source is not None:
            self.file = cache_file()
        self.dimension = int(model.get_embedding_dimension())
        # The layers as they are, too: someone may have changed the pooling of a loaded model.
        properties = (source and source.sha256, repr(model), model.max_seq_length, self.dimension)
        environment = (str(model.dtype), model.device.type, library_versions())
        self.salt = repr((*properties, prompt, shape, *environment)).encode()

    def read(self, texts: Sequence[str]) -> dict[int, Any]:
        """Return the stored embeddings: position in `texts` → embedding."""
        embeddings: dict[int, Any] = {}

        def look_up(database: sqlite3.Connection) -> None:
            for index, text in enumerate(texts):
                key = self._key(text)
                for vector, checksum in database.execute(SELECT, (key,)):
                    if zlib.crc32(key + vector) == checksum and len(vector) == 4 * self.dimension:
                        embeddings[index] = np.frombuffer(vector, np.float32)

        query(self.file, look_up)
        return {
            index: embedding
            for index, embedding in embeddings.items()
            if np.isfinite(embedding).all()
        }

    def write(self, texts: Sequence[str], embeddings: Any) -> None:
        """Store a batch, in one transaction."""
        rows = []
        for text, embedding in zip(texts, embeddings, strict=True):
            key, vector = self._key(text), np.asarray(embedding, np.float32).tobytes()
            rows.append((key, vector, zlib.crc32(key + vector)))

        def insert(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)
            capacity = LIMIT // (len(rows[0][1]) + 64)  # 64: about what SQLite adds to a vector
            database.execute(
                "DELETE FROM embeddings WHERE rowid <= (SELECT max(rowid) FROM embeddings) - ?",
                (capacity,),
            )

        query(self.file, insert)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self.salt + b"\0" + text.encode("utf-8", "surrogatepass")).digest()


def query(file: Path | None, operation: Callable[[sqlite3.Connection], Any]) -> Any:
    """Return what an operation on the database returns; None if the database cannot be used."""
    # A second time after `recover` has replaced a damaged file.
    for _ in range(2):
        if file is None or file in _unusable_files:
            break
        try:
            with connect(file) as database:
                return operation(database)
        except (OSError, sqlite3.DatabaseError) as error:
            recover(file, error)
    return None


def recover(file: Path, error: Exception) -> Exception | None:
    """Replace a damaged file by a new one; return the reason if the file stays unusable."""
    if isinstance(error, OSError | sqlite3.OperationalError):  # locked, or a full or read-only disk
        _unusable_files.add(file)
        return error
    try:
        clear_cache()
    except OSError as clearing_error:
        return recover(file, clearing_error)
    return None


@contextmanager
def connect(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the database for one transaction; create it if it is missing."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)  # if new; the files that SQLite puts beside it take its mode
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as database, database:
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
        database.execute(SCHEMA.replace("TABLE", "TABLE IF NOT EXISTS"))
        schemas = database.execute("SELECT sql FROM sqlite_master WHERE name = 'embeddings'")
        if schemas.fetchall() != [(SCHEMA,)]:
            raise sqlite3.DatabaseError("another schema")
        yield database
