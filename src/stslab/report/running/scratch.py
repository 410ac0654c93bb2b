"""Folders for running notebooks, removed afterwards even if the process is killed meanwhile."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "stslab-"
LOCK = ".in-use"  # held while the folder is in use; the system frees it when we are killed
SETTLING = 10  # seconds in which a new folder's lock may not be held yet


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder for a while, and remove those that killed processes left."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError, Timeout):  # someone else's, or in use
            if time.time() - lock.stat().st_mtime > SETTLING:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent, ignore_errors=True)
    temporary = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    with temporary as folder, FileLock(Path(folder) / LOCK):
        yield Path(folder)
