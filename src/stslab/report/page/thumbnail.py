"""What stands beside a page's finding on the index: its main figure or table, very small."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from itertools import chain

from markupsafe import Markup
from nbformat import NotebookNode

from . import heatmap
from .forms import forms, info_of
from .tables import scores

SIDE = 160  # pixels: 5 rem on a screen of twice the usual density
COLOURS = 32


def thumbnail(nb: NotebookNode) -> Markup | None:
    """Draw a notebook's main picture, else its first table.

    It has no text and is hidden from screen readers: the finding beside it says more.
    """
    outputs = [output for cell in nb.cells for output in cell.get("outputs", ())]
    if (main := main_picture(outputs)) is not None:
        data = forms(main)
        if heatmap.valid(data.get(heatmap.MATRIX)):
            return _cells(data[heatmap.MATRIX]["values"])
        if drawn := _figure(data.get("image/png", "")):
            return drawn
    shown = [forms(output) for output in outputs if info_of(output).get("kind") == "table"]
    tables = [data.get("text/html", "") for data in shown]
    return next(filter(None, chain(map(_bars, tables), map(_table, tables))), None)


def main_picture(outputs: Sequence[NotebookNode]) -> NotebookNode | None:
    """Choose the figure named "main", else the first heatmap, else the first figure."""
    figures = [output for output in outputs if info_of(output).get("kind") == "figure"]
    named = [output for output in figures if info_of(output).get("name") == "main"]
    heat = [each for each in figures if heatmap.valid(forms(each).get(heatmap.MATRIX))]
    return next(iter([*named, *heat, *figures]), None)


def _cells(values: Sequence[Sequence[float]]) -> Markup:
    """Draw a matrix; a large one is sampled."""
    n = min(len(values), 12)
    at = [i * len(values) // n for i in range(n)]
    cells = "".join(
        f'<rect class="{heatmap.step(values[i][j])}" x="{x}" y="{y}" width="1" height="1"/>'
        for y, i in enumerate(at)
        for x, j in enumerate(at)
    )
    return _drawing(n, n, cells)


def _bars(html: str) -> Markup | None:
    """Draw the scores of a table; None where it has none."""
    shown = scores(html)[:8]
    n = len(shown)
    bars = "".join(
        f'<rect class="{heatmap.step(score)}" x="{min(50 + 50 * score, 50):.0f}" '
        f'y="{100 * i / n + 2:.0f}" width="{max(abs(50 * score), 1):.0f}" '
        f'height="{100 / n - 4:.0f}"/>'
        for i, score in enumerate(shown)
    )
    return _drawing(100, 100, f'<path d="M50 0V100"/>{bars}') if bars else None


def _table(html: str) -> Markup:
    """Draw the lines of a table of at most 4 columns and 8 rows."""
    columns = min(max(html.count("<th"), 1), 4)
    rows = min(max(html.count("<tr") - 1, 1), 8)
    lines = "".join(f"M10 {y}H90" for y in (10 + 80 * row // rows for row in range(rows + 1)))
    lines += "".join(f"M{10 + 80 * column // columns} 10V90" for column in range(1, columns))
    return _drawing(100, 100, f'<path d="{lines}"/>')


def _figure(png: str) -> Markup | None:
    """Shrink a figure's PNG; None where it has none that can be read."""
    from PIL import Image

    try:
        small = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    except (ValueError, OSError, Image.DecompressionBombError):
        return None
    small.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    small.quantize(COLOURS).save(stream, "png", optimize=True)
    content = base64.b64encode(stream.getvalue()).decode()
    width, height = small.size
    image = f'<image class="ours" width="{width}" height="{height}" href="data:image/png;base64,'
    return _drawing(width, height, f'{image}{content}"/>')


def _drawing(width: int, height: int, content: str) -> Markup:
    return Markup(f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{content}</svg>')
