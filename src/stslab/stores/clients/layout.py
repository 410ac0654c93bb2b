"""The layout of a store's SQLite file, and the checks that a file has it.

A store may come from a stranger, or have been damaged. So nothing in it is queried before its
schema is known to be ours, and no value is used before its type, its range and its checksum are
verified. Checksums are against damage; someone who forges a store can forge them too, and gets at
most the answers that a store of other texts would give.
"""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from typing import Any, NamedTuple

import numpy as np

from ..store import Identity, Ids, Metadata, StoredText, is_published_name

SCHEMA = """
CREATE TABLE about (
    model TEXT, revision TEXT, dimension INTEGER,
    generation INTEGER, rows INTEGER, texts INTEGER, checksum INTEGER
);
CREATE TABLE blocks (first INTEGER PRIMARY KEY, ids BLOB, vectors INTEGER, checksum INTEGER);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY, place INTEGER, text TEXT, metadata TEXT, checksum INTEGER
);
"""
HOLE = -1  # the id of a row whose text was deleted
MOST_DIMENSIONS = 2**20


class Damaged(Exception):
    """Something in a store is not as stslab wrote it."""


class State(NamedTuple):
    """The number of a store's rows and texts, and the file that they are in."""

    generation: int  # of the file of vectors: each compaction writes another one
    rows: int  # in the file of vectors
    texts: int  # that can be searched; the other rows are holes


class Block(NamedTuple):
    """Rows that were written together."""

    first: int  # its first row
    ids: Ids  # of the text of each row, or HOLE
    vectors: int  # checksum of its vectors


def created(database: sqlite3.Connection) -> None:
    """Create the tables, in the transaction that is open."""
    for statement in _statements():
        database.execute(statement)


def has_tables(database: sqlite3.Connection) -> bool:
    """Return whether the tables are there; raise Damaged for any other ones.

    A view of the same name could keep SQLite busy for ever, in one step that no signal ends, and a
    trigger could change what is written.
    """
    schema = database.execute("SELECT type, sql FROM sqlite_master LIMIT 9").fetchall()
    if not schema:
        return False
    if sorted(schema) != sorted((b"table", statement.encode()) for statement in _statements()):
        raise Damaged(
            "its tables are not those of this version of stslab: another version wrote it, or "
            "another program"
        )
    return True


def _statements() -> list[str]:
    return [statement.strip() for statement in SCHEMA.split(";") if statement.strip()]


# The model that the store was built with, and its state


def write_about(database: sqlite3.Connection, identity: Identity, state: State) -> None:
    """Replace the one row of `about`."""
    values = (*identity, *state)
    database.execute("DELETE FROM about")
    database.execute(
        "INSERT INTO about VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, _checksum_about(values))
    )


def read_about(database: sqlite3.Connection) -> tuple[Identity, State]:
    """Read the one row of `about`."""
    rows = database.execute("SELECT * FROM about LIMIT 2").fetchall()
    if len(rows) != 1:
        raise Damaged(f"it says {len(rows)} times what it holds, instead of once")
    model, revision, *numbers, checksum = rows[0]
    texts_are_texts = isinstance(model, bytes) and isinstance(revision, bytes)
    if not texts_are_texts or not all(isinstance(number, int) for number in numbers):
        raise Damaged("what it says about itself has the wrong type")
    try:
        identity = Identity(model.decode(), revision.decode(), numbers[0])
    except UnicodeDecodeError:
        raise Damaged("the name of its model is no text") from None
    state = State(*numbers[1:])
    if checksum != _checksum_about((*identity, *state)):
        raise Damaged("what it says about itself does not match its checksum")
    if not 1 <= identity.dimension <= MOST_DIMENSIONS:
        raise Damaged(f"its vectors have {identity.dimension} dimensions")
    if min(state) < 0 or state.texts > state.rows:
        raise Damaged(f"it holds {state.texts} texts in {state.rows} rows")
    if not is_published_name(identity.model):
        raise Damaged(f"its model's name {identity.model[:60]!a} is none that stslab writes")
    return identity, state


def _checksum_about(values: tuple[Any, ...]) -> int:
    return zlib.crc32("\n".join(map(str, values)).encode("utf-8", "surrogatepass"))


# Blocks of rows


def block_record(block: Block) -> tuple[int, bytes, int, int]:
    """Return the values of a row of `blocks`."""
    ids = block.ids.astype("<i8").tobytes()
    return block.first, ids, block.vectors, _checksum_block(block.first, ids, block.vectors)


def read_blocks(
    database: sqlite3.Connection, condition: str = "", values: tuple[int, ...] = ()
) -> list[Block]:
    """Read blocks in the order of their rows."""
    query = f"SELECT first, ids, vectors, checksum FROM blocks {condition}"
    blocks = []
    for first, ids, vectors, checksum in database.execute(query, values):
        types_are_right = isinstance(vectors, int) and isinstance(ids, bytes)
        if not types_are_right or not ids or len(ids) % 8:
            raise Damaged(f"the block at row {first} has the wrong type")
        if checksum != _checksum_block(first, ids, vectors):
            raise Damaged(f"the block at row {first} does not match its checksum")
        blocks.append(Block(first, np.frombuffer(ids, "<i8").astype(np.int64), vectors))
    return blocks


def _checksum_block(first: int, ids: bytes, vectors: int) -> int:
    return zlib.crc32(ids, zlib.crc32(b"%d %d" % (first, vectors)))


# Texts


def text_record(key: int, place: int, stored: StoredText) -> tuple[int, int, str, str, int]:
    """Return the values of a row of `texts`."""
    metadata = json.dumps(dict(stored.metadata))
    checksum = _checksum_text(key, place, stored.text.encode(), metadata.encode())
    return key, place, stored.text, metadata, checksum


def read_text(row: tuple[Any, ...]) -> tuple[int, int, StoredText]:
    """Check a row of `texts`; return its id, its place and its text with the metadata."""
    key, place, text, metadata, checksum = row
    are_bytes = isinstance(text, bytes) and isinstance(metadata, bytes)
    if not are_bytes or not isinstance(place, int) or place < 0:
        raise Damaged(f"the text with the id {key} has the wrong type")
    if checksum != _checksum_text(key, place, text, metadata):
        raise Damaged(f"the text with the id {key} does not match its checksum")
    try:
        return key, place, StoredText(text.decode(), _flat(json.loads(metadata)))
    except (ValueError, RecursionError):  # no JSON, a number of too many digits, or no UTF-8
        raise Damaged(f"the metadata of the text with the id {key} cannot be read") from None


def _flat(metadata: Any) -> Metadata:
    """Return metadata; raise ValueError if they are no texts, numbers and truth values."""
    if not isinstance(metadata, dict):
        raise ValueError
    for value in metadata.values():
        is_finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, str | int | float) or not is_finite:
            raise ValueError
    return metadata


def _checksum_text(key: int, place: int, text: bytes, metadata: bytes) -> int:
    start = zlib.crc32(b"%d %d %d" % (key, place, len(text)))
    return zlib.crc32(metadata, zlib.crc32(text, start))
