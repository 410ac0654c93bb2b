"""A file's texts → a store in a folder: a text that moved keeps its row, and gets its new id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...models.encoding import Embeddings
from ..store import Found, Ids
from ..text_index import TextIndex
from ..update import AT_ONCE, Update
from . import layout
from .layout import Damaged, State

if TYPE_CHECKING:
    from .local import LocalStore

HOLES = 10  # a store is compacted when it has more than one hole for so many texts


def aside(place: int) -> int:
    """Return the id of a text that gave way to another one, until the update is finished."""
    return -2 - place


class LocalUpdate(Update):
    """Of a store in a folder.

    A text that gives way to another one is set aside, under an id below 0, because it may come
    again further down. There it also outlives a kill. `finish` deletes what is still set aside.
    """

    def __init__(self, store: LocalStore) -> None:
        super().__init__()
        self._store = store
        self._ids: Ids = np.empty(0, np.int64)  # of each row

    def _fill_index(self, index: TextIndex) -> None:
        store = self._store
        with store._reached():
            store.begin_writing()
            self._ids = store.rows().ids.copy()
            for start in range(0, len(self._ids), AT_ONCE):
                ids = self._ids[start : start + AT_ONCE]
                texts = list(store.texts(ids[ids != layout.HOLE].tolist()))
                index.add((found.text for _, _, found in texts), (place for _, place, _ in texts))

    def _have(self, texts: Sequence[str]) -> set[str]:
        index = self.index
        with self._store._reached():
            return {found.text for _, _, found in self._candidates(index, texts)} & {*texts}

    def _candidates(self, index: TextIndex, texts: Sequence[str]) -> list[tuple[int, int, Found]]:
        """Read the stored texts that may be these: id, row and text."""
        places = [place for places in index.find(texts).values() for place in places]
        ids = self._ids[places]
        return list(self._store.texts(ids[ids != layout.HOLE].tolist()))

    def _put(
        self, ids: Sequence[int], found: Sequence[Found], encoded: Mapping[str, Embeddings]
    ) -> None:
        store, index = self._store, self.index
        with store._reached():
            state = store.begin_writing()
            replaced = list(store.texts(ids))
            wanted = [each.text for each in found if each.text not in encoded]
            sources = {place: (key, each) for key, place, each in replaced}
            sources |= {place: (key, each) for key, place, each in self._candidates(index, wanted)}
            places, copies = self._places(ids, found, encoded, sources)
            added = [position for position, place in enumerate(places) if place is None]
            vectors = self._vectors(added, found, encoded, copies)
            new_places = [*range(state.rows, state.rows + len(added))]
            for position, place in zip(added, new_places, strict=True):
                places[position] = place
            added_ids = np.array([ids[position] for position in added], np.int64)
            blocks = store.write_vectors(
                store.vectors_file(state.generation), state.rows, vectors, added_ids
            )
            # Rows that get another id: those of replaced texts, and those of texts that moved.
            new_ids = {place: aside(place) for _, place, _ in replaced}
            new_ids |= {
                place: key
                for place, key in zip(places, ids, strict=True)
                if place is not None and place < state.rows
            }
            records = [
                layout.text_record(new_ids[place], place, each)
                for _, place, each in replaced
                if new_ids[place] < 0
            ]
            records += [
                layout.text_record(key, place, each)
                for key, place, each in zip(ids, places, found, strict=True)
                if place is not None
            ]
            old_ids = {place: sources[place][0] for place in new_ids}
            with store.database:
                store.set_ids([(place, old_ids[place], new_ids[place]) for place in new_ids])
                store.database.executemany(
                    "DELETE FROM texts WHERE id = ?", ((key,) for key in old_ids.values())
                )
                store.insert(records, blocks)
                no_longer = sum(key >= 0 for key in old_ids.values())
                store.write_state(
                    State(
                        state.generation,
                        state.rows + len(added),
                        state.texts - no_longer + len(ids),
                    )
                )
            self._ids = np.concatenate([self._ids, added_ids])
            for place, key in new_ids.items():
                self._ids[place] = key
            index.add((found[position].text for position in added), new_places)

    def _places(
        self,
        ids: Sequence[int],
        found: Sequence[Found],
        encoded: Mapping[str, Embeddings],
        sources: Mapping[int, tuple[int, Found]],
    ) -> tuple[list[int | None], dict[str, int]]:
        """Choose a row for each text; None where it needs a new one, with the row to copy.

        A row is free if its text gives way to another one, is set aside, or has an id that the file
        was not asked about yet: whatever belongs there is still to be put.
        """
        replaced = {*ids}
        free: dict[str, list[int]] = {}
        copies: dict[str, int] = {}
        own: dict[int, int] = {}  # the rows of texts that stay where they are
        for place, (key, each) in sources.items():
            copies[each.text] = place
            if key in replaced:
                own[key] = place
            if key < 0 or key in self._changing or key >= self._asked:
                free.setdefault(each.text, []).append(place)
        # The last is taken first: first what is set aside, then what has the lowest id.
        for choice in free.values():
            choice.sort(key=lambda place: sources[place][0], reverse=True)
        places: list[int | None] = [None] * len(ids)
        for position, (key, each) in enumerate(zip(ids, found, strict=True)):
            own_place = own.get(key)
            if own_place is not None and sources[own_place][1].text == each.text:
                places[position] = own_place
                free[each.text].remove(own_place)
        for position, each in enumerate(found):
            if places[position] is None and each.text not in encoded and free.get(each.text):
                places[position] = free[each.text].pop()
        return places, copies

    def _vectors(
        self,
        positions: Iterable[int],
        found: Sequence[Found],
        encoded: Mapping[str, Embeddings],
        copies: Mapping[str, int],
    ) -> Embeddings:
        """Collect the vectors for new rows."""
        store = self._store
        units: dict[str, Embeddings] = {}
        if encoded:
            unit_vectors = store._units(list(encoded.values()))
            units = dict(zip(encoded, unit_vectors, strict=True))
        vectors = []
        for position in positions:
            text = found[position].text
            if text in units:
                vectors.append(units[text])
            elif text in copies:
                store.check_vectors(store.rows())
                vectors.append(store.rows().vectors[copies[text]])
            else:
                raise Damaged(f"the text {text[:60]!a} is missing")
        return np.array(vectors, np.float32).reshape(-1, store.identity.dimension)

    def finish(self, count: int) -> None:
        """Delete all but the first `count` texts; compact the store if much of it is holes."""
        store = self._store
        with store._reached():
            query = "SELECT id FROM texts WHERE id >= ? OR id < 0"
            ids = [key for (key,) in store.database.execute(query, (count,))]
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                state = store.begin_writing()
                with store.database:
                    store.take_out(some)
                    live = sum(key >= 0 for key in some)
                    store.write_state(state._replace(texts=state.texts - live))
            state = store.state()
            if HOLES * (state.rows - state.texts) > state.texts:
                store.compact()
