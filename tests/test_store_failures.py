"""What goes wrong with stores: each message says what, where and what next, and nothing is lost."""

from __future__ import annotations

import http.server
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disks import mounted
from pinecone_stub import KEY, PineconeStub
from store_places import IN_FOLDERS, KINDS, ChromaServer

from stslab import InputError, encode
from stslab.stores import StoreError, open_store

pytestmark = pytest.mark.thorough

TEXTS = ["a", "b", "ab", "abc", "c"]
KEPT = "What was added before is kept."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    server = ChromaServer(tmp_path / "chroma")
    yield server
    server.kill()


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[PineconeStub]:
    pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    with PineconeStub(3) as stub:
        monkeypatch.setenv("PINECONE_CONTROLLER_HOST", stub.host)
        yield stub


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    if request.param.startswith("faiss") or request.param in ("flat", "hnsw", "ivf"):
        pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    if request.param == "chroma":
        pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    return request.param


in_folders = pytest.mark.parametrize("kind", IN_FOLDERS, indirect=True)
of_faiss = pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"], indirect=True)


def refusal(call: Callable[[], Any], error: type[Exception]) -> str:
    with pytest.raises(error) as refused:
        call()
    return str(refused.value)


def build(url: str, model: Any, texts: list[str] = TEXTS) -> None:
    with open_store(url, model=model) as store:
        store.add(texts, encode(texts, model=model))


def assert_whole(url: str, texts: list[str] = TEXTS) -> None:
    """All texts are there, each found by its own vector."""
    with open_store(url) as store:
        found = store.get(range(1000))
        assert {key: each.text for key, each in found.items()} == dict(enumerate(texts))
        vectors = [[text.count(letter) for letter in "abc"] for text in texts]
        np.testing.assert_allclose(store.nearest(vectors, 1)[0], 1.0, atol=1e-6)


# Servers


def test_a_chroma_server_that_is_down(server, letters) -> None:
    server.kill()
    url = f"chroma:{server.url}/texts"
    assert refusal(lambda: open_store(url, model=letters), StoreError) == (
        f"{url}: Chroma did not do it (ValueError: Could not connect to a Chroma server. Are you "
        f"sure it is running?). Is it running? Start it: chroma run --path FOLDER. {KEPT}"
    )


def test_a_chroma_server_that_goes_down_in_mid_build(server, letters) -> None:
    """Once it is back, the same store goes on."""
    url = f"chroma:{server.url}/texts"
    with open_store(url, model=letters) as store:
        store.add(TEXTS[:2], encode(TEXTS[:2], model=letters))
        server.kill()
        rest = encode(TEXTS[2:], model=letters)
        for call in (lambda: store.add(TEXTS[2:], rest, ids=[2, 3, 4]), store.count):
            assert re.fullmatch(
                rf"{url}: Chroma did not do it \(ConnectError: .*refused.*\)\. Is it running\? "
                rf"Start it: chroma run --path FOLDER\. {KEPT}",
                refusal(call, StoreError),
            )
        server.start()
        assert store.count() == 2
        store.add(TEXTS[2:], rest)
    assert_whole(url)


def test_a_host_that_there_is_not(letters) -> None:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    url = "chroma:http://no-such-host.invalid/texts"
    said = refusal(lambda: open_store(url, model=letters), StoreError)
    assert said.startswith(f"{url}: Chroma did not do it (ValueError: Could not connect")
    assert said.endswith(f"Is it running? Start it: chroma run --path FOLDER. {KEPT}")


def test_a_server_that_is_not_chromas(letters) -> None:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as other:
        threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
        url = f"chroma:http://127.0.0.1:{other.server_port}/texts"
        assert refusal(lambda: open_store(url, model=letters), StoreError) == (
            f"{url}: Chroma did not do it (ValueError: what answers there is no Chroma server). Is "
            f"it running? Start it: chroma run --path FOLDER. {KEPT}"
        )
        other.shutdown()


