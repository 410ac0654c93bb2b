"""Exact search: every vector is looked at, by matrix products in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...models.encoding import Embeddings
from .local import LocalStore, Rows

QUERIES, SCORES = 256, 2**23  # queries, and scores, computed at a time: 32 MiB


class ExactStore(LocalStore):
    """``exact``, or ``exact:FOLDER`` to keep it."""

    def _nearest_rows(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        self.check_vectors(among)
        found = [
            self._nearest_of(vectors[start : start + QUERIES], k, among)
            for start in range(0, len(vectors), QUERIES)
        ]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]

    def _nearest_of(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        stored, ids, live = among.vectors, among.ids, among.live
        block = max(k, SCORES // len(vectors))
        best = np.empty((len(vectors), 0), np.float32)
        rows = np.empty((len(vectors), 0), np.int64)
        for start in range(0, len(stored), block):
            scores = vectors @ stored[start : start + block].T
            if live < len(ids):
                scores[:, ids[start : start + block] < 0] = -np.inf
            most = min(k, scores.shape[1])
            top = np.argpartition(scores, -most, axis=1)[:, -most:]
            # The best so far, and this block's.
            best = np.concatenate([best, np.take_along_axis(scores, top, axis=1)], axis=1)
            rows = np.concatenate([rows, start + top], axis=1)
            keep = np.argpartition(best, -min(k, best.shape[1]), axis=1)[:, -k:]
            best = np.take_along_axis(best, keep, axis=1)
            rows = np.take_along_axis(rows, keep, axis=1)
        return best, rows
