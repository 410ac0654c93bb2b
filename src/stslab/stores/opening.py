"""A URL-like name → an open store."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..inputs.checks import InputError
from ..models.encoding import Encoder, encode
from .store import Identity, Store, is_published_name

EXPECTED = (
    "exact, exact:FOLDER, faiss:FOLDER?index=HNSW32, chroma:FOLDER, "
    "chroma:http://HOST:PORT/COLLECTION or pinecone:INDEX"
)


def open_store(url: str, *, model: Encoder | None = None) -> Store:
    """Open a vector store, or create it.

    Parameters
    ----------
    url : str
        ``exact``, ``exact:FOLDER``, ``faiss:FOLDER`` (with ``?index=Flat``,
        ``HNSW32`` or ``IVF``, and FAISS's own parameters, ``&efSearch=64``), ``chroma:FOLDER``,
        ``chroma:http://HOST:PORT/COLLECTION``, ``pinecone:INDEX`` or ``pinecone:https://HOST``.
        Without a folder, as in ``faiss:?index=Flat``, it is a temporary one.
    model : Encoder or None, default None
        The model whose vectors it holds; None opens a store that exists.

    Returns
    -------
    Store
        With ``add``, ``search``, ``count``, ``delete``, ``close``.

    Raises
    ------
    InputError
        If the name is none of these, a client is not installed, a key is missing, there is no such
        store and no model, or the store holds vectors of another model, revision or dimension.
    StoreError
        If it cannot be reached or is damaged.

    Examples
    --------
    >>> from stslab import encode
    >>> from stslab.examples import Letters
    >>> with open_store("exact", model=Letters()) as store:
    ...     store.add(["ab", "aa", "cc"], encode(["ab", "aa", "cc"], model=Letters()))
    ...     store.search(encode(["a"], model=Letters()), top_k=2)
       query  rank     score  corpus_id text
    0      0     1  1.000000          1   aa
    1      0     2  0.707107          0   ab
    """
    parts = urlsplit(url)
    kind, location = parts.scheme, parts.path
    if not parts.scheme:  # "exact"
        kind, location = parts.path, ""
    if parts.netloc:  # exact://folder
        location = parts.netloc + parts.path
    options = dict(parse_qsl(parts.query))
    identity = None
    if model is not None:
        identity = identity_of(model)
    if identity and not is_published_name(identity.model):
        raise InputError(
            f"model {identity.model!r}: a store takes no such name. Rename its folder."
        )
    if kind in ("exact", "faiss", "chroma") and not location and not identity:
        raise InputError(f"{url}: without a folder it is a new store. Name a folder, or a model.")
    if kind == "exact" and not options:
        from .clients.exact import ExactStore

        return ExactStore(url, location, identity)
    if kind == "faiss":
        from .clients.faiss_index import FaissStore

        return FaissStore(url, location, options, identity)
    if kind == "chroma":
        from .clients.chroma import ChromaStore

        return ChromaStore(url, location, options, identity)
    if kind == "pinecone" and location:
        from .clients.pinecone_index import PineconeStore

        return PineconeStore(url, location, options, identity)
    raise InputError(f"store {url!r}: expected {EXPECTED}.")


def identity_of(model: Any) -> Identity:
    """Return the properties of a model that a store records."""
    if hasattr(model, "get_embedding_dimension"):
        dimension = int(model.get_embedding_dimension())
    else:
        dimension = encode(["a"], model=model).shape[1]
    source = getattr(model, "source", None)
    if source is not None:
        return Identity(source.name, source.sha256, dimension)
    return Identity(type(model).__name__, "", dimension)
