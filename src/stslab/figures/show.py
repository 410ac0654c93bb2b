"""Show a figure, a table or a sentence under a name, in every form, in the cell's output.

The executed notebook carries everything: a page is only a rendering of it. Nothing here writes a
file, so JupyterLab, papermill and nbconvert show the same thing.
"""

from __future__ import annotations

import html
import io
import itertools
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..csv_text import mark
from ..wording import short_labels
from .drawing import LABELED, Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MATRIX = "application/vnd.stslab.matrix+json"
CSV_CELLS = 250_000  # a larger matrix goes without its CSV
TABLE_ROWS, TABLE_SIZE = 200, 400_000  # rows and characters of a table shown; its CSV holds all
# A cell is quoted when it holds a character of this: \r and \n, each of which ends a row for some
# reader. With NUL, which no text holds, it stands nowhere else.
ROW_END = "\r\n\0"
CELL, PLAIN_CELL = 400_000, 2_000  # characters of a text in a table, and in its plain form
SENTENCE = 20_000  # characters of a sentence in a heatmap's table; its CSV holds all
NOTHING = "None."  # what a table without rows shows
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def show_figure(
    figure: Drawing | Axes, name: str, *, alt: str = "", data: pd.DataFrame | None = None
) -> None:
    """Show a figure as SVG and PNG, with its text alternative and its data.

    Parameters
    ----------
    figure : Drawing or matplotlib.axes.Axes
        Closed afterwards, so that it shows once.
    name : str
        Lower-case words joined by hyphens; the published files are named after it.
    alt : str, default ""
    data : DataFrame or None, default None
        What the figure shows in words, and the numbers behind it. A `Drawing` has its own.

    Raises
    ------
    ValueError
        If there is no text alternative, or the name is not usable.
    """
    import matplotlib.pyplot as plt

    ax: Any = figure
    if isinstance(figure, Drawing):
        ax, alt, data = figure.ax, alt or figure.alt, figure.data if data is None else data
    if not alt:
        raise ValueError(f"figure {name!r}: no text alternative. Pass alt='what the figure shows'.")
    title = " ".join((ax.get_title(loc="left") or ax.get_title()).split())
    bundle: dict[str, Any] = {
        "image/svg+xml": _render(ax.figure, "svg", name).decode(),
        "image/png": _render(ax.figure, "png", name),
        "text/plain": alt,
    }
    if data is not None and data.size <= CSV_CELLS:
        bundle["text/csv"] = to_csv(data)
        if data.index.name == "sentence" and len(data) == len(data.columns) <= LABELED:
            sentences = [_cut(str(text), SENTENCE) for text in data.index]
            values = [[round(float(value), 6) for value in row] for row in data.to_numpy()]
            bundle[MATRIX] = {"sentences": sentences, "labels": short_labels(sentences)}
            bundle[MATRIX] |= {"values": values, "vmin": -1, "vmax": 1, "title": title}
    _display(bundle, kind="figure", name=_checked(name), title=title)
    plt.close(ax.figure)


def show_table(frame: pd.DataFrame, name: str, *, caption: str, bars: str | None = None) -> None:
    """Show a table as HTML, with its CSV.

    Parameters
    ----------
    frame : DataFrame
        The index is not shown. Numbers appear with 4 decimals, in the CSV with 6. Of a long
        table the first rows appear, up to 200, and its caption says so; the CSV holds all.
    name : str
        Lower-case words joined by hyphens; the published file is named after it.
    caption : str
        What the table shows. Where there is nothing to show, the table says so.
    bars : str or None, default None
        A score column to draw bars behind.
    """
    head = frame.head(TABLE_ROWS)
    shown = head.astype(object).where(head.notna(), "")
    has_bar = [column == bars for column in shown]
    rows = [_row(values, has_bar) for values in shown.itertuples(index=False, name=None)]
    sizes = itertools.accumulate(map(len, rows))  # those that are not too long for a page
    rows = [row for row, size in zip(rows, sizes, strict=True) if size <= TABLE_SIZE] or rows[:1]
    if len(rows) < len(frame):
        caption = f"{caption} (the first {len(rows):,} of {len(frame):,} rows; the CSV holds all)"
        shown = shown.head(len(rows))
    plain = shown.map(_cell).to_string(index=False, max_colwidth=PLAIN_CELL) if rows else NOTHING
    nothing = f'<tr><td colspan="{len(frame.columns)}">{NOTHING}</td></tr>'
    names = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in frame)
    bundle = {
        "text/html": f'<table class="stslab"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{''.join(rows) or nothing}</tbody></table>",
        "text/csv": to_csv(frame),
        "text/plain": f"{caption}\n{plain}",
    }
    _display(bundle, kind="table", name=_checked(name), caption=caption, rows=len(frame))


def show_text(text: str) -> None:
    """Show a computed sentence. Text is never markup.

    Parameters
    ----------
    text : str
    """
    _show_text(text, "text")


def show_finding(text: str, *, about: str = "", cautions: Sequence[str] = ()) -> None:
    """Show the sentence that says what was found; a page begins with it, and the index quotes it.

    Parameters
    ----------
    text : str
    about : str, default ""
        What the texts are, in one line.
    cautions : sequence of str, default ()
        Sentences that bear on the finding.
    """
    _show_text(text, "finding", about=about, cautions=list(cautions))


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV, numbers with 6 decimals; a named index becomes the first column.

    A text, or a column's name, that a spreadsheet could take for a formula gets an apostrophe in
    front; `stslab.csv_text.unmark` takes it away, as reading the file with stslab does.
    """
    named = frame.index.name is not None
    table = frame.rename(index=mark, columns=mark)
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            texts = [mark(value) for value in table.iloc[:, position]]
            table.isetitem(position, pd.Series(texts, dtype=object).array)
    text = table.to_csv(index=named, float_format="%.6f", lineterminator=ROW_END)
    return text.replace(ROW_END, "\n")


def _show_text(text: str, kind: str, about: str = "", cautions: Sequence[str] = ()) -> None:
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in (about, text, *cautions) if line)
    bundle = {"text/html": f'<div class="stslab-text">{lines}</div>', "text/plain": text}
    info = {"about": about, "cautions": cautions} if about or cautions else {}
    _display(bundle, kind=kind, **info)


def _display(bundle: dict[str, Any], **info: Any) -> None:
    from IPython.display import display

    images = {form: {"alt": bundle["text/plain"]} for form in bundle if form.startswith("image/")}
    display(bundle, metadata={**images, "stslab": info}, raw=True)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"name {name!r}: use lower-case words joined by hyphens, as in 'top-hits'."
        )
    return name


def _render(figure: Any, kind: str, name: str) -> bytes:
    import matplotlib as mpl

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "savefig.bbox": "tight"}
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    stream = io.BytesIO()
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The reader's fonts draw SVG text; only the PNG lacks glyphs that this machine has not.
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph")
        figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()


def _row(values: tuple[Any, ...], has_bar: list[bool]) -> str:
    cells = []
    for value, bar in zip(values, has_bar, strict=True):
        kind = ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            kind = ' class="number"'
        if bar and isinstance(value, float):
            kind = f' class="number score" style="--score:{value:.4f}"'
        cells.append(f"<td{kind}>{html.escape(_cell(value))}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any) -> str:
    return f"{value + 0.0:.4f}" if isinstance(value, float) else _cut(str(value), CELL)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
