"""Reading: each format and each defect has a test of the result, or of the message."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stslab import InputError, read_corpus, read_pairs, read_sentences
from stslab.csv_text import unmark
from stslab.inputs.checks import check_texts
from stslab.inputs.tables import Input

TEXTS = ["Ein “Satz”.", 'She said "no", twice.', "1,000 cats", "NA", "  spaced  ", "犬。🐕"]
PAIRS = [("A dog.", 'A "puppy".'), ("One, two.", "NaN")]


def quoted(table: list[list[str]], path: Path, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)


def sheet(table: list[list[object]], path: Path) -> None:
    book = openpyxl.Workbook()
    for row in table:
        book.worksheets[0].append(row)
    book.save(path)


def write(table: list[list[str]], path: Path) -> Path:
    """Write a table with its header by somebody else's code where there is any."""
    header, *rows = table
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    match path.suffix:
        case ".txt":
            text = "".join(f"{row[0]}\n" for row in rows)
            path.write_text(text, encoding="utf-8-sig", newline="")
        case ".csv":
            quoted(table, path)
        case ".tsv":
            text = "".join("\t".join(row) + "\n" for row in table)
            path.write_text(text, encoding="utf-8", newline="")
        case ".jsonl":
            path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
        case ".json":
            path.write_text(json.dumps(objects, ensure_ascii=False), encoding="utf-8")
        case ".xlsx":
            sheet([list(row) for row in table], path)
        case ".parquet":
            pd.DataFrame(rows, columns=header).to_parquet(path)
    return path


ALL = [".txt", ".csv", ".tsv", ".jsonl", ".json", ".xlsx", ".parquet"]
TABLES = ALL[1:]


@pytest.mark.parametrize("ending", ALL)
def test_sentences_come_back_exactly(ending: str, tmp_path: Path) -> None:
    path = write([["sentence"], *([text] for text in TEXTS)], tmp_path / f"my{ending}")
    found = read_sentences(path)
    assert found.texts == found.table["sentence"].tolist() == TEXTS
    assert (found.source, found.columns, found.renamed) == (f"my{ending}", ["sentence"], {})
    assert (found.rows_read, found.blank, found.duplicates) == (6, 0, 0)
    corpus = read_corpus(str(path))
    assert corpus.texts == corpus.table["text"].tolist() == TEXTS


@pytest.mark.parametrize("ending", TABLES)
def test_pairs_come_back_exactly_with_scores_and_further_columns(
    ending: str, tmp_path: Path
) -> None:
    rows = [["7", "A dog.", 'A "puppy".', "4.5"], ["8", "One, two.", "NaN", "0"]]
    table = [["id", "sentence_a", "sentence_b", "gold_score"], *rows]
    read = read_pairs(write(table, tmp_path / f"pairs{ending}"))
    pairs = read.table
    assert read.texts == [*pairs["sentence_a"], *pairs["sentence_b"]]
    assert pairs.columns.tolist() == ["sentence_a", "sentence_b", "gold_score", "id"]
    assert list(zip(pairs["sentence_a"], pairs["sentence_b"], strict=True)) == PAIRS
    assert pairs["gold_score"].tolist() == [4.5, 0.0]
    assert pairs["id"].tolist() == ["7", "8"]


