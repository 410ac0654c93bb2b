"""Agreement with people: how far measures order pairs as human scores do."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import InputError, check_top_k
from ..inputs.gold_scale import MOST_SIMILAR, find_scale
from ..scores.bands import bands, interpret
from ..wording import counted

Floats = npt.NDArray[np.float64]

GOLD_MAX = MOST_SIMILAR
MEASURES = ("score", "jaccard", "tfidf")
RESAMPLES = 1000
RESAMPLED_AT_ONCE = 1_000_000  # numbers in memory at a time
CONSTANT = 1e-12  # a sum of squares up to this is the rounding of equal numbers
FEWEST_FOR_INTERVAL = 10  # below this, resamples repeat a handful of pairs and say nothing


def with_gold(
    pairs: pd.DataFrame, *, gold_min: float | None = None, gold_max: float | None = None
) -> pd.DataFrame:
    """Keep the pairs that people scored, and bring their scores to the scale from 0 to 5.

    Parameters
    ----------
    pairs : DataFrame
        With ``sentence_a, sentence_b, gold_score``, as `read_pairs` reads it.
    gold_min, gold_max : float or None, default None
        The lowest and the highest score that people could give; None tells them by the scores:
        0 to 5, 1 to 5, 0 to 1 or 0 to 100.

    Returns
    -------
    pandas.DataFrame with ``gold_score`` from 0 to 5

    Raises
    ------
    InputError
        If there is no ``gold_score``, one lies outside the scale, they fit no usual scale, or
        fewer than two pairs have one.

    Examples
    --------
    >>> from stslab import read_pairs
    >>> pairs = read_pairs([("a", "b", 0.5), ("c", "d", 1), ("e", "f")]).table
    >>> with_gold(pairs)["gold_score"].tolist()
    [2.5, 5.0]
    """
    if "gold_score" not in pairs:
        raise InputError(
            f"pairs, columns {list(pairs.columns)}: expected 'gold_score', too: what people said, "
            f"from 0 (nothing in common) to 5 (the same meaning). Name that column so; in a list "
            f"it is the third value of each pair."
        )
    rated = pairs[pairs["gold_score"].notna()]
    gold_min, gold_max = find_scale(rated["gold_score"], gold_min=gold_min, gold_max=gold_max)
    wrong = rated[~rated["gold_score"].between(gold_min, gold_max)]
    if len(wrong):
        raise InputError(
            f"gold_score {wrong['gold_score'].iloc[0]:g} of “{wrong['sentence_a'].iloc[0]:.60}”: "
            f"expected {gold_min:g} to {gold_max:g}. Set gold_min and gold_max to the lowest and "
            f"the highest score that people could give."
        )
    if len(rated) < 2:
        raise InputError(
            f"gold_score: {counted(len(rated), 'pair')} with one; agreement needs at least 2."
        )
    gold = (rated["gold_score"] - gold_min) * (GOLD_MAX / (gold_max - gold_min))
    return rated.assign(gold_score=gold).reset_index(drop=True)


def agreement(
    scored: pd.DataFrame,
    measures: Sequence[str] = MEASURES,
    *,
    by: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each measure with people's scores, with 95 % bootstrap intervals.

    Parameters
    ----------
    scored : DataFrame, length n
        ``gold_score`` and at least one of `measures`.
    measures : sequence of str, default ("score", "jaccard", "tfidf")
        Columns of numbers; those that `scored` lacks are left out.
    by : str or None, default None
        A column; agreement is then computed within each of its groups.
    seed : int, default 0
        Of the 1,000 resamples of the pairs; the percentiles 2.5 and 97.5 are reported.

    Returns
    -------
    pandas.DataFrame
        Columns ``measure``, `by` where given, ``pairs, spearman, spearman_low, spearman_high,
        pearson, pearson_low, pearson_high``. NaN where a measure or the gold is constant;
        intervals are NaN below 10 pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.1, 0.5, 0.6], "gold_score": [1, 2, 5]})
    >>> agreement(scored).round(2)[["measure", "pairs", "spearman", "pearson"]].values.tolist()
    [['score', 3, 1.0, 0.82]]
    """
    rows = []
    for measure in measures:
        if measure not in scored:
            continue
        if by is None:
            rows.append(_agreement_row(scored, measure, seed))
        else:
            for group, pairs in scored.groupby(by, sort=True):
                rows.append(_agreement_row(pairs, measure, seed, {by: group}))
    return pd.DataFrame(rows)


def _agreement_row(
    pairs: pd.DataFrame, measure: str, seed: int, group: Mapping[Any, Any] | None = None
) -> dict[Any, Any]:
    """Return a measure's correlations with the gold score and their intervals."""
    row: dict[Any, Any] = {"measure": measure, "pairs": len(pairs), **(group or {})}
    correlations = _correlations(pairs, measure)
    resampled_correlations = _resampled_correlations(pairs, measure, seed)
    for number, name in enumerate(["spearman", "pearson"]):
        low, high = _interval(resampled_correlations[number])
        row |= {name: correlations[number], f"{name}_low": low, f"{name}_high": high}
    return row


