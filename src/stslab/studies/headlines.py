"""What a report says first: a line on the data, and findings that stay true when repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..inputs.tables import Input
from ..models.encoding import Encoder
from ..wording import counted, listed, plural, quoted
from .calibration import is_calibrated
from .cautions import Cautions
from .cautions_of_texts import EMPTY
from .differences import with_differences
from .gold import agreement, agreement_differences

STSB_SPEARMAN = 0.8203  # of the bundled model on STS Benchmark's 1,379 test pairs
FEWEST_OF_A_KIND = 10  # pairs of each kind to choose a threshold by
WIDEST_INTERVAL = 0.4  # of a correlation: a wider one says too little
NAMED_QUERIES = 3
# Best hits of 62 questions to a handbook of 60 sentences (tests/search): 29 of 32 that it answers
# and none of 30 others score NEAR or more; none of the 32 and 24 of the 30 less than FAR.
NEAR, FAR = 0.5, 0.35


def describe_data(
    read: Input, noun: str, *, cautions: Cautions | None = None, notes: Sequence[str] = ()
) -> str:
    """Describe in one line what was read: how much, from where, and what is odd about it.

    Parameters
    ----------
    read : Input
    noun : str
        What a row is, in the singular.
    cautions : Cautions or None, default None
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
    details = []
    if read.duplicates:
        details.append(f"{read.duplicates:,} repeated")
    if cautions:
        counts = cautions.counts.items()
        details += [_describe_count(caution, cautions) for caution, count in counts if count]
    details += notes
    if read.blank:
        details.append(f"{counted(read.blank, 'blank row')} left out")
    sentence = f"{counted(len(read.table), noun)}{source}"
    if details:
        sentence += f": {', '.join(details)}"
    return " ".join([f"{sentence}.", *read.notes()])


def _describe_count(caution: str, cautions: Cautions) -> str:
    """Return how many texts a caution concerns; of answers without content, which ones."""
    text = f"{cautions.counts[caution]:,} {caution}"
    if caution != EMPTY:
        return text
    examples = cautions.table.loc[cautions.table["caution"] == caution, "example"]
    listed_examples = listed([quoted(example) for example in dict.fromkeys(examples)])
    if len(examples) < cautions.counts[caution]:
        listed_examples = f"such as {listed_examples}"
    return f"{text} ({listed_examples})"


def describe_spread(scored: pd.DataFrame) -> str:
    """Describe between which scores pairs lie, and what half of them reach.

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
    """Describe how many pairs of different texts score that much, and how many may still differ.

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
    kind = ""
    if len(different) < len(scored):
        kind = " of different sentences"
    close = different[different["score"] >= threshold]
    if close.empty:
        best = different.sort_values("score", ascending=False, kind="stable").iloc[0]
        texts = f"{quoted(best['sentence_a'])} and {quoted(best['sentence_b'])}"
        return (
            f"No pair{kind} scores {threshold:g} or more; the closest is {texts} "
            f"({best['score']:.2f})."
        )
    close_count = max(len(close), total or 0)
    scores = plural(close_count, "scores", "score")
    sentence = f"{counted(close_count, 'pair')}{kind} {scores} {threshold:g} or more"
    differences = [difference for difference in with_differences(close)["differ_in"] if difference]
    if not differences:
        return f"{sentence}."
    if close_count == 1:
        return f"{sentence}, and it may differ in meaning: {differences[0]}."
    differing_pairs = _describe_differing(len(differences), len(close), close_count)
    return f"{sentence}, and {differing_pairs} may differ in meaning."


def _describe_differing(differing_count: int, checked_count: int, close_count: int) -> str:
    """Return how many of the close pairs differ, of which only the closest may be checked."""
    if checked_count < close_count:
        return f"{differing_count:,} of the closest {checked_count:,}"
    if differing_count < checked_count:
        return f"{differing_count:,} of them"
    if checked_count == 2:
        return "both"
    return "all of them"