def test_numbers_and_ids_of_other_columns_keep_their_kind(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text('{"id": 7, "text": "One."}\n{"text": "Two.", "tags": ["a"]}\n')
    assert read_sentences(path).table["id"].tolist()[0] == 7


# Blank and repeated rows


def test_blank_rows_are_left_out_and_repeated_ones_kept_and_both_counted(tmp_path: Path) -> None:
    path = tmp_path / "my.txt"
    path.write_text("One.\n\nTwo.\n \u3000\nOne.\nOne.\n", encoding="utf-8")
    found = read_sentences(path)
    assert found.texts == ["One.", "Two.", "One.", "One."]
    assert found.table.index.tolist() == [0, 1, 2, 3]
    said = "Read 6 rows from my.txt, used 4 (2 blank rows skipped; 2 duplicates kept)."
    assert found.describe() == said


@pytest.mark.parametrize(
    ("texts", "description"),
    [
        (["One."], "Read 1 row, used 1."),
        (["One.", "Two."], "Read 2 rows, used 2."),
        (["One.", ""], "Read 2 rows, used 1 (1 blank row skipped)."),
        (["One.", "One."], "Read 2 rows, used 2 (1 duplicate kept)."),
        (
            ["One.", " ", "Two.", "One."],
            "Read 4 rows, used 3 (1 blank row skipped; 1 duplicate kept).",
        ),
    ],
)
def test_the_description_says_why_rows_were_not_used_and_only_that(
    texts: list[str], description: str
) -> None:
    """A duplicate is kept, so it never reads as a reason for leaving a row out."""
    assert read_sentences(texts).describe() == description


def test_what_is_done_to_the_table_does_not_change_the_description() -> None:
    """It speaks of what was read: after a merge it does not fail, after a head it does not lie."""
    found = read_pairs([("ab", "ba"), (" ", "b"), ("ab", "ba")])
    before = "Read 3 rows, used 2 (1 blank row skipped; 1 duplicate kept)."
    merged = found.table.merge(pd.DataFrame({"sentence_a": ["ab"], "id": [7]}))
    assert (len(merged), len(found.table.head(1)), merged.attrs) == (2, 1, {})
    found.table["score"] = 0.5
    assert found.describe() == before


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


# Column names


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["id", "sentence", "text"], "sentence"),
        (["question", "text"], "text"),
        (["id", "Question"], "Question"),
        (["TITLE "], "TITLE"),
    ],
)
def test_a_usual_name_is_found(names: list[str], chosen: str, tmp_path: Path) -> None:
    quoted([names, [f"of {name.strip()}" for name in names]], tmp_path / "my.csv")
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == [f"of {chosen}"]
    assert len(found.table.columns) == len(names)
    assert found.renamed == ({} if chosen == "sentence" else {chosen: "sentence"})


@pytest.mark.parametrize("names", [["question", "answer"], ["Frage"], ["One sentence."]])
def test_no_column_is_guessed(names: list[str], tmp_path: Path) -> None:
    """Neither one of two that could be meant, nor a first sentence as if it were a header."""
    quoted([names, ["cell"] * len(names)], tmp_path / "my.csv")
    with pytest.raises(InputError, match=re.escape(f"my.csv, columns {names}: expected 'sent")):
        read_sentences(tmp_path / "my.csv")


def test_a_column_that_is_named_is_used_and_its_namesake_carried(tmp_path: Path) -> None:
    quoted([["text", "Frage"], ["other", "Wo?"]], tmp_path / "my.csv")
    found = read_corpus(tmp_path / "my.csv", column="Frage")
    assert found.table.to_dict("records") == [{"text": "Wo?", "text (other)": "other"}]
    assert found.describe() == "Read 1 row from my.csv, used 1. Columns read: 'Frage' as 'text'."


def test_a_wrong_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    quoted([["id", "text"], ["1", "One."]], tmp_path / "my.csv")
    with pytest.raises(InputError, match=r"my.csv, columns \['id', 'text'\]: none is called 'txt'"):
        read_sentences(tmp_path / "my.csv", column="txt")
    with pytest.raises(
        InputError, match=r"my.csv, columns \['id', 'text'\]: expected 'sentence_a'"
    ):
        read_pairs(tmp_path / "my.csv")
    with pytest.raises(InputError, match=r"my.csv, columns \['id', 'text'\]: none is called 's1'"):
        read_pairs(tmp_path / "my.csv", columns={"s1": "sentence_a", "s2": "sentence_b"})


def test_columns_are_named_in_the_order_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("Nr.;Frage;Hilfe;Punkte\n1;Wie geht es?;Es geht so.;4\n")
    named = {"Frage": "sentence_a", "Hilfe": "sentence_b", "Punkte": "gold_score"}
    for columns in (named, list(named), "Frage, Hilfe,Punkte"):
        found = read_pairs(tmp_path / "my.csv", columns=columns)
        assert found.renamed == named
        (row,) = found.table.to_dict("records")
        assert row == {
            "sentence_a": "Wie geht es?",
            "sentence_b": "Es geht so.",
            "gold_score": 4.0,
            "Nr.": "1",
        }
    assert "gold_score" not in read_pairs(tmp_path / "my.csv", columns="Frage, Hilfe").table
    for wrong in ("Frage", "Frage, Hilfe, Punkte, Nr."):
        with pytest.raises(InputError, match="expected two names, or three, got"):
            read_pairs(tmp_path / "my.csv", columns=wrong)
    for nothing in ("", None):
        assert read_sentences(["One."], column=nothing, sheet=nothing).texts == ["One."]


