"""Bulk encoding: a file of any size into a store, and again after whatever stopped it."""

from __future__ import annotations

import functools
import json
import os
import random
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from bulk import Digests, HalfAnswered, Lost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import eventually
from test_inputs import ALL, HOLDS, write

from stslab import InputError, dask_client, encode, read_corpus
from stslab.stores import Store, StoreError, embed_file, open_store
from stslab.stores.filling import embedding as bulk_encoding
from stslab.stores.filling import encoding_work, streaming
from stslab.stores.filling.streaming import TextFile
from stslab.stores.store import Identity

pytestmark = pytest.mark.thorough

HERE = Path(__file__).parent
TEXTS = ["Ein “Satz”.", 'She said "no".', "two\nlines", "NA", " ", "  spaced  ", "犬。🐕", "é", "z"]
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ROWS", 4)


def streamed(path: Path, **options: Any) -> list[str]:
    with TextFile(path, **options) as file:
        return [found.text for chunk in file.chunks() for found in chunk]


def lines(path: Path, count: int, start: str = "Line") -> Path:
    path.write_text("".join(f"{start} {number}.\n" for number in range(count)), "utf-8")
    return path


def child(*arguments: str) -> subprocess.Popen[str]:
    """Run a function of bulk.py in a process of its own."""
    paths = [str(HERE), str(HERE.parent / "src"), os.environ.get("PYTHONPATH", "")]
    code = "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += f"runpy.run_path({str(HERE / 'bulk.py')!r}, run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-3000:]
    return out


def contents(folder: Path) -> tuple[bytes, list[Any]]:
    """Everything in a store on disk that a search looks at."""
    with closing(sqlite3.connect(folder / "texts.sqlite")) as database:
        rows = database.execute("SELECT * FROM texts ORDER BY place").fetchall()
    return (folder / "vectors.f32").read_bytes(), rows


# Reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl"])
def test_a_stream_holds_the_texts_that_a_table_holds(
    ending: str, end: str, encoding: str, tmp_path: Path
) -> None:
    texts = [text for text in TEXTS if ending in (".csv", ".jsonl") or "\n" not in text]
    rows = [["text", "id"], *([text, str(number)] for number, text in enumerate(texts))]
    path = write(rows, tmp_path / f"my{ending}")
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\n", end)
    path.write_bytes(text.encode(encoding))
    assert streamed(path) == read_corpus(path).texts
    assert len(streamed(path)) == len(texts) - 1


@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl"])
def test_windows_1252_is_streamed(ending: str, tmp_path: Path) -> None:
    path = write([["text"], ["Café"], ["plain"], ["“Zoë”"]], tmp_path / f"my{ending}")
    path.write_bytes(path.read_text("utf-8-sig").encode("cp1252", "replace"))
    assert streamed(path) == read_corpus(path).texts


@pytest.mark.parametrize("ending", ALL)
@FEW
@given(data=st.data())
def test_any_texts_are_streamed_exactly(ending: str, tmp_path: Path, data: st.DataObject) -> None:
    texts = data.draw(st.lists(HOLDS[ending], min_size=1, max_size=12))
    path = write([["text"], *([text] for text in texts)], tmp_path / f"my{ending}")
    assert streamed(path) == read_corpus(path).texts == texts


def test_a_line_end_may_fall_between_two_reads(tmp_path: Path) -> None:
    """Files are read a mebibyte at a time; \r\n must not become two line ends there."""
    path = tmp_path / "my.txt"
    path.write_bytes(b"".join(b"a" * (2**20 - 1 - 2 * n) + b"\r\n" for n in range(3)))
    assert len(streamed(path)) == 3


def test_blank_rows_get_no_id_in_any_chunk(tmp_path: Path) -> None:
    path = tmp_path / "my.txt"
    path.write_text("\n" * 9 + "One.\n" + " \n" * 9 + "Two.\n\n")
    assert streamed(path) == ["One.", "Two."]


