"""Sentences on near-duplicates, as notebook 11 shows them."""

from __future__ import annotations

import pandas as pd

from ..wording import counted, quoted
from .differences import cautions_of


def describe_communities(
    members: pd.DataFrame, pairs: pd.DataFrame, *, threshold: float, total: int
) -> str:
    """Describe how many sentences are in communities, and how many pairs may still differ.

    Parameters
    ----------
    members : DataFrame
        As from `communities`.
    pairs : DataFrame
        As from `near_duplicates`, at the same threshold.
    threshold : float
    total : int
        How many sentences there are.

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> from stslab.studies import communities, near_duplicates
    >>> texts = ["ab", "c", "ba"]
    >>> members = communities(texts, model=Letters(), threshold=0.9)
    >>> pairs = near_duplicates(texts, model=Letters(), threshold=0.9)
    >>> describe_communities(members, pairs, threshold=0.9, total=3)
    '2 of 3 sentences are in communities of near-duplicates; the largest, around “ab”, has 2 \
(threshold 0.9).'
    """
    sentences = counted(total, "sentence")
    if members.empty:
        return f"None of {sentences} has a near-duplicate (threshold {threshold})."
    largest = members.iloc[0]
    phrases = [
        f"{len(members):,} of {sentences} are in communities of near-duplicates",
        f"the largest, around {quoted(largest['representative'])}, has {largest['size']:,}",
    ]
    sentence_pairs = zip(pairs["sentence_a"], pairs["sentence_b"], strict=True)
    differing_count = sum(1 for a, b in sentence_pairs if cautions_of(a, b))
    if differing_count:
        phrases.append(
            f"of {counted(len(pairs), 'pair')}, {differing_count:,} may differ in meaning"
        )
    return f"{'; '.join(phrases)} (threshold {threshold})."


def describe_matches(matched: pd.DataFrame, *, threshold: float) -> str:
    """Describe how many best matches are mutual and reach a threshold.

    Parameters
    ----------
    matched : DataFrame
        As from `best_matches`.
    threshold : float

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> from stslab.studies import best_matches
    >>> describe_matches(best_matches(["a", "b"], ["aa"], model=Letters()), threshold=0.9)
    'Mutual matches that reach 0.9: 1 of 2.'
    """
    count = int((matched["mutual"] & (matched["score"] >= threshold)).sum())
    number = "none"
    if count:
        number = f"{count:,}"
    return f"Mutual matches that reach {threshold}: {number} of {len(matched):,}."
