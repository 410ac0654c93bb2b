"""Scatter plot, curves and score bars, each with its text alternative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..wording import LABEL, counted, quoted, short_label, short_labels
from .drawing import COLOR, LABELED, Drawing, new_axes

NAME = 44  # characters of a name beside its bar
NUMBERED = 20  # with more points than this, they have no numbers
CROWDED = 200  # from this many points on, they are drawn fainter
MARKED = 11  # with more points than this, a line has no markers
LINES = ("-", "--", ":", "-.")


def scatter(
    table: pd.DataFrame, x: str, y: str, *, title: str, labels: Mapping[str, str], line: str = ""
) -> Drawing:
    """Draw two columns against each other; up to 20 points have the number of their row, from 1.

    Parameters
    ----------
    table : DataFrame, length n
    x, y : str, columns of numbers
    title : str
        The question that the plot answers, as in all plots here.
    labels : mapping of str to str
        The label of an axis by its column.
    line : str, default ""
        A column drawn as a line over `x`, such as a fit.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"jaccard": [0.1, 0.5], "score": [0.48, -0.1]})
    >>> scatter(table, "jaccard", "score", title="Words or meaning?", labels={}).alt
    '2 points: jaccard from 0.10 to 0.50, score from -0.10 to 0.48.'
    """
    ax = new_axes(6, 4.5, title)
    opacity = 0.7
    if len(table) >= CROWDED:
        opacity = 0.25
    ax.scatter(table[x], table[y], alpha=opacity)
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
        Columns of numbers, each drawn in another style.
    title : str
    labels : (str, str)
        The labels of the two axes.
    band : (str, str) or None, default None
        Columns of the lower and upper edge of a shaded range.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"words": [0, 300], "score": [0.4, 1.0]})
    >>> curves(table, "words", ["score"], title="What is cut?", labels=("words", "score")).alt
    'words from 0 to 300; score: highest 1.00 at 300, lowest 0.40 at 0.'
    """
    ax = new_axes(6.5, 3.8, title)
    marker = "o"
    if len(table) > MARKED:
        marker = ""
    for style, column in zip(LINES, columns, strict=False):
        ax.plot(table[x], table[column], style, marker=marker, label=column)
    if band:
        ax.fill_between(table[x], table[band[0]], table[band[1]], alpha=0.3, label="–".join(band))
    if len(columns) > 1 or band:
        ax.legend()
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ends = [f"{column}: {extremes(table[x], table[column], 'at')}" for column in columns]
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
    width : int, default 44
        Characters of a label.

    Returns
    -------
    Drawing
        Its data has the columns ``sentence`` and ``score``.

    See Also
    --------
    stslab.studies.dot_plot : several numbers for each row.

    Examples
    --------
    >>> score_bars(["pasta", "cat"], [0.7, -0.1], title="How close to pizza?").alt
    '2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”.'
    """
    labels, scores = list(labels), [float(score) for score in scores]
    tick_labels, positions = short_labels(labels, width), range(len(labels))
    ax = new_axes(7.5, float(np.clip(1.2 + 0.35 * len(labels), 2.0, 12.0)), title)
    bars = ax.barh(positions, scores, color=COLOR)
    lowest_quarter = np.floor(4 * min(0, *scores, 0)) / 4
    ax.set(xlim=(lowest_quarter, 1.08), xlabel="cosine similarity")
    ax.set(yticks=[], ylim=(len(labels) - 0.5, -0.5))
    ax.axvline(0, color="black", linewidth=0.8)
    if len(labels) <= LABELED:
        ax.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        ax.set_yticks(positions, tick_labels, fontsize=8, parse_math=False)
    data = pd.DataFrame({"sentence": labels, "score": scores})
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    highest = f"{scores[best]:.2f} for {quoted(labels[best], LABEL)}"
    lowest = f"{scores[worst]:.2f} for {quoted(labels[worst], LABEL)}"
    alt = f"{counted(len(labels), 'score')}; highest {highest}; lowest {lowest}."
    return Drawing(ax, alt, data)


def extremes(names: pd.Series[Any], values: pd.Series[Any], word: str, width: int = LABEL) -> str:
    """Return the highest and the lowest value with their names, such as "highest 1.00 at 300"."""
    numbers = values.to_numpy(dtype=float)
    if np.isnan(numbers).all():
        return "undefined"

    def describe(position: Any) -> str:
        name = short_label(str(names.iloc[position]), width)
        return f"{numbers[position]:.2f} {word} {name}"

    highest, lowest = describe(np.nanargmax(numbers)), describe(np.nanargmin(numbers))
    return f"highest {highest}, lowest {lowest}"
