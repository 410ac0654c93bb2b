"""A similarity matrix on a page: a table with colored cells, whose pairs are listed beneath it.

The text is real, so the reader's own fonts draw it in any script. The script beside it lets the
reader ask for a pair; without JavaScript it is a table, and so it is on paper, where a large one
lists its sentences instead of its pairs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from .assets import templates
from .tables import folded

COLORS = 20  # on each side of 0: one for each step of 0.05
NAMED = 8  # largest matrix whose columns carry texts; beyond, numbers point to the rows
LISTED = 16  # largest matrix whose pairs are printed; beyond, rows are numbers, too, on paper
CROWDED = 27  # largest matrix whose cells have a width of their own; others share the page's
PAIRS = 500  # pairs listed; of more, the highest and the lowest
SPOKEN = 2_000  # characters of a sentence that its row carries
TEXT = 100_000  # characters of sentences in that list; beyond, short labels stand for them

_TEMPLATES = templates()


class _Row(NamedTuple):
    number: int
    head: Markup
    column_head: Markup
    scores: str  # in ten-thousandths, for the script
    cells: list[tuple[str, str]]  # classes of the color and outline, and the score as text


class _PairList(NamedTuple):
    summary: str
    rows: list[tuple[Markup, Markup, str]]  # sentences a and b, and their score
    sentences: list[tuple[int, Markup]]  # in full with their numbers, where paper needs them


def is_matrix(data: Any) -> bool:
    """Check that this is the data of a matrix as `heatmap` of `stslab.figures` writes it."""
    try:
        names, labels, values = data["sentences"], data["labels"], data["values"]
        return (
            all(isinstance(item, list) for item in (names, labels, values, *values))
            and 0 < len(names) == len(labels) == len(values)
            and all(len(row) == len(names) for row in values)
            and all(isinstance(text, str) for text in [*names, *labels])
            and all(math.isfinite(value) for row in values for value in row)
            and len(data.get("rows", names)) == len(names)
            and all(type(row) is int for row in data.get("rows", ()))
            and all(0 <= start < stop <= len(names) for start, stop in data.get("outlines", ()))
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def render_heatmap(data: Mapping[str, Any], *, ident: str, caption: str, alt: str) -> Markup:
    """Return a similarity matrix as HTML.

    Parameters
    ----------
    data : mapping
        ``sentences`` and their short ``labels``, the matrix as ``values``, and optionally
        ``rows``, the sentences' numbers, and ``outlines``, of each group that is outlined the
        first row and the one after its last.
    ident : str
        The id of the table on the page.
    caption : str
        The question that it answers.
    alt : str
        What it shows, in words.
    """
    numbers = data.get("rows") or range(1, len(data["sentences"]) + 1)
    html = _TEMPLATES.get_template("heatmap.html.j2").render(
        ident=ident,
        caption=caption,
        alt=alt,
        size=_size_class(len(numbers)),
        rows=_rows(data, numbers),
        scale=[color_class(tenth / 10) for tenth in range(-10, 11)],
        pair_list=_pair_list(data, numbers),
        is_large=len(numbers) > LISTED,
    )
    return Markup(html)


def color_class(value: float) -> str:
    """Return the CSS class for the color of a score in [-1, 1]."""
    return f"h{round((max(-1.0, min(1.0, value)) + 1) * COLORS)}"


def _size_class(count: int) -> str:
    """Return the CSS classes for a matrix of so many sentences."""
    if count <= NAMED:
        return "few"
    if count <= LISTED:
        return "some"
    if count <= CROWDED:
        return "many"
    return "many most"


def _rows(data: Mapping[str, Any], numbers: Sequence[int]) -> list[_Row]:
    names, labels, values = data["sentences"], data["labels"], data["values"]
    write_score = _two_decimals
    if len(names) > LISTED:
        write_score = _short_score
    outlines = data.get("outlines", ())
    rows = []
    for row, (number, name, label, scores) in enumerate(
        zip(numbers, names, labels, values, strict=True)
    ):
        head = _head(name, label)
        column_head = head
        if len(names) > NAMED:
            column_head = Markup('<span class="vh">{}</span>').format(_spoken(name))
        cells = [
            (color_class(score) + _outline_classes(outlines, row, column), write_score(score))
            for column, score in enumerate(scores)
        ]
        ten_thousandths = " ".join(f"{score * 10_000:.0f}" for score in scores)
        rows.append(_Row(number, head, column_head, ten_thousandths, cells))
    return rows


def _outline_classes(outlines: Sequence[Sequence[int]], row: int, column: int) -> str:
    """Return the CSS classes of the sides on which a cell is at the edge of its group's square."""
    for start, stop in outlines:
        if start <= row < stop and start <= column < stop:
            sides = {"top": row == start, "bottom": row == stop - 1}
            sides |= {"left": column == start, "right": column == stop - 1}
            return "".join(f" edge-{side}" for side, is_edge in sides.items() if is_edge)
    return ""


def _two_decimals(score: float) -> str:
    return f"{round(score, 2) + 0.0:.2f}"  # + 0.0 turns -0.0 into 0.0


def _short_score(score: float) -> str:
    """Return a score without its leading zero, for narrow cells."""
    return re.sub(r"0(?=\.)|\.00", "", _two_decimals(score)) or "0"


def _head(name: str, label: str) -> Markup:
    """Return a sentence as the head of its row.

    A screen reader reads it in full; the stylesheet shortens it for the eye, to the width that
    there is. A very long one is shortened for both.
    """
    spoken = _spoken(name)
    if spoken == name:
        return Markup("<bdi>{}</bdi>").format(name)
    return Markup('<bdi aria-hidden="true">{}</bdi><span class="vh">{}</span>').format(
        label, spoken
    )


def _spoken(name: str) -> str:
    if len(name) <= SPOKEN:
        return name
    return f"{name[:SPOKEN]}…"


def _pair_list(data: Mapping[str, Any], numbers: Sequence[int]) -> _PairList | None:
    """Return the pairs of a matrix, best first; None if there is only one sentence."""
    values = data["values"]
    pairs = [(values[i][j], i, j) for i, j in combinations(range(len(values)), 2)]
    pairs.sort(key=lambda pair: -pair[0])
    if not pairs:
        return None
    summary = f"All {len(pairs)} pairs, highest first"
    if len(pairs) == 1:
        summary = "The only pair"
    if len(pairs) > PAIRS:
        summary = f"The {PAIRS // 2} highest and {PAIRS // 2} lowest of {len(pairs):,} pairs"
        pairs = pairs[: PAIRS // 2] + pairs[-PAIRS // 2 :]
    texts = [folded(name) for name in data["sentences"]]
    is_long = sum(len(texts[i]) + len(texts[j]) for _, i, j in pairs) > TEXT
    sentences = []
    if is_long or len(texts) > LISTED:
        sentences = list(zip(numbers, texts, strict=True))
    if is_long:
        texts = [escape(label) for label in data["labels"]]
    rows = [(texts[i], texts[j], f"{round(score, 4) + 0.0:.4f}") for score, i, j in pairs]
    return _PairList(summary, rows, sentences)