def test_the_rows_used_keep_their_numbers_in_the_file(tmp_path: Path) -> None:
    """As messages number them: lines, also below a cell of two lines; items; places in a list."""
    (tmp_path / "my.csv").write_text('text,id\n"two\nlines",1\n,2\none,3\n')
    assert read_sentences(tmp_path / "my.csv").rows == [2, 5]
    (tmp_path / "my.txt").write_text("One.\n\nTwo.\n")
    assert read_corpus(tmp_path / "my.txt").rows == [1, 3]
    assert read_pairs([("a", "b"), ("", ""), ("c", "d")]).rows == [1, 3]


@pytest.mark.parametrize(
    "names",
    [
        ["sentence1", "sentence2"],
        ["s1", "s2"],
        ["Question1", "Question2"],
        ["text_a", "text_b"],
        ["premise", "hypothesis"],
        ["Sentence A", "Sentence B"],
    ],
)
def test_the_usual_names_of_pairs_are_found(names: list[str], tmp_path: Path) -> None:
    quoted([["id", *names], ["1", "a", "b"]], tmp_path / "my.csv")
    assert read_pairs(tmp_path / "my.csv").table.to_dict("records") == [
        {"sentence_a": "a", "sentence_b": "b", "id": "1"}
    ]


def test_a_score_is_a_human_one_only_if_its_name_says_so(tmp_path: Path) -> None:
    quoted([["s1", "s2", "score", "label"], ["a", "b", "0.9", "1"]], tmp_path / "my.csv")
    assert "gold_score" not in read_pairs(tmp_path / "my.csv").table
    named = read_pairs(tmp_path / "my.csv", columns={"score": "gold_score"}).table
    assert named.loc[0, ["gold_score", "label"]].tolist() == [0.9, "1"]
    quoted([["s1", "s2", "Gold"], ["a", "b", "5"], ["c", "d", ""]], tmp_path / "my.csv")
    assert read_pairs(tmp_path / "my.csv").table["gold_score"].isna().tolist() == [False, True]


@pytest.mark.parametrize("value", ["4,5", "high", "inf"])
def test_a_human_score_that_is_no_number_is_named_with_its_line(value: str, tmp_path: Path) -> None:
    rows = [["s1", "s2", "gold"], ["a", "b", "1"], ["a", "b", value]]
    quoted(rows, tmp_path / "my.csv")
    message = f"my.csv, line 3, column 'gold': expected a number such as 3.5, got '{value}'"
    with pytest.raises(InputError, match=re.escape(message)):
        read_pairs(tmp_path / "my.csv")


def test_a_human_score_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"pairs\[0\], column 'gold_score': expected a number"):
        read_pairs([("a", "b", [5])])


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    quoted([["text", "text"], ["a", "b"]], tmp_path / "my.csv")
    with pytest.raises(InputError, match=r"my.csv: two columns are called 'text'. Rename one"):
        read_sentences(tmp_path / "my.csv")


def test_a_column_without_a_name_is_carried_under_its_number(tmp_path: Path) -> None:
    """As pandas writes its index."""
    pd.DataFrame({"sentence": ["One."]}).to_csv(tmp_path / "my.csv")
    assert read_sentences(tmp_path / "my.csv").table.columns.tolist() == ["sentence", "column 1"]


