"""Word overlap, and what its weights were learnt from."""

import pytest

from stslab import jaccard, score_words


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


def test_tfidf_learns_from_the_pairs_or_from_the_texts_given():
    """The word that both share weighs less where every text has it."""
    pairs = [("a dog barks", "a dog sleeps")]
    own = score_words(pairs)
    same = score_words(pairs, fitted_on=["a dog barks", "a dog sleeps"])
    wider = score_words(pairs, fitted_on=["a dog barks", "cat barks", "cat sleeps"])
    assert own.equals(same)
    assert own.columns.tolist() == ["sentence_a", "sentence_b", "jaccard", "tfidf"]
    assert own.loc[0, "tfidf"] < wider.loc[0, "tfidf"]


def test_texts_without_words_score_zero():
    assert score_words([("🙂", "🙃")]).loc[0, ["jaccard", "tfidf"]].tolist() == [0.0, 0.0]
