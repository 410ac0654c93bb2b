"""Groups of sentences: the closest are joined first, then groups by their average score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd


def group_tree(matrix: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Join the closest of n sentences, then the closest groups by average score, and so on.

    The tree, of shape (n - 1, 4), is that of `scipy.cluster.hierarchy.linkage` on 1 - score.
    """
    from scipy.cluster.hierarchy import linkage

    values = matrix.to_numpy()
    above = [values[row, row + 1 :] for row in range(len(values))]
    # Changed in place: of 10,000 sentences these distances are 400 MB.
    distances = np.concatenate(above, dtype=float)
    np.subtract(1, distances, out=distances)
    return np.asarray(linkage(np.clip(distances, 0, None, out=distances), "average"))


def leaves(tree: npt.NDArray[np.float64]) -> list[int]:
    """Order rows as the tree has them, similar ones next to each other."""
    from scipy.cluster.hierarchy import leaves_list

    return [int(leaf) for leaf in leaves_list(tree)]
