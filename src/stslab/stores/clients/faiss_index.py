"""FAISS: an index in memory and in a file, over the rows of the folder's vectors.

FAISS is a library, not a database: it stores and finds numbers. The folder stores the texts,
survives a kill and lets one process write at a time.

``?index=`` takes what ``faiss.index_factory`` takes: ``Flat`` compares every vector, ``HNSW32``
walks a graph with 32 neighbors per vector, ``IVF…`` searches the cells nearest to the query,
``IVF2048,PQ96x4fs,RFlat`` compares short codes there and then the vectors of the best.
Other options are FAISS's parameters, such as ``efSearch`` and ``nprobe``.

A trailer after the index in its file identifies its vectors, and has a checksum of the index.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from filelock import Timeout

from ...inputs.checks import InputError
from ...models.encoding import Embeddings
from ..store import Identity, StoreError, client
from .checksums import checksum_of_file
from .local import LocalStore, Rows

# At the end of an index's file: the store's generation, a checksum of the vectors that are in the
# index, the checksum of the index itself, and that of these three with a mark of ours.
TRAILER = struct.Struct("<QIII")
MARK = b"stslab index 2"
BLOCK = 65_536  # vectors added to an index at a time
# More than FAISS's own (16, 40 and 1), which are for speed: with these, recall@10 is at least 0.99.
PARAMETERS: dict[str, dict[str, Any]] = {
    "HNSW": {"efConstruction": 200, "efSearch": 128},
    "IVF": {"nprobe": 96},
}


class FaissStore(LocalStore):
    """``faiss:FOLDER?index=HNSW32``; without ``index``, the one that is there, else ``Flat``."""

    def __init__(
        self, url: str, folder: str, options: Mapping[str, str], requested: Identity | None
    ) -> None:
        self.faiss = client("faiss", url, "faiss")
        super().__init__(url, folder, requested)
        options = dict(options)
        default_kind = "Flat"
        index_files = sorted(self.folder.glob("*.faiss"))
        if len(index_files) == 1:
            default_kind = index_files[0].stem.replace("-", ",")
        self.kind = options.pop("index", default_kind)
        self.file = self.folder / f"{self.kind.replace(',', '-')}.faiss"
        self.parameters: dict[str, Any] = {}
        for name, defaults in PARAMETERS.items():
            if name in self.kind:
                self.parameters |= defaults
                break
        self.parameters |= options
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
        among = among or self.rows()
        vectors = among.vectors
        if self._index is None and self.file.is_file():
            self._index = self._read(among)
            self._saved = 0
            if self._index:
                self._saved = self._index.ntotal
        if self._index is None or self._index.ntotal < len(vectors):
            self.check_vectors(among)
        if self._index is None:
            self._index = self._train(vectors)
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

    def _train(self, vectors: Embeddings) -> Any:
        """Return an empty index whose cells or codes are fitted to the vectors."""
        index = self._empty(len(vectors))
        centroids = 1024
        ivf = self.faiss.try_extract_index_ivf(index)
        if ivf:
            centroids = ivf.nlist
            ivf.cp.min_points_per_centroid = 1  # or it warns of fewer than 39 texts
        try:
            if not index.is_trained:
                index.train(_sample(vectors, 64 * centroids))
        except RuntimeError as error:
            raise self._refused(error) from None
        return index

    def _set(self, index: Any) -> None:
        for name, value in self.parameters.items():
            self.faiss.ParameterSpace().set_index_parameter(index, name, float(value))

    def _read(self, among: Rows) -> Any:
        """Read the index from its file; None for one that was made before the store was compacted.

        Its checksum is compared first, because FAISS does not check what it reads.
        """
        if self.file.stat().st_size < TRAILER.size:
            raise self._damaged_index("it is cut off")
        content = np.memmap(self.file, np.uint8, mode="r")
        body, trailer = content[: -TRAILER.size], bytes(content[-TRAILER.size :])
        generation, vectors_checksum, index_checksum, trailer_checksum = TRAILER.unpack(trailer)
        if trailer_checksum != zlib.crc32(trailer[:-4], zlib.crc32(MARK)):
            raise self._damaged_index("it does not end as stslab writes it")
        if generation != among.generation:
            return None
        if index_checksum != checksum_of_file(body):
            raise self._damaged_index("it does not match its checksum")
        try:
            index = self.faiss.read_index(str(self.file))
        except (RuntimeError, MemoryError) as error:
            raise self._damaged_index(_first_line(error)) from None
        is_ours = index.d == self.identity.dimension and index.ntotal <= len(among.ids)
        if not is_ours or vectors_checksum != _checksum_of_vectors(among, index.ntotal):
            raise self._damaged_index("it is of other vectors")
        try:
            self._set(index)
        except RuntimeError as error:
            raise self._refused(error) from None
        return index

    def _damaged_index(self, problem: str) -> StoreError:
        vectors = self.vectors_file(self.state().generation).name
        return StoreError(
            f"{self.url}: the index {self.file.name} is damaged ({problem}). Remove this file: "
            f"it is built again from {vectors}, and no text is lost."
        )

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
                if self.lock.is_locked and self.state().rows:
                    self._save(self.index())
                elif self._index and self._index.ntotal > self._saved:
                    # A search built what an interrupted build left undone: keep it, if that may be.
                    with suppress(OSError, Timeout, StoreError):
                        self.lock.acquire(timeout=0)
                        self._save(self._index)
        finally:
            super()._close()

    def compact(self) -> None:
        """Copy the vectors to a new file; the index is made again, because its rows are others."""
        super().compact()
        self._index, self._saved = None, 0
        self.file.unlink(missing_ok=True)

    def _save(self, index: Any) -> None:
        temporary_file = self.file.with_suffix(".part")
        try:
            if index.ntotal > self._saved:
                # Given a name, FAISS keeps quiet about a disk that is full when it closes the file.
                with temporary_file.open("wb") as stream:
                    self.faiss.write_index(index, self.faiss.PyCallbackIOWriter(stream.write))
                    stream.flush()
                    among = self.rows()
                    trailer = TRAILER.pack(
                        among.generation,
                        _checksum_of_vectors(among, index.ntotal),
                        checksum_of_file(np.memmap(temporary_file, np.uint8, mode="r")),
                        0,
                    )[:-4]
                    mark = zlib.crc32(trailer, zlib.crc32(MARK))
                    stream.write(trailer + struct.pack("<I", mark))
                temporary_file.replace(self.file)
        except (OSError, RuntimeError) as error:
            raise StoreError(
                f"{self.url}: {self.file.name} cannot be written ({_first_line(error)}). All texts "
                f"are kept; the index is built again when the store is next searched."
            ) from None
        finally:
            temporary_file.unlink(missing_ok=True)


def _checksum_of_vectors(among: Rows, count: int) -> int:
    """Return a checksum of the first vectors, from the checksums of their blocks."""
    blocks = [(block.first, block.vectors) for block in among.blocks if block.first < count]
    return zlib.crc32(np.array([(count, count), *blocks], np.uint64).tobytes())


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _sample(vectors: Embeddings, size: int) -> Embeddings:
    """Take vectors from all over, to find cells among them."""
    rows = np.linspace(0, len(vectors) - 1, min(size, len(vectors))).astype(int)
    return np.ascontiguousarray(vectors[rows])
