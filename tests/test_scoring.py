"""Scores: stable columns, stable order, cosine similarities in [-1, 1]."""

import re

import numpy as np
import pandas as pd
import pytest

from stslab import (
    InputError,
    bands,
    closest_pairs,
    interpret,
    rank,
    score_pairs,
    search,
    similarity_matrix,
)


class Fixed:
    """An encoder with the vectors given."""

    def __init__(self, **vectors):
        self.vectors = vectors

    def encode(self, texts):
        return [self.vectors[text] for text in texts]


def test_a_pair_carries_its_other_columns(letters):
    pairs = pd.DataFrame({"id": [7], "sentence_b": ["b"], "sentence_a": ["a"]})
    scored = score_pairs(pairs, model=letters)
    assert scored.columns.tolist() == ["sentence_a", "sentence_b", "score", "id"]
    assert scored.loc[0].tolist() == ["a", "b", 0.0, 7]


def test_ties_keep_input_order(letters):
    """Sorting (score, text) would order equal scores by alphabet."""
    ranked = rank("a", ["ccb", "aac", "caa", "aca"], model=letters)
    assert ranked["sentence"].tolist() == ["aac", "caa", "aca", "ccb"]
    assert ranked["rank"].tolist() == [1, 2, 3, 4]


def test_opposite_directions_score_minus_one_and_unknown_words_zero():
    encoder = Fixed(up=[0, 2], down=[0, -3], unknown=[0, 0])
    scored = score_pairs([("up", "down"), ("up", "unknown")], model=encoder)
    assert scored["score"].tolist() == [-1.0, 0.0]


def test_search_answers_each_query_with_positions_in_the_corpus(letters):
    hits = search(["a", "c"], ["b", "ca", "c", "aa"], model=letters, top_k=2)
    assert hits.columns.tolist() == ["query", "rank", "score", "corpus_id", "text"]
    assert hits["query"].tolist() == ["a", "a", "c", "c"]
    assert hits["corpus_id"].tolist() == [3, 1, 2, 1]
    assert hits["text"].tolist() == ["aa", "ca", "c", "ca"]


def test_a_matrix_is_symmetric_with_ones_on_its_diagonal(model):
    texts = ["A dog runs.", "Ein Hund läuft.", "狗在跑。", "A dog runs."]
    matrix = similarity_matrix(texts, model=model)
    assert matrix.index.name == "sentence"
    assert matrix.index.tolist() == matrix.columns.tolist() == texts
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    assert matrix.iloc[0, 3] == 1


def test_a_matrix_larger_than_a_block_equals_the_pairs(letters, monkeypatch):
    monkeypatch.setattr("stslab.scores.cosine.BLOCK", 2)
    texts = ["a", "ab", "abc", "bc", "c"]
    matrix = similarity_matrix(texts, model=letters)
    pairs = score_pairs([("ab", text) for text in texts], model=letters)
    np.testing.assert_allclose(matrix.loc["ab"], pairs["score"], atol=1e-7)


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (1.0, "Near-duplicate or paraphrase"),
        (0.9, "Near-duplicate or paraphrase"),
        (0.8999, "Highly similar in topic and meaning"),
        (0.7, "Highly similar in topic and meaning"),
        (0.5, "Somewhat related"),
        (0.3, "Weakly related or loosely connected"),
        (0.2999, "Unrelated or different topics"),
        (-1.0, "Unrelated or different topics"),
    ],
)
def test_each_score_has_its_band(score, name):
    assert interpret(score) == name


def test_the_bands_cover_every_score():
    table = bands()
    assert table["from_score"].tolist() == [0.9, 0.7, 0.5, 0.3, -1.0]
    assert table["below_score"].tolist() == [1.0, 0.9, 0.7, 0.5, 0.3]
    assert table["band"].tolist() == [interpret(score) for score in table["from_score"]]


