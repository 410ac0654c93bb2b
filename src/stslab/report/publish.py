"""A preset's folder: its pages, complete or not there, and the manifest that accounts for them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from filelock import FileLock, Timeout
from markupsafe import Markup
from pydantic import BaseModel, ValidationError

from .freshness import bytes_digest
from .page.index import render_index, render_root_index
from .request.presets import Preset
from .request.values import RequestError
from .running.kernels import KernelKind

MANIFEST = "manifest.json"
STAGING = ".staging"
LOCK = ".lock"


class Page(BaseModel):
    """What the manifest says of a page.

    Attributes
    ----------
    status : str
        "out of date": it was built once, and its last run failed.
    depends, renders : dict
        What its outputs, and what the page around them, were made from.
    outputs : dict
        File → sha256; empty if it was never built.
    """

    status: Literal["built", "out of date", "failed"]
    why: list[str]
    title: str
    finding: str | None = None
    parameters: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    depends: dict[str, str] = {}
    renders: dict[str, str] = {}
    outputs: dict[str, str] = {}
    warnings: list[str] = []
    seconds: float = 0.0
    kernel: KernelKind = "fresh"
    built_at: str | None = None
    thumbnail: str | None = None
    error: str | None = None
    failed_at: str | None = None


class ReportFolder:
    """Where a preset's pages are published; one build at a time holds it.

    Attributes
    ----------
    path : Path
    pages : dict of str to Page
        As in the manifest; those of a damaged manifest, or another version's, count as never built.
    """

    def __init__(self, reports: Path, preset: Preset, root: Path) -> None:
        self.reports, self.preset, self.root = reports, preset, root
        self.path = reports / preset.name
        self.pages: dict[str, Page] = {}
        self._commit = functools.cache(lambda: _commit(root))

    @contextmanager
    def held(self, said: Callable[[str], None]) -> Iterator[None]:
        """Hold the folder for one build; wait, and say so, while another build holds it.

        Raises
        ------
        RequestError
            If the folder cannot be written.
        """
        self._check_writable()
        lock = FileLock(self.path / LOCK)
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            said(f"another build of {self.preset.name!r} is running: waiting for it")
            held = lock.acquire()
        with held:
            shutil.rmtree(self.path / STAGING, ignore_errors=True)  # a killed build's
            self.pages = read_manifest(self.path)
            yield

    def _check_writable(self) -> None:
        probe = self.path / f"{LOCK}.probe"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"stslab")
        except OSError as error:
            raise RequestError(
                f"reports folder {self.path}: cannot be written ({error.strerror}). Nothing was "
                f"built. Free it, or choose another with --reports."
            ) from error
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)

    def damage(self, page: Page) -> list[str]:
        """Say which of a page's files are not as they were published."""
        said = []
        for name, digest in page.outputs.items():
            path = self.path / name
            if not path.is_file():
                said.append(f"{name} is missing")
            elif bytes_digest(path.read_bytes()) != digest:
                said.append(f"{name} was changed by hand")
        return said

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

    def write_indexes(self) -> None:
        """Write the manifest, the list of the preset's pages, and the list of all presets."""
        manifest = self._manifest(self.pages)
        index = index_of(json.loads(manifest), self.path)
        files = {"index.html": index.encode(), MANIFEST: manifest}
        _replace(self.path, {path: c for path, c in files.items() if _differs(self.path / path, c)})
        write_root_index(self.reports)

    def _replace(self, pages: dict[str, Page], files: Mapping[str, bytes]) -> None:
        _replace(self.path, {**files, MANIFEST: self._manifest(pages)})
        self.pages = pages

    def _manifest(self, pages: Mapping[str, Page]) -> bytes:
        manifest = {
            "preset": self.preset.name,
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
            with suppress(FileNotFoundError):
                (self.path / path).unlink()


def index_of(
    manifest: Mapping[str, Any], folder: Path, *, root_href: str | None = "../index.html"
) -> str:
    """Render the list of a preset's pages.

    Parameters
    ----------
    manifest : mapping
    folder : Path
        The preset's.
    root_href : str or None
        Where the list of all presets is.
    """
    entries = []
    for name, entry in manifest["pages"].items():
        page = Page.model_validate(entry)
        failed = folder / f"{name}.failed.html"
        entries.append(
            {
                "title": page.title,
                "href": quote(f"{name}.html") if page.outputs else None,
                "finding": page.finding,
                "status": "stale" if page.status == "out of date" else page.status,
                "reason": page.error,
                "failed_href": f"{quote(failed.name)}#failing-cell" if failed.exists() else None,
                "thumbnail": Markup(page.thumbnail) if page.thumbnail else None,
            }
        )
    title, about = str(manifest["title"]), str(manifest["description"])
    return render_index(title, entries, root_href=root_href, about=about)


def read_manifest(folder: Path) -> dict[str, Page]:
    """Read what a preset's manifest says of its pages, as far as it can be understood."""
    pages = {}
    for name, entry in _read_json(folder / MANIFEST).get("pages", {}).items():
        with suppress(ValidationError):
            pages[name] = Page.model_validate(entry)
    return pages


def write_root_index(reports: Path) -> None:
    """Write the page that lists all presets built."""
    with FileLock(reports / LOCK):  # builds of two presets may end at the same time
        entries = []
        for path in sorted(reports.glob(f"*/{MANIFEST}")):
            pages = read_manifest(path.parent).values()
            bad = sum(page.status != "built" for page in pages)
            count = f"{len(pages)} page{'s' * (len(pages) != 1)}"
            entries.append(
                {
                    "title": str(_read_json(path).get("title") or path.parent.name),
                    "href": f"{quote(path.parent.name)}/index.html",
                    "finding": count + (f", {bad} not up to date" if bad else ""),
                    "status": "stale" if bad else "built",
                }
            )
        index = render_root_index(entries).encode()
        if _differs(reports / "index.html", index):
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
    return not path.is_file() or path.read_bytes() != content


def _read_json(path: Path) -> dict[str, Any]:
    with suppress(FileNotFoundError, ValueError, RecursionError):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict) and isinstance(content.get("pages", {}), dict):
            return content
    return {}


def _commit(root: Path) -> str | None:
    """Name the commit that the project is at; a fact for the manifest, no dependency."""
    with suppress(OSError):
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip() or None
    return None
