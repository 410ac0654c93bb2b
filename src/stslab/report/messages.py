"""What messages are made of: the error of a wrong request, suggestions, values on one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MOST_CHOICES = 20  # that a message lists


class RequestError(ValueError):
    """A request that cannot be met: a wrong preset, parameter, file or notebook (exit code 2)."""


def suggest(name: str, choices: Iterable[str], *, if_none: str = "There are none.") -> str:
    """Return the choice that is nearest to a wrong name, or else the list of choices, in words.

    >>> suggest("top-k", ["model", "top_k"]), suggest("x", ["model", "top_k"])
    (" Did you mean 'top_k'?", ' Choose from: model, top_k.')
    """
    choice_by_folded = {choice.casefold(): choice for choice in choices}
    if not choice_by_folded:
        return f" {if_none}"
    nearest = difflib.get_close_matches(name.casefold(), choice_by_folded, n=1, cutoff=0.7)
    if nearest:
        return f" Did you mean {choice_by_folded[nearest[0]]!r}?"
    names = list(choice_by_folded.values())
    listed_names = ", ".join(names[:MOST_CHOICES])
    if len(names) > MOST_CHOICES:
        listed_names += f" … and {len(names) - MOST_CHOICES} more"
    return f" Choose from: {listed_names}."


def printable(text: str) -> str:
    """Return a text with its invisible characters as escapes.

    A terminal obeys some of them, and a newline could forge a line of output.

    >>> printable("a\\x1b[31m\\nb")
    'a\\\\x1b[31m\\\\nb'
    """
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character.isprintable():
        return character
    return ascii(character)[1:-1]


def short_repr(value: Any, width: int = 60) -> str:
    """Return a value as a message or a table shows it: short, on one line."""
    if isinstance(value, Path):
        value = str(value)
    text = repr(value)
    if len(text) <= width:
        return text
    return text[: width - 1] + "…"


def joined_names(names: Sequence[str]) -> str:
    """Return names of columns as one text; names that hold a comma are quoted if they are several.

    >>> joined_names(["a, b"]), joined_names(["a, b", "c"])
    ('a, b', '"a, b", c')
    """
    if len(names) == 1:
        return names[0]
    return ", ".join(map(_quoted_if_it_holds_a_comma, names))


def _quoted_if_it_holds_a_comma(name: str) -> str:
    if "," in name:
        return f'"{name}"'
    return name
