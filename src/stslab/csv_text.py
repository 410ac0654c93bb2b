"""Texts in CSV files, which spreadsheets open: a text is never a formula.

As in a spreadsheet itself, an apostrophe in front says that a cell is text; quotes around it do
not. See https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import re

# Spaces and apostrophes may come first: the mark of a text that has its own must come off again.
# A negative number is no formula. The wide signs count where Japanese or Chinese is written.
_FORMULA = re.compile(r"(?!-[0-9.]+(?:[eE][-+]?[0-9]+)?\Z)[' ]*[=+\-@＝＋－＠\t\r\n]")


def mark(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet could take for a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> mark("=1+1"), mark("- No refunds"), mark("'=1+1"), mark("-0.5"), mark("'tis")
    ("'=1+1", "'- No refunds", "''=1+1", '-0.5', "'tis")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unmark(text: str) -> str:
    """Take away the apostrophe that `mark` put there.

    Examples
    --------
    >>> unmark("'=1+1"), unmark("''=1+1"), unmark("'tis")
    ('=1+1', "'=1+1", "'tis")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
