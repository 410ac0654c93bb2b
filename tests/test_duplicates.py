"""Near-duplicates: pairs, communities and best matches, as a reference in NumPy finds them."""

import numpy as np
import pandas as pd
import pytest

from stslab import score_pairs
from stslab.studies import best_matches, communities, count_duplicates, near_duplicates


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
    """Sixty different vectors around twenty centers."""
    random = np.random.default_rng(0)
    centers = random.normal(size=(20, 16))
    return Vectors(centers[random.integers(0, 20, 60)] + 0.4 * random.normal(size=(60, 16)))


@pytest.fixture(params=range(5))
def repeated(request):
    """Texts of which some occur several times and some have the direction of another one."""
    random = np.random.default_rng(request.param)
    centers = random.normal(size=(6, 12))
    array = centers[random.integers(0, 6, 40)] + 0.5 * random.normal(size=(40, 12))
    array[[5, 17, 30]] = 2 * array[[9, 9, 2]]  # the same scores to the bit
    array[21] = 0  # a text without a known word
    texts = [str(row) for row in random.integers(0, 40, 70)] + ["21", "21", "5", "9"]
    return Vectors(array), texts


# The reference


def scores_of(encoder, left, right=None):
    """Score each with each, as everywhere in stslab: double precision, 12 decimals."""
    unit = []
    for texts in (left, left if right is None else right):
        array = np.asarray(encoder.encode(texts), dtype=np.float32).astype(float)
        length = np.linalg.norm(array, axis=1, keepdims=True)
        unit.append(array / np.where(length == 0, 1, length))
    return np.clip(np.round(np.einsum("id,jd->ij", *unit), 12), -1, 1) + 0.0


def reference_pairs(encoder, texts, threshold):
    """Each different text with each other one, and each repeat with the first of its kind."""
    scores = scores_of(encoder, texts)
    n = len(texts)
    pairs = [
        (-scores[i, j], i, j)
        for i in range(n)
        for j in range(i + 1, n)
        if texts.index(texts[i]) == i
        and (texts.index(texts[j]) == j or texts[i] == texts[j])
        and scores[i, j] >= threshold
    ]
    return [(i, j, -score) for score, i, j in sorted(pairs)]


def reference_communities(encoder, texts, threshold):
    """Take the text with the most near ones, then the one with the most that is still free."""
    first = [row for row, text in enumerate(texts) if texts.index(text) == row]
    scores = scores_of(encoder, texts)
    near = {row: [other for other in first if scores[row, other] >= threshold] for row in first}
    found, used = [], set()
    for row in sorted(first, key=lambda row: -len(near[row])):
        free = [other for other in near[row] if other not in used]
        if row not in used and len(free) > 1:
            found.append([row, *(other for other in free if other != row)])
            used |= set(free)
    found += [[row] for row in first if row not in used and scores[row, row] >= threshold]
    whole = []
    for representative, *others in found:
        members = {texts[row] for row in (representative, *others)}
        rows = [row for row, text in enumerate(texts) if text in members]
        rows.sort(key=lambda row: (row != representative, -scores[representative, row], row))
        whole += [rows] if len(rows) > 1 else []
    return sorted(whole, key=lambda rows: (-len(rows), rows[0]))


def reference_matches(encoder, left, right=None):
    """Give the position, score, margin and mutuality of each text's best match."""

    def best(a, b, alone):
        scores = scores_of(encoder, a, b)
        order = [
            sorted((-scores[i, j], j) for j in range(len(b)) if not alone or i != j)
            for i in range(len(a))
        ]
        return [[(j, -score) for score, j in each[:2]] for each in order]

    alone, other = right is None, left if right is None else right
    there, back = best(left, other, alone), best(other, left, alone)
    return [
        (found[0][0], found[0][1], found[0][1] - found[1][1], back[found[0][0]][0][0] == row)
        for row, found in enumerate(there)
    ]


