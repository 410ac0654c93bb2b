"""A store in a folder of its own: a file of vectors, and SQLite for everything else.

``vectors.f32`` holds the vectors one after another, as float32; they are only ever appended.
``texts.sqlite`` says what is in which row. A batch counts once SQLite has taken it, so a kill or a
full disk loses that batch alone, and what lies behind the last known row is written over. What is
deleted or replaced leaves a hole: its row is skipped.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock

from ...models.encoding import Embeddings
from ..store import Found, Identity, Ids, Store, StoreError, agreed, lock_for_writing

SCHEMA = """
CREATE TABLE IF NOT EXISTS about (model TEXT, revision TEXT, dimension INTEGER, rows INTEGER);
CREATE TABLE IF NOT EXISTS texts (
    place INTEGER PRIMARY KEY, id INTEGER UNIQUE, text TEXT, metadata TEXT
);
"""
AT_ONCE = 10_000  # ids in one question to SQLite


class Rows(NamedTuple):
    """What is in a store's file of vectors."""

    vectors: Embeddings  # on disk
    ids: Ids  # of each row; -1 for a hole
    live: int  # rows that are no hole


class LocalStore(Store):
    """Texts in SQLite, vectors in a file; an adapter searches its rows.

    Without a folder it is a temporary one, removed when the store is closed.
    """

    def __init__(self, url: str, folder: str, asked: Identity | None) -> None:
        self.url = url
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="stslab-")
        self.folder = Path(self.temporary.name if self.temporary else folder)
        self.lock = FileLock(self.folder / "writer.lock")
        self._seen: Rows | None = None
        self._version = -1
        file = self.folder / "texts.sqlite"
        with self._reached():
            held = _held(file) if file.is_file() else None
            self.identity = agreed(url, held, asked)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.database = sqlite3.connect(file)
            if not held:
                self._create()

    def _create(self) -> None:
        with self.database:
            self.database.execute("BEGIN IMMEDIATE")  # all of it, or nothing; one process at a time
            for statement in SCHEMA.strip().split(";\n"):
                self.database.execute(statement)
            self.database.execute(
                "INSERT INTO about SELECT ?, ?, ?, 0 WHERE NOT EXISTS (SELECT * FROM about)",
                self.identity,
            )

    @abstractmethod
    def _nearest_rows(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        """Give cosines and rows of each vector's k nearest, shape (n, k); row -1 where none is."""

    def rows(self) -> Rows:
        """See which rows there are."""
        if known := self._known():
            return known
        size = self._size()
        ids = np.full(size, -1, dtype=np.int64)
        query = "SELECT place, id FROM texts WHERE place < ?"
        for place, key in self.database.execute(query, (size,)):
            ids[place] = key
        self._seen = seen = Rows(self._vectors(size), ids, int((ids >= 0).sum()))
        return seen

    def _known(self) -> Rows | None:
        """Forget what was seen before another process wrote."""
        ((version,),) = self.database.execute("PRAGMA data_version")
        if version != self._version:
            self._version, self._seen = version, None
        return self._seen

    def _size(self) -> int:
        ((size,),) = self.database.execute("SELECT rows FROM about")
        return int(size)

    def _vectors(self, size: int) -> Embeddings:
        file, shape = self.folder / "vectors.f32", (size, self.identity.dimension)
        if not size:
            return np.empty(shape, np.float32)
        if not file.is_file() or file.stat().st_size < 4 * shape[0] * shape[1]:
            raise StoreError(
                f"{self.url}: vectors.f32 is damaged: it holds fewer than {size:,} vectors. Remove "
                f"the folder, and embed the texts again."
            )
        return np.memmap(file, np.float32, mode="r", shape=shape)

    def _add(self, ids: Ids, vectors: Embeddings, found: Sequence[Found]) -> None:
        lock_for_writing(self.url, self.lock)
        start = self._size()
        file = self.folder / "vectors.f32"
        file.touch()
        with file.open("r+b") as stream:
            stream.seek(4 * start * self.identity.dimension)
            stream.write(vectors.tobytes())
            stream.flush()
            os.fsync(stream.fileno())  # before SQLite says that they are there
        rows = [
            (start + index, key, each.text, json.dumps(dict(each.metadata)))
            for index, (key, each) in enumerate(zip(ids.tolist(), found, strict=True))
        ]
        with self.database:
            self.database.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?)", rows)
            self.database.execute("UPDATE about SET rows = ?", (start + len(rows),))
        self._seen = None

    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        among = self.rows()
        scores, rows = self._nearest_rows(vectors, k, among)
        ids = among.ids[rows]
        ids[rows < 0] = -1
        return scores, ids

    def _count(self) -> int:
        if known := self._known():
            return known.live
        ((count,),) = self.database.execute("SELECT count(*) FROM texts")
        return int(count)

    def _delete(self, ids: Ids) -> None:
        lock_for_writing(self.url, self.lock)
        with self.database:
            keys = [(key,) for key in ids.tolist()]
            self.database.executemany("DELETE FROM texts WHERE id = ?", keys)
        self._seen = None

    def _get(self, ids: Sequence[int]) -> dict[int, Found]:
        found: dict[int, Found] = {}
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT id, text, metadata FROM texts WHERE id IN ({marks})"
            for key, text, metadata in self.database.execute(query, some):
                found[key] = Found(text, json.loads(metadata))
        return found

    def _close(self) -> None:
        self.database.close()
        self.lock.release()
        if self.temporary:
            self._seen = None
            self.temporary.cleanup()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if type(error) is sqlite3.DatabaseError:  # not one that passes, such as a full disk
                raise StoreError(
                    f"{self.url}: texts.sqlite is damaged ({error}). Put a copy of it back, or "
                    f"remove the folder and embed the texts again."
                ) from error
            raise StoreError(
                f"{self.url}: it cannot be read or written ({error}). What was added before is "
                f"kept."
            ) from error


def _held(file: Path) -> Identity | None:
    with closing(sqlite3.connect(file)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            return None
        return Identity(
            *database.execute("SELECT model, revision, dimension FROM about").fetchone()
        )
