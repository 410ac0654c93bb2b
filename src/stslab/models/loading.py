"""A name → a loaded model that knows where it came from.

Loading takes safetensors only and never runs code that comes with a model. Weights in half
precision are computed in single precision on a CPU, which has no advantage of the half.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import get_device_name
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from ..wording import counted
from .finding import DEFAULT_MODEL, ModelError, ModelSource, find_model, library_versions
from .model_files import COPY_AGAIN
from .tokens import maximum_length


class LoadedModel(SentenceTransformer):  # type: ignore[misc]
    """A SentenceTransformer that knows which files it was loaded from."""

    source: ModelSource


def load_model(name: str = DEFAULT_MODEL, *, device: str | None = None) -> LoadedModel:
    """Load a sentence embedding model, offline where possible.

    Parameters
    ----------
    name : str
        ``"all-MiniLM-L6-v2"`` comes with stslab and needs no network. Also a local folder, or the
        name of a model on the hub, which is looked up in the hub's local cache first.
    device : str or None, default None
        ``"cpu"``, ``"cuda"``, ``"mps"``; None lets sentence-transformers choose.

    Returns
    -------
    LoadedModel
        A SentenceTransformer; its ``source`` says where it came from.

    Raises
    ------
    ModelError
        As for `find_model`; or if the folder holds no sentence-transformers model, or its weights
        lack tensors.
    """
    source = find_model(name)
    device = device or get_device_name()
    on_cpu = torch.device(device).type == "cpu"
    model_kwargs: dict[str, Any] = {"use_safetensors": True}
    if on_cpu:
        model_kwargs["dtype"] = torch.float32
    shows_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # "Loading weights" would land in the page
    try:
        with reported_gaps() as missing_tensors:
            model = LoadedModel(
                str(source.folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs=model_kwargs,
            )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever the libraries meet in a folder that is no model
        raise ModelError(
            f"model {source.name!r}: the folder could not be loaded as a sentence-transformers "
            f"model ({type(error).__name__}: {error}). It needs modules.json, config.json, a "
            f"tokenizer and model.safetensors."
        ) from error
    finally:
        if shows_bars:
            transformers_logging.enable_progress_bar()
    check_gaps(source.name, model, missing_tensors)
    if on_cpu:
        model.float()  # also the modules that sentence-transformers loads by itself
    model.source = source
    return model


# While a model is loading, a class of transformers is changed: one thread at a time.
_loading_lock = Lock()


@contextmanager
def reported_gaps() -> Iterator[list[str]]:
    """Collect the names of the tensors that transformers misses in checkpoints while loading.

    transformers fills them with random numbers and warns. It returns their names only where
    `from_pretrained` is called with ``output_loading_info``, and sentence-transformers does not.
    """
    missing: list[str] = []
    load = PreTrainedModel.from_pretrained.__func__

    def from_pretrained(cls: Any, *args: Any, **kwargs: Any) -> Any:
        wants_info = kwargs.pop("output_loading_info", False)
        model, info = load(cls, *args, output_loading_info=True, **kwargs)
        missing.extend(sorted(info["missing_keys"]))
        if wants_info:
            return model, info
        return model

    with _loading_lock:
        PreTrainedModel.from_pretrained = classmethod(from_pretrained)
        try:
            yield missing
        finally:
            PreTrainedModel.from_pretrained = classmethod(load)


def check_gaps(name: str, model: SentenceTransformer, missing_tensors: list[str]) -> None:
    """Raise ModelError if tensors that the embeddings depend on are random."""
    # A transformer's own pooler is not used where a module of its own does the pooling.
    pools = any(hasattr(module, "pooling_mode") for module in model)
    gaps = [tensor for tensor in missing_tensors if not (pools and "pooler" in tensor.split("."))]
    if gaps:
        raise ModelError(
            f"model {name!r}: its weights lack {counted(len(gaps), 'tensor')} that the model "
            f"needs, such as {gaps[0]}, which would be filled with random numbers. {COPY_AGAIN}"
        )


def model_identity(model: LoadedModel) -> dict[str, Any]:
    """Return the properties that identify a model.

    Parameters
    ----------
    model : LoadedModel

    Returns
    -------
    dict
        ``name``, ``source``, ``weights_sha256``, ``dimension`` (numbers per embedding),
        ``max_length`` (tokens; longer texts are cut; None: no limit), ``pooling``,
        ``similarity`` (its default), ``prompts`` (task → text put before) and ``versions``.
    """
    pooling = type(model[0]).__name__
    for module in model:
        if hasattr(module, "pooling_mode"):
            pooling = str(module.pooling_mode)
            break
    return {
        "name": model.source.name,
        "source": model.source.source,
        "weights_sha256": model.source.weights_sha256,
        "dimension": model.get_embedding_dimension(),
        "max_length": maximum_length(model),
        "pooling": pooling,
        "similarity": str(model.similarity_fn_name),
        "prompts": {task: text for task, text in model.prompts.items() if text},
        "versions": library_versions(),
    }