@pytest.mark.parametrize("threshold", [-1, 0, 0.3, 0.6, 0.9, 1])
def test_pairs_are_those_of_the_reference(repeated, threshold):
    encoder, texts = repeated
    pairs = near_duplicates(texts, model=encoder, threshold=threshold)
    rows = list(pairs[["id_a", "id_b", "score"]].itertuples(index=False, name=None))
    assert rows == reference_pairs(encoder, texts, threshold)
    assert pairs["sentence_a"].tolist() == [texts[row] for row in pairs["id_a"]]
    assert pairs["sentence_b"].tolist() == [texts[row] for row in pairs["id_b"]]


@pytest.mark.parametrize("threshold", [-1, 0, 0.3, 0.6, 0.9, 1])
def test_communities_are_those_of_the_reference(repeated, threshold):
    encoder, texts = repeated
    found = communities(texts, model=encoder, threshold=threshold)
    groups = [group["sentence_id"].tolist() for _, group in found.groupby("community")]
    assert groups == reference_communities(encoder, texts, threshold)
    assert found["sentence"].tolist() == [texts[row] for row in found["sentence_id"]]


@pytest.mark.parametrize("threshold", [0, 0.3, 0.6, 0.9, 1])
def test_every_member_reaches_the_threshold_with_its_representative(repeated, threshold):
    encoder, texts = repeated
    found = communities(texts, model=encoder, threshold=threshold)
    assert (found["score"] >= threshold).all()
    assert found["sentence_id"].is_unique
    pairs = found[["representative", "sentence"]].set_axis(["sentence_a", "sentence_b"], axis=1)
    np.testing.assert_array_equal(score_pairs(pairs, model=encoder)["score"], found["score"])
    sizes = found.groupby("community")["sentence"].size()
    assert found["size"].tolist() == sizes[found["community"]].tolist()
    assert sizes.is_monotonic_decreasing


def test_counts_are_those_of_the_reference(repeated):
    encoder, texts = repeated
    levels = [-1, 0, 0.2, 0.5, 0.9, 1]
    scores = scores_of(encoder, texts)[np.triu_indices(len(texts), k=1)]
    counted = count_duplicates(texts, model=encoder, thresholds=levels)
    assert counted["threshold"].tolist() == levels
    assert counted["pairs"].tolist() == [(scores >= level).sum() for level in levels]
    for row in counted.itertuples():
        found = communities(texts, model=encoder, threshold=row.threshold)
        assert row.communities == found["community"].nunique()
        assert row.sentences == len(found)
        assert row.largest == found["size"].max()


def test_best_matches_are_those_of_the_reference(repeated):
    encoder, texts = repeated
    for left, right in ((texts, None), (texts[:30], texts[25:]), (texts[50:], texts[:12])):
        found = best_matches(left, right, model=encoder)
        assert found["id_a"].tolist() == list(range(len(left)))
        assert found["sentence_b"].tolist() == [(right or left)[row] for row in found["id_b"]]
        expected = pd.DataFrame(
            reference_matches(encoder, left, right), columns=["id_b", "score", "margin", "mutual"]
        )
        # The text without a known word scores 0 with all: more than the ten that are looked at.
        known = found["sentence_a"] != "21"
        pd.testing.assert_frame_equal(found.loc[known, expected.columns], expected[known])
        assert (found.loc[~known, ["score", "margin"]] == 0).all(axis=None)


# Against the library itself, where no text repeats


def test_pairs_and_scores_are_those_of_sentence_transformers(clustered):
    import torch
    from sentence_transformers.util import paraphrase_mining_embeddings

    mined = paraphrase_mining_embeddings(torch.tensor(clustered.array))
    pairs = near_duplicates(texts_of(clustered), model=clustered, threshold=-1)
    assert pairs[["id_a", "id_b"]].to_numpy().tolist() == [pair[1:] for pair in mined]
    np.testing.assert_allclose(pairs["score"], [pair[0] for pair in mined], atol=1e-6)
    same = score_pairs(pairs[["sentence_a", "sentence_b"]], model=clustered)
    np.testing.assert_array_equal(same["score"], pairs["score"])


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_communities_are_those_of_sentence_transformers(clustered, threshold):
    """Equally large ones stand by the position of their representative."""
    from sentence_transformers.util import community_detection

    expected = community_detection(clustered.array, threshold, min_community_size=2)
    found = communities(texts_of(clustered), model=clustered, threshold=threshold)
    assert [group["sentence_id"].tolist() for _, group in found.groupby("community")] == sorted(
        expected, key=lambda community: (-len(community), community[0])
    )


