"""Spreadsheets (``.xlsx``, ``.xls``, ``.ods``) → rows of cells.

The first visible sheet that holds a table is read, or the one that is named. The table's header is
found below titles. Hidden rows are left out, unless they are asked for; ``.xls`` and ``.ods`` do
not tell which are hidden. `SheetRows.shown_text` gives a number, a date or a truth value as the
sheet shows it, as far as its format is a usual one.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from ..wording import counted, listed, quoted
from .checks import InputError
from .delimited import header_position
from .sources import (
    Row,
    RowSource,
    check_header,
    damaged_file,
    is_blank,
    missing_library,
    unique_labels,
)

ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")  # how an .xlsx file writes characters that XML has not
SAMPLE_ROWS = 500


class SheetRows(RowSource):
    """The rows of a table in a sheet; a row's number is that in the sheet."""

    def __init__(self, name: str, kind: str, table: Sequence[Row], notes: list[str]) -> None:
        super().__init__(name, kind, notes)
        records = [cells for _, cells in table]
        position = header_position(records[:SAMPLE_ROWS])
        header_number, header = table[position]
        first_title_row = next(number for number, cells in table if not all(map(is_blank, cells)))
        if header_number > first_title_row:
            notes.append(f"Header found in row {header_number}.")
        self.header_number = header_number
        self._table = table[position + 1 :]
        # Columns without a name and without cells are none.
        self._columns = [
            column
            for column in range(len(header))
            if not is_blank(header[column])
            or any(not is_blank(cells[column]) for _, cells in self._table)
        ]
        self.last_number = table[-1][0]
        self.column_range = self._columns[0] + 1, self._columns[-1] + 1  # as a sheet counts them
        self.raw_header = [header[column] for column in self._columns]
        self.header = unique_labels(self.raw_header)
        check_header(self.name, self.header)

    def rows(self) -> Iterator[Row]:
        for number, cells in self._table:
            yield number, [cells[column] for column in self._columns]

    def shown_text(self, number: int, column: int, value: Any) -> str | None:
        return shown_value(value, self._format_of(number, self._columns[column]))

    def _format_of(self, number: int, column: int) -> str:
        """Return a cell's number format."""
        return "General"


class _XlsxRows(SheetRows):
    """The rows of a table in a sheet of an .xlsx file, which tells each cell's format."""

    def __init__(self, sheet: Any, name: str, table: Sequence[Row], notes: list[str]) -> None:
        self._sheet = sheet
        super().__init__(name, ".xlsx", table, notes)

    def _format_of(self, number: int, column: int) -> str:
        return str(self._sheet.cell(number, column + 1).number_format)


def open_spreadsheet(
    stream: BinaryIO, name: str, kind: str, *, sheet: str | None, hidden: bool
) -> SheetRows:
    """Read a sheet of a spreadsheet.

    Parameters
    ----------
    stream : binary file
    name : str
        The file's name.
    kind : str
        Its ending.
    sheet : str or None
        The sheet's name; None takes the first visible one that holds a table.
    hidden : bool
        Whether to take hidden rows, too.

    Raises
    ------
    InputError
        If the file is damaged, has no such sheet or no table, or cells of its table are merged.
    """
    if kind == ".xlsx":
        return _open_xlsx(stream, name, sheet=sheet, hidden=hidden)
    return _open_with_calamine(stream, name, kind, sheet=sheet)


def _open_xlsx(stream: BinaryIO, name: str, *, sheet: str | None, hidden: bool) -> SheetRows:
    try:
        import openpyxl
    except ImportError:
        raise missing_library(name, ".xlsx", "openpyxl", "excel") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which hold no text
            book = openpyxl.load_workbook(stream, data_only=True)
    except Exception as error:  # the library has many for a damaged file
        raise damaged_file(name, ".xlsx", error) from error
    notes: list[str] = []
    titles = [worksheet.title for worksheet in book.worksheets]
    visible = [
        worksheet.title for worksheet in book.worksheets if worksheet.sheet_state == "visible"
    ]
    tables: dict[str, list[Row]] = {}

    def table_of(title: str) -> list[Row]:
        if title not in tables:
            tables[title] = _table(enumerate(book[title].iter_rows(values_only=True), start=1))
        return tables[title]

    chosen = book[_choose_sheet(name, sheet, titles, visible, table_of, notes)]
    table = table_of(chosen.title)
    hidden_rows = {
        number for number, settings in chosen.row_dimensions.items() if settings.hidden
    } & {number for number, cells in table if not all(map(is_blank, cells))}
    if hidden_rows and not hidden:
        table = [row for row in table if row[0] not in hidden_rows]
        row_count = counted(len(hidden_rows), "hidden row")
        notes.append(
            f"Left out: {row_count}; HIDDEN=true with make, -p hidden=true without, hidden=True in "
            f"Python takes them."
        )
    rows = _XlsxRows(chosen, name, table, notes)
    _check_merged_cells(chosen, rows, name)
    return rows


def _open_with_calamine(stream: BinaryIO, name: str, kind: str, *, sheet: str | None) -> SheetRows:
    try:
        import python_calamine
    except ImportError:
        raise missing_library(name, kind, "python-calamine", "excel") from None
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(stream)
    except Exception as error:  # the library has several for a damaged file
        raise damaged_file(name, kind, error) from error
    visible = [
        metadata.name
        for metadata in book.sheets_metadata
        if metadata.visible == python_calamine.SheetVisibleEnum.Visible
    ]

    def table_of(title: str) -> list[Row]:
        records = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
        return _table(enumerate(records, start=1))

    notes: list[str] = []
    chosen = _choose_sheet(name, sheet, book.sheet_names, visible, table_of, notes)
    return SheetRows(name, kind, table_of(chosen), notes)


