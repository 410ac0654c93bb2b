"""A map: sentences in two dimensions, their clusters, and how far the picture can be trusted."""

from __future__ import annotations

import importlib
import math
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

SAMPLE = 1000  # sentences that the number of clusters and the distortion are computed on
MOST_CLUSTERS = 10  # tried when their number is not given
NEIGHBORS = 5  # looked at to measure distortion


@dataclass(frozen=True)
class SentenceMap:
    """Sentences in two dimensions, and how far the picture can be trusted."""

    # Columns sentence, x, y, cluster, to_center. Clusters are numbered from 1, largest first, ties
    # by their first sentence; to_center is the cosine of a sentence and the mean of its cluster.
    table: pd.DataFrame
    method: str  # "pca" or "umap"
    sample: int  # sentences that the figures below were computed on
    silhouette: float  # of the clusters in all dimensions, from -1 to 1; NaN for one cluster
    variance_kept: float  # share in the two dimensions; NaN for UMAP
    neighbors: int  # nearest ones looked at for each sentence
    neighbors_kept: float  # share of them that stay nearest on the map
    by_chance: float  # share that chance would keep
    trustworthiness: float  # from 0 to 1: lowered by points that look close and are not

    @property
    def representatives(self) -> pd.Series[str]:
        """The sentence nearest to the center of each cluster, by the cluster's number."""
        nearest = self.table.groupby("cluster")["to_center"].idxmax()
        return self.table.loc[nearest].set_index("cluster")["sentence"]

    def describe(self) -> str:
        """Say what the map shows and how far it can be trusted."""
        n, clusters = len(self.table), self.table["cluster"].nunique()
        of = "" if self.sample == n else f" (measured on {self.sample:,} of them)"
        kept = []
        if self.variance_kept >= 0:
            kept.append(f"it keeps {self.variance_kept:.1%} of the variance")
        if self.neighbors_kept >= 0:
            kept.append(
                f"of the nearest neighbors ({self.neighbors} per sentence), "
                f"{self.neighbors_kept:.1%} stay nearest (by chance: {self.by_chance:.1%})"
            )
            kept.append(f"trustworthiness {self.trustworthiness:.4f} of 1")
        apart = f" (silhouette {self.silhouette:.4f})" if self.silhouette >= -1 else ""
        parted = f" in {clusters:,} clusters{apart}" if clusters > 1 else ""
        return (
            f"{counted(n, 'sentence')}{parted}, drawn in two "
            f"dimensions by {self.method.upper()}{of}: "
            f"{'; '.join(kept) or 'nothing to measure, too few or all equal'}."
        )


def sentence_map(
    sentences: Sequence[str],
    *,
    model: Encoder,
    method: Literal["pca", "umap"] = "pca",
    clusters: int | None = None,
    seed: int = 0,
) -> SentenceMap:
    """Lay sentences out in two dimensions and sort them into clusters.

    Parameters
    ----------
    sentences : sequence of str, length n
        At least two.
    model : Encoder
    method : {"pca", "umap"}, default "pca"
        PCA keeps variance; UMAP keeps neighbors together and needs the extra ``umap``.
    clusters : int or None, default None
        None takes the number with the best silhouette, from 2 to the root of n, at most 10.
    seed : int, default 0
        Of the clustering, the sample and UMAP.

    Returns
    -------
    SentenceMap

    Raises
    ------
    InputError
        If there are fewer than two sentences, or too few different ones for `clusters` or UMAP.

    Notes
    -----
    All on embeddings of length 1: k-means in all dimensions, never on the map. Of more than 1,000
    sentences, 1,000 are drawn to choose the number of clusters and to measure the distortion.
    Silhouette: Rousseeuw (1987), near 0 where clusters meet. Trustworthiness: Venna & Kaski (2001).

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = sentence_map(["a", "b", "aa", "aaab"], model=Letters(), clusters=2)
    >>> found.table["cluster"].tolist()
    [1, 2, 1, 1]
    """
    from sklearn.preprocessing import normalize

    texts = check_texts(sentences, "sentences")
    if len(texts) < 2:
        raise InputError("sentences: a map needs at least 2, got 1. Add another.")
    vectors = normalize(encode(texts, model=model).astype(float))
    rows = np.arange(len(texts))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(len(texts), SAMPLE, replace=False))
    group, silhouette = _clustered(vectors, rows, clusters, seed)
    points, variance = _projected(vectors, method, seed)
    table = pd.DataFrame({"sentence": pd.Series(texts, dtype=object)})
    table["x"], table["y"], table["cluster"] = points[:, 0], points[:, 1], group
    numbers = range(1, group.max() + 1)
    centers = normalize([vectors[group == number].mean(axis=0) for number in numbers])
    table["to_center"] = (vectors * centers[group - 1]).sum(axis=1).clip(-1, 1).round(6)
    trusted = _distortion(vectors[rows], points[rows])
    return SentenceMap(table, method, len(rows), silhouette, variance, *trusted)


