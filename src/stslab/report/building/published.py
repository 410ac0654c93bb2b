"""The figures and tables of an executed notebook, as files to publish beside its page."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..page.forms import forms, info_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

# They become file names: a text is never a path.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def published_files(notebook: NotebookNode, name: str) -> dict[str, bytes]:
    """List the files to publish beside a page: its named figures and data.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    name : str
        The page's name.

    Returns
    -------
    dict of str to bytes
        Path in the report's folder → content.

    Raises
    ------
    ValueError
        If two outputs have one name, or a name cannot be a file's.
    """
    files: dict[str, bytes] = {}
    shown_by: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", ()):
            label = info_of(output).get("name")
            if not label:
                continue
            if not NAME.fullmatch(str(label)):
                raise ValueError(
                    f"cell {index} shows something under the name {label!r}. Use lower-case words "
                    f"joined by hyphens."
                )
            if label in shown_by:
                raise ValueError(
                    f"cells {shown_by[label]} and {index} both show {label!r}: their files would "
                    f"overwrite each other. Give one another name."
                )
            shown_by[label] = index
            files |= _files(forms(output), f"{name}-{label}")
    return files


def is_output(path: str, page: str) -> bool:
    """Whether a page of this name can have published a file of this path.

    >>> is_output("figures/08-map.png", "08"), is_output("../08.html", "08")
    (True, False)
    """
    page, name = re.escape(page), NAME.pattern
    kinds = (
        rf"{page}\.(html|ipynb)",
        rf"figures/{page}-{name}\.(svg|png)",
        rf"data/{page}-{name}\.csv",
    )
    return any(re.fullmatch(kind, path) for kind in kinds)


def _files(data: Mapping[str, Any], stem: str) -> dict[str, bytes]:
    from ..page.svg import standalone_svg

    files = {}
    if drawing := standalone_svg(data.get("image/svg+xml", "")):
        files[f"figures/{stem}.svg"] = drawing.encode()
    if "image/png" in data:
        files[f"figures/{stem}.png"] = base64.b64decode(data["image/png"])
    if "text/csv" in data:
        files[f"data/{stem}.csv"] = data["text/csv"].encode()
    return files
