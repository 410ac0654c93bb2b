"""Take the figures and tables that an executed notebook carries out of its outputs."""

from __future__ import annotations

import base64
import re
from typing import Any

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
            told = output.get("metadata", {}).get("stslab") or {}
            label = told.get("name")
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
            files |= _forms(output.data, f"{name}-{label}")
    return files


def _forms(data: Any, stem: str) -> dict[str, bytes]:
    files = {}
    if "image/svg+xml" in data:
        files[f"figures/{stem}.svg"] = data["image/svg+xml"].encode()
    if "image/png" in data:
        files[f"figures/{stem}.png"] = base64.b64decode(data["image/png"])
    if "text/csv" in data:
        files[f"data/{stem}.csv"] = data["text/csv"].encode()
    return files
