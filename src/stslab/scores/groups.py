"""The tree that joins similar sentences, by which heatmaps are ordered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd


def group_tree(matrix: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return a tree that joins the closest sentences first, then groups by their average score.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n), as from `similarity_matrix`

    Returns
    -------
    numpy.ndarray, shape (n - 1, 4)
        As `scipy.cluster.hierarchy.linkage` makes it, by average linkage of 1 - score.
    """
    from scipy.cluster.hierarchy import linkage

    values = matrix.to_numpy()
    above_diagonal = [values[row, row + 1 :] for row in range(len(values))]
    # Changed in place: of 10,000 sentences these distances are 400 MB.
    distances = np.concatenate(above_diagonal, dtype=float)
    np.subtract(1, distances, out=distances)
    return np.asarray(linkage(np.clip(distances, 0, None, out=distances), "average"))


def leaves(tree: npt.NDArray[np.float64]) -> list[int]:
    """Return the order of a tree's sentences, with similar ones next to each other."""
    from scipy.cluster.hierarchy import leaves_list

    return [int(leaf) for leaf in leaves_list(tree)]
