"""Queries → hits, with texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ..inputs.checks import InputError, check_texts
from ..models.cache import EmbeddingCache, cache_file
from ..models.encoding import Embeddings, Encoder, encode
from ..models.finding import ModelError, find_published, library_versions
from .opening import identity_of
from .store import Identity, Store, check_identity

if TYPE_CHECKING:
    import pandas as pd


def search_store(
    queries: str | Sequence[str],
    store: Store,
    *,
    model: Encoder | Callable[[], Encoder],
    top_k: int = 3,
) -> pd.DataFrame:
    """Find the stored texts nearest to each query, as `stslab.search` does in a list.

    A model trained with prompts for queries and documents uses that for queries.

    Parameters
    ----------
    queries : str or sequence of str
    store : Store
    model : Encoder, or callable that returns one
        The one that made the store's vectors. A callable, such as
        ``functools.partial(load_model, name)``, is called only for queries whose vectors are not
        in stslab's cache from an earlier search.
    top_k : int, default 3
        Hits per query, from 1 to the number of texts.

    Returns
    -------
    pandas.DataFrame
        Columns ``query, rank, score, corpus_id, text``, then the metadata's: query by query, best
        first; of equal scores (nearer than 5e-7) the lower ``corpus_id`` first. See
        `Store.nearest` for texts that tie with the last hit.

    Raises
    ------
    ValueError
        If a query is blank, `top_k` is out of range, or the store is of another model.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> from stslab import encode
    >>> from stslab.stores import open_store
    >>> with open_store("exact", model=Letters()) as store:
    ...     store.add(["b", "ab", "aa"], encode(["b", "ab", "aa"], model=Letters()))
    ...     search_store("a", store, model=Letters(), top_k=1)["corpus_id"].tolist()
    [2]
    """
    if isinstance(queries, str):
        queries = [queries]
    queries = check_texts(queries, "queries")
    hits = store.search(_vectors(queries, store, model), top_k)
    return hits.assign(query=[queries[position] for position in hits["query"]])


def local_model(store: Store) -> str:
    """Return the name of the model that a store was built with, if it is on this machine.

    A store may come from a stranger, so the name that it records is not looked up on the network,
    and no folder that happens to have this name is loaded.

    Raises
    ------
    InputError
        If it is neither the bundled model nor in the hub's cache, or not there as a whole.
    """
    name = store.identity.model
    source = None
    with suppress(ModelError):  # as a part of it in the hub's cache
        source = find_published(name)
    if source is None:
        raise InputError(
            f"{store.url}: it was built with the model {name!r}, which is not on this machine by "
            f"that name. If you have it, give its folder or its name: --model NAME."
        )
    return name


class _QueryCache(EmbeddingCache):
    """The vectors of earlier queries, for which the model need not be loaded."""

    def __init__(self, identity: Identity) -> None:
        self.file = None
        if identity.revision:
            self.file = cache_file()
        self.dimension = identity.dimension
        self.salt = repr(("query", *identity, library_versions())).encode()


def _vectors(
    queries: list[str], store: Store, model: Encoder | Callable[[], Encoder]
) -> Embeddings:
    cache = _QueryCache(store.identity)
    if not hasattr(model, "encode"):
        cached = cache.read(queries)
        if len(cached) == len(queries):
            return np.stack([cached[row] for row in range(len(queries))])
        model = model()
    check_identity(store.url, store.identity, identity_of(model))
    vectors = encode(queries, model=model, task="query")
    cache.write(queries, vectors)
    return vectors
