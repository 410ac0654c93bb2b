"""Near-duplicates: pairs, communities and best matches in long lists.

sentence-transformers does the work, on the distinct texts: exact repeats are set aside first and
counted afterwards, because 50,000 equal texts alone would be a billion pairs. The scores of the
results are computed again in double precision, so that equal texts tie and ties keep input order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import check_texts, check_top_k
from ..inputs.texts import repeat_key
from ..models.encoding import Encoder, encode
from ..scores.cosine import clip, unit_rows
from ..wording import counted, plural
from .content import has_content

Vectors = npt.NDArray[np.float64]

BLOCK = 256  # rows scored at a time: with 50,000 sentences 100 MB of scores
HALF = 5e-13  # half of the last decimal that scores keep
CLOSE = 1e-6  # single precision may miss a score this close to the threshold
SEARCHED = 10  # nearest texts looked at for a best match: several may score the same


class _DistinctTexts:
    """The distinct texts of a list, their vectors, and where each occurs."""

    def __init__(self, texts: Sequence[str], model: Encoder, fewest: int, argument: str) -> None:
        self.texts = check_texts(texts, argument)
        if len(self.texts) < fewest:
            raise ValueError(f"{argument}: 1 text, but a pair needs two. Add another.")
        rows: dict[str, list[int]] = {}
        for row, text in enumerate(self.texts):
            rows.setdefault(text, []).append(row)
        self.rows = list(rows.values())
        self.first_rows = np.array([occurrences[0] for occurrences in self.rows])
        self.counts = np.array([len(occurrences) for occurrences in self.rows])
        self.unit = unit_rows(encode(list(rows), model=model))
        # Of a text with itself: 1, or 0 if the model knows no word of it. Such a text is similar
        # to nothing, not even to its repeats.
        self.self_scores = self.scores(slice(None), slice(None))

    def scores(self, a: Any, b: Any, second: _DistinctTexts | None = None) -> Vectors:
        """Score texts `a` of this list with texts `b` of a second one, or of this, row by row."""
        if second is None:
            second = self
        return clip(np.einsum("ij,ij->i", self.unit[a], second.unit[b]))

    def tensor(self) -> Any:
        """Return the vectors for sentence-transformers."""
        import torch

        return torch.from_numpy(self.unit.astype(np.float32))


def near_duplicates(
    sentences: Sequence[str], *, model: Encoder, threshold: float, top_k: int = 10_000
) -> pd.DataFrame:
    """Find the pairs of sentences that score at least a threshold.

    Parameters
    ----------
    sentences : sequence of str, length n
        At least two. Each repeat makes a pair with the first of its kind, and no other.
    model : Encoder
    threshold : float
        The lowest score of a pair, in [-1, 1].
    top_k : int, default 10,000
        The most pairs to return, the best ones; `count_duplicates` counts them all.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, score, id_a, id_b``, best first, then by position.

    Raises
    ------
    ValueError
        If there are fewer than two sentences, one is blank, or an argument is out of range.

    Notes
    -----
    Uses sentence-transformers' ``util.paraphrase_mining``, which looks at the 100 nearest of each
    text.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> pairs = near_duplicates(["ab", "c", "ba", "aab"], model=Letters(), threshold=0.9)
    >>> pairs[["sentence_a", "sentence_b", "score"]].round(2).to_numpy().tolist()
    [['ab', 'ba', 1.0], ['ab', 'aab', 0.95], ['ba', 'aab', 0.95]]
    """
    from sentence_transformers import util

    top_k = check_top_k(top_k)
    _check_threshold(threshold)
    texts = _DistinctTexts(sentences, model, 2, "sentences")
    mined = util.paraphrase_mining_embeddings(
        texts.tensor(), query_chunk_size=BLOCK, max_pairs=top_k
    )
    close = [(a, b) for score, a, b in mined if score >= threshold - CLOSE]
    a, b = np.array(close, dtype=int).reshape(-1, 2).T
    repeats = [(rows[0], row) for rows in texts.rows for row in rows[1:]]
    pairs = [*repeats, *zip(texts.first_rows[a], texts.first_rows[b], strict=True)]
    ids = np.sort(np.array(pairs, dtype=int).reshape(-1, 2), axis=1)
    scores = np.r_[np.repeat(texts.self_scores, texts.counts - 1), texts.scores(a, b)]
    table = _pair_table(texts.texts, texts.texts, ids, scores).sort_values(["id_a", "id_b"])
    table = table[table["score"] >= threshold].sort_values("score", ascending=False, kind="stable")
    return table.head(top_k).reset_index(drop=True)


def communities(sentences: Sequence[str], *, model: Encoder, threshold: float) -> pd.DataFrame:
    """Gather sentences around representatives that they resemble.

    The sentence with the most others above the threshold represents them; then the one with the
    most among the sentences that are still free, and so on. A sentence is in one community at
    most.

    Parameters
    ----------
    sentences, model
        As for `near_duplicates`.
    threshold : float
        The lowest score of a member to its representative, in [-1, 1].

    Returns
    -------
    pandas.DataFrame
        Columns ``community, size, sentence, representative, score, sentence_id``: the largest
        community first, its representative first, then by score to it, ties by position.
        Sentences without a community are left out.

    Notes
    -----
    Uses sentence-transformers' ``util.community_detection``.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = communities(["ab", "c", "ba", "aab", "cc"], model=Letters(), threshold=0.9)
    >>> found[["community", "size", "sentence", "representative"]].to_numpy().tolist()[2:]
    [[1, 3, 'aab', 'ab'], [2, 2, 'c', 'c'], [2, 2, 'cc', 'c']]
    """
    _check_threshold(threshold)
    texts = _DistinctTexts(sentences, model, 2, "sentences")
    rows = []
    for number, members in enumerate(_communities(texts, threshold), start=1):
        representative = texts.rows[members[0]][0]
        occurrences = []
        for member, score in zip(members, _scores_to_first(texts, members), strict=True):
            # The representative comes first, then the highest score, then the first position.
            occurrences += [(row != representative, -score, row) for row in texts.rows[member]]
        for _, negative_score, row in sorted(occurrences):
            sentence, nearest_to = texts.texts[row], texts.texts[representative]
            rows.append((number, len(occurrences), sentence, nearest_to, -negative_score, row))
    columns = ["community", "size", "sentence", "representative", "score", "sentence_id"]
    return pd.DataFrame(rows, columns=columns)


def count_duplicates(
    sentences: Sequence[str], *, model: Encoder, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Count pairs and communities at several thresholds, to choose one.

    Parameters
    ----------
    sentences, model
        As for `near_duplicates`.
    thresholds : sequence of float in [-1, 1]

    Returns
    -------
    pandas.DataFrame
        Columns ``threshold, pairs, communities, sentences, largest``: the number of pairs that
        score at least the threshold (among equal sentences, every two are a pair), the number of
        `communities`, of sentences in them, and the size of the largest.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> texts = ["ab", "c", "ba", "aab"]
    >>> count_duplicates(texts, model=Letters(), thresholds=[0.9, 1]).to_numpy().tolist()
    [[0.9, 3.0, 1.0, 3.0, 3.0], [1.0, 1.0, 1.0, 2.0, 2.0]]
    """
    for threshold in thresholds:
        _check_threshold(threshold)
    texts = _DistinctTexts(sentences, model, 2, "sentences")
    levels = np.asarray(thresholds, float)
    rows = []
    for level, pair_count in zip(levels, _count_pairs(texts, levels), strict=True):
        sizes = [int(texts.counts[members].sum()) for members in _communities(texts, level)]
        rows.append((float(level), pair_count, len(sizes), sum(sizes), max(sizes, default=0)))
    columns = ["threshold", "pairs", "communities", "sentences", "largest"]
    return pd.DataFrame(rows, columns=columns)


