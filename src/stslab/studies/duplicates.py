"""Near-duplicates: pairs, communities and best matches in long lists.

sentence-transformers does the work, on the different texts: exact repeats are set aside first and
counted afterwards, because 50,000 equal texts alone would be a billion pairs. The scores of what it
finds are computed again in double precision, so that equal texts tie and ties keep input order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import check_texts, check_top_k
from ..models.encoding import Encoder, encode
from ..scores.cosine import clip, unit_rows
from ..wording import counted
from .content import has_content

Vectors = npt.NDArray[np.float64]

BLOCK = 256  # rows scored at a time: with 50,000 sentences 100 MB of scores
HALF = 5e-13  # half of the last decimal that scores keep
CLOSE = 1e-6  # single precision may miss a score this close to the threshold
SEARCHED = 10  # nearest texts looked at for a best match: several may score the same


class _Different:
    """The different texts of a list, their vectors, and where each occurs."""

    def __init__(self, texts: Sequence[str], model: Encoder, fewest: int, argument: str) -> None:
        self.texts = check_texts(texts, argument)
        if len(self.texts) < fewest:
            raise ValueError(f"{argument}: 1 text, but a pair needs two. Add another.")
        rows: dict[str, list[int]] = {}
        for row, text in enumerate(self.texts):
            rows.setdefault(text, []).append(row)
        self.rows = list(rows.values())
        self.first = np.array([each[0] for each in self.rows])
        self.counts = np.array([len(each) for each in self.rows])
        self.unit = unit_rows(encode(list(rows), model=model))
        # 1, or 0 for a text of which the model knows no word: it is like nothing, repeats included.
        self.own = self.scores(slice(None), slice(None))

    def scores(self, a: Any, b: Any, other: _Different | None = None) -> Vectors:
        """Score different texts by their numbers."""
        return clip(np.einsum("ij,ij->i", self.unit[a], (other or self).unit[b]))

    def tensor(self) -> Any:
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
        How many pairs to keep, the best; `count_duplicates` counts them all.

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
    sentence-transformers' ``util.paraphrase_mining``, which looks at the 100 nearest of each text.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> pairs = near_duplicates(["ab", "c", "ba", "aab"], model=Letters(), threshold=0.9)
    >>> pairs[["sentence_a", "sentence_b", "score"]].round(2).to_numpy().tolist()
    [['ab', 'ba', 1.0], ['ab', 'aab', 0.95], ['ba', 'aab', 0.95]]
    """
    from sentence_transformers import util

    top_k = check_top_k(top_k)
    _check(threshold)
    texts = _Different(sentences, model, 2, "sentences")
    mined = util.paraphrase_mining_embeddings(
        texts.tensor(), query_chunk_size=BLOCK, max_pairs=top_k
    )
    close = [(a, b) for score, a, b in mined if score >= threshold - CLOSE]
    a, b = np.array(close, dtype=int).reshape(-1, 2).T
    repeats = [(rows[0], row) for rows in texts.rows for row in rows[1:]]
    ids = np.array([*repeats, *zip(texts.first[a], texts.first[b], strict=True)], dtype=int)
    ids = np.sort(ids.reshape(-1, 2), axis=1)
    scores = np.r_[np.repeat(texts.own, texts.counts - 1), texts.scores(a, b)]
    table = _table(texts.texts, texts.texts, ids, scores).sort_values(["id_a", "id_b"])
    table = table[table["score"] >= threshold].sort_values("score", ascending=False, kind="stable")
    return table.head(top_k).reset_index(drop=True)


