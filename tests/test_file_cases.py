"""Files as programs and people write them, each with the right value.

Each stands for a kind of file that was refused or misread before: exports of survey tools, sheets
with another sheet hidden before them, tables that were joined from two. Delimiters, label rows and
encodings are drawn at random in test_any_table.py.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from written_files import book_of

from stslab import read_pairs, read_sentences

ANSWERS = [
    "The check-in took far too long.",
    "Staff at the desk were kind and quick.",
    "I waited forty minutes to check in.",
    "The pool was closed all week.",
    "Nobody told us that the pool was shut.",
    "Great breakfast.",
    "Breakfast was excellent.",
]
QUESTION = "What went well, what did not, and what was missing?"


def table_text(header: str, rows: list[list[str]], delimiter: str = ",") -> str:
    """Write a header as it is, and rows as Python writes them."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return f"{header}\n{stream.getvalue()}"


NUMBERED = [[str(number), answer] for number, answer in enumerate(ANSWERS)]
IMPORT_ID = '"{""ImportId"":""%s"",""timeZone"":""America/Denver""}"'
QUALTRICS_LABELS = [
    "StartDate,EndDate,ResponseId,Q1,Q2",
    '"Start Date","End Date","Response ID","How likely are you to come back?",'
    '"What should we change, if anything? Please be as specific as you can."',
    ",".join(IMPORT_ID % name for name in ("startDate", "endDate", "_recordId", "Q1", "Q2_TEXT")),
]
# The file's text, the columns' count, the column that is read, the first row, and notes.
CASES = {
    "a question with commas above semicolons": (
        table_text(
            f'Nr;"{QUESTION}";Date', [[*row, "2026-05-01"] for row in NUMBERED], delimiter=";"
        ),
        (3, QUESTION, 2, []),
    ),
    "a separator line": (
        "sep=;\n" + table_text("id;text", NUMBERED, delimiter=";"),
        (2, "text", 2, []),
    ),
    "cells missing at a row's end": (
        table_text("comment,manager_note,follow_up", [[a, "", ""] for a in ANSWERS[:4]])
        + "".join(f'"{answer}"\n' for answer in ANSWERS[4:]),
        (3, "comment", 2, []),
    ),
    "two other columns of one name": (
        table_text("text,Other,Other", [[answer, "x", "y"] for answer in ANSWERS]),
        (3, "text", 2, []),
    ),
    "a name in capitals": (table_text("ID,Free Text", NUMBERED), (2, "Free Text", 2, [])),
    "Qualtrics": (
        table_text(
            "\n".join(QUALTRICS_LABELS),
            [
                [f"2026-05-0{day} 10:00:00", f"2026-05-0{day} 10:04:00", f"R_{day}", "7", answer]
                for day, answer in enumerate(ANSWERS, start=1)
            ],
        ),
        (5, "Q2", 4, ["Left out: 2 label rows."]),
    ),
    "SurveyMonkey": (
        table_text(
            "Respondent ID,Collector ID,What did you like?,,What did you not like?\n"
            ",,Response,Other (please specify),Open-Ended Response",
            [[f"100{number}", "55", "Yes", "", answer] for number, answer in NUMBERED],
        ),
        (5, "What did you not like?", 3, ["Left out: 1 label row."]),
    ),
    "Typeform": (
        table_text(
            '#,*How was your stay?*,"What could be better, {{field:01F8}}?",'
            "Submit Date (UTC),Token",
            [
                [f"{number:0>32}", "Good", answer, "2026-05-01 10:00:00", f"tok{number}"]
                for number, answer in NUMBERED
            ],
        ),
        (5, "What could be better, {{field:01F8}}?", 2, []),
    ),
    "a title above the header": (
        "Answers of May\n\n" + table_text("id,text", NUMBERED),
        (2, "text", 4, ["Header found in row 3."]),
    ),
    "a row of totals": (
        table_text("id,text,stars", [[*row, "4"] for row in NUMBERED]) + "Total,,28\n",
        (3, "text", 2, ["Left out: 1 total row."]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_ordinary_export_is_read_as_its_owner_would(case: str, tmp_path: Path) -> None:
    text, (column_count, column, first_row, notes) = CASES[case]
    (tmp_path / "my.csv").write_text(text, encoding="utf-8", newline="")
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == ANSWERS
    assert found.rows == list(range(first_row, first_row + 7))
    assert found.notes() == [f"Column read: “{column}”.", *notes]
    assert (len(found.table.columns), found.blank, found.duplicates) == (column_count, 0, 0)
    assert read_sentences(tmp_path / "my.csv", column=column.upper()).texts == ANSWERS


def test_other_columns_keep_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(CASES["Typeform"][0], encoding="utf-8")
    found = read_sentences(tmp_path / "my.csv")
    assert found.kinds == {
        "#": "number",
        "*How was your stay?*": "category",
        "Submit Date (UTC)": "date",
        "Token": "text",
    }


def test_repeated_headers_of_joined_files_are_left_out(tmp_path: Path) -> None:
    part = table_text("id,text", NUMBERED)
    (tmp_path / "my.csv").write_text(part + part.upper(), encoding="utf-8")
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == ANSWERS + [answer.upper() for answer in ANSWERS]
    assert found.rows == [*range(2, 9), *range(10, 17)]
    assert found.describe() == (
        "Read 14 rows from my.csv, used 14 (7 duplicates kept). Column read: “text”. "
        "Left out: 1 repeated header."
    )


def test_an_answer_is_no_repeated_header_for_its_word(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("Comment\nSlow.\ncomment\nComment\nFast.\n")
    found = read_sentences(tmp_path / "my.csv")
    assert (found.texts, found.rows) == (["Slow.", "comment", "Fast."], [2, 3, 5])


def test_semicolons_in_a_header_with_commas_split_nothing(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(
        '"Which channels did you use (mail; phone; chat)?",text\nmail,The agent was kind.\n'
        'phone,"I waited, and nobody came."\nchat,Quick answer.\n'
    )
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == ["The agent was kind.", "I waited, and nobody came.", "Quick answer."]
    assert len(found.table.columns) == 2


def test_scores_with_a_decimal_comma_are_read(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(
        "sentence_a;sentence_b;gold_score\nA dog runs.;A dog is running.;4,5\n"
        "A cat sleeps.;The cat is asleep.;4,8\nIt rains.;He plays chess.;0,2\n"
        "She sings.;A woman is singing.;4,0\nHe cooks.;He is driving.;0,8\n"
    )
    table = read_pairs(tmp_path / "my.csv").table
    assert table["gold_score"].tolist() == [4.5, 4.8, 0.2, 4.0, 0.8]
    assert table["sentence_b"][3] == "A woman is singing."


def test_a_file_of_two_encodings_is_read(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_bytes(
        "text\nThe café was lovely.\n".encode()
        + "The café wasn’t open.\nNice – but loud.\n".encode("cp1252")
        + "Crêpes were thin and cold.\nThe coffee bar was closed.\n".encode()
    )
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == [
        "The café was lovely.",
        "The café wasn’t open.",
        "Nice – but loud.",
        "Crêpes were thin and cold.",
        "The coffee bar was closed.",
    ]
    assert found.source_notes == ["Read as UTF-8, but 3 bytes as Windows-1252."]


def test_markup_is_read_as_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(
        'text\n"The room wasn&#39;t clean &amp; the staff didn&#39;t care."\n'
        "\"The room wasn't clean & the staff didn't care.\"\n"
        '"Great view!<br /><br />Will come back."\n"Great view! Will come back."\n'
        '"<p>The soup was&nbsp;cold.</p>"\n"The soup was cold."\n'
    )
    found = read_sentences(tmp_path / "my.csv")
    plain = ["The room wasn't clean & the staff didn't care.", "Great view! Will come back."]
    plain += ["The soup was cold."]
    assert found.texts == [text for text in plain for _ in range(2)]
    assert found.duplicates == 3
    assert found.source_notes == ["HTML read as it shows in 3 texts."]
    assert list(found.source_cells.cells[4]) == ["<p>The soup was&nbsp;cold.</p>"]


def test_damaged_characters_are_repaired_and_counted(tmp_path: Path) -> None:
    lines = ["The cafÃ© wasnâ€™t open.", "Ã‰ is a letter of Ã‰ric.", "A plain café’s menu."]
    (tmp_path / "my.txt").write_text("\n".join(lines), encoding="utf-8")
    found = read_sentences(tmp_path / "my.txt")
    assert found.texts == ["The café wasn’t open.", "É is a letter of Éric.", lines[2]]
    assert found.notes() == ["Damaged characters (such as â€™ for ’) repaired in 2 texts."]


def test_texts_that_differ_in_capitals_spaces_or_final_marks_are_duplicates(tmp_path: Path) -> None:
    texts = ["How does  the card work?", "How does the card work?", "HOW DOES THE CARD WORK?"]
    texts += ["How does the card work? ", "how does the card work", "Where can I use it?"]
    texts += ["Python", "python", "PYTHON"]
    (tmp_path / "my.txt").write_text("\n".join(texts))
    assert read_sentences(tmp_path / "my.txt").duplicates == 6


def test_a_row_has_the_same_number_in_a_sheet_and_in_its_export(tmp_path: Path) -> None:
    texts = ["First line.\nSecond line, still one answer."]
    texts += ["First line. Second line, still one answer.", "- slow\n- loud\n- expensive"]
    texts += ["Slow, loud, expensive.", "Fine."]
    rows = [["id", "text"], *([str(number), text] for number, text in enumerate(texts, start=1))]
    with (tmp_path / "my.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([cell.replace("\n", "\r\n") for cell in row] for row in rows)
    book_of(tmp_path / "my.xlsx", Sheet=[list[object](row) for row in rows])
    for name in ("my.csv", "my.xlsx"):
        found = read_sentences(tmp_path / name)
        assert found.rows == [2, 3, 4, 5, 6]
        assert [text.replace("\r\n", "\n") for text in found.texts] == texts


# Spreadsheets


def test_a_number_among_texts_is_read_as_the_sheet_shows_it(tmp_path: Path) -> None:
    rows: list[list[object]] = [["ID", "Comment"], *map(list, enumerate(ANSWERS))]
    path = book_of(tmp_path / "my.xlsx", Sheet=[*rows, [8, 10], [9, "No."]])
    found = read_sentences(path)
    assert found.texts == [*ANSWERS, "10", "No."]
    assert found.source_notes == [
        "Numbers, dates or truth values read as the sheet shows them: 1 cell."
    ]


def test_the_first_visible_sheet_is_read(tmp_path: Path) -> None:
    header = [["ID", "Comment"]]
    raw = [[number, f"OLD {answer}"] for number, answer in enumerate(ANSWERS)]
    path = book_of(
        tmp_path / "my.xlsx",
        Raw=[*header, *raw],
        Comments=[*header, *map(list, enumerate(ANSWERS))],
    )
    book = openpyxl.load_workbook(path)
    book["Raw"].sheet_state = "hidden"
    book.save(path)
    found = read_sentences(path)
    assert found.texts == ANSWERS
    assert found.source_notes == ["Read sheet “Comments”; SHEET or --sheet takes another: “Raw”."]
    assert read_sentences(path, sheet="Raw").texts[0] == "OLD The check-in took far too long."


def test_line_ends_of_another_system_in_a_sheet_are_line_ends(tmp_path: Path) -> None:
    texts = ["First line._x000D_\nSecond line.", "First line.\nSecond line.", "Fine._x0041_"]
    path = book_of(tmp_path / "my.xlsx", Sheet=[["Comment"], *([text] for text in texts)])
    found = read_sentences(path)
    assert found.texts[:2] == ["First line.\nSecond line."] * 2
    assert (found.texts[2], found.duplicates) == ("Fine.A", 1)
