"""Pairs that a model cannot tell apart: high scores in spite of a difference in meaning.

The checks read English: a pair without a caution may still differ in meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..inputs.checks import check_pairs
from ..wording import counted, listed, plural
from .cautions import Cautions, count_of_total, example, tabulate
from .differences import OVERLOOKED, cautions_of
from .opposites import count_opposites

LIMITS = "These checks read English; other differences, such as names, are not looked for."


def show_pair_cautions(scored: pd.DataFrame, *, threshold: float = 0.7) -> None:
    """Show the result of `pair_cautions`: a sentence, and a table if anything was found.

    Parameters
    ----------
    scored, threshold
        As for `pair_cautions`.
    """
    pair_cautions(scored, threshold=threshold).show()


def pair_cautions(
    scored: pd.DataFrame, *, threshold: float = 0.7, total: int | None = None
) -> Cautions:
    """Find high-scoring pairs with a difference that embedding models are known to overlook.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``, as from `score_pairs`
    threshold : float, default 0.7
        Pairs that score less are not checked; all others are. There may be none.
    total : int or None, default None
        How many pairs reach the threshold, where `scored` holds only these or the closest of them.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, score, sentence_a, sentence_b, detail``:
        for each caution at most three pairs, highest scores first, and how many it concerns.

    Notes
    -----
    Looked for, in English: a negation in one sentence only; numbers, in digits or words, each
    sentence with one that the other lacks; opposites, one in each sentence, of those that
    `count_opposites` counts; exactly the same words in another order. Whether the meaning differs
    is for the reader to say. Notebook 12 says how often each is right.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = [("A man bites a dog", "A dog bites a man", 0.97), ("Pay 5", "Pay 7", 0.9)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> found = pair_cautions(scored)
    >>> found.table[["caution", "count", "detail"]].to_numpy().tolist()
    [['numbers', 1, '5 / 7'], ['the order of words', 1, 'the same 5 words']]
    >>> found.headlines()
    ['Both pairs at 0.7 or more may differ in meaning: 1 in numbers, 1 in the order of words.']
    """
    if len(scored):
        scored = check_pairs(scored)
    pairs = scored[scored["score"] >= threshold]
    pairs = pairs.sort_values("score", ascending=False, kind="stable")
    hits, differing_count = _find_differences(pairs)
    columns = ["score", "sentence_a", "sentence_b", "detail"]
    table, counts = tabulate(hits, columns, len(pairs))
    sentences = [_describe_reach(len(pairs), len(scored), threshold, total)]
    findings = []
    if differing_count:
        kinds = _describe_kinds(counts, differing_count)
        subject = "It"
        if len(pairs) > 1:
            subject = f"{differing_count:,} of them"
        sentences.append(f"{subject} may differ in meaning: {kinds}.")
        subject = count_of_total(differing_count, len(pairs), "pair")
        if total is not None and total > len(pairs):
            subject = f"{differing_count:,} of the closest {len(pairs):,} pairs"
        findings.append(f"{subject} at {threshold:g} or more may differ in meaning: {kinds}.")
    if len(pairs):
        sentences += [*_describe_not_found(counts, len(pairs)), LIMITS]
    name, caption = "pair-cautions", "Close pairs that may differ in meaning"
    return Cautions(table, counts, tuple(sentences), tuple(findings), name, caption)


def _find_differences(pairs: pd.DataFrame) -> tuple[dict[str, list[tuple[Any, ...]]], int]:
    """List what the table shows of each pair with a caution, and count these pairs."""
    hits: dict[str, list[tuple[Any, ...]]] = {caution: [] for caution in OVERLOOKED}
    differing_count = 0
    for score, a, b in zip(pairs["score"], pairs["sentence_a"], pairs["sentence_b"], strict=True):
        differences = cautions_of(a, b)
        if differences:
            differing_count += 1
        for caution, detail in differences.items():
            hits[caution].append((score, example(a), example(b), detail))
    return hits, differing_count


def _describe_reach(count: int, scored_count: int, threshold: float, total: int | None) -> str:
    """Describe how many pairs score at least the threshold."""
    # With a total, the sentence holds without the table, which has only the closest of them.
    if total:
        reach = f"{counted(total, 'pair')} {plural(total, 'scores', 'score')} {threshold:g} or more"
        if total > count:
            return f"{reach}; checked: the closest of them."
        return f"{reach}."
    if not scored_count:
        return "There are no pairs to check."
    if count:
        subject = count_of_total(count, scored_count, "pair")
        verb = plural(min(count, scored_count), "scores", "score")
        return f"{subject} {verb} {threshold:g} or more."
    if scored_count == 1:
        return f"The pair scores less than {threshold:g}."
    if scored_count == 2:
        return f"Neither pair scores {threshold:g} or more."
    return f"None of the {scored_count:,} pairs scores {threshold:g} or more."


def _describe_kinds(counts: Mapping[str, int], differing_count: int) -> str:
    """Describe in what the pairs differ."""
    raised = {caution: count for caution, count in counts.items() if count}
    if differing_count == 1:
        return f"it differs in {listed(list(raised))}"
    return ", ".join(f"{count:,} in {caution}" for caution, count in raised.items())


def _describe_not_found(counts: Mapping[str, int], pair_count: int) -> list[str]:
    """Describe the differences that were looked for and not found."""
    names = []
    for caution, count in counts.items():
        if caution == "opposites" and not count:  # found by a list, the others by rules
            names.append(f"one of the {count_opposites():,} opposites known here")
        elif not count:
            names.append(caution)
    if not names:
        return []
    subject = plural(pair_count, "It was not found", "None was found")
    return [f"{subject} to differ in {listed(names, 'or')}."]
