"""Does an answer say anything? "n/a", "No comment." and "-" do not."""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib import resources

SIGNS = re.compile(r"[^\W_]+")  # letters and digits


def has_content(text: str) -> bool:
    """Tell whether a text says anything that a model could read.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        False where a text has fewer than two letters or digits, such as "-", "?", "x" or an emoji
        alone, and where all of it is an answer such as "n/a", "none", "no comment" or "ok", in
        one of seven languages, whatever its case and punctuation. "Yes" and "No" are answers; one
        letter of a script without case, such as 好, may be a word.

    Examples
    --------
    >>> [has_content(text) for text in ["N.A.", "(none)", "?", "No", "None of the staff helped."]]
    [False, False, False, True, True]
    """
    plain = _plain(text)
    if len(plain) < 2:
        return bool(plain) and unicodedata.category(plain) == "Lo"
    return plain not in _empty_answers()


def _plain(text: str) -> str:
    """Reduce a text to its letters and digits, in words."""
    return " ".join(SIGNS.findall(unicodedata.normalize("NFKC", text).casefold()))


@functools.cache
def _empty_answers() -> frozenset[str]:
    lines = (resources.files(__package__) / "data" / "no-content.txt").read_text("utf-8")
    answers = (line.split("|") for line in lines.splitlines() if not line.startswith("#"))
    return frozenset(_plain(answer) for line in answers for answer in line)
