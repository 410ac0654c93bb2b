"""Heatmap and score bars, and the text alternatives made from their data.

Text is data: labels are never read as mathematics, and stay text in SVG.
"""

from __future__ import annotations

import itertools
import textwrap
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .wording import LABEL, counted, quoted, short_label, short_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANNOTATED = 12  # largest matrix with a number in each cell
LABELLED = 40  # largest matrix with a label on each row
CELLS = 1000  # most rows of an image; a larger matrix is averaged
NAMED = 12  # most clusters that a large matrix names
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

    Up to 12 sentences each cell shows its score, up to 40 each row its label. Larger matrices are
    always clustered and drawn as one image, beyond 1,000 sentences averaged into fewer cells, with
    the clusters named. The colour scale is fixed from -1 to 1, so that two heatmaps compare.

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

    n = len(matrix)
    tree = cluster_tree(matrix) if cluster or n > LABELLED else None
    if tree is not None:
        order = _leaves(tree)
        matrix = matrix.iloc[order, order]
    if ax is None:
        side = float(np.clip(2.6 + 0.55 * n, 4.5, 9.0))
        _, ax = plt.subplots(figsize=(side + 1.2, side), layout="constrained")
    if tree is None or n <= LABELLED:
        _draw_cells(ax, matrix)
    else:
        _draw_image(ax, matrix, tree)
    _set_title(ax, title)
    drawn[ax] = (describe_matrix(matrix), matrix)
    return ax


def _draw_cells(ax: Axes, matrix: pd.DataFrame) -> None:
    import seaborn as sns

    n = len(matrix)
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
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": "cosine similarity", "shrink": 0.8},
        ax=ax,
    )
    labels, ticks = short_labels(list(matrix.index)), np.arange(n) + 0.5
    ax.set_xticks(ticks, labels, rotation=45, ha="right", fontsize=8, parse_math=False)
    ax.set_yticks(ticks, labels, rotation=0, fontsize=8, parse_math=False)
    ax.set(xlabel="", ylabel="")


def _draw_image(ax: Axes, matrix: pd.DataFrame, tree: npt.NDArray[np.float64]) -> None:
    """Draw one image with the largest clusters named by their most typical sentence."""
    from scipy.cluster.hierarchy import fcluster

    n, values = len(matrix), matrix.to_numpy()
    drawing = ax.imshow(
        _averaged(values, CELLS), vmin=-1, vmax=1, cmap=COLOURS, extent=(0, n, n, 0), aspect="equal"
    )
    ax.figure.colorbar(drawing, ax=ax, label="cosine similarity", shrink=0.8)
    clusters = fcluster(tree, t=NAMED, criterion="maxclust")[_leaves(tree)]
    edges = [0, *(np.flatnonzero(np.diff(clusters)) + 1), n]
    spans = [(a, b) for a, b in itertools.pairwise(edges) if b - a >= max(2, n // 50)]
    names = []
    for start, stop in spans:
        ax.add_patch(_outline(start, stop))
        typical = start + int(values[start:stop, start:stop].mean(axis=1).argmax())
        names.append(f"{short_label(str(matrix.index[typical]))} ({stop - start})")
    middles = [(start + stop) / 2 for start, stop in spans]
    ax.set_yticks(middles, names, fontsize=8, parse_math=False)
    ax.set_xticks([])
    ax.set(xlabel=f"{n} sentences, similar ones together", ylabel="")


def _outline(start: int, stop: int) -> Any:
    from matplotlib.patches import Rectangle

    side = stop - start
    return Rectangle((start, start), side, side, fill=False, edgecolor="black", linewidth=0.8)


def _averaged(values: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """Average a large matrix into at most `most` rows and columns."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most, endpoint=False).astype(int)
    sizes = np.diff([*edges, len(values)])
    rows = np.add.reduceat(values, edges, axis=0) / sizes[:, None]
    averaged: npt.NDArray[Any] = np.add.reduceat(rows, edges, axis=1) / sizes
    return averaged


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
    return _leaves(cluster_tree(matrix))


def cluster_tree(matrix: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Join the closest sentences, then the closest groups by average score, and so on.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n)
        Scores in [-1, 1], symmetric.

    Returns
    -------
    numpy.ndarray, shape (n - 1, 4)
        The tree as `scipy.cluster.hierarchy.linkage` gives it; distances are 1 - score.
    """
    from scipy.cluster.hierarchy import linkage

    values, n = matrix.to_numpy(), len(matrix)
    # Filled in place: of 10,000 sentences these distances are 400 MB.
    distances, end = np.empty(n * (n - 1) // 2), 0
    for row in range(n - 1):
        start, end = end, end + n - 1 - row
        distances[start:end] = values[row, row + 1 :]
    np.subtract(1, distances, out=distances)
    tree: npt.NDArray[np.float64] = linkage(np.clip(distances, 0, None, out=distances), "average")
    return tree


def _leaves(tree: npt.NDArray[np.float64]) -> list[int]:
    from scipy.cluster.hierarchy import leaves_list

    return [int(leaf) for leaf in leaves_list(tree)]


def score_bars(
    labels: Sequence[str],
    scores: Sequence[float],
    *,
    title: str,
    width: int = LABEL,
    ax: Axes | None = None,
) -> Axes:
    """Draw one horizontal bar per score, first on top.

    Parameters
    ----------
    labels : sequence of str, length n
    scores : sequence of float, length n
        In [-1, 1]; the axis is fixed from -1 (0 where no score is negative) to 1.
    title : str
    width : int, default 28
        Characters of a label that are shown.
    ax : matplotlib.axes.Axes or None, default None

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    labels, scores = list(labels), [float(score) for score in scores]
    shown = short_labels(labels, width)
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
    values = matrix.to_numpy()
    n = len(values)
    rows = range(n - 1)  # row by row: a large matrix is not copied
    high = max(
        ((row, row + 1 + int(values[row, row + 1 :].argmax())) for row in rows), key=values.item
    )
    low = min(
        ((row, row + 1 + int(values[row, row + 1 :].argmin())) for row in rows), key=values.item
    )

    def between(cell: tuple[int, int]) -> str:
        a, b = (quoted(str(matrix.index[position]), LABEL) for position in cell)
        return f"{round(float(values[cell]), 2) + 0.0:.2f} between {a} and {b}"

    return f"{n} × {n} cosine similarities; highest {between(high)}; lowest {between(low)}."


def describe_scores(labels: Sequence[str], scores: Sequence[float]) -> str:
    """Say in words what score bars show: their text alternative.

    Parameters
    ----------
    labels : sequence of str, length n
    scores : sequence of float, length n

    Returns
    -------
    str

    Examples
    --------
    >>> describe_scores(["pasta", "cat"], [0.7, -0.1])
    '2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”.'
    """
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    return (
        f"{counted(len(labels), 'score')}; "
        f"highest {scores[best]:.2f} for {quoted(labels[best], LABEL)}; "
        f"lowest {scores[worst]:.2f} for {quoted(labels[worst], LABEL)}."
    )


def _set_title(ax: Axes, title: str) -> None:
    wrapped = textwrap.fill(title, 60)
    ax.set_title(wrapped, loc="left", fontsize=11, pad=10, parse_math=False)