def test_a_column_may_first_appear_late_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    objects: list[Any] = [{"title": f"t{n}"} for n in range(9)] + [{"text": "One.", "n": 1}, "Two."]
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    assert streamed(path) == read_corpus(path).texts == ["One.", "Two."]
    assert streamed(path, column="title") == read_corpus(path, column="title").texts


def test_what_else_a_row_holds_is_carried(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    when = pd.Timestamp("2024-05-01")
    table = {"question": ["One?", "Two?"], "text": ["a", ""], "n": [1, None], "x": [0.5, np.nan]}
    table |= {"yes": [True, False], "when": [when, pd.NaT], "list": [[1], [2]]}
    pd.DataFrame(table).astype({"n": "Int64"}).to_parquet(path)
    with open_store("exact", model=Digests()) as store:
        embed_file(path, store, model=Digests(), column="question")
        known = store.get([0, 1])
    about = {"text (other)": "a", "n": 1, "x": 0.5, "yes": True, "when": "2024-05-01T00:00:00"}
    assert known[0] == ("One?", about)
    assert known[1] == ("Two?", {"text (other)": "", "yes": False})


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("my.txt", b"fine\n" * 50 + b"Caf\x81 \xc3\xa9\n", {}),
        ("my.txt", b"fine\n" * 50 + b"ab\0c\n", {}),
        ("my.csv", b"text,id\n" + b"a,1\n" * 50 + b"a,1,2\n", {}),
        ("my.csv", b"text\n" + b"a\n" * 50 + b'"never closed\n', {}),
        ("my.csv", b"question,answer\nWho is it?,It is me.\n", {}),
        ("my.csv", b"name,city\nAnn,Rome\nBen,Oslo\n", {}),
        ("my.csv", b"text,id\na,1\n", {"column": "txt"}),
        ("my.jsonl", b'"a"\n' * 50 + b"{]\n", {}),
        ("my.jsonl", b'"a"\n' * 50 + b"42\n", {}),
        ("my.jsonl", b'"a"\n' * 50 + b"[1]\n", {}),
        ("my.parquet", b"no parquet", {}),
        ("my.txt", b" \n\n \t\n", {}),
        ("my.tsv", b"text\n\n", {}),
        ("my.txt", b"", {}),
        ("my.pdf", b"a", {}),
        ("my.txt", b"a\n", {"sheet": "first"}),
        ("my.txt", None, {}),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_encoded(
    name: str, content: bytes | None, options: dict[str, str], tmp_path: Path
) -> None:
    """With the words of `read_corpus`, also when the last row is the wrong one."""
    path, model = tmp_path / name, Digests()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as expected:
        read_corpus(path, **options)
    with open_store("exact", model=model) as store:
        model.seen.clear()
        with pytest.raises(InputError, match=f"^{re.escape(str(expected.value))}$"):
            embed_file(path, store, model=model, **options)
        assert store.count() == 0
    assert set(model.seen) <= {"a"}  # what tells its dimension


# Going on


def test_a_second_time_only_what_changed_is_encoded(tmp_path: Path) -> None:
    path, model = lines(tmp_path / "my.txt", 25), Digests()
    with open_store("exact", model=model) as store:
        assert embed_file(path, store, model=model) == (25, 25, 0)
        assert embed_file(path, store, model=model) == (25, 0, 0)
        path.write_text(path.read_text().replace("Line 7.", "Another."))
        model.seen.clear()
        assert embed_file(path, store, model=model) == (25, 1, 0)
        assert [text for text in model.seen if text != "a"] == ["Another."]
        lines(path, 11)
        assert embed_file(path, store, model=model) == (11, 1, 14)
        assert store.count() == 11
        assert [found.text for found in store.get(range(30)).values()] == streamed(path)
        vectors = encode(streamed(path), model=model)
        assert store.nearest(vectors, 1)[1][:, 0].tolist() == list(range(11))


def test_changed_metadata_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("text,n\nOne.,1\nTwo.,2\n")
    with open_store("exact", model=Digests()) as store:
        embed_file(path, store, model=Digests())
        path.write_text("text,n\nOne.,1\nTwo.,3\n")
        assert embed_file(path, store, model=Digests()) == (2, 0, 0)
        assert store.get([1])[1].metadata == {"n": "3"}


def test_another_file_is_refused_unless_it_shall_replace_the_first(tmp_path: Path) -> None:
    one = lines(tmp_path / "one.txt", 9)
    other = lines(tmp_path / "other.txt", 5, "Other")
    with open_store("exact", model=Digests()) as store:
        embed_file(one, store, model=Digests())
        with pytest.raises(InputError, match=r"of the first 4 texts of other.txt, 0 are .*replace"):
            embed_file(other, store, model=Digests())
        assert store.get([0])[0].text == "Line 0."
        assert embed_file(other, store, model=Digests(), replace=True) == (5, 5, 4)


def test_a_line_put_in_at_the_top_is_no_other_file(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 9)
    with open_store("exact", model=Digests()) as store:
        embed_file(path, store, model=Digests())
        path.write_text("First.\n" + path.read_text())
        assert embed_file(path, store, model=Digests()) == (10, 1, 0)
        assert [found.text for found in store.get(range(10)).values()] == streamed(path)


def test_a_store_of_another_model_is_refused(letters, tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 3)
    with (
        open_store("exact", model=Digests()) as store,
        pytest.raises(InputError, match=r"built with Digests, 32 dim.*this is Letters, 3 dim"),
    ):
        embed_file(path, store, model=letters)


def test_a_file_that_is_written_to_meanwhile_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 9)

    def append(_: object) -> None:
        with path.open("a") as stream:
            stream.write("More.\n")

    with open_store("exact", model=Digests()) as store:
        with pytest.raises(InputError, match=r"my.txt: the file was changed while it was read"):
            embed_file(path, store, model=Digests(), listener=append)
        embed_file(path, store, model=Digests())
        assert store.count() == len(streamed(path))


