"""Pinecone: a hosted service. Vectors and texts leave this machine.

The index is made in Pinecone's console or by its client, with the metric ``cosine`` and the model's
dimension; the key comes from ``PINECONE_API_KEY``. What is written is seen by searches a little
later (the service is eventually consistent), so a count may lag behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...inputs.checks import InputError
from ...models.encoding import Embeddings
from ..store import (
    Identity,
    Ids,
    Store,
    StoredText,
    StoreError,
    check_identity,
    client,
    read_id,
    recorded_identity,
)

TEXT = "stslab_text"  # the metadata that holds a vector's text
NAMESPACE = "texts"  # a part of an index, with vectors of its own
IDENTITIES = (
    "stslab-about"  # a namespace with one vector for each other, whose metadata name the model
)
MOST_BYTES = 2_000_000  # in a request; the service's limit
MOST_HITS = 10_000  # of a query; the service's limit
PER_FETCH = 100  # ids in an address


class PineconeStore(Store):
    """``pinecone:INDEX``, or ``pinecone:https://HOST`` of an index; ``?namespace=`` in it."""

    def __init__(
        self, url: str, location: str, options: Mapping[str, str], requested: Identity | None
    ) -> None:
        self.url, self.namespace = url, options.get("namespace", NAMESPACE)
        unknown = {*options} - {"namespace"}
        if unknown:
            raise InputError(f"{url}: {min(unknown)!r} is no option; 'namespace' is the only one.")
        pinecone = client("pinecone", url, "pinecone")
        key = os.environ.get("PINECONE_API_KEY")
        if not key:
            raise InputError(
                f"{url}: PINECONE_API_KEY is not set. Give it the key of your Pinecone project."
            )
        with self._reached():
            with pinecone.Pinecone(api_key=key) as service:
                if location.startswith(("http://", "https://")):
                    self.index = service.index(host=location)
                else:
                    self.index = service.index(location)
            try:
                self._open(requested)
            except BaseException:
                self.index.close()
                raise
        # A number takes up to 22 bytes as JSON, a text with its metadata at most 40 KiB.
        self.batch = MOST_BYTES // (22 * self.identity.dimension + 40 * 2**10)

    def _open(self, requested: Identity | None) -> None:
        stored_identity = self._stored_identity()
        self.identity = check_identity(self.url, stored_identity, requested)
        stats = self.index.describe_index_stats()
        dimension, metric = stats.dimension, stats.metric or "cosine"
        if metric != "cosine" or dimension not in (None, self.identity.dimension):
            raise InputError(
                f"{self.url}: the index has {dimension} dimensions and the metric {metric!r}; "
                f"expected {self.identity.dimension}, for {self.identity.model}, and 'cosine'. "
                f"Create another index."
            )
        if stored_identity is None:
            self.index.upsert(namespace=IDENTITIES, vectors=[self._identity_vector()])

    def _identity_vector(self) -> dict[str, Any]:
        """Return the vector that records the model; the service takes no vector of zeros."""
        values = [1.0, *[0.0] * (self.identity.dimension - 1)]
        return {"id": self.namespace, "values": values, "metadata": self.identity._asdict()}

    def _stored_identity(self) -> Identity | None:
        vectors = self.index.fetch(ids=[self.namespace], namespace=IDENTITIES).vectors
        if self.namespace not in vectors:
            return None
        return recorded_identity(self.url, vectors[self.namespace].metadata or {})

    def _add(self, ids: Ids, vectors: Embeddings, texts: Sequence[StoredText]) -> None:
        rows = [
            {
                "id": str(key),
                "values": vector.tolist(),
                "metadata": {**text.metadata, TEXT: text.text},
            }
            for key, vector, text in zip(ids, vectors, texts, strict=True)
        ]
        for start in range(0, len(rows), self.batch):
            batch = rows[start : start + self.batch]
            self.index.upsert(vectors=batch, namespace=self.namespace)

    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        scores = np.full((len(vectors), k), np.nan)
        ids = np.full((len(vectors), k), -1, dtype=np.int64)
        for row, vector in enumerate(vectors):  # the service takes one vector at a time
            answer = self.index.query(
                vector=vector.tolist(), top_k=min(k, MOST_HITS), namespace=self.namespace
            )
            for column, match in enumerate(answer.matches):
                scores[row, column], ids[row, column] = match.score, self._id(match.id)
        return scores, ids

    def _count(self) -> int:
        spaces = self.index.describe_index_stats().namespaces
        if self.namespace not in spaces:
            return 0
        return int(spaces[self.namespace].vector_count)

    def _delete(self, ids: Ids) -> None:
        for start in range(0, len(ids), 1000):
            batch = [str(key) for key in ids[start : start + 1000]]
            self.index.delete(ids=batch, namespace=self.namespace)

    def _get(self, ids: Sequence[int]) -> dict[int, StoredText]:
        texts: dict[int, StoredText] = {}
        for start in range(0, len(ids), PER_FETCH):
            keys = [str(key) for key in ids[start : start + PER_FETCH]]
            answer = self.index.fetch(ids=keys, namespace=self.namespace)
            for key, vector in answer.vectors.items():
                metadata = dict(vector.metadata or {})
                texts[self._id(key)] = StoredText(metadata.pop(TEXT, ""), metadata)
        return texts

    def stored(self, ids: Sequence[int]) -> dict[int, tuple[str, Embeddings]]:
        """Look up the texts with these ids, each with its vector of length 1."""
        stored: dict[int, tuple[str, Embeddings]] = {}
        with self._reached():
            for start in range(0, len(ids), PER_FETCH):
                keys = [str(key) for key in ids[start : start + PER_FETCH]]
                answer = self.index.fetch(ids=keys, namespace=self.namespace)
                for key, vector in answer.vectors.items():
                    text = (vector.metadata or {}).get(TEXT, "")
                    stored[self._id(key)] = (text, np.asarray(vector.values, np.float32))
        return stored

    def _id(self, key: str) -> int:
        return read_id(key, f"{self.url}: the index", another="namespace")

    def _close(self) -> None:
        self.index.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (InputError, StoreError):
            raise
        except Exception as error:  # the client's own, and its transport's
            raise StoreError(
                f"{self.url}: Pinecone did not do it ({type(error).__name__}: {error!s:.200}). "
                f"Check the index's name or host, and PINECONE_API_KEY. What was added before is "
                f"kept."
            ) from error
