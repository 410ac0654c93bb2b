"""The scale on which people scored pairs, told by the scores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .checks import InputError

MOST_SIMILAR = 5.0  # STS Benchmark's scale: 0 nothing in common, 5 the same meaning
FEWEST_FOR_LOWEST = 10  # scores by which to tell that nobody could give 0


def find_scale(
    scores: Iterable[float], *, gold_min: float | None = None, gold_max: float | None = None
) -> tuple[float, float]:
    """Return the lowest and the highest score that people could give.

    Parameters
    ----------
    scores : iterable of float
        NaN for a pair that nobody scored.
    gold_min, gold_max : float or None, default None
        Where they are known. Else scores up to 1 are on a scale from 0 to 1, others up to 5 on
        one from 0 to 5 (from 1 to 5 if ten or more are whole numbers and none is below 1), and
        those over 10, up to 100, on one from 0 to 100.

    Raises
    ------
    InputError
        If the scores are on no such scale, or outside the one that is named.

    Examples
    --------
    >>> find_scale([0, 0.5, 1]), find_scale([0, 35, 80]), find_scale([1, 2.5])
    ((0.0, 1.0), (0.0, 100.0), (0.0, 5.0))
    """
    scores = np.array([score for score in scores if score == score], dtype=float)
    if gold_min is None or gold_max is None:
        found_min, found_max = _usual_scale(scores, is_known=gold_max is not None)
        if gold_min is None:
            gold_min = found_min
        if gold_max is None:
            gold_max = found_max
    if not gold_min < gold_max:
        raise InputError(
            f"gold_min={gold_min:g}, gold_max={gold_max:g}: expected a lowest score below the "
            f"highest."
        )
    return float(gold_min), float(gold_max)


def _usual_scale(scores: np.ndarray, *, is_known: bool) -> tuple[float, float]:
    """Return the usual scale that scores fit, or raise InputError if several or none does."""
    if not len(scores) or is_known:
        return 0.0, MOST_SIMILAR
    lowest, highest = scores.min(), scores.max()
    if lowest >= 0 and highest <= 1:
        return 0.0, 1.0
    if lowest >= 0 and highest <= MOST_SIMILAR:
        are_whole = bool(np.all(scores == scores.round()))
        if lowest >= 1 and are_whole and len(scores) >= FEWEST_FOR_LOWEST:
            return 1.0, MOST_SIMILAR
        return 0.0, MOST_SIMILAR
    if lowest >= 0 and 10 < highest <= 100:
        return 0.0, 100.0
    raise InputError(
        f"gold_score: human scores lie from {lowest:g} to {highest:g}, which fits no usual scale. "
        f"Name the lowest and the highest score that people could give: GOLD_MIN=… GOLD_MAX=… "
        f"with make, -p gold_min=… -p gold_max=… without, gold_min=…, gold_max=… in Python."
    )
