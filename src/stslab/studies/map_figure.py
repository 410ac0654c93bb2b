"""Drawing of a map: a point per sentence, a color and a marker per group."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..figures.drawing import LABELED, Drawing, new_axes
from ..mime_types import MAP
from ..wording import short_label, short_labels
from .map import SentenceMap

POINTS = 1000  # most points that a page draws itself
SENTENCE = 2_000  # characters of a sentence on a page's map; the CSV holds all
COLORED = 10  # groups with a color of their own; the rest share one
MARKERS = "osD^vP*Xpdoo"
NO_GROUP, PALE = "in no theme", (0.75, 0.75, 0.75)
RASTERIZED = 500  # more points than this are drawn as one image


def draw_map(
    layout: SentenceMap,
    groups: Sequence[str],
    *,
    title: str = "Which sentences lie together?",
    rows: Sequence[int] | None = None,
) -> Drawing:
    """Draw a map, a color and a marker for each group.

    Up to 40 sentences are labeled, where there is room; more than 500 are drawn as one image. A
    page draws up to 1,000 points itself, and shows the sentence of a point under the pointer.

    Parameters
    ----------
    layout : SentenceMap
    groups : sequence of str, length n
        The group of each sentence, "" for one in no group, which is drawn small and pale. The ten
        largest groups have a color of their own, and their names stand in their middle.
    title : str
    rows : sequence of int, length n, or None, default None
        A number for each sentence, such as its row in a file; 1 to n by default.

    Returns
    -------
    Drawing
    """
    import seaborn as sns

    table = layout.table
    group, names = _largest_groups(groups, table.index)
    ax = new_axes(9, 5.5, title)
    colors = [*sns.color_palette("colorblind", COLORED), (0.6, 0.6, 0.6)]
    is_large = len(table) > RASTERIZED
    size, marker_scale = 36, 1
    if is_large:
        size, marker_scale = 6, 2
    points = []
    for number, name in enumerate(names):
        style: dict[str, Any] = {
            "s": size,
            "color": [colors[number % len(colors)]],
            "marker": MARKERS[number],
        }
        if name == NO_GROUP:
            style = {"s": size / 4, "color": [PALE], "marker": "o"}
        in_group = table[group == name]
        points.append(
            ax.scatter(in_group["x"], in_group["y"], linewidths=0, rasterized=is_large, **style)
        )
    legend = ax.legend(
        points,
        ["-" for _ in points],  # the names follow, as texts that are never markup
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        markerscale=marker_scale,
    )
    for text, label in zip(legend.get_texts(), short_labels(names, 40), strict=True):
        text.set(text=label, fontsize=8, parse_math=False)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set(xticks=[], yticks=[])
    if len(table) <= LABELED:
        _label(ax, table)
    else:
        _write_names(ax, table, group, names[:COLORED])
    forms = {}
    if len(table) <= POINTS:
        forms = _form(table, group, names, rows)
    return Drawing(ax, layout.describe(), table.assign(group=group.tolist()), forms)


def _largest_groups(
    groups: Sequence[str], index: pd.Index[Any]
) -> tuple[pd.Series[str], list[str]]:
    """Return each sentence's group and the groups' names, largest first; small ones are joined."""
    group = pd.Series(list(groups), index=index, dtype=object).map(str).replace("", NO_GROUP)
    counts = group[group != NO_GROUP].value_counts(sort=False)
    names = counts.sort_values(ascending=False, kind="stable").index.tolist()
    if len(names) > COLORED:
        smaller = f"{len(names) - COLORED} more"
        group = group.where(group.isin([*names[:COLORED], NO_GROUP]), smaller)
        names = [*names[:COLORED], smaller]
    if (group == NO_GROUP).any():
        names.append(NO_GROUP)
    return group, names


def _write_names(ax: Any, table: pd.DataFrame, group: pd.Series[str], names: Sequence[str]) -> None:
    """Write the names of groups on the map, each in the middle of its points."""
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2.5, foreground="white")]
    for name in names:
        if name == NO_GROUP:
            continue
        middle = table[group == name][["x", "y"]].median()
        label = ax.annotate(
            short_label(name), tuple(middle), ha="center", va="center", fontsize=8, parse_math=False
        )
        label.set(fontweight="bold", path_effects=outline)


def _form(
    table: pd.DataFrame, group: pd.Series[str], names: Sequence[str], rows: Sequence[int] | None
) -> dict[str, Any]:
    """Return the data from which a page draws the map itself."""
    if rows is None:
        rows = range(1, len(table) + 1)
    points = zip(
        table["x"].round(4).tolist(),
        table["y"].round(4).tolist(),
        [names.index(name) for name in group],
        [int(row) for row in rows],
        [_sentence_in_form(str(sentence)) for sentence in table["sentence"]],
        strict=True,
    )
    form: dict[str, Any] = {"groups": list(names), "points": list(map(list, points))}
    if NO_GROUP in names:
        form["apart"] = names.index(NO_GROUP)
    return {MAP: form}


def _sentence_in_form(sentence: str) -> str:
    if len(sentence) <= SENTENCE:
        return sentence
    return sentence[:SENTENCE] + "…"


def _label(ax: Any, table: pd.DataFrame) -> None:
    """Label each point on one of its sides, or not at all if the label would cover another."""
    from matplotlib.transforms import Bbox

    # The offset and the alignment of a label: above to the right, above to the left, below …
    places = [((6, 3), "left"), ((-6, 3), "right"), ((6, -8), "left"), ((-6, -8), "right")]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph")  # as `show_figure` does
        ax.figure.draw_without_rendering()
        markers = ax.transData.transform(table[["x", "y"]])
        occupied = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in markers]
        labels = short_labels(table["sentence"].tolist())
        for label, x, y in zip(labels, table["x"], table["y"], strict=True):
            settings: Any = {"textcoords": "offset points", "fontsize": 7, "parse_math": False}
            text = ax.annotate(label, (x, y), (0, 0), **settings)
            for offset, alignment in places:
                text.set(position=offset, ha=alignment)
                box = text.get_window_extent()
                is_inside = ax.bbox.count_contains([box.min, box.max]) == 2
                if is_inside and not box.count_overlaps(occupied):
                    occupied.append(box)
                    break
            else:  # no place is free
                text.remove()
