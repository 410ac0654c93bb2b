"""Chroma: a database for vectors, in a folder or behind a server.

Chroma answers with a distance, here ``1 - cosine``; its default would be a squared Euclidean one.
It is given our vectors, and ``embedding_function=None``: its own would download a model.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock

from ...inputs.checks import InputError
from ...models.encoding import Embeddings
from ..store import (
    Found,
    Identity,
    Ids,
    Store,
    StoreError,
    agreed,
    client,
    lock_for_writing,
    recorded_identity,
)

COLLECTION = "texts"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,510}[A-Za-z0-9]")  # of a collection
OPTIONS = ("ef_search", "ef_construction", "max_neighbors")


class ChromaStore(Store):
    """``chroma:FOLDER``, or ``chroma:http://HOST:PORT/COLLECTION``; without either, for a while.

    Options are those of Chroma's index: ``ef_search``, which may be changed later (a server reads
    the change when it is next started), ``ef_construction`` and ``max_neighbors``, which may not.
    """

    def __init__(
        self, url: str, where: str, options: Mapping[str, str], asked: Identity | None
    ) -> None:
        self.url, self.lock, self.temporary = url, None, None
        self.chromadb = client("chromadb", url, "chroma")
        self.where, self.name = urlsplit(where), COLLECTION
        self.is_server = self.where.scheme in ("http", "https")
        if self.is_server:
            self.name = self.where.path.strip("/") or COLLECTION
            if not NAME.fullmatch(self.name):
                raise InputError(
                    f"{url}: Chroma takes no collection {self.name!r}. Give it a name of 3 to 512 "
                    f"letters, digits, dots, hyphens and underscores; the first and the last are "
                    f"letters or digits."
                )
        elif not where:
            self.temporary = tempfile.TemporaryDirectory(prefix="stslab-")
            where = self.temporary.name
        elif not asked and not (Path(where) / "chroma.sqlite3").is_file():
            agreed(url, None, None)
        self.folder = Path(where)
        if not self.is_server:
            self.lock = FileLock(self.folder / "writer.lock")
        with self._reached():
            self.client = self._connect()
            try:
                self._open(options, asked)
            except BaseException:
                self._close()
                raise

    def _connect(self) -> Any:
        settings = self.chromadb.config.Settings(anonymized_telemetry=False)
        if not self.is_server:
            return self.chromadb.PersistentClient(self.folder, settings)
        is_secure = self.where.scheme == "https"
        port = self.where.port or (443 if is_secure else 80)
        return self.chromadb.HttpClient(self.where.hostname, port, ssl=is_secure, settings=settings)

    def _open(self, options: Mapping[str, str], asked: Identity | None) -> None:
        for option, value in options.items():
            if option not in OPTIONS or not value.isdecimal():
                raise InputError(
                    f"{self.url}: {option}={value}: expected {', '.join(OPTIONS)}, each with a "
                    f"whole number."
                )
        hnsw = {option: int(value) for option, value in options.items()}
        try:
            self.collection = self.client.get_collection(self.name, embedding_function=None)
        except self.chromadb.errors.NotFoundError:
            self.collection = self.client.create_collection(
                self.name,
                embedding_function=None,
                metadata=agreed(self.url, None, asked)._asdict(),
                configuration={"hnsw": {"space": "cosine", **hnsw}},
            )
        held = self.collection.metadata or {}
        known = self.collection.configuration_json.get("hnsw") or {}
        if not {*Identity._fields} <= {*held} or known.get("space") != "cosine":
            raise InputError(
                f"{self.url}: the collection {self.name!r} was not built by stslab (its space is "
                f"{known.get('space')!r}, its model is {held.get('model', 'not known')}). Name "
                f"another one."
            )
        identity = recorded_identity(self.url, held)
        self.identity = agreed(self.url, identity, asked)
        changed = {name: value for name, value in hnsw.items() if known.get(name) != value}
        if fixed := {*changed} - {"ef_search"}:
            name = min(fixed)
            raise InputError(
                f"{self.url}: it was built with {name}={known.get(name)}. Only ef_search can be "
                f"changed: leave {name} out, or build another store."
            )
        if changed:
            with warnings.catch_warnings():  # a collection without Chroma's model is "legacy" to it
                warnings.simplefilter("ignore", DeprecationWarning)
                self.collection.modify(configuration={"hnsw": changed})
            # What is in memory goes on with the old value; a new client reads the folder anew.
            self.client.close()
            self.client = self._connect()
            self.collection = self.client.get_collection(self.name, embedding_function=None)
        self.batch = self.client.get_max_batch_size()

    def _add(self, ids: Ids, vectors: Embeddings, found: Sequence[Found]) -> None:
        self._lock()
        for start in range(0, len(ids), self.batch):
            part = slice(start, start + self.batch)
            keys = ids[part].tolist()
            # An upsert keeps the names that it is not told of; a value of None takes one away.
            before = {key: dict.fromkeys(held.metadata) for key, held in self._get(keys).items()}
            about = zip(keys, found[part], strict=True)
            self.collection.upsert(
                ids=[str(key) for key in keys],
                embeddings=vectors[part],
                documents=[each.text for each in found[part]],
                metadatas=[{**before.get(key, {}), **each.metadata} or None for key, each in about],
            )

    def _nearest(self, vectors: Embeddings, k: int) -> tuple[Any, Any]:
        answer = self.collection.query(query_embeddings=vectors, n_results=k, include=["distances"])
        # An approximate search may find fewer than were asked for.
        distances = np.full((len(vectors), k), np.nan)
        ids = np.full((len(vectors), k), -1, dtype=np.int64)
        for row, (near, keys) in enumerate(zip(answer["distances"], answer["ids"], strict=True)):
            distances[row, : len(near)] = near
            ids[row, : len(keys)] = [self._id(key) for key in keys]
        return 1 - distances, ids

    def _count(self) -> int:
        return int(self.collection.count())

    def _delete(self, ids: Ids) -> None:
        self._lock()
        self.collection.delete(ids=[str(key) for key in ids])

    def _get(self, ids: Sequence[int]) -> dict[int, Found]:
        found: dict[int, Found] = {}
        for start in range(0, len(ids), self.batch):
            keys = [str(key) for key in ids[start : start + self.batch]]
            answer = self.collection.get(ids=keys, include=["documents", "metadatas"])
            for key, text, metadata in zip(
                answer["ids"], answer["documents"], answer["metadatas"], strict=True
            ):
                found[self._id(key)] = Found(self._text(key, text), metadata or {})
        return found

    def stored(self, ids: Sequence[int]) -> dict[int, tuple[str, Embeddings]]:
        """Look up the texts with these ids, each with its vector of length 1."""
        stored: dict[int, tuple[str, Embeddings]] = {}
        with self._reached():
            for start in range(0, len(ids), self.batch):
                keys = [str(key) for key in ids[start : start + self.batch]]
                answer = self.collection.get(ids=keys, include=["documents", "embeddings"])
                for key, text, vector in zip(
                    answer["ids"], answer["documents"], answer["embeddings"], strict=True
                ):
                    stored[self._id(key)] = (self._text(key, text), np.asarray(vector, np.float32))
        return stored

    def _id(self, key: str) -> int:
        """Read an id that stslab wrote; somebody else may have added to the collection."""
        if not (key.isascii() and key.isdecimal() and int(key) < 2**63):
            raise StoreError(
                f"{self.url}: the collection {self.name!r} holds {key[:60]!r}, an id that stslab "
                f"does not write: somebody else added it. Delete it, or name another collection."
            )
        return int(key)

    def _text(self, key: str, text: Any) -> str:
        if not isinstance(text, str):
            raise StoreError(
                f"{self.url}: the collection {self.name!r} holds no text for the id {key}: "
                f"somebody else added it. Delete it, or name another collection."
            )
        return text

    def _lock(self) -> None:
        if self.lock:  # a server keeps order itself
            lock_for_writing(self.url, self.lock)

    def _close(self) -> None:
        self.client.close()
        if self.lock:
            self.lock.release()
        if self.temporary:
            self.temporary.cleanup()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (InputError, StoreError):
            raise
        except Exception as error:  # httpx's, SQLite's and Chroma's own, which share no class
            said = " ".join(str(error).split())
            said = "what answers there is no Chroma server" if said.startswith("<") else said
            start = "Is it running? Start it: chroma run --path FOLDER. " * self.is_server
            next_step = f"{start}What was added before is kept."
            if "not a database" in said or "malformed" in said:
                next_step = "Its files are damaged: put a copy back, or embed the texts again."
            raise StoreError(
                f"{self.url}: Chroma did not do it ({type(error).__name__}: {said:.200}). "
                f"{next_step}"
            ) from error
