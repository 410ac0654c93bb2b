"""The page's engine gives Python's tokens, words and scores, in a real Chromium, offline."""

from __future__ import annotations

import base64
import csv
import itertools
import json
import re
import shutil

import numpy as np
import pytest
from live import EXTRA, START, write_page
from live_texts import hostile_texts

from stslab.live.build import PAIRS, SENTENCES
from stslab.live.support import check_supported
from stslab.live.weights import pack_model
from stslab.models.finding import ModelError, find_model
from stslab.studies import explain_score

pytestmark = pytest.mark.browser

SCORES = ["0.4189", "0.5578", "0.0182", "0.7595"]
CELLS = [
    *("0.57", "0.38", "0.25", "0.10", "0.15", "0.45", "0.09", "0.05"),
    *("0.00", "0.08", "0.12", "0.13", "0.71", "0.17", "0.12"),
]


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Write the exact and the compact page, each when it is first asked for."""
    folder, written = tmp_path_factory.mktemp("live"), {}

    def file(kind):
        if kind not in written:
            written[kind] = write_page(folder, compact=kind == "compact")
        return written[kind]

    return file


@pytest.fixture(scope="module")
def opened(chromium, files):
    """Open a page offline and start its engine; it asks for nothing but itself."""
    pages, heard = {}, []

    def open_page(kind):
        if kind not in pages:
            page = chromium.new_context(offline=True).new_page()
            page.on("console", lambda message: heard.append(message.text))
            page.on("pageerror", lambda error: heard.append(str(error)))
            page.on("request", lambda request: heard.append(request.url))
            page.goto(files(kind).as_uri())
            assert page.evaluate(START)["extra"] == EXTRA
            assert heard == [files(kind).as_uri()]
            heard.clear()
            pages[kind] = page
        return pages[kind]

    yield open_page
    for page in pages.values():
        page.context.close()
    assert heard == []


@pytest.fixture
def page(opened):
    return opened("exact")


@pytest.fixture(scope="session")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(find_model().folder)


def python_ids(tokenizer, texts):
    return tokenizer(texts, truncation=True, max_length=256)["input_ids"]


def stsb_pairs(folder):
    with (folder / "sts-test.csv").open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row[5:7] for row in rows]


def python_scores(model, pairs):
    vectors = np.asarray(model.encode([text for pair in pairs for text in pair]), dtype=float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors[::2] * vectors[1::2]).sum(axis=1)


@pytest.fixture(scope="module")
def of_200_pairs(model, stsb):
    return python_scores(model, stsb_pairs(stsb)[:200])


def test_the_tutorials_pairs_come_out_to_four_decimals(page):
    assert [f"{score:.4f}" for score in page.evaluate("p => live.scores(p)", PAIRS)] == SCORES


def test_the_tutorials_heatmap_comes_out_to_two_decimals(page):
    scores = page.evaluate("p => live.scores(p)", list(itertools.combinations(SENTENCES, 2)))
    assert [f"{score:.2f}".replace("-0.00", "0.00") for score in scores] == CELLS


@pytest.mark.parametrize(
    ("kind", "most"),
    [("exact", 1e-6), pytest.param("compact", 1e-4, marks=pytest.mark.thorough)],
)
def test_200_benchmark_pairs_score_as_in_python(opened, of_200_pairs, stsb, kind, most):
    scores = opened(kind).evaluate("p => live.scores(p)", stsb_pairs(stsb)[:200])
    np.testing.assert_allclose(scores, of_200_pairs, rtol=0, atol=most)


def test_hostile_strings_have_pythons_tokens(page, tokenizer):
    texts = hostile_texts()
    assert len(texts) == 200
    ids = page.evaluate("texts => texts.map((text) => live.tokenizer(text).ids)", texts)
    assert ids == python_ids(tokenizer, texts)


def test_words_are_pythons_words_as_they_were_typed(page, tokenizer):
    """Grouped like `word_ids`, cut out of the text by its offsets; uncut texts, cut ones below."""
    texts = hostile_texts()
    found = page.evaluate("texts => texts.map((text) => live.tokenizer(text))", texts)
    for text, tokens in zip(texts, found, strict=True):
        if tokens["cut"]:
            continue
        encoding = tokenizer(text, return_offsets_mapping=True).encodings[0]
        expected = []
        for _, group in itertools.groupby(
            (n for n, word in enumerate(encoding.word_ids) if word is not None),
            key=encoding.word_ids.__getitem__,
        ):
            places = list(group)
            start, end = encoding.offsets[places[0]][0], encoding.offsets[places[-1]][1]
            pieces = [encoding.tokens[place] for place in places]
            expected.append((text[start:end], places[0], places[-1], pieces))
        words = [(w["text"], w["first"], w["last"], w["pieces"]) for w in tokens["words"]]
        assert words == expected, text


def test_a_cut_text_says_how_long_it_is_and_keeps_the_words_that_are_read(page):
    tokens = page.evaluate("live.tokenizer('word '.repeat(300))")
    assert (len(tokens["ids"]), len(tokens["words"]), tokens["cut"]) == (256, 254, 302)
    assert tokens["words"][-1]["last"] == 254
    assert page.evaluate("live.tokenizer('word '.repeat(254)).cut") == 0


def test_a_lone_half_character_is_dropped_as_in_python(page):
    """A form field can hold one; Python has no such text, and reads U+FFFD, which it drops."""
    assert page.evaluate(r"live.tokenizer('x\ud800y').ids + '' === live.tokenizer('xy').ids + ''")


def test_an_embedding_is_the_same_bits_alone_and_in_company(page):
    texts = hostile_texts()[:60]
    assert page.evaluate(
        """texts => {
          const together = live.embed(texts);
          return texts.every((text, i) => live.embed([text])[0] + "" === together[i] + "");
        }""",
        texts,
    )


def test_states_and_embeddings_belong_together(page):
    norm, off = page.evaluate(
        """() => {
          const { ids } = live.tokenizer("A dog is playing in the park.");
          const { vectors, mean } = live.engine.states(ids);
          const norm = Math.hypot(...mean);
          const embedding = live.engine.embed([ids])[0];
          const means = mean.map((_, j) => {
            let sum = 0;
            for (let i = 0; i < ids.length; i++) sum += vectors[i * 384 + j];
            return sum / ids.length;
          });
          return [norm, Math.max(...means.map((x, j) => Math.abs(x / norm - embedding[j])))];
        }"""
    )
    assert norm != pytest.approx(1, abs=0.01)
    assert off < 1e-6


def test_the_table_of_words_adds_up_to_the_score(page, stsb):
    pairs = stsb_pairs(stsb)[:30]
    explained = page.evaluate(
        "p => p.map(([a, b]) => live.explain(live.engine, live.tokenizer, a, b))", pairs
    )
    scores = page.evaluate("p => live.scores(p)", pairs)
    for found, score in zip(explained, scores, strict=True):
        assert np.shape(found["table"]) == tuple(len(words) + 1 for words in found["words"])
        assert np.sum(found["table"]) == pytest.approx(found["score"], abs=1e-12)
        assert found["score"] == pytest.approx(score, abs=1e-6)


def check_tables(page, pairs, model):
    """Compare the page's tables of words with Python's, cell by cell, and with the cosine."""
    for a, b in pairs:
        got = page.evaluate("([a, b]) => live.explain(live.engine, live.tokenizer, a, b)", [a, b])
        want = explain_score(a, b, model=model, leave_out=False)
        assert got["words"] == [list(want.table.index[:-1]), list(want.table.columns[:-1])]
        np.testing.assert_allclose(got["table"], want.table.to_numpy(), atol=1e-5)
        assert np.sum(got["table"]) == pytest.approx(want.score, abs=1e-6)
        assert want.table.to_numpy().sum() == pytest.approx(want.score, abs=1e-6)


@pytest.mark.thorough
def test_the_table_of_words_is_pythons(page, stsb, model):
    check_tables(page, stsb_pairs(stsb)[::70], model)


@pytest.mark.slow
def test_the_tables_of_1000_pairs_are_pythons(page, stsb, model):
    check_tables(page, stsb_pairs(stsb)[:1000], model)


def test_leaving_a_word_out_scores_the_text_without_it(page):
    left, right = page.evaluate("live.leaveOut(live.engine, live.tokenizer, 'dog, café!', 'Puppy')")
    without = ["  , café!", "dog café!", "dog, !", "dog, café"]
    assert left == page.evaluate("p => live.scores(p)", [[text, "Puppy"] for text in without])
    assert right == [None]


def test_two_lists_of_tokens_longer_than_a_batch_are_encoded(page):
    lengths = page.evaluate(
        "live.embed(Array(5).fill('word '.repeat(300))).map((each) => Math.hypot(...each))"
    )
    assert lengths == pytest.approx([1] * 5)


def test_base64_is_decoded_alike_where_a_browser_cannot(page):
    assert (
        page.evaluate(
            """() => {
          const native = Uint8Array.fromBase64;
          const texts = ["", "AA==", "AP8=", "AP+/", "QUJDREVGRw=="];
          const fast = texts.map((text) => live.decodeBase64(text) + "");
          Uint8Array.fromBase64 = undefined;
          const slow = texts.map((text) => live.decodeBase64(text) + "");
          Uint8Array.fromBase64 = native;
          return [fast + "|", slow + "|"];
        }"""
        )
        == [",0,0,255,0,255,191,65,66,67,68,69,70,71|"] * 2
    )


def test_a_model_that_is_cut_short_is_an_error_in_words(page):
    message = page.evaluate(
        """async () => {
          const bytes = new Uint8Array([1, 2, 3]);
          const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
          const packed = new Uint8Array(await new Response(stream).arrayBuffer());
          const element = document.createElement("script");
          element.textContent = btoa(String.fromCharCode(...packed));
          return live.unpack(element).catch((error) => error.message);
        }"""
    )
    assert message == "The model in this file is cut short."


@pytest.mark.thorough
def test_packing_twice_gives_the_same_bytes(files):
    packed = pack_model(find_model(), compact=True, extra=EXTRA)
    assert base64.b64encode(packed).decode() in files("compact").read_text("utf-8")


# One change in one file of a model that the engine runs, and what the refusal names.
REFUSED = [
    ("config.json", {"model_type": "mpnet"}, "model_type 'mpnet'"),
    ("config.json", {"hidden_size": 768}, "hidden_size 768"),
    ("config.json", {"num_attention_heads": 6}, "num_attention_heads 6"),
    ("config.json", {"intermediate_size": 3072}, "intermediate_size 3072"),
    ("config.json", {"hidden_act": "relu"}, "hidden_act 'relu'"),
    ("config.json", {"max_position_embeddings": 1024}, "1024 positions"),
    ("tokenizer.json", {"pre_tokenizer": {"type": "Metaspace"}}, "pre_tokenizer.type 'Metaspace'"),
    ("tokenizer.json", {"model": {"type": "Unigram"}}, "model.type 'Unigram'"),
    (
        "tokenizer.json",
        {"normalizer": {"type": "BertNormalizer", "lowercase": False}},
        "normalizer.lowercase False",
    ),
    (
        "1_Pooling/config.json",
        {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True},
        "pooling_mode_cls_token",
    ),
    ("1_Pooling/config.json", {"pooling_mode": "cls"}, "pools by"),
    ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "prompt 'query'"),
    ("config_sentence_transformers.json", {"truncate_dim": 128}, "128 dimensions"),
]


@pytest.fixture
def small(tmp_path):
    """Copy the model's settings, without its weights."""
    found = find_model().folder
    for file in found.rglob("*.json"):
        (tmp_path / file.parent.relative_to(found)).mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / file.relative_to(found))
    (tmp_path / "model.safetensors").touch()
    return tmp_path


def test_settings_like_the_bundled_models_are_supported(small):
    assert check_supported(small) is None


@pytest.mark.parametrize(("file", "change", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_model_that_the_engine_cannot_run_is_refused(small, file, change, words):
    settings = json.loads((small / file).read_text("utf-8"))
    (small / file).write_text(json.dumps(settings | change), "utf-8")
    with pytest.raises(ModelError, match=re.escape(words)) as refused:
        check_supported(small)
    assert "The page runs models like all-MiniLM-L6-v2" in str(refused.value)


def test_a_dense_module_is_refused(small):
    modules = json.loads((small / "modules.json").read_text("utf-8"))
    modules.append({"idx": 3, "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (small / "modules.json").write_text(json.dumps(modules), "utf-8")
    with pytest.raises(ModelError, match="Transformer, Pooling, Normalize, Dense"):
        check_supported(small)


def test_a_folder_that_does_not_say_how_it_pools_is_refused(small):
    (small / "modules.json").unlink()
    with pytest.raises(ModelError, match=r"no modules\.json"):
        check_supported(small)


def test_a_static_model_is_refused(static_folder):
    with pytest.raises(ModelError, match="model_type None"):
        check_supported(static_folder)
