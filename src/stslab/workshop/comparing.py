"""Values of any type → plain lists, numbers and texts that can be compared and named."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, KeysView, Mapping, ValuesView
from decimal import Decimal
from fractions import Fraction
from inspect import isroutine
from typing import Any

from .exits import type_name

TOLERANCE = 0.0055  # a number rounded to two decimals agrees with the unrounded one
MOST_ITEMS = 10_000  # of an answer that are read; no exercise asks for nearly as many
LONGEST_TEXT = 100_000  # characters of a text in an answer
KIND_NAMES = {bool: "yes or no", int: "a number", float: "a number", str: "a text", dict: "a dict"}


class TooManyItems(ValueError):
    """An answer holds more items, or a longer text, than a check reads."""


def plain(value: Any) -> Any:
    """Turn tensors, arrays, series and tables into lists of numbers and texts.

    Raises
    ------
    TooManyItems
        If there are more than 10,000, inner ones included, or one is a text of more than 100,000
        characters.

    Examples
    --------
    >>> plain(({"b": 2, "a": (1.5,)}, {3, 1}))
    [{'b': 2, 'a': [1.5]}, [1, 3]]
    """
    return _plain(value, itertools.count(1))


def _plain(value: Any, counter: Iterator[int]) -> Any:
    if next(counter) > MOST_ITEMS:
        raise TooManyItems(f"holds more than {MOST_ITEMS:,} items, too many to look at")
    if isinstance(value, type):
        return value
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise TooManyItems(
            f"holds a text of more than {LONGEST_TEXT:,} characters, too many to read"
        )
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        # Counted by shape: a list of all of them might not fit into memory.
        if math.prod(getattr(value, "shape", ())) > MOST_ITEMS:
            raise TooManyItems(f"holds more than {MOST_ITEMS:,} numbers, too many to look at")
        value = value.tolist()
    if isinstance(value, Fraction | Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {key: _plain(entry, counter) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        # By repr: items of several types have no order.
        return sorted((_plain(item, counter) for item in value), key=repr)
    if isinstance(value, list | tuple | range | KeysView | ValuesView):
        return [_plain(item, counter) for item in value]
    return value


def values_agree(value: Any, expected: Any) -> bool:
    """Return whether two plain values agree.

    Numbers are compared to two decimals, texts without regard to case and to space at their ends.
    A list of one item agrees with the item.

    Examples
    --------
    >>> values_agree([[0.48]], 0.4804), values_agree("Paris ", "paris")
    (True, True)
    >>> values_agree(3, 4), values_agree([1, 2], [1, 2, 3])
    (False, False)
    """
    value, expected = unwrapped(value), unwrapped(expected)
    # Before numbers: True is an int, but no answer to "how many".
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return _numbers_agree(value, expected)
    if isinstance(value, str) and isinstance(expected, str):
        return value.strip().casefold() == expected.strip().casefold()
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(values_agree, value, expected))
    if isinstance(value, dict) and isinstance(expected, dict):
        if value.keys() != expected.keys():
            return False
        return all(values_agree(value[key], expected[key]) for key in value)
    return type(value) is type(expected) and bool(value == expected)


def _numbers_agree(number: float, expected: float) -> bool:
    number_is_nan = number != number
    expected_is_nan = expected != expected
    if number_is_nan or expected_is_nan:
        return number_is_nan and expected_is_nan
    # Equality first, for infinite numbers and for integers beyond the range of floats.
    return number == expected or expected - TOLERANCE <= number <= expected + TOLERANCE


def unwrapped(value: Any) -> Any:
    """Return the item of a list that holds one item, at any depth."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def kind(value: Any) -> str:
    """Name the kind of a value in a learner's words.

    >>> kind([1, 2]), kind([]), kind(len), kind(map(len, []))
    ('a list of 2', 'an empty list', 'a function', 'an iterator, not yet a list')
    """
    value = unwrapped(value)
    if isinstance(value, list) and value:
        return f"a list of {len(value)}"
    if isinstance(value, list):
        return "an empty list"
    if isroutine(value):
        return "a function"
    if isinstance(value, Iterator):
        return "an iterator, not yet a list"
    if value is None:
        return "None"
    # By identity: a class with a metaclass may not be hashable.
    for value_type, name in KIND_NAMES.items():
        if type(value) is value_type:
            return name
    return f"of type {type_name(value)}"


def is_number(value: Any) -> bool:
    """Return whether a value is a number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def has_dots(value: Any) -> bool:
    """Return whether a plain value is ``...``, or holds it."""
    if isinstance(value, Mapping):
        return any(map(has_dots, value.values()))
    if isinstance(value, list):
        return any(map(has_dots, value))
    return value is ...


def texts_in(value: Any) -> list[str]:
    """Return a text, or a list of texts, as a list; raise TypeError for anything else.

    >>> texts_in("a"), texts_in(("a", "b"))
    (['a'], ['a', 'b'])
    """
    texts: Any = [value]
    if not isinstance(value, str):
        texts = plain(value)
    if isinstance(value, set) or not isinstance(texts, list):
        raise TypeError("a list is asked for, in order")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise TypeError("each has to be a text")
    return texts