def _table(rows: Iterator[tuple[int, Sequence[Any]]]) -> list[Row]:
    """Return a sheet's rows up to the last that is filled, with their characters read."""
    table: list[Row] = []
    for number, cells in rows:
        table.append((number, [_read_escapes(c) if isinstance(c, str) else c for c in cells]))
    while table and all(map(is_blank, table[-1][1])):
        del table[-1]
    return table


def _read_escapes(text: str) -> str:
    """Return a cell's text with ``_x000D_`` and the like read as the characters they stand for."""
    if "_x" not in text:
        return text
    read = ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    return read.replace("\r\n", "\n").replace("\r", "\n")


def _choose_sheet(
    name: str,
    sheet: str | None,
    titles: Sequence[str],
    visible: Sequence[str],
    table_of: Callable[[str], list[Row]],
    notes: list[str],
) -> str:
    """Return the name of the sheet to read, and note it where there are several."""
    if sheet and sheet not in titles:
        with_table = [repr(title) for title in titles if len(table_of(title)) > 1]
        raise InputError(
            f"{name}: no sheet is called {sheet!r}. Its sheets with a table: "
            f"{', '.join(with_table) or 'none'}."
        )
    candidates, place = list(visible), name
    if sheet:
        candidates, place = [sheet], f"{name}, sheet {sheet!r}"
    chosen = next((title for title in candidates if len(table_of(title)) > 1), None)
    if chosen is None:
        raise InputError(f"{place}: no table in it. Expected a header row, and rows below it.")
    if len(titles) > 1:
        other_titles = listed([quoted(title) for title in titles if title != chosen])
        notes.append(
            f"Read sheet {quoted(chosen)}; SHEET or --sheet takes another: {other_titles}."
        )
    return chosen


def _check_merged_cells(sheet: Any, rows: SheetRows, name: str) -> None:
    """Raise InputError if cells below the header are merged."""
    first_column, last_column = rows.column_range
    merged = [
        cells
        for cells in sheet.merged_cells.ranges
        if rows.header_number < cells.max_row
        and cells.min_row <= rows.last_number
        and first_column <= cells.max_col
        and cells.min_col <= last_column
    ]
    if merged:
        first = min(map(str, merged))
        raise InputError(
            f"{name}, sheet {sheet.title!r}: cells {first} are merged, so it is unclear which row "
            f"the text belongs to. Unmerge the cells ({len(merged)} in all)."
        )


# Values as a sheet shows them

# Letters of a date's format → those of `strftime`. An "m" beside hours means minutes.
DATE_CODES = {"yyyy": "%Y", "yy": "%y", "mmmm": "%B", "mmm": "%b", "mm": "%m", "dddd": "%A"}
DATE_CODES |= {"ddd": "%a", "dd": "%d", "hh": "%H", "ss": "%S", "s": "%S", "am/pm": "%p"}
LOCAL_DATE = "mm-dd-yy"  # which each computer shows in its own way


def shown_value(value: Any, number_format: str) -> str:
    """Return how a spreadsheet shows a number, a date or a truth value.

    Parameters
    ----------
    value : int, float, bool, date, datetime or other
    number_format : str
        Such as ``0.00``, ``#,##0``, ``0%`` or ``dd.mm.yyyy``. Formats of other kinds, such as
        fractions, are not known: the number is written out.

    Examples
    --------
    >>> [shown_value(10, "General"), shown_value(0.256, "0.0%"), shown_value(1234.5, "#,##0.00")]
    ['10', '25.6%', '1,234.50']
    >>> shown_value(datetime.date(2026, 5, 1), "d.m.yyyy")
    '1.5.2026'
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.time) and number_format != "General":
        value = datetime.datetime.combine(datetime.date(1900, 1, 1), value)
    if isinstance(value, datetime.date):
        return _shown_date(value, number_format)
    if isinstance(value, int | float):
        return _shown_number(value, number_format)
    return str(value)


def _shown_number(value: float, number_format: str) -> str:
    pattern = number_format.split(";")[0]  # the others are for negative numbers and for texts
    digits = re.search(r"0(?:\.(0+))?%?[^0.]*\Z", pattern)
    if number_format == "General" or not digits:
        return f"{value:.15g}"
    decimal_count = len(digits[1] or "")
    if "%" in pattern:
        return f"{100 * value:.{decimal_count}f}%"
    if "," in pattern:
        return f"{value:,.{decimal_count}f}"
    return f"{value:.{decimal_count}f}"


def _shown_date(value: datetime.date, number_format: str) -> str:
    has_time = isinstance(value, datetime.datetime) and value.time() != datetime.time()
    pattern = re.sub(r'\[[^\]]*\]|["\\]', "", number_format.split(";")[0]).lower()
    if pattern in ("general", LOCAL_DATE):
        if has_time:
            return str(value)
        return value.strftime("%Y-%m-%d")
    single = {"d": value.day, "m": value.month}
    if isinstance(value, datetime.datetime):
        single["h"] = value.hour
    text = ""
    after_hours = False
    for code in re.findall(r"y+|m+|d+|h+|s+|am/pm|.", pattern):
        if after_hours and code in ("m", "mm"):
            text += value.strftime("%M")
        elif code in single:
            text += str(single[code])
        else:
            text += value.strftime(DATE_CODES.get(code, code.replace("%", "%%")))
        if code[0] in "ymdhs":
            after_hours = code[0] == "h"
    return text
