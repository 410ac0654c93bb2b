"""What the page's logic needs of Python's: words, patterns and tables, none of them twice."""

from __future__ import annotations

import re
from typing import Any

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ..models.encoding import Encoder
from ..scores.bands import BANDS
from ..studies import calibration, content, differences, groups, headlines, opposites, quantities

# Python's \b, \w and \d know letters and digits of all scripts; JavaScript's do not. Only Python's
# \s has U+001C to U+001F and U+0085, only JavaScript's U+FEFF; Python's $ also stands before a
# last line break.
WORD = r"\p{L}\p{N}_"
SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
EDGE = f"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
CLASSES = {r"\b": EDGE, r"\w": f"[{WORD}]", r"\d": r"\p{Nd}", r"\s": f"[{SPACE}]"}
CLASSES |= {r"\-": "-", r"\ ": " ", "$": r"(?=\n?$)"}
IN_BRACKETS = CLASSES | {r"\w": WORD, r"\s": SPACE, r"\-": r"\-", "$": "$"}
PIECE = re.compile(r"\[\^\\W_\]|\(\?P<|\\.|.", re.DOTALL)


def lexicon(model: Encoder) -> dict[str, Any]:
    """Gather what ``page/lists.js``, ``differences.js``, ``quantities.js`` and ``worth.js`` need.

    Parameters
    ----------
    model : Encoder
        Without a calibration for it, the page says so in `describe_calibration`'s words.

    Returns
    -------
    dict
        Of what JSON holds.
    """
    pairs, irregular = opposites.known_opposites()
    known = calibration.is_calibrated(model)
    return {
        "opposites": {word: sorted(against) for word, against in sorted(pairs.items())},
        "irregular": irregular,
        "endings": opposites.ENDINGS,
        "negations": for_javascript(differences.NEGATIONS.pattern),
        "denials": for_javascript(differences.DENIALS.pattern),
        "number": for_javascript(quantities.NUMBER.pattern),
        "before": for_javascript(quantities.BEFORE.pattern),
        "after": for_javascript(quantities.after_number().pattern),
        "values": quantities.VALUES,
        "scales": quantities.SCALES,
        "months": quantities.MONTHS,
        "units": quantities.known_units(),
        "emptyAnswers": sorted(content.empty_answers()),
        "stopWords": sorted(ENGLISH_STOP_WORDS),
        "cuts": groups.CUTS,
        "bands": BANDS,
        "near": headlines.NEAR if known else None,
        "far": headlines.FAR if known else None,
        "wordLimits": calibration.WORD_LIMITS,
        "calibration": _columns("calibration") if known else None,
        "random": _columns("random") if known else None,
        "silence": "" if known else calibration.describe_calibration(model),
    }


def for_javascript(pattern: str) -> str:
    r"""Write a pattern of Python's as JavaScript reads it with the flag ``u``.

    Parameters
    ----------
    pattern : str
        Of what stslab uses: groups, named or not, look-around, classes, ``\b \w \d \s``.

    Returns
    -------
    str

    Examples
    --------
    >>> for_javascript(r"(?P<year>\d{4})(?!\w)")
    '(?<year>\\p{Nd}{4})(?![\\p{L}\\p{N}_])'
    """
    written, inside = [], False
    for piece in PIECE.findall(pattern):
        if piece == r"[^\W_]":
            piece = r"[\p{L}\p{N}]"
        elif piece == "(?P<":
            piece = "(?<"
        elif piece in "[]":
            inside = piece == "["
        else:
            piece = (IN_BRACKETS if inside else CLASSES).get(piece, piece)
        written.append(piece)
    return "".join(written)


def _columns(table: str) -> dict[str, list[float]]:
    return {str(name): list(values) for name, values in calibration.shipped(table).items()}
