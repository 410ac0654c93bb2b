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
    Identity,
    Ids,
    Store,
    StoredText,
    StoreError,
    check_identity,
    client,
    lock_for_writing,
    read_id,
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
        self, url: str, location: str, options: Mapping[str, str], requested: Identity | None
    ) -> None:
        self.url, self.lock, self.temporary = url, None, None
        self.chromadb = client("chromadb", url, "chroma")
        self.server, self.name = urlsplit(location), COLLECTION
        self.is_server = self.server.scheme in ("http", "https")
        if self.is_server:
            self.name = self.server.path.strip("/") or COLLECTION
            if not NAME.fullmatch(self.name):
                raise InputError(
                    f"{url}: Chroma takes no collection {self.name!r}. Give it a name of 3 to 512 "
                    f"letters, digits, dots, hyphens and underscores; the first and the last are "
                    f"letters or digits."
                )
        elif not location:
            self.temporary = tempfile.TemporaryDirectory(prefix="stslab-")
            location = self.temporary.name
        elif not requested and not (Path(location) / "chroma.sqlite3").is_file():
            check_identity(url, None, None)
        self.folder = Path(location)
        if not self.is_server:
            self.lock = FileLock(self.folder / "writer.lock")
        with self._reached():
            self.client = self._connect()
            try:
                self._open(options, requested)
            except BaseException:
                self._close()
                raise

    def _connect(self) -> Any:
        settings = self.chromadb.config.Settings(anonymized_telemetry=False)
        if not self.is_server:
            return self.chromadb.PersistentClient(self.folder, settings)
        is_secure = self.server.scheme == "https"
        port = self.server.port or (443 if is_secure else 80)
        host = self.server.hostname
        return self.chromadb.HttpClient(host, port, ssl=is_secure, settings=settings)

    def _open(self, options: Mapping[str, str], requested: Identity | None) -> None:
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
                metadata=check_identity(self.url, None, requested)._asdict(),
                configuration={"hnsw": {"space": "cosine", **hnsw}},
            )
        record = self.collection.metadata or {}
        settings = self.collection.configuration_json.get("hnsw") or {}
        if not {*Identity._fields} <= {*record} or settings.get("space") != "cosine":
            raise InputError(
                f"{self.url}: the collection {self.name!r} was not built by stslab (its space is "
                f"{settings.get('space')!r}, its model is {record.get('model', 'not known')}). "
                f"Name another one."
            )
        self.identity = check_identity(self.url, recorded_identity(self.url, record), requested)
        changed = {name: value for name, value in hnsw.items() if settings.get(name) != value}
        fixed = {*changed} - {"ef_search"}
        if fixed:
            name = min(fixed)
            raise InputError(
                f"{self.url}: it was built with {name}={settings.get(name)}. Only ef_search can be "
                f"changed: leave {name} out, or build another store."
            )
        if changed:
            with warnings.catch_warnings():  # a collection without Chroma's model is "legacy" to it
                warnings.simplefilter("ignore", DeprecationWarning)
                self.collection.modify(configuration={"hnsw": changed})
            # The index in memory keeps the old value; a new client reads the folder again.
            self.client.close()
            self.client = self._connect()
            self.collection = self.client.get_collection(self.name, embedding_function=None)
        self.batch = self.client.get_max_batch_size()

    def _add(self, ids: Ids, vectors: Embeddings, texts: Sequence[StoredText]) -> None:
        self._lock()
        for start in range(0, len(ids), self.batch):
            batch = slice(start, start + self.batch)
            keys = ids[batch].tolist()
            # An upsert keeps metadata whose names it does not get; a value of None deletes one.
            stored = self._get(keys)
            metadatas = []
            for key, text in zip(keys, texts[batch], strict=True):
                metadata: dict[str, Any] = {}
                if key in stored:
                    metadata = dict.fromkeys(stored[key].metadata)
                metadatas.append({**metadata, **text.metadata} or None)
            self.collection.upsert(
                ids=[str(key) for key in keys],
                embeddings=vectors[batch],
                documents=[text.text for text in texts[batch]],
                metadatas=metadatas,
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

    def _get(self, ids: Sequence[int]) -> dict[int, StoredText]:
        texts: dict[int, StoredText] = {}
        for start in range(0, len(ids), self.batch):
            keys = [str(key) for key in ids[start : start + self.batch]]
            answer = self.collection.get(ids=keys, include=["documents", "metadatas"])
            for key, text, metadata in zip(
                answer["ids"], answer["documents"], answer["metadatas"], strict=True
            ):
                texts[self._id(key)] = StoredText(self._text(key, text), metadata or {})
        return texts

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
        return read_id(key, f"{self.url}: the collection", another="collection")

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
            message = " ".join(str(error).split())
            if message.startswith("<"):  # HTML
                message = "what answers there is no Chroma server"
            next_step = "What was added before is kept."
            if self.is_server:
                next_step = f"Is it running? Start it: chroma run --path FOLDER. {next_step}"
            if "not a database" in message or "malformed" in message:
                next_step = "Its files are damaged: put a copy back, or embed the texts again."
            raise StoreError(
                f"{self.url}: Chroma did not do it ({type(error).__name__}: {message:.200}). "
                f"{next_step}"
            ) from error
