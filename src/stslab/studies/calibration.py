"""What a score is worth: the human score to expect for it, and how rare it is."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import numpy as np
import pandas as pd

from ..inputs.checks import InputError, check_texts
from ..models.encoding import Encoder
from ..models.finding import BUNDLED_FILES_SHA256, DEFAULT_MODEL, ModelSource
from ..wording import counted, plural
from .differences import words
from .gold import thresholds
from .languages import why_not_english

# The numbers of words of 99.9 % of the 14,498 texts that the calibration was fitted on.
WORD_LIMITS = (3, 40)
UNLIKE_SHARE = 0.1  # with a larger share of texts unlike these, nothing is expected
FEWEST_FOR_SHARE = 10  # pairs, below which a share of them says nothing
SAMPLE = 500  # texts that random pairs are drawn from: 124,750 possible pairs


def expected_gold(
    scores: float | Sequence[float], *, model: Encoder, texts: Sequence[str] = ()
) -> pd.DataFrame:
    """Look up the human score to expect for a score, and a range for a single pair.

    Parameters
    ----------
    scores : float or sequence of float, length n
        Cosine similarities of `model`.
    model : Encoder
        As returned by `load_model`. Only the bundled model is calibrated.
    texts : sequence of str, default ()
        What was scored. Of texts unlike those of the calibration, nothing is expected.

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``score, expected_gold, low, high``, the last three from 0 to 5. NaN where
        nothing can be expected; `describe_calibration` says why.

    Notes
    -----
    A shipped table, interpolated; ``make calibrate`` makes it from the train and dev pairs of STS
    Benchmark. The expected score is an isotonic regression on the cosine. The range is meant to
    hold the human scores of 80 % of the pairs of a *kind of text that the fit has not seen*: the
    central 80 % of the pairs within 0.05 of a score, widened by what it took to hold 80 % of a
    source left out (after hierarchical conformal prediction, Dunn, Wasserman & Ramdas 2023). How
    often it did: `calibration_coverage`.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> expected_gold(0.7, model=Letters())["expected_gold"].isna().tolist()
    [True]
    """
    table = pd.DataFrame({"score": np.atleast_1d(np.asarray(scores, dtype=float))})
    knots = shipped("calibration")
    for name in ("expected_gold", "low", "high"):
        table[name] = np.interp(table["score"], knots["score"], knots[name])
    if _why_nothing_expected(model, texts):
        table[["expected_gold", "low", "high"]] = np.nan
    return table


def describe_calibration(model: Encoder, texts: Sequence[str] = ()) -> str:
    """Describe what the human scores to expect rest on, or why there are none.

    Parameters
    ----------
    model : Encoder
    texts : sequence of str, default ()
        As for `expected_gold`.

    Returns
    -------
    str

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> describe_calibration(Letters())
    'No calibration for this model: what its scores mean to people was not measured.'
    """
    reason = _why_nothing_expected(model, texts)
    if reason:
        return reason
    coverage = calibration_coverage()
    worst = coverage.iloc[-1]
    return (
        f"Fitted for {DEFAULT_MODEL} on English pairs of the STS Benchmark, scored from 0 to 5. "
        f"The range is meant to hold 80% of single pairs, also in a kind of text that the fit has "
        f"not seen. With each of {len(coverage)} kinds left out in turn it held "
        f"{coverage['coverage_left_out'].median():.0%} of that kind's pairs (median), and "
        f"{worst['coverage_left_out']:.0%} at worst: {worst['kind']}."
    )


def calibration_coverage() -> pd.DataFrame:
    """Read how often the range held, kind of text by kind of text.

    Returns
    -------
    pandas.DataFrame
        One row for each of STS Benchmark's nine sources, the best held first: ``source, kind,
        pairs``; ``coverage_left_out``, the share of its pairs within a range that was fitted
        without this source; ``bias_left_out``, by how much people scored these above what was
        expected, on average, on the scale from 0 to 5; ``test_pairs`` and ``coverage_test``, the
        share of its test pairs within the range that is shipped (NaN where it has none).

    Examples
    --------
    >>> calibration_coverage()["kind"].iloc[-1]
    'short answers to one question'
    """
    return shipped("coverage")


def describe_precision(
    threshold: float,
    *,
    model: Encoder,
    texts: Sequence[str] = (),
    rated: pd.DataFrame | None = None,
    gold_threshold: float = 4.0,
) -> str:
    """Describe what share of the pairs that reach a threshold people call the same.

    Parameters
    ----------
    threshold : float
        On the cosine similarity.
    model : Encoder
    texts : sequence of str, default ()
        As for `expected_gold`.
    rated : DataFrame or None, default None
        Pairs of one's own with ``score`` and ``gold_score`` from 0 to 5, to count among. None
        takes a shipped table of the STS Benchmark's pairs, which holds for the bundled model.
    gold_threshold : float, default 4.0
        People call a pair the same from this gold score on; the shipped table has 4.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> from stslab.examples import Letters
    >>> rated = pd.DataFrame({"score": [0.9] * 20, "gold_score": [5] * 15 + [1] * 5})
    >>> describe_precision(0.8, model=Letters(), rated=rated)
    'Of your 20 rated pairs that score at least 0.8, people call 75% the same (4 or more of 5).'
    """
    sentences = []
    if rated is not None:
        row = thresholds(rated, gold_threshold=gold_threshold, levels=[threshold]).iloc[0]
        count = int(row["found"])
        if count >= FEWEST_FOR_SHARE:
            return (
                f"Of your {count:,} rated pairs that score at least {threshold:g}, people call "
                f"{row['precision']:.0%} the same ({gold_threshold:g} or more of 5)."
            )
        sentences.append(
            f"You have {count or 'no'} rated pairs that score at least {threshold:g}: too few to "
            f"say."
        )
    sentences.append(_why_nothing_expected(model, texts) or _describe_precision_on_stsb(threshold))
    return " ".join(sentences)


def _describe_precision_on_stsb(threshold: float) -> str:
    """Describe the precision of the nearest threshold that the shipped table has."""
    table = shipped("precision").set_index("threshold")
    level = round(min(max(threshold, table.index[0]), table.index[-1]), 2)
    row = table.loc[level]
    return (
        f"Of the STS Benchmark's pairs that score at least {level:g}, people call "
        f"{row['precision']:.0%} the same (4 or more of 5): {row['lowest']:.0%} to "
        f"{row['highest']:.0%}, source by source."
    )


def random_pairs(texts: Sequence[str], *, n_pairs: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Draw random pairs of texts, to see how similar two of them are by chance.

    Parameters
    ----------
    texts : sequence of str, length n
        At least two. Of more than 500, 500 are drawn first, so that little is encoded.
    n_pairs : int, default 10,000
        At most; all pairs are taken where there are fewer.
    seed : int, default 0

    Returns
    -------
    pandas.DataFrame with ``sentence_a, sentence_b``, for `score_pairs`

    Raises
    ------
    InputError
        If there are fewer than two texts.

    Examples
    --------
    >>> random_pairs(["One.", "Two.", "Three."]).to_numpy().tolist()
    [['One.', 'Two.'], ['One.', 'Three.'], ['Two.', 'Three.']]
    """
    texts = check_texts(texts, "texts")
    if len(texts) < 2:
        raise InputError("texts: a pair needs two texts, got 1. Add another.")
    random = np.random.default_rng(seed)
    if len(texts) > SAMPLE:
        texts = [texts[row] for row in sorted(random.choice(len(texts), SAMPLE, replace=False))]
    first, second = np.triu_indices(len(texts), k=1)
    if len(first) > n_pairs:
        chosen = np.sort(random.choice(len(first), n_pairs, replace=False))
        first, second = first[chosen], second[chosen]
    columns = {
        "sentence_a": [texts[row] for row in first],
        "sentence_b": [texts[row] for row in second],
    }
    return pd.DataFrame(columns, dtype=object)


