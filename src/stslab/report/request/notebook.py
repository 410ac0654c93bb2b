"""A notebook's file → its JSON, checked: whoever wrote it, what is read on has the right type."""

from __future__ import annotations

import json
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
    """Read a notebook.

    Parameters
    ----------
    path : Path
        An ``.ipynb`` file, version 4.

    Returns
    -------
    dict
        Its JSON; outputs, and what nobody here reads, may be anything.

    Raises
    ------
    RequestError
        If the file cannot be read or is not a notebook.
    """
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _Notebook.model_validate(notebook)
    except OSError as error:
        raise RequestError(f"{path}: cannot read this notebook ({error.strerror}).") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ", ".join(map(str, first["loc"]))
        raise _refused(path, f" ({where}: {first['msg']})" if where else "") from None
    except (ValueError, RecursionError):
        raise _refused(path) from None
    return notebook


def _refused(path: Path, why: str = "") -> RequestError:
    return RequestError(
        f"{path}: not a Jupyter notebook of version 4{why}. Open it in JupyterLab and save it."
    )
