"""The tutorial's bands: names for ranges of scores, a rule of thumb."""

from __future__ import annotations

import pandas as pd

# The tutorial's table: lowest score of each band and what it is called there.
BANDS = (
    (0.90, "Near-duplicate or paraphrase"),
    (0.70, "Highly similar in topic and meaning"),
    (0.50, "Somewhat related"),
    (0.30, "Weakly related or loosely connected"),
    (-1.00, "Unrelated or different topics"),
)


def interpret(score: float) -> str:
    """Return the tutorial's band that a score falls into.

    The bands order averages well and label a single pair badly: on STS Benchmark's test pairs
    they agree exactly with the human band for 46 % (all-MiniLM-L6-v2).

    Parameters
    ----------
    score : float
        A cosine similarity in [-1, 1].

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the score lies outside [-1, 1].

    Examples
    --------
    >>> interpret(0.4189)
    'Weakly related or loosely connected'
    """
    if not -1.0 <= score <= 1.0:
        raise ValueError(f"score: a cosine similarity lies in [-1, 1], got {score}.")
    return next(name for lower, name in BANDS if score >= lower)


def bands() -> pd.DataFrame:
    """Return the tutorial's five bands.

    Returns
    -------
    pandas.DataFrame
        Columns ``from_score, below_score, band``, highest first. The first band includes 1.
    """
    table = pd.DataFrame(BANDS, columns=["from_score", "band"])
    table.insert(1, "below_score", [1.0, *table["from_score"][:-1]])
    return table
