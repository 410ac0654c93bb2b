"""A figure together with what it shows in words and the numbers behind it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELED = 40  # most rows or points with a label each
COLOR = "#4878a8"


@dataclass(frozen=True)
class Drawing:
    """What `heatmap` and its like return; `show_figure` shows and publishes it."""

    ax: Axes  # to change before it is shown
    alt: str  # the text alternative, made from the data
    data: pd.DataFrame  # the numbers behind the figure
    # MIME type → what a page draws its own picture from
    forms: Mapping[str, Any] = field(default_factory=dict)


def new_axes(width: float, height: float, title: str = "") -> Axes:
    """Make a figure of one plot, in inches."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    set_title(ax, title)
    return ax


def set_title(ax: Axes, title: str) -> None:
    """Set a title as text, never as mathematics."""
    ax.set_title(textwrap.fill(title, 60), loc="left", fontsize=11, pad=10, parse_math=False)
