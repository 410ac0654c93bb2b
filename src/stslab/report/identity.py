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

import stslab

PACKAGE = Path(stslab.__file__).parent
REPORT = Path(__file__).parent
# Parts of a record's "sha256" that tell of code: name → what it is in words.
CODE = {"helper": "the helper's source", "template": "the page template", "lock": "the lock file"}

# Packages of extras, by a word in the code that uses them where they are installed.
OPTIONAL = {"faiss": "faiss-cpu", "chroma": "chromadb", "pinecone": "pinecone"}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in words what differs between what a page was made from and what it would be now.

    >>> changes({"parameter top_k": "3", "lock": "a"}, {"parameter top_k": "5", "code": "b"})
    ['parameter top_k changed: 3 → 5', 'code is new', 'lock is gone']
    """
    found = []
    for name in dict.fromkeys([*now, *before]):
        was, will = before.get(name), now.get(name)
        if was == will:
            continue
        if was is None:
            found.append(f"{name} is new")
        elif will is None:
            found.append(f"{name} is gone")
        else:
            short = len(was) + len(will) <= 40
            found.append(f"{name} changed" + (f": {was} → {will}" if short else ""))
    return found


def digest(content: Any) -> str:
    """Return the sha256 of data that JSON can hold."""
    return bytes_digest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def bytes_digest(content: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    return bytes_digest(path.read_bytes())


def helper_digests(code: str) -> dict[str, str]:
    """Digest the files of this package that a notebook's code may use.

    The studies, the stores and the workshop count only where the code names them, or imports by
    names put together at run time.
    """
    by_any_name = "importlib" in code or "__import__" in code
    if PACKAGE.name not in code and not by_any_name:
        return {}
    # The builder has digests of its own for the report, and no output depends on it.
    apart = {"report", "cli", "live"}
    by_name = {"studies", "stores", "workshop"}
    apart |= {room for room in by_name if not by_any_name and room not in code}
    files = {path.relative_to(PACKAGE): path for path in sorted(PACKAGE.rglob("*"))}
    return {
        f"helper {name.as_posix()}": file_digest(path)
        for name, path in files.items()
        if name.parts[0] not in apart and path.is_file() and path.suffix != ".pyc"
    }


@functools.cache
def versions() -> dict[str, str]:
    """Return the version of Python and of each library that stslab requires."""
    required = importlib.metadata.requires("stslab") or []
    names = {re.split(r"[^\w.-]", each)[0] for each in required if "extra ==" not in each}
    return {"Python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in sorted(names)
    }


def versions_named_in(code: str) -> dict[str, str]:
    """Return the versions of packages that a notebook uses where they are installed."""
    found = {}
    for word, package in OPTIONAL.items():
        if word in code:
            try:
                found[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                found[package] = "not installed"
    return found


@functools.cache
def runner_digest() -> str:
    """Digest the code that runs notebooks."""
    files = [*REPORT.glob("running/*.py"), REPORT / "terminal_text.py"]
    return digest([file_digest(file) for file in sorted(files)])


@functools.cache
def template_digest() -> str:
    """Digest the code that makes pages, and its template."""
    files = [*REPORT.glob("page/*.py"), *REPORT.glob("page/template/*")]
    files += [REPORT / "building" / "published.py", REPORT / "building" / "freshness.py"]
    files += [REPORT / "terminal_text.py"]
    return digest({file.name: file_digest(file) for file in sorted(files)})