def random_share(scores: float | Sequence[float], *, model: Encoder) -> pd.DataFrame:
    """Look up what share of random pairs of English sentences score less.

    Parameters
    ----------
    scores : float or sequence of float, length n
        Cosine similarities of `model`.
    model : Encoder
        As for `expected_gold`.

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``score, share``, the share in [0, 1]; NaN for any other model.

    Notes
    -----
    A shipped table, interpolated, of 200,000 pairs of different sentences of the STS Benchmark's
    train and dev parts; ``make calibrate`` makes it. Random pairs of texts on one subject score
    higher: `random_pairs` draws from your own.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> random_share(0.7, model=Letters())["share"].isna().tolist()
    [True]
    """
    table = pd.DataFrame({"score": np.atleast_1d(np.asarray(scores, dtype=float))})
    knots = shipped("random")
    table["share"] = np.interp(table["score"], knots["score"], knots["share"])
    if not is_calibrated(model):
        table["share"] = np.nan
    return table


def bands_on_stsb() -> pd.DataFrame:
    """Read how the tutorial's bands fared on STS Benchmark's test pairs with the bundled model.

    Returns
    -------
    pandas.DataFrame
        As `bands_against_gold`, from a shipped table that ``benchmarks/calibrate.py`` makes.

    Examples
    --------
    >>> int(bands_on_stsb()["pairs"].sum())
    1379
    """
    return shipped("bands")


def shipped(table: str) -> pd.DataFrame:
    """Read a table that was made for the bundled model."""
    file = resources.files(__package__) / "data" / f"{table}-{DEFAULT_MODEL}.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def is_calibrated(model: object) -> bool:
    """Check whether a model is the bundled one, for which scores were measured."""
    source: ModelSource | None = getattr(model, "source", None)
    is_shortened = getattr(model, "truncate_dim", None) is not None
    if source is None or is_shortened:  # shortened vectors score differently
        return False
    return source.sha256 == BUNDLED_FILES_SHA256


def _why_nothing_expected(model: object, texts: Sequence[str]) -> str:
    """Return why no human score can be expected; empty if one can."""
    if not is_calibrated(model):
        return "No calibration for this model: what its scores mean to people was not measured."
    shortest, longest = WORD_LIMITS
    unlike_counts = {
        "likely not in English": sum(1 for text in texts if why_not_english(text)),
        f"shorter than {shortest} words or longer than {longest}": sum(
            1 for text in texts if not shortest <= len(words(text)) <= longest
        ),
    }
    for description, count in unlike_counts.items():
        if count > UNLIKE_SHARE * len(texts):
            return (
                f"What people would say is not known here: {count:,} of "
                f"{counted(len(texts), 'text')} {plural(count, 'is', 'are')} {description}, unlike "
                f"the pairs that were measured."
            )
    return ""
