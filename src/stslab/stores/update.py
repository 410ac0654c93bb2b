"""A file's texts → a store, without encoding again what it holds already, wherever that lies."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..models.encoding import Embeddings
from .text_index import TextIndex

if TYPE_CHECKING:
    from .store import Found, Store

AT_ONCE = 10_000  # texts looked up or deleted at a time


class Update(ABC):
    """Puts texts into a store, chunk by chunk; close it afterwards.

    First ask which texts are `missing`, encode them, and `put` the chunk; then `finish`. Chunks are
    put in the order in which they were asked about; several may be asked about before the first is
    put.
    """

    def __init__(self) -> None:
        self._index: TextIndex | None = None
        self._coming: set[str] = set()  # texts that are missing, and not put yet
        self._changing: set[int] = set()  # ids that were asked about, and not put yet
        self._asked = 0  # up to which id the file was asked about

    @property
    def index(self) -> TextIndex:
        """Where the store's texts lie; looked up the first time that a text has to be found."""
        if self._index is None:
            self._index = TextIndex()
            self._fill_index(self._index)
        return self._index

    def missing(self, ids: Sequence[int], texts: Sequence[str], end: int) -> list[str]:
        """Return what has to be encoded of a chunk.

        Parameters
        ----------
        ids, texts : sequence of int, sequence of str
            What is not in the store, or not there.
        end : int
            The id after the chunk's last one.

        Returns
        -------
        list of str
            Each text once that the store has no vector of, and that was not missing before.
        """
        self._asked = end
        if not texts:
            return []
        self._changing.update(ids)
        unknown = [text for text in dict.fromkeys(texts) if text not in self._coming]
        there = self._have(unknown)
        missing = [text for text in unknown if text not in there]
        self._coming.update(missing)
        return missing

    def put(
        self, ids: Sequence[int], found: Sequence[Found], encoded: Mapping[str, Embeddings]
    ) -> None:
        """Put texts where they belong, with the vectors of those that were missing."""
        self._put(ids, found, encoded)
        self._changing.difference_update(ids)
        self._coming.difference_update(encoded)

    def close(self) -> None:
        """Remove what is temporary."""
        if self._index:
            self._index.close()

    @abstractmethod
    def finish(self, count: int) -> None:
        """Delete all but the first `count` texts."""

    @abstractmethod
    def _fill_index(self, index: TextIndex) -> None:
        """Note where the store's texts lie."""

    @abstractmethod
    def _have(self, texts: Sequence[str]) -> set[str]:
        """Return those of the texts that the store has a vector of."""

    @abstractmethod
    def _put(
        self, ids: Sequence[int], found: Sequence[Found], encoded: Mapping[str, Embeddings]
    ) -> None: ...


class CopyingUpdate(Update):
    """Of any store: vectors are read from it, and added again under their texts' new ids.

    A text that gives way to another one is set aside in a temporary file, because it may come again
    further down. After a kill such texts are encoded again.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._aside = sqlite3.connect("")
        self._aside.execute("CREATE TABLE aside (text TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def _fill_index(self, index: TextIndex) -> None:
        count = self._store.count()
        for start in range(0, count, AT_ONCE):
            held = self._store.get(range(start, min(count, start + AT_ONCE)))
            index.add((found.text for found in held.values()), held)

    def _have(self, texts: Sequence[str]) -> set[str]:
        candidates = self.index.find(texts)
        held = self._store.get([key for keys in candidates.values() for key in keys])
        in_store = {
            text
            for text, keys in candidates.items()
            if any(key in held and held[key].text == text for key in keys)
        }
        return in_store | self._vectors_aside(texts).keys()

    def _put(
        self, ids: Sequence[int], found: Sequence[Found], encoded: Mapping[str, Embeddings]
    ) -> None:
        from .store import StoreError

        vectors = {**encoded}
        unknown = [each.text for each in found if each.text not in vectors]
        vectors |= self._vectors_aside(unknown)
        vectors |= self._vectors_in_store([text for text in unknown if text not in vectors])
        if any(text not in vectors for text in unknown):
            raise StoreError(
                f"{self._store.url}: texts were deleted from it meanwhile. Run this again."
            )
        replaced = self._store.stored(ids).values()
        rows = [(text, vector.astype(np.float32).tobytes()) for text, vector in replaced]
        self._aside.executemany("INSERT OR IGNORE INTO aside VALUES (?, ?)", rows)
        texts = [each.text for each in found]
        self._store.add(
            texts,
            np.stack([vectors[text] for text in texts]),
            ids=ids,
            metadata=[each.metadata for each in found],
        )
        self.index.add(texts, ids)

    def _vectors_aside(self, texts: Sequence[str]) -> dict[str, Embeddings]:
        vectors = {}
        for text in dict.fromkeys(texts):
            query = "SELECT vector FROM aside WHERE text = ?"
            for (vector,) in self._aside.execute(query, (text,)):
                vectors[text] = np.frombuffer(vector, np.float32)
        return vectors

    def _vectors_in_store(self, texts: Sequence[str]) -> dict[str, Embeddings]:
        candidates = self.index.find(texts)
        stored = self._store.stored(
            list(dict.fromkeys(key for keys in candidates.values() for key in keys))
        )
        return {text: vector for text, vector in stored.values() if text in candidates}

    def finish(self, count: int) -> None:
        """Delete what comes after the file's end, the last first: what is left has no gaps."""
        for stop in range(self._store.count(), count, -AT_ONCE):
            self._store.delete(range(max(count, stop - AT_ONCE), stop))

    def close(self) -> None:
        """Remove what is temporary."""
        super().close()
        self._aside.close()
