"""What processes of the tests of bulk encoding import: a cheap encoder, and a build to kill."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import time
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from stslab.stores.filling import streaming
from stslab.stores.filling.embedding import embed_file
from stslab.stores.opening import open_store

DIMENSION = 32


class Digests:
    """A text's vector is its digest; each text takes `delay` seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.seen: Any = []

    def encode(self, inputs: list[str]) -> np.ndarray:
        self.seen += inputs
        time.sleep(self.delay * len(inputs))
        digests = [hashlib.sha256(text.encode()).digest() for text in inputs]
        return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIMENSION).astype(np.float32)


class Lost(Digests):
    """Ends the process that encodes a text with it."""

    def encode(self, inputs: list[str]) -> np.ndarray:
        if inputs != ["a"]:  # what tells the dimension
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(inputs)


class HalfAnswered(Digests):
    """Ends the process that encodes when it has written half of its answer."""

    def encode(self, inputs: list[str]) -> np.ndarray:
        if inputs != ["a"]:  # what tells the dimension
            Connection._send = _half_sent
        return super().encode(inputs)


def _half_sent(connection: Any, buffer: Any, write: Any = os.write) -> None:
    write(connection.fileno(), buffer[: len(buffer) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def build(url: str, file: str, delay: str, *flags: str) -> None:
    """Embed in chunks of 20 texts; say when it begins and each time a chunk is done."""
    streaming.ROWS = 20
    model = Digests(float(delay))
    options = dict(flag.split("=") for flag in flags)
    with open_store(url, model=model) as store:
        embed_file(
            file,
            store,
            model=model,
            processes=int(options.get("processes", 1)),
            scheduler=options.get("scheduler"),
            replace="replace" in options,
            listener=lambda progress: print(progress.done, flush=True),
        )


def in_little_memory(url: str, file: str, megabytes: str) -> None:
    """Embed one file to load what that takes, then another one with so much more memory."""
    model = Digests()
    small = Path(file).with_name("small.txt")
    small.write_text("One.\nTwo.\n")
    with open_store("exact", model=model) as store:
        embed_file(small, store, model=model)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limit = in_use + int(megabytes) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    model.seen = deque(maxlen=0)
    with open_store(url, model=model) as store:
        print(embed_file(file, store, model=model))


if __name__ == "__main__":
    {"build": build, "in_little_memory": in_little_memory}[sys.argv[1]](*sys.argv[2:])
