"""Which of the helper's files some code uses, read from the source; nothing is imported."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path, PurePosixPath

import stslab

HELPER = Path(stslab.__file__).parent
PACKAGE = HELPER.name
IN_A_TEXT = re.compile(rf"\b(from|import|-m)\s+{PACKAGE}\b|^{PACKAGE}[.:]")  # for exec and its kin


def helper_files(code: str) -> list[str]:
    """List the helper's files that a notebook's code uses, directly and through each other.

    Parameters
    ----------
    code : str
        ``from stslab import rank`` uses the module that defines `rank`; ``import stslab`` uses
        all, and so does code that imports by name, or holds such an import in a text.

    Returns
    -------
    list of str
        Paths in the package, sorted; data files that the modules name are among them.

    Examples
    --------
    >>> helper_files("from stslab import jaccard")
    ['baselines.py', 'csv_text.py', 'inputs.py', 'wording.py']
    """
    stub = (HELPER / "__init__.pyi").read_text("utf-8")
    found: set[str] = set()
    tree = _parsed(code)
    if any(map(_may_import, ast.walk(tree))):
        tree = ast.parse(f"import {PACKAGE}")
    waiting = _imports(tree, _facade(stub))
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            if file.endswith(".py"):
                waiting |= _used_by(file, (HELPER / file).read_text("utf-8"), stub)
    return sorted(found)


@functools.lru_cache(maxsize=256)
def _used_by(file: str, source: str, stub: str) -> set[str]:
    tree = ast.parse(source)
    return _imports(tree, _facade(stub), PurePosixPath(file).parent) | _data_files(tree)


def _parsed(code: str) -> ast.Module:
    """Parse what can be parsed: a notebook may hold magics and shell lines."""
    plain = re.sub(r"^([ \t]*)[%!?].*$", r"\1pass", code, flags=re.MULTILINE)
    try:
        return ast.parse(plain)
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # not Python, or far too deep
        return ast.parse(f"import {PACKAGE}" if PACKAGE in code else "")


def _may_import(node: ast.AST) -> bool:
    """Say whether code may import what it does not name, as ``import_module("stslab.x")`` does."""
    match node:
        case ast.Constant(value=str(text)):
            return bool(IN_A_TEXT.search(text))
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] == "importlib" for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] == "importlib"
        case ast.Name(id="__import__"):
            return True
    return False


@functools.lru_cache(maxsize=4)
def _facade(stub: str) -> dict[str, set[str]]:
    """Read which file defines each public name, from the package's stub."""
    return {
        alias.asname or alias.name: _module_files(node.module or "")
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _imports(
    tree: ast.Module, facade: dict[str, set[str]], folder: PurePosixPath | None = None
) -> set[str]:
    """List the helper's files that a module imports; `folder` is where in the package it lies."""
    everything: set[str] = set().union(*facade.values())
    files: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            files |= everything if PACKAGE in {name.split(".")[0] for name in names} else set()
        elif isinstance(node, ast.ImportFrom):
            module = _inside(node, folder)
            if module is None:
                continue
            files |= _module_files(module)
            for alias in node.names:
                own = _module_files(f"{module}.{alias.name}".lstrip("."))
                files |= own or (facade.get(alias.name, set()) if not module else set())
                files |= everything if alias.name == "*" and not module else set()
    return files


def _inside(node: ast.ImportFrom, folder: PurePosixPath | None) -> str | None:
    """Give the module that is imported from, relative to the package; None if it is another's."""
    module = node.module or ""
    if node.level:
        if folder is None:
            return None
        above = folder.parts[: len(folder.parts) - node.level + 1]
        return ".".join([*above, *filter(None, [module])])
    if module.split(".")[0] != PACKAGE:
        return None
    return module.partition(".")[2]


def _module_files(module: str) -> set[str]:
    if not module:
        return set()
    path = PurePosixPath(*module.split("."))
    candidates = {path.with_suffix(".py"), path / "__init__.py"}
    return {str(file) for file in candidates if (HELPER / file).is_file()}


def _data_files(tree: ast.Module) -> set[str]:
    """List the package's data files that a module names in a text, themselves or their folder."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    found = set()
    for file in HELPER.rglob("*"):
        path = file.relative_to(HELPER)
        no_data = file.suffix in (".py", ".pyi", ".pyc") or path.parts[0] == "report"
        if texts & set(path.parts) and not no_data and file.is_file():
            found.add(path.as_posix())
    return found
