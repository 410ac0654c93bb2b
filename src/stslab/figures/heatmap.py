"""The heatmap of a similarity matrix. Its labels stay text in SVG, never mathematics."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..mime_types import MATRIX
from ..scores.groups import group_tree, leaves
from ..wording import LABEL, quoted, short_label, short_labels
from .drawing import LABELED, Drawing, new_axes, set_title

SENTENCE = 20_000  # characters of a sentence in a page's heatmap; the CSV holds all
ANNOTATED = 12  # largest matrix with a number in each cell
CELLS = 500  # most rows of an image; a larger matrix is averaged
NAMED = 12  # most groups that a large matrix names
# Perceptually uniform, safe for color-blind readers, and white at 0: negative scores show.
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

    With up to 12 sentences each cell shows its score, and with up to 40 each row has a label. A
    larger matrix is always reordered and drawn as one image with its groups named; with more than
    500 sentences, cells are averaged. The color scale is fixed from -1 to 1, so that heatmaps can
    be compared.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n), as from `similarity_matrix`
    title : str
    reorder : bool, default False
        Put similar sentences next to each other, by average linkage of 1 - score.
    rows : sequence of int, length n, or None, default None
        A number for each row, such as its row in a file, which a page shows beside the sentence;
        None numbers them from 1 to n. A sentence keeps its number when the matrix is reordered.
    groups : sequence of str, length n, or None, default None
        The name of each row's group, "" for none. With it, the matrix is taken to be in order, and
        each group is outlined.

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
    numbers = list(range(1, n + 1))
    if rows is not None:
        numbers = [int(number) for number in rows]
    if len(numbers) != n:
        raise ValueError(f"rows has {len(numbers)} numbers for a matrix of {n} rows: pass {n}.")
    if groups is not None and len(groups) != n:
        raise ValueError(f"groups has {len(groups)} names for a matrix of {n} rows: pass {n}.")
    if groups is None and (reorder or n > LABELED):
        tree = group_tree(matrix)
        order = leaves(tree)
        matrix, numbers = matrix.iloc[order, order], [numbers[position] for position in order]
        if n > LABELED:
            groups = _group_names(matrix, tree)
    side = float(np.clip(2.6 + 0.55 * n, 4.5, 9.0))
    ax = new_axes(side + 1.2, side)
    page_forms = {}
    if n <= LABELED:
        _draw_cells(ax, matrix)
        page_forms[MATRIX] = _page_data(matrix, numbers)
        if groups is not None:
            spans = _spans(groups)
            page_forms[MATRIX]["outlines"] = spans
            _outline(ax, spans)
    else:
        assert groups is not None  # they were given, or named above
        _draw_image(ax, matrix, groups)
    # The title comes last: seaborn lays the figure out, and an earlier title would move the cells.
    set_title(ax, title)
    return Drawing(ax, _describe(matrix), matrix, page_forms)


def _page_data(matrix: pd.DataFrame, numbers: list[int]) -> dict[str, Any]:
    """Return what a page makes its own heatmap from."""
    names = []
    for name in map(str, matrix.index):
        if len(name) > SENTENCE:
            name = f"{name[:SENTENCE]}…"
        names.append(name)
    return {
        "sentences": names,
        "labels": short_labels(names),
        "rows": numbers,
        "values": matrix.to_numpy(dtype=float).round(6).tolist(),
    }


def _draw_cells(ax: Any, matrix: pd.DataFrame) -> None:
    """Draw a cell for each pair, and a label for each row and column."""
    import seaborn as sns

    n = len(matrix)
    is_annotated = n <= ANNOTATED
    font_size, line_width = 9, 0.5
    if n > 8:
        font_size = 7
    if not is_annotated:
        line_width = 0.0
    sns.heatmap(
        matrix,
        **SCALE,
        annot=is_annotated,
        fmt=".2f",
        annot_kws={"fontsize": font_size},
        square=True,
        linewidths=line_width,
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": "cosine similarity", "shrink": 0.8},
        ax=ax,
    )
    # Set here and not by seaborn, which would read a $ in a label as the start of a formula.
    labels, ticks = short_labels(list(matrix.index)), np.arange(n) + 0.5
    ax.set_xticks(ticks, labels, rotation=45, ha="right", fontsize=8, parse_math=False)
    ax.set_yticks(ticks, labels, rotation=0, fontsize=8, parse_math=False)
    ax.set(xlabel="", ylabel="")


def _group_names(matrix: pd.DataFrame, tree: Any) -> list[str]:
    """Return a group's name for each row: its sentence that is closest to the others on average.

    The matrix is in the order of the tree, which is cut into at most 12 groups.
    """
    from scipy.cluster.hierarchy import fcluster

    group_of_row = fcluster(tree, t=NAMED, criterion="maxclust")[leaves(tree)]
    names = {}
    for group in np.unique(group_of_row):
        is_member = group_of_row == group
        names[group] = str(matrix.iloc[is_member, is_member].mean().idxmax())
    return [names[group] for group in group_of_row]


def _draw_image(ax: Any, matrix: pd.DataFrame, groups: Sequence[str]) -> None:
    """Draw one image, with a frame and a name for each group that is large enough to see."""
    import seaborn  # noqa: F401 (it brings the colors of SCALE)

    n = len(matrix)
    cells = _averaged(matrix.to_numpy(), CELLS)
    image = ax.imshow(cells, **SCALE, extent=(0, n, n, 0), aspect="equal")
    ax.figure.colorbar(image, ax=ax, label="cosine similarity", shrink=0.8)
    smallest = max(2, n // 50)
    spans = [(start, stop) for start, stop in _spans(groups) if stop - start >= smallest]
    _outline(ax, spans)
    names = [f"{short_label(groups[start])} ({stop - start})" for start, stop in spans]
    middles = [(start + stop) / 2 for start, stop in spans]
    ax.set_yticks(middles, names, fontsize=8, parse_math=False)
    ax.set(xticks=[], xlabel=f"{n} sentences, similar ones together", ylabel="")


def _spans(groups: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first row of each named group, and the one after its last."""
    count = len(groups)
    edges = [0, *(row for row in range(1, count) if groups[row] != groups[row - 1]), count]
    return [(start, stop) for start, stop in itertools.pairwise(edges) if groups[start]]


