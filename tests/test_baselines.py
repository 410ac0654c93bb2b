"""baselines.py: word overlap, and what it was fitted on."""

import pytest

from stslab import jaccard, score_pairs_lexically


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("The dog", "the DOG!", 1.0),
        ("a b c", "b c d", 0.5),
        ("?!", "?!", 0.0),  # no word in either
        ("Straße 7", "straße 8", 1 / 3),
    ],
)
def test_jaccard_counts_shared_words(a, b, expected):
    assert jaccard(a, b) == pytest.approx(expected)


def test_tfidf_says_what_it_was_fitted_on():
    pairs = [("a dog barks", "a dog sleeps")]
    own = score_pairs_lexically(pairs)
    wider = score_pairs_lexically(pairs, fitted_on=["dog dog", "cat barks", "cat sleeps"])
    assert own.attrs["fitted_on"] == "the 2 sentences of these pairs"
    assert wider.attrs["fitted_on"] == "the 3 texts given"
    assert own.loc[0, "tfidf"] != wider.loc[0, "tfidf"]


def test_texts_without_words_score_zero():
    assert score_pairs_lexically([("🙂", "🙃")]).loc[0, ["jaccard", "tfidf"]].tolist() == [0.0, 0.0]
