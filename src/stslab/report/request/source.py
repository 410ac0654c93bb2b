"""A notebook's file → its source, checked: whoever wrote it, what is used has the right type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .values import RequestError

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


class _About(_Shape):
    kernelspec: _Kernel | None = None
    language_info: _Language = _Language()


class _Notebook(_Shape):
    nbformat: Literal[4]
    cells: list[_Cell]
    metadata: _About = _About()


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook's JSON; outputs, and what nobody here reads, may be anything."""
    why = ""
    if path.exists() and not path.is_file():  # a folder; or a pipe, for which one would wait
        raise RequestError(f"{path}: not a Jupyter notebook, but a folder or a device.")
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _Notebook.model_validate(notebook)
        return notebook
    except OSError as error:
        raise RequestError(f"{path}: cannot read this notebook ({error.strerror}).") from None
    except ValidationError as error:
        first = error.errors()[0]
        if where := ", ".join(map(str, first["loc"])):
            why = f" ({where}: {first['msg']})"
    except json.JSONDecodeError as error:
        why = f" (line {error.lineno}, column {error.colno}: {error.msg})"
    except UnicodeDecodeError as error:
        why = f" (byte {error.start} is not UTF-8)"
    except (ValueError, RecursionError):  # a number of too many digits; nested too deeply
        pass
    raise RequestError(
        f"{path}: not a Jupyter notebook of version 4{why}. Open it in JupyterLab and save it."
    )


def is_report(notebook: Mapping[str, Any]) -> bool:
    """Whether a notebook reports on texts rather than teaches: its first text is tagged so."""
    texts = (cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    first: Mapping[str, Any] = next(texts, {})
    return "report" in first.get("metadata", {}).get("tags", ())


def read_source(path: Path) -> dict[str, Any]:
    """Read a notebook as its author wrote it: without outputs, and what editors add to it."""
    return as_source(read_notebook(path))


def as_source(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a notebook what `read_source` leaves out; cells get ids, as in format 4.5."""
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
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    kernel = {k: v for k, v in (about.get("kernelspec") or {}).items() if k in python} or python
    language = {"name": about.get("language_info", {}).get("name", "python")}
    metadata = {"kernelspec": kernel, "language_info": language}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
