"""Show a figure, a table or a sentence in the cell's output, in all its forms, under a name.

The executed notebook carries everything: a page is only a rendering of it. Nothing here writes a
file, so JupyterLab, papermill and nbconvert show the same thing.
"""

from __future__ import annotations

import html
import io
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
# What a table shows at most; its CSV holds all.
BYTE_ORDER_MARK = "\ufeff"
TABLE_ROWS = 200
TABLE_SIZE = 400_000  # characters of HTML
CELL = 400_000  # characters of a text
PLAIN_CELL = 2_000  # characters of a text in the table's plain form
# How a row of CSV ends until all are written. pandas quotes a cell that holds one of these
# characters, and \r or \n in it would end the row for some readers. The whole stands in no cell, as
# no text holds NUL, so it can be replaced by the real end of a row afterwards.
ROW_END = "\r\n\0"
NOTHING = "None."  # what a table without rows shows
# How tables and findings look in JupyterLab, light or dark; a page has a stylesheet of its own.
STYLE = """<style>
table.stslab :is(caption, th, td) { text-align: left !important; vertical-align: top;
  max-width: 45em; white-space: pre-line }
table.stslab .score { background: linear-gradient(to right,
  #d25a5a73 calc(100% * var(--score)), transparent 0) }
</style>"""
# Attributes of elements. Without the class, JupyterLab would take $x$ for a formula.
TEXT = ' class="stslab-text mathjax_ignore"'
FINDING = ' style="border-left: 4px solid #4878a8; padding: .2em 1em"'
SMALL = ' style="font-size: .9em; opacity: .8"'
UNROUNDED = {"threshold", "gold_score"}  # columns of numbers that people chose
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
        The text alternative, and the numbers behind the figure. A `Drawing` has its own.

    Raises
    ------
    ValueError
        If there is no text alternative, or the name is not usable.
    """
    import matplotlib.pyplot as plt

    if not isinstance(figure, Drawing):
        figure = Drawing(figure, "", pd.DataFrame())
    ax: Any = figure.ax
    alt = alt or figure.alt
    if data is None:
        data = figure.data
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
    for_spreadsheet: bool = False,
) -> None:
    """Show a table as HTML, with its CSV.

    Parameters
    ----------
    frame : DataFrame
        The index is not shown. Numbers have 4 decimals, and 6 in the CSV. Those of a column with
        "share" in its name, such as ``share_caught``, are shown as per cent; thresholds and gold
        scores are not rounded. Column heads have spaces instead of underscores. A long table shows
        its first rows, at most 200, and its caption says so; the CSV holds all.
    name : str
        Lower-case words joined by hyphens; the published file is named after it.
    caption : str
        What the table shows. A table without rows says so itself.
    bars : str or None, default None
        A score column to draw bars behind.
    data : DataFrame or None, default None
        What the CSV holds; None takes `frame`.
    for_spreadsheet : bool, default False
        Begin the CSV with a byte order mark, by which spreadsheets know that it is UTF-8.
    """
    if data is None:
        data = frame
    csv = to_csv(data)
    if for_spreadsheet:
        csv = BYTE_ORDER_MARK + csv
    head = frame.head(TABLE_ROWS)
    values = head.astype(object).where(head.notna(), "")
    rows = _rows(values, bars)
    if len(rows) < len(frame):
        caption = f"{caption} (the first {len(rows):,} of {len(frame):,} rows; the CSV holds all)"
    bundle = {
        "text/html": _table(list(frame), rows, caption),
        "text/csv": csv,
        "text/plain": f"{caption}\n{_plain_table(values.head(len(rows)))}",
    }
    _display(bundle, kind="table", name=_checked(name), caption=caption, rows=len(frame))


def show_text(text: str) -> None:
    """Show a computed sentence; nothing in it is taken for markup.

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
    paragraphs = []
    if about:
        paragraphs.append(f"<p{SMALL}>{html.escape(about)}</p>")
    paragraphs.append(f"<p>{html.escape(text)}</p>")
    for caution in cautions:
        paragraphs.append(f"<p><b>Caution:</b> {html.escape(caution)}</p>")
    info: dict[str, Any] = {}
    if about or cautions:
        info = {"about": about, "cautions": list(cautions)}
    bundle = {
        "text/html": f"<div{TEXT}{FINDING}>{''.join(paragraphs)}</div>",
        "text/plain": text,
    }
    _display(bundle, kind="finding", **info)


