"""An executed notebook and what it was made from → a page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode


def export(notebook: NotebookNode, name: str, record: Mapping[str, Any]) -> str:
    """Return a notebook's page with its record; the first takes some 300 ms, others some tens."""
    extra = {**record["around"], "record": dict(record)}
    resources = {"metadata": {"name": name}, "stslab": extra}
    page, _ = exporter().from_notebook_node(notebook, resources)
    return str(page)


@functools.cache
def exporter() -> Any:
    """Return the exporter, which is made once: its import and its templates take the 300 ms."""
    from .exporter import StslabExporter

    return StslabExporter()


def set_title(notebook: NotebookNode, source: Mapping[str, Any], name: str) -> NotebookNode:
    """Set an executed notebook's title to its heading; nbconvert would take its file's name."""
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
    """Return a notebook with the outputs that the same code gave when it was run before."""
    cells: list[Any] = []
    executed_cells = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    for cell in source["cells"]:
        if cell["cell_type"] == "code":
            while executed_cells[0]["id"] == "injected-parameters":
                cells.append(executed_cells.pop(0))
            executed_cell = executed_cells.pop(0)
            outputs = {key: executed_cell[key] for key in ("outputs", "execution_count")}
            cell = {**cell, **outputs}
        cells.append(cell)
    return {**source, "cells": [*cells, *executed_cells], "metadata": executed["metadata"]}
