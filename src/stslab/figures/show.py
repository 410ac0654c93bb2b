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
from .drawing import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CSV_CELLS = 250_000  # a larger matrix goes without its CSV
TABLE_ROWS, TABLE_SIZE = 200, 400_000  # rows and characters of a table shown; its CSV holds all
# A cell is quoted when it holds a character of this: \r and \n, each of which ends a row for some
# reader. With NUL, which no text holds, it stands nowhere else.
ROW_END = "\r\n\0"
CELL, PLAIN_CELL = 400_000, 2_000  # characters of a text in a table, and in its plain form
NOTHING = "None."  # what a table without rows shows
# How tables and findings look in JupyterLab, light or dark; a page has a stylesheet of its own.
STYLE = """<style>
table.stslab :is(caption, th, td) { text-align: left !important; vertical-align: top;
  max-width: 45em; white-space: pre-line }
table.stslab .score { background: linear-gradient(to right,
  #d25a5a73 calc(100% * var(--score)), transparent 0) }
</style>"""
TEXT = ' class="stslab-text mathjax_ignore"'  # to JupyterLab, $x$ would be a formula
FOUND = ' style="border-left: 4px solid #4878a8; padding: .2em 1em"'
SMALL = ' style="font-size: .9em; opacity: .8"'
PLAIN = {"threshold", "gold_score"}  # columns of numbers that people chose, shown as they are
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

    if not isinstance(figure, Drawing):
        figure = Drawing(figure, "", pd.DataFrame())
    ax: Any = figure.ax
    alt, data = alt or figure.alt, figure.data if data is None else data
    if not alt:
        raise ValueError(f"figure {name!r}: no text alternative. Pass alt='what the figure shows'.")
    title = " ".join((ax.get_title(loc="left") or ax.get_title()).split())
    bundle: dict[str, Any] = {
        "image/svg+xml": _render(ax.figure, "svg", name).decode(),
        "image/png": _render(ax.figure, "png", name),
        "text/plain": alt,
        **figure.forms,
    }
    if 0 < data.size <= CSV_CELLS:
        bundle["text/csv"] = to_csv(data)
    _display(bundle, kind="figure", name=_checked(name), title=title)
    plt.close(ax.figure)


def show_table(
    frame: pd.DataFrame,
    name: str,
    *,
    caption: str,
    bars: str | None = None,
    data: pd.DataFrame | None = None,
) -> None:
    """Show a table as HTML, with its CSV.

    Parameters
    ----------
    frame : DataFrame
        The index is not shown. Numbers appear with 4 decimals, in the CSV with 6; those of a
        column with "share" in its name, as in ``share_caught``, as per cent; thresholds and gold
        scores as they are. Heads show spaces for underscores. Of a long table the first rows
        appear, up to 200, and its caption says so; the CSV holds all.
    name : str
        Lower-case words joined by hyphens; the published file is named after it.
    caption : str
        What the table shows. Where there is nothing to show, the table says so.
    bars : str or None, default None
        A score column to draw bars behind.
    data : DataFrame or None, default None
        What the CSV holds; None takes `frame`.
    """
    head = frame.head(TABLE_ROWS)
    shown = head.astype(object).where(head.notna(), "")
    records = shown.itertuples(index=False, name=None)
    rows = [_row(values, list(shown), bars) for values in records]
    sizes = itertools.accumulate(map(len, rows))  # those that are not too long for a page
    rows = [row for row, size in zip(rows, sizes, strict=True) if size <= TABLE_SIZE] or rows[:1]
    if len(rows) < len(frame):
        caption = f"{caption} (the first {len(rows):,} of {len(frame):,} rows; the CSV holds all)"
        shown = shown.head(len(rows))
    cells = shown.apply(lambda column: column.map(lambda value: _cell(value, column.name)))
    plain = cells.to_string(index=False, max_colwidth=PLAIN_CELL) if rows else NOTHING
    body = "".join(rows) or f'<tr><td colspan="{len(frame.columns)}">{NOTHING}</td></tr>'
    heads = "".join(f'<th scope="col">{html.escape(str(n).replace("_", " "))}</th>' for n in frame)
    bundle = {
        "text/html": f'<div{TEXT}>{STYLE}<table class="stslab"><caption>{html.escape(caption)}'
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>",
        "text/csv": to_csv(frame if data is None else data),
        "text/plain": f"{caption}\n{plain}",
    }
    _display(bundle, kind="table", name=_checked(name), caption=caption, rows=len(frame))


def show_text(text: str) -> None:
    """Show a computed sentence. Text is never markup.

    Parameters
    ----------
    text : str
    """
    lines = f"<div{TEXT}><p>{html.escape(text)}</p></div>"
    _display({"text/html": lines, "text/plain": text}, kind="text")


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
    lines = f"<p{SMALL}>{html.escape(about)}</p>" * bool(about) + f"<p>{html.escape(text)}</p>"
    lines += "".join(f"<p><b>Caution:</b> {html.escape(each)}</p>" for each in cautions)
    marked = {"text/html": f"<div{TEXT}{FOUND}>{lines}</div>", "text/plain": text}
    info = {"about": about, "cautions": list(cautions)} if about or cautions else {}
    _display(marked, kind="finding", **info)


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


def _display(bundle: dict[str, Any], **info: Any) -> None:
    from IPython.display import display

    images = {form: {"alt": bundle["text/plain"]} for form in bundle if form.startswith("image/")}
    display(bundle, metadata={**images, "stslab": info}, raw=True)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: use lower-case words joined by hyphens, as 'top-hits'.")
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


def _row(values: tuple[Any, ...], names: list[Any], bars: str | None) -> str:
    cells = []
    for value, name in zip(values, names, strict=True):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        kind = ' class="number"' * number
        if name == bars and isinstance(value, float):
            kind = f' class="number score" style="--score:{value:.4f}"'
        cells.append(f"<td{kind}>{html.escape(_cell(value, name))}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any, name: Any) -> str:
    if not isinstance(value, float):
        return _cut(str(value), CELL)
    if name in PLAIN:
        return f"{value:g}"
    return f"{value + 0.0:.1%}" if "share" in str(name).split("_") else f"{value + 0.0:.4f}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
