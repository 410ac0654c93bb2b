"""What a score is worth: the human score to expect, and how rare it is among one's own texts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import numpy as np
import pandas as pd

from ..inputs.checks import InputError, check_texts
from ..models.encoding import Encoder
from ..models.finding import BUNDLED_FILES_SHA256, DEFAULT_MODEL, ModelSource
from ..wording import counted
from .differences import words
from .gold import thresholds
from .languages import why_not_english

# What 99.9 % of the 14,498 texts keep to that the calibration was fitted on.
WORDS = (3, 40)
UNLIKE = 0.1  # the share of texts unlike these from which on nothing is said
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
        What was scored. Where the calibration does not speak for these, nothing is expected.

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
    known = not _silence(model, texts)
    knots = shipped("calibration")
    for name in ("expected_gold", "low", "high"):
        table[name] = np.interp(table["score"], knots["score"], knots[name]) if known else np.nan
    return table


def describe_calibration(model: Encoder, texts: Sequence[str] = ()) -> str:
    """Say what the human scores to expect rest on, or why there are none.

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
    if silence := _silence(model, texts):
        return silence
    held = calibration_coverage()
    share, worst = held["coverage_left_out"], held.iloc[-1]
    return (
        f"Fitted for {DEFAULT_MODEL} on English pairs of the STS Benchmark, scored from 0 to 5. "
        f"The range is meant to hold 80% of single pairs, also in a kind of text that the fit has "
        f"not seen. With each of {len(held)} kinds left out in turn it held "
        f"{share.median():.0%} of that kind's pairs (median), and "
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
    """Say what share of the pairs that reach a threshold people call the same.

    Parameters
    ----------
    threshold : float
        On the cosine similarity.
    model : Encoder
    texts : sequence of str, default ()
        What it is said of, as for `expected_gold`.
    rated : DataFrame or None, default None
        Pairs of one's own with ``score`` and ``gold_score`` from 0 to 5, to count among. None
        takes a shipped table of the STS Benchmark's pairs, which speaks for the bundled model.
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
    own = ""
    if rated is not None:
        row = thresholds(rated, gold_threshold=gold_threshold, levels=[threshold]).iloc[0]
        reached = f"rated pairs that score at least {threshold:g}"
        if row["found"] >= FEWEST_FOR_SHARE:
            return (
                f"Of your {int(row['found']):,} {reached}, people call {row['precision']:.0%} the "
                f"same ({gold_threshold:g} or more of 5)."
            )
        own = f"You have {int(row['found']) or 'no'} {reached}: too few to say. "
    if silence := _silence(model, texts):
        return own + silence
    table = shipped("precision").set_index("threshold")
    level = round(min(max(threshold, table.index[0]), table.index[-1]), 2)
    row = table.loc[level]
    return own + (
        f"Of the STS Benchmark's pairs that score at least {level:g}, people call "
        f"{row['precision']:.0%} the same (4 or more of 5): {row['lowest']:.0%} to "
        f"{row['highest']:.0%}, source by source."
    )


def random_pairs(texts: Sequence[str], *, n_pairs: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Draw random pairs of one's own texts: what chance similarity looks like among them.

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
        drawn = np.sort(random.choice(len(first), n_pairs, replace=False))
        first, second = first[drawn], second[drawn]
    chosen = {"sentence_a": [texts[row] for row in first], "sentence_b": [texts[r] for r in second]}
    return pd.DataFrame(chosen, dtype=object)


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
        Columns ``score, share``, the share in [0, 1]; NaN where the model is another.

    Notes
    -----
    A shipped table, interpolated, of 200,000 pairs of different sentences of the STS Benchmark's
    train and dev parts; ``make calibrate`` makes it. Among texts about one thing random pairs
    score more: `random_pairs` draws from one's own.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> random_share(0.7, model=Letters())["share"].isna().tolist()
    [True]
    """
    table = pd.DataFrame({"score": np.atleast_1d(np.asarray(scores, dtype=float))})
    known = shipped("random")
    share = np.interp(table["score"], known["score"], known["share"])
    return table.assign(share=share if is_calibrated(model) else np.nan)


def bands_on_stsb() -> pd.DataFrame:
    """Read how the tutorial's bands fared on STS Benchmark's test pairs with the bundled model.

    Returns
    -------
    pandas.DataFrame
        As `bands_against_gold`, from a shipped table that ``benchmarks/calibrate.py``
        makes.

    Examples
    --------
    >>> int(bands_on_stsb()["pairs"].sum())
    1379
    """
    return shipped("bands")


def shipped(table: str) -> pd.DataFrame:
    file = resources.files(__package__) / "data" / f"{table}-{DEFAULT_MODEL}.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def is_calibrated(model: object) -> bool:
    """Whether a model is the bundled one, for which scores were measured."""
    found: ModelSource | None = getattr(model, "found", None)
    whole = getattr(model, "truncate_dim", None) is None  # shortened vectors score differently
    return found is not None and found.sha256 == BUNDLED_FILES_SHA256 and whole


def _silence(model: object, texts: Sequence[str]) -> str:
    """Say why nothing can be expected, if so."""
    if not is_calibrated(model):
        return "No calibration for this model: what its scores mean to people was not measured."
    reasons = {
        "likely not in English": [text for text in texts if why_not_english(text)],
        f"shorter than {WORDS[0]} words or longer than {WORDS[1]}": [
            text for text in texts if not WORDS[0] <= len(words(text)) <= WORDS[1]
        ],
    }
    for reason, unlike in reasons.items():
        if len(unlike) > UNLIKE * len(texts):
            what = f"{counted(len(texts), 'text')} {'is' if len(unlike) == 1 else 'are'} {reason}"
            return (
                f"What people would say is not known here: {len(unlike):,} of {what}, unlike the "
                f"pairs that were measured."
            )
    return ""