def describe_agreement(scored: pd.DataFrame, *, model: Encoder) -> str:
    """Describe how far a model's scores agree with people's.

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
    lowest, highest = row["spearman_low"], row["spearman_high"]
    if np.isnan(row["spearman"]):
        return "Nothing to agree on: all human scores, or all of the model's, are the same."
    correlation = f"Spearman {row['spearman']:.2f}"
    if not np.isnan(lowest):
        correlation += f" (95% interval {lowest:.2f} to {highest:.2f})"
    pair_count = f"{len(scored):,}"
    is_narrow = highest - lowest <= WIDEST_INTERVAL  # not if there is no interval
    if not is_narrow:
        return (
            f"Too few pairs to say how far the model agrees with people: on these {pair_count}, "
            f"{correlation}."
        )
    if is_calibrated(model):
        verdict = (
            f"On {pair_count} pairs the model agrees with people "
            f"{_beside_the_benchmark(lowest, highest)} on the STS Benchmark: {correlation}, there "
            f"{STSB_SPEARMAN:.2f}"
        )
    else:
        verdict = (
            f"On {pair_count} pairs the model's scores correlate with people's at {correlation}"
        )
    word_measures = [name for name in ("tfidf", "jaccard") if name in scored]
    if not word_measures:
        return f"{verdict}."
    compared = agreement_differences(scored, ["score", *word_measures], against="score")
    if not len(compared):
        return f"{verdict}."
    better = "not clearly better"
    if (compared["verdict"] == "lower").all():
        better = "better"
    return f"{verdict}. It does {better} than counting shared words."


def _beside_the_benchmark(lowest: float, highest: float) -> str:
    """Return how an interval of correlations lies beside the one on STS Benchmark."""
    if highest < STSB_SPEARMAN:
        return "less well than"
    if lowest > STSB_SPEARMAN:
        return "better than"
    return "about as well as"


def describe_threshold(
    table: pd.DataFrame, scored: pd.DataFrame, *, gold_threshold: float = 4.0
) -> str:
    """Describe which threshold finds best what people call the same, and how right it is.

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
    same_count = int((scored["gold_score"] >= gold_threshold).sum())
    other_count = len(scored) - same_count
    sentence = (
        f"People call {same_count or 'none'} of {counted(len(scored), 'pair')} the same "
        f"({gold_threshold:g} or more of 5)"
    )
    if same_count < FEWEST_OF_A_KIND:
        return f"{sentence}: too few such pairs to choose a threshold by."
    if other_count < FEWEST_OF_A_KIND:
        return f"{sentence}: too few other pairs to choose a threshold by."
    best = table.sort_values("f1", ascending=False, kind="stable").iloc[0]
    return (
        f"{sentence}. A threshold of {best['threshold']:g} finds them best: it finds "
        f"{best['recall']:.0%} of them, and {best['precision']:.0%} of what it finds is right. "
        "It was chosen on these pairs; on others, expect less."
    )


def judge_hits(hits: pd.DataFrame, *, model: Encoder) -> pd.DataFrame:
    """Return for each query whether its best hit is near enough to trust, the weakest first.

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
    best["verdict"] = "not known"
    if is_calibrated(model):
        is_near, is_doubtful = best["score"] >= NEAR, best["score"] >= FAR
        best["verdict"] = np.select([is_near, is_doubtful], ["near", "doubtful"], "nothing near")
    return best[["verdict", "query", "text", "score"]].reset_index(drop=True)


def describe_hits(judged: pd.DataFrame) -> str:
    """Describe for how many queries a text is near, and name those without.

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
    query_count = len(judged)
    queries_by_verdict = judged.groupby("verdict")["query"].agg(list)
    if "not known" in queries_by_verdict:
        return _describe_unknown_hits(judged)
    if query_count == 1:
        return _describe_only_hit(queries_by_verdict.index[0])
    near_count = len(queries_by_verdict.get("near", []))
    have = plural(max(near_count, 1), "has", "have")
    parts = [
        f"{near_count or 'None'} of {query_count:,} queries {have} a text near enough to trust"
    ]
    distant = queries_by_verdict.get("nothing near", [])
    if distant:
        parts.append(f"{_name_queries(distant)} {plural(len(distant), 'has', 'have')} none")
    doubtful = queries_by_verdict.get("doubtful", [])
    if doubtful:
        parts.append(f"{_name_queries(doubtful)} {plural(len(doubtful), 'is', 'are')} doubtful")
    return f"{'; '.join(parts)}."


def _describe_unknown_hits(judged: pd.DataFrame) -> str:
    weakest, strongest = judged.iloc[0], judged.iloc[-1]
    hits = f"The best hit scores {weakest['score']:.2f}"
    if len(judged) > 1:
        hits = (
            f"The best hits score from {weakest['score']:.2f} (for {quoted(weakest['query'])}) to "
            f"{strongest['score']:.2f}"
        )
    return f"{hits}; for this model it is not known which can be trusted."


def _describe_only_hit(verdict: str) -> str:
    beginning = {
        "near": "The query has a text",
        "nothing near": "The query has no text",
        "doubtful": "It is doubtful whether the query has a text",
    }
    return f"{beginning[verdict]} near enough to trust."


def _name_queries(queries: Sequence[str]) -> str:
    names = [quoted(query) for query in queries[:NAMED_QUERIES]]
    if len(queries) > NAMED_QUERIES:
        names.append(f"{len(queries) - NAMED_QUERIES:,} more")
    return listed(names)


def describe_nearness(model: Encoder) -> str:
    """Describe what the verdicts of `judge_hits` rest on, if on anything for this model.

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
    """Describe which candidate is nearest to a reference, and how many say nearly the same.

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
    candidates = ranked[ranked["sentence"] != reference]
    if candidates.empty:
        return "The only candidate is the reference itself."
    best = candidates.iloc[0]
    score = f"{best['score']:.2f}"
    if best.get("differ_in"):
        score += f", but they may differ in {best['differ_in']}"
    sentences = [f"Nearest to {quoted(reference)} is {quoted(best['sentence'])} ({score})."]
    if len(candidates) < len(ranked):
        sentences.append("The reference is also a candidate.")
    close_count = int((candidates["score"] >= threshold).sum())
    close_candidates = "None scores"
    if close_count:
        scores = plural(close_count, "scores", "score")
        close_candidates = f"{counted(close_count, 'candidate')} {scores}"
    sentences.append(f"{close_candidates} {threshold:g} or more.")
    return " ".join(sentences)
