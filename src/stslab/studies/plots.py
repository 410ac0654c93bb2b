"""Histogram and dot plot, each with its text alternative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..figures.drawing import Drawing, new_axes
from ..figures.plots import NAME, extremes
from ..wording import counted, short_labels

MARKERS = "ox+sdv^"


def histogram(
    table: pd.DataFrame,
    column: str,
    *,
    title: str,
    label: str = "cosine similarity",
    noun: str = "sentence",
    mark: float | None = None,
    by: str = "",
) -> Drawing:
    """Draw how often each range of scores occurs.

    Parameters
    ----------
    table : DataFrame, length n
    column : str
        Scores; the axis goes from 0, or the lowest one below, to 1.
    title : str
    label : str, default "cosine similarity"
        The title of the axis of the scores.
    noun : str, default "sentence"
        What a row is, in the singular.
    mark : float or None, default None
        A score to mark with a line, such as a threshold.
    by : str, default ""
        A column of truth values; rows where it is true are drawn in a color of their own.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"score": [0.2, 0.5, 0.9]})
    >>> histogram(table, "score", title="How near?", mark=0.8).alt
    '3 sentences: cosine similarity from 0.20 to 0.90, half of them from 0.50; 0.8 or more: 1.'
    """
    ax = new_axes(6, 3.5, title)
    values = table[column]
    low, median, high = values.quantile([0, 0.5, 1])
    stacked_values = [values]
    if by:
        stacked_values = [values[table[by]], values[~table[by]]]
    ax.hist(stacked_values, bins=np.linspace(min(0, low), 1, 41).tolist(), stacked=True)
    alt = f"{counted(len(values), noun)}: {label} from {low:.2f} to {high:.2f}, half of them from "
    alt += f"{median:.2f}"
    if by:
        ax.legend([by, f"not {by}"], loc="upper left")
        alt += f"; {by}: {len(stacked_values[0]):,}"
    if mark is not None:
        ax.axvline(mark, color="black", linestyle="--", linewidth=1)
        alt += f"; {mark:g} or more: {int((values >= mark).sum()):,}"
    ax.set(xlabel=label, ylabel=f"{noun}s")
    ax.locator_params(axis="y", integer=True)
    return Drawing(ax, f"{alt}.", table)


def dot_plot(
    table: pd.DataFrame,
    row: str,
    columns: Sequence[str],
    *,
    title: str,
    label: str,
    interval: tuple[str, str] | None = None,
    mark: float | None = None,
    width: int = NAME,
) -> Drawing:
    """Draw one row for each name, first on top, with a dot for each column.

    Rows of the same name share a line, so that one column may hold many dots.

    Parameters
    ----------
    table : DataFrame
    row, columns : str, sequence of str
        The column of names, and those of numbers, a marker each.
    title, label : str
        The title of the drawing, and that of the axis of the numbers.
    interval : (str, str) or None, default None
        Columns of the lower and upper end of a line through the dots.
    mark : float or None, default None
        A number to mark with a line, such as chance.
    width : int, default 44 characters of a name

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"kind": ["negation", "typo"], "wrong": [0.9, 0.1]})
    >>> dot_plot(table, "kind", ["wrong"], title="What goes wrong?", label="share").alt
    '2 rows; wrong: highest 0.90 for negation, lowest 0.10 for typo.'
    """
    lines, names = pd.factorize(table[row].astype(str))
    ax = new_axes(7.5, 1.5 + 0.35 * len(names), title)
    if interval:
        ax.hlines(lines, table[interval[0]], table[interval[1]])
    for marker, column in zip(MARKERS, columns, strict=False):
        ax.plot(table[column], lines, marker, alpha=0.7, label=column)
    if mark is not None:
        ax.axvline(mark, color="black", linestyle=":", linewidth=1)
    ax.set_yticks(range(len(names)), short_labels([*names], width), fontsize=8, parse_math=False)
    ax.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    if len(columns) > 1:
        ax.legend()
    parts = [counted(len(names), "row")]
    parts += [f"{name}: {extremes(table[row], table[name], 'for', width)}" for name in columns]
    return Drawing(ax, f"{'; '.join(parts)}.", table)
