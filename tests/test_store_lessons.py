"""The lessons on search and on vector stores: the same hits from each store, and none installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from lessons import code_of, executed, lesson, said, slips, table
from pinecone_stub import KEY, PineconeStub
from store_places import ChromaServer

from stslab.cli import main

pytestmark = pytest.mark.thorough

pytest.importorskip("faiss", reason="needs the extra 'faiss'")
pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")

SEARCH, STORES = lesson("07"), lesson("16")
# As on a machine where nothing of it is installed: the import of each fails.
WITHOUT = "import sys\nsys.modules.update(dict.fromkeys(('faiss', 'chromadb', 'pinecone')))"
HITS = [("4", "0.4764"), ("1", "0.4165"), ("7", "0.3095")]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ChromaServer]:
    running = ChromaServer(tmp_path_factory.mktemp("chroma"))
    yield running
    running.kill()


def without_clients(path: Path) -> list[dict]:
    parameters, *rest = code_of(path)
    hidden = {"cell_type": "code", "metadata": {}, "source": WITHOUT, "outputs": []}
    return [parameters, {**hidden, "execution_count": None}, *rest]


@pytest.mark.parametrize("store", ["faiss:?index=HNSW32", "chroma:"])
def test_lesson_07_has_the_same_hits_in_each_store(store: str) -> None:
    outputs = executed(code_of(SEARCH), {"store": store})
    rows = [line.split(",") for line in table(outputs, "hits").splitlines()[1:]]
    assert [(row[3], f"{float(row[2]):.4f}") for row in rows] == HITS
    assert slips(outputs) == []


def test_lesson_07_shows_the_same_hits_in_the_clients_own_calls(monkeypatch) -> None:
    with PineconeStub() as stub:
        monkeypatch.setenv("PINECONE_API_KEY", KEY)
        monkeypatch.setenv("PINECONE_HOST", stub.host)
        outputs = executed(code_of(SEARCH))
    (answers,) = [
        eval("".join(each["data"]["text/plain"]))
        for each in outputs
        if "'Pinecone'" in "".join(each.get("data", {}).get("text/plain", ""))
    ]
    assert [*answers] == ["sentence-transformers", "FAISS", "Chroma", "Pinecone"]
    assert all(each == [f"{place}: {score}" for place, score in HITS] for each in answers.values())


def test_lesson_07_says_which_clients_are_not_here() -> None:
    outputs = executed(without_clients(SEARCH))
    texts = said(outputs, "text")
    assert any(each.startswith("Not asked here: FAISS, Chroma, Pinecone. pip") for each in texts)
    assert slips(outputs) == []


SMALL = {"sizes": [200, 400], "top_k": 5, "corpus": [f"Sentence {i} of a text." for i in range(99)]}


def test_lesson_16_measures_all_stores_and_a_server(server: ChromaServer) -> None:
    outputs = executed(code_of(STORES), {**SMALL, "server": f"chroma:{server.url}/lesson"})
    assert slips(outputs) == []
    costs = table(outputs, "costs").splitlines()
    stores = ["exact", "faiss:?index=HNSW32", "faiss:?index=IVF", "chroma:"]
    assert [line.split(",")[0] for line in costs[1:]] == stores
    texts = said(outputs, "text")
    assert any("Largest difference between two scores: 0.000000." in each for each in texts)
    assert {"main", "own-index", "knob"} == {
        each["metadata"]["stslab"]["name"]
        for each in outputs
        if each.get("metadata", {}).get("stslab", {}).get("kind") == "figure"
    }


def test_lesson_16_reads_well_with_none_installed() -> None:
    outputs = executed(without_clients(STORES), SMALL)
    assert slips(outputs) == []
    texts = said(outputs, "text")
    (here,) = [each for each in texts if each.startswith("Measured here: exact.")]
    assert "pip install 'stslab[faiss]'" in here
    assert "pip install 'stslab[chroma]'" in here
    assert "With exact search alone there is nothing to compare." in texts
    assert [line.split(",")[0] for line in table(outputs, "costs").splitlines()[1:]] == ["exact"]


# The commands


def run(*args: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [*map(str, args)])
    assert done.exit_code == code, done.output
    return done.output


def test_a_file_is_embedded_and_asked(tmp_path: Path) -> None:
    file, store = tmp_path / "my.txt", f"exact:{tmp_path / 'store'}"
    file.write_text("A cat sleeps.\n\nTaxes are due.\nA [bold]dog[/bold] barks.\n", "utf-8")
    assert f"3 texts in {store}, 3 encoded now." in run("embed", file, "--store", store)
    assert "0 encoded now, 3 there already." in run("embed", file, "--store", store, "--quiet")
    file.write_text("A cat sleeps.\nTaxes were due.\n", "utf-8")
    again = run("embed", file, "--store", store, "--quiet")
    assert "2 texts in" in again
    assert "1 encoded now, 1 there already, 1 removed." in again
    assert "Taxes were due." in run("search", store, "money", "--top-k", 1)
    (hit,) = run("search", store, "money", "--top-k", 1, "--json").splitlines()
    assert '"corpus_id":1,"text":"Taxes were due."' in hit


def test_markup_in_a_text_and_a_query_is_text(tmp_path: Path) -> None:
    file, store = tmp_path / "my.txt", f"exact:{tmp_path / 'store'}"
    file.write_text("A [bold]dog[/bold] barks.\x1b[31m\n", "utf-8")
    run("embed", file, "--store", store, "--quiet")
    found = run("search", store, "a [red]dog[/red]")
    assert "a [red]dog[/red]" in found
    assert "[bold]dog[/bold]" in found
    assert "\x1b" not in found


def test_a_repeated_query_loads_no_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    file, store = tmp_path / "my.txt", f"exact:{tmp_path / 'store'}"
    file.write_text("A cat sleeps.\nTaxes are due.\n", "utf-8")
    run("embed", file, "--store", store, "--quiet")
    first = run("search", store, "a kitten")
    monkeypatch.setattr("stslab.models.loading.SentenceTransformer.__init__", None)
    assert run("search", store, "a kitten") == first


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "exact:{}/none", "x"], 2, "there is no store. Build it: stslab embed FILE"),
        (["search", "exakt", "x"], 2, "store 'exakt': expected exact,"),
        (["embed", "{}/none.txt", "--store", "exact:{}/s"], 2, "no such file"),
        (["embed", "{}/none.txt", "--store", "exact:{}/s", "--model", "nope"], 2, "model 'nope'"),
        (
            ["search", "chroma:http://127.0.0.1:9/abc", "x"],
            1,
            "Is it running? Start it: chroma run",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments, code, message, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert message in run(*[each.format(tmp_path) for each in arguments], code=code)


def test_processes_on_the_command_line(tmp_path: Path) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    file = tmp_path / "my.txt"
    file.write_text("\n".join(f"Text {i}." for i in range(50)), "utf-8")
    one, two = f"exact:{tmp_path / 'one'}", f"exact:{tmp_path / 'two'}"
    run("embed", file, "--store", one, "--quiet")
    run("embed", file, "--store", two, "--quiet", "--processes", 2)
    assert (tmp_path / "one/vectors.f32").read_bytes() == (
        tmp_path / "two/vectors.f32"
    ).read_bytes()
