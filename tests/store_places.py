"""Where tests keep vectors: every kind of store, with a real Chroma server and a Pinecone stub."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

# Each kind of store, as a name with a place to fill in.
KINDS = {
    "temporary": "exact",
    "exact": "exact:{folder}",
    "flat": "faiss:{folder}?index=Flat",
    "hnsw": "faiss:{folder}?index=HNSW32",
    "ivf": "faiss:{folder}?index=IVF",
    "chroma": "chroma:{folder}",
    "server": "chroma:{server}/{name}",
    "pinecone": "pinecone:{stub}",
}
IN_FOLDERS = ["exact", "flat", "hnsw", "ivf"]
numbers = itertools.count()


class ChromaServer:
    """What ``chroma run`` starts, without the seconds in which that imports Chroma's client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = (
            "import chromadb_rust_bindings as chroma, sys; chroma.cli(['chroma', *sys.argv[1:]])"
        )
        where = ["--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "run", *where],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat").close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("the Chroma server does not answer")

    def kill(self) -> None:
        """Take it away without a word."""
        self.process.kill()
        self.process.wait()
