"""Put a file's texts into a store, without encoding again those that it holds under any id."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from ...models.encoding import Embeddings
from ..store import Store, StoredText, StoreError
from .text_index import TextIndex

AT_ONCE = 10_000  # texts read or deleted at a time


class Update:
    """Puts texts into a store, chunk by chunk; close it afterwards.

    Call `missing` for the texts of a chunk that have to be encoded, encode these, and `put` the
    chunk; at the end, `finish`. `missing` may be called for several chunks before the first `put`.

    A text that moves keeps its vector, which is read from the store and added under the new id. A
    text that is replaced before its turn comes is set aside in a temporary file. After a kill that
    file is gone, and such texts are encoded again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: TextIndex | None = None
        self._pending: set[str] = set()  # texts that are being encoded for an earlier chunk
        self._aside = sqlite3.connect("")
        self._aside.execute("CREATE TABLE aside (text TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Return the texts, each once, that the store has no vector of and that are not pending."""
        candidates = [text for text in dict.fromkeys(texts) if text not in self._pending]
        if not candidates:
            return []
        available = self._texts_in_store(candidates) | self._vectors_aside(candidates).keys()
        missing = [text for text in candidates if text not in available]
        self._pending.update(missing)
        return missing

    def put(
        self, ids: Sequence[int], stored: Sequence[StoredText], encoded: Mapping[str, Embeddings]
    ) -> None:
        """Put texts under their ids, with the vectors of those that were missing."""
        texts = [stored_text.text for stored_text in stored]
        vectors = dict(encoded)
        not_encoded = [text for text in texts if text not in vectors]
        vectors |= self._vectors_aside(not_encoded)
        vectors |= self._vectors_in_store([text for text in not_encoded if text not in vectors])
        if any(text not in vectors for text in texts):
            raise StoreError(
                f"{self._store.url}: texts were deleted from it meanwhile. Run this again."
            )
        self._set_aside(ids)
        self._store.add(
            texts,
            np.stack([vectors[text] for text in texts]),
            ids=ids,
            metadata=[stored_text.metadata for stored_text in stored],
        )
        self._stored_texts().add(texts, ids)
        self._pending.difference_update(encoded)

    def finish(self, count: int) -> None:
        """Delete all but the first `count` texts, and free the space of deleted ones."""
        # The last are deleted first, so that a kill leaves no gaps.
        for stop in range(self._store.count(), count, -AT_ONCE):
            self._store.delete(range(max(count, stop - AT_ONCE), stop))
        self._store.reclaim()

    def close(self) -> None:
        """Remove the temporary files."""
        self._aside.close()
        if self._index:
            self._index.close()

    def _stored_texts(self) -> TextIndex:
        """Return the index of the store's texts; it is made on the first call."""
        if self._index is None:
            self._index = TextIndex()
            count = self._store.count()
            for start in range(0, count, AT_ONCE):
                texts = self._store.get(range(start, min(count, start + AT_ONCE)))
                self._index.add((stored.text for stored in texts.values()), texts)
        return self._index

    def _texts_in_store(self, texts: Sequence[str]) -> set[str]:
        candidates = self._stored_texts().find(texts)
        stored = self._store.get(sorted({key for keys in candidates.values() for key in keys}))
        return {stored_text.text for stored_text in stored.values()} & {*texts}

    def _vectors_in_store(self, texts: Sequence[str]) -> dict[str, Embeddings]:
        candidates = self._stored_texts().find(texts)
        stored = self._store.stored(sorted({key for keys in candidates.values() for key in keys}))
        return {text: vector for text, vector in stored.values() if text in candidates}

    def _vectors_aside(self, texts: Sequence[str]) -> dict[str, Embeddings]:
        vectors = {}
        for text in dict.fromkeys(texts):
            query = "SELECT vector FROM aside WHERE text = ?"
            for (vector,) in self._aside.execute(query, (text,)):
                vectors[text] = np.frombuffer(vector, np.float32)
        return vectors

    def _set_aside(self, ids: Sequence[int]) -> None:
        """Keep the vectors of texts that are about to be replaced."""
        replaced = self._store.stored(ids).values()
        rows = [(text, vector.astype(np.float32).tobytes()) for text, vector in replaced]
        self._aside.executemany("INSERT OR IGNORE INTO aside VALUES (?, ?)", rows)
