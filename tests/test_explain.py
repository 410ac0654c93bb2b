"""Why two texts score what they score: the sum adds up, and what is left out is the model's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from page_fixtures import HOSTILE
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from stslab import load_model, score_pairs
from stslab.figures.show import to_csv
from stslab.studies import draw_word_pairs, draw_words, explain_score, read_stsb

DOG, PUPPY = "A dog is playing in the park.", "A puppy is running outside."
PAIRS = [
    (DOG, PUPPY),
    ("She loves reading mystery novels.", "The weather forecast shows heavy rain."),
    ("The movie was great.", "The movie was not great."),
    ("dog dog, dog", "Unbelievably un-dog-like: £5!"),
    ("[SEP] and [CLS] as typed", "$x$ <b>bold</b> مرحبا بالعالم"),
]
STEPS = pytest.mark.parametrize


class Letters:
    def encode(self, texts):
        return [[text.count(letter) for letter in "abc"] for text in texts]


@pytest.fixture(scope="module")
def model():
    return load_model(device="cpu")


def pooled(model, mode, **settings) -> SentenceTransformer:
    pooling = Pooling(model.get_embedding_dimension(), pooling_mode=mode, **settings)
    return SentenceTransformer(modules=[model[0], pooling], device="cpu")


def gap(found) -> float:
    return abs(found.table.to_numpy().sum() - found.score)


def sums_alone(pairs, model, monkeypatch) -> float:
    """The largest gap; texts that leave a word out would take most of the time."""
    monkeypatch.setattr("stslab.studies.explain._without_each", lambda texts, spans: iter(()))
    from stslab.studies import explain

    largest = 0.0
    for (a, b), score in zip(pairs, score_pairs(pairs, model=model)["score"], strict=True):
        table = explain._table(explain._read(a, model), explain._read(b, model), model)
        largest = max(largest, abs(table.to_numpy().sum() - score))
    return largest


@STEPS("pair", PAIRS)
def test_the_table_adds_up_to_the_score_of_score_pairs(pair, model):
    found = explain_score(*pair, model=model)
    assert found.score == score_pairs([pair], model=model)["score"][0]
    assert gap(found) < 1e-6
    parts = found.words.groupby("sentence")["contribution"].sum()
    values = found.table.to_numpy()
    assert parts["a"] + values[-1].sum() == pytest.approx(found.score, abs=1e-6)
    assert parts["b"] + values[:, -1].sum() == pytest.approx(found.score, abs=1e-6)


def test_words_are_as_typed_and_special_tokens_in_a_row_of_their_own(model):
    found = explain_score("dog dog, dog", "Unbelievably un-dog-like: £5!", model=model)
    assert list(found.table.index) == ["dog", "dog", ",", "dog", "[CLS] [SEP]"]
    words = ["Unbelievably", "un", "-", "dog", "-", "like", ":", "£5", "!"]
    assert list(found.table.columns) == [*words, "[CLS] [SEP]"]
    assert found.words["word"].tolist() == ["dog", "dog", ",", "dog", *words]
    assert "([CLS] [SEP])" in found.describe()


@STEPS("pair", PAIRS)
def test_a_word_left_out_is_scored_by_the_model_itself(pair, model):
    found = explain_score(*pair, model=model)
    texts = []
    for side, spans in enumerate(found.spans):
        for start, end in spans:
            left = list(pair)
            left[side] = pair[side][:start] + pair[side][end:]
            texts.append(tuple(left))
    scores = score_pairs(texts, model=model)["score"]
    assert found.words["score_without"].tolist() == scores.tolist()
    assert np.allclose(found.words["change"], found.score - scores)


def test_nothing_is_scored_where_no_text_is_left(model):
    words = explain_score("dog", "A puppy", model=model).words
    assert words["score_without"].isna().tolist() == [True, False, False]


def test_hostile_texts_add_up_and_are_drawn_as_text(model, monkeypatch):
    """Half a character is refused by the tokenizer, here as by `score_pairs`."""
    texts = [text for text in HOSTILE if "\ud83d" not in text]
    assert sums_alone(list(itertools.pairwise(texts)), model, monkeypatch) < 1e-6


def test_a_long_text_adds_up_and_says_that_it_is_cut(model, monkeypatch):
    long = "A dog runs after 5 cats. " * 60
    monkeypatch.setattr("stslab.studies.explain._without_each", lambda texts, spans: iter(()))
    monkeypatch.setattr(
        "stslab.studies.explain._left_out",
        lambda t, s, model: (
            float(score_pairs([t], model=model)["score"][0]),
            np.zeros(sum(map(len, s))),
        ),
    )
    found = explain_score(long, PUPPY, model=model)
    assert gap(found) < 1e-6
    assert len(found.table) == 254 + 1
    assert "Of the first sentence the model reads only the beginning" in found.describe()
    drawn = draw_word_pairs(found)
    assert drawn.data.shape == (41, 7)
    assert drawn.data.index[39] == "215 other words"
    assert drawn.data.to_numpy().sum() == pytest.approx(found.score, abs=1e-6)
    assert "… 134 more words" in [text.get_text() for text in draw_words(found).ax.texts]


@STEPS("mode", ["cls", "max", ("mean", "max")])
def test_other_pooling_gets_no_table_and_says_why(mode, model):
    other = pooled(model, mode)
    found = explain_score(DOG, PUPPY, model=other)
    assert found.table is None
    assert found.words["contribution"].isna().all()
    assert found.score == score_pairs([(DOG, PUPPY)], model=other)["score"][0]
    named = mode if isinstance(mode, str) else "mean and max"
    assert f"this model pools by {named}, not by the mean alone." in found.describe()
    assert draw_words(found).alt
    with pytest.raises(ValueError, match="pools by"):
        draw_word_pairs(found)


@STEPS("include_prompt", [True, False])
def test_a_prompt_is_beside_the_special_tokens(include_prompt, model):
    other = pooled(model, "mean", include_prompt=include_prompt)
    other.prompts, other.default_prompt_name = {"q": "query: "}, "q"
    found = explain_score(DOG, PUPPY, model=other)
    assert gap(found) < 1e-6
    assert found.table.index.tolist()[-2:] == [".", "[CLS] [SEP] + prompt"]
    assert found.table.index[0] == "A"


def test_shortened_embeddings_add_up_too(model):
    short = SentenceTransformer(modules=list(model), device="cpu", truncate_dim=64)
    found = explain_score(DOG, PUPPY, model=short)
    assert found.score == score_pairs([(DOG, PUPPY)], model=short)["score"][0]
    assert gap(found) < 1e-6


def test_a_static_model_adds_up_without_special_tokens(second_model):
    static = load_model(str(second_model), device="cpu")
    found = explain_score(DOG, PUPPY, model=static)
    assert round(found.score, 4) == 0.4793
    assert gap(found) < 1e-6
    assert list(found.table.index) == ["A", "dog", "is", "playing", "in", "the", "park", "."]
    assert "special" not in found.describe()


def test_any_encoder_gets_the_words_left_out():
    found = explain_score("a b", "…", model=Letters())
    assert found.table is None
    assert found.words["word"].tolist() == ["a", "b", "…"]
    assert "tells nothing of its tokens" in found.describe()


def test_blank_text_is_refused(model):
    with pytest.raises(ValueError, match=r"sentences\[1\] is blank"):
        explain_score("a", " ", model=model)


def test_drawings_say_what_they_show_and_hold_text_as_typed(model):
    found = explain_score(*PAIRS[4], model=model)
    table, words = draw_word_pairs(found), draw_words(found)
    assert f"add up to the score, {found.score:.4f}" in table.alt
    labels = [label.get_text() for label in table.ax.get_xticklabels()]
    assert labels[:3] == ["$", "x", "$"]
    assert not any(label.get_parse_math() for label in table.ax.get_xticklabels())
    assert {"[CLS] [SEP]", "مرحبا", "<"} <= {text.get_text() for text in words.ax.texts}
    assert "sentence,word,contribution" in to_csv(words.data)


def test_words_are_readable_on_their_shade(model):
    """Black text on every shade, and white on the inverted ones of a dark page: 4.5:1."""
    for patch in draw_words(explain_score(DOG, PUPPY, model=model)).ax.patches:
        shade = np.array(patch.get_facecolor()[:3])
        assert min(contrast(shade, 0.0), contrast(1 - shade, 1.0)) >= 4.5


def contrast(color, gray) -> float:
    def luminance(parts):
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(np.asarray(color)), luminance(np.full(3, gray))])
    return (high + 0.05) / (low + 0.05)


@STEPS("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_pairs_of_the_sts_benchmark_add_up(count, model, monkeypatch, stsb):
    table = read_stsb("test", folder=stsb).head(count)
    pairs = list(zip(table["sentence_a"], table["sentence_b"], strict=True))
    assert len(pairs) == count
    assert sums_alone(pairs, model, monkeypatch) < 1e-6
