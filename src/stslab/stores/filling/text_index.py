"""An index of texts by their content."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence

MOST_KEYS = 100  # keys of one text: of texts that repeat endlessly, that many are choice enough


class TextIndex:
    """Digests of texts with a key each, in a temporary file that is gone when it is closed.

    Two texts may share a digest, so what is found must be compared with the text itself.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(
            "CREATE TABLE keys (digest INTEGER, key INTEGER, PRIMARY KEY (digest, key)) "
            "WITHOUT ROWID"
        )

    def add(self, texts: Iterable[str], keys: Iterable[int]) -> None:
        """Add texts with their keys."""
        rows = zip(map(_digest, texts), keys, strict=True)
        self._database.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", rows)

    def find(self, texts: Sequence[str]) -> dict[str, list[int]]:
        """Return the keys under which a text may lie, the highest first; none for a new one."""
        query = f"SELECT key FROM keys WHERE digest = ? ORDER BY key DESC LIMIT {MOST_KEYS}"
        keys = {}
        for text in dict.fromkeys(texts):
            rows = self._database.execute(query, (_digest(text),)).fetchall()
            if rows:
                keys[text] = [key for (key,) in rows]
        return keys

    def close(self) -> None:
        """Remove the temporary file."""
        self._database.close()


def _digest(text: str) -> int:
    octets = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(octets, "big", signed=True)
