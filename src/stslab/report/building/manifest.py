"""What a report's folder says of itself: data, perhaps from elsewhere, checked before it is used.

A folder can be a copy of somebody else's. Its manifest is believed only where it says what the
builder could have written, and no link is followed out of the folder.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, JsonValue, ValidationError

from ..request.names import name_problem
from ..request.values import shown
from ..running.kernels import KernelKind
from .published import is_output

MANIFEST = "manifest.json"


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
    """A report's manifest, as far as it can be believed.

    Attributes
    ----------
    pages : dict of str to Page
        Those that the builder could have written; the others count as never built.
    problem : str
        What is wrong with it, for a message; empty if nothing is.
    source : str or None
        The file that the report was built from, relative to the project's folder.
    """

    title: str
    description: str
    pages: dict[str, Page]
    problem: str = ""
    source: str | None = None


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a report's folder; one that is not there lists no pages."""
    path, pages, refused = folder / MANIFEST, {}, []
    if not os.path.lexists(path):
        return Manifest(folder.name, "", {})
    try:
        if not own_file(folder, MANIFEST):
            raise ValueError(f"{path} is not a file of this folder")
        content = json.loads(path.read_text("utf-8"))
        json.dumps(content, ensure_ascii=False).encode()  # half a character could not be written
        for name, entry in content["pages"].items():
            if page := _page(name, entry):
                pages[name] = page
            else:
                refused.append(shown(name))
        source = content.get("source")
        title, description = (str(content.get(key) or "") for key in ("title", "description"))
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return Manifest(folder.name, "", {}, f"{path} is damaged")
    more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
    problem = f"{path} has entries that stslab did not write: {', '.join(refused[:3])}{more}"
    return Manifest(
        title or folder.name,
        description,
        pages,
        problem if refused else "",
        source if isinstance(source, str) else None,
    )


def own_file(folder: Path, name: str) -> bool:
    """Whether a file is there, and no link leads to it out of the folder."""
    with suppress(OSError):  # a name too long for a file
        path = folder / name
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    return False


def _page(name: str, entry: Any) -> Page | None:
    """Read what a manifest says of a page; None where the builder cannot have written it."""
    with suppress(ValidationError):
        page = Page.model_validate(entry)
        complete = {f"{name}.html", f"{name}.ipynb"} <= page.outputs.keys()
        never_built = page.status == "failed" and not page.outputs
        if (
            not name_problem(name)
            and (never_built or (page.status != "failed" and complete))
            and all(is_output(path, name) for path in page.outputs)
        ):
            return page
    return None