# Text files: encodings and line ends


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl", ".json"])
def test_byte_order_marks_are_understood(encoding: str, ending: str, tmp_path: Path) -> None:
    path = write([["sentence"], ["Où ?"], ["犬。"]], tmp_path / f"my{ending}")
    path.write_bytes(path.read_text(encoding="utf-8-sig").encode(encoding))
    assert read_sentences(path).table["sentence"].tolist() == ["Où ?", "犬。"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv"])
def test_every_system_ends_its_lines(end: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"my{ending}"
    path.write_bytes(end.join(["sentence", "One.", "Two."]).encode())
    header = ["sentence"] if ending == ".txt" else []
    assert read_sentences(path).table["sentence"].tolist() == [*header, "One.", "Two."]


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\x0bthree\x0cfour\x1cfive\x85six"
    (tmp_path / "my.txt").write_text(text, encoding="utf-8")
    assert read_sentences(tmp_path / "my.txt").table["sentence"].tolist() == [text]


@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl", ".json"])
def test_latin_1_is_reported_with_line_and_column(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"my{ending}").write_bytes("text\r\nÜber".encode() + b"\r\nDas Caf\xe9.\n")
    message = rf"my{ending}, line 3, column 8: not UTF-8 text \(byte 0xe9, in Windows-1252 'é'\)"
    with pytest.raises(InputError, match=f"{message}. Save the file as UTF-8"):
        read_sentences(tmp_path / f"my{ending}")


def test_half_a_utf_16_file_is_reported_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_bytes("One.\nTwo.".encode("utf-16")[:-1])
    with pytest.raises(InputError, match=r"my.txt, line 2, column 4: not UTF-16"):
        read_sentences(tmp_path / "my.txt")


@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl", ".json"])
def test_nul_is_reported_with_line_and_column(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"my{ending}").write_bytes(b"text\nab\0c\n")
    with pytest.raises(InputError, match=rf"my{ending}, line 2, column 3: a NUL byte"):
        read_sentences(tmp_path / f"my{ending}")


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud83d"])
def test_an_escape_that_is_no_character_is_refused(escape: str, tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text(f'"fine"\n"bad {escape}"\n')
    with pytest.raises(InputError, match=r"my.jsonl, line 2, column 'sentence': expected text"):
        read_sentences(tmp_path / "my.jsonl")


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16")],
)
@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl", ".json"])
def test_what_spreadsheets_and_editors_write_is_read_and_said(
    encoding: str, named: str, ending: str, tmp_path: Path
) -> None:
    """Windows-1252, and UTF-16 without the mark that says so."""
    texts = ["Das „Café“ öffnet um 8 – prima!", "Too dear: 5 €."]
    path = write([["sentence"], *([text] for text in texts)], tmp_path / f"my{ending}")
    content = path.read_text(encoding="utf-8-sig").replace("\\u20ac", "€").replace("\\u201e", "„")
    content = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), content)
    path.write_bytes(content.encode(encoding))
    found = read_sentences(path)
    assert found.texts == texts
    assert found.notes() == [f"Read as {named}."]
    assert found.describe().endswith(f"used 2. Read as {named}.")


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    """A byte that Windows-1252 lacks, and half a file in each of two encodings."""
    (tmp_path / "my.txt").write_bytes(b"fine\nnot \x81 fine\n")
    with pytest.raises(InputError, match=r"my.txt, line 2, column 5: not Windows-1252 text"):
        read_sentences(tmp_path / "my.txt")
    for text in ("plain ASCII\n", "Où ?\n"):
        (tmp_path / "my.txt").write_text(text, encoding="utf-8")
        assert read_sentences(tmp_path / "my.txt").notes() == []


