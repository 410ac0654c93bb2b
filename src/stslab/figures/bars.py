"""Score bars: one number for each of a few texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..wording import LABEL, counted, quoted, short_labels
from .drawing import COLOR, LABELED, Drawing, new_axes, set_title


def score_bars(
    labels: Sequence[str], scores: Sequence[float], *, title: str, width: int = LABEL
) -> Drawing:
    """Draw one horizontal bar per score, first on top.

    Parameters
    ----------
    labels : sequence of str, length n
    scores : sequence of float, length n
        In [-1, 1]; the axis is fixed from -1 (0 where no score is negative) to 1.
    title : str
    width : int, default 28
        Characters of a label that are shown.

    Returns
    -------
    Drawing
        Its data has the columns ``sentence`` and ``score``.

    See Also
    --------
    dot_plot : several numbers for each row.

    Examples
    --------
    >>> score_bars(["pasta", "cat"], [0.7, -0.1], title="How close to pizza?").alt
    '2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”.'
    """
    import seaborn as sns

    labels, scores = list(labels), [float(score) for score in scores]
    shown = short_labels(labels, width)
    ax = new_axes(7.5, float(np.clip(1.2 + 0.35 * len(shown), 2.0, 12.0)))
    positions = list(range(len(shown)))
    sns.barplot(x=scores, y=positions, orient="h", color=COLOR, ax=ax)
    ax.set_yticks(positions, shown, fontsize=8, parse_math=False)
    ax.set(xlim=(-1 if min(scores) < 0 else 0, 1), xlabel="cosine similarity", ylabel="")
    ax.axvline(0, color="black", linewidth=0.8)
    if len(shown) <= LABELED:
        ax.bar_label(ax.containers[0], fmt="%.2f", padding=3, fontsize=8)  # type: ignore[arg-type]
    else:
        ax.set_yticks([])
    set_title(ax, title)
    data = pd.DataFrame({"sentence": labels, "score": scores})
    return Drawing(ax, _describe(labels, scores), data)


def _describe(labels: Sequence[str], scores: Sequence[float]) -> str:
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    return (
        f"{counted(len(labels), 'score')}; "
        f"highest {scores[best]:.2f} for {quoted(labels[best], LABEL)}; "
        f"lowest {scores[worst]:.2f} for {quoted(labels[worst], LABEL)}."
    )
