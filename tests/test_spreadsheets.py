"""Reading spreadsheets: sheets, hidden rows, headers, formats of cells."""

from __future__ import annotations

import datetime
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from written_files import book_of, sheet

from stslab import InputError, read_corpus, read_pairs, read_sentences


def test_empty_cells_of_a_spreadsheet_are_blank_and_its_unused_rows_are_not_rows(
    tmp_path: Path,
) -> None:
    book = openpyxl.Workbook()
    for row in (["sentence", None, "id"], ["One.", None, 1], [None, None, 2], ["Two.", None, None]):
        book.worksheets[0].append(row)
    book.worksheets[0].cell(row=50, column=1).number_format = "@"
    book.save(tmp_path / "my.xlsx")
    found = read_sentences(tmp_path / "my.xlsx")
    assert found.texts == ["One.", "Two."]
    assert found.table.columns.tolist() == ["sentence", "id"]
    assert (found.rows_read, found.blank) == (3, 1)


def test_a_sheet_is_chosen_by_name_or_the_first_with_a_header(tmp_path: Path) -> None:
    texts: list[list[object]] = [["sentence"], ["One."]]
    others: list[list[object]] = [["sentence"], ["Two."], ["Three."]]
    path = book_of(tmp_path / "my.xlsx", Cover=[], Mai=texts, Juni=others)
    found = read_sentences(path)
    assert found.texts == ["One."]
    note = "Read sheet “Mai”; SHEET or --sheet takes another: “Cover” and “Juni”."
    assert found.source_notes == [note]
    found = read_corpus(path, sheet="Juni")
    assert (found.texts, found.rows) == (["Two.", "Three."], [2, 3])
    message = r"no sheet is called 'juni'. Its sheets with a table: 'Mai', 'Juni'\."
    with pytest.raises(InputError, match=message):
        read_pairs(path, sheet="juni")
    path = book_of(tmp_path / "my.xlsx", Info=[["About"], ["One."]], Mai=texts)
    found = read_sentences(path)
    assert found.notes() == [
        "Column read: “About”.",
        "Read sheet “Info”; SHEET or --sheet takes another: “Mai”.",
    ]


def test_only_a_spreadsheet_has_sheets(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("One.\n")
    with pytest.raises(InputError, match=r"my.txt: it has no sheets, so none is called 'Mai'"):
        read_sentences(tmp_path / "my.txt", sheet="Mai")


def test_merged_cells_are_reported_with_their_range(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["sentence", "group"], ["One.", "x"], ["Two.", None]):
        book.worksheets[0].append(row)
    book.worksheets[0].merge_cells("B2:B3")
    book.save(tmp_path / "my.xlsx")
    with pytest.raises(InputError, match=r"my.xlsx, sheet 'Sheet': cells B2:B3 are merged"):
        read_sentences(tmp_path / "my.xlsx")


@pytest.mark.parametrize("titles", [[[None]], [["Answers of May"], [None]], [["Comments"]]])
def test_a_header_below_titles_and_empty_rows_is_found(
    titles: list[list[object]], tmp_path: Path
) -> None:
    table = [["id", "sentence", "date"], [1, "One.", 3], [2, "Two.", 4]]
    sheet([*titles, *table], tmp_path / "my.xlsx")
    found = read_sentences(tmp_path / "my.xlsx")
    first = len(titles) + 2
    assert (found.texts, found.rows) == (["One.", "Two."], [first, first + 1])
    assert found.table.columns.tolist() == ["sentence", "id", "date"]
    notes = [] if titles == [[None]] else [f"Header found in row {len(titles) + 1}."]
    assert found.source_notes == notes


def test_hidden_rows_are_left_out_and_counted_unless_they_are_asked_for(tmp_path: Path) -> None:
    """A filter hides rows; blank rows that are hidden, too, are not worth a word."""
    texts = ["One.", "Two.", "Three.", None, "Four."]
    path = book_of(tmp_path / "my.xlsx", Sheet=[["sentence"], *([text] for text in texts)])
    book = openpyxl.load_workbook(path)
    for number in (3, 4, 5):
        book.worksheets[0].row_dimensions[number].hidden = True
    book.save(path)
    found = read_sentences(path)
    assert (found.texts, found.rows) == (["One.", "Four."], [2, 6])
    assert found.source_notes == [
        "Left out: 2 hidden rows; HIDDEN=true with make, -p hidden=true without, "
        "hidden=True in Python takes them."
    ]
    found = read_sentences(path, hidden=True)
    assert (found.texts, found.rows) == (["One.", "Two.", "Three.", "Four."], [2, 3, 4, 6])
    assert found.source_notes == []
    book.worksheets[0].title = "Answers"
    assert read_corpus(path, hidden=True).texts == found.texts


def test_merged_cells_away_from_the_table_are_ignored(tmp_path: Path) -> None:
    """Above the header, beside the table and below it, as for titles and notes."""
    rows = [["Answers of May", None], ["id", "sentence"], [1, "One."], [2, "Two."]]
    path = book_of(tmp_path / "my.xlsx", Sheet=rows)
    book = openpyxl.load_workbook(path)
    for cells in ("A1:B1", "D2:E4", "A6:B7"):
        book.worksheets[0].merge_cells(cells)
    book.save(path)
    found = read_sentences(path)
    assert (found.texts, found.rows) == (["One.", "Two."], [3, 4])
    book.worksheets[0].merge_cells("A3:A4")
    book.save(path)
    with pytest.raises(InputError, match=r"cells A3:A4 are merged, .* Unmerge the cells"):
        read_sentences(path)


MAY = datetime.datetime(2026, 5, 1)
AFTERNOON = datetime.datetime(2026, 5, 1, 16, 5)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (10, "General", "10"),
        (10.0, "General", "10"),
        (0.1, "General", "0.1"),
        (4.5, "0.00", "4.50"),
        (1234567, "#,##0", "1,234,567"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-3, "0.0", "-3.0"),
        (0.256, "0%", "26%"),
        (0.256, "0.0%", "25.6%"),
        (True, "General", "TRUE"),
        (False, "General", "FALSE"),
        (MAY, "dd.mm.yyyy", "01.05.2026"),
        (MAY, "d.m.yy", "1.5.26"),
        (MAY, "yyyy-mm-dd", "2026-05-01"),
        (MAY, "mm-dd-yy", "2026-05-01"),
        (MAY, "m/d/yyyy", "5/1/2026"),
        (MAY, "d mmmm yyyy", "1 May 2026"),
        (MAY, '[$-409]d "of" mmmm', "1 of May"),
        (AFTERNOON, "dd.mm.yyyy hh:mm", "01.05.2026 16:05"),
        (AFTERNOON, "h:mm", "16:05"),
        (datetime.time(16, 5), "hh:mm", "16:05"),
    ],
)
def test_a_value_among_texts_is_read_as_the_sheet_shows_it(
    value: object, number_format: str, text: str, tmp_path: Path
) -> None:
    rows = [["sentence"], ["One."], [value], ["Two."]]
    path = book_of(tmp_path / "my.xlsx", Sheet=rows)
    book = openpyxl.load_workbook(path)
    book.worksheets[0].cell(3, 1).number_format = number_format
    book.save(path)
    found = read_sentences(path)
    assert found.texts == ["One.", text, "Two."]
    assert found.source_notes == [
        "Numbers, dates or truth values read as the sheet shows them: 1 cell."
    ]


