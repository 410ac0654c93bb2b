"""What a score is worth: the human score to expect, and how rare it is among one's own texts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import numpy as np
import pandas as pd

from ..inputs.checks import InputError, check_texts
from ..models.finding import BUNDLED_FILES_SHA256, DEFAULT_MODEL, ModelSource

SAMPLE = 500  # texts that random pairs are drawn from: 124,750 possible pairs


def expected_gold(scores: float | Sequence[float], *, model: object) -> pd.DataFrame:
    """Look up the human score to expect for a score, and the range that 80 % of pairs fall into.

    Parameters
    ----------
    scores : float or sequence of float, length n
        Cosine similarities of `model`.
    model : sentence_transformers.SentenceTransformer
        As returned by `load_model`. Only the bundled model is calibrated.

    Returns
    -------
    pandas.DataFrame, length n
        Columns ``score, expected_gold, low, high``, the last three from 0 to 5; NaN for a model
        without calibration; see `describe_calibration`.

    Notes
    -----
    A shipped table, interpolated: isotonic regression of the gold score on the cosine over STS
    Benchmark's 1,500 dev pairs, and the percentiles 10 and 90 of the 150 pairs nearest to each
    entry. On the test pairs its error is 0.85 (root mean square) and its range holds 78 %.
    ``benchmarks/build_calibration.py`` makes it. It speaks for short English sentences of the
    benchmark's kinds (captions, headlines, forum answers).

    Examples
    --------
    >>> expected_gold(0.7, model=None)["expected_gold"].isna().tolist()
    [True]
    """
    at = np.atleast_1d(np.asarray(scores, dtype=float))
    table = pd.DataFrame({"score": at})
    known = _is_calibrated(model)
    knots = _shipped("calibration")
    for name in ("expected_gold", "low", "high"):
        table[name] = np.interp(at, knots["score"], knots[name]) if known else np.nan
    return table


def describe_calibration(model: object) -> str:
    """Say what a model's scores were calibrated on.

    Parameters
    ----------
    model : sentence_transformers.SentenceTransformer

    Returns
    -------
    str

    Examples
    --------
    >>> describe_calibration(None)
    'No calibration for this model: what its scores mean to people was not measured.'
    """
    if _is_calibrated(model):
        return f"Calibrated for {DEFAULT_MODEL} on STS Benchmark's 1,500 English dev pairs, 0 to 5."
    return "No calibration for this model: what its scores mean to people was not measured."


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


def bands_on_stsb() -> pd.DataFrame:
    """Read how the tutorial's bands fared on STS Benchmark's test pairs with the bundled model.

    Returns
    -------
    pandas.DataFrame
        As `bands_against_gold`, from a table that ``benchmarks/build_calibration.py`` makes.

    Examples
    --------
    >>> int(bands_on_stsb()["pairs"].sum())
    1379
    """
    return _shipped("bands")


def _shipped(table: str) -> pd.DataFrame:
    file = resources.files(__package__) / "data" / f"{table}-{DEFAULT_MODEL}.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def _is_calibrated(model: object) -> bool:
    found: ModelSource | None = getattr(model, "found", None)
    whole = getattr(model, "truncate_dim", None) is None  # shortened vectors score differently
    return found is not None and found.sha256 == BUNDLED_FILES_SHA256 and whole
