"""Models side by side: cut, rounded, scored on the same pairs, and what they cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stslab import read_pairs, score_pairs, score_words
from stslab.studies import Reduced, compare_models, model_costs

PAIRS = [
    ("A dog is playing in the park.", "A puppy is running outside."),
    ("The stock market crashed today.", "Investors lost billions overnight."),
    ("She loves reading mystery novels.", "The weather forecast shows heavy rain."),
    ("A cat sleeps on the couch.", "The cat is sleeping on the sofa."),
]


class Fixed:
    """A toy encoder: a text is its own vector, written as numbers."""

    def encode(self, texts):
        return [[float(number) for number in text.split()] for text in texts]


@pytest.fixture
def fixed():
    return Fixed()


def test_the_first_numbers_are_kept(fixed):
    """As `truncate_dim` does."""
    assert Reduced(fixed, dimension=2).encode(["3 4 12"]).tolist() == [[3, 4]]
    assert Reduced(fixed).encode(["3 4 12"]).tolist() == [[3, 4, 12]]


@pytest.mark.parametrize("dimension", [0, 4])
def test_a_dimension_the_model_has_not_is_refused(fixed, dimension):
    """Cutting nothing off silently would compare a model with itself."""
    with pytest.raises(ValueError, match=f"dimension={dimension}: expected 1 to 3"):
        Reduced(fixed, dimension=dimension).encode(["3 4 12"])


def test_an_unknown_precision_is_refused_with_the_known_ones(fixed):
    """It would otherwise be taken for another one."""
    with pytest.raises(ValueError, match="'int4': expected one of float32, int8, binary"):
        Reduced(fixed, precision="int4").encode(["3 4 12"])


def test_binary_keeps_signs_and_a_zero_row_stays_similar_to_nothing(fixed):
    """Also where the dimension fills no whole bytes."""
    signs = Reduced(fixed, precision="binary").encode(["3 -4 12", "0 0 0"])
    assert signs.tolist() == [[1, -1, 1], [0, 0, 0]]


def test_int8_holds_whole_numbers_that_keep_proportions(fixed):
    """The largest number of all takes the whole range; zero stays zero."""
    numbers = Reduced(fixed, precision="int8").encode(["10 -5 0", "0 0 0"])
    assert np.array_equal(numbers, numbers.round())
    assert np.allclose(numbers / 128, [[1, -0.5, 0], [0, 0, 0]], atol=1 / 64)


def test_int8_of_two_texts_moves_a_score_by_little(model):
    """Even where the range is learnt from a single pair."""
    for pair in PAIRS:
        whole = score_pairs([pair], model=model)["score"]
        rounded = score_pairs([pair], model=Reduced(model, precision="int8"))["score"]
        assert np.allclose(whole, rounded, atol=0.02)


def test_a_cut_model_scores_as_sentence_transformers_cuts_it(model):
    """`Reduced` after encoding equals `truncate_dim` while encoding."""
    texts = [text for pair in PAIRS for text in pair]
    ours = Reduced(model, dimension=64).encode(texts)
    assert np.allclose(ours, model.encode(texts, truncate_dim=64), atol=1e-5)


def test_each_model_gets_a_column_beside_the_word_measures(fixed):
    """People's scores stay; other columns do not come along."""
    pairs = pd.DataFrame({"sentence_a": ["3 4"], "sentence_b": ["3 0"], "group": ["x"]})
    pairs = read_pairs(pairs.assign(gold=2)).table
    compared = compare_models(pairs, {"toy": fixed})
    assert list(compared) == ["sentence_a", "sentence_b", "gold_score", "toy", "jaccard", "tfidf"]
    assert compared.loc[0, "toy"] == 0.6
    words = ["jaccard", "tfidf"]  # TF-IDF is fitted on these pairs
    pd.testing.assert_frame_equal(compared[words], score_words(pairs)[words])


def test_a_model_may_not_take_a_column_s_name(fixed):
    """It would hide the other column."""
    with pytest.raises(ValueError, match="'tfidf' is the name of another column"):
        compare_models([("1 2", "2 1")], {"tfidf": fixed})


def test_costs_are_counted(model):
    """all-MiniLM-L6-v2: 6 layers, each 4 · 384² + 2 · 384 · 1536 weights that a token meets."""
    models = {"whole": model, "short": Reduced(model, 32, "binary"), "toy": Fixed()}
    costs = model_costs(models, ["1 2", "3 4 5"]).set_index("model")
    assert costs["dimension"].tolist() == [384, 32, 2]
    assert costs["bytes_per_text"].tolist() == [1536, 4, 8]
    assert costs.loc["whole", "parameters"] == costs.loc["short", "parameters"] == 22_713_216
    assert costs.loc["whole", "tokens_per_text"] == 4.5
    per_token = 6 * (4 * 384**2 + 2 * 384 * 1536)
    assert costs.loc["whole", "work_per_text"] == pytest.approx(4.5 * per_token / 1e6)
    assert costs.loc["toy", ["parameters", "work_per_text"]].isna().all()


def test_identical_texts_score_one_everywhere(model):
    """At every size and precision."""
    models = {
        f"{dimension} {precision}": Reduced(model, dimension, precision)
        for dimension in (384, 32, 5)
        for precision in ("float32", "int8", "binary")
    }
    compared = compare_models([("The very same.", "The very same.")] * 3, models)
    assert (compared[list(models)] == 1).all(axis=None)


def test_two_comparisons_give_the_same_numbers(model):
    """To the bit."""
    models = {"int8": Reduced(model, 32, "int8"), "binary": Reduced(model, precision="binary")}
    first, second = (compare_models(PAIRS, models) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
