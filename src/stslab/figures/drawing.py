"""A figure together with what it shows in words and the numbers behind it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELED = 40  # with more rows or points than this, they have no labels
COLOR = "#4878a8"


@dataclass(frozen=True)
class Drawing:
    """A figure as the functions that draw return it; `show_figure` shows and publishes it."""

    ax: Axes  # can be changed before the figure is shown
    alt: str  # the text alternative, made from the data
    data: pd.DataFrame  # the numbers behind the figure
    # Data by MIME type, from which a page makes its own version of the figure.
    forms: Mapping[str, Any] = field(default_factory=dict)


def new_axes(width: float, height: float, title: str = "") -> Axes:
    """Return the axes of a new figure, whose size is in inches."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    set_title(ax, title)
    return ax


def set_title(ax: Axes, title: str) -> None:
    """Set a title; a $ in it starts no formula."""
    ax.set_title(textwrap.fill(title, 60), loc="left", fontsize=11, pad=10, parse_math=False)
