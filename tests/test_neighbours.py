"""neighbours.py: pairs, groups and partners, exact, in a stable order and in bounded memory."""

import numpy as np
import pandas as pd
import pytest

from stslab import count_duplicates, groups, match, near_duplicates, score_pairs


class Vectors:
    """An encoder whose texts are row numbers of an array."""

    def __init__(self, array):
        self.array = np.asarray(array, dtype=np.float32)

    def encode(self, texts):
        return self.array[[int(text) for text in texts]]


def texts_of(encoder):
    return [str(row) for row in range(len(encoder.array))]


@pytest.fixture
def clustered():
    """Sixty vectors around twenty centres."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(20, 16))
    return Vectors(centres[random.integers(0, 20, 60)] + 0.4 * random.normal(size=(60, 16)))


def test_pairs_are_those_that_reach_the_threshold_best_first(letters):
    pairs = near_duplicates(["ab", "c", "ba", "aab", "cc"], model=letters, threshold=0.9)
    assert pairs.columns.tolist() == ["sentence_a", "sentence_b", "score", "index_a", "index_b"]
    assert pairs[["index_a", "index_b"]].to_numpy().tolist() == [[0, 2], [1, 4], [0, 3], [2, 3]]
    assert pairs["score"].round(4).tolist() == [1.0, 1.0, 0.9487, 0.9487]
    assert pairs.attrs["found"] == 4


def test_a_score_equal_to_the_threshold_counts(letters):
    """The cosine of ab and a is the root of one half, computed with another last digit."""
    assert len(near_duplicates(["ab", "a"], model=letters, threshold=round(0.5**0.5, 12))) == 1
    assert len(near_duplicates(["ab", "a"], model=letters, threshold=0.7072)) == 0


def test_no_pairs_make_an_empty_table_with_its_columns(letters):
    pairs = near_duplicates(["a", "b"], model=letters, threshold=0.5)
    assert len(pairs) == pairs.attrs["found"] == 0
    assert pairs.columns[0] == "sentence_a"
    found = groups(["a", "b"], model=letters, threshold=0.5)
    assert len(found) == 0
    assert found.columns.tolist()[:2] == ["group", "size"]


def test_equal_texts_give_as_many_pairs_as_asked_for_and_the_true_count(letters, monkeypatch):
    """All n(n-1)/2 pairs tie: the earliest are kept, none but the kept ones is stored."""
    monkeypatch.setattr("stslab.neighbours.BLOCK", 16)
    pairs = near_duplicates(["ab"] * 100, model=letters, threshold=0.8, max_pairs=150)
    assert pairs.attrs["found"] == 4950
    assert pairs["index_a"].tolist() == [0] * 99 + [1] * 51
    assert pairs["index_b"].tolist() == [*range(1, 100), *range(2, 53)]
    found = groups(["ab"] * 100, model=letters, threshold=0.8)
    assert found["index"].tolist() == list(range(100))
    assert found["size"].unique().tolist() == [100]


@pytest.mark.parametrize("max_pairs", [1, 7, 40])
def test_bounded_pairs_are_the_head_of_all_pairs(clustered, max_pairs, monkeypatch):
    whole = near_duplicates(texts_of(clustered), model=clustered, threshold=0.3)
    monkeypatch.setattr("stslab.neighbours.BLOCK", 7)
    texts = texts_of(clustered)
    some = near_duplicates(texts, model=clustered, threshold=0.3, max_pairs=max_pairs)
    assert some.attrs == whole.attrs
    pd.testing.assert_frame_equal(some, whole.head(max_pairs))


@pytest.mark.parametrize("block", [1, 7, 60])
def test_results_do_not_depend_on_the_block(clustered, block, monkeypatch):
    texts = texts_of(clustered)

    def everything():
        return [
            near_duplicates(texts, model=clustered, threshold=0.5),
            groups(texts, model=clustered, threshold=0.5),
            count_duplicates(texts, model=clustered, thresholds=[0.3, 0.6]),
            match(texts, model=clustered),
            match(texts[:20], texts[20:], model=clustered),
        ]

    usual = everything()
    monkeypatch.setattr("stslab.neighbours.BLOCK", block)
    for one, other in zip(usual, everything(), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_pairs_and_scores_are_those_of_sentence_transformers(clustered):
    import torch
    from sentence_transformers.util import paraphrase_mining_embeddings

    mined = paraphrase_mining_embeddings(torch.tensor(clustered.array))
    pairs = near_duplicates(texts_of(clustered), model=clustered, threshold=-1)
    assert pairs[["index_a", "index_b"]].to_numpy().tolist() == [pair[1:] for pair in mined]
    np.testing.assert_allclose(pairs["score"], [pair[0] for pair in mined], atol=1e-6)
    same = score_pairs(pairs[["sentence_a", "sentence_b"]], model=clustered)
    np.testing.assert_array_equal(same["score"], pairs["score"])


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("min_size", [2, 4])
def test_groups_are_those_of_sentence_transformers(clustered, threshold, min_size):
    from sentence_transformers.util import community_detection

    expected = community_detection(clustered.array, threshold, min_community_size=min_size)
    texts = texts_of(clustered)
    found = groups(texts, model=clustered, threshold=threshold, min_size=min_size)
    assert [group["index"].tolist() for _, group in found.groupby("group")] == expected


def test_a_group_begins_with_its_representative_then_by_score(letters):
    found = groups(["aab", "c", "ab", "ba", "cc", "abc"], model=letters, threshold=0.8)
    assert found["group"].tolist() == [1, 1, 1, 1, 2, 2]
    assert found["sentence"].tolist() == ["ab", "ba", "aab", "abc", "c", "cc"]
    assert found["representative"].tolist() == ["ab"] * 4 + ["c"] * 2
    assert found["index"].tolist() == [2, 3, 0, 5, 1, 4]
    assert found["score"].round(4).tolist() == [1.0, 1.0, 0.9487, 0.8165, 1.0, 1.0]


def test_counts_agree_with_pairs_and_groups(clustered):
    texts, steps = texts_of(clustered), [-1, 0.2, 0.5, 0.9]
    counted = count_duplicates(texts, model=clustered, thresholds=steps)
    for row, threshold in zip(counted.itertuples(), steps, strict=True):
        pairs = near_duplicates(texts, model=clustered, threshold=threshold)
        found = groups(texts, model=clustered, threshold=threshold)
        assert row.pairs == len(pairs)
        assert row.grouped == len(found)
        assert row.groups == found["group"].nunique()
        assert row.largest == found["size"].max()


def test_each_text_finds_its_partner_with_margin_and_mutual_choice(letters):
    found = match(["aab", "a", "b"], ["ab", "b", "aa"], model=letters)
    assert found["sentence_b"].tolist() == ["ab", "aa", "b"]
    assert found["index_b"].tolist() == [0, 2, 1]
    assert found["score"].round(4).tolist() == [0.9487, 1.0, 1.0]
    assert found["margin"].round(4).tolist() == [0.0543, 0.2929, 0.2929]
    assert found["mutual"].tolist() == [True, True, True]


def test_of_equally_good_partners_the_first_is_taken(letters):
    found = match(["a", "a"], ["b", "aa", "a"], model=letters)
    assert found["index_b"].tolist() == [1, 1]
    assert found["margin"].tolist() == [0.0, 0.0]
    assert found["mutual"].tolist() == [True, False]


def test_without_a_second_list_no_text_is_its_own_partner(letters):
    found = match(["a", "b", "ab", "a"], model=letters)
    assert found["index_b"].tolist() == [3, 2, 0, 0]
    assert found["mutual"].tolist() == [True, False, False, True]


def test_the_only_partner_has_no_margin(letters):
    assert match(["a", "b"], ["c"], model=letters)["margin"].isna().all()
    assert match(["a", "b"], model=letters)["margin"].isna().all()


def test_a_text_without_known_words_is_like_nothing():
    """A zero vector scores 0, with itself too, and is in no group."""
    encoder = Vectors([[0, 0], [0, 0], [1, 0], [2, 0]])
    assert near_duplicates(texts_of(encoder), model=encoder, threshold=0.5)["index_a"][0] == 2
    assert groups(texts_of(encoder), model=encoder, threshold=0.5)["index"].tolist() == [2, 3]


@pytest.mark.parametrize("threshold", [1.1, -2, float("nan")])
def test_a_threshold_that_no_cosine_has_is_refused(letters, threshold):
    for call in (near_duplicates, groups):
        with pytest.raises(ValueError, match=r"threshold=.*lies in \[-1, 1\]"):
            call(["a", "b"], model=letters, threshold=threshold)


def test_one_sentence_and_useless_bounds_are_refused(letters):
    with pytest.raises(ValueError, match="sentences: 1 text, but a pair needs two"):
        near_duplicates(["a"], model=letters, threshold=0.5)
    with pytest.raises(ValueError, match="left: 1 text, but a pair needs two"):
        match(["a"], model=letters)
    with pytest.raises(ValueError, match="max_pairs=0"):
        near_duplicates(["a", "b"], model=letters, threshold=0.5, max_pairs=0)
    with pytest.raises(ValueError, match="min_size=1"):
        groups(["a", "b"], model=letters, threshold=0.5, min_size=1)
    with pytest.raises(ValueError, match=r"right\[0\] is blank"):
        match(["a"], [" "], model=letters)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0], ids=["equal", "alike", "different"])
def test_fifty_thousand_sentences_fit_in_bounded_memory(spread):
    """Beyond the vectors, some blocks of scores: no matrix of 50,000 × 50,000 (20 GB)."""
    import tracemalloc

    random = np.random.default_rng(0)
    encoder = Vectors(1 + spread * random.normal(size=(50_000, 384)))
    tracemalloc.start()
    near_duplicates(texts_of(encoder), model=encoder, threshold=0.8)
    groups(texts_of(encoder), model=encoder, threshold=0.8)
    match(texts_of(encoder), model=encoder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e9
