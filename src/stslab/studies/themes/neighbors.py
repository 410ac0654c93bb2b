"""Each text's nearest others, without a matrix of all pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...models.encoding import Embeddings
from ...scores.cosine import clip, unit_rows

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

BLOCK = 512  # rows of scores computed at a time
DECIMALS = 4  # of the scores that neighbors are chosen by: another CPU's last digits change nothing
TINY = 1e-6  # a vector that is shorter after centering is the mean itself, up to rounding
# Of n texts, each is linked to about 1.75 log2(n) - 2.3 others.
NEIGHBORS, NEIGHBORS_LESS = 1.75, 2.3
FEWEST_NEIGHBORS = 3
SPARE_NEIGHBORS = 6  # for those that a resample leaves out
PAIRS = 200_000  # most random pairs
PAIRS_AT_A_TIME = 20_000


@dataclass(frozen=True)
class Neighbors:
    """Each text's nearest others and their scores, both of shape (n, k), nearest first."""

    nearest: Rows
    scores: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Links:
    """Pairs of texts that are neighbors, each pair once, ``first < second``, in that order."""

    first: Rows
    second: Rows
    weight: npt.NDArray[np.float64]


def center_embeddings(embeddings: Embeddings) -> Vectors:
    """Take out of embeddings what all texts share, and scale the rest to length 1.

    What they share is a subject, a firm's name, or a direction that a model gives to every text.
    Without it, scores spread around 0 whatever the model: one that scores all pairs from 0.7 to 1
    gives the same centered embeddings as one that scores them from 0 to 1.

    Parameters
    ----------
    embeddings : array, shape (n, dim)

    Returns
    -------
    numpy.ndarray of float32, shape (n, dim)
        A row of zeros for a text that is like the mean of all.
    """
    vectors = unit_rows(embeddings)
    vectors -= vectors.mean(axis=0)
    vectors[np.linalg.norm(vectors, axis=1) < TINY] = 0
    return unit_rows(vectors.astype(np.float32)).astype(np.float32)


def nearest_neighbors(centered: Vectors) -> Neighbors:
    """Find each text's nearest others, and some more that take the place of any left out.

    Parameters
    ----------
    centered : array, shape (n, dim), as from `center_embeddings`

    Returns
    -------
    Neighbors
        Of equal scores, the earlier text is nearer.
    """
    count = len(centered)
    width = min(_neighbor_count(count) + SPARE_NEIGHBORS, count - 1)
    # Smaller than the last decimal of a score, so that it decides between equal scores only.
    tie_breaker = np.arange(count) / count * 0.5 * 10**-DECIMALS
    nearest = np.empty((count, width), dtype=np.intp)
    scores = np.empty((count, width))
    for start in range(0, count, BLOCK):
        block = np.round((centered[start : start + BLOCK] @ centered.T).astype(float), DECIMALS)
        rows = np.arange(len(block))
        block[rows, start + rows] = -2  # a text is not its own neighbor
        block -= tie_breaker
        best = np.argpartition(-block, width - 1, axis=1)[:, :width]
        best_scores = np.take_along_axis(block, best, axis=1)
        order = np.argsort(-best_scores, axis=1)
        nearest[start : start + BLOCK] = np.take_along_axis(best, order, axis=1)
        best_scores = np.take_along_axis(best_scores, order, axis=1)
        scores[start : start + BLOCK] = best_scores.round(DECIMALS)
    return Neighbors(nearest, scores)


def link_neighbors(neighbors: Neighbors, takes_part: Flags) -> Links:
    """Link each of some texts to the nearest of them: 4 in a list of 12, 15 in one of 1,000.

    Parameters
    ----------
    neighbors : Neighbors
    takes_part : array of bool, shape (n,)
        The texts that take part.

    Returns
    -------
    Links
        Only those that score above 0. The weight is the score times the square root of the share
        of neighbors that the two texts have in common, rounded to two decimals: a link to a text
        with other neighbors counts little.
    """
    count = len(takes_part)
    can_be_linked = takes_part[:, None] & takes_part[neighbors.nearest]
    can_be_linked &= neighbors.scores > 0
    neighbor_count = _neighbor_count(int(takes_part.sum()))
    order = np.cumsum(can_be_linked, axis=1)
    rows, places = np.nonzero(can_be_linked & (order <= neighbor_count))
    columns = neighbors.nearest[rows, places]
    keys = np.minimum(rows, columns) * count + np.maximum(rows, columns)
    keys, index = np.unique(keys, return_index=True)
    first, second = np.divmod(keys, count)
    shared = _shared_neighbors(rows, columns, first, second, count)
    weight = np.round(np.sqrt(shared) * neighbors.scores[rows, places][index], 2)
    heavy = weight > 0
    return Links(first[heavy], second[heavy], weight[heavy])


def _neighbor_count(count: int) -> int:
    return max(FEWEST_NEIGHBORS, round(NEIGHBORS * math.log2(count) - NEIGHBORS_LESS))


def _shared_neighbors(
    rows: Rows, columns: Rows, first: Rows, second: Rows, count: int
) -> npt.NDArray[np.float64]:
    """Return for each link how much the neighborhoods of its texts overlap (Jaccard)."""
    from scipy.sparse import csr_array, eye_array

    near = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    near = csr_array(near + eye_array(count))  # a text belongs to its own neighborhood
    sizes = np.asarray(near.sum(axis=1)).ravel()
    shared = np.asarray(near[first].multiply(near[second]).sum(axis=1)).ravel()
    overlap: npt.NDArray[np.float64] = shared / (sizes[first] + sizes[second] - shared)
    return overlap


def nearest_others(embeddings: Embeddings) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Return the nearest other text of each, and its cosine similarity.

    Parameters
    ----------
    embeddings : array, shape (n, dim)
        Of at least two texts.

    Returns
    -------
    nearest : numpy.ndarray of int, shape (n,)
        Of equal scores, the earlier text.
    scores : numpy.ndarray of float, shape (n,)
    """
    unit = unit_rows(embeddings)
    small = unit.astype(np.float32)
    nearest = np.empty(len(unit), dtype=np.intp)
    for start in range(0, len(unit), BLOCK):
        block = np.round(small[start : start + BLOCK] @ small.T, DECIMALS + 1)
        rows = np.arange(len(block))
        block[rows, start + rows] = -2
        nearest[start : start + BLOCK] = block.argmax(axis=1)
    return nearest, clip(np.einsum("ij,ij->i", unit, unit[nearest]))


def random_pairs(count: int) -> tuple[Rows, Rows]:
    """Return pairs of different rows: all where there are few, else 200,000 random ones.

    Parameters
    ----------
    count : int
        The number of rows.

    Returns
    -------
    first, second : numpy.ndarray of int
    """
    if count * (count - 1) // 2 <= PAIRS:
        return np.triu_indices(count, k=1)
    first, second = np.random.default_rng(0).integers(count, size=(2, PAIRS))
    different = first != second
    return first[different], second[different]


def pair_scores(vectors: Vectors, first: Rows, second: Rows) -> npt.NDArray[np.float64]:
    """Score pairs of rows of length 1, rounded to four decimals, some at a time."""
    scores = np.empty(len(first))
    for start in range(0, len(first), PAIRS_AT_A_TIME):
        batch = slice(start, start + PAIRS_AT_A_TIME)
        scores[batch] = np.einsum("ij,ij->i", vectors[first[batch]], vectors[second[batch]])
    return scores.round(DECIMALS)
