"""A map of sentences as an instrument: points that can be asked, and the members of each group.

The drawing holds no words, so that none becomes too small on a phone; those are beneath it, in the
reader's own fonts. Without JavaScript each point has a title, and each group its members.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from .tables import folded

MAP = "application/vnd.stslab.map+json"
WIDTH, LOWEST, HIGHEST, EDGE = 640, 220, 400, 14  # of the drawing, in its own units
TITLE = 120  # characters of a sentence in its point's title
CROWDED = 250  # points from which they are drawn smaller
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
)


def valid(chart: Any) -> bool:
    """Check that this is a map as `draw_map` writes it."""
    try:
        groups, points = chart["groups"], chart["points"]
        return (
            isinstance(groups, list)
            and all(isinstance(name, str) for name in groups)
            and isinstance(points, list)
            and len(points) > 0
            and all(
                math.isfinite(x)
                and math.isfinite(y)
                and type(group) is type(row) is int
                and 0 <= group < min(len(groups), len(SHAPES))
                and isinstance(text, str)
                for x, y, group, row, text in points
            )
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def instrument(chart: Mapping[str, Any], *, ident: str, alt: str) -> Markup:
    """Draw a map; `alt` says in words what it shows."""
    xs, ys = ([point[axis] for point in chart["points"]] for axis in (0, 1))
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    room = (WIDTH - 2 * EDGE, HIGHEST - 2 * EDGE)
    scale = min(
        (side / span for side, span in zip(room, (width, height), strict=True) if span > 0),
        default=1.0,
    )
    tall = max(LOWEST, math.ceil(height * scale) + 2 * EDGE)
    left, top = (WIDTH - width * scale) / 2, (tall - height * scale) / 2
    size = ' transform="scale(.6)"' if len(xs) > CROWDED else ""
    used = range(len(chart["groups"]))
    shapes = "".join(f'<path id="{ident}-{n}" d="{SHAPES[n]}"{size}/>' for n in used)
    drawn, listed = [], []
    for number, name in enumerate(chart["groups"]):
        members = [point for point in chart["points"] if point[2] == number]
        drawn.append(f'<g class="g{number}">')
        drawn += [
            f'<use href="#{ident}-{number}" x="{left + (x - min(xs)) * scale:.1f}" '
            f'y="{top + (max(ys) - y) * scale:.1f}">'
            f"<title>{row}: {escape(text[:TITLE] + '…' * (len(text) > TITLE))}</title></use>"
            for x, y, _, row, text in members
        ]
        drawn.append("</g>")
        items = "".join(f'<li value="{p[3]}"><bdi>{folded(p[4])}</bdi></li>' for p in members)
        listed.append(
            f'<li><details><summary><svg class="key g{number}" viewBox="-9 -9 18 18" '
            f'aria-hidden="true"><path d="{SHAPES[number]}"/></svg> <bdi>{escape(name)}</bdi> '
            f"<small>{len(members):,}</small></summary><ol>{items}</ol></details></li>"
        )
    return Markup(
        f'<div class="plot map"><svg role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {WIDTH} {tall}"><defs>{shapes}</defs>{"".join(drawn)}</svg></div>'
        f'<ul class="groups" role="list">{"".join(listed)}</ul>'
    )
