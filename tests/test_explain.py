"""Why two texts score what they score: the sum adds up, and what is left out is the model's own."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, build_quietly
from matplotlib.colors import to_rgb
from page_fixtures import HOSTILE
from reading import shown
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from stslab import load_model, score_pairs
from stslab.examples import Letters
from stslab.figures.show import to_csv
from stslab.report.request.presets import load_preset
from stslab.studies import draw_word_pairs, draw_words, explain_score, read_stsb
from stslab.wording import short_label

pytestmark = pytest.mark.thorough

DOG, PUPPY = "A dog is playing in the park.", "A puppy is running outside."
PAIRS = [
    (DOG, PUPPY),
    ("She loves reading mystery novels.", "The weather forecast shows heavy rain."),
    ("The movie was great.", "The movie was not great."),
    ("dog dog, dog", "Unbelievably un-dog-like: £5!"),
    ("[SEP] and [CLS] as typed", "$x$ <b>bold</b> مرحبا بالعالم"),
]
STEPS = pytest.mark.parametrize


def pooled(model, mode, **settings) -> SentenceTransformer:
    pooling = Pooling(model.get_embedding_dimension(), pooling_mode=mode, **settings)
    return SentenceTransformer(modules=[model[0], pooling], device="cpu")


def gap(found) -> float:
    return abs(found.table.to_numpy().sum() - found.score)


def largest_gap(pairs, model) -> float:
    """Compare with `score_pairs`; texts that leave a word out would take most of the time."""
    scores = score_pairs(pairs, model=model)["score"]
    found = (explain_score(*pair, model=model, leave_out=False) for pair in pairs)
    both = zip(found, scores, strict=True)
    return max(max(gap(each), abs(each.score - score)) for each, score in both)


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


def test_a_word_left_out_is_scored_by_the_model_itself(model):
    """The texts are written down as they are when a word is cut out at its place."""
    a, b = "The un-dog runs, twice.", "A £5 cat"
    without = [" un-dog runs, twice.", "The -dog runs, twice.", "The undog runs, twice."]
    without += ["The un- runs, twice.", "The un-dog , twice.", "The un-dog runs twice."]
    without += ["The un-dog runs, .", "The un-dog runs, twice"]
    pairs = [(each, b) for each in without] + [(a, each) for each in (" £5 cat", "A  cat", "A £5 ")]
    scores = score_pairs(pairs, model=model)["score"]
    found = explain_score(a, b, model=model)
    words = found.words
    assert words["word"].tolist() == [
        "The",
        "un",
        "-",
        "dog",
        "runs",
        ",",
        "twice",
        ".",
        "A",
        "£5",
        "cat",
    ]
    assert words["sentence"].tolist() == ["a"] * 8 + ["b"] * 3
    assert np.abs(words["score_without"] - scores).max() < 1e-6
    assert np.abs(words["change"] - (found.score - scores)).max() < 1e-6


def test_without_leaving_words_out_the_sum_is_the_same(model):
    whole, alone = (explain_score(DOG, PUPPY, model=model, leave_out=each) for each in (1, 0))
    assert alone.table.equals(whole.table)
    assert alone.score == whole.score
    assert alone.words[["score_without", "change"]].isna().all(axis=None)
    assert "The two views" in whole.describe()
    assert "The two views" not in alone.describe()
    assert alone.headline() in alone.describe()


def test_each_cell_is_the_product_of_its_tokens_alone(model):
    """Computed from the model's token embeddings, of words that are one token each."""
    a, b = "dogs run", "cats sleep"
    t, u = (model.encode(text, output_value="token_embeddings").double().numpy() for text in (a, b))
    lengths = [np.linalg.norm(each.mean(axis=0)) * len(each) for each in (t, u)]
    cells = t @ u.T / np.prod(lengths)
    expected = [[cells[np.ix_(i, j)].sum() for j in ([1], [2], [0, 3])] for i in ([1], [2], [0, 3])]
    found = explain_score(a, b, model=model, leave_out=False)
    assert np.allclose(found.table.to_numpy(), expected, atol=1e-6)


def test_nothing_is_scored_where_no_text_is_left(model):
    words = explain_score("dog", "A puppy", model=model).words
    assert words["score_without"].isna().tolist() == [True, False, False]