@pytest.mark.parametrize("space", ["l2", "cosine"])
@pytest.mark.parametrize("where", ["folder", "server"])
def test_a_collection_of_somebody_else(space, where, request, folder, letters) -> None:
    chromadb = pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    quiet = chromadb.config.Settings(anonymized_telemetry=False)
    if where == "server":
        server = request.getfixturevalue("server")
        url = f"chroma:{server.url}/texts"
        client = chromadb.HttpClient("127.0.0.1", server.port, settings=quiet)
    else:
        url, client = f"chroma:{folder}", chromadb.PersistentClient(folder, quiet)
    made = {"embedding_function": None, "configuration": {"hnsw": {"space": space}}}
    client.create_collection("texts", **made).add(ids=["0"], embeddings=[[1, 0, 0]])
    assert refusal(lambda: open_store(url, model=letters), InputError) == (
        f"{url}: the collection 'texts' was not built by stslab (its space is {space!r}, its model "
        f"is not known). Name another one."
    )
    assert client.get_collection("texts", embedding_function=None).count() == 1
    client.close()


# Pinecone


def test_pinecone_without_a_key(monkeypatch, letters) -> None:
    pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    assert refusal(lambda: open_store("pinecone:papers", model=letters), InputError) == (
        "pinecone:papers: PINECONE_API_KEY is not set. Give it the key of your Pinecone project."
    )


def test_pinecone_with_a_wrong_key(stub, monkeypatch, letters) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", "wrong")
    for url in ("pinecone:papers", f"pinecone:{stub.host}"):
        assert refusal(lambda url=url: open_store(url, model=letters), StoreError) == (
            f"{url}: Pinecone did not do it (UnauthorizedError: [401] Invalid API Key). Check the "
            f"index's name or host, and PINECONE_API_KEY. {KEPT}"
        )


def test_an_index_that_pinecone_does_not_have(stub, letters) -> None:
    assert refusal(lambda: open_store("pinecone:paper", model=letters), StoreError) == (
        "pinecone:paper: Pinecone did not do it (NotFoundError: [404] Resource paper not found). "
        f"Check the index's name or host, and PINECONE_API_KEY. {KEPT}"
    )


@pytest.mark.parametrize(("dimension", "metric"), [(384, "cosine"), (3, "dotproduct")])
def test_an_index_of_pinecone_that_does_not_fit(stub, dimension, metric, letters) -> None:
    stub.dimension, stub.metric = dimension, metric
    assert refusal(lambda: open_store("pinecone:papers", model=letters), InputError) == (
        f"pinecone:papers: the index has {dimension} dimensions and the metric {metric!r}; "
        f"expected 3, for Letters, and 'cosine'. Create another index."
    )
    assert stub.spaces == {}


def test_pinecone_that_is_down_in_mid_build(stub, monkeypatch, letters) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda seconds: None)
    url = f"pinecone:{stub.host}"
    with open_store(url, model=letters) as store:
        store.add(TEXTS[:2], encode(TEXTS[:2], model=letters))
        stub.server.shutdown()
        stub.server.server_close()
        for connection in stub.connections:
            connection.shutdown(socket.SHUT_RDWR)
        rest = encode(TEXTS[2:], model=letters)
        said = refusal(lambda: store.add(TEXTS[2:], rest, ids=[2, 3, 4]), StoreError)
        assert said.startswith(f"{url}: Pinecone did not do it (PineconeConnectionError: ")
        assert said.endswith(f"Check the index's name or host, and PINECONE_API_KEY. {KEPT}")
        with PineconeStub(3, port=stub.port) as again:
            again.spaces = stub.spaces
            store.add(TEXTS[2:], rest)
            assert_whole(url)


def test_a_text_that_pinecone_does_not_take(stub, letters) -> None:
    with open_store("pinecone:papers", model=letters) as store:
        long = "a" * 50_000
        said = refusal(lambda: store.add(["ab", long], [[1, 1, 0], [1, 0, 0]]), StoreError)
        assert "(ApiError: [400] Metadata size is 50" in said
        assert "exceeds the limit of 40960 bytes)" in said
        assert store.count() == 0


