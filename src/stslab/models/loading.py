"""A name → a loaded model that knows where it came from.

Loading takes safetensors only and never runs code that comes with a model.
"""

from __future__ import annotations

from typing import Any

from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from .finding import DEFAULT_MODEL, ModelError, ModelSource, find_model, library_versions


class LoadedModel(SentenceTransformer):  # type: ignore[misc]
    """A SentenceTransformer, with where it was found."""

    found: ModelSource


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
        A SentenceTransformer; its ``found`` says where it came from.

    Raises
    ------
    ModelError
        As for `find_model`; or if the folder holds no sentence-transformers model.
    """
    found = find_model(name)
    shows_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # "Loading weights" would land in the page
    try:
        model = LoadedModel(
            str(found.folder),
            device=device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"model {found.name!r}: the folder could not be loaded as a sentence-transformers "
            f"model ({error}). It needs modules.json, config.json, a tokenizer and "
            f"model.safetensors."
        ) from error
    finally:
        if shows_bars:
            transformers_logging.enable_progress_bar()
    model.found = found
    return model


def model_identity(model: LoadedModel) -> dict[str, Any]:
    """Say which model this is, as data.

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
    pooling = [m.pooling_mode for m in model if hasattr(m, "pooling_mode")]
    max_length = model.max_seq_length
    return {
        "name": model.found.name,
        "source": model.found.source,
        "weights_sha256": model.found.weights_sha256,
        "dimension": model.get_embedding_dimension(),
        "max_length": int(max_length) if max_length and max_length < 1e9 else None,
        "pooling": str(pooling[0]) if pooling else type(model[0]).__name__,
        "similarity": str(model.similarity_fn_name),
        "prompts": {task: text for task, text in model.prompts.items() if text},
        "versions": library_versions(),
    }
