"""Show a figure, a table or a sentence under a name, in every form, in the cell's output.

The executed notebook carries everything: a page is only a rendering of it. Nothing here writes a
file, so JupyterLab, papermill and nbconvert show the same thing.
"""

from __future__ import annotations

import html
import io
import re
import warnings
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
        What the figure shows, in words. A `Drawing` has its own.
    data : DataFrame or None, default None
        The numbers behind the figure. A `Drawing` has its own.

    Raises
    ------
    ValueError
        If there is no text alternative, or the name is not usable.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    if isinstance(figure, Drawing):
        ax, alt, data = figure.ax, alt or figure.alt, figure.data if data is None else data
    else:
        ax = figure
    if not alt:
        raise ValueError(f"figure {name!r}: no text alternative. Pass alt='what the figure shows'.")
    whole: Any = ax.figure
    title = ax.get_title(loc="left") or ax.get_title()
    bundle: dict[str, Any] = {
        "image/svg+xml": _render(whole, "svg", name).decode(),
        "image/png": _render(whole, "png", name),
        "text/plain": alt,
    }
    if data is not None and data.size <= CSV_CELLS:
        bundle["text/csv"] = to_csv(data)
        if data.index.name == "sentence" and len(data) == len(data.columns) <= LABELED:
            bundle[MATRIX] = _matrix(data, title)
    metadata = {
        "image/svg+xml": {"alt": alt},
        "image/png": {"alt": alt},
        "stslab": {"kind": "figure", "name": _checked(name), "title": " ".join(title.split())},
    }
    plt.close(whole)
    display(bundle, metadata=metadata, raw=True)


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
    from IPython.display import display

    head = frame.head(TABLE_ROWS)
    shown = head.astype(object).where(head.notna(), "")
    rows = _rows(shown, bars)
    if len(rows) < len(frame):
        caption = f"{caption} (the first {len(rows):,} of {len(frame):,} rows; the CSV holds all)"
        shown = shown.head(len(rows))
    plain = shown.map(_cell).to_string(index=False, max_colwidth=PLAIN_CELL) if rows else NOTHING
    nothing = f'<tr><td colspan="{len(frame.columns)}">{NOTHING}</td></tr>'
    bundle = {
        "text/html": _to_html(shown, caption, rows or [nothing]),
        "text/csv": to_csv(frame),
        "text/plain": f"{caption}\n{plain}",
    }
    info = {"kind": "table", "name": _checked(name), "caption": caption, "rows": len(frame)}
    display(bundle, metadata={"stslab": info}, raw=True)


def show_text(text: str) -> None:
    """Show a computed sentence. Text is never markup.

    Parameters
    ----------
    text : str
    """
    _show_text(text, "text")


def show_finding(text: str) -> None:
    """Show the one sentence that says what the notebook found; the report's index quotes it.

    Parameters
    ----------
    text : str
    """
    _show_text(text, "finding")


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV, numbers with 6 decimals; a named index becomes the first column.

    A text, or a column's name, that a spreadsheet could take for a formula gets an apostrophe in
    front; `stslab.csv_text.unmark` takes it away, as reading the file with stslab does.
    """
    named = frame.index.name is not None
    table = frame.rename(index=_marked, columns=_marked)
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            texts = [_marked(value) for value in table.iloc[:, position]]
            table.isetitem(position, pd.Series(texts, dtype=object).array)
    text = table.to_csv(index=named, float_format="%.6f", lineterminator=ROW_END)
    return text.replace(ROW_END, "\n")


def _marked(value: Any) -> Any:
    return mark(value) if isinstance(value, str) else value


def _show_text(text: str, kind: str) -> None:
    from IPython.display import display

    bundle = {"text/html": f'<p class="stslab-text">{html.escape(text)}</p>', "text/plain": text}
    display(bundle, metadata={"stslab": {"kind": kind}}, raw=True)


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


def _matrix(data: pd.DataFrame, title: str) -> dict[str, Any]:
    sentences = [_cut(str(text), SENTENCE) for text in data.index]
    return {
        "sentences": sentences,
        "labels": short_labels(sentences),
        "values": [[round(float(value), 6) for value in row] for row in data.to_numpy()],
        "vmin": -1,
        "vmax": 1,
        "title": " ".join(title.split()),
    }


def _to_html(frame: pd.DataFrame, caption: str, rows: list[str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in frame)
    return (
        f'<table class="stslab"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _rows(frame: pd.DataFrame, bars: str | None) -> list[str]:
    """Write rows as HTML until they are too long for a page; the first is always there."""
    rows: list[str] = []
    size = 0
    for values in frame.itertuples(index=False, name=None):
        cells = []
        for name, value in zip(frame.columns, values, strict=True):
            text = html.escape(_cell(value))
            if name == bars and isinstance(value, float):
                cells.append(f'<td class="number score" style="--score:{value:.4f}">{text}</td>')
            elif isinstance(value, int | float) and not isinstance(value, bool):
                cells.append(f'<td class="number">{text}</td>')
            else:
                cells.append(f"<td>{text}</td>")
        row = f"<tr>{''.join(cells)}</tr>"
        size += len(row)
        if rows and size > TABLE_SIZE:
            break
        rows.append(row)
    return rows


def _cell(value: Any) -> str:
    return f"{value + 0.0:.4f}" if isinstance(value, float) else _cut(str(value), CELL)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
