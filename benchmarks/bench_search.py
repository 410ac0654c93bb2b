"""Time vector stores beside the library that each stands on, called directly, in one run.

    make bench-search                                          three sizes, then the table
    make bench-search ARGS="--sizes 10000 --stores exact,faiss"
    make bench-search ARGS="--skip chroma:1000000"
    make bench-search ARGS=--table                             what was measured before, as a table
    make bench-search ARGS="--table --docs"                    and put it into docs/stores.md

Each store and size runs in a process of its own, so that memory is its own; each result is a line
in reports/bench-search.jsonl, so that what was measured outlives an interruption. Queries are 200
held-out sentences of the STS Benchmark where it is at hand, else of docstrings. The vectors are
10,000 other sentences', then such as `stslab.stores.similar_vectors` makes of these.

Seconds vary from run to run and machine to machine; ratios of medians in one run are what counts.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from documents import STORES_PAGE, write_table

from stslab.stores import Store, docstrings, open_store, recall, similar_vectors

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "reports" / "bench-search.jsonl"
STSB = Path(os.environ.get("STSLAB_STSB", ROOT / "../shared/data/stsb"))
# Name on the command line → its name in the table, its URL, the module that it stands on.
STORES = {
    "exact": ("exact", "exact:{}", "numpy"),
    "faiss": ("FAISS Flat", "faiss:{}?index=Flat", "faiss"),
    "hnsw": ("FAISS HNSW32", "faiss:{}?index=HNSW32", "faiss"),
    "ivf": ("FAISS IVF", "faiss:{}?index=IVF", "faiss"),
    # Short codes in 2,048 cells, then the vectors of the best: for a million.
    "pq": (
        "FAISS IVF2048,PQ96x4fs,RFlat",
        "faiss:{}?index=IVF2048,PQ96x4fs,RFlat&nprobe=64&k_factor_rf=32",
        "faiss",
    ),
    "chroma": ("Chroma", "chroma:{}", "chromadb"),
}
PACKAGES = {"numpy": "numpy", "faiss": "faiss-cpu", "chromadb": "chromadb"}
SIZES = [10_000, 100_000, 1_000_000]
REAL, QUERIES, TOP_K, ROUNDS = 10_000, 200, 10, 7
FEW = 100_000  # vectors, below which 2,048 cells and codes are too many to learn
DIMENSION = 384
BLOCK = 16_384  # vectors added at a time
Call = Callable[[Any], Any]


class Sentences:
    """The model by name alone: the vectors are there already."""

    def get_embedding_dimension(self) -> int:
        return DIMENSION

    def encode(self, inputs: list[str], /) -> Any:
        raise NotImplementedError


# Data, made once for all stores.


def prepare(folder: Path) -> None:
    """Encode the queries and the real texts."""
    from stslab import encode, load_model
    from stslab.studies import read_stsb

    if (STSB / "sts-test.csv").is_file():
        pairs = [read_stsb(split, folder=STSB) for split in ("test", "dev", "train")]
        columns = [pair[name] for pair in pairs for name in ("sentence_a", "sentence_b")]
        texts = list(dict.fromkeys(text for column in columns for text in column))
        texts = [texts[row] for row in np.random.default_rng(0).permutation(len(texts))]
    else:
        texts = docstrings(REAL + QUERIES)
    vectors = encode(texts[: REAL + QUERIES], model=load_model(device="cpu"))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(folder / "queries.npy", vectors[:QUERIES])
    np.save(folder / "real.npy", vectors[QUERIES:])


def make_corpus(folder: Path, size: int) -> None:
    """Write the vectors, the real ones and then others like them, and each query's nearest.

    What is nearest is found by products in double precision, apart from any store.
    """
    queries = np.load(folder / "queries.npy").astype(np.float64)
    scores, ids, start = np.empty((QUERIES, 0)), np.empty((QUERIES, 0), np.int64), 0
    real = np.load(folder / "real.npy")[:size]
    file = (folder / f"{size}.f32").open("wb")
    for block in chain([real], similar_vectors(real, size - len(real))):
        file.write(block.tobytes())
        numbers = np.tile(np.arange(start, start + len(block)), (QUERIES, 1))
        scores = np.hstack([scores, queries @ block.T.astype(np.float64)])
        ids = np.hstack([ids, numbers])
        best = np.argsort(-scores, axis=1)[:, :TOP_K]
        scores, ids = np.take_along_axis(scores, best, 1), np.take_along_axis(ids, best, 1)
        start += len(block)
    file.close()
    np.savez(folder / f"{size}.npz", scores=scores, ids=ids)


def corpus(folder: Path, size: int) -> Iterator[np.ndarray]:
    """Read the vectors in blocks."""
    with (folder / f"{size}.f32").open("rb") as file:
        while len(block := np.fromfile(file, np.float32, BLOCK * DIMENSION)):
            yield block.reshape(-1, DIMENSION)


# One store at one size, in a process of its own.


def measure(name: str, size: int, folder: Path, patience: float) -> dict[str, Any]:
    """Build a store, ask it, and ask what it stands on."""
    queries = np.load(folder / "queries.npy")
    place = folder / name
    importlib.import_module(STORES[name][2])  # not part of what a store takes
    before = psutil.Process().memory_info().rss
    url = STORES[name][1].format(place)
    figures: dict[str, Any] = {"store": name, "size": size}
    with closing(open_store(url, model=Sentences())) as store:
        took, done = 0.0, 0
        for block in corpus(folder, size):
            started = time.perf_counter()
            store.add([f"text {done + row}" for row in range(len(block))], block)
            took, done = took + time.perf_counter() - started, done + len(block)
            if done >= size / 20 and (minutes := took / done * size / 60) > patience:
                rate = f"{done / took:,.0f} texts a second, some {minutes:.0f} minutes in all"
                return figures | {"gave_up": rate}
        started = time.perf_counter()
        found_scores, found_ids = store.nearest(queries, TOP_K)  # FAISS builds its index here
        figures["build_s"] = took + time.perf_counter() - started
        figures["memory"] = psutil.Process().memory_info().rss - before
        figures["peak"] = peak_memory()
        figures |= compare(store, queries)
        truth = np.load(folder / f"{size}.npz")
        shares = recall(
            found_ids, truth["ids"], found_scores=found_scores, true_scores=truth["scores"]
        )
        figures |= {"recall": shares.mean(), "recall_p5": np.percentile(shares, 5)}
    figures["disk"] = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return figures


def compare(store: Store, queries: np.ndarray) -> dict[str, Any]:
    """Ask by turns through the store and directly: all queries at once, then one by one."""
    ours, bare = (lambda vectors: store.nearest(vectors, TOP_K)), directly(store)
    batch = by_turns(ours, bare, [queries] * ROUNDS)
    single = by_turns(ours, bare, [queries[row : row + 1] for row in range(len(queries))])
    return {
        "batch_s": statistics.median(batch[0]),
        "batch_ratio": statistics.median(batch[0]) / statistics.median(batch[1]),
        "one_s": statistics.median(single[0]),
        "one_p99_s": float(np.percentile(single[0], 99)),
        "one_ratio": statistics.median(single[0]) / statistics.median(single[1]),
    }


def directly(store: Any) -> Call:
    """Give the library's own call, on the same index."""
    if hasattr(store, "collection"):
        return lambda vectors: store.collection.query(
            query_embeddings=vectors, n_results=TOP_K, include=["distances"]
        )
    if hasattr(store, "index"):
        index = store.index()
        return lambda vectors: index.search(vectors, TOP_K)
    stored = store.rows().vectors

    def product(vectors: np.ndarray) -> Any:
        scores = vectors @ stored.T
        best = np.argpartition(scores, -TOP_K, axis=1)[:, -TOP_K:]
        found = np.take_along_axis(scores, best, axis=1)
        order = np.argsort(-found, axis=1)
        return np.take_along_axis(found, order, 1), np.take_along_axis(best, order, 1)

    return product