# Identity


class Other:
    """Another model, with another number of dimensions."""

    def encode(self, texts: list[str]) -> Any:
        return [[1.0, len(text)] for text in texts]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "temporary"], indirect=True)
def test_a_store_of_another_model(kind, request, folder, letters) -> None:
    server = request.getfixturevalue("server").url if kind == "server" else ""
    host = request.getfixturevalue("stub").host if kind == "pinecone" else ""
    url = KINDS[kind].format(folder=folder, server=server, stub=host, name="texts")
    build(url, letters)
    assert refusal(lambda: open_store(url, model=Other()), InputError) == (
        f"{url}: it was built with Letters, 3 dimensions; this is Other, 2 dimensions. Their "
        f"vectors cannot be compared. Open it with the first, or build another store."
    )
    assert_whole(url)


def test_a_store_of_another_revision(folder, model, monkeypatch) -> None:
    """Of the same name and dimension."""
    url = f"exact:{folder}"
    open_store(url, model=model).close()
    first = model.source.sha256[:12]
    monkeypatch.setattr(model, "source", replace(model.source, sha256="0123456789abcdef"))
    assert refusal(lambda: open_store(url, model=model), InputError) == (
        f"{url}: it was built with all-MiniLM-L6-v2, revision {first}, 384 dimensions; this is "
        f"all-MiniLM-L6-v2, revision 0123456789ab, 384 dimensions. Their vectors cannot be "
        f"compared. Open it with the first, or build another store."
    )


@pytest.mark.parametrize("kind", [*IN_FOLDERS, "chroma"], indirect=True)
def test_a_store_that_there_is_not(kind, folder) -> None:
    url = KINDS[kind].format(folder=folder)
    assert refusal(lambda: open_store(url), InputError) == (
        f"{url}: there is no store. Build it: stslab embed FILE --store {url}"
    )
    assert not folder.exists()


# Files


