"""A preset's folder: its pages, complete or not there, and the manifest that accounts for them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout

from ..identity import bytes_digest
from ..messages import RequestError
from ..page.index import render_index, render_root_index
from ..request.presets import Preset
from ..writing import naming_file
from .manifest import MANIFEST, Manifest, Page, own_file, read_manifest
from .place import check_place, relative_to_project

STAGING = ".staging"
LOCK = ".lock"


class ReportFolder:
    """Where a preset's pages are published; one build at a time holds it.

    `pages` are those of the manifest; what the builder cannot have written counts as never built.
    """

    def __init__(self, reports: Path, preset: Preset, root: Path) -> None:
        self.reports, self.preset, self.root = reports, preset, root
        self.path = reports / preset.name
        self.pages: dict[str, Page] = {}

    @contextmanager
    def held(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Hold the folder for one build; wait, and say so, while another build holds it."""
        new = not self.path.exists()
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
            try:
                yield
            except RequestError:
                if new:  # leave nothing behind where nothing was built
                    with suppress(OSError):
                        (self.path / LOCK).unlink()
                        self.path.rmdir()
                raise

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
        folders, files = (STAGING, "figures", "data"), ("index.html", MANIFEST, LOCK)
        for name in (*folders, *files):
            path, is_folder = self.path / name, name in folders
            # A file is renamed into place, which removes a link; but a lock is opened.
            misleads = path.is_symlink() and (is_folder or name == LOCK)
            if misleads or (path.exists() and is_folder != path.is_dir()):
                raise RequestError(
                    f"{path} is in the way of a {'folder' if is_folder else 'file'} of this "
                    f"report. Rename or remove it."
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
        """Publish a page's files together with its account, all of them or none."""
        for other, theirs in self.pages.items():
            taken = {path.casefold() for path in theirs.outputs} if other != name else set()
            if clash := [path for path in files if path.casefold() in taken]:
                raise ValueError(
                    f"{clash[0]} is a file of the page {other!r} already: two names, joined by a "
                    f"hyphen, are the same. Rename the figure or table, or one of the pages."
                )
        page.outputs = {path: bytes_digest(content) for path, content in files.items()}
        old = self._files_of(name)
        pages = {**self.pages, name: page}
        _replace(self.path, {**files, MANIFEST: self._manifest(pages)})
        self.pages = pages
        self._remove(old - files.keys())

    def publish_failure(self, name: str, page: Page, files: Mapping[str, bytes]) -> None:
        """Publish a failed notebook beside the last good page."""
        self.pages[name] = page  # also when the disk is full
        _replace(self.path, {**files, MANIFEST: self._manifest(self.pages)})

    def forgotten(self) -> list[str]:
        """List the pages that no longer belong here: their entry or their notebook is gone."""
        return sorted(self.pages.keys() - self.preset.belonging)

    def prune(self) -> None:
        """Remove the pages that no longer belong here."""
        for name in self.forgotten():
            self._remove(self._files_of(name))
            del self.pages[name]

    def write_indexes(self, notify: Callable[[str], None]) -> None:
        """Write the manifest, the list of the folder's pages, and the list of all presets."""
        listed = self._in_order(self.pages)
        index = index_of(Manifest(self.preset.title, self.preset.description, listed), self.path)
        _update(self.path, {"index.html": index.encode(), MANIFEST: self._manifest(self.pages)})
        write_root_index(self.reports, notify)

    def _manifest(self, pages: Mapping[str, Page]) -> bytes:
        manifest = {
            "preset": self.preset.name,
            "source": relative_to_project(self.preset.path, self.root),
            "title": self.preset.title,
            "description": self.preset.description,
            "commit": self._commit,
            "pages": {
                name: page.model_dump(exclude_none=True)
                for name, page in self._in_order(pages).items()
            },
        }
        return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()

    def _in_order(self, pages: Mapping[str, Page]) -> dict[str, Page]:
        """Put the request's own pages first, in its order, then those of others by name."""
        own = [name for name in self.preset.pages if name in pages]
        return {name: pages[name] for name in [*own, *sorted(pages.keys() - set(own))]}

    @functools.cached_property
    def _commit(self) -> str | None:
        """Name the commit that the project is at; a fact for the manifest, no dependency."""
        with suppress(OSError):
            command = ["git", "-C", str(self.root), "rev-parse", "HEAD"]
            done = subprocess.run(command, capture_output=True, text=True)
            return done.stdout.strip() or None
        return None

    def _files_of(self, name: str) -> set[str]:
        published = self.pages[name].outputs if name in self.pages else ()
        return {*published, f"{name}.failed.html", f"{name}.failed.ipynb"}

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if own_file(self.path, path):
                (self.path / path).unlink()


def index_of(manifest: Manifest, folder: Path, *, root_href: str | None = "../index.html") -> str:
    """Render the list of a preset's pages, with a link to the list of all presets."""
    entries = []
    for name, page in manifest.pages.items():
        html, failed = f"{name}.html", f"{name}.failed.html"
        there, failure = page.outputs and own_file(folder, html), own_file(folder, failed)
        entries.append(
            {
                "title": page.title,
                "href": quote(html) if there else None,
                "finding": page.finding,
                "about": page.about,
                "cautions": page.cautions,
                "status": "stale" if page.status == "out of date" else page.status,
                "reason": page.error,
                "failed_href": f"{quote(failed)}#failing-cell" if failure else None,
                "thumbnail": page.thumbnail,
            }
        )
    return render_index(
        manifest.title, entries, root_href=root_href, description=manifest.description
    )


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
            there = own_file(folder, "index.html")
            entries.append(
                {
                    "title": manifest.title,
                    "href": f"{quote(folder.name)}/index.html" if there else None,
                    "thumbnail": next((page.thumbnail for page in manifest.pages.values()), None),
                    **_summary(manifest),
                }
            )
        _update(reports, {"index.html": render_root_index(entries).encode()})


def _summary(manifest: Manifest) -> dict[str, Any]:
    """Sum up a report for the list of all: what its only page says, or how many pages it has."""
    pages = list(manifest.pages.values())
    statuses = Counter(page.status for page in pages)
    bad = {status: statuses[status] for status in ("failed", "out of date") if statuses[status]}
    counts = [f"{len(pages)} page{'s' * (len(pages) != 1)}"]
    counts += [status if len(pages) == 1 else f"{count} {status}" for status, count in bad.items()]
    only = pages[0] if len(pages) == 1 else None
    return {
        "about": only.about if only else "",
        "finding": (only and only.finding) or ", ".join(counts),
        "cautions": only.cautions if only else [],
        "status": {"failed": "failed", "out of date": "stale"}.get(next(iter(bad), ""), "built"),
        "reason": only.error if only else None,
        "thumbnail": next((page.thumbnail for page in pages if page.thumbnail), None),
    }


def _update(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write those of some files that are not yet as they should be."""
    changed = {}
    for name, content in files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
            changed[name] = content
    _replace(folder, changed)


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files before the first is renamed into place: a full disk changes nothing."""
    staging = folder / STAGING
    try:
        for path, content in files.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            with naming_file(folder / path):  # not the one in the staging folder, which goes
                (staging / path).write_bytes(content)
            (folder / path).parent.mkdir(exist_ok=True)
        for path in files:
            (staging / path).replace(folder / path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
