"""Read the files of a model's folder; report those that are absent, cut off or damaged.

A clone without Git LFS has small text files, pointers, in the place of large ones.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

COPY_AGAIN = (
    "Copy or download the model's folder again, with all its subfolders (from the hub: hf download "
    "ORGANIZATION/NAME), or give another model. A model's folder needs modules.json, config.json, "
    "a tokenizer and model.safetensors."
)
# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
LFS_POINTER = b"version https://git-lfs"
# https://huggingface.co/docs/safetensors: eight bytes of length, a header in JSON, the tensors.
LENGTH_BYTES = 8
LARGEST_HEADER = 100_000_000


class IncompleteModel(ValueError):
    """A model's folder in which something is missing, cut off or damaged."""

    def __init__(self, fault: str, repair: str = COPY_AGAIN) -> None:
        super().__init__(f"{fault}. {repair}")


def check_content(folder: Path, name: str) -> None:
    """Raise IncompleteModel if a file is absent or empty, or a Git LFS pointer."""
    file = folder / name
    if not file.is_file():
        raise IncompleteModel(f"{name} is not there")
    with file.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
    if not start:
        raise IncompleteModel(f"{name} is empty")
    if start == LFS_POINTER:
        raise IncompleteModel(
            f"{name} is a Git LFS pointer of {file.stat().st_size} bytes, not the file itself",
            "Run git lfs install and git lfs pull in the repository that the folder comes from, or "
            "download the file itself (from the hub: hf download ORGANIZATION/NAME).",
        )


def read_json(folder: Path, name: str, expected: type = dict) -> Any:
    """Return what a JSON file holds; raise IncompleteModel if it is not of the expected type."""
    check_content(folder, name)
    stat = (folder / name).stat()
    content = _parse_json(str(folder / name), stat.st_size, stat.st_mtime_ns)
    if not isinstance(content, expected):
        raise IncompleteModel(f"{name} is cut off or damaged: it is not complete JSON")
    return content


@functools.lru_cache(maxsize=64)
def _parse_json(file: str, size: int, mtime_ns: int) -> Any:
    """Return a file's content, None if it is not JSON; parsed again only if the file changed."""
    try:
        return json.loads(Path(file).read_bytes())
    except (ValueError, RecursionError):  # also of bytes that are not UTF-8
        return None


def read_header(folder: Path, name: str) -> dict[str, Any]:
    """Return the tensors of a safetensors file by name; check the length of the file.

    Raises
    ------
    IncompleteModel
        If it is absent, a Git LFS pointer, cut off, or not a safetensors file.
    """
    check_content(folder, name)
    file = folder / name
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        text = b""  # of a length that no header has: the file is something else
        if length <= LARGEST_HEADER:
            text = stream.read(length)
    try:
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        ends = [int(tensor["data_offsets"][1]) for tensor in header.values()]
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise IncompleteModel(
            f"{name} is cut off or is not a safetensors file: its header is not readable"
        ) from None
    promised = LENGTH_BYTES + length + max(ends, default=0)
    if size < promised:
        raise IncompleteModel(f"{name} is cut off after {size:,} of {promised:,} bytes")
    if size > promised:
        raise IncompleteModel(f"{name} has {size:,} bytes instead of {promised:,}")
    return header