def agreement_differences(
    scored: pd.DataFrame, measures: Sequence[str] = MEASURES, *, against: str, seed: int = 0
) -> pd.DataFrame:
    """Compare the agreement of measures with people, on the same pairs.

    Two correlations move together when the pairs change. So the interval of their difference is
    narrower than the two single intervals suggest, and it alone can tell the two apart.

    Parameters
    ----------
    scored : DataFrame, length n
        ``gold_score`` and the measures.
    measures : sequence of str, default ("score", "jaccard", "tfidf")
        Columns of numbers; those that `scored` lacks are left out.
    against : str
        The measure to compare the others with.
    seed : int, default 0
        Of the 1,000 resamples of the pairs, the same for all measures.

    Returns
    -------
    pandas.DataFrame
        For each other measure ``measure, difference, low, high``: its Spearman correlation minus
        that of `against`, and the 95 % interval of this difference (percentile bootstrap); and
        ``verdict``: "higher" or "lower" where the interval leaves out 0, else "too few pairs to
        say". NaN as in `agreement`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> gold = np.arange(12.0)
    >>> scored = pd.DataFrame({"a": gold, "b": gold[::-1], "gold_score": gold})
    >>> agreement_differences(scored, ["a", "b"], against="a").to_numpy().tolist()
    [['b', -2.0, -2.0, -2.0, 'lower']]
    """
    spearman_against = _correlations(scored, against)[0]
    resampled_against = _resampled_correlations(scored, against, seed)[0]
    rows = []
    for measure in measures:
        if measure not in scored or measure == against:
            continue
        difference = _correlations(scored, measure)[0] - spearman_against
        # The same seed draws the same resamples for all measures, so their differences count.
        resampled = _resampled_correlations(scored, measure, seed)[0]
        low, high = _interval(resampled - resampled_against)
        verdict = "too few pairs to say"
        if low > 0:
            verdict = "higher"
        elif high < 0:
            verdict = "lower"
        rows.append((measure, difference, low, high, verdict))
    return pd.DataFrame(rows, columns=["measure", "difference", "low", "high", "verdict"])


def residuals(scored: pd.DataFrame) -> pd.DataFrame:
    """Measure how far each pair lies from the straight line through all of them.

    Parameters
    ----------
    scored : DataFrame with ``score, gold_score``

    Returns
    -------
    pandas.DataFrame
        `scored` with ``fitted_gold``, the least-squares line's human score for this score, and
        ``residual = gold_score - fitted_gold``: above 0 where people rate the pair higher. Where
        all scores are equal, the line is the mean human score.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.0, 0.5, 1.0], "gold_score": [0, 4, 5]})
    >>> residuals(scored)["residual"].round(2).tolist()
    [-0.5, 1.0, -0.5]
    """
    score = scored["score"].to_numpy(dtype=float)
    gold = scored["gold_score"].to_numpy(dtype=float)
    # Least squares. scipy's linregress refuses equal scores, so it would need the same cases.
    deviation = score - score.mean()
    sum_of_squares = float(deviation @ deviation)
    slope = 0.0
    if sum_of_squares > CONSTANT:
        slope = float(deviation @ gold) / sum_of_squares
    fitted = gold.mean() + slope * deviation
    return scored.assign(fitted_gold=fitted, residual=gold - fitted)


def largest_disagreements(scored: pd.DataFrame, top_k: int = 10) -> pd.DataFrame:
    """Find the pairs whose human score is farthest from what their score suggests.

    Parameters
    ----------
    scored : DataFrame with ``score, gold_score``
    top_k : int, default 10

    Returns
    -------
    pandas.DataFrame
        The first `top_k` rows of `residuals` by size, largest first; ties keep input order.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.0, 0.5, 1.0], "gold_score": [0, 4, 5]})
    >>> largest_disagreements(scored, 1)["score"].tolist()
    [0.5]
    """
    table = residuals(scored)
    size = table["residual"].abs().round(12)
    return table.loc[size.sort_values(ascending=False, kind="stable").index[: check_top_k(top_k)]]


