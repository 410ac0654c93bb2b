"""What several tests do with lessons: run their cells on warm kernels, read what was said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from conftest import ROOT

from stslab.report.running.run import Work, run

# What goes wrong where a sentence was written for other numbers or other texts: "… too long.”.",
# "0 of 3", "1 pairs", "nan".
SLIPS = re.compile(
    r"[.!?]”\.|(?<!\.)\.\.(?!\.)|\bnan\b|\bNaN\b|(?<![\d.,])0 (?:of|others?|\w+s)\b|: 0\.(?!\d)"
    r"|(?<![\d.,])1 (?:pairs|sentences|texts|groups|rows|clusters)\b|  | [.,;:](?!\w)|\(\)"
)


# What takes less time than a notebook's own values: fewer texts, and vectors to build stores of.
FEW_TEXTS = [
    f"{one} {two}s." for one in ("We buy", "They sell") for two in "abcdefghijklmnopqrstuvwxyz"
]
QUICKER = {"16_vector_stores": {"sizes": [300, 600], "corpus": FEW_TEXTS}}


def code_of(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def is_check(cell: Mapping[str, Any]) -> bool:
    return "check" in cell["metadata"].get("tags", [])


def executed(
    cells: Iterable[dict[str, Any]],
    values: Mapping[str, Any] | None = None,
    files: Mapping[str, tuple[str, bytes]] | None = None,
) -> list[dict[str, Any]]:
    """Run code cells, some of them more than once, in one kernel; give their outputs."""
    made = [cell | {"id": f"c{number}"} for number, cell in enumerate(cells)]
    about = {"kernelspec": {"name": "python3", "display_name": "3", "language": "python"}}
    notebook = {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    done = run(Work("cells", json.dumps(notebook), values or {}, files or {}, kernel="warm"))
    assert done.error is None, done.error
    return [out for cell in json.loads(done.notebook)["cells"] for out in cell["outputs"]]


def lesson(number: str) -> Path:
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return path


def said(outputs: Iterable[Mapping[str, Any]], *kinds: str) -> list[str]:
    """List what outputs of some kinds say: texts, findings, captions of tables, titles."""
    found = []
    for output in outputs:
        about = output.get("metadata", {}).get("stslab", {})
        if about.get("kind") in kinds:
            text = output["data"]["text/plain"] if about["kind"] in ("text", "finding") else ""
            found.append(about.get("caption") or about.get("title") or "".join(text))
    return found


def slips(outputs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Find sentences with something that a careful writer would not leave."""
    return [
        text for text in said(outputs, "text", "finding", "table", "figure") if SLIPS.search(text)
    ]


def table(outputs: Iterable[Mapping[str, Any]], name: str) -> str:
    """Give a table's CSV."""
    (found,) = [o for o in outputs if o.get("metadata", {}).get("stslab", {}).get("name") == name]
    return "".join(found["data"]["text/csv"])
