"""Scatter plot, histogram, dot plot, curves and score bars, each with its text alternative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..wording import LABEL, counted, quoted, short_label, short_labels
from .drawing import COLOR, LABELED, Drawing, new_axes

NAME = 44  # characters of a name beside its bar or its dots
NUMBERED = 20  # most points with a number each
CROWDED = 200  # points from which they are drawn fainter
MARKERS = "ox+sdv^"
LINES = ("-", "--", ":", "-.")


def scatter(
    table: pd.DataFrame, x: str, y: str, *, title: str, labels: Mapping[str, str], line: str = ""
) -> Drawing:
    """Draw two columns against each other; up to 20 points carry the number of their row, from 1.

    Parameters
    ----------
    table : DataFrame, length n
    x, y : str, columns of numbers
    title : str
        The question that the plot answers, as in all plots here.
    labels : mapping of str to str
        Column → what its axis says.
    line : str, default ""
        A column drawn as a line over `x`, such as a fit.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> table = pd.DataFrame({"jaccard": [0.1, 0.5], "score": [0.48, -0.1]})
    >>> scatter(table, "jaccard", "score", title="Words or meaning?", labels={}).alt
    '2 points: jaccard from 0.10 to 0.50, score from -0.10 to 0.48.'
    """
    ax = new_axes(6, 4.5, title)
    ax.scatter(table[x], table[y], alpha=0.7 if len(table) < CROWDED else 0.25)
    if line:
        fit = table.sort_values(x)
        ax.plot(fit[x], fit[line], color="black", linewidth=1)
    if len(table) <= NUMBERED:
        for number, point in enumerate(zip(table[x], table[y], strict=True), start=1):
            ax.annotate(str(number), point, (5, 5), textcoords="offset points")
    ax.set(xlabel=labels.get(x, x), ylabel=labels.get(y, y))
    spans = ", ".join(
        f"{labels.get(name, name)} from {table[name].min():.2f} to {table[name].max():.2f}"
        for name in (x, y)
    )
    return Drawing(ax, f"{counted(len(table), 'point')}: {spans}.", table)


def histogram(
    table: pd.DataFrame,
    column: str,
    *,
    title: str,
    label: str = "cosine similarity",
    of: str = "sentence",
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
    label, of : str, default "cosine similarity" and "sentence"
        What the axis of the scores says, and what a row is.
    mark : float or None, default None
        A score to mark with a line, such as a threshold.
    by : str, default ""
        A column of truth values; rows where it is true are drawn in a color of their own.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> table = pd.DataFrame({"score": [0.2, 0.5, 0.9]})
    >>> histogram(table, "score", title="How near?", mark=0.8).alt
    '3 sentences: cosine similarity from 0.20 to 0.90, half of them from 0.50; 0.8 or more: 1.'
    """
    ax = new_axes(6, 3.5, title)
    values = table[column]
    low, middle, high = values.quantile([0, 0.5, 1])
    parts = [values[table[by]], values[~table[by]]] if by else [values]
    ax.hist(parts, bins=np.linspace(min(0, low), 1, 41).tolist(), stacked=True)
    alt = f"{counted(len(values), of)}: {label} from {low:.2f} to {high:.2f}, half of them from "
    alt += f"{middle:.2f}"
    if by:
        ax.legend([by, f"not {by}"], loc="upper left")
        alt += f"; {by}: {len(parts[0]):,}"
    if mark is not None:
        ax.axvline(mark, color="black", linestyle="--", linewidth=1)
        alt += f"; {mark:g} or more: {int((values >= mark).sum()):,}"
    ax.set(xlabel=label, ylabel=f"{of}s")
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
        The title, and what the axis of the numbers says.
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
    >>> table = pd.DataFrame({"kind": ["negation", "typo"], "wrong": [0.9, 0.1]})
    >>> dot_plot(table, "kind", ["wrong"], title="What goes wrong?", label="share").alt
    '2 rows; wrong: highest 0.90 for negation, lowest 0.10 for typo.'
    """
    at, names = pd.factorize(table[row].astype(str))
    ax = new_axes(7.5, 1.5 + 0.35 * len(names), title)
    if interval:
        ax.hlines(at, table[interval[0]], table[interval[1]])
    for marker, column in zip(MARKERS, columns, strict=False):
        ax.plot(table[column], at, marker, alpha=0.7, label=column)
    if mark is not None:
        ax.axvline(mark, color="black", linestyle=":", linewidth=1)
    ax.set_yticks(range(len(names)), short_labels([*names], width), fontsize=8, parse_math=False)
    ax.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    if len(columns) > 1:
        ax.legend()
    ends = [f"{each}: {_extremes(table[row], table[each], 'for', width)}" for each in columns]
    return Drawing(ax, f"{counted(len(names), 'row')}; {'; '.join(ends)}.", table)


def curves(
    table: pd.DataFrame,
    x: str,
    columns: Sequence[str],
    *,
    title: str,
    labels: tuple[str, str],
    band: tuple[str, str] | None = None,
) -> Drawing:
    """Draw columns as lines over another one.

    Parameters
    ----------
    table : DataFrame, in the order of `x`
    x : str
    columns : sequence of str
        Columns of numbers, a line style each.
    title : str
    labels : (str, str)
        What the two axes say.
    band : (str, str) or None, default None
        Columns of the lower and upper edge of a shaded range.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> table = pd.DataFrame({"words": [0, 300], "score": [0.4, 1.0]})
    >>> curves(table, "words", ["score"], title="What is cut?", labels=("words", "score")).alt
    'words from 0 to 300; score: highest 1.00 at 300, lowest 0.40 at 0.'
    """
    ax = new_axes(6.5, 3.8, title)
    for style, column in zip(LINES, columns, strict=False):
        ax.plot(table[x], table[column], style, marker="o" if len(table) < 12 else "", label=column)
    if band:
        ax.fill_between(table[x], table[band[0]], table[band[1]], alpha=0.3, label="–".join(band))
    if len(columns) > 1 or band:
        ax.legend()
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ends = [f"{each}: {_extremes(table[x], table[each], 'at')}" for each in columns]
    span = f"{x} from {table[x].iloc[0]:g} to {table[x].iloc[-1]:g}"
    return Drawing(ax, f"{span}; {'; '.join(ends)}.", table)


def score_bars(
    labels: Sequence[str], scores: Sequence[float], *, title: str, width: int = NAME
) -> Drawing:
    """Draw one horizontal bar per score, first on top.

    Parameters
    ----------
    labels : sequence of str, length n
    scores : sequence of float, length n
        In [-1, 1]; the axis goes from 0, or the quarter below the lowest score, to 1.
    title : str
    width : int, default 44 characters of a label

    Returns
    -------
    Drawing
        Its data has the columns ``sentence`` and ``score``.

    See Also
    --------
    dot_plot : several numbers for each row.

    Examples
    --------
    >>> score_bars(["pasta", "cat"], [0.7, -0.1], title="How close to pizza?").alt
    '2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”.'
    """
    labels, scores = list(labels), [float(score) for score in scores]
    shown, places = short_labels(labels, width), range(len(labels))
    ax = new_axes(7.5, float(np.clip(1.2 + 0.35 * len(shown), 2.0, 12.0)), title)
    bars = ax.barh(places, scores, color=COLOR)
    ax.set(xlim=(np.floor(4 * min(0, *scores, 0)) / 4, 1.08), xlabel="cosine similarity")
    ax.set(yticks=[], ylim=(len(shown) - 0.5, -0.5))
    ax.axvline(0, color="black", linewidth=0.8)
    if len(shown) <= LABELED:
        ax.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        ax.set_yticks(places, shown, fontsize=8, parse_math=False)
    data = pd.DataFrame({"sentence": labels, "score": scores})
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    alt = f"{counted(len(labels), 'score')}; highest {scores[best]:.2f} for "
    alt += f"{quoted(labels[best], LABEL)}; lowest {scores[worst]:.2f} for "
    return Drawing(ax, f"{alt}{quoted(labels[worst], LABEL)}.", data)


def _extremes(names: pd.Series[Any], values: pd.Series[Any], word: str, width: int = LABEL) -> str:
    """Name the highest and the lowest value."""
    numbers = values.to_numpy(dtype=float)
    if np.isnan(numbers).all():
        return "undefined"
    places = {"highest": np.nanargmax(numbers), "lowest": np.nanargmin(numbers)}
    return ", ".join(
        f"{end} {numbers[place]:.2f} {word} {short_label(str(names.iloc[place]), width)}"
        for end, place in places.items()
    )