def _count_pairs(texts: _DistinctTexts, levels: Vectors) -> list[int]:
    """Count the pairs of sentences that reach each level, repeats included."""
    counts = texts.counts
    pairs_of_repeats = counts * (counts - 1) // 2
    pair_counts = [int(pairs_of_repeats[texts.self_scores >= level].sum()) for level in levels]
    for start in range(0, len(counts), BLOCK):
        block = texts.unit[start : start + BLOCK] @ texts.unit[start:].T
        block[np.tril_indices(len(block))] = -2  # each pair once, and no text with itself
        for number, level in enumerate(levels):
            # Two distinct texts make as many pairs as the product of their counts. In single
            # precision this matrix product is quick.
            reached = (block >= level - HALF).astype(np.float32)
            weights = reached @ counts[start:].astype(np.float32)
            pair_counts[number] += int(weights @ counts[start : start + BLOCK])
    return pair_counts


def best_matches(
    left: Sequence[str], right: Sequence[str] | None = None, *, model: Encoder
) -> pd.DataFrame:
    """Find each text's best match in another list.

    Parameters
    ----------
    left : sequence of str, length n
    right : sequence of str, length m, or None, default None
        None finds the nearest other text in `left`, which then needs at least two.
    model : Encoder

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``sentence_a, sentence_b, score, margin, mutual, id_a, id_b``, in the order of
        `left`; of up to ten equally good matches the first. ``margin`` is the score minus that of
        the second best (NaN where there is none); ``mutual`` is whether the text is also the best
        match of its match.

    Notes
    -----
    Uses sentence-transformers' ``util.semantic_search``, in both directions.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = best_matches(["a", "aab"], ["c", "ab", "aa"], model=Letters())
    >>> found[["sentence_a", "sentence_b", "score", "mutual"]].round(2).to_numpy().tolist()
    [['a', 'aa', 1.0, True], ['aab', 'ab', 0.95, True]]
    """
    if right is None:
        a = b = _DistinctTexts(left, model, 2, "left")
        matches = matches_back = _two_best_matches(a, a, one_list=True)
    else:
        a = _DistinctTexts(left, model, 1, "left")
        b = _DistinctTexts(right, model, 1, "right")
        matches = _two_best_matches(a, b, one_list=False)
        matches_back = _two_best_matches(b, a, one_list=False)
    ids: list[tuple[int, int]] = []
    scores: list[float] = []
    margins: list[float] = []
    is_mutual: list[bool] = []
    for row, best in sorted(matches.items()):
        match, score = best[0]
        ids.append((row, match))
        scores.append(score)
        margin = np.nan
        if len(best) > 1:
            margin = score - best[1][1]
        margins.append(margin)
        is_mutual.append(matches_back[match][0][0] == row)
    table = _pair_table(a.texts, b.texts, np.array(ids), np.array(scores))
    table.insert(3, "margin", np.round(margins, 12))
    table.insert(4, "mutual", is_mutual)
    return table


