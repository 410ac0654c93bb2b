"""Folders of models for tests: small whole ones, and broken ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stslab.models.finding import find_model
from stslab.models.model_files import LENGTH_BYTES

LFS_POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db\n"
    "size 90868376\n"
)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "puppy", "ran", "played"]


def read_safetensors_header(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        return dict(json.loads(stream.read(length)))


def keep_tensors(file: Path, keep: Callable[[str], bool]) -> None:
    """Write a safetensors file again with some of its tensors, all zero, as a sparse file."""
    end, header = 0, {}
    for name, tensor in read_safetensors_header(file).items():
        if name != "__metadata__" and keep(name):
            start, end = end, end + tensor["data_offsets"][1] - tensor["data_offsets"][0]
            header[name] = tensor | {"data_offsets": [start, end]}
    text = json.dumps(header).encode()
    file.unlink()  # it may be a link to a whole one
    file.write_bytes(len(text).to_bytes(LENGTH_BYTES, "little") + text)
    os.truncate(file, LENGTH_BYTES + len(text) + end)


def copy_bundled_model(folder: Path) -> Path:
    """Copy the bundled model; its weights are a link."""
    bundled = find_model().folder
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").symlink_to(bundled / "model.safetensors")
    return folder


def remove_files(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).unlink()


def without_tokenizer(folder: Path) -> None:
    remove_files(folder, ["tokenizer.json", "vocab.txt"])


def without_a_layer(folder: Path) -> None:
    keep_tensors(folder / "model.safetensors", lambda name: "layer.3." not in name)


def with_lfs_pointer(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_text(LFS_POINTER)


def with_cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    with weights.open("rb") as stream:
        start = stream.read(1_000_000)
    weights.unlink()
    weights.write_bytes(start)


def without_pooling(folder: Path) -> None:
    shutil.rmtree(folder / "1_Pooling")


# How to break a copy of the bundled model, and what is said of it.
BREAKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no tokenizer": (without_tokenizer, "there is no tokenizer"),
    "a layer missing": (without_a_layer, "lacks 16 of the 101 tensors that the model needs"),
    "a Git LFS pointer": (with_lfs_pointer, f"is a Git LFS pointer of {len(LFS_POINTER)} bytes"),
    "cut weights": (with_cut_weights, "is cut off after 1,000,000 of 90,868,376 bytes"),
    "no pooling folder": (without_pooling, "the folder 1_Pooling is not there"),
}


def save_tiny_transformer(folder: Path, kind: str = "bert", **settings: Any) -> Path:
    """Save a small random transformer with mean pooling that knows ten words."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoModel, BertTokenizerFast

    plain = folder / "plain"
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(WORDS))
    torch.manual_seed(0)
    AutoModel.from_config(tiny_config(kind, **settings)).save_pretrained(plain)
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    transformer = Transformer(str(plain), max_seq_length=64)
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    whole = folder / kind
    SentenceTransformer(modules=[transformer, pooling], device="cpu").save(str(whole))
    shutil.rmtree(plain)
    return whole


def tiny_config(kind: str, **settings: Any) -> Any:
    """Give the settings of a small transformer of an architecture."""
    from transformers import AutoConfig

    size = {"vocab_size": len(WORDS), "hidden_size": 32, "intermediate_size": 64}
    size |= {"num_hidden_layers": 5, "num_attention_heads": 2, "max_position_embeddings": 64}
    if kind == "distilbert":
        size = {"vocab_size": len(WORDS), "dim": 32, "hidden_dim": 64, "n_layers": 5, "n_heads": 2}
    if kind == "modernbert":  # its own numbers are those of a large vocabulary
        marks = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
        size |= dict.fromkeys(marks, 0)
    if kind == "t5":
        size = {"vocab_size": len(WORDS), "d_model": 32, "d_ff": 64, "d_kv": 16}
        size |= {"num_layers": 5, "num_heads": 2}
    return AutoConfig.for_model(kind, **size, **settings)
