"""A model as one compressed block of bytes, which `page/weights.js` reads.

The block is gzip of four bytes (the header's length, little-endian), the header (JSON) and the
bytes of each tensor. Gzip codes each byte by how often it occurs, and does not look for
repetitions: there are none in weights, and the search costs time and makes the block 2 % larger.

A tensor of *n* numbers is stored

- exactly, as four planes of *n* bytes: the lowest byte of each float32 number, then the next ones;
- or in steps of 2\\ :sup:`-e`, as integers *q*: a plane of *n* bytes ``q >> bits``, then for each
  lower bit, from the lowest, a plane of *n* / 8 bytes. High bytes compress, low bits do not.
"""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from stslab.live.characters import character_table
from stslab.live.support import check_supported, max_tokens
from stslab.models.completeness import BERT_LAYER

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Layers are about four times as sensitive as embeddings to the same step.
EMBEDDING_STEP = 16
LAYER_STEP = 17
# The modules of a layer that have a weight and a bias, in the order in which the engine reads them.
LAYER_MODULES = BERT_LAYER


class Folder(Protocol):
    """The part of a `stslab.models.finding.ModelSource` that is used here."""

    @property
    def folder(self) -> Path:
        """The folder with the model's files."""


def pack_model(source: Folder, *, compact: bool = False, extra: dict[str, Any]) -> bytes:
    """Return all that computes a model's embeddings as one block of bytes.

    Parameters
    ----------
    source : ModelSource
        A model in a folder.
    compact : bool, default False
        Round matrices to steps of 2⁻¹⁶ (embeddings) and 2⁻¹⁷ (layers), which takes 55 % of the
        bytes; otherwise every weight is kept as it is.
    extra : dict
        What else the page needs, as JSON; the page gets it unchanged.

    Returns
    -------
    bytes
        The same for the same files and the same `extra`.

    Raises
    ------
    stslab.models.finding.ModelError
        If the engine cannot run this model.
    """
    folder = source.folder
    check_supported(folder)
    maximum = max_tokens(folder)
    tensors = list(_tensors(folder, maximum))
    entries, planes = [], []
    for name, values in tensors:
        entry, tensor_planes = _encode(name, values, compact)
        entries.append(entry)
        planes.append(tensor_planes)
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    token_ids = tokenizer["model"]["vocab"]
    header = {
        "layers": sum(name.endswith("query.weight") for name, _ in tensors),
        "maximum": maximum,
        "vocabulary": sorted(token_ids, key=token_ids.get),
        "special": [token["content"] for token in tokenizer["added_tokens"]],
        "characters": character_table(_load_tokenizer(folder)),
        "tensors": entries,
        "extra": extra,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    length = len(text).to_bytes(4, "little")
    return _gzip(itertools.chain([length, text], *planes))


def _load_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _tensors(folder: Path, maximum: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights with their names in the order in which the engine reads them."""
    from safetensors.numpy import load_file

    stored = load_file(folder / "model.safetensors")
    # In the files of some models a BertModel stands inside another one.
    weights = {name.removeprefix("bert."): values for name, values in stored.items()}

    def read(name: str) -> tuple[str, NDArray[np.float32]]:
        return name, weights[name].astype(np.float32, copy=False)

    # The engine reads no positions behind the limit, and one type of token.
    row_counts = {"word": None, "position": maximum, "token_type": 1}
    for kind, row_count in row_counts.items():
        name, values = read(f"embeddings.{kind}_embeddings.weight")
        yield name, values[:row_count]
    yield read("embeddings.LayerNorm.weight")
    yield read("embeddings.LayerNorm.bias")
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        for module in LAYER_MODULES:
            yield read(f"encoder.layer.{layer}.{module}.weight")
            yield read(f"encoder.layer.{layer}.{module}.bias")
        layer += 1


def _encode(
    name: str, values: NDArray[np.float32], compact: bool
) -> tuple[dict[str, Any], Iterator[bytes]]:
    """Return a tensor's entry in the header, and its planes; each is made when it is taken."""
    entry: dict[str, Any] = {"name": name, "shape": values.shape}
    if not compact or min(values.shape) == 1 or values.ndim == 1:
        return entry, _byte_planes(values)
    step = LAYER_STEP
    if name.startswith("embeddings."):
        step = EMBEDDING_STEP
    integers = np.rint(values.ravel() * np.float32(2**step)).astype(np.int32)
    # As many low bits as are needed for the rest to fit into a signed byte.
    bits = max(0, int(np.abs(integers).max()).bit_length() - 7)
    return entry | {"bits": bits, "step": step}, _bit_planes(integers, bits)


def _byte_planes(values: NDArray[np.float32]) -> Iterator[bytes]:
    by_byte = values.astype("<f4").ravel().view(np.uint8).reshape(-1, 4)
    for position in range(4):
        yield by_byte[:, position].tobytes()


def _bit_planes(integers: NDArray[np.int32], bits: int) -> Iterator[bytes]:
    yield (integers >> bits).astype(np.int8).tobytes()
    for bit in range(bits):
        yield np.packbits((integers >> bit & 1).astype(np.uint8), bitorder="little").tobytes()


def _gzip(pieces: Iterable[bytes]) -> bytes:
    """Return bytes compressed as gzip, without a time in it."""
    # 31: the largest window, and gzip's header (15 + 16). 9: as much memory as zlib takes.
    stream = zlib.compressobj(6, zlib.DEFLATED, 31, 9, zlib.Z_HUFFMAN_ONLY)
    compressed = [stream.compress(piece) for piece in pieces]
    return b"".join([*compressed, stream.flush()])
