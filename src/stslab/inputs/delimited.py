"""Tables of text (``.csv``, ``.tsv``) → rows of cells.

The delimiter is a comma, semicolon, tab or pipe: the one that ``sep=`` in the first line names, or
the one under which the header and the rows have the same number of cells. Cells may be quoted as in
RFC 4180. In a ``.tsv`` file a quote is an ordinary character, as in the STS Benchmark, unless the
file needs its quotes.

Python's `csv.Sniffer` takes a letter or a space for the delimiter of several ordinary files, and
``clevercsv`` a space for every table of one column; hence `find_delimiter`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TextIO

from ..csv_text import unmark
from ..wording import counted
from .checks import InputError
from .columns import FIRST_NAMES, TEXT_NAMES
from .sources import Row, RowSource, check_header, is_blank, unique_labels

DELIMITERS = ",;\t|"
NO_DELIMITER = "\x1f"  # for a table of one column: a character that no text holds
SAMPLE_SIZE = 2**18  # characters that the delimiter is found on
SAMPLE_ROWS = 500
TITLE_ROWS = 20  # above a header, at most
MOST_ROWS = 0.9  # share of rows that show that a doubtful header is one
HALF_OF_ROWS = 0.5  # share of rows that show that the first row is the header
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*\Z', re.IGNORECASE)
LONGEST_CELL = 2**31 - 1  # Python's own limit is 128 KB


class Dialect(NamedTuple):
    """The way in which a table of text is written."""

    delimiter: str
    quoted: bool
    skip_space: bool = False  # whether a space after a delimiter belongs to it


class DelimitedRows(RowSource):
    """The rows of a table of text; a row's number is that of its record in a spreadsheet."""

    def __init__(self, text: TextIO, name: str, kind: str, notes: list[str]) -> None:
        super().__init__(name, kind, notes)
        csv.field_size_limit(LONGEST_CELL)
        self._text = text
        self._start = 0  # where the table begins, after a line with sep=
        first_line = text.readline(SAMPLE_SIZE)
        named = SEPARATOR_LINE.match(first_line)
        if named and kind == ".csv":
            self._start = text.tell()
            self._dialect = Dialect(named[1], quoted=True)
        else:
            self._dialect = self._find_dialect()
        self._first_row = self._header_number()
        self.raw_header = next(islice(self._records(), self._first_row - 1, None), [])
        self.header = unique_labels(map(unmark, self.raw_header))
        check_header(self.name, self.header)

    def rows(self) -> Iterator[Row]:
        width = len(self.header)
        records = islice(self._records(), self._first_row, None)
        for number, cells in enumerate(records, start=self._first_row + 1):
            if len(cells) != width:
                cells = self._fitted(cells, number)
            # A tuple of texts, unlike a list, is nothing that the garbage collector goes through
            # again and again: that halves the time of a large table.
            yield number, tuple(cells)

    def _records(self) -> Iterator[list[str]]:
        """Yield the records from the first one, as they stand in the file."""
        self._text.seek(self._start)
        # Files that were joined have a byte order mark each.
        lines = (line.removeprefix("\ufeff") for line in self._text)
        reader = _reader(lines, self._dialect, strict=True)
        line = 1 + (self._start > 0)
        try:
            for cells in reader:
                yield cells
                line = 1 + (self._start > 0) + reader.line_num
        except csv.Error as error:
            raise InputError(
                f"{self.name}, line {line}: {error}. A text with quotes in it stands between "
                f'quotes, and those inside are doubled: "say ""yes""".'
            ) from None

    def _fitted(self, cells: list[str], number: int) -> list[str]:
        """Return a row with as many cells as the header has; only empty ones may be missing."""
        width = len(self.header)
        if len(cells) < width:
            return cells + [""] * (width - len(cells))
        if any(cell.strip() for cell in cells[width:]):
            advice = f"Quote a text with {self._dialect.delimiter!r} in it."
            if not self._dialect.quoted:
                advice = "A tab ends a cell."
            raise InputError(
                f"{self.place(number)}: {counted(len(cells), 'cell')}, but the header has "
                f"{width}: {self.header}. {advice}"
            )
        return cells[:width]

    def _find_dialect(self) -> Dialect:
        self._text.seek(0)
        sample = self._text.read(SAMPLE_SIZE)
        is_whole = len(sample) < SAMPLE_SIZE
        if self.kind == ".csv":
            return find_delimiter(sample, is_whole=is_whole)
        if "\t" not in sample:  # some programs write .tsv and mean commas
            dialect = find_delimiter(sample, is_whole=is_whole)
            if dialect.delimiter != NO_DELIMITER:
                return dialect
        return Dialect("\t", quoted='"' in sample and self._needs_quotes())

    def _needs_quotes(self) -> bool:
        """Check whether the quotes of a .tsv file are those of its cells, not of its texts.

        Then they stand around each name in the header, or hold tabs, line ends or doubled quotes.
        All must be closed, too. Where each line has as many cells without them, they hold neither
        tabs nor line ends: one text may begin with a quote, and a later one end with one.
        """
        self._text.seek(0)
        names = self._text.readline(SAMPLE_SIZE).rstrip("\r\n").split("\t")
        if all(len(name) > 1 and name[0] == name[-1] == '"' for name in names):
            return self._has_quoted('"?')
        self._text.seek(0)
        widths = {len(cells) for cells in _reader(self._text, Dialect("\t", quoted=False)) if cells}
        if len(widths) == 1 and widths != {1}:
            return self._has_quoted('"') and not self._has_quoted("[\t\r\n]")
        return self._has_quoted('[\t\r\n"]')

    def _has_quoted(self, pattern: str) -> bool:
        """Check whether a cell holds a pattern where all quotes are those of cells, and closed."""
        self._text.seek(0)
        has_pattern = False
        try:
            for cells in _reader(self._text, Dialect("\t", quoted=True), strict=True):
                has_pattern = has_pattern or any(
                    re.search(pattern, cell) and cell.strip() for cell in cells
                )
        except csv.Error:
            return False
        return has_pattern

    def _header_number(self) -> int:
        """Return the number of the header, which may stand below titles and blank rows."""
        first_records = list(islice(self._records(), SAMPLE_ROWS))
        number = header_position(first_records) + 1
        if number > 1:
            self.notes.append(f"Header found in row {number}.")
        return number


