"""Rows of a table that are none of its records: labels of survey tools, headers, and totals.

They are recognised by what is in them: they repeat the header, or hold another kind of thing than
all rows below.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from ..wording import counted
from .columns import column_kind, is_number
from .sources import Row, is_blank

LABEL, HEADER = "label row", "repeated header"
TOTAL, FOOTER = "total row", "footer row"
MOST_LABEL_ROWS = 3
SAMPLE_ROWS = 200  # rows below that a label is compared with
LAST_ROWS = 50  # totals, and blank rows around them
FEWEST_BELOW = 2  # rows that tell what a column holds
FEWEST_TO_LACK = 5  # rows below one that lacks what they have
# What SurveyMonkey writes below its questions.
SURVEY_LABELS = {"response", "open-ended response", "other (please specify)"}
IMPORT_ID = re.compile(r'\{\s*"ImportId"')  # Qualtrics writes it below its questions
_TOTAL = re.compile(
    r"(grand |sub)?(total|sum|average|mean|gesamt|summe|mittelwert|totale?|totaal|moyenne|media)"
    r"\s*:?\Z",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"(grand totals?|copyright|confidential information)\b"
    r"|(generated|exported|created|run) (by|on|at)\b|\(c\) \d{4}",
    re.IGNORECASE,
)


def rows_left_out(header: Sequence[Any], rows: Iterable[Row]) -> dict[int, str]:
    """Find the rows that are no records.

    Parameters
    ----------
    header : sequence
        As it stands in the file.
    rows : iterable of (int, sequence)
        Each row's number and cells.

    Returns
    -------
    dict of int to str
        The rows' numbers, and what they are.

    Examples
    --------
    >>> rows = [(2, ["1", "Good."]), (3, ["id", "text"]), (4, ["2", "Bad."]), (5, ["Total", "2"])]
    >>> rows_left_out(["id", "text"], rows)
    {3: 'repeated header', 5: 'total row'}
    """
    reasons: dict[int, str] = {}
    first_rows: list[Row] = []
    last_rows: deque[Row] = deque(maxlen=LAST_ROWS)
    first_name = _plain(header[0])
    for row in rows:
        number, cells = row
        # Most rows differ in the first cell, and that is quick to see.
        if len(cells) and _plain(cells[0]) == first_name and _repeats(header, cells):
            reasons[number] = HEADER
            continue
        if len(first_rows) < MOST_LABEL_ROWS + SAMPLE_ROWS:
            first_rows.append(row)
        last_rows.append(row)
    reasons |= dict.fromkeys(_label_rows(first_rows), LABEL)
    footer_rows = _footer_rows(last_rows)
    reasons |= dict.fromkeys(footer_rows, FOOTER)
    for number, cells in reversed(last_rows):
        if number in footer_rows:
            continue
        if _is_total(cells):
            reasons[number] = TOTAL
        elif not all(map(is_blank, cells)):
            break
    return dict(sorted(reasons.items()))


def describe_left_out(reasons: Sequence[str]) -> str:
    """Return how many rows of each kind were left out; empty for none."""
    parts = [counted(reasons.count(reason), reason) for reason in dict.fromkeys(reasons)]
    if not parts:
        return ""
    return f"Left out: {', '.join(parts)}."


def _lacks_what_all_have(cells: Sequence[Any], rows_below: Sequence[Sequence[Any]]) -> bool:
    """Check whether a row lacks all numbers and dates, two or more, that every row below has."""
    if len(rows_below) < FEWEST_TO_LACK or all(map(is_blank, cells)):
        return False
    lacking_count = 0
    for position, cell in enumerate(cells):
        column = [row[position] for row in rows_below]
        if any(map(is_blank, column)) or column_kind(column) not in ("number", "date"):
            continue
        if not is_blank(cell):
            return False
        lacking_count += 1
    return lacking_count > 1


def _repeats(header: Sequence[Any], cells: Sequence[Any]) -> bool:
    """Check whether cells are those of the header, in any case.

    A single one must be the same to the letter: "comment" may be an answer under "Comment".
    """
    if len(header) == 1:
        return bool(cells[0] == header[0])
    return [*map(_plain, cells)] == [*map(_plain, header)]


def _label_rows(rows: Sequence[Row]) -> list[int]:
    """Return the numbers of the first rows that are labels."""
    for position, (_, cells) in enumerate(rows[:MOST_LABEL_ROWS]):
        if any(isinstance(cell, str) and IMPORT_ID.match(cell) for cell in cells):
            # Above it stand the questions' texts.
            return [number for number, _ in rows[: position + 1]]
    labels: list[int] = []
    for position, (number, cells) in enumerate(rows[:MOST_LABEL_ROWS]):
        rows_below = [cells for _, cells in rows[position + 1 :]]
        is_label = (
            _holds_survey_labels(cells)
            or _is_of_another_kind(cells, rows_below)
            or _lacks_what_all_have(cells, rows_below)
        )
        if not is_label:
            break
        labels.append(number)
    return labels


def _holds_survey_labels(cells: Sequence[Any]) -> bool:
    filled = [str(cell).strip().casefold() for cell in cells if not is_blank(cell)]
    return bool(SURVEY_LABELS.intersection(filled)) and any(map(is_blank, cells))


def _is_of_another_kind(cells: Sequence[Any], rows_below: Sequence[Sequence[Any]]) -> bool:
    """Check whether a row has words in every column that holds numbers or dates below it."""
    compared: list[str] = []
    for position, cell in enumerate(cells):
        column = [row[position] for row in rows_below if not is_blank(row[position])]
        if len(column) < FEWEST_BELOW or column_kind(column) not in ("number", "date"):
            continue
        if is_blank(cell):
            continue
        is_date = column_kind([cell]) == "date"  # which may hold the name of a month, AM or GMT
        if is_date or not re.search(r"[^\W\d_]{2}", str(cell)):
            return False
        compared.append(str(cell))
    # In one column alone, a word or two may be an answer, such as "not applicable".
    return len(compared) > 1 or any(len(text.split()) > 2 for text in compared)


def _footer_rows(rows: Iterable[Row]) -> list[int]:
    """Return the numbers of the last rows that are notes below the table.

    They stand below a blank row, fill the first of several cells, and one of them is a note of a
    known kind.
    """
    footer: list[int] = []
    below_blank: list[int] = []
    is_known = False
    for number, cells in reversed(list(rows)):
        filled = [cell for cell in cells if not is_blank(cell)]
        if not filled:
            footer += below_blank
            below_blank = []
            continue
        if len(cells) < 2 or len(filled) > 1 or is_blank(cells[0]):
            break
        is_known = is_known or bool(_FOOTER.match(str(cells[0]).strip()))
        below_blank.append(number)
    if not is_known:
        return []
    return footer


def _is_total(cells: Sequence[Any]) -> bool:
    filled = [cell for cell in cells if not is_blank(cell)]
    if len(filled) < 2 or not isinstance(filled[0], str) or not _TOTAL.match(filled[0].strip()):
        return False
    return all(map(is_number, filled[1:]))


def _plain(cell: Any) -> str:
    if is_blank(cell):
        return ""
    return str(cell).strip().casefold()
