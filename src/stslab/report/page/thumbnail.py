"""What stands beside a page's finding on the index: its first figure or table, very small."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from . import heatmap
from .forms import forms, info_of
from .tables import scores

SIDE = 160  # pixels: 5 rem on a screen of twice the usual density
COLOURS = 32


def thumbnail(nb: NotebookNode) -> Markup | None:
    """Draw a notebook's first heatmap, score bars or other figure, else its first table.

    Parameters
    ----------
    nb : NotebookNode
        Executed.

    Returns
    -------
    Markup or None
        SVG without text, hidden from screen readers: the finding beside it says more.
    """
    outputs = [output for cell in nb.cells for output in cell.get("outputs", ())]
    shown = [(info_of(output).get("kind"), forms(output)) for output in outputs]
    figures = [_figure(data) for kind, data in shown if kind == "figure"]
    bars = [_bars(each) for kind, data in shown if kind == "table" and (each := _scores(data))]
    tables = [_table(data) for kind, data in shown if kind == "table"]
    matrix = next((data for _, data in shown if heatmap.valid(data.get(heatmap.MATRIX))), None)
    if matrix:
        return _cells(matrix[heatmap.MATRIX]["values"])
    return next(filter(None, [*bars, *figures, *tables]), None)


def _scores(data: dict[str, Any]) -> list[float]:
    return scores(data.get("text/html", ""))[:8]


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


def _bars(scores: Sequence[float]) -> Markup:
    n = len(scores)
    bars = "".join(
        f'<rect class="{heatmap.step(score)}" x="{min(50 + 50 * score, 50):.0f}" '
        f'y="{100 * i / n + 2:.0f}" width="{max(abs(50 * score), 1):.0f}" '
        f'height="{100 / n - 4:.0f}"/>'
        for i, score in enumerate(scores)
    )
    return _drawing(100, 100, f'<path d="M50 0V100"/>{bars}')


def _table(data: dict[str, Any]) -> Markup:
    """Draw the lines of a table of at most 4 columns and 8 rows."""
    html = data.get("text/html", "")
    columns = min(max(html.count("<th"), 1), 4)
    rows = min(max(html.count("<tr") - 1, 1), 8)
    lines = "".join(f"M10 {y}H90" for y in (10 + 80 * row // rows for row in range(rows + 1)))
    lines += "".join(f"M{10 + 80 * column // columns} 10V90" for column in range(1, columns))
    return _drawing(100, 100, f'<path d="{lines}"/>')


def _figure(data: dict[str, Any]) -> Markup | None:
    """Shrink a figure's PNG; None where it has none that can be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data.get("image/png", ""))))
        small = picture.convert("RGB")
    except (UnidentifiedImageError, ValueError, OSError, Image.DecompressionBombError):
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
