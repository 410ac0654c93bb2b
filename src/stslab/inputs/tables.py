"""Rows of cells → a checked table of sentences, pairs or a corpus.

An `Input` is the table with what was read, left out and repaired. Blank rows are left out and
counted, repeated ones kept and counted, other columns carried along. Texts are read as they show:
without markup, entities and damaged characters; `Input.source_cells` has them as they were.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..csv_text import unmark
from ..wording import counted, listed, quoted
from .checks import PAIR, InputError
from .columns import (
    Column,
    column_error,
    column_kind,
    describe_columns,
    find_gold_column,
    find_pair_columns,
    find_text_column,
    match_name,
    read_number,
)
from .files import open_rows
from .left_out import describe_left_out, rows_left_out
from .sources import UNUSABLE, FrameRows, ListRows, Row, RowSource, is_blank
from .texts import repeat_key, with_repaired_characters, without_markup

Source = str | Path | Sequence[Any] | pd.DataFrame
GOLD = "gold_score"


@dataclass(frozen=True)
class Input:
    """A table of texts and where it came from."""

    table: pd.DataFrame  # the rows used
    columns: Sequence[str]  # those of the table that hold the texts
    source: str  # the file's name; empty for a list
    rows_read: int
    blank: int  # rows skipped because a text was blank
    renamed: Mapping[str, str]  # the source's column names → the table's, where they differ
    rows: Sequence[int]  # of each row used, its number in the file; in a list, from 1
    source_cells: Rows = field(repr=False)  # all cells, as they were
    source_notes: Sequence[str] = ()  # sentences on how the source was read, where one cannot know
    columns_read: Sequence[str] = ()  # the source's names of the columns; empty if it has none

    @property
    def texts(self) -> list[str]:
        """All texts; of pairs the first sentences, then the second ones."""
        return [text for name in self.columns for text in self.table[name]]

    @cached_property
    def duplicates(self) -> int:
        """Count the rows that repeat an earlier one, but for capitals, spaces and final marks."""
        keys = pd.DataFrame({name: self.table[name].map(repeat_key) for name in self.columns})
        return int(keys.duplicated().sum())

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Map each further column to "number", "date", "category", "text" or "empty"."""
        kinds = {}
        for name in self.table.columns.drop(list(self.columns)):
            cells = [cell for cell in self.table[name].tolist() if not is_blank(cell)]
            kinds[name] = column_kind(cells)
        return kinds

    def describe(self) -> str:
        """Describe how many rows were read and used, and what `notes` says."""
        counts = []
        if self.blank:
            counts.append(f"{counted(self.blank, 'blank row')} skipped")
        if self.duplicates:
            counts.append(f"{counted(self.duplicates, 'duplicate')} kept")
        text = f"Read {counted(self.rows_read, 'row')}"
        if self.source:
            text += f" from {self.source}"
        text += f", used {len(self.table):,}"
        if counts:
            text += f" ({'; '.join(counts)})"
        return " ".join([f"{text}.", *self.notes()])

    def notes(self) -> list[str]:
        """Return which columns were read, and how, as sentences."""
        names = [quoted(name) for name in self.columns_read]
        if not names:
            return [*self.source_notes]
        if len(names) == 1:
            return [f"Column read: {names[0]}.", *self.source_notes]
        return [f"Columns read: {listed(names)}.", *self.source_notes]


