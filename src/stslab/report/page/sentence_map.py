"""A map of sentences on a page: a drawing of points that name their sentence, and the groups.

The groups' names stand on the drawing where a screen is wide enough to read them, and beneath it in
the reader's own fonts. Without JavaScript a point shows its sentence as a tooltip, and a group
opens to the list of its members.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from markupsafe import Markup

from ...wording import short_label
from .assets import templates
from .tables import folded

# Of the drawing, in its own units.
WIDTH = 640
LOWEST, HIGHEST = 220, 400
MARGIN = 14
TITLE = 120  # characters of a sentence in its point's title
NAMED = 10  # groups whose names are written on the drawing
FEW = 40  # with so many points or fewer, names would cover them
CROWDED = 250  # with more points than this, each is drawn smaller
# A shape for each group, for those who see no colors; the last is for all other groups.
SHAPES = (
    "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    "M-5-5h10v10h-10z",
    "M0-7.5L7.5 0L0 7.5L-7.5 0z",
    "M0-7L6.5 5h-13z",
    "M0 7L6.5-5h-13z",
    "M-2-6.5h4v4.5h4.5v4h-4.5v4.5h-4v-4.5h-4.5v-4h4.5z",
    "M0-8L2-2.5H8L3 1 5 7 0 3.5-5 7-3 1-8-2.5H-2z",
    "M-6-3.5L-3.5-6L0-2.5L3.5-6L6-3.5L2.5 0L6 3.5L3.5 6L0 2.5L-3.5 6L-6 3.5L-2.5 0z",
    "M0-7L6.7-2.2L4.1 5.7H-4.1L-6.7-2.2z",
    "M0-8L4 0L0 8L-4 0z",
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z",
)

_TEMPLATES = templates()


class _Point(NamedTuple):
    x: str
    y: str
    row: int
    title: str
    text: Markup


class _Group(NamedTuple):
    name: str
    shape: str
    points: list[_Point]
    is_apart: bool  # whether its points are in no group
    label: str  # written on the drawing; empty for none
    x: str
    y: str


def is_map(data: Any) -> bool:
    """Check that this is the data of a map as `draw_map` writes it."""
    try:
        groups, points = data["groups"], data["points"]
        if type(data.get("apart", 0)) is not int:
            return False
        if not isinstance(groups, list) or not isinstance(points, list) or not points:
            return False
        group_count = min(len(groups), len(SHAPES))
        return all(isinstance(name, str) for name in groups) and all(
            _is_point(point, group_count) for point in points
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def _is_point(point: Any, group_count: int) -> bool:
    x, y, group, row, text = point
    return (
        math.isfinite(x)
        and math.isfinite(y)
        and type(group) is type(row) is int
        and 0 <= group < group_count
        and isinstance(text, str)
    )


def _scale(map_width: float, map_height: float) -> float:
    """Return the factor by which a map grows to as large as both sides of the drawing allow."""
    scales = []
    # Points in a line leave one side free, and a single point both.
    if map_width > 0:
        scales.append((WIDTH - 2 * MARGIN) / map_width)
    if map_height > 0:
        scales.append((HIGHEST - 2 * MARGIN) / map_height)
    return min(scales, default=1.0)


def render_map(data: Mapping[str, Any], *, ident: str, alt: str) -> Markup:
    """Return a map as HTML.

    Parameters
    ----------
    data : mapping
        ``groups``, a list of names, and ``points``, a list of (x, y, group, row, sentence).
    ident : str
        The id of the figure on the page, with which the ids of its shapes begin.
    alt : str
        What the map shows, in words.
    """
    points = data["points"]
    xs = [point[0] for point in points]
    ys = [point[1] for point in points]
    min_x, max_y = min(xs), max(ys)
    map_width, map_height = max(xs) - min_x, max_y - min(ys)
    scale = _scale(map_width, map_height)
    height = max(LOWEST, math.ceil(map_height * scale) + 2 * MARGIN)
    margin_left, margin_top = (WIDTH - map_width * scale) / 2, (height - map_height * scale) / 2

    def place(point: Sequence[Any]) -> _Point:
        x, y, _, row, text = point
        title = text
        if len(text) > TITLE:
            title = f"{text[:TITLE]}…"
        return _Point(
            x=f"{margin_left + (x - min_x) * scale:.1f}",
            y=f"{margin_top + (max_y - y) * scale:.1f}",  # in a drawing y grows downwards
            row=row,
            title=title,
            text=folded(text),
        )

    groups = []
    for number, name in enumerate(data["groups"]):
        members = [place(point) for point in points if point[2] == number]
        is_apart = data.get("apart") == number
        label = ""
        if members and not is_apart and number < NAMED and len(points) > FEW:
            label = short_label(name)
        groups.append(
            _Group(
                name=name,
                shape=SHAPES[-1] if is_apart else SHAPES[number],
                points=members,
                is_apart=is_apart,
                label=label,
                x=f"{median([float(point.x) for point in members] or [0]):.1f}",
                y=f"{median([float(point.y) for point in members] or [0]):.1f}",
            )
        )
    html = _TEMPLATES.get_template("map.html.j2").render(
        groups=groups,
        ident=ident,
        alt=alt,
        width=WIDTH,
        height=height,
        is_crowded=len(points) > CROWDED,
    )
    return Markup(html)
