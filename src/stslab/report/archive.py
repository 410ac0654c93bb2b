"""Zips whose bytes depend on nothing but the names and contents of the files in them."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from .writing import naming_file

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold, for every file
UNIX = 3  # wherever the zip is made, so that the permissions count
SCRIPTS = (".sh", ".command")  # files that can be started
ARCHIVES = (".whl", ".zip")  # files that compressing again would not make smaller


def write_zip(target: Path, files: Mapping[str, bytes | Path]) -> Path:
    """Write a zip; equal files give equal bytes.

    Parameters
    ----------
    target : Path
        The zip. It appears, or replaces an earlier one, once it is complete.
    files : mapping of str to bytes or Path
        Path in the zip → its content, or a file that holds it. A file is copied piece by piece,
        so it may be larger than memory. The zip has them in this order.

    Returns
    -------
    Path
        The zip.
    """
    partial = target.with_name(f".{target.name}")
    try:
        with naming_file(target), zipfile.ZipFile(partial, "w") as archive:
            for path, content in files.items():
                entry = _entry(path)
                if isinstance(content, bytes):
                    archive.writestr(entry, content)
                    continue
                entry.file_size = content.stat().st_size
                with content.open("rb") as source, archive.open(entry, "w") as stream:
                    shutil.copyfileobj(source, stream)
        return partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _entry(path: str) -> zipfile.ZipInfo:
    """Return what a zip says of a file: no time of its own, and whether it can be started."""
    entry = zipfile.ZipInfo(path, EARLIEST)
    entry.create_system = UNIX
    mode = 0o644
    if path.endswith(SCRIPTS):
        mode = 0o755
    entry.external_attr = (stat.S_IFREG | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    if path.endswith(ARCHIVES):
        entry.compress_type = zipfile.ZIP_STORED
    return entry
