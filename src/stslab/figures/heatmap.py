"""The heatmap of a similarity matrix. Its labels stay text in SVG, never mathematics."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..scores.groups import group_tree, leaves
from ..wording import LABEL, quoted, short_label, short_labels
from .drawing import LABELED, Drawing, new_axes, set_title

MATRIX = "application/vnd.stslab.matrix+json"
SENTENCE = 20_000  # characters of a sentence in a page's heatmap; the CSV holds all
ANNOTATED = 12  # largest matrix with a number in each cell
CELLS = 500  # most rows of an image; a larger matrix is averaged
NAMED = 12  # most groups that a large matrix names
# Perceptually uniform, safe for colour-blind readers, and white at 0: negative scores show.
SCALE: dict[str, Any] = {"vmin": -1, "vmax": 1, "cmap": "vlag"}


def heatmap(
    matrix: pd.DataFrame,
    *,
    title: str = "How similar is each sentence to each other?",
    reorder: bool = False,
    rows: Sequence[int] | None = None,
    groups: Sequence[str] | None = None,
) -> Drawing:
    """Draw a similarity matrix.

    Up to 12 sentences each cell shows its score, up to 40 each row its label. Larger matrices are
    always reordered and drawn as one image, beyond 500 sentences averaged into fewer cells, with
    the groups named. The color scale is fixed from -1 to 1, so that two heatmaps compare.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n), as from `similarity_matrix`
    title : str
    reorder : bool, default False
        Put similar sentences next to each other, by average linkage of 1 - score.
    rows : sequence of int, length n, or None, default None
        A number for each row, such as its row in a file, which a page shows beside the sentence;
        1 to n by default. Each keeps its own when the matrix is reordered.
    groups : sequence of str, length n, or None, default None
        The name of each row's group, "" for none, of a matrix that is in order already.

    Returns
    -------
    Drawing
        Its data is the matrix in the order drawn.

    See Also
    --------
    seaborn.clustermap : a heatmap with its tree.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["pasta", "pizza", "cat"]
    >>> matrix = pd.DataFrame([[1, 0.7, 0.1], [0.7, 1, 0], [0.1, 0, 1]], names, names)
    >>> print(heatmap(matrix).alt.replace("; ", ";\\n"))
    3 × 3 cosine similarities;
    highest 0.70 between “pasta” and “pizza”;
    lowest 0.00 between “pizza” and “cat”.
    """
    n = len(matrix)
    numbers = list(range(1, n + 1) if rows is None else map(int, rows))
    if len(numbers) != n:
        raise ValueError(f"rows has {len(numbers)} numbers for a matrix of {n} rows: pass {n}.")
    tree = group_tree(matrix) if groups is None and (reorder or n > LABELED) else None
    if tree is not None:
        order = leaves(tree)
        matrix, numbers = matrix.iloc[order, order], [numbers[place] for place in order]
    side = float(np.clip(2.6 + 0.55 * n, 4.5, 9.0))
    ax = new_axes(side + 1.2, side)
    if n <= LABELED:
        _draw_cells(ax, matrix)
    else:
        _draw_image(ax, matrix, groups or _named(matrix, tree))
    set_title(ax, title)  # at last: seaborn lays the figure out, and a title would move the cells
    return Drawing(ax, _describe(matrix), matrix, _form(matrix, numbers) if n <= LABELED else {})


def _form(matrix: pd.DataFrame, rows: list[int]) -> dict[str, Any]:
    names = [str(name) for name in matrix.index]
    names = [name if len(name) <= SENTENCE else name[:SENTENCE] + "…" for name in names]
    form = {"sentences": names, "labels": short_labels(names), "rows": rows}
    return {MATRIX: form | {"values": matrix.to_numpy(dtype=float).round(6).tolist()}}


def _draw_cells(ax: Any, matrix: pd.DataFrame) -> None:
    import seaborn as sns

    n = len(matrix)
    few = n <= ANNOTATED
    cells: Any = {"annot": few, "fmt": ".2f", "annot_kws": {"fontsize": 9 if n <= 8 else 7}}
    cells |= {"square": True, "linewidths": 0.5 * few, "xticklabels": False, "yticklabels": False}
    beside = {"label": "cosine similarity", "shrink": 0.8}
    sns.heatmap(matrix, **SCALE, **cells, cbar_kws=beside, ax=ax)
    labels, ticks = short_labels(list(matrix.index)), np.arange(n) + 0.5
    ax.set_xticks(ticks, labels, rotation=45, ha="right", fontsize=8, parse_math=False)
    ax.set_yticks(ticks, labels, rotation=0, fontsize=8, parse_math=False)
    ax.set(xlabel="", ylabel="")


def _named(matrix: pd.DataFrame, tree: Any) -> list[str]:
    """Name each row's group, one of the largest few, by a sentence that represents it."""
    from scipy.cluster.hierarchy import fcluster

    group = fcluster(tree, t=NAMED, criterion="maxclust")[leaves(tree)]
    inside = {each: matrix.iloc[group == each, group == each] for each in np.unique(group)}
    name = {each: str(scores.mean().idxmax()) for each, scores in inside.items()}
    return [name[each] for each in group]


def _draw_image(ax: Any, matrix: pd.DataFrame, groups: Sequence[str]) -> None:
    """Draw one image with the largest groups named."""
    import seaborn  # noqa: F401 (it brings the colors of SCALE)
    from matplotlib.patches import Rectangle

    n = len(matrix)
    cells = _averaged(matrix.to_numpy(), CELLS)
    drawing = ax.imshow(cells, **SCALE, extent=(0, n, n, 0), aspect="equal")
    ax.figure.colorbar(drawing, ax=ax, label="cosine similarity", shrink=0.8)
    edges = [0, *(i for i in range(1, n) if groups[i] != groups[i - 1]), n]
    spans = [(a, b) for a, b in itertools.pairwise(edges) if groups[a] and b - a >= max(2, n // 50)]
    for start, stop in spans:
        place = ((start, start), stop - start, stop - start)
        ax.add_patch(Rectangle(*place, fill=False, edgecolor="black", linewidth=0.8))
    names = [f"{short_label(groups[a])} ({b - a})" for a, b in spans]
    middles = [(start + stop) / 2 for start, stop in spans]
    ax.set_yticks(middles, names, fontsize=8, parse_math=False)
    ax.set(xticks=[], xlabel=f"{n} sentences, similar ones together", ylabel="")


def _averaged(values: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """Average a large matrix into at most `most` rows and columns."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most, endpoint=False).astype(int)
    sizes = np.diff([*edges, len(values)])
    rows = np.add.reduceat(values, edges, axis=0) / sizes[:, None]
    return np.asarray(np.add.reduceat(rows, edges, axis=1) / sizes)


def _describe(matrix: pd.DataFrame) -> str:
    values = matrix.to_numpy()
    n = len(values)
    parts = [values[row, row + 1 :] for row in range(n - 1)]  # of a large matrix, no copies
    high = max(((row, row + 1 + int(p.argmax())) for row, p in enumerate(parts)), key=values.item)
    low = min(((row, row + 1 + int(p.argmin())) for row, p in enumerate(parts)), key=values.item)

    def between(cell: tuple[int, int]) -> str:
        a, b = (quoted(str(matrix.index[position]), LABEL) for position in cell)
        return f"{round(float(values[cell]), 2) + 0.0:.2f} between {a} and {b}"

    return f"{n} × {n} cosine similarities; highest {between(high)}; lowest {between(low)}."
