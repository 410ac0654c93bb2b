"""The part that all stores share: checks, cosine scores, ties, identity, the table of hits.

An adapter for each client adds, finds, counts and deletes vectors. Texts are identified by
`corpus_id`, a whole number from 0, because FAISS has no other ids; a key of your own goes into the
metadata. Vectors are scaled to length 1 when they are added, so that an inner product is a cosine.
"""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock, Timeout

from ..inputs.checks import InputError, check_texts, check_top_k
from ..models.encoding import Embeddings

TIE_DIFFERENCE = (
    5e-7  # scores closer than this are ties: clients compute in float32, each in its own order
)
Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Metadata = Mapping[str, str | int | float | bool]


class StoreError(RuntimeError):
    """A store that cannot be reached, read or written; the message says what remains in it."""


class Identity(NamedTuple):
    """The model that made a store's vectors; those of another cannot be compared with them."""

    model: str  # its name
    revision: str  # SHA-256 of all its files; empty for an encoder that is not a LoadedModel
    dimension: int  # numbers per vector

    def describe(self) -> str:
        """Return the model's name, revision and dimension, for a message."""
        parts = [self.model]
        if self.revision:
            parts.append(f"revision {self.revision[:12]}")
        parts.append(f"{self.dimension} dimensions")
        return ", ".join(parts)


class StoredText(NamedTuple):
    """A text in a store, with its metadata."""

    text: str
    metadata: Metadata


