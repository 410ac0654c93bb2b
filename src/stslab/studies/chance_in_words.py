"""Sentences on the scores of random pairs, as notebook 15 shows them."""

from __future__ import annotations

import pandas as pd

from ..models.encoding import Encoder
from ..wording import counted, quoted
from .calibration import calibration_coverage, expected_gold
from .differences import cautions_of

FEW_PAIRS = 100  # fewer random pairs are a coarse measure
UPPER = 0.99  # the share of random pairs that score at most what is shown


def describe_random_pairs(scored: pd.DataFrame, *, total: int) -> str:
    """Describe the mean of random pairs' scores, and what 99 % of them do not exceed.

    Parameters
    ----------
    scored : DataFrame with ``score``
        As from `random_pairs`.
    total : int
        How many different sentences the pairs were drawn from.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> describe_random_pairs(pd.DataFrame({"score": [0.1, 0.2, 0.3]}), total=3).split(";")[0]
    'Mean of all 3 pairs of different sentences: 0.2000'
    """
    upper = _upper(scored)
    sentence = (
        f"Mean of {_name_pairs(scored, total)}: {scored['score'].mean():.4f}; at least 99% score "
        f"up to {upper:.4f}."
    )
    if len(scored) < FEW_PAIRS:
        sentence += " So few pairs make a coarse ruler."
    return sentence


def describe_closest_pair(scored: pd.DataFrame, *, total: int, model: Encoder) -> str:
    """Describe what random pairs do not exceed, and what may be said of the closest of them.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``
        As from `random_pairs`.
    total : int
        How many different sentences the pairs were drawn from.
    model : Encoder

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> from stslab.examples import Letters
    >>> scored = pd.DataFrame({"sentence_a": ["a"], "sentence_b": ["b"], "score": [0.2]})
    >>> describe_closest_pair(scored, total=2, model=Letters())
    'In at least 99% of 1 pair, the score is at most 0.2000. The closest are “a” and “b”, 0.2000: \
what people would say of them is not known.'
    """
    sentence = (
        f"In at least 99% of {_name_pairs(scored, total)}, the score is at most "
        f"{_upper(scored):.4f}."
    )
    if total < 2:
        return sentence
    closest = scored.iloc[int(scored["score"].argmax())]
    a, b = closest["sentence_a"], closest["sentence_b"]
    differences = " and ".join(cautions_of(a, b))
    if differences:
        differences = f" (they may differ in {differences})"
    return (
        f"{sentence} The closest are {quoted(a)} and {quoted(b)}, {closest['score']:.4f}"
        f"{differences}: {_describe_expected(a, b, closest['score'], model)}."
    )


def _describe_expected(sentence_a: str, sentence_b: str, score: float, model: Encoder) -> str:
    """Describe what people may say of a pair, and how often such ranges held."""
    expected = expected_gold(score, model=model, texts=[sentence_a, sentence_b]).iloc[0]
    if pd.isna(expected["low"]):
        return "what people would say of them is not known"
    coverage = calibration_coverage()["coverage_left_out"]
    return (
        f"people may give them {expected['low']:.1f} to {expected['high']:.1f} of 5; such ranges "
        f"held {coverage.min():.0%} to {coverage.max():.0%} of pairs of a kind not seen before"
    )


def _upper(scored: pd.DataFrame) -> float:
    return float(scored["score"].quantile(UPPER, interpolation="higher"))


def _name_pairs(scored: pd.DataFrame, total: int) -> str:
    """Name the pairs: "all 3 pairs of different sentences", or "10,000 random pairs"."""
    if total < 2:
        return counted(len(scored), "pair")
    if len(scored) < total * (total - 1) // 2:
        return counted(len(scored), "random pair")
    pairs = counted(len(scored), "pair")
    if len(scored) > 1:
        return f"all {pairs} of different sentences"
    return pairs
