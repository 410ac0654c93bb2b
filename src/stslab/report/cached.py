"""The size and the state of the cache of embeddings, for a command to report.

A kernel does not report them, because its output would become part of a page.
"""

from __future__ import annotations

import sqlite3

from stslab.models.cache import cache_file, connect, query, recover


def cache_size() -> tuple[int, int]:
    """Return the number of embeddings and of bytes on disk."""
    file = cache_file()
    if file is None or not file.exists():
        return 0, 0
    count = "SELECT count(*) FROM embeddings"
    row = query(file, lambda database: database.execute(count).fetchone())
    embeddings = 0
    if row is not None:
        embeddings = row[0]
    return embeddings, file.stat().st_size


def check_cache() -> str | None:
    """Replace a damaged cache by an empty one; return a message if there is a problem."""
    file = cache_file()
    if file is None or not file.exists():
        return None
    try:
        with connect(file):
            return None
    except (OSError, sqlite3.DatabaseError) as error:
        reason = recover(file, error)
        if reason is not None:
            return f"the cache {file} cannot be used now ({reason}). Texts are encoded without it."
        state = "damaged or made by another version of stslab"
        return f"the cache {file} was {state}. It was started anew."
