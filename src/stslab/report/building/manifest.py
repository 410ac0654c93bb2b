"""What a report's folder says of itself: data, perhaps from elsewhere, checked before it is used.

A folder can be a copy of somebody else's. Its manifest is believed only where it says what the
builder could have written, and no link is followed out of the folder.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, JsonValue, ValidationError

from ..messages import short_repr
from ..request.names import name_problem
from ..running.kernels import KernelKind

MANIFEST = "manifest.json"
# Names of figures and tables become file names: a text is never a path.
OUTPUT_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Page(BaseModel):
    """A page's entry in the manifest.

    It is out of date where it was built once and its last run failed. `depends` and `renders` are
    what its outputs, and the page around them, were made from; `outputs` are its files and their
    sha256, none if it was never built.
    """

    status: Literal["built", "out of date", "failed"]
    why: list[str]
    title: str
    finding: str | None = None
    about: str = ""
    cautions: list[str] = []
    parameters: dict[str, JsonValue] = {}
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


class Manifest(NamedTuple):
    """A report's manifest, as far as it can be believed; other pages count as never built."""

    title: str
    description: str
    pages: dict[str, Page]
    problem: str = ""  # what is wrong with it, for a message
    source: str | None = None  # the file it was built from, relative to the project's folder


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a report's folder; one that is not there lists no pages."""
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return Manifest(folder.name, "", {})
    try:
        if not own_file(folder, MANIFEST):
            raise ValueError(f"{path} is not a file of this folder")
        content = json.loads(path.read_text("utf-8"))
        json.dumps(content, ensure_ascii=False).encode()  # half a character could not be written
        entries = {name: _page(name, entry) for name, entry in content["pages"].items()}
        source = content.get("source")
        title = str(content.get("title") or "")
        description = str(content.get("description") or "")
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return Manifest(folder.name, "", {}, f"{path} is damaged")
    pages = {name: page for name, page in entries.items() if page}
    problem = ""
    invalid = [short_repr(name) for name in entries if name not in pages]
    if invalid:
        problem = f"{path} has entries that stslab did not write: {', '.join(invalid[:3])}"
        if len(invalid) > 3:
            problem += f" and {len(invalid) - 3} more"
    if not isinstance(source, str):
        source = None
    return Manifest(title or folder.name, description, pages, problem, source)


def own_file(folder: Path, name: str) -> bool:
    """Return whether a file exists in the folder itself, not through a link to elsewhere."""
    with suppress(OSError):  # a name too long for a file
        path = folder / name
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    return False


def _page(name: str, entry: Any) -> Page | None:
    """Return a page's entry; None where the builder cannot have written it."""
    try:
        page = Page.model_validate(entry)
    except ValidationError:
        return None
    if page.status == "failed":
        is_possible = not page.outputs
    else:
        is_possible = {f"{name}.html", f"{name}.ipynb"} <= page.outputs.keys()
    if not is_possible or name_problem(name):
        return None
    if not all(_is_output(path, name) for path in page.outputs):
        return None
    return page


def _is_output(path: str, page: str) -> bool:
    """Return whether a page of this name can have published a file of this path.

    >>> _is_output("figures/08-map.png", "08"), _is_output("../08.html", "08")
    (True, False)
    """
    page, name = re.escape(page), OUTPUT_NAME.pattern
    kinds = rf"{page}\.(html|ipynb)|figures/{page}-{name}\.(svg|png)|data/{page}-{name}\.csv"
    return re.fullmatch(kinds, path) is not None
