"""An executed notebook and what it was made from → a page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode


def export(notebook: NotebookNode, name: str, record: Mapping[str, Any]) -> str:
    """Render a page with its record: some 300 ms the first time, some tens afterwards."""
    extra = {**record["around"], "record": dict(record)}
    resources = {"metadata": {"name": name}, "stslab": extra}
    return str(exporter().from_notebook_node(notebook, resources)[0])


@functools.cache
def exporter() -> Any:
    """Return the exporter, made once."""
    from .exporter import StslabExporter

    return StslabExporter()


def titled(notebook: NotebookNode, source: Mapping[str, Any], name: str) -> NotebookNode:
    """Give an executed notebook its heading as title, which would else be a file's name."""
    notebook.metadata["title"] = heading(source) or name
    return notebook


def heading(source: Mapping[str, Any]) -> str:
    """Return a notebook's ``# `` heading; empty if it has none."""
    for cell in source["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return ""


def with_outputs(source: Mapping[str, Any], executed: Mapping[str, Any]) -> dict[str, Any]:
    """Join a notebook's text with the outputs of the same code, run before."""
    cells: list[Any] = []
    waiting = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    for cell in source["cells"]:
        if cell["cell_type"] == "code":
            while waiting[0]["id"] == "injected-parameters":
                cells.append(waiting.pop(0))
            ran = waiting.pop(0)
            cell = {**cell, **{key: ran[key] for key in ("outputs", "execution_count")}}
        cells.append(cell)
    return {**source, "cells": [*cells, *waiting], "metadata": executed["metadata"]}
