"""Exact search: the query is compared with every vector, by matrix products in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...models.encoding import Embeddings
from ..store import TIE_DIFFERENCE
from .local import LocalStore, Rows

QUERIES, SCORES = 256, 2**23  # queries, and scores, computed at a time: 32 MiB


class ExactStore(LocalStore):
    """``exact``, which is temporary, or ``exact:FOLDER``."""

    def _nearest_rows(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        self.check_vectors(among)
        scores, rows = [], []
        for start in range(0, len(vectors), QUERIES):
            best_scores, best_rows = _best_rows(vectors[start : start + QUERIES], k, among)
            scores.append(best_scores)
            rows.append(best_rows)
        return np.concatenate(scores), np.concatenate(rows)


def _best_rows(vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
    """Return cosines and rows of each vector's k nearest, block by block of the stored vectors."""
    stored, ids = among.vectors, among.ids
    block = max(k, SCORES // len(vectors))
    best = np.empty((len(vectors), 0), np.float32)
    rows = np.empty((len(vectors), 0), np.int64)
    for start in range(0, len(stored), block):
        block_ids = ids[start : start + block]
        scores = vectors @ stored[start : start + block].T
        if among.live < len(ids):
            scores[:, block_ids < 0] = -np.inf  # deleted
        top = _best_columns(scores, np.broadcast_to(block_ids, scores.shape), k)
        # The best of the earlier blocks, and those of this one.
        best = np.concatenate([best, np.take_along_axis(scores, top, axis=1)], axis=1)
        rows = np.concatenate([rows, start + top], axis=1)
        top = _best_columns(best, ids[rows], k)
        best = np.take_along_axis(best, top, axis=1)
        rows = np.take_along_axis(rows, top, axis=1)
    return best, rows


def _best_columns(scores: Any, ids: Any, k: int) -> Any:
    """Return the columns of each row's k best scores; of equal ones those with the lower ids."""
    k = min(k, scores.shape[1])
    columns = np.argpartition(scores, -k, axis=1)[:, -k:]
    # A partition takes any of the columns that are equal to the k-th best score.
    lowest = np.take_along_axis(scores, columns, axis=1).min(axis=1)
    is_candidate = scores >= (lowest - TIE_DIFFERENCE)[:, None]
    for row in np.flatnonzero(np.count_nonzero(is_candidate, axis=1) > k):
        candidates = np.flatnonzero(is_candidate[row])
        is_equal = scores[row, candidates] <= lowest[row] + TIE_DIFFERENCE
        order = np.lexsort((ids[row, candidates], is_equal))
        columns[row] = candidates[order[:k]]
    return columns
