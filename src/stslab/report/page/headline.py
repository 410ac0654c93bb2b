"""What a notebook showed with `show_finding`: the first thing on its page, and on the index."""

from __future__ import annotations

from typing import NamedTuple

from nbformat import NotebookNode

from .forms import forms_of, info_of


class Headline(NamedTuple):
    """A notebook's finding, the line that describes its data, and its cautions."""

    finding: str | None
    data_line: str
    cautions: list[str]


def read_headline(notebook: NotebookNode) -> Headline:
    """Return what a notebook showed as its finding; all empty if it showed none."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            info = info_of(output)
            if info.get("kind") != "finding":
                continue
            cautions = info.get("cautions")
            if not isinstance(cautions, list):
                cautions = []
            return Headline(
                finding=forms_of(output).get("text/plain") or None,
                data_line=str(info.get("about") or ""),
                cautions=[str(caution) for caution in cautions],
            )
    return Headline(None, "", [])
