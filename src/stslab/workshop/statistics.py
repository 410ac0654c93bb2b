"""What a class said, in numbers: how far people agree, how guesses went, which checks failed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

FEWEST = 5  # pairs below which a correlation of two rankings says nothing


def agreement_with_others(ratings: pd.DataFrame) -> pd.Series[float]:
    """Correlate each person's ratings with the mean of the others'.

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
    found = {}
    for person, own in ratings.iterrows():
        others = ratings.drop(index=person).mean()
        both = own.notna() & others.notna()
        varied = own[both].nunique() > 1 and others[both].nunique() > 1
        enough = both.sum() >= FEWEST and varied
        found[person] = own[both].rank().corr(others[both].rank()) if enough else np.nan
    return pd.Series(found, index=ratings.index, dtype=float)


def class_means(ratings: pd.DataFrame) -> pd.DataFrame:
    """Sum up what people say of each pair.

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
    """Measure how far guesses were from scores, at the start and at the end.

    Parameters
    ----------
    guesses : for each person the pairs (guess, score) in the order made

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
    for each in guesses:
        errors = np.abs([guess - score for guess, score in each])
        half = len(errors) // 2
        ends = (errors[:half].mean(), errors[-half:].mean()) if half else (np.nan, np.nan)
        rows.append((len(errors), *ends))
    return pd.DataFrame(rows, columns=["guesses", "first_half", "last_half"])


def check_failures(checks: pd.DataFrame) -> pd.DataFrame:
    """Sum up checks by exercise, those that failed most often first.

    Parameters
    ----------
    checks : DataFrame with ``exercise, passed, tries, hint``
        One row for each person and exercise; those without a try are left out.

    Returns
    -------
    pandas.DataFrame
        Columns ``exercise, people, failed_tries, share_passed, share_first_try, hint`` (the one
        given most; ties in order of the alphabet) and ``given`` (to how many). Ties keep the order
        of the alphabet.

    Examples
    --------
    >>> rows = [("a", True, 1, ""), ("a", True, 3, "sum"), ("b", False, 4, "")]
    >>> checks = pd.DataFrame(rows, columns=["exercise", "passed", "tries", "hint"])
    >>> check_failures(checks)[["exercise", "failed_tries", "share_first_try"]].values.tolist()
    [['b', 4, 0.0], ['a', 2, 0.5]]
    """
    rows = []
    for exercise, part in checks[checks["tries"] > 0].groupby("exercise", sort=True):
        passed = part["passed"].astype(bool)
        hints = part.loc[part["hint"] != "", "hint"].value_counts().sort_index()
        hint = hints.idxmax() if len(hints) else ""
        rows.append(
            {
                "exercise": exercise,
                "people": len(part),
                "failed_tries": int((part["tries"] - passed).sum()),
                "share_passed": passed.mean(),
                "share_first_try": (passed & (part["tries"] == 1)).mean(),
                "hint": hint,
                "given": int(hints.max()) if len(hints) else 0,
            }
        )
    columns = ["exercise", "people", "failed_tries", "share_passed", "share_first_try"]
    table = pd.DataFrame(rows, columns=[*columns, "hint", "given"])
    order = table["failed_tries"].sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