def test_progress_is_told_chunk_by_chunk(tmp_path: Path) -> None:
    path, told = lines(tmp_path / "my.txt", 10), list[tuple[int, int, int]]()
    with open_store("exact", model=Digests()) as store:
        store.add(["Line 0."], Digests().encode(["Line 0."]))
        embed_file(path, store, model=Digests(), listener=told.append)
    assert told == [(4, 10, 3), (8, 10, 7), (10, 10, 9)]


def test_a_store_that_fails_keeps_what_it_has_and_takes_the_rest_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = lines(tmp_path / "my.txt", 25), f"exact:{tmp_path / 'store'}"
    with open_store(url, model=Digests()) as store:
        add = store.add

        def full(*arguments: Any, **options: Any) -> None:
            if options["ids"][0] == 12:
                raise StoreError("disk full")
            add(*arguments, **options)

        monkeypatch.setattr(store, "add", full)
        with pytest.raises(StoreError, match="disk full"):
            embed_file(path, store, model=Digests())
        assert store.count() == 12
    with open_store(url, model=Digests()) as store:
        assert embed_file(path, store, model=Digests()) == (25, 13, 0)
    other = f"exact:{tmp_path / 'other'}"
    with open_store(other, model=Digests()) as store:
        embed_file(path, store, model=Digests())
    assert contents(tmp_path / "store") == contents(tmp_path / "other")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_after_ctrl_c_it_goes_on(processes: str, tmp_path: Path) -> None:
    """All that works for it has left within seconds, without a word of its own."""
    path, url = lines(tmp_path / "my.txt", 200), f"exact:{tmp_path / 'store'}"
    process = child("build", url, str(path), "0.005", f"processes={processes}")
    assert process.stdout
    assert process.stdout.readline() == "20\n"
    workers = psutil.Process(process.pid).children()
    for each in [*workers, psutil.Process(process.pid)]:  # as a terminal does
        each.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert err.count("Traceback") == err.count("\nKeyboardInterrupt") == 1, err
    eventually(lambda: not any(each.is_running() for each in workers))
    with open_store(url, model=Digests()) as store:
        kept = store.count()
        assert 20 <= kept < 200
        assert embed_file(path, store, model=Digests()) == (200, 200 - kept, 0)


