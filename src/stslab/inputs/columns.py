"""Which columns of a table hold the texts, and what the other ones hold.

A column is found by what is in it; a usual name is only a hint. Texts are different from row to
row, have several words, and are longer than names or kinds.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..wording import quoted, short_label
from .checks import PAIR, InputError
from .sources import is_blank

SAMPLE_ROWS = 1000  # first rows of a table, which show what a column holds
BEGINNING = 1000  # characters of a cell that are looked at
SEVERAL_WORDS = 0.3  # of its filled cells, at least, hold several words in a column of texts
MOST_REPEATED = 0.3  # of those, at least, differ from each other
SHORTER = 1 / 2  # of the mean length of the longest texts: shorter ones are names or kinds
LEAST_FILLED = 1 / 5  # of the cells of the fullest column of texts: fewer are notes on a few rows
FEW_KINDS = 20  # of a column with at most so many values, or a fifth of the rows, they are kinds

# Names that are hints, in any case. The first two win over the others.
FIRST_NAMES = ("sentence", "text")
TEXT_NAMES: tuple[str, ...] = ("sentences", "texts", "question", "query", "title", "content")
TEXT_NAMES += ("body", "message", "comment", "comments", "feedback", "review", "description")
TEXT_NAMES += ("document", "passage", "answer", "answers")
PAIR_NAMES = (
    tuple(PAIR),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("s1", "s2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("premise", "hypothesis"),
)
# Not `score`, `similarity` or `label`: these hold a model's score or a class as often as what
# people said (stslab's own tables call a cosine `score`). They are named where they are meant.
GOLD_NAMES = ("gold_score", "gold", "human_score")

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:[ ,.'’]\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][-+]?\d+)?\s*%?\Z")
# The day: 2026-05-01, 1.5.26, May 1, 2026 or Fri 1 Mai.
_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]{0,6}\.?"
_DAY = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
_DAY += (
    rf"|(?:[a-z]{{2,10}},?\s+)?(?:{_MONTH}\s+\d{{1,2}}|\d{{1,2}}\.?\s+{_MONTH})(?:,?\s+\d{{4}})?"
)
# The time: 10:00:11 AM, T10:00:11.5Z, 3:58 nachm. OESZ, 10:00 GMT+2 or 10:00:00 +0000 2026.
_TIME = r"[T,]?\s*(?:at\s+)?\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?"
_TIME += r"(?:\s*(?:[ap]\.?m\.?|vorm\.|nachm\.))?"
_TIME += r"(?:\s*[A-Z]{1,5})?(?:\s*[-+]\d{1,2}(?::?\d{2})?)?(?:\s+\d{4})?"
_DATE = re.compile(rf"(?:{_DAY})(?:{_TIME})?\Z", re.IGNORECASE)
# Scripts that put no spaces between words: there, four letters are taken for several words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{4}"
)
_LETTER = re.compile(r"[^\W\d_]")


class ColumnError(InputError):
    """The columns of a table that hold the texts cannot be told."""


@dataclass(frozen=True)
class Column:
    """A column of a table, as its first rows show it."""

    name: str
    kind: str  # "number", "date", "category", "text" or "empty"
    word_share: float  # of the filled cells, those with several words
    distinct_share: float  # of those, the different ones
    mean_length: float  # of those, in characters
    filled_count: int  # cells that are not blank
    example: str
    has_texts: bool  # whether a cell is text, if only digits in a .csv file, not a number or a date

    @property
    def may_hold_texts(self) -> bool:
        """Check whether its cells look like texts, other columns aside."""
        return self.word_share >= SEVERAL_WORDS and self.distinct_share >= MOST_REPEATED


def describe_columns(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Column]:
    """Return what each column holds, as its first rows show it."""
    columns = []
    sample = rows[:SAMPLE_ROWS]
    for position, name in enumerate(header):
        cells = [cells[position] for cells in sample if not is_blank(cells[position])]
        columns.append(_describe_column(name, cells))
    return columns


def column_kind(cells: Sequence[Any]) -> str:
    """Return what cells hold: "number", "date", "category", "text"; "empty" for none.

    Parameters
    ----------
    cells : sequence
        Those that are not blank.

    Examples
    --------
    >>> [column_kind(cells) for cells in (["4,5", "3"], ["2026-05-01"], ["web", "app", "web"])]
    ['number', 'date', 'category']
    """
    if not cells:
        return "empty"
    texts = [str(cell).strip() for cell in cells]
    if all(map(is_number, cells)):
        return "number"
    if all(map(_DATE.match, texts)):
        return "date"
    kinds = len(set(texts))
    if kinds < len(texts) and (kinds <= FEW_KINDS or kinds <= len(texts) / 5):
        return "category"
    return "text"


def is_number(cell: Any) -> bool:
    """Check whether a cell is a number, or a text that is written as one."""
    if isinstance(cell, str):
        text = cell.strip()
        return bool(re.search(r"\d", text)) and bool(_NUMBER.match(text))
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def read_number(cell: Any) -> float:
    """Return a cell as a number, also with a decimal comma; NaN if it is none.

    Examples
    --------
    >>> [read_number("4,5"), read_number("1.234,5"), read_number(" 3 "), read_number("x")]
    [4.5, 1234.5, 3.0, nan]
    """
    if not isinstance(cell, str):
        if is_number(cell):
            return float(cell)
        return float("nan")
    text = cell.strip().replace("−", "-")
    if text.rfind(",") > text.rfind("."):
        text = text.replace(".", "").replace(",", ".")
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return float("nan")


def find_text_column(columns: Sequence[Column], name: str) -> str:
    """Return the column that holds the texts.

    Parameters
    ----------
    columns : sequence of Column
    name : str
        The file's name, for messages.

    Raises
    ------
    ColumnError
        If no column seems to hold texts, or several do.
    """
    usable = [column for column in columns if column.kind not in ("number", "date", "empty")]
    if not usable:  # an answer may be a number, if only to show that it has no content
        usable = [column for column in columns if column.has_texts]
    candidates = _longest_texts(usable)
    # One that is called "text" may hold shorter texts than, say, the replies to them.
    by_first_name = {
        _plain(column.name): column.name
        for column in usable
        if column.may_hold_texts or column.kind == "text" or not candidates
    }
    for first_name in FIRST_NAMES:
        if first_name in by_first_name:
            return by_first_name[first_name]
    by_name = {_plain(column.name): column for column in candidates or usable}
    if len(candidates) == 1:
        return candidates[0].name
    hinted = [by_name[hint] for hint in TEXT_NAMES if hint in by_name]
    if len(hinted) == 1:
        return hinted[0].name
    if not candidates and len(usable) == 1:
        return usable[0].name
    problem = "no column seems to hold the texts"
    if candidates:
        problem = "several columns may hold the texts"
    raise column_error(name, problem, candidates or usable or columns, 1)


def find_pair_columns(columns: Sequence[Column], name: str) -> list[str]:
    """Return the two columns that hold the sentences of pairs.

    Raises
    ------
    ColumnError
        If they cannot be told.
    """
    by_name = {_plain(column.name): column.name for column in columns}
    for names in PAIR_NAMES:
        if by_name.keys() >= set(names):
            return [by_name[usual_name] for usual_name in names]
    candidates = _longest_texts(columns)
    if len(candidates) == 2:
        return [column.name for column in candidates]
    problem = "which two columns hold the sentences of a pair is not clear"
    raise column_error(name, problem, candidates or columns, 2)


def find_gold_column(columns: Sequence[Column]) -> str | None:
    """Return the column that holds human scores, if its name says so."""
    by_name = {_plain(column.name): column.name for column in columns}
    return next((by_name[name] for name in GOLD_NAMES if name in by_name), None)


def match_name(requested: str, columns: Sequence[Column], name: str, needed: int) -> str:
    """Return the column of a name, in any case and without regard to outer spaces.

    Raises
    ------
    ColumnError
        If there is none, or only one that differs in capitals from another.
    """
    names = [column.name for column in columns]
    if requested in names:
        return requested
    matches = [column for column in names if _plain(column) == _plain(requested)]
    if len(matches) == 1:
        return matches[0]
    raise column_error(name, f"no column is called {requested!r}", columns, needed)


def column_error(name: str, problem: str, columns: Sequence[Column], needed: int) -> ColumnError:
    """Return the error for columns that cannot be told, with an example of each."""
    examples = [f"{quoted(short_label(c.name, 60))} (such as {quoted(c.example)})" for c in columns]
    message = f"{name}: {problem}. Its columns: {'; '.join(examples)}."
    # Those that are most likely meant: the longest texts, and numbers last.
    readable = [column for column in columns if column.has_texts]
    readable.sort(
        key=lambda column: (
            column.kind in ("number", "date"),
            -column.mean_length * column.word_share * column.filled_count,
        )
    )
    names = [column.name for column in readable[:needed]]
    if not names:
        return ColumnError(f"{message} None of them holds texts.")
    if len(names) < needed:
        return ColumnError(f"{message} Pairs need two columns of texts.")
    if needed == 1:
        typed, python = names[0], f"column={names[0]!r}"
    else:
        typed, python = ", ".join(map(_as_listed, names)), f"columns={names!r}"
    shell = f'"{typed}"'
    if re.search(r'["$`\\!]', typed):
        shell = shlex.quote(typed)
    return ColumnError(
        f"{message} Name what to read: COLUMN={shell} with make, --column {shell} without, "
        f"{python} in Python."
    )


def _as_listed(column: str) -> str:
    """Return a column's name as it stands in a list of names with commas."""
    if "," in column or column.startswith('"'):
        doubled = column.replace('"', '""')
        return f'"{doubled}"'
    return column