def test_values_of_other_columns_stay_values(tmp_path: Path) -> None:
    rows = [["sentence", "stars", "day"], ["One.", 4.5, MAY], ["Two.", None, MAY]]
    found = read_sentences(book_of(tmp_path / "my.xlsx", Sheet=rows))
    assert found.kinds == {"stars": "number", "day": "date"}
    assert found.table["stars"][0] == 4.5


def test_the_first_visible_sheet_with_a_table_is_read(tmp_path: Path) -> None:
    """A cover of one cell is none, and the note names hidden sheets, too."""
    sheets = {"Old": [["sentence"], ["Zero."]], "Cover": [["Answers"]]}
    path = book_of(tmp_path / "my.xlsx", **sheets, May=[["sentence"], ["One."]])
    book = openpyxl.load_workbook(path)
    book["Old"].sheet_state = "veryHidden"
    book.save(path)
    found = read_sentences(path)
    assert found.texts == ["One."]
    assert found.source_notes == [
        "Read sheet “May”; SHEET or --sheet takes another: “Old” and “Cover”."
    ]
    with pytest.raises(InputError, match=r"my.xlsx, sheet 'Cover': no table in it. Expected"):
        read_sentences(path, sheet="Cover")


ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">
<office:body><office:spreadsheet><table:table table:name="May">%s</table:table>
</office:spreadsheet></office:body></office:document-content>"""

MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"""


def write_ods(rows: list[list[str | int]], path: Path) -> None:
    """Write the least that is an .ods file."""
    table = ""
    for row in rows:
        cells = ""
        for cell in row:
            kind = 'office:value-type="string"'
            if isinstance(cell, int):
                kind = f'office:value-type="float" office:value="{cell}"'
            cells += f"<table:table-cell {kind}><text:p>{cell}</text:p></table:table-cell>"
        table += f"<table:table-row>{cells}</table:table-row>"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("META-INF/manifest.xml", MANIFEST)
        package.writestr("content.xml", ODS % table)


def test_an_ods_file_is_read(tmp_path: Path) -> None:
    rows: list[list[str | int]] = [["Answers of May"], ["id", "text"], [1, "It rains."], [2, 10]]
    write_ods([*rows, [3, "It snows."]], tmp_path / "my.ods")
    found = read_sentences(tmp_path / "my.ods")
    assert (found.texts, found.rows) == (["It rains.", "10", "It snows."], [3, 4, 5])
    assert found.notes() == [
        "Column read: “text”.",
        "Header found in row 2.",
        "Numbers, dates or truth values read as the sheet shows them: 1 cell.",
    ]


@pytest.mark.parametrize("ending", [".xls", ".ods"])
def test_a_damaged_spreadsheet_of_another_program_is_refused(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"my{ending}"
    path.write_bytes(b"not a spreadsheet")
    with pytest.raises(InputError, match=rf"my{ending}: not a {ending} file, or a damaged one"):
        read_sentences(path)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InputError, match=r"need python-calamine. .*pip install 'stslab\[excel\]'"):
        read_sentences(path)
