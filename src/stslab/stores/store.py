"""What every store does alike: checks, cosine scores, ties, identity, the table of hits.

An adapter, one for each client, says how vectors are put in, found, counted and deleted. Texts go
by `corpus_id`, a whole number from 0, because FAISS knows no other; a key of your own travels in
the metadata. Vectors are scaled to length 1 on their way in, so that an inner product is a cosine.
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

SAME = 5e-7  # scores closer than this are ties: clients compute in float32, each in its own order
Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Metadata = Mapping[str, str | int | float | bool]


class StoreError(RuntimeError):
    """A store that cannot be reached, read or written; the message says what is kept."""


class Identity(NamedTuple):
    """Which model made a store's vectors; those of another cannot be compared with them."""

    model: str  # its name
    revision: str  # SHA-256 of all its files; empty for an encoder that is not a LoadedModel
    dimension: int  # numbers per vector

    def describe(self) -> str:
        """Name it in a message."""
        revision = f", revision {self.revision[:12]}" * bool(self.revision)
        return f"{self.model}{revision}, {self.dimension} dimensions"


class Found(NamedTuple):
    """A stored text."""

    text: str
    metadata: Metadata


class Store(ABC):
    """Texts and their vectors, searched by cosine similarity.

    Open one with `open_store`. Use it in a ``with`` block, or call `close`.
    """

    url: str
    identity: Identity
    _counted = 0  # texts, when they were last counted

    # What an adapter does in its client's words.

    @abstractmethod
    def _add(self, ids: Ids, vectors: Embeddings, found: Sequence[Found]) -> None:
        """Add vectors of length 1, or replace those with the same ids."""

    @abstractmethod
    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        """Give cosines and ids of each vector's k nearest, shape (n, k); id -1 where none is."""

    @abstractmethod
    def _count(self) -> int:
        """Count what is in it."""

    @abstractmethod
    def _delete(self, ids: Ids) -> None:
        """Delete what has one of these ids."""

    @abstractmethod
    def _get(self, ids: Sequence[int]) -> dict[int, Found]:
        """Look up what has one of these ids."""

    @abstractmethod
    def stored(self, ids: Sequence[int]) -> dict[int, tuple[str, Embeddings]]:
        """Look up the texts with these ids, each with its vector of length 1."""

    @abstractmethod
    def _close(self) -> None:
        """Write what is not written yet, and let go."""

    @abstractmethod
    def _reached(self) -> AbstractContextManager[None]:
        """Turn the client's errors into a `StoreError`."""

    # What users call.

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
            For each text what else is known: name → text, number or truth value.

        Raises
        ------
        InputError
            If lengths or dimensions do not match, or a text or an id cannot be used.
        StoreError
            If the store cannot be written; what was added before is kept.
        """
        texts = check_texts(texts, "texts")
        units = self._units(vectors, len(texts))
        start = self.count() if ids is None else 0
        keys = np.arange(start, start + len(texts)) if ids is None else _checked_ids(ids)
        about = list(metadata) if metadata is not None else [{}] * len(texts)
        for name, given in (("ids", keys), ("metadata", about)):
            if len(given) != len(texts):
                raise InputError(f"{name}: {len(given)} for {len(texts)} texts. Give one for each.")
        if ids is None and (taken := self.get(keys.tolist())):
            raise InputError(
                f"ids: {self.url} holds {start} texts, one of them as {min(taken)}. Texts were "
                f"deleted, or added with ids: give ids here, too."
            )
        for position, values in enumerate(about):
            _check_metadata(values, f"metadata[{position}]")
        with self._reached():
            self._add(keys, units, [Found(*each) for each in zip(texts, about, strict=True)])

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
            Of equal scores (nearer than 5e-7) the lower id first, as `stslab.search` does; -1 where
            none was found.
        """
        units = self._units(vectors)
        if (top_k := check_top_k(top_k)) >= self._counted:
            self._counted = self.count()  # not each time: it may cost as much as the search
        if not (count := self._counted):
            raise InputError(f"{self.url}: it holds no texts yet. Add some first.")
        check_top_k(top_k, count, self.url)
        # One more than asked for tells whether the cut falls between equal scores.
        wanted = min(top_k + 1, count)
        scores, ids, is_clear = self._ordered(units, wanted)
        if is_clear and ids.shape[1] == wanted:
            return scores[:, :top_k], ids[:, :top_k]
        if ids.shape[1] < wanted:  # another process deleted some since they were counted
            self._counted = 0
            return self.nearest(vectors, top_k)
        while wanted < count:
            cut = scores[:, top_k - 1]
            if not (equal := (scores[:, -1] == cut) & (ids[:, -1] >= 0)).any():
                break
            open_ended = np.flatnonzero(equal)
            wanted = min(4 * wanted, count)
            scores, ids = _widened(scores, wanted, np.nan), _widened(ids, wanted, -1)
            scores[open_ended], ids[open_ended], _ = self._ordered(units[open_ended], wanted)
        return scores[:, :top_k], ids[:, :top_k]

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
        known = self.get(keys.tolist())
        found = [known.get(key, Found("", {})) for key in keys.tolist()]
        hits: dict[str, Any] = {"query": query, "rank": column + 1}
        hits |= {"score": scores[query, column], "corpus_id": keys}
        hits["text"] = [each.text for each in found]
        for name in dict.fromkeys(name for each in found for name in each.metadata):
            carried = [each.metadata.get(name) for each in found]
            hits[name if name not in hits else f"{name} (other)"] = carried
        return pd.DataFrame(hits)

    def get(self, ids: Sequence[int]) -> dict[int, Found]:
        """Look up texts and metadata by id; those that are not there are left out."""
        with self._reached():
            return self._get(list(dict.fromkeys(map(int, ids))))

    def count(self) -> int:
        """Count the texts."""
        with self._reached():
            return self._count()

    def delete(self, ids: Sequence[int]) -> None:
        """Delete texts by id; those that are not there are passed over."""
        if len(keys := _checked_ids(ids)):
            self._counted = 0
            with self._reached():
                self._delete(keys)

    def unused_bytes(self) -> int:
        """Return how many bytes deleted texts have left unused, where that is known."""
        return 0

    def reclaim(self) -> None:  # noqa: B027 (most clients do it themselves)
        """Give back the space of deleted texts, where that pays."""

    def close(self) -> None:
        """Write what is not written yet, and let go of files and connections."""
        with self._reached():
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ordered(self, units: Embeddings, k: int) -> tuple[Scores, Ids, bool]:
        """Ask the client, and order what it answers: best first, of equal ones the lower id.

        True where no two scores tie and none is missing, as mostly: then nothing is sorted, which
        would take as long as FAISS does.
        """
        with self._reached():
            found, numbers = self._nearest(units, k)
        ids = np.asarray(numbers, dtype=np.int64)
        scores: Scores = np.asarray(found, dtype=np.float64)
        if ids.size and ids.min() >= 0 and np.diff(scores).max(initial=-1.0) < -SAME:
            return np.minimum(np.maximum(scores, -1.0), 1.0) + 0.0, ids, True  # + 0.0: no -0.0
        scores = np.where(ids < 0, -2.0, scores)
        best_first = np.argsort(-scores, axis=1)
        ids = np.take_along_axis(ids, best_first, axis=1)
        scores = _leveled(np.take_along_axis(scores, best_first, axis=1))
        ids = np.take_along_axis(ids, np.lexsort((ids, -scores), axis=1), axis=1)
        return np.where(ids < 0, np.nan, scores.clip(-1.0, 1.0) + 0.0), ids, False

    def _units(self, vectors: Any, count: int | None = None) -> Embeddings:
        array = np.asarray(vectors, dtype=np.float32)
        array = np.atleast_2d(array) if array.ndim < 2 else array
        expected = (len(array) if count is None else count, self.identity.dimension)
        if array.shape != expected:
            raise InputError(
                f"vectors: shape {array.shape}, expected {expected}: {self.url} holds vectors of "
                f"{self.identity.describe()}."
            )
        # As `unit_rows` does, in fewer steps: to search for one vector takes FAISS 0.1 ms.
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
    """Read which model a service's store was built with, from what it says about itself."""
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


