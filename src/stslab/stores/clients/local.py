"""A store in a folder of its own: a file of vectors, and SQLite for everything else.

``vectors.f32`` holds the vectors one after another, as float32; they are only ever appended.
``texts.sqlite`` holds the texts, and the id of the text that each row of vectors is of. A batch
counts once SQLite has committed it, so a kill or a full disk loses that batch alone; the vectors
behind the last committed row are overwritten. A deleted or replaced text leaves a hole, a row that
is skipped. When a file has been embedded again, and more than a tenth of the rows are holes, the
others are copied to a new file, ``vectors-1.f32`` and so on, which counts once SQLite has committed
its number.

Data are checked when they are first used: texts one by one, vectors in blocks.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock

from ...models.encoding import Embeddings
from ..store import Identity, Ids, Store, StoredText, StoreError, check_identity, lock_for_writing
from . import layout
from .checksums import checksum, on_threads
from .layout import HOLE, Block, Damaged, State

AT_ONCE = 10_000  # ids in one question to SQLite
HOLES = 10  # a store is compacted when it has more than one hole for so many texts
BLOCK = 4096  # vectors that share a checksum, at most
TEXT = "id, place, text, metadata, checksum"


class Rows(NamedTuple):
    """The rows of a store's file of vectors."""

    vectors: Embeddings  # on disk
    ids: Ids  # of each row; negative for a row that is not searched
    live: int  # rows that are searched
    generation: int  # of the file
    blocks: list[Block]


