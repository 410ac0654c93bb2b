"""Sentences on agreement with people, as notebook 10 shows them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..inputs.gold_scale import FEWEST_FOR_LOWEST, find_scale

MEASURE_NAMES = {"tfidf": "TF-IDF", "jaccard": "Jaccard"}


def describe_scale(
    pairs: pd.DataFrame, *, gold_min: float | None = None, gold_max: float | None = None
) -> list[str]:
    """Describe on which scale human scores are read, and what to check about it.

    Parameters
    ----------
    pairs : DataFrame with ``gold_score``
        As `stslab.read_pairs` reads them.
    gold_min, gold_max : float or None, default None
        As for `with_gold`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import pandas as pd
    >>> describe_scale(pd.DataFrame({"gold_score": [0.1, 1, None]}))
    ['Left out for want of a human score: 1 of 3 pairs.', 'Human scores lie from 0.1 to 1; they \
are read on a scale from 0 to 1.']
    """
    gold = pairs["gold_score"].dropna()
    lines = []
    if len(gold) < len(pairs):
        left_out = f"{len(pairs) - len(gold):,} of {len(pairs):,} pairs"
        lines.append(f"Left out for want of a human score: {left_out}.")
    lowest, highest = find_scale(gold, gold_min=gold_min, gold_max=gold_max)
    lines.append(
        f"Human scores lie from {gold.min():g} to {gold.max():g}; they are read on a scale from "
        f"{lowest:g} to {highest:g}."
    )
    if len(gold) >= FEWEST_FOR_LOWEST and gold.min() >= lowest + 1:
        lines.append(
            f"If nobody could give less than {gold.min():g}, set gold_min to {gold.min():g}."
        )
    return lines


def describe_intervals(compared: pd.DataFrame) -> list[str]:
    """Describe how wide the intervals of Spearman correlations are.

    Parameters
    ----------
    compared : DataFrame
        As from `agreement`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import pandas as pd
    >>> interval = {"spearman_low": [0.5], "spearman_high": [0.9]}
    >>> describe_intervals(pd.DataFrame({"measure": ["score"], "spearman": [0.8], **interval}))
    ['The widest interval of a Spearman correlation spans 0.4000.']
    """
    lines = []
    undefined_count = int(compared["spearman"].isna().sum())
    if undefined_count:
        lines.append(
            f"Measures without a correlation, because all values are equal: {undefined_count}."
        )
    width = (compared["spearman_high"] - compared["spearman_low"]).max()
    if np.isnan(width):
        lines.append("No interval could be given.")
    else:
        lines.append(f"The widest interval of a Spearman correlation spans {width:.4f}.")
    return lines


def describe_same(scored: pd.DataFrame, *, gold_threshold: float = 4.0) -> str:
    """Describe how many pairs people call the same.

    Parameters
    ----------
    scored : DataFrame with ``gold_score`` from 0 to 5
    gold_threshold : float, default 4.0
        People call a pair the same from this gold score on.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> describe_same(pd.DataFrame({"gold_score": [1, 4.5, 5]}))
    'Pairs that people call the same (human score 4 or more): 2 of 3.'
    """
    count = int((scored["gold_score"] >= gold_threshold).sum())
    return (
        f"Pairs that people call the same (human score {gold_threshold:g} or more): "
        f"{count or 'none'} of {len(scored)}."
    )


def describe_order(compared: pd.DataFrame) -> str:
    """Describe whether the model orders pairs as people do, beyond chance.

    Parameters
    ----------
    compared : DataFrame
        As from `agreement`, with a row for the measure ``score``.

    Returns
    -------
    str
        Without a full stop.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"measure": "score", "pairs": 30, "spearman": 0.8}
    >>> describe_order(pd.DataFrame([{**row, "spearman_low": 0.5, "spearman_high": 0.9}]))
    'On 30 pairs the model agrees with people, beyond chance'
    """
    row = compared[compared["measure"] == "score"].iloc[0]
    pair_count = int(row["pairs"])
    if row["spearman_low"] > 0:
        return f"On {pair_count:,} pairs the model agrees with people, beyond chance"
    if row["spearman_high"] < 0:
        return f"On {pair_count:,} pairs the model orders them against people, beyond chance"
    if np.isnan(row["spearman"]):
        return "Equal scores throughout cannot say whether the model agrees with people"
    return f"{pair_count:,} pairs are too few to say whether the model agrees with people"


def describe_measures(compared: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Describe how far the model and shared words agree with people, and which agrees better.

    Parameters
    ----------
    compared : DataFrame
        As from `agreement`, with rows for ``score``, ``tfidf`` and ``jaccard``.
    differences : DataFrame
        As from `agreement_differences`, against ``score``.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> compared = pd.DataFrame({"measure": ["score", "tfidf", "jaccard"], "pairs": 5})
    >>> compared["spearman"] = [0.8, 0.6, float("nan")]
    >>> compared[["spearman_low", "spearman_high"]] = float("nan")
    >>> describe_measures(compared, pd.DataFrame({"measure": [], "verdict": []})).split(". ")[1]
    'Spearman correlation: model 0.8000, TF-IDF 0.6000, Jaccard undefined'
    """
    spearman = {}
    for _, row in compared.iterrows():
        phrase = _correlation(row["spearman"])
        if row["measure"] == "score" and not np.isnan(row["spearman_low"]):
            phrase += f" (95%: {row['spearman_low']:.4f} to {row['spearman_high']:.4f})"
        spearman[row["measure"]] = phrase
    verdict = "The pairs are too few to tell the model from shared words"
    phrases = list(_comparisons(differences))
    if phrases:
        verdict = f"The model agrees {' and '.join(phrases)}"
    return (
        f"{describe_order(compared)}. Spearman correlation: model {spearman['score']}, TF-IDF "
        f"{spearman['tfidf']}, Jaccard {spearman['jaccard']}. {verdict}."
    )


def _correlation(value: float) -> str:
    if np.isnan(value):
        return "undefined"
    return f"{value:.4f}"


def _comparisons(differences: pd.DataFrame) -> Iterator[str]:
    """Yield "better than TF-IDF" or "less than Jaccard" for each difference with a verdict."""
    for measure, verdict in zip(differences["measure"], differences["verdict"], strict=True):
        name = MEASURE_NAMES.get(measure, measure)
        if verdict == "lower":
            yield f"better than {name}"
        elif verdict == "higher":
            yield f"less than {name}"
