"""Near-duplicates: pairs, groups and partners in long lists, exactly and in bounded memory.

Scores are computed block by block in double precision and rounded to 12 decimals, so that ties
are ties and results do not depend on the block. sentence-transformers' `paraphrase_mining` and
`community_detection` do the same work; the first keeps 100 neighbours of a sentence, the second
all pairs at once (10 GB for 50,000 equal texts), and neither orders ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from .encoding import Encoder, encode
from .inputs import check_texts
from .scoring import _clip, _unit

Vectors = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

BLOCK = 256  # rows scored at a time: with 50,000 sentences 100 MB of scores
HALF = 5e-13  # half of the last decimal kept: a score this close to a threshold reaches it
NOT_A_PAIR = -2.0  # lower than any score


def near_duplicates(
    sentences: Sequence[str], *, model: Encoder, threshold: float, max_pairs: int = 100_000
) -> pd.DataFrame:
    """Find all pairs of sentences that score at least a threshold.

    Parameters
    ----------
    sentences : sequence of str, length n
        At least two. Equal ones are pairs, too.
    model : Encoder
        ``encode`` maps n sentences to an array of shape (n, dim).
    threshold : float
        The lowest score of a pair, in [-1, 1].
    max_pairs : int, default 100,000
        Of more pairs the best are kept: n equal sentences alone make n(n-1)/2.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, score, index_a, index_b``, best first, ties by position
        in `sentences`; ``index_a`` is the smaller. ``.attrs["found"]`` counts all pairs, those
        not kept included.

    Raises
    ------
    ValueError
        If there are fewer than two sentences, one is blank, or an argument is out of range.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, texts):
    ...         return [[text.count(letter) for letter in "abc"] for text in texts]
    >>> pairs = near_duplicates(["ab", "c", "ba", "aab"], model=Letters(), threshold=0.9)
    >>> pairs[["sentence_a", "sentence_b", "score"]].round(2).to_numpy().tolist()
    [['ab', 'ba', 1.0], ['ab', 'aab', 0.95], ['ba', 'aab', 0.95]]
    """
    if max_pairs < 1:
        raise ValueError(f"max_pairs={max_pairs}: expected at least 1.")
    sentences, unit = _checked(sentences, [threshold], model)
    scores, first, second = np.empty(0), np.empty(0, np.intp), np.empty(0, np.intp)
    found, lowest = 0, threshold - HALF
    for start, block in _upper_blocks(unit):
        found += int(np.count_nonzero(block >= threshold - HALF))
        rows, columns = np.nonzero(block >= lowest)
        scores = np.concatenate([scores, _clip(block[rows, columns])])
        first = np.concatenate([first, start + rows])
        second = np.concatenate([second, start + columns])
        if len(scores) >= max_pairs:
            # Stable, and pairs come in order of position: of equal scores the earlier ones stay.
            best = np.argsort(-scores, kind="stable")[:max_pairs]
            scores, first, second = scores[best], first[best], second[best]
            lowest = scores[-1] + HALF
    best = np.argsort(-scores, kind="stable")
    pairs = _pairs(sentences, sentences, scores[best], first[best], second[best])
    pairs.attrs["found"] = found
    return pairs


def groups(
    sentences: Sequence[str], *, model: Encoder, threshold: float, min_size: int = 2
) -> pd.DataFrame:
    """Group sentences around representatives that they resemble.

    The sentence with the most neighbours represents them as a group; then the one with the most
    neighbours among all others, as far as they are still free, and so on. A sentence is in one
    group at most.

    Parameters
    ----------
    sentences, model
        As for `near_duplicates`.
    threshold : float
        The lowest score of a member to its representative, in [-1, 1].
    min_size : int, default 2

    Returns
    -------
    pandas.DataFrame
        Columns ``group, size, sentence, representative, score, index``: the largest group first,
        its representative first, then by score to it, ties by position. ``index`` is the
        sentence's position. Sentences without a group are left out.

    Notes
    -----
    The groups of sentence-transformers' ``community_detection``.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, texts):
    ...         return [[text.count(letter) for letter in "abc"] for text in texts]
    >>> found = groups(["ab", "c", "ba", "aab", "cc"], model=Letters(), threshold=0.9)
    >>> found[["group", "size", "sentence", "representative"]].to_numpy().tolist()[2:]
    [[1, 3, 'aab', 'ab'], [2, 2, 'c', 'c'], [2, 2, 'cc', 'c']]
    """
    if min_size < 2:
        raise ValueError(f"min_size={min_size}: expected at least 2.")
    sentences, unit = _checked(sentences, [threshold], model)
    found = _communities(unit, threshold, _neighbour_counts(unit, [threshold])[0], min_size)
    rows = [
        (number, len(members), sentences[index], sentences[members[0]], score, int(index))
        for number, (members, scores) in enumerate(found, start=1)
        for index, score in zip(members, scores, strict=True)
    ]
    columns = ["group", "size", "sentence", "representative", "score", "index"]
    return pd.DataFrame(rows, columns=columns)


def count_duplicates(
    sentences: Sequence[str], *, model: Encoder, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Count pairs and groups at several thresholds: what choosing one would mean.

    Parameters
    ----------
    sentences, model
        As for `near_duplicates`.
    thresholds : sequence of float
        In [-1, 1].

    Returns
    -------
    pandas.DataFrame
        Columns ``threshold, pairs, groups, grouped, largest``: how many pairs score at least the
        threshold, how many groups `groups` finds, of how many sentences, and the largest's size.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, texts):
    ...         return [[text.count(letter) for letter in "abc"] for text in texts]
    >>> texts = ["ab", "c", "ba", "aab"]
    >>> count_duplicates(texts, model=Letters(), thresholds=[0.9, 1]).to_numpy().tolist()
    [[0.9, 3.0, 1.0, 3.0, 3.0], [1.0, 1.0, 1.0, 2.0, 2.0]]
    """
    _, unit = _checked(sentences, thresholds, model)
    rows = []
    for threshold, counts in zip(thresholds, _neighbour_counts(unit, thresholds), strict=True):
        sizes = [len(members) for members, _ in _communities(unit, threshold, counts, 2)]
        pairs = int(counts.sum()) // 2
        rows.append((float(threshold), pairs, len(sizes), sum(sizes), max(sizes, default=0)))
    return pd.DataFrame(rows, columns=["threshold", "pairs", "groups", "grouped", "largest"])


