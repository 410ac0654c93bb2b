"""What a refusal suggests is done as it says, and leads into no other error."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from written_files import book_of, quoted

from stslab import InputError, read_pairs, read_sentences
from stslab.inputs.tables import Input

LONG = "It rains all day long."
OTHER = "The sun shines again."


def refusal(read: Callable[..., Input], path: Path, **options: str | None) -> str:
    """Return the message with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value)


def suggested_columns(message: str) -> list[str | list[str]]:
    """Return the columns that a message suggests: with make, without, and in Python."""
    advice = message.partition(" Name what to read: ")[2]
    parts = re.fullmatch(
        r"COLUMN=(.*) with make, --column (.*) without, columns?=(.*) in Python\.", advice
    )
    assert parts, message
    in_make, in_shell = shlex.split(parts[1]), shlex.split(parts[2])
    assert len(in_make) == len(in_shell) == 1
    return [*in_make, *in_shell, ast.literal_eval(parts[3])]


NAMES = [
    ["good", "bad"],
    ["What was good, and what not?", "Other, please specify"],
    ['The "best" part', "Worst"],
    ['"Best"', '"Worst", of all'],
    ["Price in $HOME", "`pwd` costs 5 $"],
    ["Don't!", "It's 50 % \\ more!"],
    ["  Outer  spaces ", "Two\nlines"],
    ["text of A", "Text of a"],
    ["column=x", "-p"],
    ["Größe – “schön”", "サイズ、色"],
]


@pytest.mark.parametrize("names", NAMES)
def test_the_suggested_column_is_one_that_is_read(names: list[str], tmp_path: Path) -> None:
    """Whether several may hold the texts, none is seen to, or one is named that is not there."""
    tables = [[LONG, OTHER], ["One.", "Two."], ["7", "8"]]
    for cells in tables:
        quoted([names, cells], tmp_path / "my.csv")
        for column in (None, "nowhere"):
            message = refusal(read_sentences, tmp_path / "my.csv", column=column)
            for suggestion in suggested_columns(message):
                assert isinstance(suggestion, str)
                found = read_sentences(tmp_path / "my.csv", column=suggestion)
                assert found.texts[0] in cells
                assert found.columns_read == [suggestion]


@pytest.mark.parametrize("names", NAMES)
def test_the_suggested_pair_of_columns_is_one_that_is_read(
    names: list[str], tmp_path: Path
) -> None:
    header = ["id", *names, "third"]
    quoted([header, ["1", LONG, OTHER, "It snows, and then it rains."]], tmp_path / "my.csv")
    for columns in (None, "id", "nowhere, id", "id, third, nowhere, good"):
        message = refusal(read_pairs, tmp_path / "my.csv", columns=columns)
        for suggestion in suggested_columns(message):
            found = read_pairs(tmp_path / "my.csv", columns=suggestion)
            assert len(found.table) == 1
            assert len(found.columns_read) == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([["text"], [LONG]], "Pairs need two columns of texts."),
        ([["text", "empty"], [LONG, ""]], "Pairs need two columns of texts."),
    ],
)
def test_nothing_is_suggested_where_there_are_no_pairs(
    table: list[list[str]], message: str, tmp_path: Path
) -> None:
    quoted(table, tmp_path / "my.csv")
    text = refusal(read_pairs, tmp_path / "my.csv")
    assert text.endswith(message)
    assert "COLUMN=" not in text


@pytest.mark.parametrize("items", ['[{"id": 1, "n": 2}]', '[{"n": 1.5}]', '[{"n": true, "m": []}]'])
def test_nothing_is_suggested_where_there_are_no_texts(items: str, tmp_path: Path) -> None:
    """A number in a JSON file is no text, also if its column is named."""
    (tmp_path / "my.json").write_text(items)
    message = refusal(read_sentences, tmp_path / "my.json")
    assert message.endswith("None of them holds texts.")


def test_the_sheets_of_a_refusal_can_be_read(tmp_path: Path) -> None:
    """Those without a table are not among them."""
    sheets = {"Cover": [["Answers"]], "Mai": [["text"], ["One."]], "It's": [["text"], ["Two."]]}
    path = book_of(tmp_path / "my.xlsx", **sheets, Leer=[])
    message = refusal(read_sentences, path, sheet="Juni")
    assert message.startswith("my.xlsx: no sheet is called 'Juni'. Its sheets with ")
    suggested = ast.literal_eval(f"[{message.partition('a table: ')[2].removesuffix('.')}]")
    assert suggested == ["Mai", "It's"]
    for sheet in suggested:
        assert read_sentences(path, sheet=sheet).texts in (["One."], ["Two."])


