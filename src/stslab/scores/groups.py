"""Groups of sentences: the closest are joined first, then groups by their average score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd


def group_tree(matrix: pd.DataFrame) -> npt.NDArray[np.float64]:
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


def leaves(tree: npt.NDArray[np.float64]) -> list[int]:
    """Order rows as the tree has them, similar ones next to each other."""
    from scipy.cluster.hierarchy import leaves_list

    return [int(leaf) for leaf in leaves_list(tree)]
