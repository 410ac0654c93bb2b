"""archive.py: zips that depend on nothing but what is in them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from stslab.report.archive import write_zip


def test_equal_files_give_equal_zips(tmp_path: Path) -> None:
    """Whether a content is in memory or in a file, and whenever that file was changed."""
    (tmp_path / "b.txt").write_bytes(b"two")
    os.utime(tmp_path / "b.txt", (0, 10**9))
    first = write_zip(tmp_path / "first.zip", {"a.txt": b"one", "b.txt": tmp_path / "b.txt"})
    os.utime(tmp_path / "b.txt", (0, 2 * 10**9))
    second = write_zip(tmp_path / "second.zip", {"a.txt": b"one", "b.txt": tmp_path / "b.txt"})
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == [
            ("a.txt", b"one"),
            ("b.txt", b"two"),
        ]


def test_scripts_can_be_started_and_archives_are_not_compressed_again(tmp_path: Path) -> None:
    files = {"start.sh": b"#!/bin/sh\n" * 9, "a.whl": b"wheel" * 9, "a.txt": b"text" * 9}
    with zipfile.ZipFile(write_zip(tmp_path / "a.zip", files)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
    modes = {name: entry.external_attr >> 16 & 0o777 for name, entry in entries.items()}
    assert modes == {"start.sh": 0o755, "a.whl": 0o644, "a.txt": 0o644}
    stored = {name for name, entry in entries.items() if entry.compress_type == zipfile.ZIP_STORED}
    assert stored == {"a.whl"}


def test_a_zip_that_cannot_be_finished_leaves_the_earlier_one(tmp_path: Path) -> None:
    target = write_zip(tmp_path / "a.zip", {"a.txt": b"one"})
    before = target.read_bytes()
    with pytest.raises(FileNotFoundError):
        write_zip(target, {"a.txt": b"two", "b.txt": tmp_path / "missing.txt"})
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