def match(
    left: Sequence[str], right: Sequence[str] | None = None, *, model: Encoder
) -> pd.DataFrame:
    """Find each text's best partner in another list.

    Parameters
    ----------
    left : sequence of str, length n
    right : sequence of str, length m, or None, default None
        None finds the nearest other text of `left`, which then needs two.
    model : Encoder

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``sentence_a, sentence_b, score, margin, mutual, index_a, index_b``, in the order
        of `left`; of equally good partners the first. ``margin`` is what the score is ahead of
        the second best (NaN where there is none); ``mutual`` says whether the partner's own best
        partner is this text.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, texts):
    ...         return [[text.count(letter) for letter in "abc"] for text in texts]
    >>> found = match(["a", "aab"], ["c", "ab", "aa"], model=Letters())
    >>> found[["sentence_a", "sentence_b", "score", "mutual"]].round(2).to_numpy().tolist()
    [['a', 'aa', 1.0, True], ['aab', 'ab', 0.95, True]]
    """
    alone = right is None
    left, a = _checked(left, [], model, fewest=2 if alone else 1, argument="left")
    right, b = (left, a) if right is None else _checked(right, [], model, 1, "right")
    nearest, scores, margins = np.empty(len(a), np.intp), np.empty(len(a)), np.empty(len(a))
    back, best_back = np.zeros(len(b), np.intp), np.full(len(b), NOT_A_PAIR)
    for start in range(0, len(a), BLOCK):
        block = a[start : start + BLOCK] @ b.T
        row = np.arange(len(block))
        if alone:
            block[row, start + row] = NOT_A_PAIR
        column_best = block.max(axis=0)
        better = column_best > best_back + 2 * HALF
        first = (block >= column_best - 2 * HALF).argmax(axis=0)  # of equal scores
        back[better], best_back[better] = start + first[better], column_best[better]
        best = block.max(axis=1)
        index = (block >= best[:, None] - 2 * HALF).argmax(axis=1)
        block[row, index] = NOT_A_PAIR
        nearest[start + row], scores[start + row] = index, _clip(best)
        margins[start + row] = _clip(best) - _clip(block.max(axis=1))
    table = _pairs(left, right, scores, np.arange(len(a)), nearest)
    table.insert(3, "margin", np.where(len(b) > 1 + alone, margins.round(12), np.nan))
    table.insert(4, "mutual", back[nearest] == np.arange(len(a)))
    return table


