"""Texts in CSV files, which spreadsheets open: a text is never a formula.

As in a spreadsheet itself, an apostrophe in front says that a cell is text; quotes around it do
not. See https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import re
from typing import Any

# Spaces may come before the sign, and apostrophes: a text that has its own gets one more, so that
# `unmark` gives back what it was. A negative number is no formula. Programs set to Japanese or
# Chinese take the wide signs for formulas, too.
_FORMULA = re.compile(r"(?!-[0-9.]+(?:[eE][-+]?[0-9]+)?\Z)[' ]*[=+\-@＝＋－＠\t\r\n]")


def mark(value: Any) -> Any:
    """Return a value with an apostrophe before it if a spreadsheet could take it for a formula."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def unmark(text: str) -> str:
    """Return a text without the apostrophe that `mark` put before it."""
    if text.startswith("'") and _FORMULA.match(text[1:]):
        return text[1:]
    return text