def find_delimiter(sample: str, *, is_whole: bool = True) -> Dialect:
    r"""Find the delimiter under which header and rows have the same number of cells.

    Parameters
    ----------
    sample : str
        The beginning of a table.
    is_whole : bool, default True
        False if the last record of the sample may be cut.

    Examples
    --------
    >>> find_delimiter('"Which (mail; phone)?",text\nmail,"I waited, and waited."').delimiter
    ','
    """
    best_dialect = Dialect(NO_DELIMITER, quoted=True)
    best_agreement = (False, -1.0, 1)
    for delimiter in DELIMITERS:
        dialect = Dialect(delimiter, quoted=True)
        records = list(islice(_reader(io.StringIO(sample, ""), dialect), SAMPLE_ROWS))
        if not is_whole and 1 < len(records) < SAMPLE_ROWS:
            del records[-1]
        position = header_position(records)
        titles = [record for record in records[:position] if any(map(str.strip, record))]
        header = records[position]
        rows = [record for record in records[position + 1 :] if any(map(str.strip, record))]
        share = _share_of_equal_width(len(header), rows)
        # "Your comment, please" may be one name: then few rows have as many cells.
        is_prose = all(label[:1] == " " for label in header[1:])
        is_doubtful = is_prose or position > 0
        # A table has fewer titles than rows; more of them are texts, one of which was split.
        is_split_text = len(titles) > len(rows) or (is_prose and position > 0)
        if len(header) < 2 or is_split_text or (is_doubtful and share < MOST_ROWS):
            continue
        is_likely = not is_doubtful and share > HALF_OF_ROWS
        agreement = (is_likely, share, len(header))
        if agreement > best_agreement:
            best_agreement = agreement
            best_dialect = dialect._replace(skip_space=is_prose)
    return best_dialect


def header_position(records: Sequence[Sequence[Any]]) -> int:
    """Return the position of the header, above which there may be titles and blank rows.

    Examples
    --------
    >>> header_position([["Answers of May", ""], ["", ""], ["id", "text"], ["1", "Good."]])
    2
    """
    filled = [[cell for cell in record if not is_blank(cell)] for record in records]
    first = next((position for position, cells in enumerate(filled) if cells), 0)
    widest = max(map(len, filled), default=0)
    for position, cells in enumerate(filled[: first + TITLE_ROWS]):
        if len(cells) >= max(2, widest / 2):
            # A title may be a usual name, too: "Comments" above a column "comment", or above a
            # blank row.
            is_title = not _is_usual_name(filled[first]) or any(map(_is_usual_name, zip(cells)))
            is_title = is_title or [] in filled[first:position]
            if _are_labels(cells) and is_title:
                return position
            break
    return first


def _are_labels(cells: Sequence[Any]) -> bool:
    """Check whether cells may be the names of columns: different, and each with a letter."""
    if not all(isinstance(cell, str) and re.search(r"[^\W\d_]", cell) for cell in cells):
        return False
    return len(set(cells)) == len(cells)


def _is_usual_name(cells: Sequence[Any]) -> bool:
    """Check for a row with the name of a column of texts alone: a header, and no title above it."""
    names = {*FIRST_NAMES, *TEXT_NAMES}
    return len(cells) == 1 and str(cells[0]).strip().casefold() in names


def _share_of_equal_width(width: int, records: list[list[str]]) -> float:
    """Return the share of rows that have as many cells as the header, not counting empty ones."""
    equal_count = 0
    for cells in records:
        equal_count += len(cells) >= width and not any(map(str.strip, cells[width:]))
    return equal_count / max(1, len(records))


def _reader(stream: Any, dialect: Dialect, *, strict: bool = False) -> Any:
    quoting: Any = csv.QUOTE_NONE
    if dialect.quoted:
        quoting = csv.QUOTE_MINIMAL
    return csv.reader(
        stream,
        strict=strict,
        delimiter=dialect.delimiter,
        quoting=quoting,
        skipinitialspace=dialect.skip_space,
    )
