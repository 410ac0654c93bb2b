"""Which folder a request's report goes into: never that of another file's report."""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from pathlib import Path

from ..messages import RequestError, short_repr
from ..request.names import safe_stem
from ..request.presets import Preset
from .manifest import read_manifest


def place(preset: Preset, reports: Path, root: Path) -> Preset:
    """Return a request with a report name that replaces no report of another file.

    A second file ``my.txt`` is reported in ``my-<its folder>``, a ``my.csv`` beside the first in
    ``my-csv``. A file keeps the folder it has. A preset's report is found by the preset's name, so
    it gets no other.
    """
    file, name = _absolute(preset.path), preset.name
    by_folder = safe_stem(f"{name}-{file.parent.name}.x")
    by_ending = safe_stem(f"{name}-{file.suffix[1:]}.x")
    names = [name]
    if not _is_preset(file):
        names += [by_folder, by_ending]
    sources = {candidate: _source_of(reports / candidate, root) for candidate in names}
    candidates = [name]
    first_source = sources[name]
    if first_source and not _is_preset(file) and not _is_preset(first_source):
        if first_source.parent == file.parent:
            candidates.append(by_ending)
        else:
            candidates.append(by_folder)
    existing = [candidate for candidate, source in sources.items() if _is_same(source, file)]
    free = [candidate for candidate in candidates if sources[candidate] is None]
    if not existing and not free:
        folders = {reports / candidate: sources[candidate] for candidate in candidates}
        raise _no_folder(file, folders, root)
    report_name = [*existing, *free][0]
    title = preset.title
    if title == name:
        title = report_name
    return dataclasses.replace(preset, name=report_name, title=title)


def check_place(preset: Preset, reports: Path, root: Path) -> None:
    """Raise RequestError if a folder holds the report of another file."""
    folder, file = reports / preset.name, _absolute(preset.path)
    source = _source_of(folder, root)
    if source is not None and not _is_same(source, file):
        raise _no_folder(file, {folder: source}, root)


def relative_to_project(file: Path, root: Path) -> str:
    """Return a file's path as a manifest holds it: the same in each copy of the project."""
    try:
        return Path(os.path.relpath(file, root.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return file.as_posix()


def _source_of(folder: Path, root: Path) -> Path | None:
    """Return the file that a folder's report was built from; None if it is gone or not stated."""
    source = read_manifest(folder).source
    # What `relative_to_project` writes is relative; an address of another machine is absolute.
    if source and not Path(source).is_absolute():
        with suppress(OSError, ValueError):
            path = _absolute(root.resolve() / source)
            if path.is_file():
                return path
    return None


def _no_folder(file: Path, sources: dict[Path, Path | None], root: Path) -> RequestError:
    """Return the error that names the folders which hold reports of other files."""
    occupied = [
        f"{folder} holds that of {short_repr(relative_to_project(source, root))}"
        for folder, source in sources.items()
        if source
    ]
    return RequestError(
        f"no folder for the report of {short_repr(relative_to_project(file, root))}: "
        f"{', '.join(occupied)}. Rename {short_repr(file.name)}, or move a folder away."
    )


def _is_preset(file: Path) -> bool:
    return file.suffix in (".yaml", ".yml")


def _is_same(source: Path | None, file: Path) -> bool:
    return source is not None and file.exists() and source.samefile(file)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.absolute keeps "..", which names nothing)
