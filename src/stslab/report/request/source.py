"""Notebooks read from files: what is used of them has the right type, whoever wrote them.

The shapes below hold only what is used. ``nbformat.validate`` refuses notebooks for what nobody
here reads, such as a cell without ``execution_count`` or with ``collapsed``, which Jupyter opens;
it names no line or column of a file that is cut; and its import makes the command's start half as
long again (0.3 s more).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..messages import RequestError

_Text = str | list[str]
_Forms = Annotated[dict[str, _Text], Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Tagged(_Shape):
    tags: list[str] = []


class _Cell(_Shape):
    cell_type: Literal["code", "markdown", "raw"]
    source: _Text
    metadata: _Tagged = _Tagged()
    id: str = ""
    attachments: dict[str, _Forms] = {}


class _Kernel(_Shape):
    name: str = ""
    display_name: str = ""
    language: str = ""


class _Language(_Shape):
    name: str = ""


class _Metadata(_Shape):
    kernelspec: _Kernel | None = None
    language_info: _Language = _Language()


class _Notebook(_Shape):
    nbformat: Literal[4]
    cells: list[_Cell]
    metadata: _Metadata = _Metadata()


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook's JSON; outputs, and what nobody here reads, may be anything."""
    # Of a pipe, reading would wait for what is written into it.
    if path.exists() and not path.is_file():
        raise RequestError(f"{path}: not a Jupyter notebook, but a folder or a device.")
    problem = ""
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _Notebook.model_validate(notebook)
        return notebook
    except OSError as error:
        raise RequestError(f"{path}: cannot read this notebook ({error.strerror}).") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join(map(str, first["loc"]))
        if place:
            problem = f" ({place}: {first['msg']})"
    except json.JSONDecodeError as error:
        problem = f" (line {error.lineno}, column {error.colno}: {error.msg})"
    except UnicodeDecodeError as error:
        problem = f" (byte {error.start} is not UTF-8)"
    except (ValueError, RecursionError):  # a number of too many digits; nested too deeply
        pass
    raise RequestError(
        f"{path}: not a Jupyter notebook of version 4{problem}. Open it in JupyterLab and save it."
    )


def is_report(notebook: Mapping[str, Any]) -> bool:
    """Return whether a notebook reports on texts rather than teaches: its first text is tagged."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            return "report" in cell.get("metadata", {}).get("tags", ())
    return False


def read_source(path: Path) -> dict[str, Any]:
    """Read a notebook as its author wrote it: without outputs, and what editors add to it."""
    return as_source(read_notebook(path))


def as_source(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook without what `read_source` leaves out; cells get ids, as in format 4.5."""
    metadata = notebook.get("metadata", {})
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    kernel = {
        key: value for key, value in (metadata.get("kernelspec") or {}).items() if key in python
    }
    language = metadata.get("language_info", {}).get("name", "python")
    return {
        "cells": [_source_cell(cell, index) for index, cell in enumerate(notebook["cells"])],
        "metadata": {"kernelspec": kernel or python, "language_info": {"name": language}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _source_cell(cell: Mapping[str, Any], index: int) -> dict[str, Any]:
    source_cell = {key: cell[key] for key in ("cell_type", "attachments") if key in cell}
    source_cell["id"] = cell.get("id", f"cell-{index}")
    source_cell["source"] = "".join(cell["source"])
    source_cell["metadata"] = {}
    tags = cell.get("metadata", {}).get("tags", [])
    if tags:
        source_cell["metadata"]["tags"] = tags
    if cell["cell_type"] == "code":
        source_cell["outputs"] = []
        source_cell["execution_count"] = None
    return source_cell
