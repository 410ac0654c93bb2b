"""What a worker is given and does: load the model, check that it is the store's, encode texts."""

from __future__ import annotations

import functools
import threading
from typing import Any, NamedTuple

import numpy as np

from ...inputs.checks import InputError
from ...models.encoding import Embeddings, encoded_batches
from ...models.finding import library_versions
from ..opening import identity_of
from ..store import Identity

# Shapes of batches, see `encoding.SHAPE`. Texts are padded to a smaller multiple than by
# `stslab.encode`, because a chunk is large enough to fill batches of more lengths. A GPU needs
# larger batches.
SHAPE_ON_CPU = (8, 32, 2048)
SHAPE_ON_GPU = (8, 256, 32_768)


class Work(NamedTuple):
    """The model that a worker encodes with, and what must be the same there."""

    model: Any  # a name or a folder to load; an encoder of your own travels itself
    device: str | None
    threads: int | None  # of the processor; None: as many as the worker has
    identity: Identity
    versions: dict[str, str]


# A Dask worker encodes in several threads, and a tokenizer works in one thread only.
_model_lock = threading.Lock()


def encode_for(work: Work, texts: list[str]) -> Embeddings:
    """Return the embeddings of texts; raise InputError in a worker that would compute others."""
    with _model_lock:
        model = _load(work.model, work.device, work.threads)
        identity, versions = identity_of(model), library_versions()
        if identity != work.identity:
            raise _difference(identity.describe(), work.identity.describe())
        if versions != work.versions:
            raise _difference(_describe_versions(versions), _describe_versions(work.versions))
        return vectors_of(texts, model)


def _difference(actual: str, expected: str) -> InputError:
    return InputError(
        f"a worker differs: it has {actual}; the store needs {expected}. Install the same there."
    )


def _describe_versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


@functools.lru_cache(maxsize=1)
def _load(model: Any, device: str | None, threads: int | None) -> Any:
    if not isinstance(model, str):
        return model
    from ...models.loading import load_model

    if threads:
        import torch

        torch.set_num_threads(threads)
    return load_model(model, device=device)


def vectors_of(texts: list[str], model: Any) -> Embeddings:
    """Return the embeddings of texts, each of which is encoded once."""
    unique = list(dict.fromkeys(texts))
    if hasattr(model, "preprocess"):
        vectors: Any = np.empty((len(unique), model.get_embedding_dimension()), np.float32)
        shape = SHAPE_ON_CPU if model.device.type == "cpu" else SHAPE_ON_GPU
        for rows, batch in encoded_batches(unique, model, "document", shape):
            vectors[rows] = batch
    else:
        vectors = np.asarray(model.encode(unique), dtype=np.float32)
    row = {text: index for index, text in enumerate(unique)}
    return vectors[[row[text] for text in texts]]  # type: ignore[no-any-return]
