"""What every function that takes texts asks of them, checked once."""

from __future__ import annotations

import operator
from collections.abc import Iterable

import pandas as pd

PAIR = ["sentence_a", "sentence_b"]


class InputError(ValueError):
    """Input that cannot be used; the message says what, where and what next."""


def check_texts(texts: Iterable[str], argument: str) -> list[str]:
    """Refuse an empty list, a blank text, and anything that is not text."""
    if isinstance(texts, str):
        raise InputError(f"{argument}: expected a list of texts, got one text. Put it in [ ].")
    texts = list(texts)
    if not texts:
        raise InputError(f"{argument}: no texts. Give at least one.")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InputError(f"{argument}[{index}]: expected text, got {text!r} ({kind}).")
        if not text or text.isspace():
            raise InputError(
                f"{argument}[{index}] is blank ({text!r}). Remove it, or give it text: a model "
                f"scores blank text as if it meant something."
            )
    return texts


def check_top_k(top_k: int, most: int | None = None, argument: str = "") -> int:
    """Refuse a number of results that is not whole, below 1, or above the number of texts."""
    try:
        number = operator.index(top_k)  # int() would make 2 of 2.5
    except TypeError:
        raise TypeError(f"top_k={top_k!r}: expected a whole number.") from None
    if number < 1 or (most is not None and number > most):
        expected = f"1 to {most}, the number of texts in {argument}" if most else "at least 1"
        raise ValueError(f"top_k={number}: expected {expected}.")
    return number


def check_pairs(pairs: pd.DataFrame | Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Bring pairs into a table with ``sentence_a`` and ``sentence_b`` first, texts checked."""
    if not isinstance(pairs, pd.DataFrame):
        for index, pair in enumerate(pairs := list(pairs)):
            if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
                raise InputError(f"pairs[{index}]: expected two texts, got {pair!r:.60}.")
        pairs = pd.DataFrame(pairs, columns=PAIR, dtype=object)
    if pairs.empty:
        raise InputError("pairs: no pairs. Give at least one.")
    for name in PAIR:
        if name not in pairs:
            raise InputError(f"pairs, columns {list(pairs)}: expected {name!r}. Rename a column.")
        check_texts(pairs[name], name)
    return pairs[[*PAIR, *pairs.columns.drop(PAIR)]].reset_index(drop=True)
