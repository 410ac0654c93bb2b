"""Agreement with people: pairs that carry a human score, and what the measures make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import InputError, check_top_k
from ..scores.bands import bands, interpret
from ..wording import counted

Floats = npt.NDArray[np.float64]

GOLD_MAX = 5.0  # STS Benchmark's scale: 0 nothing in common, 5 the same meaning
MEASURES = ("score", "jaccard", "tfidf")
RESAMPLES = 1000
FEWEST_FOR_INTERVAL = 10  # below this, resamples repeat a handful of pairs and say nothing


def with_gold(
    pairs: pd.DataFrame, *, gold_min: float = 0.0, gold_max: float = GOLD_MAX
) -> pd.DataFrame:
    """Keep the pairs that people scored, and bring their scores to the scale from 0 to 5.

    Parameters
    ----------
    pairs : DataFrame
        With ``sentence_a, sentence_b, gold_score``, as `read_pairs` reads it.
    gold_min, gold_max : float, default 0.0 and 5.0
        The lowest and the highest score that people could give.

    Returns
    -------
    pandas.DataFrame with ``gold_score`` from 0 to 5

    Raises
    ------
    InputError
        If there is no ``gold_score``, one lies outside `gold_min` to `gold_max`, or fewer than
        two pairs have one.

    Examples
    --------
    >>> from stslab import read_pairs
    >>> pairs = read_pairs([("a", "b", 0.5), ("c", "d", 1), ("e", "f")]).table
    >>> with_gold(pairs, gold_max=1)["gold_score"].tolist()
    [2.5, 5.0]
    """
    if "gold_score" not in pairs:
        raise InputError(
            f"pairs, columns {list(pairs.columns)}: expected 'gold_score', too: what people said, "
            f"from {gold_min:g} (nothing in common) to {gold_max:g} (the same meaning). Name that "
            f"column so; "
            f"in a list it is the third value of each pair."
        )
    if not gold_min < gold_max:
        raise InputError(
            f"gold_min={gold_min:g}, gold_max={gold_max:g}: expected a lowest score below the "
            f"highest."
        )
    used = pairs[pairs["gold_score"].notna()]
    wrong = used[~used["gold_score"].between(gold_min, gold_max)]
    if len(wrong):
        raise InputError(
            f"gold_score {wrong['gold_score'].iloc[0]:g} of “{wrong['sentence_a'].iloc[0]:.60}”: "
            f"expected {gold_min:g} to {gold_max:g}. Set gold_min and gold_max to the lowest and "
            f"the highest score that people could give."
        )
    if len(used) < 2:
        raise InputError(
            f"gold_score: {counted(len(used), 'pair')} with one; agreement needs at least 2."
        )
    gold = (used["gold_score"] - gold_min) * (GOLD_MAX / (gold_max - gold_min))
    return used.assign(gold_score=gold).reset_index(drop=True)


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
    for measure in [name for name in measures if name in scored]:
        for group, part in [("", scored)] if by is None else scored.groupby(by, sort=True):
            values, drawn = _correlations(part, measure, seed)
            row: dict[str, Any] = {"measure": measure, "pairs": len(part)}
            row |= {} if by is None else {by: group}
            for name, value, resampled in zip(("spearman", "pearson"), values, drawn, strict=True):
                low, high = _interval(resampled)
                row |= {name: value, f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def agreement_differences(
    scored: pd.DataFrame, measures: Sequence[str] = MEASURES, *, against: str, seed: int = 0
) -> pd.DataFrame:
    """Compare each measure's agreement with people with that of one of them, on the same pairs.

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
    first, first_drawn = (each[0] for each in _correlations(scored, against, seed))
    rows = []
    for measure in [name for name in measures if name in scored and name != against]:
        value, drawn = (each[0] for each in _correlations(scored, measure, seed))
        low, high = _interval(drawn - first_drawn)
        verdict = "higher" if low > 0 else "lower" if high < 0 else "too few pairs to say"
        rows.append((measure, value - first, low, high, verdict))
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
        ``residual = gold_score - fitted_gold``: above 0 where people rate the pair higher.

    Examples
    --------
    >>> import pandas as pd
    >>> scored = pd.DataFrame({"score": [0.0, 0.5, 1.0], "gold_score": [0, 4, 5]})
    >>> residuals(scored)["residual"].round(2).tolist()
    [-0.5, 1.0, -0.5]
    """
    x, gold = (scored[name].to_numpy(dtype=float) for name in ("score", "gold_score"))
    off = x - x.mean()
    spread = float(off @ off)
    slope = float(off @ gold) / spread if spread > 1e-12 else 0.0
    fitted = gold.mean() + slope * off
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
    """Say what each threshold on the score would find of the pairs that people call the same.

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
    same = scored["gold_score"].to_numpy(dtype=float) >= gold_threshold
    at = np.linspace(0, 1, 21).round(2) if levels is None else np.asarray(levels, dtype=float)
    kept = scored["score"].to_numpy(dtype=float) >= at[:, None]
    found, right = kept.sum(axis=1), (kept & same).sum(axis=1)
    table = pd.DataFrame({"threshold": at, "found": found})
    table["precision"] = _share(right, found)
    table["recall"] = _share(right, np.full(len(at), same.sum()))
    # The share of right answers among found and sought together: the harmonic mean of the two.
    table["f1"] = _share(2 * right, found + same.sum())
    return table


def bands_against_gold(scored: pd.DataFrame) -> pd.DataFrame:
    """Set the tutorial's bands against what people said.

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
    same = band == (scored["gold_score"] / GOLD_MAX).map(interpret)
    groups = pd.DataFrame({"gold": scored["gold_score"], "same": same}).groupby(band)
    found = groups.agg(
        pairs=("gold", "size"), mean_gold=("gold", "mean"), same_band=("same", "mean")
    )
    table = bands()[["band", "from_score"]].join(found, on="band")
    return table.assign(pairs=table["pairs"].fillna(0).astype(int))


def _correlations(scored: pd.DataFrame, measure: str, seed: int) -> tuple[Floats, Floats]:
    """Correlate a measure with the gold score: (Spearman, Pearson), and both of each resample."""
    a, b = (scored[name].to_numpy(dtype=float) for name in (measure, "gold_score"))
    n, random = len(a), np.random.default_rng(seed)
    blocks = [np.empty((2, 0))]
    at_once = max(1, 1_000_000 // n)  # bounded memory
    for start in range(0, RESAMPLES if n >= FEWEST_FOR_INTERVAL else 0, at_once):
        rows = random.integers(n, size=(min(at_once, RESAMPLES - start), n))
        blocks.append(_spearman_and_pearson(a[rows], b[rows]))
    return _spearman_and_pearson(a[None], b[None])[:, 0], np.hstack(blocks)


def _interval(drawn: Floats) -> tuple[float, float]:
    drawn = drawn[~np.isnan(drawn)]  # a resample may hold one pair only, again and again
    if not len(drawn):
        return np.nan, np.nan
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _spearman_and_pearson(a: Floats, b: Floats) -> Floats:
    """Correlate row with row; shape (2, rows), NaN where a row is constant."""
    from scipy.stats import rankdata

    both = ((rankdata(a, axis=1), rankdata(b, axis=1)), (a, b))
    return np.stack([_row_correlations(x, y) for x, y in both])


def _row_correlations(a: Floats, b: Floats) -> Floats:
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return _share((a * b).sum(axis=1), np.where(size > 1e-12, size, 0))


def _share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    shares: Floats = np.full(len(part), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
