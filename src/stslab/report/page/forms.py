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
    about = _mapping(output, "metadata").get("stslab")
    return about if isinstance(about, Mapping) else {}


def forms(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of an output that can be shown.

    Parameters
    ----------
    output : mapping

    Returns
    -------
    dict
        MIME type → text; for JSON, whatever it holds. A PNG or JPEG is one, in base64.
    """
    found = {}
    for kind, value in _mapping(output, "data").items():
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


def _mapping(output: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = output.get(key)
    return value if isinstance(value, Mapping) else {}
