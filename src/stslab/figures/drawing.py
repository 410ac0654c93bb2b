"""A figure together with what it shows in words and the numbers behind it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELED = 40  # most rows or points with a label each
COLOR = "#4878a8"


@dataclass(frozen=True)
class Drawing:
    """What `heatmap` and its like return; `show_figure` shows and publishes it.

    Attributes
    ----------
    ax : matplotlib.axes.Axes
        To change before it is shown.
    alt : str
        The text alternative, made from the data.
    data : pandas.DataFrame
        The numbers behind the figure.
    """

    ax: Axes
    alt: str
    data: pd.DataFrame


def new_axes(width: float, height: float) -> Axes:
    """Make a figure of one plot, in inches."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def set_title(ax: Axes, title: str) -> None:
    """Set a title as text, never as mathematics."""
    wrapped = textwrap.fill(title, 60)
    ax.set_title(wrapped, loc="left", fontsize=11, pad=10, parse_math=False)
