"""What a page says of its origin: how to cite it, and a record where no builder made one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

from nbformat import NotebookNode

from ..identity import digest
from ..request.source import as_source
from .forms import has_tag


def citation(title: str, name: str, record: Mapping[str, Any]) -> str:
    """Return what to name when a page is quoted, without a date: equal inputs give equal pages."""
    files = record.get("files") or []
    if isinstance(files, Mapping):
        files = list(files.values())
    sources = [f"{file['name']} (SHA-256 {file['sha256'][:12]}…)" for file in files]
    if not sources:
        notebook_digest = record["sha256"]["notebook"]
        sources = [f"{record.get('notebook_name')} (SHA-256 {notebook_digest[:12]}…)"]
    full_stop = "."
    if title.endswith((".", "?", "!", "…")):
        full_stop = ""
    origin = f"made with stslab {version('stslab')} from {', '.join(sources)}"
    return f"{title[:200]}{full_stop} {name}.html, {origin}."


def own_record(notebook: NotebookNode, name: str, injected: str) -> dict[str, Any]:
    """Return what a notebook by itself can say it was made from: its cells, and their digest."""
    # nbformat gives the cells of an old notebook ids by chance; a position is always the same.
    cells = [
        {**cell, "id": f"cell-{index}"}
        for index, cell in enumerate(notebook.cells)
        if not has_tag(cell, "injected-parameters")
        and not has_tag(cell, "papermill-error-cell-tag")
    ]
    source = as_source({"cells": cells, "metadata": notebook.metadata})
    record: dict[str, Any] = {"notebook_name": PurePosixPath(name).name, "notebook": source}
    language_info = notebook.metadata.get("language_info", {})
    if language_info.get("version"):
        record["versions"] = {language_info.get("name", "language"): language_info["version"]}
    if injected:
        record["injected_parameters"] = injected
    record["sha256"] = {"notebook": digest(source)}
    return record
