"""FAISS: an index in memory and in a file, over the rows of the folder's vectors.

FAISS is a library, not a database: it keeps numbers and finds numbers. What it does not do, which
is to keep texts, to survive a kill and to let one process write at a time, the folder does.

``?index=`` takes what ``faiss.index_factory`` takes: ``Flat`` looks at every vector, ``HNSW32``
walks a graph with 32 neighbors per vector, ``IVF…`` looks into the cells nearest to the query,
``IVF2048,PQ96x4fs,RFlat`` compares short codes there and then the vectors of the best.
Other options are FAISS's parameters, such as ``efSearch`` and ``nprobe``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from filelock import Timeout

from ...inputs.checks import InputError
from ...models.encoding import Embeddings
from ..store import Identity, StoreError, client
from .local import LocalStore, Rows

BLOCK = 65_536  # vectors added to an index at a time
# More than FAISS's own (16, 40 and 1), which are for speed: with these, recall@10 is at least 0.99.
PARAMETERS: dict[str, dict[str, Any]] = {
    "HNSW": {"efConstruction": 200, "efSearch": 128},
    "IVF": {"nprobe": 96},
}


class FaissStore(LocalStore):
    """``faiss:FOLDER?index=HNSW32``; without ``index``, the one that is there, else ``Flat``."""

    def __init__(
        self, url: str, folder: str, options: Mapping[str, str], asked: Identity | None
    ) -> None:
        self.faiss = client("faiss", url, "faiss")
        super().__init__(url, folder, asked)
        options = dict(options)
        there = sorted(self.folder.glob("*.faiss"))
        self.kind = options.pop(
            "index", there[0].stem.replace("-", ",") if len(there) == 1 else "Flat"
        )
        self.file = self.folder / f"{self.kind.replace(',', '-')}.faiss"
        defaults = next((PARAMETERS[name] for name in PARAMETERS if name in self.kind), {})
        self.parameters: dict[str, Any] = {**defaults, **options}
        self._index: Any = None
        self._saved = 0  # rows in the file
        self._interrupted = False
        try:
            self._empty(0)  # refuses what FAISS does not take, before any text is encoded
        except InputError:
            super()._close()
            raise

    def index(self, among: Rows | None = None) -> Any:
        """Read the index from its file, and add the rows that it does not know yet."""
        vectors = (among or self.rows()).vectors
        if self._index is None and self.file.is_file():
            self._index = self._read()
            self._saved = self._index.ntotal
        if self._index is None:
            self._index = self._made(vectors)
        for start in range(self._index.ntotal, len(vectors), BLOCK):
            self._index.add(np.ascontiguousarray(vectors[start : start + BLOCK]))
        return self._index

    def _empty(self, size: int) -> Any:
        # Vectors have length 1, so their inner product is the cosine. FAISS's default is L2.
        metric, kind = self.faiss.METRIC_INNER_PRODUCT, self.kind
        if kind == "IVF":  # as many cells as FAISS's guidelines say
            cells = max(1, min(int(4 * size**0.5), size // 39))
            kind = f"IVF{cells},Flat"
        try:
            index = self.faiss.index_factory(self.identity.dimension, kind, metric)
            self._set(index)
        except (RuntimeError, ValueError) as error:
            raise self._refused(error) from None
        return index

    def _made(self, vectors: Embeddings) -> Any:
        index = self._empty(len(vectors))
        if ivf := self.faiss.try_extract_index_ivf(index):
            ivf.cp.min_points_per_centroid = 1  # or it warns of fewer than 39 texts
        try:
            if not index.is_trained:
                index.train(_sample(vectors, 64 * (ivf.nlist if ivf else 1024)))
        except RuntimeError as error:
            raise self._refused(error) from None
        return index

    def _set(self, index: Any) -> None:
        for name, value in self.parameters.items():
            self.faiss.ParameterSpace().set_index_parameter(index, name, float(value))

    def _read(self) -> Any:
        try:
            index, why = self.faiss.read_index(str(self.file)), "it is of other vectors"
        except (RuntimeError, MemoryError) as error:
            index, why = None, _first_line(error)
        if index is None or not self._is_ours(index):
            raise StoreError(
                f"{self.url}: the index {self.file.name} is damaged ({why}). Remove this file: it "
                f"is built again from vectors.f32, and no text is lost."
            )
        try:
            self._set(index)
        except RuntimeError as error:
            raise self._refused(error) from None
        return index

    def _is_ours(self, index: Any) -> bool:
        """Find the first and the last of its vectors in it."""
        vectors = self.rows().vectors
        if index.d != self.identity.dimension or index.ntotal > len(vectors):
            return False
        ends = np.asarray(vectors[[0, index.ntotal - 1]]) if index.ntotal else vectors[:0]
        scores, _ = index.search(ends, 1)
        # A compressed index gives a little less than 1; a vector of zeros gives 0.
        return bool((scores[:, 0] > 0.9 * (ends**2).sum(axis=1) - 1e-6).all())

    def _refused(self, error: Exception) -> InputError:
        return InputError(
            f"{self.url}: FAISS does not take this ({_first_line(error)}). Try "
            f"index=Flat, index=HNSW32&efSearch=128 or index=IVF&nprobe=96."
        )

    def _nearest_rows(self, vectors: Embeddings, k: int, among: Rows) -> tuple[Any, Any]:
        index = self.index(among)
        if among.live == len(among.ids):
            return index.search(vectors, k)  # type: ignore[no-any-return]
        # HNSW and IVF keep deleted vectors; the search is told which rows still count.
        chosen = self.faiss.IDSelectorBitmap(np.packbits(among.ids >= 0, bitorder="little"))
        return index.search(vectors, k, params=self._parameters(index, chosen))  # type: ignore[no-any-return]

    def _parameters(self, index: Any, chosen: Any) -> Any:
        if hasattr(index, "base_index"):  # RFlat: one index finds candidates, another reorders them
            base = self._parameters(self.faiss.downcast_index(index.base_index), chosen)
            return self.faiss.IndexRefineSearchParameters(
                k_factor=index.k_factor, base_index_params=base
            )
        if hasattr(index, "hnsw"):
            return self.faiss.SearchParametersHNSW(sel=chosen, efSearch=index.hnsw.efSearch)
        if hasattr(index, "nprobe"):
            return self.faiss.SearchParametersIVF(sel=chosen, nprobe=index.nprobe)
        return self.faiss.SearchParameters(sel=chosen)

    def __exit__(self, *error: object) -> None:
        # After Ctrl-C nobody waits for an index; it is built when the store is next searched.
        self._interrupted = error != (None, None, None)
        super().__exit__(*error)

    def _close(self) -> None:
        try:
            if not self.temporary and not self._interrupted:
                if self.lock.is_locked and self._size():
                    self._save(self.index())
                elif self._index and self._index.ntotal > self._saved:
                    # A search built what an interrupted build left undone: keep it, if that may be.
                    with suppress(OSError, Timeout, StoreError):
                        self.lock.acquire(timeout=0)
                        self._save(self._index)
        finally:
            super()._close()

    def _save(self, index: Any) -> None:
        part = self.file.with_suffix(".part")
        try:
            if index.ntotal > self._saved:
                # Given a name, FAISS keeps quiet about a disk that is full when it closes the file.
                with part.open("wb") as stream:
                    self.faiss.write_index(index, self.faiss.PyCallbackIOWriter(stream.write))
                part.replace(self.file)
        except (OSError, RuntimeError) as error:
            raise StoreError(
                f"{self.url}: {self.file.name} cannot be written ({_first_line(error)}). All texts "
                f"are kept; the index is built again when the store is next searched."
            ) from None
        finally:
            part.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _sample(vectors: Embeddings, size: int) -> Embeddings:
    """Take vectors from all over, to find cells among them."""
    rows = np.linspace(0, len(vectors) - 1, min(size, len(vectors))).astype(int)
    return np.ascontiguousarray(vectors[rows])
