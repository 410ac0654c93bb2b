"""What something is, by content: digests of files, code and data, and versions."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .imports import PACKAGE, helper_files

REPORT = Path(__file__).parent
LOCK = "requirements.lock"
# Parts of a record's "sha256" that tell of code: name → what it is in words.
CODE = {"helper": "the helper's source", "template": "the page template", "lock": "the lock file"}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in words what differs between what a page was made from and what it would be now.

    >>> changes({"parameter top_k": "3", "lock": "a"}, {"parameter top_k": "5", "code": "b"})
    ['parameter top_k changed: 3 → 5', 'code is new', 'lock is gone']
    """
    found = []
    for name in [*now, *(name for name in before if name not in now)]:
        was, will = before.get(name), now.get(name)
        if was == will:
            continue
        if was is None:
            found.append(f"{name} is new")
        elif will is None:
            found.append(f"{name} is gone")
        elif len(was) + len(will) <= 40:
            found.append(f"{name} changed: {was} → {will}")
        else:
            found.append(f"{name} changed")
    return found


def digest(content: Any) -> str:
    """Return the sha256 of data that JSON can hold."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def bytes_digest(content: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def helper_digests(code: str) -> dict[str, str]:
    """Digest each of the helper's files that some code uses."""
    return {f"helper {name}": file_digest(PACKAGE / name) for name in helper_files(code)}


@functools.cache
def versions() -> dict[str, str]:
    """Return the version of Python and of each library that stslab requires."""
    required = importlib.metadata.requires("stslab") or []
    names = [
        re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required if "extra ==" not in line
    ]
    return {"Python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in sorted(names)
    }


@functools.cache
def runner_digest() -> str:
    """Digest the code that runs notebooks."""
    return digest([file_digest(file) for file in sorted(REPORT.glob("running/*.py"))])


@functools.cache
def template_digest() -> str:
    """Digest the code that makes pages, and its template."""
    files = [*REPORT.glob("page/*.py"), *REPORT.glob("page/template/*")]
    files += [REPORT / "building" / "published.py", REPORT / "building" / "freshness.py"]
    return digest({file.name: file_digest(file) for file in sorted(files)})