@of_faiss
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_index_is_built_again(kind, damage, folder, letters) -> None:
    """From the vectors, which FAISS's file is not needed for."""
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    (file,) = folder.glob("*.faiss")
    whole = file.read_bytes()
    damaged = {"truncated": whole[: len(whole) // 2], "garbage": b"no index" * 99, "empty": b""}
    file.write_bytes(damaged[damage])
    with open_store(url) as store:
        assert re.fullmatch(
            rf"{re.escape(url)}: the index {file.name} is damaged \(.+\)\. Remove this file: it is "
            rf"built again from vectors\.f32, and no text is lost\.",
            refusal(lambda: store.nearest([[1, 0, 0]], 1), StoreError),
        )
    file.unlink()
    assert_whole(url)


@of_faiss
@pytest.mark.parametrize("other", ["longer", "wider", "different"])
def test_an_index_of_other_vectors(kind, other, folder, letters, tmp_path) -> None:
    url, elsewhere = (KINDS[kind].format(folder=each) for each in (folder, tmp_path / "elsewhere"))
    build(url, letters)
    texts = {"longer": [*TEXTS, "cc"], "wider": TEXTS, "different": ["bc", "ac", "a", "b", "ab"]}
    build(elsewhere, Other() if other == "wider" else letters, texts[other])
    (file,), (wrong,) = folder.glob("*.faiss"), (tmp_path / "elsewhere").glob("*.faiss")
    shutil.copy(wrong, file)
    with open_store(url) as store:
        assert refusal(lambda: store.nearest([[1, 0, 0]], 1), StoreError) == (
            f"{url}: the index {file.name} is damaged (it is of other vectors). Remove this file: "
            f"it is built again from vectors.f32, and no text is lost."
        )
    file.unlink()
    assert_whole(url)


@pytest.mark.parametrize(
    "option", ["Flatt", "Flat&efSearch=64", "HNSW32&efsearch=64", "HNSW32&efSearch=x"]
)
def test_parameters_that_faiss_does_not_take(option, folder, letters) -> None:
    """Said at the opening, before anything is encoded."""
    pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    url = f"faiss:{folder}?index={option}"
    said = refusal(lambda: open_store(url, model=letters), InputError)
    assert said.startswith(f"{url}: FAISS does not take this (")
    assert said.endswith("Try index=Flat, index=HNSW32&efSearch=128 or index=IVF&nprobe=96.")


def test_an_index_with_a_comma_is_found_again(folder, letters) -> None:
    pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    build(f"faiss:{folder}?index=IVF1,Flat", letters)
    assert_whole(f"faiss:{folder}")
    assert [file.name for file in folder.glob("*.faiss")] == ["IVF1-Flat.faiss"]


@in_folders
@pytest.mark.parametrize("damage", ["garbage", "truncated"])
def test_damaged_texts(kind, damage, folder, letters) -> None:
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    file = folder / "texts.sqlite"
    whole = file.read_bytes()
    file.write_bytes(b"no database" * 999 if damage == "garbage" else whole[: len(whole) // 2])

    def use() -> None:
        with open_store(url, model=letters) as store:
            store.get([0])

    assert re.fullmatch(
        rf"{re.escape(url)}: texts\.sqlite is damaged \(.+\)\. Put a copy of it back, or remove "
        rf"the folder and embed the texts again\.",
        refusal(use, StoreError),
    )
    file.write_bytes(whole)
    assert_whole(url)


def test_damaged_files_of_chroma(folder, letters) -> None:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    url = f"chroma:{folder}"
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"no database" * 999)
    said = refusal(lambda: open_store(url), StoreError)
    assert said.startswith(f"{url}: Chroma did not do it (")
    assert "file is not a database). Its files are damaged" in said
    assert said.endswith("Its files are damaged: put a copy back, or embed the texts again.")


def test_a_folder_of_something_else_is_left_alone(folder) -> None:
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    for url in (f"exact:{folder}", f"chroma:{folder}"):
        pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
        assert refusal(lambda url=url: open_store(url), InputError) == (
            f"{url}: there is no store. Build it: stslab embed FILE --store {url}"
        )
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]


@in_folders
def test_missing_vectors(kind, folder, letters) -> None:
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    file = folder / "vectors.f32"
    whole = file.read_bytes()
    for rest in (whole[:-1], None):
        file.unlink() if rest is None else file.write_bytes(rest)
        with open_store(url) as store:
            assert refusal(lambda store=store: store.nearest([[1, 0, 0]], 1), StoreError) == (
                f"{url}: vectors.f32 is damaged: it holds fewer than 5 vectors. Remove the folder, "
                f"and embed the texts again."
            )
    file.write_bytes(whole)
    assert_whole(url)


@pytest.mark.parametrize("kind", [*IN_FOLDERS, "chroma"], indirect=True)
def test_a_folder_that_is_a_file(kind, folder, letters) -> None:
    folder.write_text("mine")
    url = KINDS[kind].format(folder=folder)
    said = refusal(lambda: open_store(url, model=letters), StoreError)
    assert said.startswith(f"{url}: ")
    assert "File exists" in said
    assert said.endswith(KEPT)
    assert folder.read_text() == "mine"


# Disks


def remount(folder: Path, options: str) -> None:
    """Change a mount, once Chroma's threads have let go of their files."""
    command = ["mount", "-o", f"remount,{options}", str(folder)]
    for _ in range(400):
        if not subprocess.run(command, capture_output=True).returncode:
            return
        time.sleep(0.05)
    raise TimeoutError(f"cannot remount {folder}")


@pytest.mark.parametrize("kind", [*IN_FOLDERS, "chroma"], indirect=True)
def test_a_folder_that_may_only_be_read(kind, folder, letters) -> None:
    """It can be searched, not written."""
    with mounted(folder, "size=40m"):
        url = KINDS[kind].format(folder=folder)
        build(url, letters)
        remount(folder, "ro")
        if kind != "chroma":  # which writes wherever it reads
            assert_whole(url)

        def add() -> None:
            with open_store(url, model=letters) as store:
                store.add(["cc"], [[0, 0, 2]])

        said = refusal(add, StoreError)
        assert re.search("read-?only", said, re.IGNORECASE)
        assert said.startswith(f"{url}: ")
        assert said.endswith(KEPT)
        remount(folder, "rw")
        if kind == "chroma":  # which does not try a folder again in a process where it failed
            other = process("with open_store(url) as store: assert store.count() == 5\n", url)
            with closing(other.stdin), closing(other.stdout):
                assert other.wait() == 0
        else:
            assert_whole(url)


@pytest.mark.parametrize("kind", [*IN_FOLDERS, "chroma"], indirect=True)
def test_a_disk_that_is_full(kind, folder, letters) -> None:
    """The batch that does not fit is refused whole; with space again, the store goes on."""
    with mounted(folder, "size=8m"):
        url = KINDS[kind].format(folder=folder)
        build(url, letters)
        more = [f"c{number:06}" + "x" * 500 for number in range(20_000)]
        with open_store(url, model=letters) as store:
            said = refusal(lambda: store.add(more, encode(more, model=letters)), StoreError)
            assert said.startswith(f"{url}: ")
            assert "full" in said or "No space left" in said
            assert said.endswith(KEPT)
            if kind != "chroma":
                assert store.count() == len(TEXTS)
        remount(folder, "size=80m")
        if kind != "chroma":
            assert_whole(url)
        with open_store(url, model=letters) as store:
            assert {key: each.text for key, each in store.get(range(5)).items()} == dict(
                enumerate(TEXTS)
            )
            store.add(more[:100], encode(more[:100], model=letters), ids=range(5, 105))
            assert store.get([104])[104].text == more[99]


@of_faiss
def test_an_index_for_which_there_is_no_space(kind, folder, letters) -> None:
    """It is left out; the texts are there, and found."""
    with mounted(folder, "size=1m"):
        url = KINDS[kind].format(folder=folder)
        build(url, letters)
        (file,) = folder.glob("*.faiss")
        file.unlink()
        store = open_store(url, model=letters)
        store.add(["cc"], [[0, 0, 2]], ids=[5])
        free = shutil.disk_usage(folder).free
        (folder / "ballast").write_bytes(bytes(free))
        assert re.fullmatch(
            rf"{re.escape(url)}: {file.name} cannot be written \(.+\)\. All texts are kept; the "
            rf"index is built again when the store is next searched\.",
            refusal(store.close, StoreError),
        )
        assert not list(folder.glob("*.part"))
        assert_whole(url, [*TEXTS, "cc"])


# Other processes


def process(code: str, *arguments: object) -> subprocess.Popen[str]:
    start = "import sys\nfrom stslab.stores import open_store\nurl = sys.argv[1]\n"
    start += "from stslab.examples import Letters\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, **pipes)


@pytest.mark.parametrize("kind", [*IN_FOLDERS, "chroma"], indirect=True)
def test_two_writers(kind, folder, letters) -> None:
    """The second is refused at once, may read, and may write when the first has ended."""
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    other = process(
        "with open_store(url, model=Letters()) as store:\n"
        "    store.add(['cc'], [[0, 0, 2]], ids=[5])\n    print('wrote', flush=True)\n"
        "    input()\n",
        url,
    )
    with closing(other.stdin), closing(other.stdout), open_store(url, model=letters) as store:
        assert store.nearest([[0, 0, 1]], 1)[1].tolist() == [[4]]
        assert other.stdout.readline() == "wrote\n"
        for write in (lambda: store.add(["b"], [[0, 1, 0]]), lambda: store.delete([0])):
            assert refusal(write, StoreError) == (
                f"{url}: another process is writing to it. Nothing was changed; try again when "
                f"that one has ended."
            )
        assert store.nearest([[1, 1, 1]], 1)[1].tolist() == [[3]]
        if kind != "chroma":  # whose folder is for one process: others see it when they open it
            assert store.count() == 6
            assert store.nearest([[0, 0, 1]], 2)[1].tolist() == [[4, 5]]
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait() == 0
        store.add(["bb"], [[0, 2, 0]], ids=[6])
    assert_whole(url, [*TEXTS, "cc", "bb"])


@in_folders
def test_a_writer_that_is_killed_between_vectors_and_texts(kind, folder, letters) -> None:
    """The store is as before, and goes on as if nothing had been."""
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    before = (folder / "vectors.f32").stat().st_size
    other = process(
        "import json, os, signal\n"
        "with open_store(url, model=Letters()) as store:\n"
        "    json.dumps = lambda about: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    store.add(['cc'] * 9, [[0, 0, 2]] * 9)\n",
        url,
    )
    with closing(other.stdin), closing(other.stdout):
        assert other.wait() == -signal.SIGKILL
    assert (folder / "vectors.f32").stat().st_size > before
    assert_whole(url)
    build(url, letters, ["bc"])
    assert (folder / "vectors.f32").stat().st_size >= before
    assert_whole(url, [*TEXTS, "bc"])


@in_folders
def test_a_writer_that_is_killed_in_the_transaction(kind, folder, letters) -> None:
    url = KINDS[kind].format(folder=folder)
    build(url, letters)
    other = process(
        "import os, signal\n"
        "with open_store(url, model=Letters()) as store:\n"
        "    store.database.set_trace_callback(\n"
        "        lambda said: said == 'COMMIT' and os.kill(os.getpid(), signal.SIGKILL))\n"
        "    store.add(['cc'] * 9, [[0, 0, 2]] * 9)\n",
        url,
    )
    with closing(other.stdin), closing(other.stdout):
        assert other.wait() == -signal.SIGKILL
    assert_whole(url)


def test_a_writer_that_is_killed_while_it_makes_the_store(folder, letters) -> None:
    url = f"exact:{folder}"
    other = process(
        "import os, signal, sqlite3\n"
        "connect = sqlite3.connect\n"
        "def connected(file):\n"
        "    database = connect(file)\n"
        "    database.set_trace_callback(\n"
        "        lambda said: 'INSERT' in said and os.kill(os.getpid(), signal.SIGKILL))\n"
        "    return database\n"
        "sqlite3.connect = connected\n"
        "open_store(url, model=Letters())\n",
        url,
    )
    with closing(other.stdin), closing(other.stdout):
        assert other.wait() == -signal.SIGKILL
    build(url, letters)
    assert_whole(url)


def test_an_interrupted_build_waits_for_no_index_and_a_search_makes_up_for_it(
    folder, letters
) -> None:
    pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    url = f"faiss:{folder}?index=HNSW32"

    def interrupted() -> None:
        with open_store(url, model=letters) as store:
            store.add(["ab", "cc"], [[1, 1, 0], [0, 0, 2]])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [*folder.glob("*.faiss")] == []
    for _ in range(2):
        with open_store(url) as store:
            assert store.nearest([[0, 0, 1]], 1)[1].tolist() == [[1]]
        assert [file.name for file in folder.glob("*.faiss")] == ["HNSW32.faiss"]


def test_codes_with_a_refinement_leave_out_what_was_deleted(folder, letters) -> None:
    """FAISS is told of holes through two indexes."""
    pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    vectors = np.random.default_rng(0).integers(1, 9, size=(600, 3)).astype(np.float32)
    texts = [f"text {row}" for row in range(len(vectors))]
    url = f"faiss:{folder}?index=IVF4,PQ3x4fs,RFlat&nprobe=4&k_factor_rf=64"
    with open_store(url, model=letters) as store:
        store.add(texts, vectors)
        store.delete(range(0, 600, 2))
        _, ids = store.nearest(vectors[:20] + 0.01, 5)
    assert (ids % 2 == 1).all()
