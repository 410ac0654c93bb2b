"""What a report says first: a line on the data, and findings that stay true when repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..inputs.tables import Input
from ..models.encoding import Encoder
from ..wording import counted, listed, quoted
from .calibration import is_calibrated
from .cautions import Cautions
from .cautions_of_texts import EMPTY
from .differences import with_differences
from .gold import agreement, agreement_differences

STSB_SPEARMAN = 0.8203  # of the bundled model on STS Benchmark's 1,379 test pairs
FEWEST = 10  # pairs of each kind to choose a threshold by
WIDE = 0.4  # of a correlation's interval: too wide to say more
# Best hits of 62 questions to a handbook of 60 sentences (tests/search): 29 of 32 that it answers
# and none of 30 others score NEAR or more; none of the 32 and 24 of the 30 less than FAR.
NEAR, FAR = 0.5, 0.35


def describe_data(
    read: Input, noun: str, *, found: Cautions | None = None, notes: Sequence[str] = ()
) -> str:
    """Say in one line what was read: how much, from where, and what is odd about it.

    Parameters
    ----------
    read : Input
    noun : str
        What a row is, in the singular.
    found : Cautions or None, default None
        As from `text_cautions`.
    notes : sequence of str, default ()
        What else to say of it, such as what was left out.

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab import read_sentences
    >>> describe_data(read_sentences(["Yes.", "", "Yes."]), "answer")
    '2 answers: 1 repeated, 1 blank row left out.'
    """
    source = ""
    if read.source:
        source = f" from {read.source}"
    parts = []
    if read.duplicates:
        parts.append(f"{read.duplicates:,} repeated")
    if found:
        parts += [_describe_count(what, found) for what, count in found.counts.items() if count]
    parts += notes
    if read.blank:
        parts.append(f"{counted(read.blank, 'blank row')} left out")
    odd = ""
    if parts:
        odd = f": {', '.join(parts)}"
    return " ".join([f"{counted(len(read.table), noun)}{source}{odd}.", *read.notes()])


def _describe_count(what: str, found: Cautions) -> str:
    """Return how many texts a caution concerns; of answers without content, which ones."""
    text = f"{found.counts[what]:,} {what}"
    if what != EMPTY:
        return text
    examples = found.table.loc[found.table["caution"] == what, "example"]
    listed_examples = listed([quoted(example) for example in dict.fromkeys(examples)])
    if len(examples) < found.counts[what]:
        listed_examples = f"such as {listed_examples}"
    return f"{text} ({listed_examples})"


def describe_spread(scored: pd.DataFrame) -> str:
    """Say between which scores pairs lie, and what half of them reach.

    Parameters
    ----------
    scored : DataFrame with ``score``

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> describe_spread(pd.DataFrame({"score": [0.1, 0.5, 0.9]}))
    'The 3 pairs score 0.10 to 0.90, half of them 0.50 or more.'
    """
    score = scored["score"]
    if len(score) == 1:
        return f"The pair scores {score.iloc[0]:.2f}."
    spread = f"The {len(score):,} pairs score {score.min():.2f} to {score.max():.2f}"
    return f"{spread}, half of them {score.median():.2f} or more."


def describe_close(scored: pd.DataFrame, threshold: float, *, total: int | None = None) -> str:
    """Say how many pairs of different texts score that much, and how many may still differ.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``
    threshold : float
    total : int or None, default None
        How many pairs reach the threshold, where `scored` holds only the closest of them.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = [("It was stale.", "It was fresh.", 0.9), ("A", "B", 0.1), ("A", "A", 1.0)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> describe_close(scored, 0.8)
    '1 pair of different sentences scores 0.8 or more, and it may differ in meaning: \
opposites (stale / fresh).'
    """
    different = scored[scored["sentence_a"] != scored["sentence_b"]]
    if different.empty:
        return ""
    close = different[different["score"] >= threshold]
    if close.empty:
        best = different.sort_values("score", ascending=False, kind="stable").iloc[0]
        texts = f"{quoted(best['sentence_a'])} and {quoted(best['sentence_b'])}"
        none = "No pair of different sentences" if len(different) < len(scored) else "No pair"
        return f"{none} scores {threshold:g} or more; the closest is {texts} ({best['score']:.2f})."
    differ = [each for each in with_differences(close)["differ_in"] if each]
    many = max(len(close), total or 0)
    of = " of different sentences" if len(different) < len(scored) else ""
    some = f"{counted(many, 'pair')}{of} score{'s' * (many == 1)} {threshold:g} or more"
    if not differ:
        return f"{some}."
    if many == 1:
        return f"{some}, and it may differ in meaning: {differ[0]}."
    which = "all of them" if len(differ) == many else f"{len(differ):,} of them"
    which = "both" if len(differ) == many == 2 else which
    which = which if many == len(close) else f"{len(differ):,} of the closest {len(close):,}"
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
    >>> import pandas as pd
    >>> from stslab.examples import Letters
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
        verdict = f"On {n:,} pairs the model's scores correlate with people's at {told}"
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
    return (
        f"{verdict}. It does {'' if better else 'not clearly '}better than counting shared words."
    )


def describe_threshold(
    table: pd.DataFrame, scored: pd.DataFrame, *, gold_threshold: float = 4.0
) -> str:
    """Say which threshold finds best what people call the same, and how right it is.

    Parameters
    ----------
    table : DataFrame
        As from `thresholds`.
    scored : DataFrame with ``gold_score``
    gold_threshold : float, default 4.0
        People call a pair the same from this gold score on.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> from stslab.studies import thresholds
    >>> scored = pd.DataFrame({"score": [0.2, 0.6, 0.9], "gold_score": [1, 2, 5]})
    >>> describe_threshold(thresholds(scored), scored).partition(": ")[2]
    'too few such pairs to choose a threshold by.'
    """
    same = int((scored["gold_score"] >= gold_threshold).sum())
    said = f"People call {same or 'none'} of {counted(len(scored), 'pair')} the same"
    said += f" ({gold_threshold:g} or more of 5)"
    if min(same, len(scored) - same) < FEWEST:
        kind = "such pairs" if same < FEWEST else "other pairs"
        return f"{said}: too few {kind} to choose a threshold by."
    best = table.sort_values("f1", ascending=False, kind="stable").iloc[0]
    return (
        f"{said}. A threshold of {best['threshold']:g} finds them best: it finds "
        f"{best['recall']:.0%} of them, and {best['precision']:.0%} of what it finds is right. "
        "It was chosen on these pairs; on others, expect less."
    )


def judge_hits(hits: pd.DataFrame, *, model: Encoder) -> pd.DataFrame:
    """Say of each query whether its best hit is near enough to trust, the weakest first.

    Parameters
    ----------
    hits : DataFrame
        As from `search`.
    model : Encoder
        What the verdicts rest on was measured for the bundled model, see `describe_nearness`.

    Returns
    -------
    pandas.DataFrame
        Columns ``verdict, query, text, score``: one row for each query, with its best hit; the
        verdict is "near" (a score of 0.5 or more), "doubtful", "nothing near" (less than 0.35),
        or "not known" for another model.

    Examples
    --------
    >>> import pandas as pd
    >>> from stslab.examples import Letters
    >>> texts = {"query": ["a", "b"], "text": ["x", "y"]}
    >>> hits = pd.DataFrame({**texts, "rank": 1, "score": [0.9, 0.2]})
    >>> judge_hits(hits, model=Letters())[["verdict", "query"]].to_numpy().tolist()
    [['not known', 'b'], ['not known', 'a']]
    """
    best = hits[hits["rank"] == 1].sort_values("score", kind="stable")
    score = best["score"].to_numpy()
    verdict = np.select([score >= NEAR, score >= FAR], ["near", "doubtful"], "nothing near")
    best = best.assign(verdict=verdict if is_calibrated(model) else "not known")
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
    >>> import pandas as pd
    >>> judged = pd.DataFrame({"verdict": ["nothing near", "near"], "query": ["b", "a"]})
    >>> describe_hits(judged.assign(score=[0.2, 0.9]))
    '1 of 2 queries has a text near enough to trust; “b” has none.'
    """
    kinds, total = judged.groupby("verdict")["query"].agg(list), len(judged)
    if "not known" in kinds:
        low, high = (f"{judged['score'].iloc[end]:.2f}" for end in (0, -1))
        least = quoted(judged["query"].iloc[0])
        hits = f"The best hits score from {low} (for {least}) to {high}"
        hits = f"The best hit scores {low}" if total == 1 else hits
        return f"{hits}; for this model it is not known which can be trusted."
    if total == 1:
        said = {"near": "The query has a text", "nothing near": "The query has no text"}
        doubtful = "It is doubtful whether the query has a text"
        return f"{said.get(kinds.index[0], doubtful)} near enough to trust."
    near = len(kinds.get("near", []))
    has = "have" if near > 1 else "has"
    parts = [f"{near or 'None'} of {total:,} queries {has} a text near enough to trust"]
    for verdict, one, more in (
        ("nothing near", "has none", "have none"),
        ("doubtful", "is doubtful", "are doubtful"),
    ):
        queries = kinds.get(verdict, [])
        named = [quoted(each) for each in queries[:3]]
        named += [f"{len(queries) - 3:,} more"] if len(queries) > 3 else []
        if named:
            parts.append(f"{listed(named)} {one if len(named) == 1 else more}")
    return f"{'; '.join(parts)}."


def describe_nearness(model: Encoder) -> str:
    """Say what the verdicts of `judge_hits` rest on, or that they rest on nothing for this model.

    Parameters
    ----------
    model : Encoder

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> describe_nearness(Letters())
    'For this model it was not measured from which score on a hit can be trusted.'
    """
    if not is_calibrated(model):
        return "For this model it was not measured from which score on a hit can be trusted."
    return (
        f"A best hit is near from {NEAR:g} on, and nothing is near below {FAR:g}. With 62 English "
        f"questions to a handbook of 60 sentences, written for stslab, 29 of 32 that it answers "
        f"had a best hit of {NEAR:g} or more, and none of 30 that it does not; below {FAR:g} were "
        f"none of the 32 and 24 of the 30. On other texts this may differ."
    )


def describe_ranking(reference: str, ranked: pd.DataFrame, threshold: float) -> str:
    """Say which candidate is nearest to a reference, and how many say nearly the same.

    Parameters
    ----------
    reference : str
    ranked : DataFrame
        As from `rank`, may have ``differ_in``. The reference itself wins no ranking.
    threshold : float

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> ranked = pd.DataFrame({"sentence": ["a", "b"], "score": [1.0, 0.4]})
    >>> describe_ranking("a", ranked, 0.8)
    'Nearest to “a” is “b” (0.40). The reference is also a candidate. None scores 0.8 or more.'
    """
    others = ranked[ranked["sentence"] != reference]
    if others.empty:
        return "The only candidate is the reference itself."
    best = others.iloc[0]
    differ = f", but they may differ in {best['differ_in']}" if best.get("differ_in") else ""
    said = f"Nearest to {quoted(reference)} is {quoted(best['sentence'])} ({best['score']:.2f}"
    said += f"{differ})." if differ else ")."
    said += " The reference is also a candidate." if len(others) < len(ranked) else ""
    close = int((others["score"] >= threshold).sum())
    many = f"{counted(close, 'candidate')} score{'s' * (close == 1)}" if close else "None scores"
    return f"{said} {many} {threshold:g} or more."
