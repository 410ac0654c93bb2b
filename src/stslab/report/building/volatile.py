"""Find in a notebook's outputs what makes two builds differ, and name the cell."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

VOLATILE = {
    "an object's address": re.compile(r"\bat 0x[0-9a-fA-F]{6,}|\b0x7[0-9a-f]{8,}\b"),
    "a process id": re.compile(r"\bpid\b\W{0,3}\d+|ipykernel_\d+", re.IGNORECASE),
}
# A user's sentence may speak of milliseconds or a date: not looked for in the helper's outputs.
VOLATILE_IN_CODE = {
    "a timing": re.compile(
        r"\b(wall time|cpu times|elapsed|took|finished in|s/it|it/s)\b.{0,20}\d"
        r"|\d\s?(it/s|s/it)\b"
        r"|\b\d+(\.\d+)?\s?(ms|µs|μs|ns)\b",
        re.IGNORECASE,
    ),
    "a time of day": re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d"),
}


def volatile_outputs(notebook: NotebookNode, root: Path) -> Iterator[str]:
    """Describe each output that holds an address, process id, timing, clock or machine path."""
    home = os.path.expanduser("~")  # noqa: PTH111 (Path.home raises where there is none)
    folders = {str(root), home, tempfile.gettempdir(), sys.prefix}
    paths = re.compile("|".join(re.escape(folder) for folder in sorted(folders) if len(folder) > 3))
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            patterns = {**VOLATILE, "a path": paths}
            if "stslab" not in output.get("metadata", {}):
                patterns |= VOLATILE_IN_CODE
            text = _text(output)
            for kind, pattern in patterns.items():
                match = pattern.search(text)
                if match:
                    yield (
                        f"{_cell_name(index, cell)}: its output holds {kind} ({match[0][:60]!r}), "
                        f"which differs from run to run. Keep it out of the output."
                    )


def changed_outputs(old: NotebookNode, new: NotebookNode) -> Iterator[str]:
    """Describe each output that differs between two runs of one notebook on the same inputs."""
    old_outputs = {cell.get("id"): cell.get("outputs", []) for cell in old.cells}
    for index, cell in enumerate(new.cells):
        if cell.get("outputs", []) != old_outputs.get(cell.get("id"), []):
            yield (
                f"{_cell_name(index, cell)}: its output is not the one of the last build, though "
                f"nothing that it depends on changed. Seed what is random; leave out what is timed."
            )


def _cell_name(index: int, cell: NotebookNode) -> str:
    return f"cell {index + 1} ({cell.get('id', '')})"


def _text(output: Any) -> str:
    """Return an output as text: the first of its forms that is one."""
    forms = {"text": output.get("text"), **output.get("data", {})}
    for kind in ("text", "text/plain", "text/html", "text/markdown"):
        if isinstance(forms.get(kind), str):
            return str(forms[kind])
    return ""