def communities(sentences: Sequence[str], *, model: Encoder, threshold: float) -> pd.DataFrame:
    """Gather sentences round representatives that they resemble.

    The sentence with the most others above the threshold represents them; then the one with the
    most among all others that is still free, and so on. A sentence is in one community at most.

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
    sentence-transformers' ``util.community_detection``.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = communities(["ab", "c", "ba", "aab", "cc"], model=Letters(), threshold=0.9)
    >>> found[["community", "size", "sentence", "representative"]].to_numpy().tolist()[2:]
    [[1, 3, 'aab', 'ab'], [2, 2, 'c', 'c'], [2, 2, 'cc', 'c']]
    """
    _check(threshold)
    texts = _Different(sentences, model, 2, "sentences")
    rows = []
    for number, members in enumerate(_communities(texts, threshold), start=1):
        scores = texts.scores([members[0]] * len(members), members)
        occurrences = [
            (-score, row)
            for member, score in zip(members, scores, strict=True)
            for row in texts.rows[member]
        ]
        representative = texts.rows[members[0]][0]
        occurrences.sort(key=lambda each: (each[1] != representative, each))
        rows += [
            (number, len(occurrences), texts.texts[row], texts.texts[representative], -score, row)
            for score, row in occurrences
        ]
    columns = ["community", "size", "sentence", "representative", "score", "sentence_id"]
    return pd.DataFrame(rows, columns=columns)


