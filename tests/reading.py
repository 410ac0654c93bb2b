"""What a page shows a reader, its links, and numbers that are longer than a reader can bear."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

CODE = ("code", "pre", "script", "style")
LONG = re.compile(r".{0,40}(?:\d[.,]\d{5,}|\d[eE][-+]?\d{2,}\b).{0,20}")
COUNTED = re.compile(r"Read ([\d,]+) rows?\b.*, used \1\b")


class Page(HTMLParser):
    """A page's tags in order, its texts without code, and its tables' cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.cells: list[str] = []
        self._code = self._cell = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._code += tag in CODE
        self.texts += [value for name, value in attrs if name in ("alt", "aria-label") and value]
        if tag == "td":
            self._cell += 1
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in CODE
        self._cell -= tag == "td"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.texts.append(data)
        if self._cell:
            self.cells[-1] += data

    def all(self, *names: str) -> list[dict[str, str | None]]:
        """Give the attributes of all tags of some names."""
        return [attrs for tag, attrs in self.tags if tag in names]


def read(path: Path) -> Page:
    """Read a page without the section that says what it was made from."""
    return Page(path.read_text("utf-8").split('id="made-from"')[0])


def shown(page: Path) -> str:
    """Read what a page shows or says aloud; not its code, nor what it was made from."""
    return "\n".join(read(page).texts)


def cells_of(page: Path) -> list[str]:
    """List the cells of a page's tables, with the minus sign of a keyboard."""
    return [cell.strip().replace("−", "-") for cell in read(page).cells]


def long_numbers(folder: Path) -> dict[str, list[str]]:
    """Find numbers of more than 4 decimals on the pages of a report."""
    found = {page.stem: LONG.findall(shown(page)) for page in sorted(folder.glob("*.html"))}
    return {name: numbers for name, numbers in found.items() if numbers}


def unnamed(folder: Path, model: str) -> list[str]:
    """Find pages that do not say which model their numbers are of."""
    return [page.stem for page in sorted(folder.glob("*.html")) if model not in shown(page)]


def uncounted(folder: Path) -> list[str]:
    """Find pages that do not say how many rows were read, and that all were used."""
    return [page.stem for page in sorted(folder.glob("*.html")) if not COUNTED.search(shown(page))]
