"""A store that was forged or damaged is refused in a sentence, or answers rightly."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bulk import DIMENSION, Digests
from click.testing import CliRunner

from stslab import InputError
from stslab.cli import main
from stslab.stores import StoreError, embed_file, open_store
from stslab.stores.clients import layout
from stslab.stores.clients.checksums import checksum, checksum_of_file
from stslab.stores.store import Identity

pytestmark = pytest.mark.thorough

COUNT = 300
RIGHT = '{"n": 1, "is": true}'  # the metadata of each text
TEXTS = [f"Text {number}." for number in range(COUNT)]
QUERIES = Digests().encode(TEXTS[::8])
KINDS = {"exact": "exact:{}", "hnsw": "faiss:{}?index=HNSW32", "flat": "faiss:{}?index=Flat"}
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build a store of each kind, to copy."""
    folders = {}
    for kind, url in KINDS.items():
        if kind != "exact":
            pytest.importorskip("faiss", reason="needs the extra 'faiss'")
        folders[kind] = tmp_path_factory.mktemp("built") / kind
        with open_store(url.format(folders[kind]), model=Digests()) as store:
            for start in range(0, COUNT, 100):
                some = TEXTS[start : start + 100]
                store.add(some, Digests().encode(some), metadata=[{"n": 1, "is": True}] * 100)
    return folders


def answers(folder: Path, kind: str) -> tuple[int, str, Any]:
    """Everything that a store answers."""
    with open_store(KINDS[kind].format(folder)) as store:
        hits = store.search(QUERIES, 5).round(6)
        return store.count(), hits.to_csv(), store.get(range(-COUNT, 2 * COUNT))


# Forged by somebody who knows the checksums


class Forged:
    """The files of a store, to be changed with or without their checksums."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.vectors = folder, folder / "vectors.f32"

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.folder / "texts.sqlite")) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def about(self, **values: Any) -> None:
        """Change what the store says about itself, and the checksum of that."""
        with closing(sqlite3.connect(self.folder / "texts.sqlite")) as database:
            cursor = database.execute("SELECT * FROM about")
            names = [column[0] for column in cursor.description][:-1]
            row = {**dict(zip(names, cursor.fetchone()[:-1], strict=True)), **values}
            database.execute("DELETE FROM about")
            known = (*row.values(), layout._checksum_about(tuple(row.values())))
            database.execute("INSERT INTO about VALUES (?, ?, ?, ?, ?, ?, ?)", known)
            database.commit()

    def text(
        self, key: Any = 7, text: Any = "Text 7.", metadata: Any = RIGHT, place: Any = 7
    ) -> None:
        """Replace a text, with the checksum that it should have."""
        number = key if isinstance(key, int) else 0
        octets = [value.encode() if isinstance(value, str) else b"" for value in (text, metadata)]
        right = layout._checksum_text(number, place if isinstance(place, int) else 0, *octets)
        with closing(sqlite3.connect(self.folder / "texts.sqlite")) as database:
            database.execute("DELETE FROM texts WHERE id = 7")
            values = (key, place, text, metadata, right)
            database.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?)", values)
            database.commit()

    def rows(self, change: Callable[[np.ndarray], Any], first: int = 0) -> None:
        """Change the ids of a block's rows, with their checksum."""
        with closing(sqlite3.connect(self.folder / "texts.sqlite")) as database:
            database.text_factory = bytes
            (block,) = layout.read_blocks(database, "WHERE first = ?", (first,))
            changed = change(block.ids)
            ids = block.ids if changed is None else changed
            record = layout.block_record(block._replace(ids=ids))
            database.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)", record)
            database.commit()

    def numbers(self, change: Callable[[np.ndarray], Any]) -> None:
        """Change vectors, with their checksums."""
        vectors = np.fromfile(self.vectors, np.float32).reshape(-1, DIMENSION)
        change(vectors)
        self.vectors.write_bytes(vectors.tobytes())
        with closing(sqlite3.connect(self.folder / "texts.sqlite")) as database:
            database.text_factory = bytes
            for block in layout.read_blocks(database, "ORDER BY first"):
                its = vectors[block.first : block.first + len(block.ids)]
                record = layout.block_record(block._replace(vectors=checksum(its)))
                database.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)", record)
            database.commit()

    def replaced_by(self, name: str, target: str) -> None:
        (self.folder / name).unlink()
        (self.folder / name).symlink_to(target)

    def pipe(self, name: str) -> None:
        (self.folder / name).unlink()
        os.mkfifo(self.folder / name)

    def without_index(self) -> None:
        for file in self.folder.glob("*.faiss"):
            file.unlink()


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def put(array: np.ndarray, place: Any, value: Any) -> None:
    array[place] = value


