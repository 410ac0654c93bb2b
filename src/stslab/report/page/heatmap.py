"""A similarity matrix as an instrument: a table whose cells are coloured and can be asked.

The text is real, so the reader's own fonts draw it in any script. Without JavaScript it is a table
with its pairs listed beneath; so it is on paper, where a large one lists its sentences instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from markupsafe import Markup, escape

from .tables import folded

MATRIX = "application/vnd.stslab.matrix+json"
STEPS = 20  # colours on each side of 0: one for each 0.05
NAMED = 8  # largest matrix whose columns carry texts; beyond, numbers point to the rows
LISTED = 16  # largest matrix whose pairs are printed; beyond, rows are numbers, too, on paper
CROWDED = (
    27  # largest matrix whose cells have a width of their own; beyond, they share what is there
)
PAIRS = 500  # pairs listed; of more, the highest and the lowest
SPOKEN = 2_000  # characters of a sentence that its row carries
TEXT = 100_000  # characters of sentences in that list; beyond, short labels stand for them


def valid(matrix: Any) -> bool:
    """Check that this is a matrix as `show_figure` writes it."""
    try:
        names, labels, values = matrix["sentences"], matrix["labels"], matrix["values"]
        return (
            all(isinstance(each, list) for each in (names, labels, values, *values))
            and 0 < len(names) == len(labels) == len(values)
            and all(len(row) == len(names) for row in values)
            and all(isinstance(text, str) for text in [*names, *labels])
            and all(math.isfinite(value) for row in values for value in row)
            and len(matrix.get("rows", names)) == len(names)
            and all(type(row) is int for row in matrix.get("rows", ()))
        )
    except (KeyError, TypeError, AttributeError, OverflowError):
        return False


def instrument(matrix: Mapping[str, Any], *, ident: str, caption: str, alt: str) -> Markup:
    """Draw a matrix; `caption` is the question that it answers, `alt` what it shows in words."""
    names, labels, values = matrix["sentences"], matrix["labels"], matrix["values"]
    numbers = matrix.get("rows") or range(1, len(names) + 1)
    named = len(names) <= NAMED
    columns = "".join(
        f'<th scope="col"><b>{i}</b>{_name(name, label, named)}</th>'
        for i, name, label in zip(numbers, names, labels, strict=True)
    )
    digits = _digits if len(names) <= LISTED else _short
    rows = "".join(
        f'<tr data-scores="{" ".join(f"{value * 10_000:.0f}" for value in row)}">'
        f'<th scope="row"><b>{i}</b>{_name(name, label, True)}</th>'
        + "".join(f'<td class="{step(value)}">{digits(value)}</td>' for value in row)
        + "</tr>"
        for i, name, label, row in zip(numbers, names, labels, values, strict=True)
    )
    sizes = {NAMED: "few", LISTED: "some", CROWDED: "many"}
    size = next((name for most, name in sizes.items() if len(names) <= most), "many most")
    scale = "".join(f'<i class="{step(v / 10)}"></i>' for v in range(-10, 11))
    return Markup(
        f'<div class="wide"><table class="heat {size}" id="{ident}" '
        f'aria-describedby="{ident}-says">'
        f"<caption>{escape(caption)}</caption><thead><tr><td></td>{columns}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
        '<div class="legend"><span>−1</span><span class="scale">'
        f"{scale}</span><span>1 same direction</span><small>(0, in the middle: unrelated)</small>"
        "</div>"
        f'<p class="says" id="{ident}-says">{escape(alt)}</p>'
        f"{_pairs(names, labels, values, numbers, caption)}"
    )


def step(value: float) -> str:
    """Name the colour class of a score in [-1, 1]."""
    return f"h{round((max(-1.0, min(1.0, value)) + 1) * STEPS)}"


def _digits(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"


def _short(value: float) -> str:
    """Write a score without its leading zero, where cells are narrow."""
    return re.sub(r"0(?=\.)|\.00", "", _digits(value)) or "0"


def _name(name: str, label: str, shown: bool) -> Markup:
    # Whole for those who listen; shortened for the eye by the stylesheet, as wide as there is room.
    text = name if len(name) <= SPOKEN else name[:SPOKEN] + "…"
    if not shown:
        return Markup('<span class="vh">{}</span>').format(text)
    if text == name:
        return Markup("<bdi>{}</bdi>").format(name)
    return Markup('<bdi aria-hidden="true">{}</bdi><span class="vh">{}</span>').format(label, text)


def _pairs(
    names: Sequence[str],
    labels: Sequence[str],
    values: Sequence[Sequence[float]],
    numbers: Sequence[int],
    caption: str,
) -> str:
    n = len(names)
    pairs = [(values[i][j], i, j) for i, j in combinations(range(n), 2)]
    pairs.sort(key=lambda pair: -pair[0])
    if not pairs:
        return ""
    full = ""
    about = f"All {len(pairs)} pairs, highest first" if len(pairs) > 1 else "The only pair"
    if len(pairs) > PAIRS:
        about = f"The {PAIRS // 2} highest and {PAIRS // 2} lowest of {len(pairs):,} pairs"
        pairs = pairs[: PAIRS // 2] + pairs[-PAIRS // 2 :]
    texts = [folded(name) for name in names]
    long = sum(len(texts[i]) + len(texts[j]) for _, i, j in pairs) > TEXT
    if long or n > LISTED:
        items = "".join(
            f'<li value="{i}"><bdi>{text}</bdi></li>'
            for i, text in zip(numbers, texts, strict=True)
        )
        full = f"<div><p>The sentences in full:</p><ol>{items}</ol></div>"
    if long:
        texts = [escape(label) for label in labels]
    rows = "".join(
        f"<tr><td>{texts[i]}</td><td>{texts[j]}</td>"
        f'<td class="number">{round(score, 4) + 0.0:.4f}</td></tr>'
        for score, i, j in pairs
    )
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("sentence a", "sentence b", "score"))
    return (
        f'<details class="data{" many" if n > LISTED else ""}"><summary>{about}</summary>'
        '<div class="wide"><table class="stslab">'
        f'<caption class="vh">Pairs: {escape(caption)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{full}</details>"
    )
