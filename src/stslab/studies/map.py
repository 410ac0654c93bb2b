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
MOST_CLUSTERS = 10  # tried when no number is set
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
        """Describe what the map shows and how far it can be trusted."""
        n, cluster_count = len(self.table), self.table["cluster"].nunique()
        subject = counted(n, "sentence")
        if cluster_count > 1:
            subject += f" in {cluster_count:,} clusters"
            if not np.isnan(self.silhouette):
                subject += f" (silhouette {self.silhouette:.4f})"
        method = self.method.upper()
        if self.sample < n:
            method += f" (measured on {self.sample:,} of them)"
        distortion = "; ".join(self._describe_distortion())
        return f"{subject}, drawn in two dimensions by {method}: {distortion}."

    def _describe_distortion(self) -> list[str]:
        """Describe how much of the variance and of the neighbors the map keeps."""
        phrases = []
        if not np.isnan(self.variance_kept):
            phrases.append(f"it keeps {self.variance_kept:.1%} of the variance")
        if not np.isnan(self.neighbors_kept):
            phrases.append(
                f"of the nearest neighbors ({self.neighbors} per sentence), "
                f"{self.neighbors_kept:.1%} stay nearest (by chance: {self.by_chance:.1%})"
            )
            phrases.append(f"trustworthiness {self.trustworthiness:.4f} of 1")
        return phrases or ["nothing to measure, too few or all equal"]


def sentence_map(
    sentences: Sequence[str],
    *,
    model: Encoder,
    method: Literal["pca", "umap"] = "pca",
    clusters: int | None = None,
    seed: int = 0,
) -> SentenceMap:
    """Map sentences to two dimensions and sort them into clusters.

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
    Computed on embeddings of length 1: k-means in all dimensions, never on the map. Of more than
    1,000 sentences, 1,000 are drawn to choose the number of clusters and to measure the distortion.
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
    cluster, silhouette = _clustered(vectors, rows, clusters, seed)
    points, variance_kept = _projected(vectors, method, seed)
    table = pd.DataFrame({"sentence": pd.Series(texts, dtype=object)})
    table["x"], table["y"], table["cluster"] = points[:, 0], points[:, 1], cluster
    numbers = range(1, cluster.max() + 1)
    centers = normalize([vectors[cluster == number].mean(axis=0) for number in numbers])
    table["to_center"] = (vectors * centers[cluster - 1]).sum(axis=1).clip(-1, 1).round(6)
    distortion = _distortion(vectors[rows], points[rows])
    return SentenceMap(table, method, len(rows), silhouette, variance_kept, *distortion)


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


def _clustered(
    vectors: Vectors, rows: npt.NDArray[np.intp], clusters: int | None, seed: int
) -> tuple[npt.NDArray[np.intp], float]:
    """Return each vector's cluster, numbered from 1, and the silhouette of the sampled `rows`."""
    from sklearn.cluster import KMeans

    distinct_count = len(np.unique(vectors.round(6), axis=0))
    if clusters is not None and not 1 <= clusters <= distinct_count:
        raise InputError(
            f"clusters={clusters}: expected 1 to {distinct_count}, the number of different "
            f"embeddings."
        )
    fits, silhouettes = _fitted_clusterings(vectors[rows], clusters, seed)
    # Rounded, so that of equally good numbers every computer takes the smallest.
    best = clusters or max(silhouettes, key=lambda k: round(silhouettes[k], 6), default=1)
    start = "k-means++"
    if best in fits:
        start = fits[best].cluster_centers_
    labels = KMeans(best, init=start, n_init=1, random_state=seed).fit_predict(vectors)
    # Number the clusters from the largest to the smallest, ties by their first sentence.
    clusters_table = pd.Series(range(len(labels))).groupby(labels).agg(["size", "min"])
    order = clusters_table.sort_values(["size", "min"], ascending=[False, True]).index
    return np.argsort(order.to_numpy())[labels] + 1, silhouettes.get(best, np.nan)


def _fitted_clusterings(
    sample: Vectors, clusters: int | None, seed: int
) -> tuple[dict[int, Any], dict[int, float]]:
    """Fit k-means for each possible number of clusters; return the fits and their silhouettes."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    # More clusters than the root of n would mostly be single sentences.
    limit = min(MOST_CLUSTERS, max(2, math.isqrt(len(sample))))
    candidates = range(2, limit + 1)
    if clusters:
        candidates = range(clusters, clusters + 1)
    # A silhouette needs at least two clusters, and one cluster with two members.
    largest = min(len(np.unique(sample.round(6), axis=0)), len(sample) - 1)
    # K-means depends on its starts, in small samples most, and these take no time.
    starts = int(np.clip(2000 // len(sample), 5, 50))
    fits, silhouettes = {}, {}
    for k in candidates:
        if 2 <= k <= largest:
            fits[k] = KMeans(k, n_init=starts, random_state=seed).fit(sample)
            silhouettes[k] = float(silhouette_score(sample, fits[k].labels_))
    return fits, silhouettes


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
