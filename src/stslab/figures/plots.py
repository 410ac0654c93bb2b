"""Scatter plot, curves and score bars, each with its text alternative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..wording import LABEL, counted, quoted, short_label, short_labels
from .drawing import COLOR, LABELED, Drawing, new_axes

NAME = 44  # characters of a name beside its bar
NUMBERED = 20  # most points with a number each
CROWDED = 200  # points from which they are drawn fainter
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
    >>> import pandas as pd
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
    >>> import pandas as pd
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
    ends = [f"{each}: {extremes(table[x], table[each], 'at')}" for each in columns]
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
    stslab.studies.dot_plot : several numbers for each row.

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


def extremes(names: pd.Series[Any], values: pd.Series[Any], word: str, width: int = LABEL) -> str:
    """Name the highest and the lowest value."""
    numbers = values.to_numpy(dtype=float)
    if np.isnan(numbers).all():
        return "undefined"
    places = {"highest": np.nanargmax(numbers), "lowest": np.nanargmin(numbers)}
    return ", ".join(
        f"{end} {numbers[place]:.2f} {word} {short_label(str(names.iloc[place]), width)}"
        for end, place in places.items()
    )