def book_of(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def test_a_sheet_is_chosen_by_name_or_the_first_with_a_header(tmp_path: Path) -> None:
    texts: list[list[object]] = [["sentence"], ["One."]]
    others: list[list[object]] = [["sentence"], ["Two."], ["Three."]]
    path = book_of(tmp_path / "my.xlsx", Cover=[], Mai=texts, Juni=others)
    found = read_sentences(path)
    assert found.texts == ["One."]
    said = "Read sheet 'Mai' of 'Cover', 'Mai', 'Juni'; SHEET or --sheet takes another."
    assert found.notes() == [said]
    found = read_corpus(path, sheet="Juni")
    assert (found.texts, found.rows) == (["Two.", "Three."], [2, 3])
    with pytest.raises(
        InputError, match=r"no sheet is called 'juni'. Its sheets: 'Cover', 'Mai', 'Juni'"
    ):
        read_pairs(path, sheet="juni")
    path = book_of(tmp_path / "my.xlsx", Info=[["About"], ["One."]], Mai=texts)
    with pytest.raises(
        InputError, match=r"columns \['About'\]: expected .* of 'Info', 'Mai'; SHEET"
    ):
        read_sentences(path)


def test_only_a_spreadsheet_has_sheets(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("One.\n")
    with pytest.raises(InputError, match=r"my.txt: it has no sheets, so none is called 'Mai'"):
        read_sentences(tmp_path / "my.txt", sheet="Mai")


# Files that are none


@pytest.mark.parametrize("read", [read_sentences, read_corpus, read_pairs])
@pytest.mark.parametrize("ending", TABLES)
def test_empty_missing_and_folder(
    read: Callable[[Path], Input], ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"my{ending}"
    with pytest.raises(InputError, match=rf"my{ending}: no such file. Looked from the folder"):
        read(path)
    path.write_bytes(b" \n")
    with pytest.raises(InputError, match=rf"my{ending}: the file is empty"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=rf"my{ending}: a folder, expected a file"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", [".txt", ".csv", ".tsv", ".jsonl", ".json"])
def test_a_byte_order_mark_alone_is_an_empty_file(
    encoding: str, ending: str, tmp_path: Path
) -> None:
    """As a spreadsheet saves an empty sheet."""
    (tmp_path / f"my{ending}").write_bytes("".encode(encoding))
    with pytest.raises(InputError, match=rf"my{ending}: the file is empty"):
        read_sentences(tmp_path / f"my{ending}")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_a_header_alone_holds_no_texts(ending: str, tmp_path: Path) -> None:
    path = write([["sentence"]], tmp_path / f"my{ending}")
    with pytest.raises(InputError, match=rf"my{ending}: no texts in it"):
        read_sentences(path)


@pytest.mark.parametrize("texts", [[], [None], [" ", ""]])
def test_a_list_without_texts_is_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="sentences: no texts"):
        read_sentences(texts)
    with pytest.raises(InputError, match="pairs: no texts"):
        read_pairs([(text, text) for text in texts])


def test_an_unknown_ending_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "my.docx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"my.docx: expected a file that ends in .txt, .csv"):
        read_sentences(tmp_path / "my.docx")
    (tmp_path / "my.txt").write_text("One.\tTwo.\n")
    with pytest.raises(InputError, match=r"my.txt: expected a file that ends in .csv, .tsv"):
        read_pairs(tmp_path / "my.txt")


@pytest.mark.parametrize("ending", [".xlsx", ".parquet"])
def test_a_damaged_file_is_refused(ending: str, tmp_path: Path) -> None:
    path = write([["sentence"], ["One."]], tmp_path / f"my{ending}")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=rf"my{ending}: not a {ending} file, or a damaged one"):
        read_sentences(path)


@pytest.mark.parametrize(("ending", "module"), [(".xlsx", "openpyxl"), (".parquet", "pyarrow")])
def test_a_missing_library_is_named_with_its_extra(
    ending: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write([["sentence"], ["One."]], tmp_path / f"my{ending}")
    monkeypatch.setitem(sys.modules, module, None)
    extra = {"openpyxl": "excel", "pyarrow": "parquet"}[module]
    with pytest.raises(InputError, match=rf"need {module}. .*pip install 'stslab\[{extra}\]'"):
        read_sentences(path)


def test_one_text_is_not_taken_for_a_list_of_letters() -> None:
    with pytest.raises(InputError, match=r"Texts themselves go into a list"):
        read_sentences("The dog chased the ball.")
    with pytest.raises(InputError, match=r"Texts themselves go into a list"):
        read_sentences("The dog chased the ball. " * 500)


# Tables


@pytest.mark.parametrize(("delimiter", "ending"), [(",", ".csv"), (";", ".csv"), ("\t", ".tsv")])
@pytest.mark.parametrize("cells", [["One."], ["One.", "1", "2"]])
def test_a_ragged_row_is_reported_with_its_line(
    delimiter: str, ending: str, cells: list[str], tmp_path: Path
) -> None:
    lines = [["text", "id"], ["Zero.", "0"], cells]
    text = "\n".join(delimiter.join(row) for row in lines)
    (tmp_path / f"my{ending}").write_text(text)
    found = {1: "1 cell", 3: "3 cells"}[len(cells)]
    message = rf"my{ending}, line 3: {found}, but the header has 2: \['text', 'id'\]"
    with pytest.raises(InputError, match=message):
        read_sentences(tmp_path / f"my{ending}")


def test_csv_quotes_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_bytes(b'id,text\r\n1,"a, ""b""\r\nc"\r\n\r\n2,d\r\n')
    assert read_sentences(tmp_path / "my.csv").table["sentence"].tolist() == ['a, "b"\r\nc', "d"]


@pytest.mark.parametrize("cell", ['"say "yes""', '"never closed'])
def test_wrong_quotes_are_reported_with_the_line_they_begin_on(cell: str, tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(f'text\n"two\nlines"\n{cell}\nmore\n')
    with pytest.raises(InputError, match=r"my.csv, line 4: .*inside are doubled"):
        read_sentences(tmp_path / "my.csv")


def test_the_line_of_a_row_counts_lines_inside_quotes(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text('text,id\n"two\nlines",1\none,2,3\n')
    with pytest.raises(InputError, match=r"my.csv, line 4: 3 cell"):
        read_sentences(tmp_path / "my.csv")


def test_a_quote_in_a_tsv_file_is_a_quote(tmp_path: Path) -> None:
    (tmp_path / "my.tsv").write_text('s1\ts2\n"A dog\t5" of "rain"\n')
    pair = read_pairs(tmp_path / "my.tsv").table.loc[0, ["sentence_a", "sentence_b"]].tolist()
    assert pair == ['"A dog', '5" of "rain"']


@pytest.mark.parametrize("ending", [*ALL[:5], ".parquet"])
def test_a_row_of_ten_megabytes_is_read(ending: str, tmp_path: Path) -> None:
    text = "word " * 2_000_000 + "."
    path = write([["sentence"], ["One."], [text]], tmp_path / f"my{ending}")
    assert read_sentences(path).table["sentence"].tolist() == ["One.", text]


@pytest.mark.parametrize(
    ("value", "kind"), [(42, "int"), (1.5, "float"), (True, "bool"), (["a"], "list")]
)
@pytest.mark.parametrize(
    ("ending", "place"),
    [(".xlsx", "row 3"), (".parquet", "row 1"), (".json", "item 2"), (".jsonl", "line 2")],
)
def test_a_number_where_text_belongs_is_reported_with_row_and_column(
    value: object, kind: str, ending: str, place: str, tmp_path: Path
) -> None:
    path = tmp_path / f"my{ending}"
    match ending:
        case ".xlsx":
            if kind == "list":
                pytest.skip("a cell holds no list")
            sheet([["Question"], ["One."], [value]], path)
        case ".parquet":
            if kind == "list":
                pytest.skip("a column holds one kind")
            pd.DataFrame({"Question": [value]}).to_parquet(path)
        case _:
            items = [json.dumps({"Question": "One."}), json.dumps({"Question": value})]
            path.write_text("\n".join(items) if ending == ".jsonl" else f"[{','.join(items)}]")
    with pytest.raises(
        InputError, match=rf"my{ending}, {place}, column 'Question': expected text, got .*\({kind}"
    ):
        read_sentences(path)


def test_what_is_no_text_in_a_list_is_reported_with_its_place() -> None:
    with pytest.raises(
        InputError, match=r"sentences\[1\], column 'sentence': expected text, got 5"
    ):
        read_sentences(["One.", 5])
    with pytest.raises(InputError, match=r"pairs\[1\], column 'sentence_b': expected text, got 3"):
        read_pairs([("One.", "Two."), ("One.", 3)])
    with pytest.raises(InputError, match=r"pairs\[1\]: expected two texts, .* got \['One.'\]"):
        read_pairs([("One.", "Two."), ["One."]])
    with pytest.raises(InputError, match=r"pairs\[0\]: expected two texts, .* got 'ab'"):
        read_pairs(["ab", "cd"])


def test_merged_cells_are_reported_with_their_range(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["sentence", "group"], ["One.", "x"], ["Two.", None]):
        book.worksheets[0].append(row)
    book.worksheets[0].merge_cells("B2:B3")
    book.save(tmp_path / "my.xlsx")
    with pytest.raises(InputError, match=r"my.xlsx, sheet 'Sheet': cells B2:B3 are merged"):
        read_sentences(tmp_path / "my.xlsx")


def test_a_sheet_without_names_in_its_first_row_is_refused(tmp_path: Path) -> None:
    sheet([[None], ["sentence"], ["One."]], tmp_path / "my.xlsx")
    with pytest.raises(InputError, match=r"my.xlsx, sheet 'Sheet', row 1: expected a header row"):
        read_sentences(tmp_path / "my.xlsx")


@pytest.mark.parametrize(
    ("text", "place"), [('[\n"One.",\n]', "line 3, column 1"), ('["One."', "line 1, column 8")]
)
def test_broken_json_is_reported_with_line_and_column(
    text: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "my.json").write_text(text)
    with pytest.raises(InputError, match=rf"my.json, {place}: not JSON"):
        read_sentences(tmp_path / "my.json")
    (tmp_path / "my.jsonl").write_text('"One."\n\nTwo.\n')
    with pytest.raises(InputError, match=r"my.jsonl, line 3, column 1: not JSON"):
        read_sentences(tmp_path / "my.jsonl")


def test_json_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text('{"sentences": ["One."]}')
    with pytest.raises(InputError, match=r"my.json: expected one list of texts or objects"):
        read_sentences(tmp_path / "my.json")
    (tmp_path / "my.json").write_text('["One.", ["Two."]]')
    with pytest.raises(InputError, match=r"my.json, item 2: expected text, got \['Two.'\]"):
        read_sentences(tmp_path / "my.json")


def test_json_holds_strings_objects_and_for_pairs_lists(tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text('"One."\n{"sentence": "Two.", "id": 2}\n\n')
    found = read_sentences(tmp_path / "my.jsonl")
    assert (found.texts, found.blank) == (["One.", "Two."], 1)
    (tmp_path / "my.json").write_text('[["a", "b", 4], ["c", "d", null]]')
    pairs = read_pairs(tmp_path / "my.json").table
    assert pairs["sentence_b"].tolist() == ["b", "d"]
    assert pairs["gold_score"].isna().tolist() == [False, True]


def test_a_data_frame_is_read_like_a_list() -> None:
    frame = pd.DataFrame({"Title": ["One.", None], "id": [1, 2]}, index=[5, 6])
    table = read_sentences(frame).table
    assert table.to_dict("records") == [{"sentence": "One.", "id": 1}]
    with pytest.raises(InputError, match=r"sentences, columns \['0'\]: expected 'sentence'"):
        read_sentences(pd.DataFrame([["One."]]))


@pytest.mark.thorough
def test_a_million_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("".join(f"Line {i}.\n" for i in range(1_000_000)))
    found = read_sentences(tmp_path / "my.txt")
    assert len(check_texts(found.texts, "sentences")) == 1_000_000


# What is written is what is read, whatever it is

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ANY = st.text(CHARACTERS, min_size=1, max_size=30).filter(lambda text: not text.isspace())
NO_LINES = ANY.filter(lambda text: not re.search("[\r\n]", text))
NO_TABS = NO_LINES.filter(lambda text: "\t" not in text)
NO_MARK = ANY.filter(lambda text: unmark(text) == text)  # see test_csv_text.py
# XML holds no control characters; a cell that begins with = is a formula; _x000A_ is an escape.
IN_CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).filter(lambda text: not text.isspace() and text[0] != "=" and "_x" not in text)
HOLDS = dict(zip(ALL, [NO_LINES, NO_MARK, NO_TABS, ANY, ANY, IN_CELLS, ANY], strict=True))
FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("ending", ALL)
@FEW
@given(data=st.data())
def test_any_texts_come_back_exactly(ending: str, tmp_path: Path, data: st.DataObject) -> None:
    texts = data.draw(st.lists(HOLDS[ending], min_size=1, max_size=8))
    path = write([["sentence"], *([text] for text in texts)], tmp_path / f"my{ending}")
    assert read_sentences(path).table["sentence"].tolist() == texts


@pytest.mark.parametrize("ending", TABLES)
@FEW
@given(data=st.data())
def test_any_pairs_come_back_exactly(ending: str, tmp_path: Path, data: st.DataObject) -> None:
    pair = st.tuples(HOLDS[ending], HOLDS[ending], HOLDS[ending])
    rows = data.draw(st.lists(pair, min_size=1, max_size=8))
    table = [["sentence_a", "sentence_b", "note"], *map(list, rows)]
    read = read_pairs(write(table, tmp_path / f"my{ending}"))
    assert list(read.table.itertuples(index=False, name=None)) == rows


def test_a_file_name_may_begin_with_a_tilde(tmp_path, monkeypatch):
    """A shell and Python read ~name as the home of a user, where there is one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~draft.txt").write_text("One.\n")
    assert read_sentences("~draft.txt").table["sentence"].tolist() == ["One."]


def test_a_column_whose_name_holds_a_comma_is_named_in_quotes(tmp_path):
    file = tmp_path / "faq.csv"
    file.write_text('Frage,"Antwort, kurz"\nWho are you?,We are bakers.\n', "utf-8")
    assert len(read_pairs(file, columns='Frage, "Antwort, kurz"').table) == 1
    assert len(read_pairs(file, columns=["Frage", "Antwort, kurz"]).table) == 1
