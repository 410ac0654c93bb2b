"""Put a file's texts into a store, without encoding again those that it holds under any id."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

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
    text that is replaced may be needed later in the file. If it has no other id, it is added once
    more behind the last id, where a run after a kill finds it, too; `finish` deletes it there.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_id = store.count()  # behind the last text
        self._index: TextIndex | None = None
        self._pending: set[str] = set()  # texts that are being encoded for an earlier chunk

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Return the texts, each once, that the store has no vector of and that are not pending."""
        candidates = [text for text in dict.fromkeys(texts) if text not in self._pending]
        if not candidates:
            return []
        available = {stored.text for stored in self._store.get(self._find(candidates)).values()}
        missing = [text for text in candidates if text not in available]
        self._pending.update(missing)
        return missing

    def put(
        self, ids: Sequence[int], stored: Sequence[StoredText], encoded: Mapping[str, Embeddings]
    ) -> None:
        """Put texts under their ids, with the vectors of those that were missing."""
        new = list(stored)
        vectors = dict(encoded)
        vectors |= self._vectors_in_store([text for text, _ in new if text not in vectors])
        if any(text not in vectors for text, _ in new):
            raise StoreError(
                f"{self._store.url}: texts were deleted from it meanwhile. Run this again."
            )
        self._next_id = max(self._next_id, ids[-1] + 1)
        replaced = self._last_copies(ids, vectors)
        vectors |= replaced
        new += [StoredText(text, {}) for text in replaced]
        all_ids = [*ids, *range(self._next_id, self._next_id + len(replaced))]
        self._next_id += len(replaced)
        self._store.add(
            [text for text, _ in new],
            np.stack([vectors[text] for text, _ in new]),
            ids=all_ids,
            metadata=[metadata for _, metadata in new],
        )
        self._stored_texts().add([text for text, _ in new], all_ids)
        self._pending.difference_update(encoded)

    def finish(self, count: int) -> None:
        """Delete all but the first `count` texts, and free the space of deleted ones."""
        # The last are deleted first, so that a kill leaves no gaps.
        for stop in range(self._next_id, count, -AT_ONCE):
            self._store.delete(range(max(count, stop - AT_ONCE), stop))
        self._store.reclaim()

    def close(self) -> None:
        """Remove the temporary file."""
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

    def _find(self, texts: Sequence[str]) -> list[int]:
        """Return the ids under which the texts may lie, and perhaps others."""
        keys = self._stored_texts().find(texts)
        return sorted({key for text_keys in keys.values() for key in text_keys})

    def _vectors_in_store(self, texts: Sequence[str]) -> dict[str, Embeddings]:
        sought = {*texts}
        stored = self._store.stored(self._find(texts))
        return {text: vector for text, vector in stored.values() if text in sought}

    def _last_copies(self, ids: Sequence[int], new: Container[str]) -> dict[str, Embeddings]:
        """Return texts with these ids that are not among the new ones and have no other id."""
        replaced = dict(self._store.stored(ids).values())
        candidates = [text for text in replaced if text not in new]
        other_ids = sorted({*self._find(candidates)} - {*ids})
        in_store = {stored.text for stored in self._store.get(other_ids).values()}
        return {text: replaced[text] for text in candidates if text not in in_store}
