"""Find in a notebook's outputs what would make two builds differ, and name the cell."""

from __future__ import annotations

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
    "a timing": re.compile(
        r"\b(wall time|cpu times|elapsed|took|finished in|s/it|it/s)\b.{0,20}\d"
        r"|\d\s?(it/s|s/it)\b"
        r"|\b\d+(\.\d+)?\s?(ms|µs|μs|ns)\b",
        re.IGNORECASE,
    ),
    "a time of day": re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d"),
}


def volatile_outputs(notebook: NotebookNode, root: Path) -> Iterator[str]:
    """Describe each output that holds an address, process id, timing, clock or machine path.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    root : Path
        The project's folder, one of the paths looked for.

    Yields
    ------
    str
        Which cell, what was found, and its text.
    """
    folders = {str(root), str(Path.home()), tempfile.gettempdir(), sys.prefix}
    paths = re.compile("|".join(re.escape(folder) for folder in sorted(folders) if len(folder) > 3))
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            # A user's sentences may speak of milliseconds; the helper's tables hold no timings.
            ours = "stslab" in output.get("metadata", {})
            for text in _texts(output):
                for what, pattern in {**({} if ours else VOLATILE), "a path": paths}.items():
                    if found := pattern.search(text):
                        yield (
                            f"cell {index + 1} ({cell.get('id', '')}): its output holds {what} "
                            f"({found[0][:60]!r}), which differs from run to run. Keep it out of "
                            f"the output."
                        )


def _texts(output: Any) -> Iterator[str]:
    if output.output_type == "stream":
        yield output.text
    data = output.get("data", {})
    for kind in ("text/plain", "text/html", "text/markdown"):
        if isinstance(data.get(kind), str):
            yield data[kind]
            return  # the other forms say the same
