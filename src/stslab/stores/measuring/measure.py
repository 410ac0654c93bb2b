"""How much of what is nearest a store finds, how fast, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from ...inputs.checks import InputError
from ...models.encoding import Embeddings, Encoder
from ..opening import open_store
from ..store import Ids, Scores, Store

RESIDENT = """
import sys, numpy, psutil
from stslab.stores import open_store
__import__(sys.argv[2])
before = psutil.Process().memory_info().rss
with open_store(sys.argv[1]) as store:
    store.nearest(numpy.ones(store.identity.dimension), 1)
    print(psutil.Process().memory_info().rss - before)
"""
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
    ids, true = np.asarray(found_ids), np.asarray(true_ids)
    if ids.ndim != 2 or true.ndim != 2 or len(ids) != len(true):
        raise InputError(
            f"found_ids: shape {ids.shape}, true_ids: {true.shape}. Give both one row per query."
        )
    k = true.shape[1]
    ids, true_count = ids[:, :k], (true >= 0).sum(axis=1)
    hit = (ids[:, :, None] == true[:, None, :]).any(axis=2)
    if found_scores is not None and true_scores is not None:
        last = np.nanmin(np.asarray(true_scores, dtype=float), axis=1, keepdims=True)
        hit |= np.asarray(found_scores, dtype=float)[:, :k] >= last - TIE
    is_repeated = np.tril(ids[:, :, None] == ids[:, None, :], -1).any(axis=2)
    hit &= (ids >= 0) & ~is_repeated
    share: Scores = np.minimum(hit.sum(axis=1), true_count) / np.maximum(true_count, 1)
    return share


def measure_search(
    store: Store, vectors: Embeddings, truth: tuple[Scores, Ids]
) -> dict[str, float]:
    """Search a store query by query, and compare its hits with the true ones.

    Parameters
    ----------
    store : Store
    vectors : numpy.ndarray, shape (n, dim)
        Of the queries.
    truth : (numpy.ndarray, numpy.ndarray), shape (n, k) each
        Scores and ids, as an exact store's ``nearest`` gives them.

    Returns
    -------
    dict
        ``milliseconds`` of a query (median) and ``milliseconds_p99``, ``queries_per_second``;
        ``recall`` in the mean and ``recall_p5``, its 5th percentile over queries.
    """
    top_k = truth[1].shape[1]
    store.nearest(vectors[:1], top_k)  # the first query also reads or builds the index
    seconds, scores, ids = [], [], []
    for vector in vectors:
        start = perf_counter()
        query_scores, query_ids = store.nearest(vector, top_k)
        seconds.append(perf_counter() - start)
        scores.append(query_scores)
        ids.append(query_ids)
    shares = recall(
        np.concatenate(ids),
        truth[1],
        found_scores=np.concatenate(scores),
        true_scores=truth[0],
    )
    return {
        "milliseconds": 1000 * float(np.median(seconds)),
        "milliseconds_p99": 1000 * float(np.percentile(seconds, 99)),
        "queries_per_second": len(seconds) / sum(seconds),
        "recall": float(shares.mean()),
        "recall_p5": float(np.percentile(shares, 5)),
    }


def measure_memory(url: str) -> float:
    """Measure how much memory a store takes once it is opened and asked, in its own process.

    Parameters
    ----------
    url : str
        Of a store in a folder.

    Returns
    -------
    float
        Megabytes, without those that Python and the store's client take by themselves. Pages of
        ``vectors.f32`` count where they were read, although the system may take them back.
    """
    module = {"faiss": "faiss", "chroma": "chromadb"}.get(url.partition(":")[0], "pandas")
    command = [sys.executable, "-c", RESIDENT, url, module]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(answer.stdout) / 1e6


def measure_stores(
    urls: Sequence[str],
    vectors: Embeddings,
    queries: Embeddings,
    *,
    model: Encoder,
    sizes: Sequence[int],
    top_k: int = 10,
    folder: Path,
) -> pd.DataFrame:
    """Build each store at each size, and measure its search.

    Parameters
    ----------
    urls : sequence of str
        As for `open_store`, without a folder: ``faiss:?index=HNSW32``.
    vectors : numpy.ndarray, shape (n, dim)
        At least as many as the largest size.
    queries : numpy.ndarray, shape (m, dim)
        Vectors that are not among `vectors`.
    model : Encoder
        The one that the vectors are of.
    sizes : sequence of int
    top_k : int, default 10
    folder : Path
        An empty one; the stores stay in it.

    Returns
    -------
    pandas.DataFrame
        A row for each size and store, with the columns ``store, size``; ``url`` and ``place``, to
        open it again and to look into its folder; ``build_seconds`` (adding the vectors, with a
        short text each, and the first search); and those of `measure_search`.
    """
    rows = []
    for size in sizes:
        with open_store("exact", model=model) as exact:
            exact.add(list(map(str, range(size))), vectors[:size])
            truth = exact.nearest(queries, top_k)
        for number, name in enumerate(urls):
            kind, _, options = name.partition(":")
            place = folder / f"{size}-{number}"
            url = f"{kind}:{place}{options}"
            start = perf_counter()
            with open_store(url, model=model) as store:
                store.add(list(map(str, range(size))), vectors[:size])
                store.nearest(queries[:1], top_k)
                seconds = perf_counter() - start
                measurements = measure_search(store, queries, truth)
            row = {"store": name, "size": size, "url": url, "place": place}
            rows.append({**row, "build_seconds": seconds, **measurements})
    return pd.DataFrame(rows)
