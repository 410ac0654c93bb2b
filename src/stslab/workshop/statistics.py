"""A class's answers in numbers: agreement between people, errors of guesses, failed checks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

FEWEST = 5  # pairs for a correlation of two rankings; below, chance alone gives high values


def agreement_with_others(ratings: pd.DataFrame) -> pd.Series[float]:
    """Correlate each person's ratings with the mean of the others' ratings.

    The mean over people is the ceiling: a measure that reaches it agrees with people as well as one
    of them does. Spearman's correlation, ties at their mean rank, as `scipy.stats.spearmanr`
    computes it.

    Parameters
    ----------
    ratings : DataFrame, shape (people, pairs)
        NaN where someone did not rate a pair.

    Returns
    -------
    pandas.Series, one value a person
        NaN where fewer than 5 pairs are rated by this person and another, or all alike.

    Examples
    --------
    >>> ratings = pd.DataFrame([[0, 1, 2, 3, 5], [1, 1, 3, 4, 5], [5, 4, 2, 1, 0]])
    >>> agreement_with_others(ratings).round(2).tolist()
    [-0.71, -0.3, -1.0]
    """
    correlations = {}
    for person, row in ratings.iterrows():
        mean_of_others = ratings.drop(index=person).mean()
        shared = row.notna() & mean_of_others.notna()
        correlations[person] = _spearman(row[shared], mean_of_others[shared])
    return pd.Series(correlations, index=ratings.index, dtype=float)


def _spearman(ratings: pd.Series[float], means: pd.Series[float]) -> float:
    """Return Spearman's correlation; NaN for fewer than 5 pairs, or values that are all alike."""
    if len(ratings) < FEWEST or ratings.nunique() < 2 or means.nunique() < 2:
        return np.nan
    # Spearman's correlation is Pearson's, of ranks.
    return float(ratings.rank().corr(means.rank()))


def class_means(ratings: pd.DataFrame) -> pd.DataFrame:
    """Summarize the ratings of each pair.

    Parameters
    ----------
    ratings : DataFrame, shape (people, pairs)
        NaN where someone did not rate a pair.

    Returns
    -------
    pandas.DataFrame, one row a pair
        Columns ``people`` (how many rated it), ``gold_score`` (their mean; NaN without any) and
        ``spread`` (their standard deviation, with n - 1; NaN below two).

    Examples
    --------
    >>> class_means(pd.DataFrame([[5, 1], [3, np.nan]])).round(2).values.tolist()
    [[2.0, 4.0, 1.41], [1.0, 1.0, nan]]
    """
    return pd.DataFrame(
        {"people": ratings.count(), "gold_score": ratings.mean(), "spread": ratings.std(ddof=1)}
    )


def guess_errors(guesses: Sequence[Sequence[tuple[float, float]]]) -> pd.DataFrame:
    """Measure the errors of guesses, in the first and the last half of each person's guesses.

    Parameters
    ----------
    guesses : sequence of sequence of (float, float)
        For each person the pairs (guess, score), in the order of the guesses.

    Returns
    -------
    pandas.DataFrame, one row a person
        Columns ``guesses``, ``first_half`` and ``last_half``: mean absolute differences. Of an odd
        number the middle one is in neither half. NaN below two guesses.

    Examples
    --------
    >>> guess_errors([[(0.5, 0.1), (0.9, 0.8), (0.2, 0.3)], []]).round(2).values.tolist()
    [[3.0, 0.4, 0.1], [0.0, nan, nan]]
    """
    rows = []
    for guesses_of_person in guesses:
        errors = np.abs([guess - score for guess, score in guesses_of_person])
        half = len(errors) // 2
        first_half = last_half = np.nan
        if half:
            first_half = errors[:half].mean()
            last_half = errors[-half:].mean()
        rows.append((len(errors), first_half, last_half))
    return pd.DataFrame(rows, columns=["guesses", "first_half", "last_half"])


def check_failures(checks: pd.DataFrame) -> pd.DataFrame:
    """Summarize checks by exercise, those that failed most often first.

    Parameters
    ----------
    checks : DataFrame with ``exercise, passed, tries, hint``
        One row for each person and exercise; those without a try are left out.

    Returns
    -------
    pandas.DataFrame
        Columns ``exercise, people, failed_tries, share_passed, share_first_try, hint`` (the one
        that most people got; of two, the first by the alphabet) and ``given`` (to how many people).
        Exercises that failed equally often are in alphabetical order.

    Examples
    --------
    >>> rows = [("a", True, 1, ""), ("a", True, 3, "sum"), ("b", False, 4, "")]
    >>> checks = pd.DataFrame(rows, columns=["exercise", "passed", "tries", "hint"])
    >>> check_failures(checks)[["exercise", "failed_tries", "share_first_try"]].values.tolist()
    [['b', 4, 0.0], ['a', 2, 0.5]]
    """
    rows = []
    for exercise, attempts in checks[checks["tries"] > 0].groupby("exercise", sort=True):
        passed = attempts["passed"].astype(bool)
        # In alphabetical order, as `idxmax` returns the first of equal counts.
        hint_counts = attempts.loc[attempts["hint"] != "", "hint"].value_counts().sort_index()
        hint, people_with_hint = "", 0
        if len(hint_counts):
            hint = str(hint_counts.idxmax())
            people_with_hint = int(hint_counts.max())
        rows.append(
            {
                "exercise": exercise,
                "people": len(attempts),
                "failed_tries": int((attempts["tries"] - passed).sum()),
                "share_passed": passed.mean(),
                "share_first_try": (passed & (attempts["tries"] == 1)).mean(),
                "hint": hint,
                "given": people_with_hint,
            }
        )
    columns = ["exercise", "people", "failed_tries", "share_passed", "share_first_try"]
    table = pd.DataFrame(rows, columns=[*columns, "hint", "given"])
    order = table["failed_tries"].sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