def by_turns(ours: Call, bare: Call, questions: list[Any]) -> tuple[list[float], list[float]]:
    """Time two calls on each question, now the one first and now the other."""
    took: tuple[list[float], list[float]] = ([], [])
    ours(questions[0])
    bare(questions[0])
    for turn, question in enumerate(questions):
        for which in (0, 1) if turn % 2 else (1, 0):
            started = time.perf_counter()
            (ours, bare)[which](question)
            took[which].append(time.perf_counter() - started)
    return took


def peak_memory() -> int:
    """Give the most memory this process has had, files that it maps included."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) * 1024
    return int(psutil.Process().memory_info().rss)


# All of them.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--stores", default=",".join(STORES), help=f"of {', '.join(STORES)}")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="STORE:SIZE", help="repeatable"
    )
    parser.add_argument(
        "--patience", type=float, default=20, help="give up a store that takes more minutes"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only print what was measured")
    parser.add_argument("--docs", action="store_true", help="put the table into docs/")
    parser.add_argument("--one", nargs=3, metavar=("STORE", "SIZE", "FOLDER"), help="for itself")
    options = parser.parse_args()
    if options.one:
        name, size, folder = options.one
        print(json.dumps(measure(name, int(size), Path(folder), options.patience)))
        return
    if not options.table:
        run(options)
    lines = options.results.read_text("utf-8").splitlines() if options.results.is_file() else []
    text = table([json.loads(line) for line in lines])
    print(text)
    if options.docs:
        write_table(STORES_PAGE, "bench-search", text)


def run(options: argparse.Namespace) -> None:
    sizes = [int(size) for size in options.sizes.split(",")]
    names = options.stores.split(",")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stslab-bench-") as place:
        print("encode the real texts …", file=sys.stderr, flush=True)
        prepare(Path(place))
        for size in sizes:
            make_corpus(Path(place), size)
            for name in names:
                if f"{name}:{size}" in options.skip or (name == "pq" and size < FEW):
                    continue
                print(f"{STORES[name][0]}, {size:,} vectors …", file=sys.stderr, flush=True)
                words = ["--one", name, str(size), place, "--patience", str(options.patience)]
                done = subprocess.run(
                    [sys.executable, __file__, *words], capture_output=True, text=True
                )
                shutil.rmtree(Path(place) / name, ignore_errors=True)
                if done.returncode:
                    print(done.stderr[-3000:], file=sys.stderr)
                    continue
                with options.results.open("a", encoding="utf-8") as file:
                    figures = json.loads(done.stdout.splitlines()[-1]) | machine()
                    print(json.dumps(figures), file=file)


def machine() -> dict[str, Any]:
    return {
        "date": str(datetime.date.today()),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "ram": psutil.virtual_memory().total,
        "versions": {name: version(name) for name in PACKAGES.values()},
        "python": platform.python_version(),
    }


def cpu() -> str:
    file = Path("/proc/cpuinfo")
    found = re.findall(r"model name\s*:\s*(.+)", file.read_text()) if file.is_file() else []
    return found[0] if found else platform.processor()


def table(measured: list[dict[str, Any]]) -> str:
    """Write the last figures of each store and size as Markdown."""
    latest = {(each["size"], each["store"]): each for each in measured}
    if not latest:
        return "Nothing was measured yet: make bench-search\n"
    lines = [
        "| vectors | store | × direct, 200 at once | × direct, one | one query, median (p99) "
        "| recall@10, mean (p5) | build | memory (peak) | disk |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (size, name), each in sorted(
        latest.items(), key=lambda item: (item[0][0], [*STORES].index(item[0][1]))
    ):
        start = f"| {size:,} | {STORES[name][0]} | "
        if "gave_up" in each:
            lines.append(f"{start}not built: {each['gave_up']} {'| ' * 6}|")
            continue
        lines.append(
            f"{start}{each['batch_ratio']:.2f} | {each['one_ratio']:.2f} "
            f"| {1000 * each['one_s']:.2f} ms ({1000 * each['one_p99_s']:.2f}) "
            f"| {each['recall']:.3f} ({each['recall_p5']:.2f}) | {each['build_s']:,.0f} s "
            f"| {each['memory'] / 2**20:,.0f} MB ({each['peak'] / 2**20:,.0f}) "
            f"| {each['disk'] / 2**20:,.0f} MB |"
        )
    last = measured[-1]
    versions = ", ".join(f"{name} {number}" for name, number in last["versions"].items())
    lines.append(
        f"\n{last['date']}, {last['cpu']}, {last['cores']} cores, {last['ram'] / 2**30:.0f} GB; "
        f"Python {last['python']}, {versions}. Ratios are of medians of calls by turns on one "
        f"index. Memory is what the process grew by until the first answer, mapped files included; "
        f"the peak is of the whole process.\n"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