def worth_comparing(sentences: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark the sentences among which to look for the closest: with content, and no repeats.

    Repeats score 1 or nearly so, and so do "n/a" and "none", which tells nothing. A sentence
    repeats another if they differ in nothing but capitals, spaces and final punctuation.

    Parameters
    ----------
    sentences : sequence of str, length n

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> worth_comparing(["Good", "n/a", "good.", "Fair"]).tolist()
    [True, False, False, True]
    """
    is_repeat = pd.Series([repeat_key(text) for text in sentences], dtype=object).duplicated()
    with_content = np.array([has_content(text) for text in sentences], dtype=bool)
    return with_content & ~is_repeat.to_numpy()


def describe_repeats(sentences: Sequence[str]) -> str:
    """Describe how many sentences occur more than once, as `worth_comparing` compares them.

    Parameters
    ----------
    sentences : sequence of str

    Returns
    -------
    str
        Empty where none does.

    Examples
    --------
    >>> describe_repeats(["ok", "good", "OK", "ok"]), describe_repeats(["ok", "good"])
    ('1 sentence occurs more than once.', '')
    """
    count = sum(times > 1 for times in Counter(map(repeat_key, sentences)).values())
    if not count:
        return ""
    return f"{counted(count, 'sentence')} {plural(count, 'occurs', 'occur')} more than once."


def _two_best_matches(
    a: _DistinctTexts, b: _DistinctTexts, *, one_list: bool
) -> dict[int, list[tuple[int, float]]]:
    """Find the two best matches of each text of `a`: its row → their rows and scores.

    Within one list a text is no match of itself.
    """
    from sentence_transformers import util

    all_hits = util.semantic_search(a.tensor(), b.tensor(), top_k=SEARCHED, query_chunk_size=BLOCK)
    matches = {}
    for number, hits in enumerate(all_hits):
        ids = [hit["corpus_id"] for hit in hits]
        occurrences = []
        for i, score in zip(ids, a.scores([number] * len(ids), ids, b).tolist(), strict=True):
            # Three occurrences of a repeated text are enough: one may be the text itself.
            occurrences += [(-score, row) for row in b.rows[i][:3]]
        best = [(row, -negative_score) for negative_score, row in sorted(occurrences)[:3]]
        for row in a.rows[number]:
            matches[row] = [match for match in best if not one_list or match[0] != row][:2]
    return matches


def _communities(texts: _DistinctTexts, threshold: float) -> list[list[int]]:
    """List communities by size with repeats: numbers of distinct texts, representative first."""
    from sentence_transformers import util

    candidates = util.community_detection(texts.tensor(), threshold - CLOSE, 2, batch_size=BLOCK)
    groups = []
    for candidate in candidates:
        is_near = _scores_to_first(texts, candidate) >= threshold
        members = [member for member, near in zip(candidate, is_near, strict=True) if near]
        if len(members) > 1:
            groups.append(members)
    # A text without a near one is a community with its own repeats.
    in_group = {member for members in groups for member in members}
    repeated = np.flatnonzero((texts.counts > 1) & (texts.self_scores >= threshold)).tolist()
    groups += [[number] for number in repeated if number not in in_group]
    return sorted(groups, key=lambda members: (-texts.counts[members].sum(), members[0]))


def _scores_to_first(texts: _DistinctTexts, members: list[int]) -> Vectors:
    """Score each member of a community with the first one, its representative."""
    return texts.scores(np.full(len(members), members[0]), members)


def _check_threshold(threshold: float) -> None:
    """Raise ValueError if a threshold is no cosine similarity."""
    if not -1 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: a cosine similarity lies in [-1, 1].")


def _pair_table(
    texts_a: Sequence[str], texts_b: Sequence[str], ids: npt.NDArray[Any], scores: Vectors
) -> pd.DataFrame:
    """List pairs of two lists' texts by their rows there."""
    ids_a, ids_b = ids.T
    sentences = {
        "sentence_a": [texts_a[row] for row in ids_a],
        "sentence_b": [texts_b[row] for row in ids_b],
    }
    return pd.DataFrame(sentences, dtype=object).assign(score=scores, id_a=ids_a, id_b=ids_b)
