"""What an output of a notebook is, and the forms of it that can be shown.

A notebook may display anything: what is not of its type is left out here, for all who read on.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

_MAGIC = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}


def info_of(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what stslab noted of an output: its kind, its name, its title."""
    return mapping(mapping(output.get("metadata")).get("stslab"))


def forms(output: Mapping[str, Any]) -> dict[str, Any]:
    """Map MIME types to text, an image's in base64; to whatever it holds for JSON."""
    found = {}
    for kind, value in mapping(output.get("data")).items():
        if kind.endswith("json"):
            found[kind] = value
        elif (text := joined(value)) is not None and _is_image(text, _MAGIC.get(kind, b"")):
            found[kind] = text
    return found


def joined(text: Any) -> str | None:
    """Join a text that a notebook may keep as its lines; None if it is no text."""
    lines = text if isinstance(text, list) else [text]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else None


def _is_image(text: str, magic: bytes) -> bool:
    try:
        return not magic or base64.b64decode(text).startswith(magic)
    except ValueError:
        return False


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and for anything else an empty one."""
    return value if isinstance(value, Mapping) else {}