def agreed(url: str, held: Identity | None, asked: Identity | None) -> Identity:
    """Refuse to mix vectors of two models, or of two revisions of one."""
    if not (identity := asked or held):
        raise InputError(f"{url}: there is no store. Build it: stslab embed FILE --store {url}")
    if held and held != identity:
        raise InputError(
            f"{url}: it was built with {held.describe()}; this is {identity.describe()}. Their "
            f"vectors cannot be compared. Open it with the first, or build another store."
        )
    return identity


def client(module: str, url: str, extra: str) -> Any:
    """Import a store's client, or say what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{url}: {module} is not installed here ({error}). Install it: "
            f"pip install 'stslab[{extra}]'"
        ) from None


def lock_for_writing(url: str, lock: FileLock) -> None:
    """Be the only process that writes, until the lock is released."""
    if lock.is_locked:  # by us
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
    whole = keys.ndim == 1 and keys.dtype.kind in "iu"
    if keys.size and not (whole and keys.min() >= 0 and keys.max() < 2**63):
        raise InputError(
            f"ids: expected whole numbers from 0, got {list(ids)[:3]}. Keep a key of your own in "
            f"the metadata."
        )
    if len(np.unique(keys)) != len(keys):
        raise InputError("ids: one is given twice. Give each text its own.")
    return keys.astype(np.int64)


def _leveled(scores: Scores) -> Scores:
    """Give those that tie, in rows sorted best first, the best score among them."""
    # Rounding would part two that tie but lie to either side of a half.
    first = np.diff(scores, axis=1, prepend=np.inf) < -SAME
    return np.minimum.accumulate(np.where(first, scores, np.inf), axis=1)


def _widened(array: npt.NDArray[Any], columns: int, fill: float) -> npt.NDArray[Any]:
    wide = np.full((len(array), columns), fill, dtype=array.dtype)
    wide[:, : array.shape[1]] = array
    return wide