def _checked(
    sentences: Sequence[str],
    thresholds: Sequence[float],
    model: Encoder,
    fewest: int = 2,
    argument: str = "sentences",
) -> tuple[list[str], Vectors]:
    sentences = check_texts(sentences, argument)
    if len(sentences) < fewest:
        raise ValueError(f"{argument}: {len(sentences)} text, but a pair needs two. Add another.")
    for threshold in thresholds:
        if not -1 <= threshold <= 1:
            raise ValueError(f"threshold={threshold}: a cosine similarity lies in [-1, 1].")
    return sentences, _unit(encode(sentences, model=model))


def _upper_blocks(unit: Vectors) -> Iterator[tuple[int, Vectors]]:
    """Score each row with those behind it; `start` is the block's first row and column."""
    for start in range(0, len(unit), BLOCK):
        block = unit[start : start + BLOCK] @ unit[start:].T
        block[np.tril_indices(len(block))] = NOT_A_PAIR
        yield start, block


def _neighbour_counts(unit: Vectors, thresholds: Sequence[float]) -> npt.NDArray[np.int64]:
    """Count at each threshold the others that each row reaches."""
    counts = np.zeros((len(thresholds), len(unit)), np.int64)
    for start, block in _upper_blocks(unit):
        for count, threshold in zip(counts, thresholds, strict=True):
            reached = block >= threshold - HALF
            count[start : start + len(block)] += np.count_nonzero(reached, axis=1)
            count[start:] += np.count_nonzero(reached, axis=0)
    return counts


def _communities(
    unit: Vectors, threshold: float, counts: npt.NDArray[np.int64], min_size: int
) -> list[tuple[Rows, Vectors]]:
    """Find groups, largest first: positions, the representative's first, and scores to it."""
    free = np.ones(len(unit), bool)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] + 1 >= min_size]
    found = []
    for start in range(0, len(order), BLOCK):
        centres = order[start : start + BLOCK]
        centres = centres[free[centres]]
        for centre, scores in zip(centres, unit[centres] @ unit.T, strict=True):
            if not free[centre]:
                continue
            scores[centre] = NOT_A_PAIR
            members = np.flatnonzero(free & (scores >= threshold - HALF))
            if len(members) + 1 >= min_size:
                score = _clip(scores[members])
                best = np.argsort(-score, kind="stable")
                free[centre] = free[members] = False
                found.append((np.r_[centre, members[best]], np.r_[1.0, score[best]]))
    return sorted(found, key=lambda group: -len(group[0]))


def _pairs(
    left: Sequence[str], right: Sequence[str], scores: Vectors, first: Rows, second: Rows
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sentence_a": pd.Series([left[row] for row in first], dtype=object),
            "sentence_b": pd.Series([right[row] for row in second], dtype=object),
            "score": scores,
            "index_a": first,
            "index_b": second,
        }
    )
