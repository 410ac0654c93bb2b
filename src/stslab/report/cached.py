"""The cache of embeddings, seen from a command: what is in it, and whether it is well.

A kernel says nothing of it, because its words would land in a page.
"""

from __future__ import annotations

import sqlite3

from stslab.models.cache import cache_file, mend, opened, tried


def cache_size() -> tuple[int, int]:
    """Count what is kept: embeddings, and bytes on disk."""
    file = cache_file()
    if file is None or not file.exists():
        return 0, 0
    count = "SELECT count(*) FROM embeddings"
    counted = tried(file, lambda database: database.execute(count).fetchone())
    return counted[0] if counted else 0, file.stat().st_size


def check_cache() -> str | None:
    """Start a damaged cache anew; say for a person what is wrong with it, if anything is."""
    file = cache_file()
    if file is None or not file.exists():
        return None
    try:
        with opened(file):
            return None
    except (OSError, sqlite3.DatabaseError) as error:
        if why := mend(file, error):
            return f"the cache {file} cannot be used now ({why}). Texts are encoded without it."
        state = "damaged or made by another version of stslab"
        return f"the cache {file} was {state}. It was started anew."
