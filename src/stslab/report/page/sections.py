"""The cells of a page, and the sections that it has them in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup

SETUP = "Setup"  # the label of cells that only prepare what follows
NOTHING = Markup("")


@dataclass
class PageCell:
    """A cell as the template shows it."""

    kind: Literal["prose", "code"]
    html: Markup = NOTHING
    label: str = "Code"
    preview: str = ""  # a line that says what the code does
    code: Markup = NOTHING
    outputs: list[Markup] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)  # rows of a table
    solution: bool = False
    failing: bool = False


Section = list[PageCell]


def join_setup_cells(cells: list[PageCell]) -> list[PageCell]:
    """Join setup cells that follow each other, as long as they show nothing, into one fold."""
    joined: list[PageCell] = []
    for cell in cells:
        previous = None
        if joined:
            previous = joined[-1]
        if previous and previous.label == cell.label == SETUP and not previous.outputs:
            cell.code = Markup("\n\n").join([previous.code, cell.code])
            joined.pop()
        joined.append(cell)
    return joined


def split_into_sections(cells: list[PageCell]) -> list[Section]:
    """Split a page at its section headings: a browser draws a section once it comes into sight."""
    sections: list[Section] = [[]]
    for cell in cells:
        if cell.html.startswith("<h2"):
            sections.append([])
        sections[-1].append(cell)
    return sections


def is_empty(section: Section) -> bool:
    """Check that a section shows nothing in a report, which folds its code, but its heading."""
    visible_cells = [cell for cell in section if cell.kind == "prose" or cell.outputs]
    if len(visible_cells) != 1:
        return False
    return bool(re.fullmatch(r"<h2[^\n]*</h2>\s*", visible_cells[0].html))


def contents_of_filled(
    contents: list[tuple[int, str, str]], sections: list[Section]
) -> list[tuple[int, str, str]]:
    """Return the contents without the headings of empty sections."""
    empty_ids: set[str] = set()
    for section in sections:
        if is_empty(section):
            empty_ids.update(re.findall(r' id="(.*?)"', section[0].html))
    return [entry for entry in contents if entry[1] not in empty_ids]
