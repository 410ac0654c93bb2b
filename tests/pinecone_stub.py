"""A stand-in for Pinecone on loopback: the documented wire format, as far as stslab uses it.

It answers the official client, with JSON over HTTP: the control plane's description of an index,
and the data plane's upsert, fetch, delete, query and statistics. It refuses what the service
documents that it refuses. What it does not show is time: the service is eventually consistent.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

KEY = "a-key-of-the-stub"
MOST_BYTES, MOST_VECTORS, MOST_METADATA, MOST_HITS = 2 * 2**20, 1000, 40 * 2**10, 10_000


class Refused(Exception):
    """What the service answers with a status of 400 or more."""


class PineconeStub:
    """One index, ``papers``; use it in a ``with`` block.

    With ``dimension=None`` the first vector decides.
    """

    def __init__(self, dimension: int | None = None, metric: str = "cosine", port: int = 0) -> None:
        self.dimension, self.metric = dimension, metric
        self.spaces: dict[str, dict[str, dict[str, Any]]] = {}
        self.connections: list[Any] = []
        self.requests: list[tuple[str, int]] = []  # path and bytes of each
        self.server: Any = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.stub, self.server.daemon_threads = self, True
        self.port = self.server.server_port
        self.host = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> PineconeStub:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks, or raise `Refused`."""
        name = asked.get("namespace", "")
        space = self.spaces.get(name, {})
        if path == "/indexes/papers":
            return self.described()
        if path.startswith("/indexes/"):
            raise Refused(404, f"Resource {path.split('/')[-1]} not found")
        if path == "/vectors/upsert":
            self.dimension = self.dimension or len(asked["vectors"][0]["values"])
            for vector in asked["vectors"]:
                self.check(vector)
            stored = {each["id"]: each for each in asked["vectors"]}
            self.spaces[name] = space | stored  # the whole request, or nothing of it
            return {"upsertedCount": len(stored)}
        if path == "/vectors/fetch":
            found = {key: space[key] for key in asked["ids"] if key in space}
            return {"vectors": found, "namespace": name, "usage": {"readUnits": 1}}
        if path == "/vectors/delete":
            for key in asked["ids"]:
                space.pop(key, None)
            return {}
        if path == "/query":
            return {"matches": self.matches(space, asked), "namespace": name}
        if path == "/describe_index_stats":
            sizes = {name: {"vectorCount": len(space)} for name, space in self.spaces.items()}
            total = sum(map(len, self.spaces.values()))
            about = {"dimension": self.dimension, "metric": self.metric, "vectorType": "dense"}
            return {"namespaces": sizes, "totalVectorCount": total, "indexFullness": 0, **about}
        raise Refused(404, f"no such path: {path}")

    def described(self) -> dict[str, Any]:
        """Say what the control plane knows of the index."""
        field = {"type": "dense_vector", "dimension": self.dimension, "metric": self.metric}
        return {
            "name": "papers",
            "host": self.host,
            "status": {"ready": True, "state": "Ready"},
            "schema": {"fields": {"_values": field}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
        }

    def check(self, vector: dict[str, Any]) -> None:
        """Refuse what the service does not store."""
        if len(vector["values"]) != self.dimension:
            raise Refused(
                400,
                f"Vector dimension {len(vector['values'])} does not match the dimension of the "
                f"index {self.dimension}",
            )
        if not any(vector["values"]):
            raise Refused(400, "Dense vectors must contain at least one non-zero value")
        size = len(json.dumps(vector.get("metadata", {})).encode())
        if size > MOST_METADATA:
            raise Refused(
                400, f"Metadata size is {size} bytes, which exceeds the limit of 40960 bytes"
            )

    def matches(self, space: dict[str, Any], asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Find the nearest; of equal ones those that were put in last come first."""
        if len(asked["vector"]) != self.dimension or not 1 <= asked["topK"] <= MOST_HITS:
            raise Refused(400, "the query vector's dimension or topK is out of range")
        if not space:
            return []
        keys = list(space)[::-1]
        stored = np.array([space[key]["values"] for key in keys], dtype=np.float32)
        vector = np.array(asked["vector"], dtype=np.float32)
        lengths = np.linalg.norm(stored, axis=1) * max(float(np.linalg.norm(vector)), 1e-30)
        scores = (stored @ vector) / lengths
        best = np.argsort(-scores, kind="stable")[: asked["topK"]]
        return [{"id": keys[row], "score": float(scores[row]), "values": []} for row in best]


class Handler(BaseHTTPRequestHandler):
    """HTTP to and from `PineconeStub.answer`."""

    protocol_version = "HTTP/1.1"
    server: Any

    def setup(self) -> None:
        super().setup()
        self.server.stub.connections.append(self.connection)

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        asked: dict[str, Any] = {"ids": query.get("ids", [])}
        self.respond(asked | {"namespace": query.get("namespace", [""])[0]}, len(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(json.loads(body), len(body))

    def respond(self, asked: dict[str, Any], size: int) -> None:
        path = urlsplit(self.path).path
        self.server.stub.requests.append((path, size))
        try:
            if self.headers["Api-Key"] != KEY:
                raise Refused(401, "Invalid API Key")
            if size > MOST_BYTES or len(asked.get("vectors", [])) > MOST_VECTORS:
                raise Refused(400, "Request size exceeds the limit of 2 MB or 1000 vectors")
            status, answer = 200, self.server.stub.answer(path, asked)
        except Refused as error:
            status, message = error.args
            answer = {"code": 3, "message": message, "details": []}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Say nothing: the tests' output is read."""