def _describe_column(name: str, cells: Sequence[Any]) -> Column:
    kind = column_kind(cells)
    texts = [cell for cell in cells if isinstance(cell, str)]
    of_several_words = [text for text in texts if _has_several_words(text)]
    mean_length = distinct_share = word_share = 0.0
    if of_several_words and kind not in ("number", "date"):
        word_share = len(of_several_words) / len(cells)
        distinct_share = len(set(of_several_words)) / len(of_several_words)
        mean_length = sum(map(len, of_several_words)) / len(of_several_words)
    example = ""
    if cells:
        example = short_label(str((of_several_words or cells)[0]).strip(), 40)
    return Column(
        name,
        kind,
        word_share,
        distinct_share,
        mean_length,
        filled_count=len(cells),
        example=example,
        has_texts=bool(texts),
    )


def _has_several_words(text: str) -> bool:
    beginning = text[:BEGINNING]
    if beginning.startswith("Mozilla/"):  # the browser of somebody who filled in a form
        return False
    words = [word for word in beginning.split() if _LETTER.search(word) and "://" not in word]
    return len(words) > 1 or bool(_UNSPACED.search(beginning))


def _longest_texts(columns: Sequence[Column]) -> list[Column]:
    """Return the columns whose cells look like texts, without those of few or of short ones."""
    candidates = [column for column in columns if column.may_hold_texts]
    fullest = max((column.filled_count for column in candidates), default=0)
    candidates = [column for column in candidates if column.filled_count >= LEAST_FILLED * fullest]
    longest = max((column.mean_length for column in candidates), default=0.0)
    return [column for column in candidates if column.mean_length >= SHORTER * longest]


def _plain(name: str) -> str:
    return "_".join(name.casefold().split())