def thresholds(
    scored: pd.DataFrame, *, gold_threshold: float = 4.0, levels: Sequence[float] | None = None
) -> pd.DataFrame:
    """Count what each threshold on the score would find of the pairs that people call the same.

    Parameters
    ----------
    scored : DataFrame with ``score, gold_score``
    gold_threshold : float, default 4.0
        People call a pair the same from this gold score on.
    levels : sequence of float or None, default None
        Thresholds; None takes 0.00, 0.05, … 1.00.

    Returns
    -------
    pandas.DataFrame
        Columns ``threshold, found`` (pairs that score at least this), ``precision`` (the share of
        these that people call the same; NaN where none is found), ``recall`` (the share of what
        people call the same that is found; NaN where there is none) and ``f1``.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.2, 0.6, 0.9], "gold_score": [1, 2, 5]})
    >>> thresholds(scored, levels=[0.5]).round(4).values.tolist()
    [[0.5, 2.0, 0.5, 1.0, 0.6667]]
    """
    if levels is None:
        levels = np.linspace(0, 1, 21).round(2).tolist()
    thresholds_column = np.asarray(levels, dtype=float)
    is_same = scored["gold_score"].to_numpy(dtype=float) >= gold_threshold
    # One row for each threshold, one column for each pair.
    reaches = scored["score"].to_numpy(dtype=float) >= thresholds_column[:, None]
    found_counts = reaches.sum(axis=1)
    right_counts = (reaches & is_same).sum(axis=1)
    table = pd.DataFrame({"threshold": thresholds_column, "found": found_counts})
    table["precision"] = _shares(right_counts, found_counts)
    table["recall"] = _shares(right_counts, np.full(len(table), is_same.sum()))
    # The harmonic mean of the two is the share of right ones among found and sought together.
    table["f1"] = _shares(2 * right_counts, found_counts + is_same.sum())
    return table


def bands_against_gold(scored: pd.DataFrame) -> pd.DataFrame:
    """Compare the tutorial's bands with human scores.

    Parameters
    ----------
    scored : DataFrame with ``score, gold_score``, the latter from 0 to 5

    Returns
    -------
    pandas.DataFrame
        One row per band, highest first: ``band, from_score, pairs, mean_gold`` and
        ``same_band``, the share of its pairs that people put there too (a fifth of the gold score
        read by the same table); NaN where it holds no pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.95, 0.92, 0.1], "gold_score": [5.0, 4.0, 1.0]})
    >>> bands_against_gold(scored).dropna()[["pairs", "mean_gold", "same_band"]].values.tolist()
    [[2.0, 4.5, 0.5], [1.0, 1.0, 1.0]]
    """
    band = scored["score"].map(interpret)
    is_same = band == (scored["gold_score"] / GOLD_MAX).map(interpret)
    groups = pd.DataFrame({"gold": scored["gold_score"], "same": is_same}).groupby(band)
    by_band = groups.agg(
        pairs=("gold", "size"), mean_gold=("gold", "mean"), same_band=("same", "mean")
    )
    table = bands()[["band", "from_score"]].join(by_band, on="band")
    return table.assign(pairs=table["pairs"].fillna(0).astype(int))


def _correlations(scored: pd.DataFrame, measure: str) -> Floats:
    """Return a measure's Spearman and Pearson correlations with the gold score."""
    values = scored[measure].to_numpy(dtype=float)
    gold = scored["gold_score"].to_numpy(dtype=float)
    return _spearman_and_pearson(values, gold)


def _resampled_correlations(scored: pd.DataFrame, measure: str, seed: int) -> Floats:
    """Return both correlations of each resample; shape (2, resamples), (2, 0) of few pairs."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    values = scored[measure].to_numpy(dtype=float)
    gold = scored["gold_score"].to_numpy(dtype=float)
    if len(values) < FEWEST_FOR_INTERVAL:
        return np.empty((2, 0))
    with warnings.catch_warnings():
        # Of scipy's result only the resamples are used: where a correlation is undefined in one
        # of them, it has no interval and warns, while `_interval` leaves that one out.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (values, gold),
            _spearman_and_pearson,
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=max(1, RESAMPLED_AT_ONCE // len(values)),
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return np.asarray(result.bootstrap_distribution)


def _interval(resampled: Floats) -> tuple[float, float]:
    """Return the 95 % percentile interval; NaN without resamples."""
    # A resample may hold one pair only, again and again, and has no correlation then.
    defined = resampled[~np.isnan(resampled)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _spearman_and_pearson(a: Floats, b: Floats, axis: int = -1) -> Floats:
    """Correlate along an axis; the two come first, NaN where one side is constant."""
    from scipy.stats import rankdata

    spearman = _pearson(rankdata(a, axis=axis), rankdata(b, axis=axis), axis)
    return np.stack([spearman, _pearson(a, b, axis)])


def _pearson(a: Floats, b: Floats, axis: int) -> Floats:
    a = a - a.mean(axis=axis, keepdims=True)
    b = b - b.mean(axis=axis, keepdims=True)
    size = np.sqrt((a * a).sum(axis=axis) * (b * b).sum(axis=axis))
    return _shares((a * b).sum(axis=axis), np.where(size > CONSTANT, size, 0))


def _shares(parts: npt.NDArray[Any], wholes: npt.NDArray[Any]) -> Floats:
    """Divide; NaN where the whole is 0."""
    shares: Floats = np.full(np.shape(parts), np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
