"""Pieces of computed sentences: counted nouns, verb forms, lists, quoted texts, labels.

Text is data: control characters and line breaks never get into a sentence or a drawing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

LABEL = 28  # characters of a sentence on an axis
QUOTED = 60  # characters of a sentence in a sentence


def counted(count: int, noun: str, plural_noun: str | None = None) -> str:
    """Return a count with its noun.

    Parameters
    ----------
    count : int
    noun : str
        In the singular.
    plural_noun : str or None, default None
        For a noun whose plural is not made with an s.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "pair"), counted(1200, "pair"), counted(2, "query", "queries")
    ('1 pair', '1,200 pairs', '2 queries')
    """
    if plural_noun is None:
        plural_noun = f"{noun}s"
    return f"{count:,} {plural(count, noun, plural_noun)}"


def plural(count: int, singular_form: str, plural_form: str) -> str:
    """Return the form of a word that fits a count.

    Parameters
    ----------
    count : int
    singular_form, plural_form : str

    Returns
    -------
    str

    Examples
    --------
    >>> plural(1, "is", "are"), plural(0, "is", "are"), plural(2, "it", "them")
    ('is', 'are', 'them')
    """
    if count == 1:
        return singular_form
    return plural_form


def listed(items: Sequence[str], conjunction: str = "and") -> str:
    """Join items as a sentence does.

    Parameters
    ----------
    items : sequence of str
    conjunction : str, default "and"
        Before the last one.

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")
    ('a', 'a and b', 'a, b or c')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def quoted(text: str, width: int = QUOTED) -> str:
    """Return a text in quotation marks, shortened as `short_label` does.

    Parameters
    ----------
    text : str
    width : int, default 60
        Characters that are left of a longer one.

    Returns
    -------
    str
    """
    return f"“{short_label(text, width)}”"


def short_label(text: str, width: int = LABEL) -> str:
    """Return a text as one line of at most `width` characters, with an ellipsis if it was cut.

    Characters that no drawing can hold (control characters, unpaired surrogates) become �.

    Parameters
    ----------
    text : str
    width : int, default 28

    Returns
    -------
    str
    """
    # No more of a long text than could be needed, even if most of it is white space.
    line = " ".join(text[: 20 * width].split())
    line = "".join(map(_drawable, line))
    if len(line) <= width:
        return line
    return line[: width - 1].rstrip() + "…"


def _drawable(character: str) -> str:
    """Return a character, or � for a control character or an unpaired surrogate."""
    if unicodedata.category(character) in ("Cc", "Cs"):
        return "\ufffd"
    return character


def short_labels(texts: Sequence[str], width: int = LABEL) -> list[str]:
    """Return texts shortened as `short_label` does; those that would look the same are numbered.

    Parameters
    ----------
    texts : sequence of str
    width : int, default 28

    Returns
    -------
    list of str
        One for each text.
    """
    plain_labels = [short_label(text, width) for text in texts]
    uses = Counter(plain_labels)
    numbers = Counter[str]()
    labels = []
    for text, label in zip(texts, plain_labels, strict=True):
        if uses[label] > 1:
            numbers[label] += 1
            number = f" ({numbers[label]})"
            label = short_label(text, width - len(number) - 2) + number
        labels.append(label)
    return labels
