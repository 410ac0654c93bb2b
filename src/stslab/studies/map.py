"""A map: sentences in two dimensions, and how far the picture can be trusted."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import InputError, check_texts
from ..models.encoding import Encoder, encode
from ..wording import counted

Vectors = npt.NDArray[np.float64]

SAMPLE = 1000  # sentences that the distortion is measured on
NEIGHBORS = 5  # looked at to measure distortion


@dataclass(frozen=True)
class SentenceMap:
    """Sentences in two dimensions, and how far the picture can be trusted."""

    table: pd.DataFrame  # columns sentence, x, y
    method: str  # "pca" or "umap"
    sample: int  # sentences that the figures below were computed on
    variance_kept: float  # share in the two dimensions; NaN for UMAP
    neighbors: int  # nearest ones looked at for each sentence
    neighbors_kept: float  # share of them that stay nearest on the map
    by_chance: float  # share that chance would keep
    trustworthiness: float  # from 0 to 1: lowered by points that look close and are not

    def describe(self) -> str:
        """Describe what the map shows, and how far it can be trusted."""
        subject = counted(len(self.table), "sentence")
        if np.isnan(self.neighbors_kept):
            return f"{subject} on a map: too few or too equal to say how far it can be trusted."
        nearest = "the nearest one"
        is_or_are = "is"
        if self.neighbors > 1:
            nearest, is_or_are = f"the {self.neighbors} nearest ones", "are"
        sentence = (
            f"{subject} on a map. Those that lie close together are often alike, but not always: "
            f"of {nearest} to each sentence, {self.neighbors_kept:.0%} {is_or_are} nearest on the "
            f"map, too (by chance: {self.by_chance:.0%})"
        )
        if self.sample < len(self.table):
            sentence += f", measured on {self.sample:,} sentences"
        return f"{sentence}. Distances between far points mean little."


def sentence_map(
    sentences: Sequence[str],
    *,
    model: Encoder,
    method: Literal["pca", "umap"] = "pca",
    seed: int = 0,
) -> SentenceMap:
    """Map sentences to two dimensions.

    Parameters
    ----------
    sentences : sequence of str, length n
        At least two.
    model : Encoder
    method : {"pca", "umap"}, default "pca"
        PCA keeps variance; UMAP keeps neighbors together and needs the extra ``umap``.
    seed : int, default 0
        Of the sample and UMAP.

    Returns
    -------
    SentenceMap

    Raises
    ------
    InputError
        If there are fewer than two sentences, or too few for UMAP.

    Notes
    -----
    Computed on embeddings of length 1. Of more than 1,000 sentences, 1,000 are drawn to measure the
    distortion. Trustworthiness: Venna & Kaski (2001).

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> layout = sentence_map(["a", "b", "aa", "aaab"], model=Letters())
    >>> layout.table.columns.tolist()
    ['sentence', 'x', 'y']
    """
    from sklearn.preprocessing import normalize

    texts = check_texts(sentences, "sentences")
    if len(texts) < 2:
        raise InputError("sentences: a map needs at least 2, got 1. Add another.")
    vectors = normalize(encode(texts, model=model).astype(float))
    rows = np.arange(len(texts))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(len(texts), SAMPLE, replace=False))
    points, variance_kept = _projected(vectors, method, seed)
    table = pd.DataFrame({"sentence": pd.Series(texts, dtype=object)})
    table["x"], table["y"] = points[:, 0], points[:, 1]
    distortion = _distortion(vectors[rows], points[rows])
    return SentenceMap(table, method, len(rows), variance_kept, *distortion)


def _projected(vectors: Vectors, method: str, seed: int) -> tuple[Vectors, float]:
    """Return the points in two dimensions, and the share of the variance that they keep."""
    if method == "umap":
        points, variance_kept = _projected_by_umap(vectors, seed), np.nan
    else:
        points, variance_kept = _projected_by_pca(vectors)
    # Rounding hides the last bits, in which computers differ; + 0.0 turns -0.0 into 0.0.
    return points.round(6) + 0.0, variance_kept


def _projected_by_umap(vectors: Vectors, seed: int) -> Vectors:
    try:
        umap: Any = importlib.import_module("umap")
    except ImportError:
        remedy = "pip install 'stslab[umap]'"
        raise InputError(f"method='umap' needs umap-learn. Install it: {remedy}") from None
    if len(vectors) <= NEIGHBORS:
        raise InputError(
            f"method='umap': needs more than {NEIGHBORS} sentences, got {len(vectors)}. "
            f"Use method='pca'."
        )
    settings = {"n_neighbors": min(15, len(vectors) - 1), "metric": "cosine", "init": "pca"}
    points = umap.UMAP(**settings, random_state=seed, n_jobs=1).fit_transform(vectors)
    return np.asarray(points, float)


def _projected_by_pca(vectors: Vectors) -> tuple[Vectors, float]:
    from sklearn.decomposition import PCA

    pca = PCA(min(2, *vectors.shape), svd_solver="covariance_eigh")
    with np.errstate(invalid="ignore", divide="ignore"):  # no variance at all: identical texts
        points = pca.fit_transform(vectors)
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))  # of vectors of one dimension
    total_variance = vectors.var(axis=0, ddof=1).sum()
    if total_variance <= 1e-9:
        return points, np.nan
    return points, float(pca.explained_variance_.sum() / total_variance)


def _distortion(vectors: Vectors, points: Vectors) -> tuple[int, float, float, float]:
    """Compare each row's nearest neighbors in all dimensions with those on the map.

    Return the number of neighbors, the share that stays nearest, the share that chance would keep,
    and the trustworthiness; NaN where vectors are too few or all equal.
    """
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import kneighbors_graph

    neighbors = min(NEIGHBORS, (len(vectors) - 1) // 2)
    by_chance = neighbors / (len(vectors) - 1)
    if not neighbors or not np.ptp(vectors, axis=0).any():
        return neighbors, np.nan, by_chance, np.nan
    graph = kneighbors_graph(vectors, neighbors)
    graph_on_map = kneighbors_graph(points, neighbors)
    neighbors_kept = float(graph.multiply(graph_on_map).sum() / (neighbors * len(vectors)))
    trusted = float(trustworthiness(vectors, points, n_neighbors=neighbors))
    return neighbors, neighbors_kept, by_chance, trusted
