"""Communities of texts that are each other's neighbors, and how steadily they are found."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .neighbors import Flags, Links, Neighbors, Rows, Vectors, link_neighbors

RESAMPLES = 20
THREADS = min(4, os.cpu_count() or 1)
SHARE_IN_RESAMPLE = 0.9  # share of the texts in a resample
LEAST_SHARE = 0.5  # of resamples that two neighbors were together in, for their link to count
BACK = 0.5  # overlap (Jaccard) from which on a theme is found again
# Leiden tends to split large communities and to join small ones. So it splits finely, and
# communities are joined again where pairs across score nearly as much as pairs inside.
FINE = 2.0
JOIN_AT = 0.63


@dataclass(frozen=True)
class Communities:
    """A label for each text, and the labels that it had in each resample (-1 where left out)."""

    labels: Rows
    resampled: list[Rows]


def find_communities(centered: Vectors, neighbors: Neighbors, *, resolution: float) -> Communities:
    """Find communities that most resamples agree on.

    Parameters
    ----------
    centered : array, shape (n, dim)
    neighbors : Neighbors
        Of the n texts.
    resolution : float
        More than 1 for more and smaller communities, less than 1 for fewer and larger ones.

    Returns
    -------
    Communities

    Notes
    -----
    The Leiden algorithm (Traag, Waltman & van Eck 2019) finds communities in 20 resamples of nine
    tenths of the texts. The communities that are returned are those of the graph in which the
    weight of a link is the share of resamples that its two texts were together in.
    """
    count = len(centered)
    random = np.random.default_rng(0)
    links = link_neighbors(neighbors, np.ones(count, dtype=bool))
    samples = np.zeros((RESAMPLES, count), dtype=bool)
    for sample in samples:
        sample[random.choice(count, int(SHARE_IN_RESAMPLE * count), replace=False)] = True

    def labels_in(seed: int) -> Rows:
        links_in_sample = link_neighbors(neighbors, samples[seed])
        return _partition(centered, links_in_sample, seed, resolution)

    # Leiden, which takes most of the time, lets other threads run.
    with ThreadPoolExecutor(THREADS) as threads:
        resampled = list(threads.map(labels_in, range(RESAMPLES)))
    times_kept = np.zeros(len(links.first))
    together = np.zeros(len(links.first))
    for is_kept, labels in zip(samples, resampled, strict=True):
        both_kept = is_kept[links.first] & is_kept[links.second]
        times_kept += both_kept
        together += both_kept & (labels[links.first] == labels[links.second])
        labels[~is_kept] = -1
    share = together / np.maximum(times_kept, 1)
    steady = share >= LEAST_SHARE
    steady_links = Links(links.first[steady], links.second[steady], share[steady])
    return Communities(_partition(centered, steady_links, 0, resolution), resampled)


def steadiness(member: Flags, fitting: Flags, resampled: list[Rows]) -> float:
    """Return the share of resamples in which a theme came back.

    It came back where one community of the resample overlaps with it by half or more: texts in
    both, divided by texts in either (Jaccard), of those that were in the resample.

    Parameters
    ----------
    member : array of bool, shape (n,)
        The texts of the theme.
    fitting : array of bool, shape (n,)
        The texts that are in any theme. Communities are compared without the rest.
    resampled : list of array of int, shape (n,)

    Returns
    -------
    float in [0, 1]
    """
    returns = 0
    for labels in resampled:
        in_resample = labels >= 0
        sizes = np.bincount(labels[in_resample & fitting], minlength=1)
        shared = np.bincount(labels[in_resample & member], minlength=len(sizes))
        overlap = shared / np.maximum(sizes + (in_resample & member).sum() - shared, 1)
        returns += bool(overlap.max() >= BACK)
    return returns / len(resampled)


def _partition(centered: Vectors, links: Links, seed: int, resolution: float) -> Rows:
    """Return a label for each text; texts without links are communities of their own."""
    labels = _leiden(len(centered), links, seed, FINE * resolution)
    return _join_alike(centered, labels)


def _leiden(count: int, links: Links, seed: int, resolution: float) -> Rows:
    import graspologic_native

    labels = np.full(count, -1, dtype=np.intp)
    if len(links.first):
        names = [str(text) for text in range(count)]
        columns = (links.first.tolist(), links.second.tolist(), links.weight.tolist())
        edges = [
            (names[first], names[second], weight)
            for first, second, weight in zip(*columns, strict=True)
        ]
        _, communities = graspologic_native.leiden(
            edges=edges, resolution=resolution, seed=seed, use_modularity=True, iterations=2
        )
        for name, community in communities.items():
            labels[int(name)] = community
    single = np.flatnonzero(labels < 0)
    labels[single] = labels.max() + 1 + np.arange(len(single))
    return labels


def _join_alike(centered: Vectors, labels: Rows) -> Rows:
    """Join two communities while pairs across score at least 0.63 of what pairs inside do."""
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    totals = np.add.reduceat(centered[order].astype(float), starts)
    large = np.flatnonzero(sizes > 1)
    totals, sizes = totals[large], sizes[large].astype(float)
    joined = np.arange(len(starts))  # of each label, the label that it has become
    products = totals @ totals.T
    while len(large) > 1:
        lengths = np.diag(products)
        inside = np.maximum((lengths - sizes) / (sizes * (sizes - 1)), 1e-9)
        ratio = products / np.outer(sizes, sizes) / np.sqrt(np.outer(inside, inside))
        np.fill_diagonal(ratio, -1)
        first, second = divmod(int(ratio.round(6).argmax()), len(large))  # first < second
        if ratio[first, second] < JOIN_AT:
            break
        joined[joined == large[second]] = large[first]
        products[first] += products[second]
        products[:, first] += products[:, second]
        sizes[first] += sizes[second]
        products = np.delete(np.delete(products, second, axis=0), second, axis=1)
        sizes, large = np.delete(sizes, second), np.delete(large, second)
    return joined[labels]
