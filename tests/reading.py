"""What a page shows a reader, and the numbers in it that are longer than they can bear."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

CODE = ("code", "pre", "script", "style")
LONG = re.compile(r".{0,40}(?:\d[.,]\d{5,}|\d[eE][-+]?\d{2,}\b).{0,20}")


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.code = 0

    def handle_starttag(self, tag, attrs):
        self.code += tag in CODE
        self.text += [value for name, value in attrs if name in ("alt", "aria-label") and value]

    def handle_endtag(self, tag):
        self.code -= tag in CODE

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)


def shown(page: Path) -> str:
    """Read what a page shows or says aloud; not its code, nor what it was made from."""
    parser = _Shown()
    parser.feed(page.read_text("utf-8").split('id="made-from"')[0])
    return "\n".join(parser.text)


def long_numbers(folder: Path) -> dict[str, list[str]]:
    """Find numbers of more than 4 decimals on the pages of a report."""
    found = {page.stem: LONG.findall(shown(page)) for page in sorted(folder.glob("*.html"))}
    return {name: numbers for name, numbers in found.items() if numbers}


def unnamed(folder: Path, model: str) -> list[str]:
    """Find pages that do not say which model their numbers are of."""
    return [page.stem for page in sorted(folder.glob("*.html")) if model not in shown(page)]


def uncounted(folder: Path) -> list[str]:
    """Find pages that do not say how many rows came in and were used."""
    said = "came in, all were used"
    return [page.stem for page in sorted(folder.glob("*.html")) if said not in shown(page)]
