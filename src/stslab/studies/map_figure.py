"""A map drawn: a point per sentence, a color and a marker per group. Text is never markup."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..figures.drawing import LABELED, Drawing, new_axes
from ..mime_types import MAP
from ..wording import short_labels
from .map import SentenceMap

POINTS = 1000  # most points that a page draws itself
SENTENCE = 2_000  # characters of a sentence on a page's map; the CSV holds all
COLORED = 10  # groups with a color of their own; the rest share one
MARKERS = "osD^vP*Xpdo"
RASTERIZED = 500  # more points than this are drawn as one image


def draw_map(
    found: SentenceMap,
    groups: Sequence[str],
    *,
    title: str = "Which sentences lie together?",
    rows: Sequence[int] | None = None,
) -> Drawing:
    """Draw a map, a color and a marker for each group.

    Up to 40 sentences are labeled, where there is room; more than 500 are drawn as one image. A
    page draws up to 1,000 points itself: each tells its sentence when it is pointed at.

    Parameters
    ----------
    found : SentenceMap
    groups : sequence of str, length n
        What the colors stand for. The ten largest groups get one of their own.
    title : str
    rows : sequence of int, length n, or None, default None
        A number for each sentence, such as its row in a file; 1 to n by default.

    Returns
    -------
    Drawing
    """
    import seaborn as sns

    table = found.table
    of = pd.Series(list(groups), index=table.index, dtype=object).map(str)
    names = of.value_counts(sort=False).sort_values(ascending=False, kind="stable").index.tolist()
    if len(names) > COLORED:
        of = of.where(of.isin(names[:COLORED]), rest := f"{len(names) - COLORED} more")
        names = [*names[:COLORED], rest]
    ax = new_axes(9, 5.5, title)
    colors = [*sns.color_palette("colorblind", COLORED), (0.8, 0.8, 0.8)]
    large = len(table) > RASTERIZED
    points = [
        ax.scatter(
            table["x"][of == name],
            table["y"][of == name],
            s=6 if large else 36,
            color=[colors[number]],
            marker=MARKERS[number],
            linewidths=0,
            rasterized=large,
        )
        for number, name in enumerate(names)
    ]
    beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "markerscale": 1 + large}
    legend = ax.legend(points, ["-"] * len(points), **beside)
    for text, label in zip(legend.get_texts(), short_labels(names, 40), strict=True):
        text.set(text=label, fontsize=8, parse_math=False)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set(xticks=[], yticks=[])
    if len(table) <= LABELED:
        _label(ax, table)
    form = {} if len(table) > POINTS else _form(table, of, names, rows)
    return Drawing(ax, found.describe(), table.assign(group=of.tolist()), form)


def _form(
    table: pd.DataFrame, of: pd.Series[str], names: Sequence[str], rows: Sequence[int] | None
) -> dict[str, Any]:
    numbers = list(range(1, len(table) + 1) if rows is None else map(int, rows))
    texts = [str(text) for text in table["sentence"]]
    points = zip(
        table["x"].round(4).tolist(),
        table["y"].round(4).tolist(),
        map(names.index, of),
        numbers,
        [text if len(text) <= SENTENCE else text[:SENTENCE] + "…" for text in texts],
        strict=True,
    )
    return {MAP: {"groups": list(names), "points": list(map(list, points))}}


def _label(ax: Any, table: pd.DataFrame) -> None:
    """Write each sentence on one side of its point, or nowhere if it would cover another."""
    from matplotlib.transforms import Bbox

    places = [(x, y) for y in (3, -8) for x in (6, -6)]  # right above, left above, …
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph")  # as `show_figure` does
        ax.figure.draw_without_rendering()
        markers = ax.transData.transform(table[["x", "y"]])
        taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in markers]
        labels = short_labels(table["sentence"].tolist())
        for label, x, y in zip(labels, table["x"], table["y"], strict=True):
            settings: Any = {"textcoords": "offset points", "fontsize": 7, "parse_math": False}
            text = ax.annotate(label, (x, y), (0, 0), **settings)
            for place in places:
                text.set(position=place, ha="left" if place[0] > 0 else "right")
                box = text.get_window_extent()
                inside = ax.bbox.count_contains([box.min, box.max]) == 2
                if inside and not box.count_overlaps(taken):
                    taken.append(box)
                    break
            else:
                text.remove()
