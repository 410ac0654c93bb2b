"""How much of what is nearest a store finds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inputs.checks import InputError
from .store import Scores

TIE = 1.5e-6  # scores have 6 decimals, and clients add in another order


def recall(
    found_ids: Any, true_ids: Any, *, found_scores: Any = None, true_scores: Any = None
) -> Scores:
    """Measure recall@k: the share of the k true neighbors that were found, for each query.

    Parameters
    ----------
    found_ids : array_like of int, shape (n, m)
        What a store answers; the first k count, each once, -1 stands for none.
    true_ids : array_like of int, shape (n, k)
        What exact search answers; k may differ by query, where the rest is -1.
    found_scores, true_scores : array_like of float, same shapes, default None
        Give both, and ties are treated fairly: of texts that score as the k-th one does, any
        counts. Leave them out for an index that does not score exactly (with PQ or SQ in its
        name).

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        From 0 to 1. Report its mean and a low percentile: a mean of 0.99 hides a query without
        any.

    Raises
    ------
    InputError
        If the shapes do not match.

    Examples
    --------
    >>> recall([[3, 3, 5], [8, 9, -1]], [[3, 4, 5], [7, 8, 9]]).round(2)
    array([0.67, 0.67])
    >>> recall([[3, 6]], [[3, 5]], found_scores=[[0.9, 0.7]], true_scores=[[0.9, 0.7]])
    array([1.])
    """
    found, true = np.asarray(found_ids), np.asarray(true_ids)
    if found.ndim != 2 or true.ndim != 2 or len(found) != len(true):
        raise InputError(
            f"found_ids: shape {found.shape}, true_ids: {true.shape}. Give both one row per query."
        )
    k = true.shape[1]
    found, sought = found[:, :k], (true >= 0).sum(axis=1)
    hit = (found[:, :, None] == true[:, None, :]).any(axis=2)
    if found_scores is not None and true_scores is not None:
        last = np.nanmin(np.asarray(true_scores, dtype=float), axis=1, keepdims=True)
        hit |= np.asarray(found_scores, dtype=float)[:, :k] >= last - TIE
    again = np.tril(found[:, :, None] == found[:, None, :], -1).any(axis=2)
    hit &= (found >= 0) & ~again
    share: Scores = np.minimum(hit.sum(axis=1), sought) / np.maximum(sought, 1)
    return share