class Rows(NamedTuple):
    """The rows of a source in memory."""

    source: RowSource
    columns: Sequence[Column]
    left_out: Mapping[int, tuple[str, Sequence[Any]]]  # rows that are no records: why, and cells
    numbers: Sequence[int]
    cells: Sequence[Sequence[Any]]  # of each row, as many as there are columns

    @property
    def header(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    def all_rows(self) -> list[tuple[int, Sequence[Any], str]]:
        """Return each row's number, as readers count, its cells, and why it is left out."""
        shift = 0
        if self.source.kind == "list":
            shift = 1  # Python counts from 0
        columns = [self.column(position) for position in range(len(self.header))]
        records = [
            (number + shift, cells, "")
            for number, *cells in zip(self.numbers, *columns, strict=True)
        ]
        labels = [(number, cells, reason) for number, (reason, cells) in self.left_out.items()]
        return sorted([*records, *labels], key=lambda row: row[0])

    def column(self, position: int) -> list[Any]:
        """Return the cells of a column."""
        cells = [cells[position] for cells in self.cells]
        if self.source.kind == ".csv":
            # Where stslab or a spreadsheet wrote a mark, the cell is no formula.
            return [unmark(cell) if cell[:1] == "'" else cell for cell in cells]
        return cells


def read_sentences(
    source: Source,
    *,
    column: str | None = None,
    sheet: str | None = None,
    hidden: bool = False,
) -> Input:
    """Read sentences from a list or a file.

    Parameters
    ----------
    source : sequence of str, DataFrame, or path
        Formats are listed in `stslab.inputs.files`. Every format but ``.txt`` may have more
        columns.
    column : str or None, default None
        The column's name, in any case. None takes the one that holds texts: different ones, of
        several words, longer than those of other columns. If several do, one called ``sentence``
        or ``text`` is taken, or the only one with another usual name (``comment``, …).
    sheet : str or None, default None
        Of a spreadsheet; None takes the first visible one that holds a table.
    hidden : bool, default False
        Whether to read a spreadsheet's hidden rows, too.

    Returns
    -------
    Input
        Its table has the column ``sentence``, then the others.

    Raises
    ------
    InputError
        If the file or column is missing, or something is not text; the message says where.

    Examples
    --------
    >>> read_sentences(["One.", " ", "Two.", "One."]).texts
    ['One.', 'Two.', 'One.']
    """
    return _read_column(source, "sentence", "sentences", column, sheet, hidden)


def read_corpus(
    source: Source,
    *,
    column: str | None = None,
    sheet: str | None = None,
    hidden: bool = False,
) -> Input:
    """Read a corpus from a list or a file, as `read_sentences` does.

    Returns
    -------
    Input
        Its table has the column ``text``, then the others; a row's position is its ``corpus_id``.
    """
    return _read_column(source, "text", "corpus", column, sheet, hidden)


def read_pairs(
    source: Source,
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    sheet: str | None = None,
    hidden: bool = False,
    as_written: bool = False,
) -> Input:
    """Read sentence pairs, with or without a human score, from a list or a file.

    Parameters
    ----------
    source : sequence of (str, str) or (str, str, float), DataFrame, or path
    columns : mapping, sequence of str, str or None, default None
        The source's column names → ``sentence_a``, ``sentence_b``, ``gold_score``; or the names in
        that order, also as one text with commas. None takes usual names (``sentence1``, ``s1``,
        ``text_a``, ``text1``, ``question1`` with their partners; ``premise`` and ``hypothesis``;
        ``gold`` and ``human_score``), else the two columns that hold texts. A column ``score``,
        ``similarity`` or ``label`` is not taken for a human score unless named here.
    sheet, hidden
        As for `read_sentences`.
    as_written : bool, default False
        Whether to keep markup, entities and damaged characters, as published figures need it.

    Returns
    -------
    Input
        Columns ``sentence_a, sentence_b``, then ``gold_score`` (float, NaN where empty) where
        given, then others. A pair with a blank sentence is left out and counted.

    Raises
    ------
    InputError
        As `read_sentences`; or a human score is not a number.

    Examples
    --------
    >>> read_pairs([("One.", "Two.", 3.5)]).table.columns.tolist()
    ['sentence_a', 'sentence_b', 'gold_score']
    """
    rows = read_rows(source, [*PAIR, GOLD], "pairs", sheet=sheet, hidden=hidden)
    chosen = _named_pair_columns(rows, columns)
    if not set(PAIR) <= set(chosen.values()):
        pair_columns = find_pair_columns(rows.columns, rows.source.name)
        chosen |= dict(zip(pair_columns, PAIR, strict=True))
    if GOLD not in chosen.values() and not columns:
        gold_column = find_gold_column(rows.columns)
        if gold_column:
            chosen[gold_column] = GOLD
    return make_input(rows, chosen, PAIR, as_written=as_written)


def read_rows(
    source: Any,
    names: Sequence[str],
    argument: str,
    *,
    sheet: str | None = None,
    hidden: bool = False,
) -> Rows:
    """Read all rows of a file or a list, and describe its columns.

    Parameters
    ----------
    source : sequence, DataFrame, or path
    names : sequence of str
        What the columns are called where the source does not say.
    argument : str
        What a list is called in messages.
    sheet, hidden
        As for `read_sentences`.
    """
    if isinstance(source, str | Path):
        with open_rows(source, names, sheet=sheet, hidden=hidden) as opened:
            return collect_rows(opened, list(opened.rows()))
    if isinstance(source, pd.DataFrame):
        frame_rows = FrameRows(source, argument)
        return collect_rows(frame_rows, list(frame_rows.rows()))
    list_rows = ListRows(list(source), names, argument)
    return collect_rows(list_rows, list(list_rows.rows()))


def collect_rows(source: RowSource, rows: Sequence[Row]) -> Rows:
    """Leave out the rows that are no records, and describe the columns of the others."""
    left_out: dict[int, tuple[str, Sequence[Any]]] = {}
    if source.raw_header:
        reasons = rows_left_out(source.raw_header, rows)
        left_out = {number: (reasons[number], cells) for number, cells in rows if number in reasons}
        rows = [row for row in rows if row[0] not in reasons]
    numbers = [number for number, _ in rows]
    cells = [cells for _, cells in rows]
    if not numbers or not source.header:
        raise InputError(f"{source.name}: no texts in it. Give at least one.")
    return Rows(source, describe_columns(source.header, cells), left_out, numbers, cells)


def text_column(rows: Rows, column: str | None) -> str:
    """Return the column that holds the texts: the one that is named, or found."""
    if column:
        return match_name(column, rows.columns, rows.source.name, 1)
    if not rows.source.has_header:
        return rows.header[0]
    return find_text_column(rows.columns, rows.source.name)


def make_input(
    rows: Rows, chosen: Mapping[str, str], texts: Sequence[str], *, as_written: bool = False
) -> Input:
    """Check the texts of the chosen columns, leave out blank rows, and count.

    Parameters
    ----------
    rows : Rows
    chosen : mapping of str to str
        The source's columns → the table's, texts first.
    texts : sequence of str
        Those of the table's columns that hold texts.
    as_written : bool, default False
        As for `read_pairs`.
    """
    source = rows.source
    changes: Counter[str] = Counter()
    full_table = make_table(rows, chosen, texts, as_written=as_written, changes=changes)
    filled = np.logical_and.reduce([full_table[name].str.strip() != "" for name in texts])
    if not filled.any():
        raise InputError(f"{source.name}: no texts in it. Give at least one.")
    table = full_table[filled].reset_index(drop=True)
    numbers = np.array(rows.numbers)[filled].tolist()
    name = source.name
    if source.kind == "list":
        name = ""
        numbers = [number + 1 for number in numbers]  # Python counts from 0, readers from 1
    names = {}
    if source.has_header:
        names = dict(chosen)
    source_notes = [*source.notes, *_describe_left_out(rows), *_describe_changes(changes)]
    return Input(
        table=table,
        columns=list(texts),
        source=name,
        rows_read=len(full_table),
        blank=len(full_table) - len(table),
        renamed={old: new for old, new in names.items() if old != new},
        rows=numbers,
        source_notes=source_notes,
        columns_read=list(names),
        source_cells=rows,
    )


def make_table(
    rows: Rows,
    chosen: Mapping[str, str],
    texts: Sequence[str],
    *,
    as_written: bool = False,
    changes: Counter[str] | None = None,
) -> pd.DataFrame:
    """Return the chosen columns under their new names, checked, then the other ones.

    Parameters
    ----------
    rows, chosen, texts, as_written
        As for `make_input`.
    changes : Counter or None, default None
        Counts the texts that were changed, by what was changed.
    """
    if changes is None:
        changes = Counter()
    table: dict[str, Any] = {}
    for old, new in chosen.items():
        position = rows.header.index(old)
        if new in texts:
            column_texts = _texts_of(rows, position, changes, as_written=as_written)
            table[new] = pd.Series(column_texts, dtype=object)
        else:
            table[new] = _gold_scores(rows, position)
    for position, old in enumerate(rows.header):
        if old not in chosen:
            # One that bears a name of the table's own is carried along beside it.
            name = old
            if old in chosen.values():
                name = f"{old} (other)"
            table[name] = pd.Series(rows.column(position), dtype=object)
    return pd.DataFrame(table)


def _read_column(
    source: Source,
    target: str,
    argument: str,
    column: str | None,
    sheet: str | None,
    hidden: bool,
) -> Input:
    rows = read_rows(source, [target], argument, sheet=sheet, hidden=hidden)
    return make_input(rows, {text_column(rows, column): target}, [target])


def _named_pair_columns(
    rows: Rows, columns: Mapping[str, str] | Sequence[str] | None
) -> dict[str, str]:
    """Return the columns that were named → the table's names."""
    name = rows.source.name
    if isinstance(columns, Mapping):
        return {match_name(old, rows.columns, name, 2): new for old, new in columns.items()}
    names = list(columns or [])
    if isinstance(columns, str):  # a name that holds a comma stands in quotes
        names = next(csv.reader([columns], skipinitialspace=True), [])
    if len(names) not in (0, 2, 3):
        problem = f"expected two names, or three with the human score, got {names}"
        raise column_error(name, problem, rows.columns, 2)
    matched = [match_name(old.strip(), rows.columns, name, 2) for old in names]
    return dict(zip(matched, [*PAIR, GOLD], strict=False))


def _texts_of(rows: Rows, position: int, changes: Counter[str], *, as_written: bool) -> list[str]:
    """Return a column's texts as they show; count those that were changed, and how."""
    texts = []
    for number, value in zip(rows.numbers, rows.column(position), strict=True):
        if not isinstance(value, str):
            value = _as_text(value, rows, number, position, changes)
        if not value.isprintable() and UNUSABLE.search(value):
            raise _no_text(value, rows, number, position)
        if not as_written:
            value = _as_shown(value, changes)
        texts.append(value)
    return texts


def _as_text(value: Any, rows: Rows, number: int, position: int, changes: Counter[str]) -> str:
    """Return a value that is no text as the file shows it, or raise InputError."""
    if is_blank(value) or value is pd.NaT or value is pd.NA:
        return ""
    text = rows.source.shown_text(number, position, value)
    if text is None:
        raise _no_text(value, rows, number, position)
    changes["value"] += 1
    return text


def _as_shown(text: str, changes: Counter[str]) -> str:
    plain = text
    if "<" in text or "&" in text:
        plain = without_markup(text)
        changes["markup"] += plain != text
    repaired = with_repaired_characters(plain)
    changes["characters"] += repaired != plain
    return repaired


def _no_text(value: Any, rows: Rows, number: int, position: int) -> InputError:
    place = f"{rows.source.place(number)}, column {rows.header[position]!r}"
    got = f"{value!r:.60} ({type(value).__name__})"
    return InputError(
        f"{place}: expected text, got {got}. Store it as text, without NUL or half characters."
    )


def _describe_left_out(rows: Rows) -> list[str]:
    sentence = describe_left_out([reason for reason, _ in rows.left_out.values()])
    if sentence:
        return [sentence]
    return []


def _describe_changes(changes: Mapping[str, int]) -> list[str]:
    sentences = []
    if changes.get("value"):
        cells = counted(changes["value"], "cell")
        sentences.append(f"Numbers, dates or truth values read as the sheet shows them: {cells}.")
    if changes.get("markup"):
        sentences.append(f"HTML read as it shows in {counted(changes['markup'], 'text')}.")
    if changes.get("characters"):
        texts = counted(changes["characters"], "text")
        sentences.append(f"Damaged characters (such as â€™ for ’) repaired in {texts}.")
    return sentences


def _gold_scores(rows: Rows, position: int) -> list[float]:
    scores = []
    for number, cell in zip(rows.numbers, rows.column(position), strict=True):
        score = float("nan")
        if not is_blank(cell):
            score = read_number(cell)
            if not np.isfinite(score):
                place = f"{rows.source.place(number)}, column {rows.header[position]!r}"
                raise InputError(f"{place}: expected a number such as 3.5, got {cell!r:.60}.")
        scores.append(score)
    return scores
