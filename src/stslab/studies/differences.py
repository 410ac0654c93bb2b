"""Differences in English that a model overlooks: negations, numbers, opposites, word order."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping

import pandas as pd

from ..wording import listed
from .languages import WORD
from .opposites import opposite_words
from .quantities import number_difference

NEGATIONS = re.compile(  # "no-frills", "do-not-call" and "No, …" deny nothing
    r"(?<!-)\b(?:no(?!,|-\w)|not(?!-\w)|no-one|never|none|nobody|nothing|nowhere|neither|nor|without|"
    r"cannot|hardly|barely|rarely|seldom|unable|far from|(?:ai|are|ca|could|dare|did|do|does|had|"
    r"has|have|is|might|must|need|ought|sha|should|was|were|wo|would)n['’]?t)\b",
    re.IGNORECASE,
)
# Words that may say the same as a negation: "failed to attend", "has yet to attend".
DENIALS = re.compile(
    r"\b(?:fail|refus|den(?=y|ie)|declin|reject|lack|avoid|prohibit|forbid|forbad|oppose[ds]?\b|"
    r"rather than|instead of|other than|yet to)",
    re.IGNORECASE,
)

ALIKE = 0.5  # pairs that score less are not alike to begin with


def with_differences(scored: pd.DataFrame) -> pd.DataFrame:
    """Add a column that names how the sentences of each pair may differ in meaning.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``, as from `score_pairs`

    Returns
    -------
    DataFrame
        The same rows with the column ``differ_in`` added: what `cautions_of` finds in the pair,
        in words; empty where it finds nothing, and below a score of 0.5, where nobody would take
        the two for the same.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = [("It is not stale.", "It is fresh."), ("Pay 5", "Pay 7"), ("A dog", "One dog")]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b"]).assign(score=0.9)
    >>> with_differences(scored)["differ_in"].tolist()
    ['a negation (not) and opposites (stale / fresh)', 'numbers (5 / 7)', '']
    """
    descriptions = []
    pairs = zip(scored["sentence_a"], scored["sentence_b"], scored["score"], strict=True)
    for sentence_a, sentence_b, score in pairs:
        description = ""
        if score >= ALIKE:
            description = _describe_cautions(cautions_of(sentence_a, sentence_b))
        descriptions.append(description)
    return scored.assign(differ_in=descriptions)


def _describe_cautions(details: Mapping[str, str]) -> str:
    """Join cautions and their details as a sentence does."""
    return listed([f"{caution} ({detail})" for caution, detail in details.items()])


def cautions_of(sentence_a: str, sentence_b: str) -> dict[str, str]:
    """Find what may set the meanings of two sentences apart: `pair_cautions` for one pair.

    Parameters
    ----------
    sentence_a, sentence_b : str

    Returns
    -------
    dict of str to str
        Each caution that the pair raises → its detail, as in the table of `pair_cautions`.

    Examples
    --------
    >>> cautions_of("It costs $1.5k.", "It costs 1,500 dollars."), cautions_of("Pay 5", "Pay 7")
    ({}, {'numbers': '5 / 7'})
    """
    details = {}
    for caution, find_difference in OVERLOOKED.items():
        detail = find_difference(sentence_a, sentence_b)
        if detail is not None:
            details[caution] = detail
    return details


@functools.lru_cache(1000)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in lowercase, with straight apostrophes."""
    return tuple(WORD.findall(text.lower().replace("’", "'")))


def _negation(a: str, b: str) -> str | None:
    """Return the negations that only one of two texts has; None if both negate equally often."""
    first, second = _negations(a), _negations(b)
    if first.total() == second.total():
        return None
    if first.total() < second.total():
        first, second, a, b = second, first, b, a
    # "He did not pay" and "He failed to pay": another word may deny the same.
    if _denials(b) - _denials(a):
        return None
    return ", ".join(first - second)


@functools.lru_cache(1000)  # one text is in many pairs
def _negations(text: str) -> Counter[str]:
    return Counter(NEGATIONS.findall(text.lower()))


def _denials(text: str) -> set[str]:
    return {denial.lower() for denial in DENIALS.findall(text)}


def _other_order(a: str, b: str) -> str | None:
    """Return how many words two texts share if they have the same words in another order."""
    first, second = words(a), words(b)
    if first == second or sorted(first) != sorted(second):
        return None
    # A phrase moved to the front, as in "In spring it rains" and "It rains in spring", changes no
    # meaning. One text is then a rotation of the other, and so a part of the other twice.
    if f" {' '.join(first)} " in f" {' '.join(2 * second)} ":
        return None
    return f"the same {len(first)} words"


def _opposites(a: str, b: str) -> str | None:
    """Return the pairs of opposite words, one in each text."""
    return ", ".join(opposite_words(set(words(a)), set(words(b)))) or None


# Each caution → the function that finds its detail in two texts.
OVERLOOKED: dict[str, Callable[[str, str], str | None]] = {
    "a negation": _negation,
    "numbers": number_difference,
    "opposites": _opposites,
    "the order of words": _other_order,
}
