"""Which folder a request's report goes into: never that of another file's report."""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from pathlib import Path

from ..messages import RequestError, shown
from ..request.names import safe_stem
from ..request.presets import Preset
from .manifest import read_manifest


def place(preset: Preset, reports: Path, root: Path) -> Preset:
    """Name a request's report so that it replaces no report of another file.

    A second file ``my.txt`` is reported in ``my-<its folder>``, a ``my.csv`` beside the first in
    ``my-csv``. A file keeps the folder it has. A preset's report is found by the preset's name, so
    it gets no other.
    """
    file, name = _absolute(preset.path), preset.name
    by_folder, by_ending = (safe_stem(f"{name}-{w}.x") for w in (file.parent.name, file.suffix[1:]))
    names = [name] if _is_preset(file) else [name, by_folder, by_ending]
    sources = {each: _source_of(reports / each, root) for each in names}
    first, may_have = sources[name], [name]
    if first and not _is_preset(file) and not _is_preset(first):
        may_have.append(by_ending if first.parent == file.parent else by_folder)
    has = [each for each, source in sources.items() if _is_same(source, file)]
    free = [each for each in may_have if sources[each] is None]
    if not has and not free:
        raise _taken(file, {reports / each: sources[each] for each in may_have}, root)
    chosen = [*has, *free][0]
    title = chosen if preset.title == name else preset.title
    return dataclasses.replace(preset, name=chosen, title=title)


def check_place(preset: Preset, reports: Path, root: Path) -> None:
    """Refuse a folder that holds the report of another file."""
    folder, file = reports / preset.name, _absolute(preset.path)
    if (source := _source_of(folder, root)) and not _is_same(source, file):
        raise _taken(file, {folder: source}, root)


def relative_to_project(file: Path, root: Path) -> str:
    """Give a file's path as a manifest holds it: a copy of the project finds its own."""
    try:
        return Path(os.path.relpath(file, root.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return file.as_posix()


def _source_of(folder: Path, root: Path) -> Path | None:
    """Find the file that a folder's report was built from; None if it is gone, or not stated."""
    source = read_manifest(folder).source
    # What `relative_to_project` writes is relative; an address of another machine is absolute.
    if source and not Path(source).is_absolute():
        with suppress(OSError, ValueError):
            path = _absolute(root.resolve() / source)
            return path if path.is_file() else None
    return None


def _taken(file: Path, sources: dict[Path, Path | None], root: Path) -> RequestError:
    held = [
        f"{folder} holds that of {shown(relative_to_project(source, root))}"
        for folder, source in sources.items()
        if source
    ]
    return RequestError(
        f"no folder for the report of {shown(relative_to_project(file, root))}: "
        f"{', '.join(held)}. Rename {shown(file.name)}, or move a folder away."
    )


def _is_preset(file: Path) -> bool:
    return file.suffix in (".yaml", ".yml")


def _is_same(source: Path | None, file: Path) -> bool:
    return source is not None and file.exists() and source.samefile(file)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.absolute keeps "..", which names nothing)
