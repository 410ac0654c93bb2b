"""Heatmap and score bars, and the text alternatives made from their data.

Text is data: labels are never read as mathematics, and stay text in SVG.
"""

from __future__ import annotations

import textwrap
import unicodedata
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL = 28  # characters of a sentence on an axis
ANNOTATED = 12  # largest matrix with a number in each cell
LABELLED = 40  # largest matrix with a label on each row
# Perceptually uniform, safe for colour-blind readers, and white at 0: negative scores show.
COLOURS = "vlag"

# What a drawing was made from, so that `show_figure` can publish it beside the picture.
drawn: weakref.WeakKeyDictionary[Axes, tuple[str, pd.DataFrame]] = weakref.WeakKeyDictionary()


def heatmap(
    matrix: pd.DataFrame,
    *,
    title: str = "How similar is each sentence to each other?",
    cluster: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a similarity matrix.

    Up to 12 sentences each cell shows its score, up to 40 each row its label; larger matrices are
    drawn as one image. The colour scale is fixed from -1 to 1, so that two heatmaps compare.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n)
        As `similarity_matrix` returns it; scores in [-1, 1].
    title : str
    cluster : bool, default False
        Reorder rows and columns so that similar sentences stand together, see `cluster_order`.
    ax : matplotlib.axes.Axes or None, default None
        None draws on a new figure of fitting size.

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    if cluster:
        order = cluster_order(matrix)
        matrix = matrix.iloc[order, order]
    n = len(matrix)
    if ax is None:
        side = float(np.clip(2.6 + 0.55 * n, 4.5, 9.0))
        _, ax = plt.subplots(figsize=(side + 1.2, side), layout="constrained")
    sns.heatmap(
        matrix,
        vmin=-1,
        vmax=1,
        cmap=COLOURS,
        annot=n <= ANNOTATED,
        fmt=".2f",
        annot_kws={"fontsize": 9 if n <= 8 else 7},
        square=True,
        linewidths=0.5 if n <= ANNOTATED else 0,
        rasterized=n > LABELLED,
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": "cosine similarity", "shrink": 0.8},
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    _set_title(ax, title)
    if n <= LABELLED:
        labels = short_labels(list(matrix.index))
        ticks = np.arange(n) + 0.5
        ax.set_xticks(ticks, labels, rotation=45, ha="right", fontsize=8, parse_math=False)
        ax.set_yticks(ticks, labels, rotation=0, fontsize=8, parse_math=False)
    else:
        ax.set(xlabel=f"{n} sentences", ylabel=f"{n} sentences")
    drawn[ax] = (describe_matrix(matrix), matrix)
    return ax


def cluster_order(matrix: pd.DataFrame) -> list[int]:
    """Order a matrix's rows so that similar sentences stand together.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n)
        Scores in [-1, 1], symmetric.

    Returns
    -------
    list of int, length n
        Row positions: the leaves of average-linkage clustering on 1 - score.

    Examples
    --------
    >>> import pandas as pd
    >>> cluster_order(pd.DataFrame([[1, 0, 0.9], [0, 1, 0.1], [0.9, 0.1, 1]]))
    [1, 0, 2]
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = 1 - matrix.to_numpy(dtype=float)
    np.fill_diagonal(distances, 0)
    condensed = squareform(np.clip((distances + distances.T) / 2, 0, None), checks=False)
    return [int(leaf) for leaf in leaves_list(linkage(condensed, method="average"))]


def score_bars(
    labels: Sequence[str], scores: Sequence[float], *, title: str, ax: Axes | None = None
) -> Axes:
    """Draw one horizontal bar per score, first on top.

    Parameters
    ----------
    labels : sequence of str, length n
    scores : sequence of float, length n
        In [-1, 1]; the axis is fixed from -1 (0 where no score is negative) to 1.
    title : str
    ax : matplotlib.axes.Axes or None, default None

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    labels, scores = list(labels), [float(score) for score in scores]
    shown = short_labels(labels)
    if ax is None:
        height = float(np.clip(1.2 + 0.35 * len(shown), 2.0, 12.0))
        _, ax = plt.subplots(figsize=(7.5, height), layout="constrained")
    positions = list(range(len(shown)))
    sns.barplot(x=scores, y=positions, orient="h", color="#4878a8", ax=ax)
    ax.set_yticks(positions, shown, fontsize=8, parse_math=False)
    ax.set(xlim=(-1 if min(scores) < 0 else 0, 1), xlabel="cosine similarity", ylabel="")
    ax.axvline(0, color="black", linewidth=0.8)
    if len(shown) <= LABELLED:
        ax.bar_label(ax.containers[0], fmt="%.2f", padding=3, fontsize=8)  # type: ignore[arg-type]
    else:
        ax.set_yticks([])
    _set_title(ax, title)
    drawn[ax] = (
        describe_scores(labels, scores),
        pd.DataFrame({"sentence": labels, "score": scores}),
    )
    return ax


def describe_matrix(matrix: pd.DataFrame) -> str:
    """Say in words what a heatmap shows: its text alternative.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n), n at least 2

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["pasta", "pizza", "cat"]
    >>> matrix = pd.DataFrame([[1, 0.7, 0.1], [0.7, 1, 0], [0.1, 0, 1]], names, names)
    >>> print(describe_matrix(matrix).replace("; ", ";\\n"))
    3 × 3 cosine similarities;
    highest 0.70 between “pasta” and “pizza”;
    lowest 0.00 between “pizza” and “cat”.
    """
    values = matrix.to_numpy(dtype=float)
    n = len(values)
    above = np.triu(np.ones((n, n), dtype=bool), k=1)
    high = np.unravel_index(np.argmax(np.where(above, values, -2)), values.shape)
    low = np.unravel_index(np.argmin(np.where(above, values, 2)), values.shape)
    texts = [short_label(str(text)) for text in matrix.index]

    def between(cell: Sequence[np.intp]) -> str:
        return f"{values[tuple(cell)] + 0.0:.2f} between “{texts[cell[0]]}” and “{texts[cell[1]]}”"

    return f"{n} × {n} cosine similarities; highest {between(high)}; lowest {between(low)}."


def describe_scores(labels: Sequence[str], scores: Sequence[float]) -> str:
    """Say in words what score bars show: their text alternative.

    Examples
    --------
    >>> describe_scores(["pasta", "cat"], [0.7, -0.1])
    '2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”.'
    """
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    texts = [short_label(label) for label in labels]
    return (
        f"{len(texts)} scores; highest {scores[best]:.2f} for “{texts[best]}”; "
        f"lowest {scores[worst]:.2f} for “{texts[worst]}”."
    )


def short_label(text: str, width: int = LABEL) -> str:
    """Shorten a text to one line of at most `width` characters, with an ellipsis where cut.

    Characters that no drawing can hold (control characters, unpaired surrogates) become �.

    Examples
    --------
    >>> short_label("Python is a popular programming language.")
    'Python is a popular program…'
    """
    line = " ".join(text[: 20 * width].split())
    line = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in line)
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def short_labels(texts: Sequence[str], width: int = LABEL) -> list[str]:
    """Shorten texts as `short_label` does and number those that would look the same.

    Examples
    --------
    >>> short_labels(["The very same beginning, then this.", "The very same beginning, then that."])
    ['The very same beginni… (1)', 'The very same beginni… (2)']
    """
    labels = [short_label(text, width) for text in texts]
    repeated = {label for label, count in Counter(labels).items() if count > 1}
    seen: Counter[str] = Counter()
    for index, label in enumerate(labels):
        if label in repeated:
            seen[label] += 1
            number = f" ({seen[label]})"
            labels[index] = short_label(texts[index], width - len(number) - 2) + number
    return labels


def _set_title(ax: Axes, title: str) -> None:
    wrapped = textwrap.fill(title, 60)
    ax.set_title(wrapped, loc="left", fontsize=11, pad=10, parse_math=False)
