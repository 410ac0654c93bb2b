"""Reading: encodings, line ends, delimiters, quotes, JSON, and files that are refused."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from written_files import ALL, TABLES, write

from stslab import InputError, read_corpus, read_pairs, read_sentences
from stslab.inputs.checks import check_texts
from stslab.inputs.tables import Input


def without_json_escapes(content: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda escape: chr(int(escape[1], 16)), content)


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
def test_windows_1252_bytes_in_a_utf_8_file_are_read_and_said(ending: str, tmp_path: Path) -> None:
    """A file joined from two programs; other readers take one encoding for all of it."""
    texts = ["Über den Wolken.", "Das Café.", "It wasn’t open – again."]
    path = write([["sentence"], *([text] for text in texts)], tmp_path / f"my{ending}")
    content = without_json_escapes(path.read_text(encoding="utf-8-sig")).encode()
    for character in "é’–":
        content = content.replace(character.encode(), character.encode("cp1252"))
    path.write_bytes(content)
    found = read_sentences(path)
    assert found.texts == texts
    assert found.source_notes == ["Read as UTF-8, but 3 bytes as Windows-1252."]


def test_half_a_utf_16_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_bytes("One.\nTwo.".encode("utf-16")[:-1])
    with pytest.raises(InputError, match=r"my.txt: not UTF-16 to its end .*Save the file as UTF-8"):
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
    content = without_json_escapes(path.read_text(encoding="utf-8-sig"))
    path.write_bytes(content.encode(encoding))
    found = read_sentences(path)
    assert found.texts == texts
    assert found.source_notes == [f"Read as {named}."]
    assert found.describe().endswith(f" Read as {named}.")


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    """A byte that Windows-1252 lacks, alone or beside characters of UTF-8."""
    message = r"my.txt, line 2, column 5: byte 0x81 is neither UTF-8 nor Windows-1252. Save the"
    for first_line in ("fine", "où", "ol\udce9"):
        content = f"{first_line}\nnot \udc81 fine\n".encode("utf-8", "surrogateescape")
        (tmp_path / "my.txt").write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_sentences(tmp_path / "my.txt")
    for text in ("plain ASCII\n", "Où ?\n"):
        (tmp_path / "my.txt").write_text(text, encoding="utf-8")
        assert read_sentences(tmp_path / "my.txt").notes() == []


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
    with pytest.raises(InputError, match=rf"my{ending}: no (texts|table) in it"):
        read_sentences(path)


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
    for loaded in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    extra = {"openpyxl": "excel", "pyarrow": "parquet"}[module]
    with pytest.raises(InputError, match=rf"need {module}. .*pip install 'stslab\[{extra}\]'"):
        read_sentences(path)


@pytest.mark.parametrize(("delimiter", "ending"), [(",", ".csv"), (";", ".csv"), ("\t", ".tsv")])
def test_cells_that_are_missing_or_too_many_at_a_row_s_end_are_empty(
    delimiter: str, ending: str, tmp_path: Path
) -> None:
    """Spreadsheets leave out empty cells, or write one more for each column ever used."""
    lines = [["text", "id"], ["Zero."], ["One.", "1"], ["Two.", "2", "", " "]]
    content = "\n".join(delimiter.join(cells) for cells in lines)
    (tmp_path / f"my{ending}").write_text(content)
    table = read_sentences(tmp_path / f"my{ending}").table
    assert table.to_numpy().tolist() == [["Zero.", ""], ["One.", "1"], ["Two.", "2"]]


@pytest.mark.parametrize(("delimiter", "ending"), [(",", ".csv"), (";", ".csv"), ("\t", ".tsv")])
def test_a_surplus_cell_with_content_is_reported_with_its_row(
    delimiter: str, ending: str, tmp_path: Path
) -> None:
    lines = [["text", "id"], ["Zero.", "0"], ["One.", "1", "2"], ["Two.", "2"]]
    content = "\n".join(delimiter.join(cells) for cells in lines)
    (tmp_path / f"my{ending}").write_text(content)
    message = rf"my{ending}, row 3: 3 cells, but the header has 2: \['text', 'id'\]"
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


def test_the_number_of_a_row_does_not_count_lines_inside_quotes(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text('text,id\n"two\nlines",1\none,2,3\n')
    with pytest.raises(InputError, match=r"my.csv, row 3: 3 cells"):
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


@pytest.mark.thorough
def test_a_million_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("".join(f"Line {i}.\n" for i in range(1_000_000)))
    found = read_sentences(tmp_path / "my.txt")
    assert len(check_texts(found.texts, "sentences")) == 1_000_000


def test_a_file_name_may_begin_with_a_tilde(tmp_path, monkeypatch):
    """A shell and Python read ~name as the home of a user, where there is one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~draft.txt").write_text("One.\n")
    assert read_sentences("~draft.txt").table["sentence"].tolist() == ["One."]
