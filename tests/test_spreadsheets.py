"""Reading spreadsheets: sheets, hidden rows, headers, formats of cells."""

from __future__ import annotations

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
    with pytest.raises(
        InputError, match=r"no sheet is called 'juni'. Its sheets: 'Cover', 'Mai', 'Juni'"
    ):
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
