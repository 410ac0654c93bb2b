"""cache.py: encoded once, never wrong, never in the way."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
import zlib
from contextlib import closing, contextmanager

import numpy as np
import pytest
from click.testing import CliRunner

from stslab import encode
from stslab.cli import main
from stslab.models import cache
from stslab.models.cache import cache_file, clear_cache
from stslab.report.cached import cache_size

TEXTS = [f"Sentence {n} is here to be kept." for n in range(40)]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path))


@pytest.fixture
def calls(model, monkeypatch):
    """Count the texts that the model is asked for."""
    seen = []
    encode_really = model.encode
    monkeypatch.setattr(
        model, "encode", lambda texts, **kw: seen.append(len(texts)) or encode_really(texts, **kw)
    )
    return seen


def test_a_text_is_encoded_once(model, calls):
    first = encode(TEXTS, model=model)
    asked = sum(calls)
    again = encode(TEXTS[::-1], model=model)[::-1]
    assert sum(calls) == asked
    assert (first == again).all()
    assert cache_size()[0] == 40


def test_the_cache_changes_no_bit(model, monkeypatch):
    """A page's bytes do not depend on whether the cache was warm."""
    encode(TEXTS[::3], model=model)
    partly = encode(TEXTS, model=model)
    monkeypatch.setenv("STSLAB_CACHE", "off")
    assert (encode(TEXTS, model=model) == partly).all()


def test_another_prompt_is_another_embedding(model, monkeypatch):
    plain = encode(["dog"], model=model, task="query")
    monkeypatch.setattr(model, "prompts", {"query": "query: "})
    assert not np.allclose(encode(["dog"], model=model, task="query"), plain)


def test_a_flipped_byte_is_detected_and_healed(model, calls):
    before = encode(TEXTS, model=model)
    with sqlite3.connect(cache_file()) as database:
        vector = bytearray(database.execute("SELECT vector FROM embeddings").fetchone()[0])
        vector[7] ^= 1
        database.execute("UPDATE embeddings SET vector = ? WHERE rowid = 1", (bytes(vector),))
    calls.clear()
    assert (encode(TEXTS, model=model) == before).all()
    assert sum(calls) == 32  # the one, filled up to a batch
    calls.clear()
    encode(TEXTS, model=model)
    assert calls == []


def test_a_file_that_is_no_database_is_started_anew(model):
    cache_file().write_bytes(b"this is no database at all, it is text" * 100)
    encode(TEXTS, model=model)
    assert cache_size()[0] == 40


def test_a_batch_is_kept_before_the_next_is_encoded(model, monkeypatch):
    """A kill in the middle loses one batch at most."""
    really, batches = model.encode, []

    def second_time_killed(texts, **kw):
        batches.append(texts)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return really(texts, **kw)

    monkeypatch.setattr(model, "encode", second_time_killed)
    with pytest.raises(KeyboardInterrupt):
        encode(TEXTS, model=model)
    assert cache_size()[0] == len(batches[0]) == 32


ENCODES = """
from stslab import encode, load_model
encode([f"Sentence {n} is one of many." for n in range(4000)], model=load_model(device="cpu"))
"""


