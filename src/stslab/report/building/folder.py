"""A preset's folder: its pages, complete or absent, and the manifest that lists them."""

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

from ...wording import counted
from ..identity import bytes_digest
from ..messages import RequestError
from ..page.index import render_index, render_root_index
from ..request.presets import Preset
from ..writing import naming_file
from .manifest import MANIFEST, Manifest, Page, own_file, read_manifest
from .place import check_place, relative_to_project

STAGING = ".staging"
LOCK = ".lock"
# The words of the index page for the states of a page.
CSS_STATUS = {"built": "built", "out of date": "stale", "failed": "failed"}


class ReportFolder:
    """The folder in which a preset's pages are published; one build at a time may lock it.

    `pages` are those of the manifest; what the builder cannot have written counts as never built.
    """

    def __init__(self, reports: Path, preset: Preset, root: Path) -> None:
        self.reports, self.preset, self.root = reports, preset, root
        self.path = reports / preset.name
        self.pages: dict[str, Page] = {}

    @contextmanager
    def lock(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Lock the folder for one build; notify if another build has to be waited for."""
        is_new = not self.path.exists()
        self._check_writable()
        self._check_free()
        file_lock = FileLock(self.path / LOCK)
        try:
            acquired = file_lock.acquire(timeout=0)
        except Timeout:
            notify(f"another build of {self.preset.name!r} is running: waiting for it")
            acquired = file_lock.acquire()
        with acquired:
            shutil.rmtree(self.path / STAGING, ignore_errors=True)  # a killed build's
            check_place(self.preset, self.reports, self.root)
            manifest = read_manifest(self.path)
            if manifest.problem:
                notify(f"{manifest.problem}. What cannot be used counts as never built.")
            self.pages = manifest.pages
            try:
                yield
            except RequestError:
                if is_new:  # leave nothing behind where nothing was built
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
        """Raise RequestError if a link in the folder would lead our files to another place."""
        kinds = dict.fromkeys((STAGING, "figures", "data"), "folder")
        kinds |= dict.fromkeys(("index.html", MANIFEST, LOCK), "file")
        for name, kind in kinds.items():
            path, is_folder = self.path / name, kind == "folder"
            # A file is renamed into place, which removes a link; but a lock is opened.
            misleads = path.is_symlink() and (is_folder or name == LOCK)
            if misleads or (path.exists() and is_folder != path.is_dir()):
                raise RequestError(
                    f"{path} is in the way of a {kind} of this report. Rename or remove it."
                )

    def damage(self, page: Page) -> list[str]:
        """Describe which of a page's files are not as they were published."""
        problems = []
        for name, digest in page.outputs.items():
            if not own_file(self.path, name):
                problems.append(f"{name} is missing")
            elif bytes_digest((self.path / name).read_bytes()) != digest:
                problems.append(f"{name} was changed by hand")
        return problems

    def publish(self, name: str, page: Page, files: Mapping[str, bytes]) -> None:
        """Publish a page's files together with its entry in the manifest, all of them or none."""
        self._check_no_clash(name, files)
        page.outputs = {path: bytes_digest(content) for path, content in files.items()}
        old = self._files_of(name)
        pages = {**self.pages, name: page}
        _replace(self.path, {**files, MANIFEST: self._manifest(pages)})
        self.pages = pages
        self._remove(old - files.keys())

    def _check_no_clash(self, name: str, files: Mapping[str, bytes]) -> None:
        """Raise ValueError if another page has a file of one of these names."""
        for other_name, other_page in self.pages.items():
            if other_name == name:
                continue
            other_files = {path.casefold() for path in other_page.outputs}
            for path in files:
                if path.casefold() in other_files:
                    raise ValueError(
                        f"{path} is a file of the page {other_name!r} already: two names, joined "
                        f"by a hyphen, are the same. Rename the figure or table, or one of the "
                        f"pages."
                    )

    def publish_failure(self, name: str, page: Page, files: Mapping[str, bytes]) -> None:
        """Publish a failed notebook beside the last good page."""
        self.pages[name] = page  # also when the disk is full
        _replace(self.path, {**files, MANIFEST: self._manifest(self.pages)})

    def obsolete(self) -> list[str]:
        """Return the pages that no longer belong to the preset: their entry or notebook is gone."""
        return sorted(self.pages.keys() - self.preset.belonging)

    def prune(self) -> None:
        """Remove the pages that no longer belong to the preset."""
        for name in self.obsolete():
            self._remove(self._files_of(name))
            del self.pages[name]

    def write_indexes(self, notify: Callable[[str], None]) -> None:
        """Write the manifest, the list of the folder's pages, and the list of all presets."""
        pages = self._in_order(self.pages)
        manifest = Manifest(self.preset.title, self.preset.description, pages)
        index = index_of(manifest, self.path)
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
        """Return the request's pages first, in its order, then the others by name."""
        requested = [name for name in self.preset.pages if name in pages]
        return {name: pages[name] for name in [*requested, *sorted(pages.keys() - set(requested))]}

    @functools.cached_property
    def _commit(self) -> str | None:
        """Return the project's commit, for the manifest; no page depends on it."""
        with suppress(OSError):
            command = ["git", "-C", str(self.root), "rev-parse", "HEAD"]
            process = subprocess.run(command, capture_output=True, text=True)
            return process.stdout.strip() or None
        return None

    def _files_of(self, name: str) -> set[str]:
        files = {f"{name}.failed.html", f"{name}.failed.ipynb"}
        if name in self.pages:
            files |= self.pages[name].outputs.keys()
        return files

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if own_file(self.path, path):
                (self.path / path).unlink()


def index_of(manifest: Manifest, folder: Path, *, root_href: str | None = "../index.html") -> str:
    """Render the list of a preset's pages, with a link to the list of all presets."""
    entries = []
    for name, page in manifest.pages.items():
        html, failed_html = f"{name}.html", f"{name}.failed.html"
        href = failed_href = None
        if page.outputs and own_file(folder, html):
            href = quote(html)
        if own_file(folder, failed_html):
            failed_href = f"{quote(failed_html)}#failing-cell"
        entries.append(
            {
                "title": page.title,
                "href": href,
                "finding": page.finding,
                "about": page.about,
                "cautions": page.cautions,
                "status": CSS_STATUS[page.status],
                "reason": page.error,
                "failed_href": failed_href,
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
        for folder in sorted(path.parent for path in reports.glob(f"*/{MANIFEST}")):
            manifest = read_manifest(folder)
            href = None
            if own_file(folder, "index.html"):
                href = f"{quote(folder.name)}/index.html"
            entries.append({"title": manifest.title, "href": href, **_summary(manifest)})
        _update(reports, {"index.html": render_root_index(entries).encode()})


def _summary(manifest: Manifest) -> dict[str, Any]:
    """Return a report's entry in the list of all reports, without its title and link.

    It says what the report's only page says, or how many pages there are.
    """
    pages = list(manifest.pages.values())
    statuses = Counter[str](page.status for page in pages)
    problems = [status for status in ("failed", "out of date") if statuses[status]]
    summary: dict[str, Any] = {
        "about": "",
        "finding": "",
        "cautions": [],
        "status": CSS_STATUS[[*problems, "built"][0]],
        "reason": None,
        "thumbnail": None,
    }
    for page in pages:
        if page.thumbnail:
            summary["thumbnail"] = page.thumbnail
            break
    counts = [counted(len(pages), "page")]
    if len(pages) == 1:
        page = pages[0]
        summary |= {"about": page.about, "finding": page.finding, "cautions": page.cautions}
        summary["reason"] = page.error
        counts += problems
    else:
        counts += [f"{statuses[status]} {status}" for status in problems]
    summary["finding"] = summary["finding"] or ", ".join(counts)
    return summary


def _update(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files whose content is not yet the right one."""
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