def _outline(ax: Any, spans: Sequence[tuple[int, int]]) -> None:
    from matplotlib.patches import Rectangle

    for start, stop in spans:
        size = stop - start
        ax.add_patch(
            Rectangle((start, start), size, size, fill=False, edgecolor="black", linewidth=0.8)
        )


def _averaged(values: npt.NDArray[Any], limit: int) -> npt.NDArray[Any]:
    """Return a matrix, a large one averaged into at most `limit` rows and columns."""
    if len(values) <= limit:
        return values
    edges = np.linspace(0, len(values), limit, endpoint=False).astype(int)
    sizes = np.diff([*edges, len(values)])
    rows = np.add.reduceat(values, edges, axis=0) / sizes[:, None]
    return np.asarray(np.add.reduceat(rows, edges, axis=1) / sizes)


def _describe(matrix: pd.DataFrame) -> str:
    """Return the text alternative: the closest pair and the farthest."""
    values = matrix.to_numpy()
    n = len(values)
    closest, farthest = [], []  # of each row the pair above the diagonal
    for row in range(n - 1):  # row by row: a large matrix is not copied
        scores = values[row, row + 1 :]
        closest.append((row, row + 1 + int(scores.argmax())))
        farthest.append((row, row + 1 + int(scores.argmin())))

    def describe(cell: tuple[int, int]) -> str:
        a, b = (quoted(str(matrix.index[position]), LABEL) for position in cell)
        return f"{round(float(values[cell]), 2) + 0.0:.2f} between {a} and {b}"

    highest = describe(max(closest, key=values.item))
    lowest = describe(min(farthest, key=values.item))
    return f"{n} × {n} cosine similarities; highest {highest}; lowest {lowest}."