def test_best_matches_are_those_of_sentence_transformers(clustered):
    import torch
    from sentence_transformers.util import semantic_search

    array, texts = torch.tensor(clustered.array), texts_of(clustered)
    hits = semantic_search(array[:20], array[20:], top_k=2)
    found = best_matches(texts[:20], texts[20:], model=clustered)
    assert found["id_b"].tolist() == [best["corpus_id"] for best, _ in hits]
    margins = [best["score"] - second["score"] for best, second in hits]
    np.testing.assert_allclose(found["margin"], margins, atol=1e-6)


@pytest.mark.parametrize("block", [1, 7, 60])
def test_results_do_not_depend_on_the_block(clustered, block, monkeypatch):
    texts = texts_of(clustered)

    def everything():
        return [
            near_duplicates(texts, model=clustered, threshold=0.5),
            communities(texts, model=clustered, threshold=0.5),
            count_duplicates(texts, model=clustered, thresholds=[0.3, 0.6]),
            best_matches(texts, model=clustered),
            best_matches(texts[:20], texts[20:], model=clustered),
        ]

    usual = everything()
    monkeypatch.setattr("stslab.studies.duplicates.BLOCK", block)
    for one, other in zip(usual, everything(), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


# By eye


def test_pairs_are_those_that_reach_the_threshold_best_first(letters):
    pairs = near_duplicates(["ab", "c", "ba", "aab", "cc"], model=letters, threshold=0.9)
    assert pairs.columns.tolist() == ["sentence_a", "sentence_b", "score", "id_a", "id_b"]
    assert pairs[["id_a", "id_b"]].to_numpy().tolist() == [[0, 2], [1, 4], [0, 3], [2, 3]]
    assert pairs["score"].round(4).tolist() == [1.0, 1.0, 0.9487, 0.9487]


def test_a_community_begins_with_its_representative_then_by_score(letters):
    found = communities(["aab", "c", "ab", "ba", "cc", "abc"], model=letters, threshold=0.8)
    assert found["community"].tolist() == [1, 1, 1, 1, 2, 2]
    assert found["sentence"].tolist() == ["ab", "ba", "aab", "abc", "c", "cc"]
    assert found["representative"].tolist() == ["ab"] * 4 + ["c"] * 2
    assert found["sentence_id"].tolist() == [2, 3, 0, 5, 1, 4]
    assert found["score"].round(4).tolist() == [1.0, 1.0, 0.9487, 0.8165, 1.0, 1.0]


def test_each_text_finds_its_match_with_margin_and_mutual_choice(letters):
    found = best_matches(["aab", "a", "b"], ["ab", "b", "aa"], model=letters)
    assert found["sentence_b"].tolist() == ["ab", "aa", "b"]
    assert found["id_b"].tolist() == [0, 2, 1]
    assert found["score"].round(4).tolist() == [0.9487, 1.0, 1.0]
    assert found["margin"].round(4).tolist() == [0.0543, 0.2929, 0.2929]
    assert found["mutual"].tolist() == [True, True, True]


def test_of_equally_good_matches_the_first_is_taken(letters):
    """And of two equal texts only the first is what the match would choose."""
    found = best_matches(["a", "a"], ["b", "aa", "a"], model=letters)
    assert found["id_b"].tolist() == [1, 1]
    assert found["margin"].tolist() == [0.0, 0.0]
    assert found["mutual"].tolist() == [True, False]


def test_without_a_second_list_no_text_is_its_own_match(letters):
    found = best_matches(["a", "b", "ab", "a"], model=letters)
    assert found["id_b"].tolist() == [3, 2, 0, 0]
    assert found["mutual"].tolist() == [True, False, False, True]


def test_of_two_repeated_texts_that_score_alike_each_finds_the_nearest_by_position(letters):
    """The second “a” is no mutual match of “aa”, which chooses the first."""
    found = best_matches(["a", "aa", "a", "b"], model=letters)
    assert found["id_b"].tolist() == [1, 0, 0, 0]
    assert found["mutual"].tolist() == [True, True, False, False]


# Edges


def test_two_texts_are_enough(letters):
    pairs = near_duplicates(["ab", "ba"], model=letters, threshold=1)
    assert pairs[["id_a", "id_b", "score"]].to_numpy().tolist() == [[0, 1, 1]]
    found = communities(["ab", "ba"], model=letters, threshold=1)
    assert found["sentence_id"].tolist() == [0, 1]
    matched = best_matches(["ab", "ba"], model=letters)
    assert matched["id_b"].tolist() == [1, 0]
    assert matched["mutual"].all()


def test_equal_texts_pair_with_the_first_and_are_counted_each_with_each(letters):
    """Fifty thousand of them would be a billion pairs."""
    texts = ["ab"] * 100
    pairs = near_duplicates(texts, model=letters, threshold=0.8)
    assert pairs["id_a"].tolist() == [0] * 99
    assert pairs["id_b"].tolist() == list(range(1, 100))
    assert pairs["score"].tolist() == [1.0] * 99
    assert len(near_duplicates(texts, model=letters, threshold=0.8, top_k=7)) == 7
    counted = count_duplicates(texts, model=letters, thresholds=[0.8, 1])
    assert counted.iloc[:, 1:].to_numpy().tolist() == [[4950, 1, 100, 100]] * 2
    found = communities(texts, model=letters, threshold=0.8)
    assert found["sentence_id"].tolist() == list(range(100))
    assert found["size"].unique().tolist() == [100]
    matched = best_matches(texts, model=letters)
    assert matched["id_b"].tolist() == [1] + [0] * 99
    assert matched["mutual"].tolist() == [True, True] + [False] * 98
    assert (matched["margin"] == 0).all()


def test_no_pairs_make_an_empty_table_with_its_columns(letters):
    pairs = near_duplicates(["a", "b"], model=letters, threshold=0.5)
    assert len(pairs) == 0
    assert pairs.columns.tolist() == ["sentence_a", "sentence_b", "score", "id_a", "id_b"]
    found = communities(["a", "b"], model=letters, threshold=0.5)
    assert len(found) == 0
    assert found.columns.tolist()[:2] == ["community", "size"]
    counted = count_duplicates(["a", "b"], model=letters, thresholds=[0.5])
    assert counted.to_numpy().tolist() == [[0.5, 0, 0, 0, 0]]


@pytest.mark.parametrize("top_k", [1, 7, 40])
def test_fewer_pairs_are_the_head_of_all_pairs(clustered, top_k):
    texts = texts_of(clustered)
    whole = near_duplicates(texts, model=clustered, threshold=0.3)
    some = near_duplicates(texts, model=clustered, threshold=0.3, top_k=top_k)
    pd.testing.assert_frame_equal(some, whole.head(top_k))


def test_a_score_equal_to_the_threshold_counts(letters):
    """The cosine of ab and a is the root of one half, computed with another last digit."""
    exact = round(0.5**0.5, 12)
    for threshold, found in [(exact, 1), (exact + 1e-12, 0), (exact + 5e-7, 0)]:
        assert len(near_duplicates(["ab", "a"], model=letters, threshold=threshold)) == found
        assert len(communities(["ab", "a"], model=letters, threshold=threshold)) == 2 * found
        counted = count_duplicates(["ab", "a"], model=letters, thresholds=[threshold])
        assert counted["pairs"].tolist() == counted["communities"].tolist() == [found]


def test_a_repeated_text_whose_neighbor_just_misses_the_threshold_is_one_community(letters):
    """Single precision takes the neighbor for near, double precision does not."""
    threshold = round(0.5**0.5, 12) + 5e-7
    found = communities(["ab", "a", "ab"], model=letters, threshold=threshold)
    assert found[["community", "size", "sentence_id"]].to_numpy().tolist() == [[1, 2, 0], [1, 2, 2]]
    counted = count_duplicates(["ab", "a", "ab"], model=letters, thresholds=[threshold])
    assert counted.iloc[0, 1:].tolist() == [1, 1, 2, 2]


@pytest.fixture
def star():
    """A center and 150 different texts near it, which are less near to each other."""
    return Vectors([[1] + [0] * 150, *np.c_[np.ones(150), np.eye(150) / 2]])


def test_more_than_a_hundred_neighbors_of_one_text_are_all_found(star):
    """The center is among the 100 nearest of each of them."""
    texts = texts_of(star)
    pairs = near_duplicates(texts, model=star, threshold=0.85)
    assert pairs["id_a"].tolist() == [0] * 150
    assert pairs["id_b"].tolist() == list(range(1, 151))
    found = communities(texts, model=star, threshold=0.85)
    assert found["sentence_id"].tolist() == list(range(151))


def test_of_pairs_far_down_on_both_sides_some_are_left_out_and_all_are_counted(star):
    """As the docstring says: the 100 nearest of each text are looked at."""
    pairs = near_duplicates(texts_of(star), model=star, threshold=0.75, top_k=100_000)
    assert 150 + 150 * 99 / 2 <= len(pairs) <= 151 * 150 / 2
    assert not pairs.duplicated(["id_a", "id_b"]).any()
    assert (pairs["id_a"] < pairs["id_b"]).all()
    assert pairs["score"].is_monotonic_decreasing
    counted = count_duplicates(texts_of(star), model=star, thresholds=[0.75])
    assert counted.iloc[0, 1:].tolist() == [151 * 150 / 2, 1, 151, 151]


def test_the_only_candidate_has_no_margin(letters):
    assert best_matches(["a", "b"], ["c"], model=letters)["margin"].isna().all()
    assert best_matches(["a", "b"], model=letters)["margin"].isna().all()


def test_a_text_without_known_words_is_like_nothing():
    """A zero vector scores 0, with itself and its repeats too, and is in no community."""
    encoder = Vectors([[0, 0], [0, 0], [1, 0], [2, 0]])
    texts = [*texts_of(encoder), "0"]
    pairs = near_duplicates(texts, model=encoder, threshold=0.5)
    assert pairs[["id_a", "id_b"]].to_numpy().tolist() == [[2, 3]]
    assert communities(texts, model=encoder, threshold=0.5)["sentence_id"].tolist() == [2, 3]
    assert count_duplicates(texts, model=encoder, thresholds=[0.5])["pairs"].tolist() == [1]


@pytest.mark.parametrize("threshold", [1.1, -2, float("nan")])
def test_a_threshold_that_no_cosine_has_is_refused(letters, threshold):
    for call in (near_duplicates, communities):
        with pytest.raises(ValueError, match=r"threshold=.*lies in \[-1, 1\]"):
            call(["a", "b"], model=letters, threshold=threshold)
    with pytest.raises(ValueError, match=r"threshold=.*lies in \[-1, 1\]"):
        count_duplicates(["a", "b"], model=letters, thresholds=[0.5, threshold])


def test_one_sentence_and_useless_bounds_are_refused(letters):
    with pytest.raises(ValueError, match="sentences: 1 text, but a pair needs two"):
        near_duplicates(["a"], model=letters, threshold=0.5)
    with pytest.raises(ValueError, match="left: 1 text, but a pair needs two"):
        best_matches(["a"], model=letters)
    with pytest.raises(ValueError, match="top_k=0: expected at least 1"):
        near_duplicates(["a", "b"], model=letters, threshold=0.5, top_k=0)
    with pytest.raises(TypeError, match=r"top_k=2\.5: expected a whole number"):
        near_duplicates(["a", "b"], model=letters, threshold=0.5, top_k=2.5)
    with pytest.raises(ValueError, match=r"right\[0\] is blank"):
        best_matches(["a"], [" "], model=letters)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["equal", "different"])
def test_fifty_thousand_sentences_fit_in_bounded_memory(spread):
    """Beyond the vectors, some blocks of scores: no matrix of 50,000 × 50,000 (20 GB)."""
    import psutil

    random = np.random.default_rng(0)
    encoder = Vectors(1 + spread * random.normal(size=(50_000, 384)))
    near_duplicates(["0", "1"], model=encoder, threshold=0.8)  # the library is there
    before = psutil.Process().memory_info().rss
    texts = texts_of(encoder) if spread else ["0"] * 50_000
    near_duplicates(texts, model=encoder, threshold=0.8)
    communities(texts, model=encoder, threshold=0.8)
    best_matches(texts, model=encoder)
    assert psutil.Process().memory_info().rss - before < 2e9