def count_duplicates(
    sentences: Sequence[str], *, model: Encoder, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Count pairs and communities at several thresholds: what choosing one would mean.

    Parameters
    ----------
    sentences, model
        As for `near_duplicates`.
    thresholds : sequence of float in [-1, 1]

    Returns
    -------
    pandas.DataFrame
        Columns ``threshold, pairs, communities, sentences, largest``: how many pairs of sentences
        (repeats included, each with each) score at least the threshold, how many `communities`
        there are, of how many sentences, and the size of the largest.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> texts = ["ab", "c", "ba", "aab"]
    >>> count_duplicates(texts, model=Letters(), thresholds=[0.9, 1]).to_numpy().tolist()
    [[0.9, 3.0, 1.0, 3.0, 3.0], [1.0, 1.0, 1.0, 2.0, 2.0]]
    """
    for threshold in thresholds:
        _check(threshold)
    texts = _Different(sentences, model, 2, "sentences")
    levels, counts = np.asarray(thresholds, float), texts.counts
    repeats = counts * (counts - 1) // 2
    pairs = [int(repeats[texts.own >= level].sum()) for level in levels]
    for start in range(0, len(counts), BLOCK):
        block = texts.unit[start : start + BLOCK] @ texts.unit[start:].T
        block[np.tril_indices(len(block))] = -2  # each pair once, none with itself
        for number, level in enumerate(levels):
            reached = (block >= level - HALF).astype(np.float32)  # a product that is quick
            weights = reached @ counts[start:].astype(np.float32)
            pairs[number] += int(weights @ counts[start : start + BLOCK])
    rows = []
    for level, count in zip(levels, pairs, strict=True):
        sizes = [int(counts[members].sum()) for members in _communities(texts, level)]
        rows.append((float(level), count, len(sizes), sum(sizes), max(sizes, default=0)))
    columns = ["threshold", "pairs", "communities", "sentences", "largest"]
    return pd.DataFrame(rows, columns=columns)


def best_matches(
    left: Sequence[str], right: Sequence[str] | None = None, *, model: Encoder
) -> pd.DataFrame:
    """Find each text's best match in another list.

    Parameters
    ----------
    left : sequence of str, length n
    right : sequence of str, length m, or None, default None
        None finds the nearest other text of `left`, which then needs two.
    model : Encoder

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``sentence_a, sentence_b, score, margin, mutual, id_a, id_b``, in the order of
        `left`; of up to ten equally good matches the first. ``margin`` is what the score is ahead
        of the second best (NaN where there is none); ``mutual``: the match's best match is this.

    Notes
    -----
    sentence-transformers' ``util.semantic_search``, in both directions.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = best_matches(["a", "aab"], ["c", "ab", "aa"], model=Letters())
    >>> found[["sentence_a", "sentence_b", "score", "mutual"]].round(2).to_numpy().tolist()
    [['a', 'aa', 1.0, True], ['aab', 'ab', 0.95, True]]
    """
    alone = right is None
    a = _Different(left, model, 2 if alone else 1, "left")
    b = a if right is None else _Different(right, model, 1, "right")
    there, back = _nearest(a, b, alone), _nearest(b, a, alone)
    rows = []
    for row, found in sorted(there.items()):
        other, score = found[0]
        margin = score - found[1][1] if len(found) > 1 else np.nan
        rows.append((row, other, score, margin, back[other][0][0] == row))
    ids, others, scores, margins, both = zip(*rows, strict=True)
    table = _table(a.texts, b.texts, np.column_stack([ids, others]), np.array(scores))
    table.insert(3, "margin", np.round(margins, 12))
    table.insert(4, "mutual", both)
    return table


def worth_comparing(sentences: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark the sentences among which to look for the closest: with content, and no repeats.

    A repeat scores 1 or nearly so, and so do "n/a" and "none", which is no news. Capitals, spaces
    and a closing stop or exclamation mark do not make a sentence another one.

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
    repeats = pd.Series([_folded(text) for text in sentences], dtype=object).duplicated()
    says = np.array([has_content(text) for text in sentences], dtype=bool)
    return says & ~repeats.to_numpy()


def describe_repeats(sentences: Sequence[str]) -> str:
    """Say how many sentences occur more than once, as `worth_comparing` sees it.

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
    count = sum(times > 1 for times in Counter(map(_folded, sentences)).values())
    occur = "occurs" if count == 1 else "occur"
    return f"{counted(count, 'sentence')} {occur} more than once." if count else ""


def _folded(text: str) -> str:
    line = " ".join(text.casefold().split())
    return line.rstrip(".!") or line


def _nearest(a: _Different, b: _Different, alone: bool) -> dict[int, list[tuple[int, float]]]:
    """Find the two best matches of each text of `a`: its row → their rows and scores."""
    from sentence_transformers import util

    searched = util.semantic_search(a.tensor(), b.tensor(), top_k=SEARCHED, query_chunk_size=BLOCK)
    nearest = {}
    for number, hits in enumerate(searched):
        ids = [hit["corpus_id"] for hit in hits]
        scores = a.scores([number] * len(ids), ids, b).tolist()
        # Three occurrences of a repeated text are enough: one may be the text itself.
        places = [
            (-score, row) for i, score in zip(ids, scores, strict=True) for row in b.rows[i][:3]
        ]
        best = [(row, -score) for score, row in sorted(places)[:3]]
        for row in a.rows[number]:
            nearest[row] = [hit for hit in best if not alone or hit[0] != row][:2]
    return nearest


def _communities(texts: _Different, threshold: float) -> list[list[int]]:
    """List communities by size with repeats: numbers of different texts, representative first."""
    from sentence_transformers import util

    found = util.community_detection(texts.tensor(), threshold - CLOSE, 2, batch_size=BLOCK)
    kept = []
    for members in found:
        scores = texts.scores([members[0]] * len(members), members)
        near = [each for each, score in zip(members, scores, strict=True) if score >= threshold]
        kept += [near] if len(near) > 1 else []
    taken = {each for members in kept for each in members}
    repeated = np.flatnonzero((texts.counts > 1) & (texts.own >= threshold)).tolist()
    kept += [[number] for number in repeated if number not in taken]
    return sorted(kept, key=lambda members: (-texts.counts[members].sum(), members[0]))


def _check(threshold: float) -> None:
    if not -1 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: a cosine similarity lies in [-1, 1].")


def _table(
    left: Sequence[str], right: Sequence[str], ids: npt.NDArray[Any], scores: Vectors
) -> pd.DataFrame:
    a, b = ids.T
    texts = {"sentence_a": [left[row] for row in a], "sentence_b": [right[row] for row in b]}
    return pd.DataFrame(texts, dtype=object).assign(score=scores, id_a=a, id_b=b)
