"""Words, patterns and tables that the page's script takes from Python's code."""

from __future__ import annotations

import re
from typing import Any

from ..inputs.texts import FINAL_MARKS
from ..models.encoding import Encoder
from ..scores.bands import BANDS
from ..studies import calibration, content, differences, headlines, opposites, quantities
from ..studies.themes.members import SAME_SCORE

# Python's \b, \w and \d know letters and digits of all scripts; JavaScript's do not. Only Python's
# \s has U+001C to U+001F and U+0085, and only JavaScript's has U+FEFF. Python's $ also matches
# before a last line break. Escapes that JavaScript's flag u does not allow lose their backslash.
WORD = r"\p{L}\p{N}_"
SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
EDGE = f"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
OUTSIDE_BRACKETS = {
    r"[^\W_]": r"[\p{L}\p{N}]",
    "(?P<": "(?<",
    r"\b": EDGE,
    r"\w": f"[{WORD}]",
    r"\d": r"\p{Nd}",
    r"\s": f"[{SPACE}]",
    r"\-": "-",
    r"\ ": " ",
    "$": r"(?=\n?$)",
}
IN_BRACKETS = OUTSIDE_BRACKETS | {r"\w": WORD, r"\s": SPACE, r"\-": r"\-", "$": "$"}
# A whole class that has a translation of its own, the start of a named group, an escape, or any
# other character.
PIECE = re.compile(r"\[\^\\W_\]|\(\?P<|\\.|.", re.DOTALL)


def lexicon(model: Encoder) -> dict[str, Any]:
    """Return what ``page/lists.js``, ``differences.js``, ``quantities.js`` and ``worth.js`` need.

    Parameters
    ----------
    model : Encoder
        Without a calibration for it, the page says so in `describe_calibration`'s words.

    Returns
    -------
    dict
        Of what JSON can hold.
    """
    pairs, irregular = opposites.known_opposites()
    return {
        "opposites": {word: sorted(against) for word, against in sorted(pairs.items())},
        "irregular": irregular,
        "endings": opposites.ENDINGS,
        "negations": for_javascript(differences.NEGATIONS.pattern),
        "denials": for_javascript(differences.DENIALS.pattern),
        "number": for_javascript(quantities.NUMBER.pattern),
        "before": for_javascript(quantities.PREFIX.pattern),
        "after": for_javascript(quantities.after_number().pattern),
        "values": quantities.VALUES,
        "scales": quantities.SCALES,
        "months": quantities.MONTHS,
        "units": quantities.known_units(),
        "emptyAnswers": sorted(content.empty_answers()),
        "politeWords": content.polite_words(),
        "placeholder": for_javascript(f"^(?:{content.PLACEHOLDER.pattern})$"),
        "spaces": for_javascript(r"\s+"),
        "finalMarks": FINAL_MARKS,
        "bands": BANDS,
        **_calibration(model),
    }


def for_javascript(pattern: str) -> str:
    r"""Return a regular expression of Python's in JavaScript's form, for its flag ``u``.

    Parameters
    ----------
    pattern : str
        May use what stslab uses: groups, named or not, look-around, classes, ``\b \w \d \s``.

    Returns
    -------
    str

    Examples
    --------
    >>> for_javascript(r"(?P<year>\d{4})(?!\w)")
    '(?<year>\\p{Nd}{4})(?![\\p{L}\\p{N}_])'
    """
    translated = []
    translations = OUTSIDE_BRACKETS
    for piece in PIECE.findall(pattern):
        if piece == "[":
            translations = IN_BRACKETS
        elif piece == "]":
            translations = OUTSIDE_BRACKETS
        translated.append(translations.get(piece, piece))
    return "".join(translated)


def _calibration(model: Encoder) -> dict[str, Any]:
    """Return what the page needs to say what a score is worth, or why it cannot."""
    if not calibration.is_calibrated(model):
        return {
            "same": None,
            "near": None,
            "far": None,
            "wordLimits": calibration.WORD_LIMITS,
            "calibration": None,
            "random": None,
            "silence": calibration.describe_calibration(model),
        }
    return {
        "same": SAME_SCORE,
        "near": headlines.NEAR,
        "far": headlines.FAR,
        "wordLimits": calibration.WORD_LIMITS,
        "calibration": _columns("calibration"),
        "random": _columns("random"),
        "silence": "",
    }


def _columns(table: str) -> dict[str, list[float]]:
    """Return the columns of a table that is shipped with the calibration."""
    return {str(name): list(values) for name, values in calibration.shipped(table).items()}
