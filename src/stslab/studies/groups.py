"""Groups of a list's sentences, and what to know of each: members, terms, who stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import InputError, check_texts
from ..models.encoding import Encoder
from ..scores.cosine import similarity_matrix
from ..scores.groups import group_tree, leaves
from ..wording import counted
from .content import has_content
from .terms import cluster_terms

CUTS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)  # average scores tried to part groups at
SAMPLE = 1000  # sentences that the cut is chosen on
MOST = 10_000  # pairs listed


@dataclass(frozen=True)
class SentenceGroups:
    """A list's different sentences in groups; exact repeats are one sentence, said several times.

    `table` has the columns ``group, row, sentence, times, rows, nearest, score``, in the order of
    the tree, so that a group's members stand together: ``group`` from 1, the one with most rows
    first, 0 for a sentence that stands alone, -1 for one without content; ``row`` its first row in
    the list, ``rows`` all of them; ``nearest`` the other sentence with content that scores highest
    with it. `matrix` holds the scores, in the same order.
    """

    table: pd.DataFrame
    matrix: pd.DataFrame
    terms: tuple[str, ...]  # of each group, the terms that set it apart from the others
    threshold: float  # groups were joined where their average score is at least this

    @property
    def names(self) -> list[str]:
        """Each sentence's group in words; empty where it stands alone."""
        return [f"{n}. {self.terms[n - 1]}" if n > 0 else "" for n in self.table["group"]]

    def groups(self) -> pd.DataFrame:
        """List the groups, largest first.

        Returns
        -------
        pandas.DataFrame
            Columns ``group, rows, about, members``: rows of the list, the group's terms, and its
            sentences, one a line, the most typical first, each with its row and how often it is
            said.
        """
        found = []
        for number, members in self._by_group():
            said = zip(members["sentence"], members["times"], members["rows"], strict=True)
            texts = [f"{s} ({_rows(rows, times)})" for s, times, rows in said]
            rows = int(members["times"].sum())
            found.append((number, rows, self.terms[number - 1], "\n".join(texts)))
        return pd.DataFrame(found, columns=["group", "rows", "about", "members"])

    def members(self) -> pd.DataFrame:
        """List all sentences that are in a group: ``group, about, sentence, times, rows``."""
        parts = [part for _, part in self._by_group()]
        table = pd.concat(parts) if parts else self.table.head(0)
        table = table.assign(about=[self.terms[number - 1] for number in table["group"]])
        table["rows"] = [", ".join(map(str, rows)) for rows in table["rows"]]
        return table[["group", "about", "sentence", "times", "rows"]].reset_index(drop=True)

    def alone(self) -> pd.DataFrame:
        """List the sentences that stand alone, the farthest from all others first.

        Returns
        -------
        pandas.DataFrame
            Columns ``row, sentence, times, nearest, score``, the row being its first.
        """
        table = self.table[self.table["group"] == 0].sort_values("score", kind="stable")
        return table[["row", "sentence", "times", "nearest", "score"]].reset_index(drop=True)

    def pairs(self, threshold: float) -> pd.DataFrame:
        """List the pairs that score at least a threshold, closest first; else the closest pair.

        Parameters
        ----------
        threshold : float
            Of more than 10,000 pairs, the best are listed; `count` counts all. None holds a text
            without content.

        Returns
        -------
        pandas.DataFrame
            Columns ``score, sentence_a, sentence_b, row_a, row_b``.
        """
        row = self.table["row"].to_numpy()
        least = min(threshold, self.table.loc[self.table["group"] >= 0, "score"].max())
        found = np.empty((0, 3))
        for at, near, scores in self._reaching(least):
            better = scores >= least  # than the worst that is kept
            new = [scores[better], np.full(better.sum(), at), near[better]]
            found = np.r_[found, np.column_stack(new)]
            if len(found) > 3 * MOST:
                found = found[np.argsort(-found[:, 0], kind="stable")[:MOST]]
                least = found[-1, 0]
        ends = np.sort(row[found[:, 1:].astype(int)], axis=1)
        found = found[np.lexsort((ends[:, 1], ends[:, 0], -found[:, 0]))][:MOST]
        a, b = found[:, 1:].astype(int).T
        a, b = np.where(row[a] < row[b], (a, b), (b, a))
        text = self.table["sentence"].to_numpy()
        pairs = {"score": found[:, 0], "sentence_a": text[a], "sentence_b": text[b]}
        return pd.DataFrame(pairs).assign(row_a=row[a], row_b=row[b])

    def count(self, threshold: float) -> int:
        """Count the pairs of different texts with content that score at least a threshold."""
        return sum(len(near) for _, near, _ in self._reaching(threshold))

    def repeats(self) -> pd.DataFrame:
        """List what is said more than once, most often first: ``times, sentence, rows``."""
        table = self.table[self.table["times"] > 1]
        table = table.sort_values(["times", "row"], ascending=[False, True])
        table = table.assign(rows=[", ".join(map(str, rows)) for rows in table["rows"]])
        return table[["times", "sentence", "rows"]].reset_index(drop=True)

    def describe(self) -> str:
        """Say how many groups there are, how much they hold, and what the largest is about."""
        texts = len(self.table)
        alone, empty = (int((self.table["group"] == which).sum()) for which in (0, -1))
        total = int(self.table["times"].sum())
        what = "different sentence" if total > texts else "sentence"
        if not self.terms:
            return f"No two of {counted(texts, what)} form a group."
        every = f"Both {what}s" if texts == 2 else f"All {texts:,} {what}s"
        held = f"{texts - alone - empty:,} of {counted(texts, what)}" if alone or empty else every
        said = f"{held} fall into {counted(len(self.terms), 'group')}"
        rest = [f"{alone:,} {'stands' if alone == 1 else 'stand'} alone"] * bool(alone)
        rest += [f"{empty:,} {'has' if empty == 1 else 'have'} no content"] * bool(empty)
        said += f"; {', '.join(rest)}." if rest else "."
        sizes, words = (
            self.table.groupby("group")["times"].sum(),
            self.terms[0].replace(" · ", ", "),
        )
        if len(self.terms) > 1 and sizes[1] > sizes[2] and words:
            of = f" of the {total:,}" if total > texts else ""
            said += f" The largest has {sizes[1]:,}{of}; its typical words: {words}."
        return said

    def _reaching(
        self, threshold: float
    ) -> Iterator[tuple[int, npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
        """Give each text's place, and the places and scores of those behind it that are near."""
        values, says = self.matrix.to_numpy(), (self.table["group"] >= 0).to_numpy()
        for at in np.flatnonzero(says).tolist():
            reached = says[at + 1 :] & (values[at, at + 1 :] >= threshold)
            near = at + 1 + np.flatnonzero(reached)
            yield at, near, values[at, near]

    def _by_group(self) -> list[tuple[int, pd.DataFrame]]:
        found = []
        for number in range(1, len(self.terms) + 1):
            at = np.flatnonzero(self.table["group"] == number)
            typical = self.matrix.to_numpy()[np.ix_(at, at)].mean(axis=1).round(6)
            found.append((number, self.table.iloc[at[np.argsort(-typical, kind="stable")]]))
        return found


def group_sentences(
    sentences: Sequence[str],
    *,
    model: Encoder,
    threshold: float | None = None,
    rows: Sequence[int] | None = None,
) -> SentenceGroups:
    """Put a list's sentences into groups that are joined by their average score.

    Parameters
    ----------
    sentences : sequence of str, length n
        At least two different ones, at most 30,000.
    model : Encoder
    threshold : float or None, default None
        Groups are joined where their average score is at least this. None tries 0.25 to 0.6 and
        takes the one whose groups are most distinct (silhouette, Rousseeuw 1987).
    rows : sequence of int or None, default None
        The number of each sentence for readers, such as its line in a file; None counts from 1.

    Returns
    -------
    SentenceGroups

    Raises
    ------
    InputError
        If there are fewer than two different sentences.

    Notes
    -----
    A text without content ("n/a", see `has_content`) is in no group: its scores mean nothing.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = group_sentences(["ab", "cc", "ba", "ab", "dd"], model=Letters())
    >>> found.groups()[["rows", "members"]].to_numpy().tolist()
    [[3, 'ab (rows 1, 4)\\nba (row 3)']]
    >>> found.describe()
    '2 of 4 different sentences fall into 1 group; 2 stand alone.'
    """
    from scipy.cluster.hierarchy import fcluster

    texts = check_texts(sentences, "sentences")
    where: dict[str, list[int]] = {}
    for text, row in zip(texts, rows or range(1, len(texts) + 1), strict=True):
        where.setdefault(text, []).append(row)
    if len(where) < 2:
        raise InputError("sentences: all are the same. Groups need at least 2 different ones.")
    matrix = similarity_matrix(list(where), model=model)
    tree = group_tree(matrix)
    order = leaves(tree)
    matrix = matrix.iloc[order, order]
    cut = _most_distinct(matrix, tree, order) if threshold is None else threshold
    label = fcluster(tree, t=1 - cut, criterion="distance")[order]
    says = np.array([has_content(text) for text in matrix.index])
    label[~says] = label.max() + 1 + np.arange((~says).sum())
    table = pd.DataFrame({"sentence": pd.Series(list(matrix.index), dtype=object)})
    table["rows"] = [where[text] for text in table["sentence"]]
    table["row"], table["times"] = table["rows"].str[0], table["rows"].map(len)
    of = table.groupby(label).agg(n=("row", "size"), times=("times", "sum"), first=("row", "min"))
    joined = of[of["n"] > 1].sort_values(["times", "first"], ascending=[False, True]).index
    numbers = {each: number for number, each in enumerate(joined, start=1)}
    table.insert(0, "group", [numbers.get(each, 0) for each in label])
    named = cluster_terms(list(matrix.index), label).set_index("cluster")["terms"]
    table.loc[~says, "group"] = -1
    nearest, score = _nearest(matrix, says)
    table["nearest"], table["score"] = table["sentence"].to_numpy()[nearest], score
    table.loc[score < -1, ["nearest", "score"]] = "", np.nan  # there is no other
    columns = ["group", "row", "sentence", "times", "rows", "nearest", "score"]
    return SentenceGroups(table[columns], matrix, tuple(named[joined]), cut)


def _most_distinct(matrix: pd.DataFrame, tree: npt.NDArray[np.float64], order: list[int]) -> float:
    """Choose the cut with the best silhouette; 0.5 where no cut makes groups."""
    from scipy.cluster.hierarchy import fcluster
    from sklearn.metrics import silhouette_score

    at = np.arange(len(order))
    if len(at) > SAMPLE:
        at = np.sort(np.random.default_rng(0).choice(len(at), SAMPLE, replace=False))
    far = np.clip(1 - matrix.to_numpy()[np.ix_(at, at)].astype(float), 0, None)
    np.fill_diagonal(far, 0)
    best = (0.0, 0.5)
    for cut in CUTS:
        label = fcluster(tree, t=1 - cut, criterion="distance")[order][at]
        if 1 < len(set(label.tolist())) < len(at):
            score = round(float(silhouette_score(far, label, metric="precomputed")), 6)
            best = max(best, (score, cut))
    return best[1]


def _nearest(
    matrix: pd.DataFrame, says: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Find each row's highest score with another that says something, without a copy of all."""
    nearest, best = np.empty(len(matrix), dtype=np.intp), np.empty(len(matrix))
    for row, scores in enumerate(matrix.to_numpy()):
        others = np.where(says, scores, -2)
        others[row] = -2
        nearest[row] = others.argmax()
        best[row] = others[nearest[row]]
    return nearest, best


def _rows(rows: Sequence[int], times: int) -> str:
    listed = ", ".join(map(str, rows[:10])) + (", …" if times > 10 else "")
    return f"row{'s' * (times > 1)} {listed}"
