"""Queries → hits, with texts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..inputs.checks import check_texts
from ..models.encoding import Encoder, encode
from .store import Store


def search_store(
    queries: str | Sequence[str], store: Store, *, model: Encoder, top_k: int = 3
) -> pd.DataFrame:
    """Find the stored texts nearest to each query, as `stslab.search` does in a list.

    A model trained with prompts for queries and documents uses that for queries.

    Parameters
    ----------
    queries : str or sequence of str
    store : Store
    model : Encoder
        The one that the store's vectors are of.
    top_k : int, default 3
        Hits per query, from 1 to the number of texts.

    Returns
    -------
    pandas.DataFrame
        Columns ``query, rank, score, corpus_id, text``, then the metadata's: query by query, best
        first; of equal scores (nearer than 5e-7) the lower ``corpus_id`` first.

    Raises
    ------
    ValueError
        If a query is blank, or `top_k` is out of range.

    Examples
    --------
    >>> from stslab import encode
    >>> from stslab.stores import open_store
    >>> with open_store("exact", model=Letters()) as store:
    ...     store.add(["b", "ab", "aa"], encode(["b", "ab", "aa"], model=Letters()))
    ...     search_store("a", store, model=Letters(), top_k=1)["corpus_id"].tolist()
    [2]
    """
    queries = check_texts([queries] if isinstance(queries, str) else queries, "queries")
    hits = store.search(encode(queries, model=model, task="query"), top_k)
    return hits.assign(query=[queries[position] for position in hits["query"]])
