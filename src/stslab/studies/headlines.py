"""What a report says first: a line on the data, and findings that stay true when repeated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..inputs.reading import Input
from ..models.encoding import Encoder
from ..wording import counted, quoted
from .calibration import is_calibrated
from .cautions import Cautions, with_differences
from .gold import agreement, agreement_differences

STSB_SPEARMAN = 0.8203  # of the bundled model on STS Benchmark's 1,379 test pairs
WIDE = 0.4  # of a correlation's interval: too wide to say more
# Best hits of 62 questions to a handbook of 60 sentences (tests/search): 29 of 32 that it answers
# and 1 of 30 others score NEAR or more; none of the 32 and 24 of the 30 score less than FAR.
NEAR, FAR = 0.5, 0.35


def describe_data(read: Input, noun: str, *, found: Cautions | None = None, dropped: int = 0) -> str:
    """Say in one line what was read: how much, from where, and what is odd about it.

    Parameters
    ----------
    read : Input
    noun : str
        What a row is, in the singular.
    found : Cautions or None, default None
        As from `text_cautions`.
    dropped : int, default 0
        Rows left out because they have no content.

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab import read_sentences
    >>> describe_data(read_sentences(["Yes.", "", "Yes."]), "answer")
    '2 answers: 1 repeated, 1 blank row left out.'
    """
    source = f" from {read.source}" if read.source else ""
    parts = [f"{read.duplicates:,} repeated"] * bool(read.duplicates)
    parts += [f"{count:,} {what}" for what, count in (found.counts if found else {}).items() if count]
    parts += [f"{dropped:,} without content left out"] * bool(dropped)
    parts += [f"{counted(read.blank, 'blank row')} left out"] * bool(read.blank)
    listed = f": {', '.join(parts)}" if parts else ""
    return f"{counted(len(read.table), noun)}{source}{listed}."


def describe_close(scored: pd.DataFrame, threshold: float) -> str:
    """Say how many pairs of different texts score that much, and how many may still differ.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``
    threshold : float

    Returns
    -------
    str

    Examples
    --------
    >>> pairs = [("It was stale.", "It was fresh.", 0.9), ("A", "B", 0.1), ("A", "A", 1.0)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> describe_close(scored, 0.8)
    '1 pair scores 0.8 or more, and it may differ in meaning: opposites (stale / fresh).'
    """
    different = scored[scored["sentence_a"] != scored["sentence_b"]]
    if different.empty:
        return ""
    close = different[different["score"] >= threshold]
    if close.empty:
        best = different.loc[different["score"].idxmax()]
        texts = f"{quoted(best['sentence_a'])} and {quoted(best['sentence_b'])}"
        return f"No pair scores {threshold:g} or more; the closest is {texts} ({best['score']:.2f})."
    differ = [each for each in with_differences(close)["differ_in"] if each]
    some = f"{counted(len(close), 'pair')} score{'s' * (len(close) == 1)} {threshold:g} or more"
    if not differ:
        return f"{some}."
    if len(close) == 1:
        return f"{some}, and it may differ in meaning: {differ[0]}."
    which = "all of them" if len(differ) == len(close) else f"{len(differ):,} of them"
    which = "both" if len(differ) == len(close) == 2 else which
    return f"{some}, and {which} may differ in meaning."


def describe_agreement(scored: pd.DataFrame, *, model: Encoder) -> str:
    """Judge in words how far a model's scores agree with people's.

    Parameters
    ----------
    scored : DataFrame with ``score, gold_score``
        May have ``jaccard`` and ``tfidf``, to compare with.
    model : Encoder

    Returns
    -------
    str

    Notes
    -----
    Spearman's correlation and the 95 % interval of `agreement`. An interval wider than 0.4 says
    too little; else it is set against 0.82, what the bundled model reaches on STS Benchmark's test
    pairs.

    Examples
    --------
    >>> scored = pd.DataFrame({"score": [0.1, 0.6, 0.5], "gold_score": [1, 2, 5]})
    >>> describe_agreement(scored, model=Letters())
    'Too few pairs to say how far the model agrees with people: on these 3, Spearman 0.50.'
    """
    row = agreement(scored, ["score"]).iloc[0]
    low, high, value = row["spearman_low"], row["spearman_high"], row["spearman"]
    n = len(scored)
    if np.isnan(value):
        return "Nothing to agree on: all human scores, or all of the model's, are the same."
    interval = "" if np.isnan(low) else f" (95% interval {low:.2f} to {high:.2f})"
    told = f"Spearman {value:.2f}{interval}"
    if not high - low <= WIDE:
        return f"Too few pairs to say how far the model agrees with people: on these {n:,}, {told}."
    if not is_calibrated(model):
        verdict = f"On {n:,} pairs the model agrees with people at {told}"
    else:
        how = "about as well as" if high >= STSB_SPEARMAN >= low else "better than"
        how = "less well than" if high < STSB_SPEARMAN else how
        verdict = f"On {n:,} pairs the model agrees with people {how} on the STS Benchmark: "
        verdict += f"{told}, there {STSB_SPEARMAN:.2f}"
    words = [name for name in ("tfidf", "jaccard") if name in scored]
    against = agreement_differences(scored, ["score", *words], against="score") if words else None
    if against is None or not len(against):
        return f"{verdict}."
    better = (against["verdict"] == "lower").all()
    counts = "better than counting shared words" if better else "not clearly better than counting"
    return f"{verdict}. It does {counts}{'' if better else ' shared words'}."


def judge_hits(hits: pd.DataFrame, *, near: float = NEAR, far: float = FAR) -> pd.DataFrame:
    """Say of each query whether its best hit is near enough to trust, the weakest first.

    Parameters
    ----------
    hits : DataFrame
        As from `search`.
    near, far : float, default 0.5 and 0.35
        A best hit that scores `near` or more is near; below `far`, nothing is; between them it is
        for the reader to say.

    Returns
    -------
    pandas.DataFrame
        Columns ``verdict, query, text, score``: one row for each query, with its best hit; the
        verdict is "near", "doubtful" or "nothing near".

    Examples
    --------
    >>> hits = pd.DataFrame({"query": ["a", "b"], "rank": 1, "score": [0.9, 0.2], "text": ["x", "y"]})
    >>> judge_hits(hits)["verdict"].tolist()
    ['nothing near', 'near']
    """
    best = hits[hits["rank"] == 1].sort_values("score", kind="stable")
    score = best["score"].to_numpy()
    best = best.assign(
        verdict=np.select([score >= near, score >= far], ["near", "doubtful"], "nothing near")
    )
    return best[["verdict", "query", "text", "score"]].reset_index(drop=True)


def describe_hits(judged: pd.DataFrame) -> str:
    """Say for how many queries a text is near, and name those without.

    Parameters
    ----------
    judged : DataFrame
        As from `judge_hits`.

    Returns
    -------
    str

    Examples
    --------
    >>> hits = pd.DataFrame({"query": ["a", "b"], "rank": 1, "score": [0.9, 0.2], "text": ["x", "y"]})
    >>> describe_hits(judge_hits(hits))
    '1 of 2 queries has a text near enough to trust. Nothing is near “b”.'
    """
    kinds = judged.groupby("verdict")["query"].agg(list)
    near, total = len(kinds.get("near", [])), len(judged)
    has = "has" if near == 1 else "have"
    said = f"{near or 'None'} of {counted(total, 'query').replace('querys', 'queries')} {has}"
    said = "The query has" if near == total == 1 else said
    said = "The query does not have" if total == 1 and not near else said
    parts = [f"{said} a text near enough to trust."]
    for verdict, words in (("nothing near", "Nothing is near"), ("doubtful", "Doubtful:")):
        queries = kinds.get(verdict, [])
        more = f" and {len(queries) - 3:,} more" if len(queries) > 3 else ""
        if queries:
            parts.append(f"{words} {', '.join(quoted(each) for each in queries[:3])}{more}.")
    return " ".join(parts)