class Store(ABC):
    """Texts and their vectors, searched by cosine similarity.

    Open one with `open_store`. Use it in a ``with`` block, or call `close`.
    """

    url: str
    identity: Identity
    _last_count = 0  # texts, when they were last counted

    # The calls of a client, which its adapter defines.

    @abstractmethod
    def _add(self, ids: Ids, vectors: Embeddings, texts: Sequence[StoredText]) -> None:
        """Add vectors of length 1, or replace those with the same ids."""

    @abstractmethod
    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        """Return cosines and ids of each vector's k nearest, shape (n, k); id -1 if missing."""

    @abstractmethod
    def _count(self) -> int:
        """Count the texts."""

    @abstractmethod
    def _delete(self, ids: Ids) -> None:
        """Delete the texts with these ids."""

    @abstractmethod
    def _get(self, ids: Sequence[int]) -> dict[int, StoredText]:
        """Look up the texts with these ids."""

    @abstractmethod
    def stored(self, ids: Sequence[int]) -> dict[int, tuple[str, Embeddings]]:
        """Look up the texts with these ids, each with its vector of length 1."""

    @abstractmethod
    def _close(self) -> None:
        """Write what is not written yet, and close files and connections."""

    @abstractmethod
    def _reached(self) -> AbstractContextManager[None]:
        """Turn the client's errors into a `StoreError`."""

    # The interface for users.

    def add(
        self,
        texts: Sequence[str],
        vectors: Any,
        *,
        ids: Sequence[int] | None = None,
        metadata: Sequence[Metadata] | None = None,
    ) -> None:
        """Add texts with their vectors; one whose id is there already is replaced.

        Parameters
        ----------
        texts : sequence of str, length n
        vectors : array_like of float, shape (n, dim)
            Of any length; they are scaled to 1.
        ids : sequence of int or None, default None
            Whole numbers from 0, each once; None goes on after `count`, which is the text's
            position as long as nothing was deleted, and is refused where that is taken.
        metadata : sequence of mapping or None, default None
            The metadata of each text: name → text, number or truth value.

        Raises
        ------
        InputError
            If lengths or dimensions do not match, or a text or an id cannot be used.
        StoreError
            If the store cannot be written; what was added before is kept.
        """
        texts = check_texts(texts, "texts")
        units = self._units(vectors, len(texts))
        if metadata is None:
            metadata = [{}] * len(texts)
        keys = self._next_ids(len(texts)) if ids is None else _checked_ids(ids)
        for name, values in (("ids", keys), ("metadata", metadata)):
            if len(values) != len(texts):
                raise InputError(
                    f"{name}: {len(values)} for {len(texts)} texts. Give one for each."
                )
        for position, properties in enumerate(metadata):
            _check_metadata(properties, f"metadata[{position}]")
        stored_texts = [
            StoredText(text, properties) for text, properties in zip(texts, metadata, strict=True)
        ]
        with self._reached():
            self._add(keys, units, stored_texts)

    def nearest(self, vectors: Any, top_k: int = 3) -> tuple[Scores, Ids]:
        """Find the ids nearest to each vector.

        Parameters
        ----------
        vectors : array_like of float, shape (n, dim)
        top_k : int, default 3
            From 1 to `count`.

        Returns
        -------
        scores : numpy.ndarray of float64, shape (n, top_k)
            Cosine similarities in [-1, 1], accurate to 6 decimals; best first, NaN where an
            approximate search found fewer.
        ids : numpy.ndarray of int64, shape (n, top_k)
            Of equal scores (nearer than 5e-7) the lower id first; -1 where none was found. If the
            last of them has the same score as further texts, ``exact`` returns those with the lower
            ids, as `stslab.search` does; other clients return any of them.
        """
        units = self._units(vectors)
        top_k = check_top_k(top_k)
        if top_k >= self._last_count:
            self._last_count = self.count()  # not each time: it may cost as much as the search
        if not self._last_count:
            raise InputError(f"{self.url}: it holds no texts yet. Add some first.")
        check_top_k(top_k, self._last_count, self.url)
        scores, ids = self._ordered(units, top_k)
        if ids.shape[1] < top_k:  # another process deleted some since they were counted
            self._last_count = 0
            return self.nearest(vectors, top_k)
        return scores, ids

    def search(self, vectors: Any, top_k: int = 3) -> pd.DataFrame:
        """Find the texts nearest to each vector, as `nearest` does.

        Returns
        -------
        pandas.DataFrame
            Columns ``query`` (position of the vector, from 0), ``rank, score, corpus_id, text``,
            then the metadata's; best first.
        """
        scores, ids = self.nearest(vectors, top_k)
        query, column = np.nonzero(ids >= 0)
        keys = ids[query, column]
        stored = self.get(keys.tolist())
        # Another process may have deleted a text since it was found.
        hit_texts = [stored.get(key, StoredText("", {})) for key in keys.tolist()]
        hits: dict[str, Any] = {"query": query, "rank": column + 1}
        hits |= {"score": scores[query, column], "corpus_id": keys}
        hits["text"] = [hit.text for hit in hit_texts]
        for name in dict.fromkeys(name for hit in hit_texts for name in hit.metadata):
            title = name
            if name in hits:
                title = f"{name} (other)"
            hits[title] = [hit.metadata.get(name) for hit in hit_texts]
        return pd.DataFrame(hits)

    def get(self, ids: Sequence[int]) -> dict[int, StoredText]:
        """Return texts and metadata by id; ids that are not in the store are left out."""
        with self._reached():
            return self._get(list(dict.fromkeys(map(int, ids))))

    def count(self) -> int:
        """Count the texts."""
        with self._reached():
            return self._count()

    def delete(self, ids: Sequence[int]) -> None:
        """Delete texts by id; ids that are not in the store are ignored."""
        keys = _checked_ids(ids)
        if len(keys):
            self._last_count = 0
            with self._reached():
                self._delete(keys)

    def unused_bytes(self) -> int:
        """Return how many bytes deleted texts have left unused, where that is known."""
        return 0

    def reclaim(self) -> None:  # noqa: B027 (most clients do it themselves)
        """Free the space of deleted texts, where that is worth the time."""

    def close(self) -> None:
        """Write what is not written yet, and close files and connections."""
        with self._reached():
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _next_ids(self, count: int) -> Ids:
        """Return the ids of texts that are added without ids; raise InputError if one is in use."""
        start = self.count()
        keys = np.arange(start, start + count)
        used = self.get(keys.tolist())
        if used:
            raise InputError(
                f"ids: {self.url} holds {start} texts, one of them as {min(used)}. Texts were "
                f"deleted, or added with ids: give ids here, too."
            )
        return keys

    def _ordered(self, units: Embeddings, k: int) -> tuple[Scores, Ids]:
        """Return the client's hits in order: best first, of equal scores the lower id first."""
        with self._reached():
            client_scores, client_ids = self._nearest(units, k)
        ids = np.asarray(client_ids, dtype=np.int64)
        scores: Scores = np.asarray(client_scores, dtype=np.float64)
        # Mostly no two scores tie and no hit is missing. Then nothing is sorted, because sorting
        # takes as long as FAISS's search. Adding 0.0 turns -0.0 into 0.0.
        if ids.size and ids.min() >= 0 and np.diff(scores).max(initial=-1.0) < -TIE_DIFFERENCE:
            return np.minimum(np.maximum(scores, -1.0), 1.0) + 0.0, ids
        scores = np.where(ids < 0, -2.0, scores)  # missing hits are sorted to the end
        best_first = np.argsort(-scores, axis=1)
        ids = np.take_along_axis(ids, best_first, axis=1)
        scores = _leveled(np.take_along_axis(scores, best_first, axis=1))
        ids = np.take_along_axis(ids, np.lexsort((ids, -scores), axis=1), axis=1)
        return np.where(ids < 0, np.nan, scores.clip(-1.0, 1.0) + 0.0), ids

    def _units(self, vectors: Any, count: int | None = None) -> Embeddings:
        """Return vectors of length 1 as a matrix; raise InputError if their shape is wrong."""
        array = np.asarray(vectors, dtype=np.float32)
        if array.ndim < 2:
            array = np.atleast_2d(array)
        if count is None:
            count = len(array)
        expected = (count, self.identity.dimension)
        if array.shape != expected:
            raise InputError(
                f"vectors: shape {array.shape}, expected {expected}: {self.url} holds vectors of "
                f"{self.identity.describe()}."
            )
        # The steps of `unit_rows`, but fewer: FAISS searches for one vector in 0.1 ms.
        wide = array.astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        if not np.isfinite(lengths).all():
            raise InputError("vectors: some are not finite numbers. Leave these texts out.")
        lengths[lengths == 0] = 1.0
        wide /= lengths[:, None]
        return wide.astype(np.float32)


