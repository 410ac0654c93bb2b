"""A preset's folder: its pages, complete or not there, and the manifest that accounts for them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from ..identity import bytes_digest
from ..page.index import render_index, render_root_index
from ..request.presets import Preset
from ..request.values import RequestError
from .manifest import MANIFEST, Manifest, Page, own_file, read_manifest
from .place import check_place, relative_to_project

STAGING = ".staging"
LOCK = ".lock"


class ReportFolder:
    """Where a preset's pages are published; one build at a time holds it.

    Attributes
    ----------
    path : Path
    pages : dict of str to Page
        As in the manifest; those that the builder cannot have written count as never built.
    """

    def __init__(self, reports: Path, preset: Preset, root: Path) -> None:
        self.reports, self.preset, self.root = reports, preset, root
        self.path = reports / preset.name
        self.pages: dict[str, Page] = {}
        self._commit = functools.cache(lambda: _commit(root))

    @contextmanager
    def held(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Hold the folder for one build; wait, and say so, while another build holds it.

        Raises
        ------
        RequestError
            If the folder cannot be written, something is in the way of what it holds, or it holds
            the report of another file.
        """
        self._check_writable()
        self._check_free()
        lock = FileLock(self.path / LOCK)
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            notify(f"another build of {self.preset.name!r} is running: waiting for it")
            held = lock.acquire()
        with held:
            shutil.rmtree(self.path / STAGING, ignore_errors=True)  # a killed build's
            check_place(self.preset, self.reports, self.root)
            manifest = read_manifest(self.path)
            if manifest.problem:
                notify(f"{manifest.problem}. What cannot be used counts as never built.")
            self.pages = manifest.pages
            yield

    def _check_writable(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as probe:
                probe.write(b"stslab")
                probe.flush()
        except OSError as error:
            raise RequestError(
                f"reports folder {self.path}: cannot be written ({error.strerror}). Nothing was "
                f"built. Free it, or choose another with --reports."
            ) from error

    def _check_free(self) -> None:
        """Refuse a folder from elsewhere in which links lead our files to other places."""
        for name in (STAGING, "figures", "data"):
            if os.path.lexists(path := self.path / name) and (
                path.is_symlink() or not path.is_dir()
            ):
                raise RequestError(
                    f"{path} is in the way of a folder of this report. Rename or remove it."
                )
        for name in ("index.html", MANIFEST, LOCK):
            if (path := self.path / name).is_dir() or (name == LOCK and path.is_symlink()):
                raise RequestError(
                    f"{path} is in the way of a file of this report. Rename or remove it."
                )

    def damage(self, page: Page) -> list[str]:
        """Say which of a page's files are not as they were published."""
        found = []
        for name, digest in page.outputs.items():
            if not own_file(self.path, name):
                found.append(f"{name} is missing")
            elif bytes_digest((self.path / name).read_bytes()) != digest:
                found.append(f"{name} was changed by hand")
        return found

    def publish(self, name: str, page: Page, files: Mapping[str, bytes]) -> None:
        """Publish a page's files together with its account, all of them or none.

        Raises
        ------
        ValueError
            If a file would overwrite another page's.
        """
        for other, theirs in self.pages.items():
            taken = {path.casefold() for path in theirs.outputs} if other != name else set()
            if clash := [path for path in files if path.casefold() in taken]:
                raise ValueError(
                    f"{clash[0]} is a file of the page {other!r} already: two names, joined by a "
                    f"hyphen, are the same. Rename the figure or table, or one of the pages."
                )
        old = self.pages.get(name)
        page.outputs = {path: bytes_digest(content) for path, content in files.items()}
        failed = {f"{name}.failed.html", f"{name}.failed.ipynb"}
        self._replace({**self.pages, name: page}, files)
        self._remove({*(old.outputs if old else ()), *failed} - set(files))

    def publish_failure(self, name: str, page: Page, files: Mapping[str, bytes]) -> None:
        """Publish a failed notebook beside the last good page."""
        self.pages[name] = page  # also when the disk is full
        self._replace(self.pages, files)

    def forget_others(self) -> None:
        """Remove the pages that the preset no longer has."""
        for name in [name for name in self.pages if name not in self.preset.pages]:
            failed = {f"{name}.failed.html", f"{name}.failed.ipynb"}
            self._remove({*self.pages.pop(name).outputs, *failed})

    def write_indexes(self, notify: Callable[[str], None]) -> None:
        """Write the manifest, the list of the preset's pages, and the list of all presets."""
        listed = {name: self.pages[name] for name in self.preset.pages if name in self.pages}
        index = index_of(Manifest(self.preset.title, self.preset.description, listed), self.path)
        files = {"index.html": index.encode(), MANIFEST: self._manifest(self.pages)}
        _replace(self.path, {path: c for path, c in files.items() if _differs(self.path / path, c)})
        write_root_index(self.reports, notify)

    def _replace(self, pages: dict[str, Page], files: Mapping[str, bytes]) -> None:
        _replace(self.path, {**files, MANIFEST: self._manifest(pages)})
        self.pages = pages

    def _manifest(self, pages: Mapping[str, Page]) -> bytes:
        manifest = {
            "preset": self.preset.name,
            "source": relative_to_project(self.preset.path, self.root),
            "title": self.preset.title,
            "description": self.preset.description,
            "commit": self._commit(),
            "pages": {
                name: pages[name].model_dump(exclude_none=True)
                for name in self.preset.pages
                if name in pages
            },
        }
        return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if own_file(self.path, path):
                (self.path / path).unlink()


def index_of(manifest: Manifest, folder: Path, *, root_href: str | None = "../index.html") -> str:
    """Render the list of a preset's pages.

    Parameters
    ----------
    manifest : Manifest
    folder : Path
        The preset's.
    root_href : str or None
        Where the list of all presets is.
    """
    entries = []
    for name, page in manifest.pages.items():
        html, failed = f"{name}.html", f"{name}.failed.html"
        entries.append(
            {
                "title": page.title,
                "href": quote(html) if page.outputs and own_file(folder, html) else None,
                "finding": page.finding,
                "status": "stale" if page.status == "out of date" else page.status,
                "reason": page.error,
                "failed_href": f"{quote(failed)}#failing-cell"
                if own_file(folder, failed)
                else None,
                "thumbnail": page.thumbnail,
            }
        )
    return render_index(manifest.title, entries, root_href=root_href, about=manifest.description)


def write_root_index(reports: Path, notify: Callable[[str], None]) -> None:
    """Write the page that lists all presets built."""
    path = reports / "index.html"
    if path.is_dir():
        notify(f"{path} is in the way of the list of all reports. Rename or remove it.")
        return
    with FileLock(reports / LOCK):  # builds of two presets may end at the same time
        entries = []
        for folder in sorted(each.parent for each in reports.glob(f"*/{MANIFEST}")):
            manifest = read_manifest(folder)
            bad = sum(page.status != "built" for page in manifest.pages.values())
            count = f"{len(manifest.pages)} page{'s' * (len(manifest.pages) != 1)}"
            there = own_file(folder, "index.html")
            entries.append(
                {
                    "title": manifest.title,
                    "href": f"{quote(folder.name)}/index.html" if there else None,
                    "finding": count + (f", {bad} not up to date" if bad else ""),
                    "status": "stale" if bad else "built",
                }
            )
        index = render_root_index(entries).encode()
        if _differs(path, index):
            _replace(reports, {"index.html": index})


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files before the first is renamed into place: a full disk changes nothing."""
    staging = folder / STAGING
    try:
        for path, content in files.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).write_bytes(content)
            (folder / path).parent.mkdir(exist_ok=True)
        for path in files:
            (staging / path).replace(folder / path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _differs(path: Path, content: bytes) -> bool:
    return path.is_symlink() or not path.is_file() or path.read_bytes() != content


def _commit(root: Path) -> str | None:
    """Name the commit that the project is at; a fact for the manifest, no dependency."""
    with suppress(OSError):
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip() or None
    return None
