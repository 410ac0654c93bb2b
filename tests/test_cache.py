"""cache.py: encoded once, never wrong, never in the way."""

import multiprocessing
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from stslab import cache, encode
from stslab.cache import cache_file, cache_size, clear_cache

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