# Chroma's own way to open a collection without an embedding function.
@pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")
@pytest.mark.parametrize(
    "kind",
    ["exact", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("faiss", "chroma"))],
)
def test_killed_five_times_and_resumed_a_store_equals_one_built_in_one_go(
    kind: str, tmp_path: Path
) -> None:
    path, moments = lines(tmp_path / "my.txt", 1000), random.Random(13)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for _ in range(5):
        process = child("build", f"{kind}:{killed}", str(path), "0.002")
        assert process.stdout
        assert process.stdout.readline()
        time.sleep(moments.uniform(0, 0.35))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    finished(child("build", f"{kind}:{killed}", str(path), "0"))
    finished(child("build", f"{kind}:{whole}", str(path), "0"))
    if kind != "chroma":
        assert contents(killed) == contents(whole)
    queries = Digests().encode(["Line 1.", "Line 500.", "Line 999."])
    with (
        open_store(f"{kind}:{killed}") as one,
        open_store(f"{kind}:{whole}") as other,
    ):
        assert one.count() == other.count() == 1000
        assert one.get(range(1000)) == other.get(range(1000))
        assert one.search(queries, 5).equals(other.search(queries, 5))


# Memory


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory is in use")
@pytest.mark.parametrize(
    ("megabytes", "length"), [(16, 2**20), pytest.param(64, 500, marks=pytest.mark.slow)]
)
def test_a_file_ten_times_the_memory_is_embedded(
    megabytes: int, length: int, tmp_path: Path
) -> None:
    path, size = tmp_path / "large.txt", 10 * megabytes * 2**20
    with path.open("w") as stream:
        for number in range(size // length):
            stream.write(f"{number}".ljust(length - 1, "x") + "\n")
    try:
        process = child("in_little_memory", f"exact:{tmp_path / 's'}", str(path), str(megabytes))
        assert f"texts={size // length}, encoded={size // length}" in finished(process)
        assert (tmp_path / "s" / "texts.sqlite").stat().st_size > size
    finally:
        for file in (path, *(tmp_path / "s").glob("*")):
            file.unlink()


# Several processes, and a cluster


def test_two_processes_give_the_same_store_also_when_one_is_killed(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 300)
    process = child("build", f"exact:{tmp_path / 'two'}", str(path), "0.005", "processes=2")
    assert process.stdout
    assert process.stdout.readline() == "20\n"
    workers = [
        each
        for each in psutil.Process(process.pid).children()
        if "spawn_main" in " ".join(each.cmdline())
    ]
    assert len(workers) == 2
    workers[0].kill()
    finished(process)
    finished(child("build", f"exact:{tmp_path / 'one'}", str(path), "0"))
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_processes_leave_with_the_one_that_started_them(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 300)
    process = child("build", f"exact:{tmp_path / 'two'}", str(path), "0.005", "processes=2")
    assert process.stdout
    assert process.stdout.readline()
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    eventually(lambda: not any(each.is_running() and each.status() != "zombie" for each in workers))


def test_a_chunk_that_ends_every_process_is_given_up(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.txt", 9)
    with (
        open_store("exact", model=Lost()) as store,
        pytest.raises(StoreError, match=r"a process that encodes was lost 3 times"),
    ):
        embed_file(path, store, model=Lost(), processes=2)


def test_a_worker_with_another_model_is_refused(letters) -> None:
    work = encoding_work.Work(letters, None, None, Identity("Digests", "", 32), {})
    with pytest.raises(InputError, match=r"it has Letters, 3 dimensions; the store needs"):
        encoding_work.encode_for(work, ["a"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Any]]]:
    """A scheduler and two workers on this machine."""
    pytest.importorskip("distributed", reason="needs the extra 'dask'")
    folder = tmp_path_factory.mktemp("cluster")
    about = folder / "scheduler.json"
    paths = [str(HERE), str(HERE.parent / "src"), os.environ.get("PYTHONPATH", "")]
    host = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    host += ["--scheduler-file", str(about)]
    processes: list[subprocess.Popen[bytes]] = []

    def start(module: str, *flags: str) -> None:
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", f"from {module} import main; main()", *host, *flags],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    start("distributed.cli.dask_scheduler", "--port", "0")
    eventually(about.exists)
    alone = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    for _ in range(2):
        start("distributed.cli.dask_worker", *alone)
    try:
        from distributed import Client

        address = json.loads(about.read_text())["address"]
        with Client(address, set_as_default=False, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def test_two_dask_workers_give_the_same_store_also_when_one_is_killed(
    cluster: tuple[str, list[Any]], tmp_path: Path
) -> None:
    address, processes = cluster
    path = lines(tmp_path / "my.txt", 300)
    one = f"exact:{tmp_path / 'one'}"
    with open_store(one, model=Digests()) as store:
        embed_file(path, store, model=Digests())
    url, delay = f"exact:{tmp_path / 'both'}", Digests(0.002)
    with open_store(url, model=delay) as store:
        embed_file(path, store, model=delay, scheduler=address)
    assert contents(tmp_path / "both") == contents(tmp_path / "one")
    url, delay = f"exact:{tmp_path / 'killed'}", Digests(0.005)

    def kill(progress: bulk_encoding.Progress) -> None:
        if progress.done == 40:
            processes[-1].kill()

    with open_store(url, model=delay) as store:
        embed_file(path, store, model=delay, scheduler=address, listener=kill)
    assert contents(tmp_path / "killed") == contents(tmp_path / "one")


def test_no_scheduler_and_no_dask_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "my.txt", 3)
    monkeypatch.setattr(dask_client, "ANSWER", 0.5)
    with open_store("exact", model=Digests()) as store:
        with pytest.raises(InputError, match=r"no Dask scheduler answers there .*dask scheduler"):
            embed_file(path, store, model=Digests(), scheduler="tcp://127.0.0.1:9")
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(InputError, match=r"pip install 'stslab\[dask\]'"):
            embed_file(path, store, model=Digests(), scheduler="tcp://127.0.0.1:9")


# The real model


def test_the_vectors_are_those_of_encode(model, tmp_path: Path) -> None:
    texts = ["A cat sat.", "Ein Satz.", "Go! " * 300, "x", "A cat sat.", "One more short sentence."]
    path, url = tmp_path / "my.txt", f"exact:{tmp_path / 'store'}"
    path.write_text("\n".join(texts))
    with open_store(url, model=model) as store:
        embed_file(path, store, model=model)
        scores = store.nearest(encode(texts, model=model), 1)[0]
    assert np.allclose(scores, 1, atol=2e-6)


@pytest.mark.slow
def test_two_processes_with_the_real_model_give_the_same_bytes(
    model, stsb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ROWS", 128)
    texts = pd.read_csv(stsb / "sts-test.csv", sep="\t", quoting=3, header=None, usecols=[5])[5]
    path = tmp_path / "my.txt"
    path.write_text("\n".join(texts.head(600)), "utf-8")
    for name, processes in (("one", 1), ("two", 2)):
        with open_store(f"exact:{tmp_path / name}", model=model) as store:
            embed_file(path, store, model=model, processes=processes)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


@pytest.mark.slow
def test_bulk_encoding_is_as_fast_as_the_library_with_its_best_batch_size(
    model, stsb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 0.95 of it; in seconds of one thread's work, which other processes do not change."""
    import torch

    monkeypatch.setattr(streaming, "ROWS", 4096)
    path, texts = tmp_path / "my.txt", dict[str, None]()
    for part in ("train", "dev", "test"):
        table = (stsb / f"sts-{part}.csv").read_text("utf-8").splitlines()
        texts |= dict.fromkeys(text for line in table for text in line.split("\t")[5:7])
    several = random.Random(1).sample(list(texts), 4096)
    path.write_text("\n".join(several), "utf-8")

    def embedded() -> None:
        with open_store("exact", model=model) as store:
            assert embed_file(path, store, model=model).encoded == len(several)

    ways: dict[Any, Any] = {"embed_file": embedded}
    for size in (16, 32, 64, 128):
        ways[size] = functools.partial(model.encode, several, batch_size=size)
    times: dict[Any, list[float]] = {way: [] for way in ways}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(3):
            for way, run in ways.items():
                start = time.process_time()
                run()
                times[way].append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    ours, *plain = (statistics.median(each) for each in times.values())
    print({way: [round(each, 2) for each in them] for way, them in times.items()})
    assert min(plain) / ours >= 0.95, times


# What moved in its file


# Chroma's own way to open a collection without an embedding function.
CHROMAS_OWN = "ignore:legacy embedding function config:DeprecationWarning"


@pytest.mark.filterwarnings(CHROMAS_OWN)
@pytest.mark.parametrize("kind", ["exact", "faiss", "chroma"])
def test_after_its_first_line_was_deleted_nothing_of_a_file_is_encoded(
    kind: str, tmp_path: Path
) -> None:
    pytest.importorskip({"faiss": "faiss", "chroma": "chromadb"}.get(kind, "sqlite3"))
    path, model = lines(tmp_path / "my.txt", 300), Digests()
    with open_store(f"{kind}:{tmp_path / 'store'}", model=model) as store:
        assert embed_file(path, store, model=model) == (300, 300, 0)
        path.write_text(path.read_text().partition("\n")[2])
        model.seen.clear()
        assert embed_file(path, store, model=model) == (299, 0, 1)
        assert model.seen in ([], ["a"])
        texts = streamed(path)
        assert [found.text for found in store.get(range(400)).values()] == texts
        assert_vectors(store, texts)


def assert_vectors(store: Store, texts: list[str]) -> None:
    """Each text has its own vector; Chroma's graph may miss some, so it is not asked to search."""
    stored = store.stored(range(len(texts)))
    vectors = Digests().encode(texts)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, text in enumerate(texts):
        assert stored[number][0] == text
        np.testing.assert_allclose(stored[number][1], vectors[number], atol=1e-6)


def edited(texts: list[str], edits: random.Random, number: int) -> list[str]:
    """Change a list of texts as people do."""
    texts, place = list(texts), edits.randrange(len(texts))
    kind = edits.choice(["delete", "insert", "change", "repeat", "rotate", "shuffle", "exchange"])
    if kind == "delete":
        del texts[place]
    elif kind == "insert":
        texts.insert(place, f"New {number}.")
    elif kind == "change":
        texts[place] += "!"
    elif kind == "repeat":
        texts.insert(edits.randrange(len(texts)), texts[place])
    elif kind == "rotate":
        texts = texts[place:] + texts[:place]
    elif kind == "shuffle":
        edits.shuffle(texts)
    else:
        texts = texts[:-20] + [f"Another {number}-{row}." for row in range(20)]
    return texts


@pytest.mark.filterwarnings(CHROMAS_OWN)
@pytest.mark.parametrize(
    ("kind", "rows", "rounds"),
    [
        ("exact", 4096, 50),
        ("exact", 37, 25),
        ("faiss", 4096, 50),
        ("faiss", 37, 12),
        ("chroma", 4096, 6),
        ("chroma", 37, 6),
    ],
)
def test_random_edits_encode_each_new_text_once_and_the_store_does_not_grow(
    kind: str, rounds: int, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 300 texts, every fifth the same; whatever the chunks, the store holds what the file does.

    A store in a folder has at most a tenth more rows than texts.
    """
    pytest.importorskip({"faiss": "faiss", "chroma": "chromadb"}.get(kind, "sqlite3"))
    monkeypatch.setattr(streaming, "ROWS", rows)
    path, model, edits = tmp_path / "my.txt", Digests(), random.Random(rows)
    texts = ["Same." if row % 5 == 0 else f"Line {row}." for row in range(300)]
    known: set[str] = set()
    with open_store(f"{kind}:{tmp_path / 'store'}", model=model) as store:
        for number in range(rounds):
            path.write_text("\n".join(texts))
            model.seen.clear()
            done = embed_file(path, store, model=model, replace=True)
            encoded = [text for text in model.seen if text != "a"]
            assert sorted(encoded) == sorted({*texts} - known)
            assert done[:2] == (len(texts), len(encoded))
            assert store.count() == len(texts)
            assert [found.text for found in store.get(range(400)).values()] == texts
            assert_vectors(store, texts)
            if kind != "chroma":
                some = edits.sample(range(len(texts)), 20)
                nearest = store.nearest(model.encode([texts[row] for row in some]), 1)[1][:, 0]
                assert [texts[row] for row in nearest] == [texts[row] for row in some]
                (vectors,) = (tmp_path / "store").glob("vectors*.f32")
                assert vectors.stat().st_size <= 1.1 * 4 * 32 * len(texts)
            known, texts = {*texts}, edited(texts, edits, number)


def test_an_update_that_is_killed_encodes_nothing_a_second_time(tmp_path: Path) -> None:
    """The lines are turned round, so that each text gives way to another one before it moves."""
    path, url = lines(tmp_path / "my.txt", 400), f"exact:{tmp_path / 'store'}"
    finished(child("build", url, str(path), "0"))
    texts = streamed(path)[::-1]
    path.write_text("\n".join(f"{text}\nNew {row}." for row, text in enumerate(texts)))
    encoded = 0
    for _ in range(3):
        process = child("build", url, str(path), "0.002", "replace=1")
        assert process.stdout
        for _ in range(3):
            assert process.stdout.readline()
        process.kill()
        process.communicate()
        with open_store(url) as store:
            left = {found.text for found in store.get(range(1000)).values()}
            encoded = max(encoded, sum(text.startswith("New") for text in left))
    with open_store(url, model=Digests()) as store:
        done = embed_file(path, store, model=Digests(), replace=True)
        assert done.texts == 800
        assert done.encoded <= 400 - encoded
        assert [found.text for found in store.get(range(1000)).values()] == streamed(path)


@pytest.mark.parametrize("moment", ["COMMIT", "unlink"])
def test_a_compaction_that_is_killed_loses_nothing(moment: str, tmp_path: Path) -> None:
    path, folder = lines(tmp_path / "my.txt", 100), tmp_path / "store"
    with open_store(f"exact:{folder}", model=Digests()) as store:
        embed_file(path, store, model=Digests())
        store.delete(range(50, 100))
    code = (
        "import os, signal, sys, pathlib\n"
        "from stslab.stores import open_store\n"
        "def end(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"
        "store = open_store(sys.argv[1])\n"
        "store.begin_writing()\n"
        "if sys.argv[2] == 'unlink': pathlib.Path.unlink = end\n"
        "else: store.database.set_trace_callback(lambda said: said == 'COMMIT' and end())\n"
        "store.compact()\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, f"exact:{folder}", moment])
    assert killed.returncode == -signal.SIGKILL
    assert len([*folder.glob("vectors*.f32")]) == 2
    lines(path, 50)
    with open_store(f"exact:{folder}", model=Digests()) as store:
        texts = streamed(path)
        assert store.nearest(Digests().encode(texts), 1)[1][:, 0].tolist() == list(range(50))
        assert embed_file(path, store, model=Digests()) == (50, 0, 0)
        store.add(["More."], Digests().encode(["More."]))
        assert store.nearest(Digests().encode(["More."]), 1)[1].tolist() == [[50]]
    (vectors,) = folder.glob("vectors*.f32")
    assert vectors.stat().st_size == 4 * 32 * 51


def test_a_process_that_is_killed_while_it_answers_is_made_up_for(tmp_path: Path) -> None:
    """Half of an answer lies in its pipe then; nobody waits for the other half."""
    path = lines(tmp_path / "my.txt", 9)
    with (
        open_store("exact", model=HalfAnswered()) as store,
        pytest.raises(StoreError, match=r"a process that encodes was lost 3 times"),
    ):
        embed_file(path, store, model=HalfAnswered(), processes=2)
