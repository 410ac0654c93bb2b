"""What a page depends on, by content, so that it is made again when that changed and only then."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stslab.models import ModelError, find_model

from .helper import HELPER, helper_files
from .request.jobs import MODELS, Job
from .request.notebook import read_notebook
from .request.parameters import RequestError, read_parameters

HERE = Path(__file__).parent
LOCK = "requirements.lock"
# Parts of a record's "sha256" that tell of code: name → what it is in words.
CODE = {"helper": "the helper's source", "template": "the page template", "lock": "the lock file"}


class Dependencies:
    """What pages depend on now; each file and notebook is read once in a request.

    Parameters
    ----------
    root : Path
        The project's folder, with the lock file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notebook = functools.cache(read_source)
        self._of_file = functools.cache(file_digest)
        self._of_notebook = functools.cache(self._depends_of_notebook)

    def to_run(self, job: Job) -> dict[str, str]:
        """List what a notebook's outputs depend on.

        Returns
        -------
        dict
            A name to show a person → a digest, value or version.
        """
        depends = dict(self._of_notebook(job.notebook))
        for name, value in job.parameters.items():
            depends[f"parameter {name}"] = json.dumps(value, sort_keys=True, ensure_ascii=False)
        for name, path in job.inputs.items():
            depends[f"input {name} ({path.name})"] = self._of_file(path)
        for name in model_names(job):
            depends[f"model {name}"] = model_digest(job, name)
        return depends

    def to_render(self, job: Job, around: Mapping[str, Any], embed_inputs: bool) -> dict[str, str]:
        """List what a page depends on beside its outputs; `around` is what it says of others."""
        return {
            "text": digest(self.notebook(job.notebook)),
            "preset and neighbours": digest(around),
            "embedded inputs": "yes" if embed_inputs else "no",
            "page template": _template_digest(),
        }

    def _depends_of_notebook(self, path: Path) -> dict[str, str]:
        cells = [cell for cell in self.notebook(path)["cells"] if cell["cell_type"] == "code"]
        tags = [cell["metadata"].get("tags", []) for cell in cells]
        sources = [cell["source"] for cell in cells]
        depends = {"code": digest([sources, tags])}
        depends |= helper_digests("\n".join(sources))
        if (self.root / LOCK).is_file():
            depends["lock"] = self._of_file(self.root / LOCK)
        return depends | {"way of running": _runner_digest()} | versions()


def read_source(path: Path) -> dict[str, Any]:
    """Read a notebook as its author wrote it: without outputs, and what editors add to it.

    Parameters
    ----------
    path : Path
        See `read_notebook`.

    Returns
    -------
    dict
        Format 4.5: each cell has an id, and its source is one text.
    """
    notebook = read_notebook(path)
    about = notebook.get("metadata", {})
    cells = []
    for index, cell in enumerate(notebook["cells"]):
        kept = {key: cell[key] for key in ("cell_type", "attachments") if key in cell}
        kept |= {"id": cell.get("id", f"cell-{index}"), "source": "".join(cell["source"])}
        tags = cell.get("metadata", {}).get("tags", [])
        kept["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            kept |= {"outputs": [], "execution_count": None}
        cells.append(kept)
    metadata: dict[str, Any] = {
        "kernelspec": {
            key: value
            for key, value in (about.get("kernelspec") or {}).items()
            if key in ("display_name", "language", "name")
        }
        or {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": about.get("language_info", {}).get("name", "python")},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in words what differs between what a page was made from and what it would be now.

    >>> changes({"parameter top_k": "3", "lock": "a"}, {"parameter top_k": "5", "code": "b"})
    ['parameter top_k changed: 3 → 5', 'code is new', 'lock is gone']
    """
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
    around: Mapping[str, Any],
    *,
    preset: str,
    embed_inputs: bool,
) -> dict[str, Any]:
    """Say what a page was made from, for its closing section and the record inside it.

    Parameters
    ----------
    job : Job
    notebook : mapping
        As `read_source` gives it.
    depends : mapping
        As `Dependencies.to_run` gave it before the run.
    around : mapping
        What the page says of the preset and of its neighbours.
    preset : str
    embed_inputs : bool
        Whether the record holds the input files.

    Raises
    ------
    ValueError
        If an input file has changed since the run was planned.
    """
    record: dict[str, Any] = {
        "notebook_name": job.notebook.name,
        "preset": preset,
        "page": job.name,
        "command": f"stslab reproduce {job.name}.html",
        "model": {name: model_digest(job, name) for name in model_names(job)},
        "parameters": dict(job.parameters),
        "files": {},
        "versions": versions(),
        "sha256": {
            "notebook": digest(notebook["cells"]),
            "helper": _helper_digest(depends),
            "template": _template_digest(),
            **({"lock": depends["lock"]} if "lock" in depends else {}),
        },
        "around": dict(around),
        "notebook": dict(notebook),
    }
    for name, path in job.inputs.items():
        content = path.read_bytes()
        sha256 = bytes_digest(content)
        if sha256 != depends[f"input {name} ({path.name})"]:
            raise ValueError(f"{path.name} was changed while its page was being made. Build again.")
        about = {"name": path.name, "sha256": sha256, "bytes": len(content)}
        if b"\0" not in content:  # neither a spreadsheet nor UTF-16
            about["lines"] = len(content.splitlines())
        record["files"][name] = about
        if embed_inputs:
            record.setdefault("inputs", {})[name] = base64.b64encode(content).decode()
    return record


def helper_digests(code: str) -> dict[str, str]:
    """Digest each of the helper's files that some code uses."""
    return {f"helper {name}": file_digest(HELPER / name) for name in helper_files(code)}


def _helper_digest(depends: Mapping[str, str]) -> str:
    return digest({name: was for name, was in depends.items() if name.startswith("helper ")})


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


def model_names(job: Job) -> list[str]:
    """List the models that a notebook is run with."""
    parameters = read_parameters(job.notebook)
    names: list[str] = []
    for name in MODELS:
        if name in parameters:
            value = job.parameters.get(name, parameters[name].default)
            names += [value] if isinstance(value, str) else [str(each) for each in value or []]
    return list(dict.fromkeys(names))


def model_digest(job: Job, name: str) -> str:
    """Return the sha256 of all files of a model that a notebook is run with.

    Raises
    ------
    RequestError
        If there is no such model.
    """
    try:
        return find_model(str(job.models.get(name, name))).sha256
    except ModelError as error:
        raise RequestError(str(error)) from error


@functools.cache
def _runner_digest() -> str:
    """Digest the code that runs notebooks."""
    return digest([file_digest(file) for file in sorted(HERE.glob("running/*.py"))])


@functools.cache
def _template_digest() -> str:
    """Digest the code that makes pages, and its template."""
    files = [*HERE.glob("page/*.py"), *HERE.glob("page/template/*")]
    files += [HERE / "outputs.py", Path(__file__)]
    return digest({file.name: file_digest(file) for file in sorted(files)})