def to_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV, numbers with 6 decimals; a named index becomes the first column.

    A text, or a column's name, that a spreadsheet could take for a formula gets an apostrophe in
    front. Reading the file with stslab removes it, by `stslab.csv_text.unmark`.
    """
    has_named_index = frame.index.name is not None
    table = frame.rename(index=mark, columns=mark)
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            texts = [mark(value) for value in table.iloc[:, position]]
            table.isetitem(position, pd.Series(texts, dtype=object).array)
    text = table.to_csv(index=has_named_index, float_format="%.6f", lineterminator=ROW_END)
    return text.replace(ROW_END, "\n")


def _display(bundle: dict[str, Any], **info: Any) -> None:
    """Put all forms into the cell's output, with what a page needs to know of them."""
    from IPython.display import display

    metadata: dict[str, Any] = {}
    for mime_type in bundle:
        if mime_type.startswith("image/"):
            metadata[mime_type] = {"alt": bundle["text/plain"]}
    metadata["stslab"] = info
    display(bundle, metadata=metadata, raw=True)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: use lower-case words joined by hyphens, as 'top-hits'.")
    return name


def _render(figure: Any, kind: str, name: str) -> bytes:
    import matplotlib as mpl

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "savefig.bbox": "tight"}
    # Neither a date nor matplotlib's version: equal figures have equal bytes.
    metadata = {"Software": None}
    if kind == "svg":
        metadata = {"Date": None, "Creator": None}
    stream = io.BytesIO()
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The reader's fonts draw the text of an SVG. Only a PNG lacks glyphs that no font here has.
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph")
        figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()


def _rows(values: pd.DataFrame, bars: str | None) -> list[str]:
    """Return the first rows as HTML, as many as fit into a page, but at least one."""
    rows: list[str] = []
    size = 0
    for record in values.itertuples(index=False, name=None):
        row = _row(record, list(values), bars)
        size += len(row)
        if rows and size > TABLE_SIZE:
            break
        rows.append(row)
    return rows


def _row(values: tuple[Any, ...], names: list[Any], bars: str | None) -> str:
    cells = []
    for value, name in zip(values, names, strict=True):
        attributes = ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            attributes = ' class="number"'
        if name == bars and isinstance(value, float):
            attributes = f' class="number score" style="--score:{value:.4f}"'
        cells.append(f"<td{attributes}>{html.escape(_cell(value, name))}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any, name: Any) -> str:
    """Return what a cell shows."""
    if not isinstance(value, float):
        text = str(value)
        if len(text) > CELL:
            text = f"{text[:CELL]}…"
        return text
    if name in UNROUNDED:
        return f"{value:g}"
    value += 0.0  # turns -0.0 into 0.0
    if "share" in str(name).split("_"):
        return f"{value:.1%}"
    return f"{value:.4f}"


def _table(names: list[Any], rows: list[str], caption: str) -> str:
    """Return a table as HTML."""
    heads = []
    for name in names:
        words = str(name).replace("_", " ")
        heads.append(f'<th scope="col">{html.escape(words)}</th>')
    body = "".join(rows)
    if not rows:
        body = f'<tr><td colspan="{len(names)}">{NOTHING}</td></tr>'
    return (
        f'<div{TEXT}>{STYLE}<table class="stslab"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _plain_table(values: pd.DataFrame) -> str:
    """Return a table as text."""
    if len(values) == 0:
        return NOTHING
    cells = values.apply(lambda column: column.map(lambda value: _cell(value, column.name)))
    text: str = cells.to_string(index=False, max_colwidth=PLAIN_CELL)
    return text
