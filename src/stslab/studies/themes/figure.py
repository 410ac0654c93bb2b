"""The picture of a list's themes: a bar each, with its most typical text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ...figures.drawing import COLOR, Drawing, new_axes
from ...wording import counted, short_label
from .results import Themes

MOST_BARS = 12
TITLE = 60  # characters of a theme's name
TEXT = 95  # characters of its most typical text
BAR = 0.2  # of the height that a theme has


def draw_themes(themes: Themes, *, title: str = "What is the list about?") -> Drawing:
    """Draw a bar for each theme, the largest on top, with its name and its most typical text.

    Parameters
    ----------
    themes : Themes
        With at least one theme; the 12 largest are drawn.
    title : str

    Returns
    -------
    Drawing
        Its data has the columns ``theme, rows, share, typical``.
    """
    largest = themes.themes[:MOST_BARS]
    counted_themes = counted(len(themes.themes), "theme")
    axis_label = "rows of the list"
    if len(themes.themes) > MOST_BARS:
        counted_themes = f"The largest {MOST_BARS} of {counted_themes}"
        axis_label += f", for the largest {MOST_BARS} of its {len(themes.themes)} themes"
    ax = new_axes(8.5, 0.8 + 0.46 * len(largest), title)
    counts = [theme.count for theme in largest]
    places = range(len(largest))
    ax.barh(places, counts, height=BAR, color=COLOR)
    for place, theme in zip(places, largest, strict=True):
        share = theme.count / themes.row_count
        name = f"{short_label(theme.title, TITLE)}  {theme.count:,} ({share:.0%})"
        text = ""
        if theme.words:  # otherwise the name is a typical text
            text = f"“{short_label(theme.texts[0], TEXT)}”"
        options: Any = {"xycoords": ("axes fraction", "data"), "parse_math": False}
        ax.annotate(name, (0, place - 0.3), va="center", fontsize=9, fontweight="bold", **options)
        ax.annotate(text, (0, place + 0.26), va="center", fontsize=7.5, style="italic", **options)
    ax.set(yticks=[], xlim=(0, max(counts) * 1.02), ylim=(len(largest) - 0.4, -0.6))
    ax.set_xlabel(axis_label)
    ax.locator_params(axis="x", integer=True)
    ax.spines[["left", "right", "top"]].set_visible(False)
    data = pd.DataFrame(
        {
            "theme": [theme.title for theme in largest],
            "rows": counts,
            "share": [count / themes.row_count for count in counts],
            "typical": [theme.texts[0] for theme in largest],
        }
    )
    bars = "; ".join(f"{theme.title} {theme.count:,}" for theme in largest)
    return Drawing(ax, f"{counted_themes}: {bars}.", data)