def test_lines_with_tabs_are_read_once_they_are_a_table_or_have_none(tmp_path: Path) -> None:
    text = f"1\t{LONG}\n2\t{OTHER}\n"
    (tmp_path / "my.txt").write_text(text)
    message = refusal(read_sentences, tmp_path / "my.txt")
    assert "give its first line the columns' names and call the file my.tsv" in message
    assert message.endswith("if not, replace the tabs by spaces.")
    (tmp_path / "my.tsv").write_text(f"id\tremark\n{text}")
    assert read_sentences(tmp_path / "my.tsv").texts == [LONG, OTHER]
    (tmp_path / "my.txt").write_text(text.replace("\t", " "))
    assert read_sentences(tmp_path / "my.txt").texts == [f"1 {LONG}", f"2 {OTHER}"]


def test_lines_with_a_tab_here_and_there_are_texts(tmp_path: Path) -> None:
    lines = [LONG, "It\trains.", "One\tor\ttwo."]
    (tmp_path / "my.txt").write_text("\n".join(lines))
    assert read_sentences(tmp_path / "my.txt").texts == lines


def test_a_column_without_a_name_is_read_with_one_or_as_text(tmp_path: Path) -> None:
    content = f"{LONG}\n{OTHER}\n"
    (tmp_path / "my.csv").write_text(content)
    message = refusal(read_sentences, tmp_path / "my.csv")
    assert "Put the column's name above it, such as text, or save the file as .txt." in message
    (tmp_path / "my.csv").write_text(f"text\n{content}")
    (tmp_path / "my.txt").write_text(content)
    for name in ("my.csv", "my.txt"):
        assert read_sentences(tmp_path / name).texts == [LONG, OTHER]


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_a_text_with_the_delimiter_is_read_once_it_is_quoted(
    delimiter: str, tmp_path: Path
) -> None:
    text = f"No{delimiter} never."
    lines = [["id", "text"], ["1", LONG], ["2", OTHER], ["3", text]]
    (tmp_path / "my.csv").write_text("\n".join(map(delimiter.join, lines)))
    message = refusal(read_sentences, tmp_path / "my.csv")
    assert message.startswith("my.csv, row 4: 3 cells, but the header has 2: ['id', 'text']. ")
    assert message.endswith(f"Quote a text with {delimiter!r} in it.")
    lines[-1][1] = f'"{text}"'
    (tmp_path / "my.csv").write_text("\n".join(map(delimiter.join, lines)))
    assert read_sentences(tmp_path / "my.csv").texts == [LONG, OTHER, text]


def test_quotes_inside_a_text_are_read_once_they_are_doubled(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text('text,id\n"say "yes" now",1\n')
    assert "inside are doubled" in refusal(read_sentences, tmp_path / "my.csv")
    (tmp_path / "my.csv").write_text('text,id\n"say ""yes"" now",1\n')
    assert read_sentences(tmp_path / "my.csv").texts == ['say "yes" now']


def test_a_sheet_named_for_another_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(f"text\n{LONG}\n")
    message = refusal(read_sentences, tmp_path / "my.csv", sheet="May")
    assert message.endswith("Leave that out.")
    assert read_sentences(tmp_path / "my.csv").texts == [LONG]


def test_merged_cells_are_read_once_they_are_not(tmp_path: Path) -> None:
    path = book_of(tmp_path / "my.xlsx", May=[["text", "group"], [LONG, "a"], [OTHER, None]])
    book = openpyxl.load_workbook(path)
    book.worksheets[0].merge_cells("B2:B3")
    book.save(path)
    assert "Unmerge the cells" in refusal(read_sentences, path)
    book.worksheets[0].unmerge_cells("B2:B3")
    book.save(path)
    assert read_sentences(path).texts == [LONG, OTHER]


def test_a_score_that_is_no_number_is_read_once_it_is_one(tmp_path: Path) -> None:
    table = [["s1", "s2", "gold"], [LONG, OTHER, "high"]]
    quoted(table, tmp_path / "my.csv")
    message = refusal(read_pairs, tmp_path / "my.csv")
    example = re.search(r"a number such as (\S+),", message)
    assert example
    table[1][2] = example[1]
    quoted(table, tmp_path / "my.csv")
    assert read_pairs(tmp_path / "my.csv").table["gold_score"].tolist() == [3.5]


def test_a_json_file_of_one_object_is_read_as_one_line_or_in_brackets(tmp_path: Path) -> None:
    content = '{"text": "One."}'
    (tmp_path / "my.json").write_text(content)
    message = refusal(read_sentences, tmp_path / "my.json")
    assert message.endswith("Put them in [ ]; a file with one a line ends in .jsonl.")
    (tmp_path / "my.json").write_text(f"[{content}]")
    (tmp_path / "my.jsonl").write_text(content)
    for name in ("my.json", "my.jsonl"):
        assert read_sentences(tmp_path / name).texts == ["One."]


def test_every_ending_that_is_suggested_is_one_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "my.docx").write_bytes(b"PK")
    message = refusal(read_sentences, tmp_path / "my.docx")
    for ending in re.findall(r"\.[a-z]+(?=[,.])", message.partition("ends in ")[2]):
        (tmp_path / f"my{ending}").write_bytes(b'"One."\n')
        try:
            read_sentences(tmp_path / f"my{ending}")
        except InputError as error:
            assert "expected a file that ends in" not in str(error)  # noqa: PT017
