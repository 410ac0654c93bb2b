"""A model as one compressed block of bytes, which `page/weights.js` reads.

The block is gzip of: four bytes (the header's length, little-endian), the header (JSON), then
each tensor's bytes. Gzip does the entropy coding, without looking for repetitions: there are
none in weights, and the search costs time and makes the block 2 % larger.

A tensor of *n* numbers is stored

- exactly, as four planes of *n* bytes: all lowest bytes of the float32 numbers, then the next;
- or in steps of 2\\ :sup:`-e`, as whole numbers *q*: the plane of *n* bytes ``q >> bits``, then
  for each lower bit, from the lowest, a plane of *n* / 8 bytes. High bytes compress, bits do not.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from stslab.live.characters import character_table
from stslab.live.support import check_supported, max_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Layers are about four times as sensitive as embeddings to the same step.
EMBEDDING_STEP = 16
LAYER_STEP = 17


class Folder(Protocol):
    """What is needed of a `stslab.models.finding.ModelSource`."""

    @property
    def folder(self) -> Path:
        """Where the model's files are."""


def pack_model(found: Folder, *, compact: bool = False, extra: dict[str, Any]) -> bytes:
    """Pack all that computes a model's embeddings into one block of bytes.

    Parameters
    ----------
    found : ModelSource
        A model in a folder.
    compact : bool, default False
        Round matrices to steps of 2⁻¹⁶ (embeddings) and 2⁻¹⁷ (layers), which takes 55 % of the
        bytes; otherwise every weight is kept as it is.
    extra : dict
        What else the page needs, as JSON; the page gets it back unchanged.

    Returns
    -------
    bytes
        The same for the same files and the same `extra`.

    Raises
    ------
    stslab.models.finding.ModelError
        If the engine cannot run this model.
    """
    check_supported(found.folder)
    maximum = max_tokens(found.folder)
    tensors = list(_tensors(found.folder, maximum))
    coded = [_code(name, values, compact) for name, values in tensors]
    tokenizer = json.loads((found.folder / "tokenizer.json").read_text("utf-8"))
    header = {
        "layers": sum(name.endswith("query.weight") for name, _ in tensors),
        "maximum": maximum,
        "vocabulary": sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get),
        "special": [each["content"] for each in tokenizer["added_tokens"]],
        "characters": character_table(_load_tokenizer(found.folder)),
        "tensors": [entry for entry, _ in coded],
        "extra": extra,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    planes = (plane for _, of_tensor in coded for plane in of_tensor)
    return _gzip([len(text).to_bytes(4, "little"), text, *planes])


def _load_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _tensors(folder: Path, maximum: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give the weights in the order in which the engine reads them."""
    from safetensors.numpy import load_file

    stored = load_file(folder / "model.safetensors")
    # Some models' files name the parts of a BertModel inside another one.
    weights = {name.removeprefix("bert."): values for name, values in stored.items()}

    def both(name: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
        for part in ("weight", "bias"):
            yield f"{name}.{part}", weights[f"{name}.{part}"].astype(np.float32, copy=False)

    rows = {"word": None, "position": maximum, "token_type": 1}
    for kind, keep in rows.items():
        name = f"embeddings.{kind}_embeddings.weight"
        yield name, weights[name][:keep].astype(np.float32, copy=False)
    yield from both("embeddings.LayerNorm")
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        for part in (
            *("attention.self.query", "attention.self.key", "attention.self.value"),
            *("attention.output.dense", "attention.output.LayerNorm"),
            *("intermediate.dense", "output.dense", "output.LayerNorm"),
        ):
            yield from both(f"encoder.layer.{layer}.{part}")
        layer += 1


def _code(
    name: str, values: NDArray[np.float32], compact: bool
) -> tuple[dict[str, Any], Iterable[bytes]]:
    """Give a tensor's entry in the header, and its planes, made when they are asked for."""
    entry: dict[str, Any] = {"name": name, "shape": values.shape}
    if not compact or min(values.shape) == 1 or values.ndim == 1:
        by_byte = values.astype("<f4").ravel().view(np.uint8).reshape(-1, 4)
        return entry, (by_byte[:, n].tobytes() for n in range(4))
    step = EMBEDDING_STEP if name.startswith("embeddings.") else LAYER_STEP
    whole = np.rint(values.ravel() * np.float32(2**step)).astype(np.int32)
    bits = max(0, int(np.abs(whole).max()).bit_length() - 7)
    return entry | {"bits": bits, "step": step}, _planes(whole, bits)


def _planes(whole: NDArray[np.int32], bits: int) -> Iterator[bytes]:
    yield (whole >> bits).astype(np.int8).tobytes()
    for bit in range(bits):
        yield np.packbits((whole >> bit & 1).astype(np.uint8), bitorder="little").tobytes()


def _gzip(parts: Iterable[bytes]) -> bytes:
    """Compress as gzip, without a time in it."""
    stream = zlib.compressobj(6, zlib.DEFLATED, 31, 9, zlib.Z_HUFFMAN_ONLY)
    return b"".join([*map(stream.compress, parts), stream.flush()])