def test_hostile_texts_add_up_and_are_drawn_as_typed(model):
    """Half a character is refused by the tokenizer, here as by `score_pairs`."""
    short = (text for text in HOSTILE if "\ud83d" not in text and len(text) < 20_000)
    pairs = list(itertools.pairwise(short))
    assert largest_gap(pairs, model) < 1e-6
    for pair in pairs[::4]:
        found = explain_score(*pair, model=model, leave_out=False)
        words = draw_words(found)
        written = [text.get_text() for text in words.ax.texts]
        assert written == [name for names in found.table.axes for name in map(short_label, names)]
        assert not any(text.get_parse_math() for text in words.ax.texts)
        plt.close(words.ax.figure)


def test_a_long_text_adds_up_and_says_that_it_is_cut(model):
    long = "A dog runs after 5 cats. " * 60
    found = explain_score(long, PUPPY, model=model, leave_out=False)
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


def turned_dark(color):
    """Do what style.css does on a dark page: invert(1) hue-rotate(180deg), then screen.

    The matrix is that of https://www.w3.org/TR/filter-effects-1/#feColorMatrixElement.
    """
    turn = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
    paper = np.array([0x15, 0x17, 0x1A]) / 255
    return 1 - (1 - np.clip(turn @ (1 - np.asarray(color)), 0, 1)) * (1 - paper)


def luminance(color) -> float:
    """Compute the relative luminance of https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = np.asarray(color)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(*colors) -> float:
    low, high = sorted(map(luminance, colors))
    return (high + 0.05) / (low + 0.05)


@STEPS("draw", [draw_words, draw_word_pairs])
def test_text_is_readable_on_every_shade_light_and_dark(draw, model):
    found = explain_score(DOG, PUPPY, model=model, leave_out=False)
    halves = []
    for sign in (1, -1):
        drawn = draw(replace(found, table=sign * found.table, words=turned(found.words, sign)))
        shades = [patch.get_facecolor()[:3] for patch in drawn.ax.patches]
        if not shades:
            shades = drawn.ax.collections[0].get_facecolor()[:, :3]
        for text, shade in zip(drawn.ax.texts, shades, strict=True):
            ink = to_rgb(text.get_color())
            assert contrast(ink, shade) >= 4.5
            assert contrast(turned_dark(ink), turned_dark(shade)) >= 4.5
        halves.append(min(shades, key=luminance))
        plt.close(drawn.ax.figure)
    (red, _, warm), (cold, _, blue) = halves
    assert red > warm
    assert blue > cold


def turned(words, sign):
    return words.assign(contribution=sign * words["contribution"])


@STEPS("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_pairs_of_the_sts_benchmark_add_up(count, model, stsb):
    table = read_stsb("test", folder=stsb).head(count)
    pairs = list(zip(table["sentence_a"], table["sentence_b"], strict=True))
    assert len(pairs) == count
    assert largest_gap(pairs, model) < 1e-6


def test_a_tokenizer_that_disagrees_with_the_model_gets_no_table(model, monkeypatch):
    from stslab.studies import explain

    encoding, prompt = explain._encoding(DOG, model)
    other = SimpleNamespace(
        **{name: getattr(encoding, name) for name in ("word_ids", "offsets", "tokens")},
        special_tokens_mask=encoding.special_tokens_mask,
        overflowing=[],
        ids=encoding.ids[::-1],
    )
    monkeypatch.setattr(explain, "_encoding", lambda text, model: (other, prompt))
    found = explain_score(DOG, DOG, model=model)
    assert found.table is None
    assert found.describe().startswith("The score is not split over words: the tokenizer's tokens")
    assert found.words["score_without"].notna().all()


def test_more_pairs_of_words_than_a_table_holds_get_none(second_model):
    static = load_model(str(second_model), device="cpu")
    found = explain_score("dog " * 2001, "cat " * 2000, model=static, leave_out=False)
    assert found.table is None
    assert "have too many of them" in found.describe()
    assert draw_words(found).alt


def test_a_report_without_a_sum_to_show_has_no_word_of_it(model, tmp_path):
    """Repeats alone, then a model that pools otherwise: no heading, no figure."""
    pooled(model, "cls").save(str(tmp_path / "cls"))
    (tmp_path / "asked.yaml").write_text("title: Asked\nnotebooks: [report_pairs]\n", "utf-8")
    pairs = {"pairs": [["A dog.", "A dog."]]}
    for values in (pairs, {"model_name": str(tmp_path / "cls")}, {"pairs": [[DOG, PUPPY]]}):
        asked = load_preset(
            tmp_path / "asked.yaml", notebooks_dir=ROOT / "notebooks", overrides=values
        )
        build_quietly(asked, tmp_path)
        text = shown(tmp_path / "asked/report_pairs.html")
        explained = [DOG, PUPPY] in values.get("pairs", [])
        assert ("Why these scores?" in text) == explained
        assert ("no cause" in text) == explained
