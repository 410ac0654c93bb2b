"""What a cell or an output of a notebook is, and the forms of an output that can be shown.

A notebook may hold anything. What does not have the type that it should have is left out here, so
that the other modules need not check it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

# How the bytes of an image begin.
SIGNATURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}


def info_of(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what `stslab.figures.show` noted of an output, such as its kind, name and title."""
    return as_mapping(as_mapping(output.get("metadata")).get("stslab"))


def forms_of(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output's forms by MIME type: JSON as data, images in base64, others as text."""
    forms = {}
    for mime_type, value in as_mapping(output.get("data")).items():
        if mime_type.endswith("json"):
            forms[mime_type] = value
            continue
        text = join_lines(value)
        if text is not None and _begins_as(mime_type, text):
            forms[mime_type] = text
    return forms


def join_lines(value: Any) -> str | None:
    """Return a text that a notebook may keep as a list of its lines; None if it is no text."""
    lines = [value]
    if isinstance(value, list):
        lines = value
    if not all(isinstance(line, str) for line in lines):
        return None
    return "".join(lines)


def _begins_as(mime_type: str, text: str) -> bool:
    """Check that what is called a PNG or JPEG begins as one."""
    if mime_type not in SIGNATURES:
        return True
    try:
        return base64.b64decode(text).startswith(SIGNATURES[mime_type])
    except ValueError:
        return False


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for anything else."""
    if isinstance(value, Mapping):
        return value
    return {}


def has_tag(cell: Mapping[str, Any], tag: str) -> bool:
    """Check that a cell has a tag."""
    return tag in cell["metadata"].get("tags", ())
