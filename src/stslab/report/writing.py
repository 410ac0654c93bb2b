"""Files that are written, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Name a file, or the folder of several, in an error that names none.

    Of a full disk a write says so without a path; opening a file says which.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
