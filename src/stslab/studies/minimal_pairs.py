"""Blind spots: minimal pairs, and how often a measure puts them on the wrong side.

A minimal pair differs in one respect: a negation, a number, a typing error. The pairs were written
for stslab, ``data/minimal_pairs.csv``; add to them. Three kinds are the yardstick: ``paraphrase``
(the same in other words), ``related`` (one subject, two statements) and ``unrelated``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import InputError
from ..inputs.reading import read_pairs

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_minimal_pairs(
    own: Sequence[Any] | pd.DataFrame | str | Path | None = None,
) -> pd.DataFrame:
    """Read the minimal pairs that come with stslab, and your own behind them.

    Parameters
    ----------
    own : as for `read_pairs`, or None, default None
        May have ``kind`` (default ``"your own"``) and ``same_meaning`` (true, false or empty).

    Returns
    -------
    pandas.DataFrame
        Columns ``kind, sentence_a, sentence_b, same_meaning``, the last True, False or missing.

    Raises
    ------
    InputError
        As `read_pairs`; or if ``same_meaning`` is neither true nor false.

    Examples
    --------
    >>> pairs = read_minimal_pairs([("It rains.", "It pours.")])
    >>> pairs["kind"].iloc[[0, -1]].tolist()
    ['paraphrase', 'your own']
    """
    file = resources.files(__package__) / "data" / "minimal_pairs.csv"
    with file.open(encoding="utf-8") as stream:
        tables = [pd.read_csv(stream, dtype=object, keep_default_na=False)]
    if own is not None:
        mine = read_pairs(own).table
        kind = mine.get("kind", pd.Series("", index=mine.index)).fillna("").astype(str)
        mine["kind"] = kind.str.strip().replace("", "your own")
        if "same_meaning" not in mine:
            mine["same_meaning"] = ""
        tables.append(mine[tables[0].columns])
    pairs = pd.concat(tables, ignore_index=True)
    given = pairs["same_meaning"].fillna("").astype(str).str.strip().str.lower()
    if len(wrong := pairs[~given.isin(["", *TRUTH])]):
        raise InputError(
            f"same_meaning of “{wrong['sentence_a'].iloc[0]:.60}”: expected true, false or "
            f"nothing, got {wrong['same_meaning'].iloc[0]!r:.60}."
        )
    return pairs.assign(same_meaning=given.map(TRUTH).astype("boolean"))


def blind_spots(
    scored: pd.DataFrame, *, measures: Sequence[str] = ("score", "jaccard", "tfidf")
) -> pd.DataFrame:
    """Summarise minimal pairs by kind: how they score, and how often that misjudges them.

    Parameters
    ----------
    scored : DataFrame from `read_minimal_pairs`, with a column for each measure
    measures : sequence of str

    Returns
    -------
    pandas.DataFrame
        Columns ``kind, same_meaning, pairs``, then the mean of each measure, then for each
        ``{measure}_misjudged``: 0 is faultless, 0.5 chance, 1 always wrong, NaN not known.

    Notes
    -----
    *Misjudged* needs no threshold, so measures of different scales compare. It is the share of
    comparisons with the yardstick that come out wrong: a pair of different meaning that scores
    higher than a paraphrase, or a pair of the same meaning that scores lower than a merely related
    pair. A tie counts half.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = [("paraphrase", True, 0.6), ("paraphrase", True, 0.8), ("related", False, 0.2)]
    >>> pairs += [("negation", False, 0.7)]
    >>> scored = pd.DataFrame(pairs, columns=["kind", "same_meaning", "score"])
    >>> blind_spots(scored, measures=["score"])[["kind", "score_misjudged"]].to_numpy().tolist()
    [['paraphrase', 0.0], ['related', 0.0], ['negation', 0.5]]
    """
    rows = []
    group: Any
    for group, pairs in scored.groupby(["kind", "same_meaning"], sort=False, dropna=False):
        kind, same = group
        row = {"kind": kind, "same_meaning": same, "pairs": len(pairs)}
        row |= {measure: pairs[measure].mean() for measure in measures}
        for measure in measures:
            row[f"{measure}_misjudged"] = np.nan
            if pd.notna(same):
                # Pairs of the same meaning should beat the related, others no paraphrase.
                is_control = scored["kind"] == ("related" if same else "paraphrase")
                control = scored.loc[is_control & (scored["same_meaning"] != same), measure]
                above = _share_above(control, pairs[measure])
                row[f"{measure}_misjudged"] = above if same else 1.0 - above
        rows.append(row)
    return pd.DataFrame(rows)


def _share_above(control: pd.Series[float], values: pd.Series[float]) -> float:
    """Compare each with each: how often the control is higher; a tie counts half."""
    above: npt.NDArray[Any] = np.sign(np.subtract.outer(control.to_numpy(), values.to_numpy()))
    return float((above.mean() + 1) / 2)