@pytest.mark.thorough
def test_a_killed_process_loses_one_batch_at_most(model, calls, tmp_path):
    """Killed in mid-encode, what it had encoded is there, whole, and is not encoded again."""
    process = subprocess.Popen([sys.executable, "-c", ENCODES], stderr=subprocess.DEVNULL)
    while not (cache_file().exists() and cache_size()[0] > 100):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    with sqlite3.connect(cache_file()) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept, _ = cache_size()
    assert 100 < kept < 4000
    assert kept % 32 == 0
    encode([f"Sentence {n} is one of many." for n in range(1000)], model=model)
    assert sum(calls) == -(-max(0, 1000 - kept) // 32) * 32


def _write(folder, name):
    import os

    os.environ["STSLAB_CACHE"] = folder
    one = cache.EmbeddingCache.__new__(cache.EmbeddingCache)
    one.file, one.dimension, one.salt = cache_file(), 4, b"salt"
    for n in range(50):
        one.write([f"{name} {n}"], [np.full(4, n)])


def test_parallel_kernels_do_each_other_no_harm(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(str(tmp_path), name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert cache_size()[0] == 100


def test_the_cache_is_bounded(model, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 10 * (384 * 4 + 64))
    encode(TEXTS, model=model)
    assert cache_size()[0] == 10


def test_a_folder_that_cannot_be_written_is_done_without(model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "file" / "below"))
    assert encode(["dog"], model=model).shape == (1, 384)


def test_clearing_forgets_everything(model):
    encode(TEXTS, model=model)
    clear_cache()
    assert cache_size() == (0, 0)


OTHERS = [
    "CREATE TABLE embeddings (key BLOB UNIQUE, vector BLOB)",
    "CREATE TABLE embeddings (key BLOB, vector BLOB, checksum INTEGER, more INTEGER NOT NULL)",
    "CREATE VIEW embeddings AS SELECT 1 AS key, 2 AS vector, 3 AS checksum",
]


@pytest.mark.parametrize("schema", OTHERS)
def test_a_cache_of_another_schema_is_started_anew(model, schema):
    """Another version's, or not ours: nothing could be kept in it, and each run encoded again."""
    with closing(sqlite3.connect(cache_file())) as database, database:
        database.execute(schema)
    encode(TEXTS, model=model)
    assert cache_size()[0] == 40


DAMAGED = {"short": b"x" * 50, "random": np.random.default_rng(0).bytes(9000), "empty": b""}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_the_command_starts_a_damaged_cache_anew_and_says_so_once(content):
    cache_file().write_bytes(content)
    first, second = (CliRunner().invoke(main, ["cache"]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    words = "damaged or made by another version of stslab. It was started anew."
    assert (words in " ".join(first.stderr.split())) == bool(content)
    assert second.stderr == ""
    assert "0 embeddings" in first.stdout


def test_the_command_says_that_a_cache_is_locked(monkeypatch):
    monkeypatch.setattr(cache, "PATIENCE", 0.1)
    with locked(cache_file()):
        done = CliRunner().invoke(main, ["cache"])
    assert done.exit_code == 0
    assert "cannot be used now (database is locked)" in " ".join(done.stderr.split())


@contextmanager
def locked(file):
    """Hold a database as another process may."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        yield


def test_a_locked_cache_is_waited_for_once(model, monkeypatch):
    """Each read and each batch would wait: an hour for ten thousand texts."""
    opened = []
    connect = sqlite3.connect
    monkeypatch.setattr(cache, "PATIENCE", 0.1)
    with locked(cache_file()), monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", lambda *a, **k: opened.append(a) or connect(*a, **k))
        vectors = encode(TEXTS, model=model)
        encode(TEXTS[:3], model=model)
    assert len(opened) == 1
    monkeypatch.setenv("STSLAB_CACHE", "off")
    assert (encode(TEXTS, model=model) == vectors).all()


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_a_cache_that_is_made_is_its_owners_only(model, monkeypatch, tmp_path):
    """Who can read it can see whether a text was encoded; who can write it can give any score."""
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "made"))
    before = os.umask(0)
    try:
        encode(["dog"], model=model)
        with closing(sqlite3.connect(cache_file())) as database:
            database.execute("SELECT * FROM embeddings").fetchone()  # its helper files appear
            modes = {
                path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()
            }
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_what_is_no_number_is_not_taken_from_the_cache(model, calls):
    before = encode(["dog"], model=model)
    vector = np.full(384, np.nan, np.float32).tobytes()
    with closing(sqlite3.connect(cache_file())) as database, database:
        (key,) = database.execute("SELECT key FROM embeddings").fetchone()
        row = (vector, zlib.crc32(key + vector))
        database.execute("UPDATE embeddings SET vector = ?, checksum = ?", row)
    assert (encode(["dog"], model=model) == before).all()
