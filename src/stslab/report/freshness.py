"""What a page depends on, by content, so that it is made again when that changed and only then."""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import stslab
from stslab.models import ModelError, find_model

from .jobs import Job
from .parameters import RequestError, read_parameters

HELPER = Path(stslab.__file__).parent
LOCK = "requirements.lock"


def depends_on_to_run(job: Job, notebook: Mapping[str, Any], root: Path) -> dict[str, str]:
    """List what a notebook's outputs depend on.

    Parameters
    ----------
    job : Job
    notebook : mapping
        The notebook's JSON.
    root : Path
        The folder of the lock file.

    Returns
    -------
    dict
        A name to show a person → a digest, value or version.
    """
    depends = {"code": digest(_code(notebook))}
    for name, value in job.parameters.items():
        depends[f"parameter {name}"] = json.dumps(value, sort_keys=True, ensure_ascii=False)
    for name, path in job.inputs.items():
        depends[f"input {name} ({path.name})"] = file_digest(path)
    for module in helper_modules("\n".join(_code(notebook))):
        depends[f"helper {module}"] = file_digest(HELPER / module)
    for name in model_names(job):
        depends[f"model {name}"] = _model_digest(name)
    if (root / LOCK).exists():
        depends["lock"] = file_digest(root / LOCK)
    return depends | versions()


def depends_on_to_render(job: Job, notebook: Mapping[str, Any], pages: Any) -> dict[str, str]:
    """List what a page depends on beside its notebook's outputs; `pages` is what it links to."""
    return {
        "text": digest([cell for cell in notebook["cells"] if cell["cell_type"] != "code"]),
        "links to other pages": digest(pages),
        "page template": _template_digest(),
    }


def changes(before: Mapping[str, str] | None, now: Mapping[str, str]) -> list[str]:
    """Say in words what differs between what a page was made from and what it would be now."""
    if before is None:
        return ["never built"]
    said = []
    for name in [*now, *(name for name in before if name not in now)]:
        was, will = before.get(name), now.get(name)
        if was == will:
            continue
        if was is None:
            said.append(f"{name} is new")
        elif will is None:
            said.append(f"{name} is gone")
        elif len(was) + len(will) <= 40:
            said.append(f"{name} changed: {was} → {will}")
        else:
            said.append(f"{name} changed")
    return said


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


def made_from(
    job: Job,
    notebook: Mapping[str, Any],
    depends: Mapping[str, str],
    *,
    preset: str,
    embed_inputs: bool,
) -> dict[str, Any]:
    """Say what a page was made from, for its closing section and the record inside it."""
    inputs = {name: path.read_bytes() for name, path in job.inputs.items()}
    record: dict[str, Any] = {
        "notebook_name": job.notebook.name,
        "preset": preset,
        "page": job.name,
        "command": f"stslab reproduce {job.name}.html",
        "model": {name: _model_digest(name) for name in model_names(job)},
        "parameters": dict(job.parameters),
        "files": {
            name: {
                "name": job.inputs[name].name,
                "sha256": bytes_digest(content),
                "lines": len(content.splitlines()),
            }
            for name, content in inputs.items()
        },
        "versions": versions(),
        "sha256": {
            "notebook": digest(notebook["cells"]),
            "helper": digest({k: v for k, v in depends.items() if k.startswith("helper ")}),
            **({"lock": depends["lock"]} if "lock" in depends else {}),
        },
        "notebook": dict(notebook),
    }
    if embed_inputs and inputs:
        record["inputs"] = {
            name: base64.b64encode(content).decode() for name, content in inputs.items()
        }
    return record


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


def helper_modules(code: str) -> list[str]:
    """List the helper's files that some code uses, directly and through each other.

    Parameters
    ----------
    code : str
        A notebook's code. ``from stslab import rank`` uses the module that defines `rank`;
        ``import stslab`` uses all.

    Returns
    -------
    list of str
        File names in the package, sorted.

    Examples
    --------
    >>> helper_modules("from stslab import jaccard")
    ['baselines.py', 'inputs.py']
    """
    found: set[str] = set()
    waiting = _imported_by_notebook(code)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting |= _imports_of(module, (HELPER / module).read_text("utf-8"))
    return sorted(found)


def model_names(job: Job) -> list[str]:
    """List the models that a notebook is run with: its parameters ``model`` and ``models``."""
    parameters = read_parameters(job.notebook)
    names: list[str] = []
    for name in ("model", "models"):
        if name in parameters:
            value = job.parameters.get(name, parameters[name].default)
            names += [value] if isinstance(value, str) else [str(each) for each in value or []]
    return list(dict.fromkeys(names))


def _model_digest(name: str) -> str:
    try:
        return find_model(name).weights_sha256
    except ModelError as error:
        raise RequestError(str(error)) from error


def _code(notebook: Mapping[str, Any]) -> list[str]:
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def _imported_by_notebook(code: str) -> set[str]:
    facade = _facade()
    modules: set[str] = set()
    for node in ast.walk(_parse_cells(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "stslab":
            inside = (node.module or "").split(".")[1:]
            if inside:
                modules |= _files(inside)
            for alias in node.names if not inside else []:
                modules |= _files([alias.name]) or facade.get(alias.name, set())
                if alias.name == "*":
                    modules |= set().union(*facade.values())
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "stslab":
                    modules |= set().union(*facade.values())
    return modules


def _parse_cells(code: str) -> ast.Module:
    """Parse what can be parsed: a notebook may hold magics and shell lines."""
    plain = re.sub(r"^\s*[%!?].*$", "pass", code, flags=re.MULTILINE)
    try:
        return ast.parse(plain)
    except SyntaxError:
        return ast.parse("import stslab" if "stslab" in code else "")


@functools.cache
def _facade() -> dict[str, set[str]]:
    """Read which module defines each public name, from the package's stub."""
    tree = ast.parse((HELPER / "__init__.pyi").read_text("utf-8"))
    return {
        alias.name: _files([node.module or ""])
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _imports_of(module: str, source: str) -> set[str]:
    package = Path(module).parent.parts
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            inside = [*base, *(node.module or "").split(".")] if node.module else [*base]
            modules |= _files(inside)
            for alias in node.names:
                modules |= _files([*inside, alias.name])
    return modules


def _files(parts: Iterable[str]) -> set[str]:
    path = Path(*[part for part in parts if part] or ["_"])
    found = {path.with_suffix(".py"), path / "__init__.py"}
    return {file.as_posix() for file in found if (HELPER / file).is_file()}


@functools.cache
def _template_digest() -> str:
    """Digest the code that makes pages, and its template."""
    folder = Path(__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("template/*")]
    return digest({file.name: file_digest(file) for file in sorted(files) if file.is_file()})