@pytest.mark.parametrize("score", [1.01, -2.0, float("nan")])
def test_what_is_no_cosine_has_no_band(score):
    with pytest.raises(ValueError, match=r"lies in \[-1, 1\]"):
        interpret(score)


@pytest.mark.parametrize("top_k", [0, -1, 3])
def test_top_k_outside_the_corpus_is_refused(letters, top_k):
    for call in (
        lambda: search("a", ["b", "c"], model=letters, top_k=top_k),
        lambda: rank("a", ["b", "c"], model=letters, top_k=top_k),
    ):
        with pytest.raises(ValueError, match=rf"top_k={top_k}: expected 1 to 2, the number of"):
            call()


@pytest.mark.parametrize("top_k", [2.5, 2.0, "2", None])
def test_top_k_that_is_no_whole_number_is_refused(letters, top_k):
    """It was once cut to one: 2.5 gave two hits."""
    with pytest.raises(TypeError, match=rf"top_k={re.escape(repr(top_k))}: expected a whole numb"):
        search("a", ["b", "c", "a"], model=letters, top_k=top_k)
    if top_k is not None:  # to `rank`, None means all
        with pytest.raises(TypeError, match="expected a whole number"):
            rank("a", ["b", "c", "a"], model=letters, top_k=top_k)
    with pytest.raises(TypeError, match="expected a whole number"):
        closest_pairs(similarity_matrix(["a", "b", "c"], model=letters), top_k)


def test_top_k_may_be_a_number_of_numpy(letters):
    assert len(rank("a", ["b", "c"], model=letters, top_k=np.int64(1))) == 1


def test_one_sentence_makes_no_matrix(letters):
    with pytest.raises(ValueError, match="needs at least 2, got 1"):
        similarity_matrix(["a"], model=letters)


@pytest.mark.parametrize("top_k", [1, 2, 3, 7, 40, 100])
def test_closest_pairs_are_the_head_of_all_pairs_sorted(top_k):
    """With many ties, which keep input order; two 0.5 once hid a 0.9 behind them in their row."""
    values = np.random.default_rng(0).integers(0, 4, (12, 12)) / 4
    names = list("abcdefghijkl")
    matrix = pd.DataFrame(np.triu(values, 1) + np.triu(values, 1).T, names, names)
    rows, columns = np.triu_indices(12, k=1)
    pairs = [(names[a], names[b], matrix.iloc[a, b]) for a, b in zip(rows, columns, strict=True)]
    expected = sorted(pairs, key=lambda pair: -pair[2])[:top_k]
    found = closest_pairs(matrix, top_k)
    assert list(found.itertuples(index=False, name=None)) == expected


def test_a_blank_candidate_is_named(letters):
    with pytest.raises(ValueError, match=r"candidates\[1\] is blank"):
        rank("a", ["b", ""], model=letters)


def test_a_matrix_that_no_memory_holds_is_refused_before_anything_is_encoded():
    """Encoding 100,000 texts takes minutes; their matrix would take 37 GiB."""

    class Encoder:
        def encode(self, texts):
            raise AssertionError("encoded")

    words = r"30,001 sentences .* 30,000 .*near_duplicates.*best_matches.*sample"
    with pytest.raises(ValueError, match=words):
        similarity_matrix(["a"] * 30_001, model=Encoder())


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["ab", "cd"], r"pairs\[0\]: expected two texts, got 'ab'\."),
        (
            [("a", "b"), ("a", "b", 3.5)],
            r"pairs\[1\]: expected two texts, got \('a', 'b', 3\.5\)\.",
        ),
        ([5], r"pairs\[0\]: expected two texts, got 5\."),
        (
            pd.DataFrame({"s1": ["a"], "s2": ["b"]}),
            r"columns \['s1', 's2'\]: expected 'sentence_a'",
        ),
    ],
)
def test_what_is_no_pair_is_named_with_its_place(letters, pairs, said):
    """A list of strings, a pair with its score, a table with other names."""
    with pytest.raises(InputError, match=said):
        score_pairs(pairs, model=letters)