def is_published_name(name: str) -> bool:
    """Return whether a model may have this name: ``model`` or ``organization/model``.

    A store names its model, and may come from a stranger: the name of a folder, as of ``/`` or of
    somebody's home, is no name of a model.
    """
    parts = name.split("/")
    return (
        len(parts) <= 2
        and not {*parts} & {"", ".", ".."}
        and not name.startswith("~")
        and "\\" not in name
        and name.isprintable()
    )


def recorded_identity(url: str, record: Mapping[str, Any]) -> Identity:
    """Return the model of a service's store, from the record that the store keeps of it."""
    values = [record.get(field) for field in Identity._fields]
    model, revision, dimension = values
    if isinstance(dimension, float) and dimension.is_integer():  # a service may know no other
        dimension = int(dimension)
    if (
        not isinstance(model, str)
        or not is_published_name(model)
        or not isinstance(revision, str)
        or not isinstance(dimension, int)
        or dimension < 1
    ):
        raise StoreError(
            f"{url}: what it says about its model, {values!r:.200}, is nothing that stslab writes. "
            f"Name another store, or embed the texts again."
        )
    return Identity(model, revision, dimension)


def check_identity(url: str, stored: Identity | None, requested: Identity | None) -> Identity:
    """Return the model of a store; raise InputError for two models, or two revisions of one."""
    identity = requested or stored
    if identity is None:
        raise InputError(f"{url}: there is no store. Build it: stslab embed FILE --store {url}")
    if stored and stored != identity:
        raise InputError(
            f"{url}: it was built with {stored.describe()}; this is {identity.describe()}. Their "
            f"vectors cannot be compared. Open it with the first, or build another store."
        )
    return identity


def read_id(key: str, place: str, *, another: str) -> int:
    """Return an id that a client keeps as text.

    Raise StoreError for one that stslab does not write: somebody else may have added texts.
    """
    if not (key.isascii() and key.isdecimal() and int(key) < 2**63):
        raise StoreError(
            f"{place} holds {key[:60]!r}, an id that stslab does not write: somebody else added "
            f"it. Delete it, or name another {another}."
        )
    return int(key)


def client(module: str, url: str, extra: str) -> Any:
    """Import a store's client; raise InputError with the extra to install if it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{url}: {module} is not installed here ({error}). Install it: "
            f"pip install 'stslab[{extra}]'"
        ) from None


def lock_for_writing(url: str, lock: FileLock) -> None:
    """Lock a store for writing; raise StoreError if another process has locked it."""
    if lock.is_locked:  # by this process
        return
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            f"{url}: another process is writing to it. Nothing was changed; try again when that "
            f"one has ended."
        ) from None


def _check_metadata(metadata: Metadata, name: str) -> None:
    for key, value in metadata.items():
        is_finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(key, str) or not isinstance(value, str | int | float) or not is_finite:
            raise InputError(
                f"{name}: {key!r}: {value!r}: expected a name with a text, a finite number, True "
                f"or False."
            )


def _checked_ids(ids: Sequence[int]) -> Ids:
    keys = np.asarray(ids)
    is_list_of_integers = keys.ndim == 1 and keys.dtype.kind in "iu"
    if keys.size and not (is_list_of_integers and keys.min() >= 0 and keys.max() < 2**63):
        raise InputError(
            f"ids: expected whole numbers from 0, got {list(ids)[:3]}. Keep a key of your own in "
            f"the metadata."
        )
    if len(np.unique(keys)) != len(keys):
        raise InputError("ids: one is given twice. Give each text its own.")
    return keys.astype(np.int64)


def _leveled(scores: Scores) -> Scores:
    """Return scores, in rows sorted best first, in which those that tie have the best of them."""
    # Rounding would separate two scores that tie but lie on either side of a half.
    starts_group = np.diff(scores, axis=1, prepend=np.inf) < -TIE_DIFFERENCE
    return np.minimum.accumulate(np.where(starts_group, scores, np.inf), axis=1)