FORGERIES: dict[str, Callable[[Forged], Any]] = {
    # Metadata and texts, with the right checksum
    "metadata a list": lambda it: it.text(metadata="[1]"),
    "metadata NULL": lambda it: it.text(metadata=None),
    "metadata deep": lambda it: it.text(metadata="[" * 100_000 + "]" * 100_000),
    "metadata deep inside": lambda it: it.text(
        metadata='{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
    "metadata nested": lambda it: it.text(metadata='{"a": {"b": 1}}'),
    "metadata null inside": lambda it: it.text(metadata='{"a": null}'),
    "metadata NaN": lambda it: it.text(metadata='{"a": NaN}'),
    "metadata a huge number": lambda it: it.text(metadata='{"a": ' + "9" * 10_000 + "}"),
    "metadata an endless number": lambda it: it.text(metadata='{"a": 1e999}'),
    "metadata cut": lambda it: it.text(metadata='{"a": '),
    "metadata empty": lambda it: it.text(metadata=""),
    "metadata a number": lambda it: it.text(metadata=5),
    "text NULL": lambda it: it.text(text=None),
    "text a number": lambda it: it.text(text=5),
    "text no UTF-8": lambda it: it.sql("UPDATE texts SET text = CAST(x'ff' AS TEXT) WHERE id = 7"),
    "text a blob": lambda it: it.sql("UPDATE texts SET text = x'00ff' WHERE id = 7"),
    "text another": lambda it: it.sql("UPDATE texts SET text = 'Other.' WHERE id = 7"),
    "id negative": lambda it: it.text(key=-7),
    "id largest": lambda it: it.text(key=2**63 - 1),
    "id moved": lambda it: it.sql("UPDATE texts SET id = 7000 WHERE id = 7"),
    "place negative": lambda it: it.text(place=-7),
    "place NULL": lambda it: it.text(place=None),
    "place a text": lambda it: it.text(place="abc"),
    "place of another": lambda it: it.text(place=8),
    "texts missing": lambda it: it.sql("DELETE FROM texts WHERE id < 290"),
    "texts all missing": lambda it: it.sql("DELETE FROM texts"),
    # What it says about itself
    "about empty": lambda it: it.sql("DELETE FROM about"),
    "about twice": lambda it: it.sql("INSERT INTO about SELECT * FROM about"),
    "about NULL": lambda it: it.sql("UPDATE about SET rows = NULL"),
    "about a text": lambda it: it.sql("UPDATE about SET rows = 'many'"),
    "rows 10": lambda it: it.about(rows=10, texts=10),
    "rows 10 without checksum": lambda it: it.sql("UPDATE about SET rows = 10"),
    "rows 2**62": lambda it: it.about(rows=2**62, texts=2**62),
    "rows negative": lambda it: it.about(rows=-5),
    "texts 10": lambda it: it.about(texts=10),
    "generation 5": lambda it: it.about(generation=5),
    "generation negative": lambda it: it.about(generation=-1),
    "dimension 0": lambda it: it.about(dimension=0),
    "dimension negative": lambda it: it.about(dimension=-32),
    "dimension 2**40": lambda it: it.about(dimension=2**40),
    "dimension 16": lambda it: it.about(dimension=16),
    "model NULL": lambda it: it.sql("UPDATE about SET model = NULL"),
    "model a folder": lambda it: it.about(model="/"),
    "model a home": lambda it: it.about(model="~"),
    "model above": lambda it: it.about(model="../.."),
    "model with escapes": lambda it: it.about(model="a\x1b[31m\nb"),
    # Rows
    "a row twice": lambda it: it.rows(lambda ids: put(ids, 3, 4)),
    "a row a hole": lambda it: it.rows(lambda ids: put(ids, 3, -1)),
    "a row of no text": lambda it: it.rows(lambda ids: put(ids, 3, 9999)),
    "a row missing": lambda it: it.rows(lambda ids: ids[:-1]),
    "a row more": lambda it: it.rows(lambda ids: np.append(ids, 9999), 200),
    "no rows": lambda it: it.sql("DELETE FROM blocks"),
    "a block missing": lambda it: it.sql("DELETE FROM blocks WHERE first = 100"),
    "a block moved": lambda it: it.sql("UPDATE blocks SET first = 150 WHERE first = 100"),
    "a block a text": lambda it: it.sql("UPDATE blocks SET ids = 'abc'"),
    "a block cut": lambda it: it.sql("UPDATE blocks SET ids = x'0102030405'"),
    # Vectors
    "vectors NaN": lambda it: it.numbers(lambda all_: put(all_, (5, 3), np.nan)),
    "vectors infinite": lambda it: it.numbers(lambda all_: put(all_, (5, 3), np.inf)),
    "vectors 1000 times": lambda it: it.numbers(lambda all_: put(all_, ..., all_ * 1000)),
    "a vector halved": lambda it: it.numbers(lambda all_: put(all_, 5, all_[5] / 2)),
    "vectors NaN without checksum": lambda it: it.vectors.write_bytes(
        b"\xff" * it.vectors.stat().st_size
    ),
    "vectors an npy file": lambda it: it.vectors.write_bytes(saved(np.ones((999, DIMENSION)))),
    "vectors a pickle": lambda it: it.vectors.write_bytes(pickle.dumps([1.0] * 99_999)),
    "vectors cut": lambda it: os.truncate(it.vectors, 1000),
    "vectors empty": lambda it: os.truncate(it.vectors, 0),
    "vectors longer": lambda it: os.truncate(it.vectors, 10**6),
    "vectors missing": lambda it: it.vectors.unlink(),
    "vectors zeros": lambda it: it.vectors.write_bytes(bytes(it.vectors.stat().st_size)),
    "vectors a link": lambda it: it.replaced_by("vectors.f32", "/etc/passwd"),
    "vectors /dev/zero": lambda it: it.replaced_by("vectors.f32", "/dev/zero"),
    "vectors a pipe": lambda it: it.pipe("vectors.f32"),
    # The database
    "a view that never ends": lambda it: it.sql(
        "DROP TABLE texts",
        f"CREATE VIEW texts AS {ENDLESS} i AS id, i AS place, '' AS text, '' AS metadata, "
        "0 AS checksum FROM n",
    ),
    "about a view that never ends": lambda it: it.sql(
        "DROP TABLE about",
        f"CREATE VIEW about AS {ENDLESS} max(i) AS model FROM n",
    ),
    "a view besides": lambda it: it.sql(f"CREATE VIEW more AS {ENDLESS} i FROM n"),
    "a trigger": lambda it: it.sql(
        "CREATE TRIGGER t AFTER INSERT ON texts BEGIN DELETE FROM texts; END"
    ),
    "an index besides": lambda it: it.sql("CREATE INDEX i ON texts (text)"),
    "a computed column": lambda it: it.sql(
        "DROP TABLE about", "CREATE TABLE about (model TEXT, rows AS (length(model)))"
    ),
    "tables of an older version": lambda it: it.sql(
        "DROP TABLE about",
        "DROP TABLE texts",
        "DROP TABLE blocks",
        "CREATE TABLE about (model TEXT, revision TEXT, dimension INTEGER, rows INTEGER)",
        "CREATE TABLE texts (place INTEGER PRIMARY KEY, id INTEGER UNIQUE, text TEXT, metadata)",
    ),
    "no tables": lambda it: it.sql("DROP TABLE about", "DROP TABLE texts", "DROP TABLE blocks"),
    "database empty": lambda it: os.truncate(it.folder / "texts.sqlite", 0),
    "database cut": lambda it: os.truncate(it.folder / "texts.sqlite", 8192),
    "database something else": lambda it: (it.folder / "texts.sqlite").write_bytes(b"mine" * 999),
    "database a link": lambda it: it.replaced_by("texts.sqlite", "/etc/passwd"),
    "database /dev/zero": lambda it: it.replaced_by("texts.sqlite", "/dev/zero"),
    "database a pipe": lambda it: it.pipe("texts.sqlite"),
    "database a folder": lambda it: (
        (it.folder / "texts.sqlite").unlink(),
        (it.folder / "texts.sqlite").mkdir(),
    ),
    "a journal of something else": lambda it: (it.folder / "texts.sqlite-journal").write_bytes(
        b"\xd9\xd5\x05\xf9 \xa1c\xd7" + b"\xff" * 999
    ),
    "a lock that is a link": lambda it: it.replaced_by("writer.lock", "../victim"),
}


def outcome(folder: Path, kind: str, expected: Any) -> str:
    """Use a store in all ways; return what became of it, or fail."""
    ways: list[Callable[[], Any]] = [
        lambda: answers(folder, kind),
        lambda: added(folder, kind),
        lambda: embedded(folder, kind),
    ]
    said = []
    for way in ways:
        try:
            result = way()
        except (StoreError, InputError) as error:  # InputError: of other vectors than ours
            message = str(error)
            assert KINDS[kind].format(folder) in message
            assert re.search(
                r"embed the texts again|Remove this file|What was added before is kept|"
                r"expected \(\d+, 16\)|cannot be compared",
                message,
            )
            assert "\x1b" not in message
            said.append("refused")
        else:
            if way is ways[0]:
                assert result == expected, "another answer, without a word"
            said.append("answered")
    return ", ".join(said)


def added(folder: Path, kind: str) -> None:
    with open_store(KINDS[kind].format(folder), model=Digests()) as store:
        store.add(["More."], Digests().encode(["More."]), ids=[COUNT])
        assert store.nearest(Digests().encode(["More."]), 1)[1].tolist() == [[COUNT]]


def embedded(folder: Path, kind: str) -> None:
    file = folder.parent / "texts.txt"
    file.write_text("\n".join(TEXTS[1:]))
    with open_store(KINDS[kind].format(folder), model=Digests()) as store:
        embed_file(file, store, model=Digests())
        hits = store.search(Digests().encode(TEXTS[1:]), 1)
    assert hits["text"].tolist() == TEXTS[1:]


# In processes of their own: what is wrong may also be that they never end.
CHILD = """
import json, shutil, sys, pathlib, traceback
sys.path.insert(0, sys.argv[1])
import test_store_damage as tests
kind, source, target = sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
expected = tests.answers(source, kind)
for name in sys.argv[5:]:
    folder = target / str(len(list(target.iterdir()))) / "store"
    shutil.copytree(source, folder)
    (folder.parent / "victim").write_text("mine")
    forged = tests.Forged(folder)
    if kind != "exact" and name.startswith(("vectors", "a vector")):
        forged.without_index()
    tests.FORGERIES[name](forged)
    try:
        said = tests.outcome(folder, kind, expected)
        assert (folder.parent / "victim").read_text() == "mine"
    except BaseException:
        said = traceback.format_exc()
    print(json.dumps([name, said]), flush=True)
"""


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_forged_store_is_refused_or_answers_rightly(
    kind: str, built: dict[str, Path], tmp_path: Path
) -> None:
    """In some ninety kinds: no traceback, no other answer, no end that never comes."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", CHILD, here, kind, built[kind], tmp_path, *FORGERIES]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600
    )
    said = dict(json.loads(line) for line in done.stdout.splitlines())
    assert [name for name in FORGERIES if name not in said] == [], done.stderr[-2000:]
    faults = {name: words for name, words in said.items() if "Traceback" in words}
    assert faults == {}
    refused = [name for name, words in said.items() if words.startswith("refused")]
    assert len(refused) >= 80, {name: words for name, words in said.items() if name not in refused}


# Damage


@pytest.mark.parametrize("kind", ["exact", "hnsw", "flat"])
def test_no_flipped_bit_gives_another_answer_in_silence(
    kind: str, built: dict[str, Path], tmp_path: Path
) -> None:
    """Of 200, spread over all files of a store."""
    expected, places = answers(built[kind], kind), random.Random(7)
    names = [file.name for file in built[kind].iterdir() if file.stat().st_size]
    refused = 0
    for number in range(200):
        folder = tmp_path / str(number)
        shutil.copytree(built[kind], folder)
        file = folder / names[number % len(names)]
        content = bytearray(file.read_bytes())
        place = places.randrange(len(content))
        content[place] ^= 1 << places.randrange(8)
        file.write_bytes(content)
        try:
            assert answers(folder, kind) == expected, (file.name, place)
        except StoreError:
            refused += 1
        shutil.rmtree(folder)
    assert refused > 60


@pytest.mark.parametrize("size", [0, 1, 7, 8, 4095, 4096, 4097, 99_999])
def test_a_checksum_sees_every_bit(size: int) -> None:
    data = bytearray(np.random.default_rng(size).bytes(size))
    right = checksum(data)
    for place in range(0, size, max(1, size // 97)):
        for bit in range(8):
            data[place] ^= 1 << bit
            assert checksum(data) != right
            data[place] ^= 1 << bit
    assert checksum(data) == right
    assert checksum_of_file(data) == checksum_of_file(bytes(data))


# The model that a store names


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    """A hub on loopback, with the requests that it saw."""
    requests: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()


def store_of(folder: Path, model: str, revision: str = "0" * 64) -> str:
    """Make a store that says that its vectors are of this model."""
    with open_store(f"exact:{folder}", model=Digests()) as store:
        store.add(TEXTS[:3], Digests().encode(TEXTS[:3]))
    Forged(folder).about(model=model, revision=revision)
    return f"exact:{folder}"


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [
        ("evil/tracking-id-42", 2, "was built with the model 'evil/tracking-id-42', which is not"),
        ("tracking-id-42", 2, "which is not on this machine by that name"),
        ("mine", 2, "which is not on this machine by that name"),
        ("/", 1, "its model's name '/' is none that stslab writes"),
        ("../mine", 1, "its model's name '../mine' is none that stslab writes"),
        ("~/mine", 1, "its model's name '~/mine' is none that stslab writes"),
        ("all-MiniLM-L6-v2", 2, "Their vectors cannot be compared"),
    ],
)
def test_a_search_asks_no_hub_whatever_model_a_store_names(
    model: str, code: int, message: str, hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, requests = hub
    (tmp_path / "mine").mkdir()
    url = store_of(tmp_path / "store", model)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    }
    environment |= {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(
        [sys.executable, "-m", "stslab.cli", "search", url, "a secret question"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert (done.returncode, requests) == (code, []), done.stderr
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    if code == 2 and "compared" not in message:
        assert "--model NAME" in done.stderr


def test_a_model_in_a_folder_whose_name_no_store_takes(tmp_path: Path) -> None:
    class Odd(Digests):
        source = type("Source", (), {"name": "~", "sha256": ""})

    with pytest.raises(InputError, match=r"model '~': a store takes no such name"):
        open_store(f"exact:{tmp_path / 'store'}", model=Odd())


# What else a search prints, and Chroma's collections


def test_json_holds_no_character_that_a_terminal_obeys(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    text = "evil \u202e txt.exe \x1b[31m \u2066 \x9b \U0001f468\u200d\U0001f33e"
    file, url = tmp_path / "my.jsonl", f"exact:{tmp_path / 'store'}"
    file.write_text(json.dumps({"text": text}) + "\n")
    for command in (
        ["embed", str(file), "--store", url, "--quiet"],
        ["search", url, "a", "--json"],
    ):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.output
    assert not set(done.output) & set("\u202e\x1b\u2066\x9b")
    assert json.loads(done.output)["text"] == text


@pytest.mark.parametrize("name", ["a/b", "ab", "-abc", "a b c"])
def test_a_name_that_chroma_does_not_take_for_a_collection(name: str) -> None:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    with pytest.raises(InputError, match=r"Chroma takes no collection .* 3 to 512 letters"):
        open_store(f"chroma:http://127.0.0.1:9/{name}", model=Digests())


@pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")
def test_what_somebody_else_put_into_a_collection(tmp_path: Path) -> None:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    with open_store(f"chroma:{tmp_path}", model=Digests()) as store:
        store.add(TEXTS[:2], Digests().encode(TEXTS[:2]))
        vector = Digests().encode(["Mine."])
        store.collection.add(ids=["abc"], embeddings=vector, documents=["Mine."])
        with pytest.raises(StoreError, match=r"holds 'abc', an id that stslab does not write"):
            store.search(vector, 1)
        store.collection.delete(ids=["abc"])
        store.collection.add(ids=["5"], embeddings=vector)
        with pytest.raises(StoreError, match=r"holds no text for the id 5"):
            store.search(vector, 1)


@pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")
@pytest.mark.parametrize("about", [{"model": "/"}, {"model": 5}, {"dimension": -1}])
def test_a_collection_that_says_something_odd_of_its_model(about: Any, tmp_path: Path) -> None:
    chromadb = pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    quiet = chromadb.config.Settings(anonymized_telemetry=False)
    with closing(chromadb.PersistentClient(tmp_path, quiet)) as client:
        client.create_collection(
            "texts",
            embedding_function=None,
            metadata={**Identity("Digests", "", DIMENSION)._asdict(), **about},
            configuration={"hnsw": {"space": "cosine"}},
        )
    with pytest.raises(StoreError, match=r"is nothing that stslab writes"):
        open_store(f"chroma:{tmp_path}")


@pytest.mark.parametrize("value", [None, [1], float("nan"), {"a": 1}])
def test_metadata_that_no_store_takes(value: Any) -> None:
    with (
        open_store("exact", model=Digests()) as store,
        pytest.raises(InputError, match=r"metadata\[0\]: 'x': .* expected a name with a text"),
    ):
        store.add(["a"], Digests().encode(["a"]), metadata=[{"x": value}])