def _projected(vectors: Vectors, method: str, seed: int) -> tuple[Vectors, float]:
    from sklearn.decomposition import PCA

    if method == "umap":
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
        return np.asarray(points, float).round(6) + 0.0, np.nan
    pca = PCA(min(2, *vectors.shape), svd_solver="covariance_eigh")
    with np.errstate(invalid="ignore", divide="ignore"):  # no variance at all: identical texts
        points = pca.fit_transform(vectors)
    total = vectors.var(axis=0, ddof=1).sum()
    kept = float(pca.explained_variance_.sum() / total) if total > 1e-9 else np.nan
    # Rounding hides the last bits, in which computers differ; + 0.0 turns -0.0 into 0.0.
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))).round(6) + 0.0, kept


def _clustered(
    vectors: Vectors, rows: npt.NDArray[np.intp], clusters: int | None, seed: int
) -> tuple[npt.NDArray[np.intp], float]:
    """Number each row's cluster; with the sample's silhouette."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    different = len(np.unique(vectors.round(6), axis=0))
    if clusters is not None and not 1 <= clusters <= different:
        raise InputError(
            f"clusters={clusters}: expected 1 to {different}, the number of different embeddings."
        )
    sample = vectors[rows]
    most = min(len(np.unique(sample.round(6), axis=0)), len(sample) - 1)
    # More clusters than the root of n would mostly be single sentences.
    limit = min(MOST_CLUSTERS, max(2, math.isqrt(len(sample))))
    tried = [clusters] if clusters else range(2, limit + 1)
    starts = int(np.clip(2000 // len(sample), 5, 50))  # k-means depends on luck, in small sets most
    means = {k: KMeans(k, n_init=starts, random_state=seed) for k in tried if 2 <= k <= most}
    fits = {k: each.fit(sample) for k, each in means.items()}
    scores = {k: float(silhouette_score(sample, fit.labels_)) for k, fit in fits.items()}
    best = clusters or max(scores, key=lambda k: round(scores[k], 6), default=1)
    start = fits[best].cluster_centers_ if best in fits else "k-means++"
    found = KMeans(best, init=start, n_init=1, random_state=seed).fit_predict(vectors)
    first = pd.Series(range(len(found))).groupby(found).agg(["size", "min"])
    order = first.sort_values(["size", "min"], ascending=[False, True]).index
    return np.argsort(order.to_numpy())[found] + 1, scores.get(best, np.nan)


def _distortion(vectors: Vectors, points: Vectors) -> tuple[int, float, float, float]:
    """Compare each row's nearest neighbors in all dimensions with those on the map."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import kneighbors_graph

    k = min(NEIGHBORS, (len(vectors) - 1) // 2)
    kept = trusted = np.nan
    if k and np.ptp(vectors, axis=0).any():
        both = kneighbors_graph(vectors, k).multiply(kneighbors_graph(points, k)).sum()
        kept = float(both / (k * len(vectors)))
        trusted = float(trustworthiness(vectors, points, n_neighbors=k))
    return k, kept, k / (len(vectors) - 1), trusted
