"""What something is, by content: digests of files, code and data, and versions."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import stslab

PACKAGE = Path(stslab.__file__).parent
REPORT = Path(__file__).parent
# The entries of a record's "sha256" that are of code: name → what it is in words.
CODE = {"helper": "the helper's source", "template": "the page template", "lock": "the lock file"}

# The rooms of this package that outputs depend on only where a notebook uses them. All others but
# the report's are the core.
OPTIONAL_ROOMS = frozenset({"studies", "stores", "workshop"})
CORE = "core"
# With these, code imports modules whose names may be nowhere in it.
DYNAMIC_IMPORTS = ("importlib", "runpy", "__import__", "exec", "eval")

# Packages of extras, by a word in the code that uses them where they are installed.
OPTIONAL = {"faiss": "faiss-cpu", "chroma": "chromadb", "pinecone": "pinecone"}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Describe what differs between what a page was made from and what it would be made from.

    >>> changes({"parameter top_k": "3", "lock": "a"}, {"parameter top_k": "5", "code": "b"})
    ['parameter top_k changed: 3 → 5', 'code is new', 'lock is gone']
    """
    descriptions = []
    for name in dict.fromkeys([*new, *old]):
        old_value, new_value = old.get(name), new.get(name)
        if old_value == new_value:
            continue
        if old_value is None:
            descriptions.append(f"{name} is new")
        elif new_value is None:
            descriptions.append(f"{name} is gone")
        elif len(old_value) + len(new_value) <= 40:
            descriptions.append(f"{name} changed: {old_value} → {new_value}")
        else:  # a digest says nothing to a person
            descriptions.append(f"{name} changed")
    return descriptions


def digest(content: Any) -> str:
    """Return the sha256 of data that JSON can hold."""
    return bytes_digest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def bytes_digest(content: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    return bytes_digest(path.read_bytes())


def helper_digests(cells: Iterable[str]) -> dict[str, str]:
    """Return the digests of the files of this package that a notebook's code may use.

    Parameters
    ----------
    cells : iterable of str
        The code of each cell.

    Returns
    -------
    dict
        ``helper <path in the package>`` → SHA-256; empty if the code uses nothing of the package.
    """
    rooms = used_rooms(cells)
    if CORE not in rooms:
        return {}
    # The builder has digests of its own for the report, and no output depends on it.
    unused = {"report", "cli", "live"} | (OPTIONAL_ROOMS - rooms)
    digests = {}
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] not in unused and path.is_file() and path.suffix != ".pyc":
            digests[f"helper {name.as_posix()}"] = file_digest(path)
    return digests


def used_rooms(cells: Iterable[str]) -> set[str]:
    """Return the rooms of this package that code may use.

    A cell that does not parse, as with IPython's magics, counts as using all of them; so does code
    that can import by a name which is put together at run time. A comment counts for nothing. A
    string that names the package may be code for another process, so it counts as what it names.

    Parameters
    ----------
    cells : iterable of str
        The code of each cell.

    Returns
    -------
    set of str
        "core" if the package is used at all, and those of "studies", "stores" and "workshop" that
        are used.

    Examples
    --------
    >>> sorted(used_rooms(["from stslab.studies import agreement  # no stores"]))
    ['core', 'studies']
    """
    rooms: set[str] = set()
    for cell in cells:
        try:
            with warnings.catch_warnings(action="ignore"):  # of the cell's code, such as "\d"
                tree = ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {CORE, *OPTIONAL_ROOMS}
        for node in ast.walk(tree):
            rooms |= _rooms_named_by(node)
    return rooms


def _rooms_named_by(node: ast.AST) -> set[str]:
    """Return the rooms that one node of a syntax tree names."""
    modules: list[str] = []
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Name):
        modules = [node.id]  # such as __import__; a room's name alone is no use of it
    elif isinstance(node, ast.Attribute):
        return {node.attr} & OPTIONAL_ROOMS  # stslab.studies, by whatever name stslab goes
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if PACKAGE.name not in node.value:
            return set()
        return {CORE} | {room for room in OPTIONAL_ROOMS if room in node.value}
    rooms: set[str] = set()
    for module in modules:
        root, *submodules = module.split(".")
        if root in DYNAMIC_IMPORTS:
            rooms |= {CORE, *OPTIONAL_ROOMS}
        elif root == PACKAGE.name:
            rooms |= {CORE} | ({*submodules[:1]} & OPTIONAL_ROOMS)
    return rooms


@functools.cache
def versions() -> dict[str, str]:
    """Return the version of Python and of each library that stslab requires."""
    required = importlib.metadata.requires("stslab") or []
    names = set()
    for requirement in required:
        if "extra ==" not in requirement:
            names.add(re.split(r"[^\w.-]", requirement)[0])
    return {"Python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in sorted(names)
    }


def versions_named_in(code: str) -> dict[str, str]:
    """Return the versions of packages that a notebook uses where they are installed."""
    package_versions = {}
    for word, package in OPTIONAL.items():
        if word in code:
            try:
                package_versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                package_versions[package] = "not installed"
    return package_versions


@functools.cache
def runner_digest() -> str:
    """Return a digest of the code that runs notebooks."""
    files = [*REPORT.glob("running/*.py"), REPORT / "terminal_text.py"]
    return digest([file_digest(file) for file in sorted(files)])


@functools.cache
def template_digest() -> str:
    """Return a digest of the code that makes pages, and of its template."""
    files = [*REPORT.glob("page/*.py"), *REPORT.glob("page/template/*")]
    files += [REPORT / "building" / "published.py", REPORT / "building" / "freshness.py"]
    files += [REPORT / "terminal_text.py"]
    return digest({file.name: file_digest(file) for file in sorted(files)})
