"""Numbers on pages: 4 decimals at most, and beside them the model and the input they are of."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

CODE = ("code", "pre", "script", "style")
TOO_LONG = re.compile(r".{0,40}(?:\d[.,]\d{5,}|\d[eE][-+]?\d{2,}\b).{0,20}")


class _Shown(HTMLParser):
    """What a page shows or says aloud, its code apart."""

    def __init__(self):
        super().__init__()
        self.text, self.code = [], 0

    def handle_starttag(self, tag, attrs):
        self.code += tag in CODE
        self.text += [value for name, value in attrs if name in ("alt", "aria-label") and value]

    def handle_endtag(self, tag):
        self.code -= tag in CODE

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)


def shown(page):
    parser = _Shown()
    parser.feed(page.read_text("utf-8").split('id="made-from"')[0])
    return "\n".join(parser.text)


@pytest.fixture(params=["report", "second_report"])
def pages(request):
    folder = request.getfixturevalue(request.param)
    return {path.stem: shown(path) for path in sorted(folder.glob("*.html"))}


def test_no_page_shows_more_than_four_decimals(pages):
    """In prose, tables, figures and their alternatives; code and what a page is made from apart."""
    long = {name: TOO_LONG.findall(text) for name, text in pages.items()}
    assert {name: found for name, found in long.items() if found} == {}


def test_every_page_with_numbers_says_which_model_and_input_they_are_of(pages):
    unnamed = [name for name, text in pages.items() if not re.search(r"MiniLM|potion", text)]
    assert set(unnamed) <= {"index"}
    own = {"03_installation", "04_loading_a_model", "09_conclusion", "12_blind_spots", "index"}
    uncounted = [name for name, text in pages.items() if "came in, all were used" not in text]
    assert set(uncounted) == own & set(pages)


@pytest.mark.parametrize("text", ["0.12345", "1.5e-07", "-3.141592 and", "1e-05"])
def test_a_long_number_would_be_found(text):
    assert TOO_LONG.search(text)


@pytest.mark.parametrize("text", ["0.1234", "2026-11-24", "1,379 pairs", "53aa5117", "e5-base"])
def test_other_figures_are_left_alone(text):
    assert not TOO_LONG.search(text)
