"""Checks of texts, pairs and numbers of results, for every function that takes them."""

from __future__ import annotations

import operator
from collections.abc import Iterable

import pandas as pd

PAIR = ["sentence_a", "sentence_b"]


class InputError(ValueError):
    """Input that cannot be used; the message says what is wrong, where, and what to do."""


def check_texts(texts: Iterable[str], argument: str) -> list[str]:
    """Return texts as a list; raise InputError if there are none or one is blank or no text.

    Parameters
    ----------
    texts : iterable of str
    argument : str
        The name of the caller's argument, for messages.
    """
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


def check_top_k(top_k: int, text_count: int | None = None, argument: str = "") -> int:
    """Return a number of results; raise an error if it is not one.

    Parameters
    ----------
    top_k : int
    text_count : int or None, default None
        The highest number allowed.
    argument : str, default ""
        The caller's argument that has so many texts, for messages.

    Raises
    ------
    TypeError
        If `top_k` is not a whole number.
    ValueError
        If it is below 1 or above `text_count`.
    """
    try:
        number = operator.index(top_k)  # int() would make 2 of 2.5
    except TypeError:
        raise TypeError(f"top_k={top_k!r}: expected a whole number.") from None
    if number < 1 or (text_count is not None and number > text_count):
        expected = "at least 1"
        if text_count:
            expected = f"1 to {text_count}, the number of texts in {argument}"
        raise ValueError(f"top_k={number}: expected {expected}.")
    return number


def check_pairs(pairs: pd.DataFrame | Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return pairs as a table whose first columns are ``sentence_a`` and ``sentence_b``.

    Raises
    ------
    InputError
        If there are no pairs, a column is missing, or a sentence is blank or no text.
    """
    if not isinstance(pairs, pd.DataFrame):
        pairs = list(pairs)
        for index, pair in enumerate(pairs):
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