class LocalStore(Store):
    """Texts in SQLite, vectors in a file; an adapter searches its rows.

    Without a folder it is a temporary one, removed when the store is closed.
    """

    def __init__(self, url: str, folder: str, requested: Identity | None) -> None:
        self.url = url
        self.temporary = None
        if not folder:
            self.temporary = tempfile.TemporaryDirectory(prefix="stslab-")
            folder = self.temporary.name
        self.folder = Path(folder)
        self.lock = FileLock(self.folder / "writer.lock")
        self._seen: Rows | None = None
        self._version = -1
        self._checked = (0, 0)  # generation of the vectors, and how many rows of it were checked
        self._is_writing = False
        with self._reached():
            self._open(self.folder / "texts.sqlite", requested)

    def _open(self, file: Path, requested: Identity | None) -> None:
        if not file.is_file():
            if os.path.lexists(file):
                raise Damaged("it is no file")
            self.identity = check_identity(self.url, None, requested)
            self.folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(file)
        try:
            self.database.text_factory = bytes  # texts are decoded once their checksum was compared
            self.database.execute("PRAGMA trusted_schema = OFF")
            stored_identity = None
            if layout.has_tables(self.database):
                stored_identity, _ = layout.read_about(self.database)
            elif self.vectors_file(0).exists():
                raise Damaged("it is empty, and there are vectors")
            self.identity = check_identity(self.url, stored_identity, requested)
            if stored_identity is None:
                self._create()
        except BaseException:
            self.database.close()
            raise

    def _create(self) -> None:
        with self.database:
            self.database.execute("BEGIN IMMEDIATE")  # all of it, or nothing; one process at a time
            if not layout.has_tables(self.database):  # another process may have been faster
                layout.created(self.database)
                layout.write_about(self.database, self.identity, State(0, 0, 0))

    @abstractmethod
    def _nearest_rows(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        """Return cosines and rows of each vector's k nearest, shape (n, k); row -1 if missing."""

    # Reading

    def rows(self) -> Rows:
        """Return the rows of the store; they are read again if another process wrote."""
        current = self._current_rows()
        if current is not None:
            return current
        with self._snapshot():
            state = self.state()
            blocks = layout.read_blocks(self.database, "ORDER BY first")
            vectors = self._vectors(state)
        ids = np.concatenate([np.empty(0, np.int64), *(block.ids for block in blocks)])
        starts = np.cumsum([0, *(len(block.ids) for block in blocks)]).tolist()
        if [block.first for block in blocks] != starts[:-1] or len(ids) != state.rows:
            raise Damaged(f"its blocks do not add up to {state.rows:,} rows")
        live = ids[ids != HOLE]
        is_negative = bool((live < 0).any())
        if len(live) != state.texts or is_negative or not _are_different(live):
            raise Damaged(f"its rows are not those of {state.texts:,} texts")
        self._seen = Rows(vectors, ids, len(live), state.generation, blocks)
        return self._seen

    def check_vectors(self, among: Rows) -> None:
        """Raise Damaged if vectors are not as they were written; each is checked once."""
        generation, checked_rows = self._checked
        if generation != among.generation:
            checked_rows = 0
        blocks = [block for block in among.blocks if block.first >= checked_rows]
        if not blocks:
            return

        def fault(block: Block) -> str | None:
            vectors = among.vectors[block.first : block.first + len(block.ids)]
            if checksum(vectors) != block.vectors:
                return f"the vectors from row {block.first:,} do not match their checksum"
            squares = np.einsum("ij,ij->i", vectors, vectors)
            if not ((np.abs(squares - 1) < 1e-3) | (squares == 0)).all():
                return f"one of the vectors from row {block.first:,} has not the length 1"
            return None

        for problem in on_threads(fault, blocks):
            if problem:
                raise self.damaged(problem, self.vectors_file(among.generation).name)
        self._checked = (among.generation, len(among.ids))

    def state(self) -> State:
        """Read how far the store has been written."""
        return layout.read_about(self.database)[1]

    def vectors_file(self, generation: int) -> Path:
        """Return the path of the file of vectors."""
        if generation == 0:
            return self.folder / "vectors.f32"
        return self.folder / f"vectors-{generation}.f32"

    def damaged(self, problem: str, file: str = "texts.sqlite") -> StoreError:
        """Return the error that a file is damaged, with what to do."""
        return StoreError(
            f"{self.url}: {file} is damaged ({problem}). Put a copy of it back, or remove the "
            f"folder and embed the texts again."
        )

    def _current_rows(self) -> Rows | None:
        """Return the rows that were read, None if there are none or another process has written."""
        ((version,),) = self.database.execute("PRAGMA data_version")
        if version != self._version:
            self._version, self._seen = version, None
        return self._seen

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read within one transaction, so that all queries see the same state."""
        if self.database.in_transaction:
            yield
            return
        self.database.execute("BEGIN")
        try:
            yield
        finally:
            self.database.rollback()

    def _vectors(self, state: State) -> Embeddings:
        file = self.vectors_file(state.generation)
        shape = (state.rows, self.identity.dimension)
        if not state.rows:
            return np.empty(shape, np.float32)
        if not file.is_file() or file.stat().st_size < 4 * shape[0] * shape[1]:
            raise StoreError(
                f"{self.url}: {file.name} is damaged: it holds fewer than {state.rows:,} vectors. "
                f"Remove the folder, and embed the texts again."
            )
        return np.memmap(file, np.float32, mode="r", shape=shape)

    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        among = self.rows()
        scores, rows = self._nearest_rows(vectors, k, among)
        ids = among.ids[rows]
        ids[rows < 0] = -1
        return scores, ids

    def _count(self) -> int:
        return self.state().texts

    def _get(self, ids: Sequence[int]) -> dict[int, StoredText]:
        with self._snapshot():
            rows = list(self.texts(ids))
            current = self._current_rows()
            if current is not None:
                for key, place, _ in rows:
                    if place >= len(current.ids) or current.ids[place] != key:
                        raise Damaged(f"the text with the id {key} is not the one of row {place:,}")
            texts = {key: stored_text for key, _, stored_text in rows}
            missing = [key for key in ids if key >= 0 and key not in texts]
            if missing and np.isin(self.rows().ids, missing).any():
                raise Damaged("a text is missing")
        return texts

    def stored(self, ids: Sequence[int]) -> dict[int, tuple[str, Embeddings]]:
        """Look up the texts with these ids, each with its vector of length 1."""
        with self._reached():
            texts = list(self.texts(ids))
            if not texts:
                return {}
            among = self.rows()
            self.check_vectors(among)
            return {
                key: (stored_text.text, np.array(among.vectors[place]))
                for key, place, stored_text in texts
            }

    def texts(self, ids: Sequence[int]) -> Iterator[tuple[int, int, StoredText]]:
        """Yield the id, the row, and the text with its metadata, for the ids in the store."""
        for start in range(0, len(ids), AT_ONCE):
            batch = ids[start : start + AT_ONCE]
            marks = ", ".join("?" for _ in batch)
            query = f"SELECT {TEXT} FROM texts WHERE id IN ({marks})"
            yield from map(layout.read_text, self.database.execute(query, batch).fetchall())

    # Writing

    def begin_writing(self) -> State:
        """Lock the store for writing; return its state."""
        lock_for_writing(self.url, self.lock)
        state = self.state()
        if not self._is_writing:
            ((count,),) = self.database.execute("SELECT count(*) FROM texts")
            if count != state.texts:
                raise Damaged(f"it holds {count:,} texts instead of {state.texts:,}")
            self._remove_old_vectors(state.generation)
            self._is_writing = True
        return state

    def write_vectors(self, file: Path, start: int, vectors: Embeddings, ids: Ids) -> list[Block]:
        """Write vectors to rows that do not count yet; return their blocks, to be inserted."""
        if file.is_symlink():
            raise self.damaged("it is a link, and nothing is written elsewhere", file.name)
        file.touch()
        with file.open("r+b") as stream:
            stream.seek(4 * start * self.identity.dimension)
            stream.write(vectors.tobytes())
            stream.flush()
            os.fsync(stream.fileno())  # before SQLite says that they are there
        return [
            Block(
                start + first, ids[first : first + BLOCK], checksum(vectors[first : first + BLOCK])
            )
            for first in range(0, len(ids), BLOCK)
        ]

    def insert(self, records: Sequence[tuple[Any, ...]], blocks: Sequence[Block]) -> None:
        """Insert texts and blocks, in the transaction that is open."""
        self.database.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?)", records)
        self.database.executemany(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)", map(layout.block_record, blocks)
        )

    def write_state(self, state: State) -> None:
        """Write the state of the store, in the transaction that is open."""
        layout.write_about(self.database, self.identity, state)
        self._seen = None

    def take_out(self, ids: Sequence[int]) -> int:
        """Delete texts, in the transaction that is open; return how many there were."""
        places = self.places(ids)
        self._mark_holes({place: key for key, place in places.items()})
        self.database.executemany("DELETE FROM texts WHERE id = ?", ((key,) for key in places))
        return len(places)

    def places(self, ids: Sequence[int]) -> dict[int, int]:
        """Return the row of each text, by id, for the ids in the store."""
        places: dict[int, int] = {}
        for start in range(0, len(ids), AT_ONCE):
            batch = ids[start : start + AT_ONCE]
            marks = ", ".join("?" for _ in batch)
            query = f"SELECT id, place FROM texts WHERE id IN ({marks})"
            places |= self.database.execute(query, batch).fetchall()
        return places

    def _mark_holes(self, ids: dict[int, int]) -> None:
        """Mark rows whose text is deleted; `ids` are the ids that they have, by row."""
        waiting = sorted(ids)
        while waiting:
            query = "WHERE first <= ? ORDER BY first DESC LIMIT 1"
            blocks = layout.read_blocks(self.database, query, (waiting[0],))
            inside = []
            if blocks:
                block = blocks[0]
                end = block.first + len(block.ids)
                inside = [place for place in waiting if place < end]
            if not inside:
                raise Damaged(f"there is no row {waiting[0]:,}")
            for place in inside:
                if block.ids[place - block.first] != ids[place]:
                    raise Damaged(
                        f"the text with the id {ids[place]} is not the one of row {place:,}"
                    )
                block.ids[place - block.first] = HOLE
            self.database.execute(
                "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)", layout.block_record(block)
            )
            waiting = waiting[len(inside) :]

    def _add(self, ids: Ids, vectors: Embeddings, texts: Sequence[StoredText]) -> None:
        state = self.begin_writing()
        file = self.vectors_file(state.generation)
        blocks = self.write_vectors(file, state.rows, vectors, ids)
        records = [
            layout.text_record(key, place, text)
            for place, (key, text) in enumerate(zip(ids.tolist(), texts, strict=True), state.rows)
        ]
        with self.database:
            replaced = 0
            if state.texts:
                replaced = self.take_out(ids.tolist())
            self.insert(records, blocks)
            count = state.texts - replaced + len(ids)
            self.write_state(State(state.generation, state.rows + len(ids), count))

    def _delete(self, ids: Ids) -> None:
        state = self.begin_writing()
        with self.database:
            deleted = self.take_out(ids.tolist())
            self.write_state(state._replace(texts=state.texts - deleted))

    def unused_bytes(self) -> int:
        """Return how many bytes deleted texts have left unused."""
        with self._reached():
            state = self.state()
        return 4 * self.identity.dimension * (state.rows - state.texts)

    def reclaim(self) -> None:
        """Compact the store if it has more than one hole for ten texts."""
        with self._reached():
            state = self.state()
            if HOLES * (state.rows - state.texts) > state.texts:
                self.compact()

    def compact(self) -> None:
        """Copy the vectors that are searched to a new file, without holes.

        Until SQLite has committed the new rows the old file counts, and after that the new one: a
        kill in between leaves an unused file, which the next process that writes removes.
        """
        state = self.begin_writing()
        among = self.rows()
        self.check_vectors(among)
        places = np.flatnonzero(among.ids >= 0)
        file = self.vectors_file(state.generation + 1)
        blocks: list[Block] = []
        for start in range(0, len(places), BLOCK):
            batch = places[start : start + BLOCK]
            blocks += self.write_vectors(file, start, among.vectors[batch], among.ids[batch])
        with self.database:
            self.database.execute("DELETE FROM blocks")
            self.insert([], blocks)
            for start in range(0, len(places), BLOCK):
                self._move_texts(among.ids[places[start : start + BLOCK]].tolist(), start)
            self.write_state(State(state.generation + 1, len(places), state.texts))
        self._remove_old_vectors(state.generation + 1)

    def _move_texts(self, ids: list[int], start: int) -> None:
        """Record that texts have the rows from `start` on."""
        texts = {key: stored_text for key, _, stored_text in self.texts(ids)}
        if len(texts) < len(ids):
            raise Damaged("a text is missing")
        self.database.executemany(
            "INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?)",
            [layout.text_record(key, place, texts[key]) for place, key in enumerate(ids, start)],
        )

    def _remove_old_vectors(self, generation: int) -> None:
        current = self.vectors_file(generation)
        for file in self.folder.glob("vectors*.f32"):
            if file != current:
                with suppress(OSError):  # Windows keeps a file that another process reads
                    file.unlink()

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
        except Damaged as error:
            raise self.damaged(str(error)) from None
        except (OSError, OverflowError, sqlite3.Error) as error:
            if type(error) is sqlite3.DatabaseError:  # not one that passes, such as a full disk
                raise self.damaged(str(error)) from error
            raise StoreError(
                f"{self.url}: it cannot be read or written ({error}). What was added before is "
                f"kept."
            ) from error


def _are_different(ids: Ids) -> bool:
    steps = np.diff(ids)
    return bool((steps > 0).all()) or len(np.unique(ids)) == len(ids)
