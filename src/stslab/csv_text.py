"""Texts in CSV files, which spreadsheets open: a text is never a formula.

As in a spreadsheet itself, an apostrophe in front says that a cell is text; quotes around it do
not. See https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import re
from typing import Any

# Spaces and apostrophes may come first: the mark of a text that has its own must come off again.
# A negative number is no formula. The wide signs count where Japanese or Chinese is written.
_FORMULA = re.compile(r"(?!-[0-9.]+(?:[eE][-+]?[0-9]+)?\Z)[' ]*[=+\-@＝＋－＠\t\r\n]")


def mark(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet could take for a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def unmark(text: str) -> str:
    """Take away the apostrophe that `mark` put there."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
