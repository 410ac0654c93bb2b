"""Blind spots: minimal pairs, and how often a measure misjudges them.

A minimal pair differs in one respect: a negation, a number, a typing error. The pairs were written
for stslab, see ``data/minimal_pairs.csv``, to which you may add. Three kinds are the yardstick:
``paraphrase`` (the same in other words), ``related`` (one subject, two statements) and
``unrelated``.
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
from ..inputs.tables import read_pairs

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_minimal_pairs(
    own_pairs: Sequence[Any] | pd.DataFrame | str | Path | None = None,
) -> pd.DataFrame:
    """Read the minimal pairs that come with stslab, followed by your own.

    Parameters
    ----------
    own_pairs : as for `read_pairs`, or None, default None
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
    if own_pairs is not None:
        own_table = read_pairs(own_pairs).table
        kinds = own_table.get("kind", pd.Series("", index=own_table.index)).fillna("").astype(str)
        own_table["kind"] = kinds.str.strip().replace("", "your own")
        if "same_meaning" not in own_table:
            own_table["same_meaning"] = ""
        tables.append(own_table[tables[0].columns])
    pairs = pd.concat(tables, ignore_index=True)
    spellings = pairs["same_meaning"].fillna("").astype(str).str.strip().str.lower()
    wrong = pairs[~spellings.isin(["", *TRUTH])]
    if len(wrong):
        raise InputError(
            f"same_meaning of “{wrong['sentence_a'].iloc[0]:.60}”: expected true, false or "
            f"nothing, got {wrong['same_meaning'].iloc[0]!r:.60}."
        )
    return pairs.assign(same_meaning=spellings.map(TRUTH).astype("boolean"))


def blind_spots(
    scored: pd.DataFrame, *, measures: Sequence[str] = ("score", "jaccard", "tfidf")
) -> pd.DataFrame:
    """Summarize minimal pairs by kind: how they score, and how often that misjudges them.

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
        kind, same_meaning = group
        row = {"kind": kind, "same_meaning": same_meaning, "pairs": len(pairs)}
        row |= {measure: pairs[measure].mean() for measure in measures}
        for measure in measures:
            row[f"{measure}_misjudged"] = _misjudged(scored, pairs, measure, same_meaning)
        rows.append(row)
    return pd.DataFrame(rows)


def describe_blind_spots(kinds: pd.DataFrame, *, model_name: str) -> str:
    """Describe on how many kinds of minimal pairs a model does worse than chance.

    Parameters
    ----------
    kinds : DataFrame
        Rows of `blind_spots` with the measures ``score, jaccard, tfidf``, the worst first.
    model_name : str

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> kinds = pd.DataFrame({"kind": ["negation"], "same_meaning": [False]})
    >>> kinds[["score_misjudged", "jaccard_misjudged", "tfidf_misjudged"]] = [0.9, 1.0, 0.8]
    >>> describe_blind_spots(kinds, model_name="M").partition(". ")[0]
    'M does worse than chance on 1 of 1 kinds of minimal pairs'
    """
    judged = kinds.dropna(subset="score_misjudged")
    worse_count = int((judged["score_misjudged"] > 0.5).sum())
    means = {
        measure: f"{judged[f'{measure}_misjudged'].mean():.0%}"
        for measure in ("score", "jaccard", "tfidf")
    }
    worst = judged.iloc[0]
    meaning = "different"
    if worst["same_meaning"]:
        meaning = "same"
    return (
        f"{model_name} does worse than chance on {worse_count} of {len(judged)} kinds of minimal "
        f"pairs. It misjudges {means['score']} (Jaccard {means['jaccard']}, TF-IDF "
        f"{means['tfidf']}); among the worst is “{worst['kind']}” ({meaning} meaning): "
        f"{worst['score_misjudged']:.0%}."
    )


def _misjudged(scored: pd.DataFrame, pairs: pd.DataFrame, measure: str, same_meaning: Any) -> float:
    """Return the share of comparisons of some pairs with the yardstick that come out wrong."""
    if pd.isna(same_meaning):
        return np.nan
    is_other_meaning = scored["same_meaning"] != same_meaning
    if same_meaning:  # these should score higher than related pairs
        yardstick = scored.loc[(scored["kind"] == "related") & is_other_meaning, measure]
        return _share_higher(yardstick, pairs[measure])
    # these should score lower than paraphrases
    yardstick = scored.loc[(scored["kind"] == "paraphrase") & is_other_meaning, measure]
    return 1.0 - _share_higher(yardstick, pairs[measure])


def _share_higher(yardstick: pd.Series[float], values: pd.Series[float]) -> float:
    """Compare each with each: how often the yardstick is higher; a tie counts half."""
    differences = np.subtract.outer(yardstick.to_numpy(), values.to_numpy())
    signs: npt.NDArray[Any] = np.sign(differences)  # 1 higher, 0 a tie, -1 lower
    return float((signs.mean() + 1) / 2)
