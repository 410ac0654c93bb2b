"""The small drawing beside a page's finding on the index: its main figure or table."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from markupsafe import Markup
from nbformat import NotebookNode

from ...mime_types import MATRIX
from . import heatmap
from .forms import forms_of, info_of
from .tables import bar_scores

SIDE = 160  # pixels: 5 rem on a screen of twice the usual density
COLORS = 32  # of a shrunk figure, to keep it small
CELLS = 12  # on each side of a matrix
BARS = 8


def thumbnail(notebook: NotebookNode) -> Markup | None:
    """Return a drawing of a notebook's main picture, else of its first table.

    It has no text and is hidden from screen readers: the finding beside it says more.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    picture = main_picture(outputs)
    if picture is not None:
        forms = forms_of(picture)
        if heatmap.is_matrix(forms.get(MATRIX)):
            return _draw_matrix(forms[MATRIX]["values"])
        drawing = _shrink(forms.get("image/png", ""))
        if drawing:
            return drawing
    tables = [
        forms_of(output).get("text/html", "")
        for output in outputs
        if info_of(output).get("kind") == "table"
    ]
    # The first table that has scores says more than the lines of another.
    for html in tables:
        if scores := bar_scores(html):
            return _draw_bars(scores[:BARS])
    if tables:
        return _draw_lines(tables[0])
    return None


def main_picture(outputs: Sequence[NotebookNode]) -> NotebookNode | None:
    """Return the figure named "main", else the first heatmap, else the first figure."""
    figures = [output for output in outputs if info_of(output).get("kind") == "figure"]
    for figure in figures:
        if info_of(figure).get("name") == "main":
            return figure
    for figure in figures:
        if heatmap.is_matrix(forms_of(figure).get(MATRIX)):
            return figure
    if figures:
        return figures[0]
    return None


def _draw_matrix(values: Sequence[Sequence[float]]) -> Markup:
    """Draw a matrix; of a large one, some rows and columns at equal distances."""
    side = min(len(values), CELLS)
    positions = [index * len(values) // side for index in range(side)]
    cells = []
    for y, row in enumerate(positions):
        for x, column in enumerate(positions):
            color = heatmap.color_class(values[row][column])
            cells.append(f'<rect class="{color}" x="{x}" y="{y}" width="1" height="1"/>')
    return _drawing(side, side, "".join(cells))


def _draw_bars(scores: Sequence[float]) -> Markup:
    """Draw scores as bars to the left and right of a line in the middle."""
    bars = []
    for index, score in enumerate(scores):
        x = f"{min(50 + 50 * score, 50):.0f}"
        y = f"{100 * index / len(scores) + 2:.0f}"
        width = f"{max(abs(50 * score), 1):.0f}"
        height = f"{100 / len(scores) - 4:.0f}"
        color = heatmap.color_class(score)
        bars.append(f'<rect class="{color}" x="{x}" y="{y}" width="{width}" height="{height}"/>')
    return _drawing(100, 100, f'<path d="M50 0V100"/>{"".join(bars)}')


def _draw_lines(html: str) -> Markup:
    """Draw the lines of a table of at most 4 columns and 8 rows."""
    columns = min(max(html.count("<th"), 1), 4)
    rows = min(max(html.count("<tr") - 1, 1), 8)
    lines = [f"M10 {10 + 80 * row // rows}H90" for row in range(rows + 1)]
    lines += [f"M{10 + 80 * column // columns} 10V90" for column in range(1, columns)]
    return _drawing(100, 100, f'<path d="{"".join(lines)}"/>')


def _shrink(png: str) -> Markup | None:
    """Return a figure's PNG made small; None if it cannot be read."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    except (ValueError, OSError, Image.DecompressionBombError):
        return None
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.quantize(COLORS).save(stream, "png", optimize=True)
    content = base64.b64encode(stream.getvalue()).decode()
    width, height = image.size
    return _drawing(
        width,
        height,
        f'<image class="ours" width="{width}" height="{height}" '
        f'href="data:image/png;base64,{content}"/>',
    )


def _drawing(width: int, height: int, content: str) -> Markup:
    """Return an SVG of what was computed here; none of it is text from a notebook."""
    return Markup(f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{content}</svg>')
