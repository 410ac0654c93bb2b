"""Reading: lists, pairs and columns; each defect has a test of the result, or of the message.

Encodings, delimiters and JSON are in test_files.py, spreadsheets in test_spreadsheets.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_files import ALL, TABLES, quoted, write

from stslab import InputError, read_corpus, read_pairs, read_sentences
from stslab.csv_text import unmark
from stslab.inputs.texts import with_repaired_characters, without_markup

TEXTS = ["Ein “Satz”.", 'She said "no", twice.', "1,000 cats", "NA", "  spaced  ", "犬。🐕"]
PAIRS = [("A dog.", 'A "puppy".'), ("One, two.", "NaN")]


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


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            [["question", "answer"], ["Where is it?", "It is near."]],
            "my.csv: several columns may hold the texts. Its columns: “question” (such as “Where "
            'is it?”); “answer” (such as “It is near.”). Name what to read: COLUMN="question" with '
            "make, --column \"question\" without, column='question' in Python.",
        ),
        (
            [["name", "city"], ["Ann", "Rome"], ["Ben", "Oslo"]],
            "my.csv: no column seems to hold the texts. Its columns: “name” (such as “Ann”); "
            "“city” (such as “Rome”). Name what to read: COLUMN=",
        ),
        (
            [["One sentence."], ["Another one."]],
            "my.csv: its first row, 'One sentence.', seems to be a text. Put the column's name "
            "above it, such as text, or save the file as .txt.",
        ),
    ],
)
def test_no_column_is_guessed(table: list[list[str]], message: str, tmp_path: Path) -> None:
    """Neither one of two that could be meant, nor a first sentence as if it were a header."""
    quoted(table, tmp_path / "my.csv")
    with pytest.raises(InputError, match=re.escape(message)):
        read_sentences(tmp_path / "my.csv")


@pytest.mark.parametrize(
    ("names", "row", "column"),
    [
        (["Frage"], ["Wo?"], "Frage"),
        (["id", "Frage"], ["1", "Wo?"], "Frage"),
        (["question", "what"], ["Q17", "It rains all day."], "what"),
        (
            ["Text", "reply"],
            ["It rains.", "We are sorry to hear that, and will see to it."],
            "Text",
        ),
    ],
)
def test_the_column_of_texts_is_found_by_its_content_and_a_name_is_a_hint(
    names: list[str], row: list[str], column: str, tmp_path: Path
) -> None:
    quoted([names, row], tmp_path / "my.csv")
    found = read_sentences(tmp_path / "my.csv")
    assert found.texts == [row[names.index(column)]]
    assert found.notes() == [f"Column read: “{column}”."]


def test_a_column_that_is_named_is_used_and_its_namesake_carried(tmp_path: Path) -> None:
    quoted([["text", "Frage"], ["other", "Wo?"]], tmp_path / "my.csv")
    found = read_corpus(tmp_path / "my.csv", column="Frage")
    assert found.table.to_dict("records") == [{"text": "Wo?", "text (other)": "other"}]
    assert found.describe() == "Read 1 row from my.csv, used 1. Column read: “Frage”."


def test_a_wrong_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    quoted([["id", "text"], ["1", "One."]], tmp_path / "my.csv")
    columns = "Its columns: “id” (such as “1”); “text” (such as “One.”). Name what to read: "
    message = f"my.csv: no column is called 'txt'. {columns}COLUMN=\"text\""
    with pytest.raises(InputError, match=re.escape(message)):
        read_sentences(tmp_path / "my.csv", column="txt")
    message = f"my.csv: which two columns hold the sentences of a pair is not clear. {columns}"
    with pytest.raises(InputError, match=re.escape(message)):
        read_pairs(tmp_path / "my.csv")
    with pytest.raises(InputError, match=r"my.csv: no column is called 's1'. Its columns: "):
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
        with pytest.raises(
            InputError, match="expected two names, or three with the human score, got"
        ):
            read_pairs(tmp_path / "my.csv", columns=wrong)
    for nothing in ("", None):
        assert read_sentences(["One."], column=nothing, sheet=nothing).texts == ["One."]


def test_the_rows_used_keep_their_numbers_in_the_file(tmp_path: Path) -> None:
    """As a spreadsheet or an editor numbers them: a cell of two lines does not count twice."""
    (tmp_path / "my.csv").write_text('text,id\n"two\nlines",1\n,2\none,3\n')
    assert read_sentences(tmp_path / "my.csv").rows == [2, 4]
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


@pytest.mark.parametrize("value", ["4;5", "high", "inf"])
def test_a_human_score_that_is_no_number_is_named_with_its_row(value: str, tmp_path: Path) -> None:
    rows = [["s1", "s2", "gold"], ["a", "b", "1"], ["a", "b", value]]
    quoted(rows, tmp_path / "my.csv")
    message = f"my.csv, row 3, column 'gold': expected a number such as 3.5, got '{value}'"
    with pytest.raises(InputError, match=re.escape(message)):
        read_pairs(tmp_path / "my.csv")


def test_a_human_score_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"pairs\[0\], column 'gold_score': expected a number"):
        read_pairs([("a", "b", [5])])


@pytest.mark.parametrize(
    ("written", "read"),
    [("4,5", 4.5), ("4.5", 4.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("−1,0", -1.0)],
)
def test_a_human_score_may_have_a_decimal_comma(written: str, read: float, tmp_path: Path) -> None:
    quoted([["s1", "s2", "gold"], ["a", "b", written]], tmp_path / "my.csv", ";")
    assert read_pairs(tmp_path / "my.csv").table["gold_score"].tolist() == [read]


def test_columns_of_one_name_are_numbered(tmp_path: Path) -> None:
    """Other columns are carried along; one that is meant can be named."""
    quoted([["text", "Other", "Other"], ["a", "b", "c"]], tmp_path / "my.csv")
    found = read_sentences(tmp_path / "my.csv")
    assert found.table.to_dict("records") == [{"sentence": "a", "Other": "b", "Other (2)": "c"}]
    assert read_sentences(tmp_path / "my.csv", column="other (2)").texts == ["c"]


@pytest.mark.parametrize("column", ["Free Text", "free text", " FREE  text "])
def test_a_column_is_named_in_any_case_and_with_any_spaces(column: str, tmp_path: Path) -> None:
    quoted([["ID", " Free  Text"], ["1", "a"]], tmp_path / "my.csv")
    found = read_sentences(tmp_path / "my.csv", column=column)
    assert (found.texts, found.notes()) == (["a"], ["Column read: “Free Text”."])


def test_columns_that_differ_in_capitals_are_told_apart_by_them(tmp_path: Path) -> None:
    quoted([["Note", "note"], ["a", "b"]], tmp_path / "my.csv")
    for column, text in {"Note": "a", "note": "b"}.items():
        assert read_sentences(tmp_path / "my.csv", column=column).texts == [text]
    with pytest.raises(InputError, match="no column is called 'NOTE'"):
        read_sentences(tmp_path / "my.csv", column="NOTE")


def test_a_column_without_a_name_is_carried_under_its_number(tmp_path: Path) -> None:
    """As pandas writes its index."""
    pd.DataFrame({"sentence": ["One."]}).to_csv(tmp_path / "my.csv")
    assert read_sentences(tmp_path / "my.csv").table.columns.tolist() == ["sentence", "column 1"]


@pytest.mark.parametrize("texts", [[], [None], [" ", ""]])
def test_a_list_without_texts_is_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="sentences: no texts"):
        read_sentences(texts)
    with pytest.raises(InputError, match="pairs: no texts"):
        read_pairs([(text, text) for text in texts])


def test_one_text_is_not_taken_for_a_list_of_letters() -> None:
    with pytest.raises(InputError, match=r"Texts themselves go into a list"):
        read_sentences("The dog chased the ball.")
    with pytest.raises(InputError, match=r"Texts themselves go into a list"):
        read_sentences("The dog chased the ball. " * 500)


# What is no text


@pytest.mark.parametrize(
    ("value", "kind"), [(42, "int"), (1.5, "float"), (True, "bool"), (["a"], "list")]
)
@pytest.mark.parametrize(
    ("ending", "place"),
    [(".parquet", "row 1"), (".json", "item 2"), (".jsonl", "line 2")],
)
def test_a_number_where_text_belongs_is_reported_with_row_and_column(
    value: object, kind: str, ending: str, place: str, tmp_path: Path
) -> None:
    path = tmp_path / f"my{ending}"
    match ending:
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
        read_sentences(path, column="Question")


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


def test_a_data_frame_is_read_like_a_list() -> None:
    frame = pd.DataFrame({"Title": ["One.", None], "id": [1, 2]}, index=[5, 6])
    table = read_sentences(frame).table
    assert table.to_dict("records") == [{"sentence": "One.", "id": 1}]
    assert read_sentences(pd.DataFrame([["One."]])).notes() == ["Column read: “0”."]
    with pytest.raises(InputError, match="sentences: several columns may hold the texts"):
        read_sentences(pd.DataFrame([["It rains.", "It snows."]]))


# What is written is what is read, whatever it is


def shows_as_written(text: str) -> bool:
    """Check for what is not blank and has no markup or damaged characters, which are mended."""
    return bool(text.strip()) and with_repaired_characters(without_markup(text)) == text


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ANY = st.text(CHARACTERS, min_size=1, max_size=30).filter(lambda text: shows_as_written(text))
NO_LINES = ANY.filter(lambda text: not re.search("[\r\n]", text))
# A text that begins with a quote may belong to a later one that ends with one: see test_files.py.
NO_TABS = NO_LINES.filter(lambda text: "\t" not in text and text[0] != '"')
NO_MARK = ANY.filter(lambda text: unmark(text) == text)  # see test_csv_text.py
# XML holds no control characters; a cell that begins with = is a formula; _x000A_ is an escape.
IN_CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).filter(lambda text: shows_as_written(text) and text[0] != "=" and "_x" not in text)
# Lines of a .txt file that all hold a tab are refused: see test_files.py.
HOLDS = dict(zip(ALL, [NO_TABS, NO_MARK, NO_TABS, ANY, ANY, IN_CELLS, ANY], strict=True))
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


def test_a_column_whose_name_holds_a_comma_is_named_in_quotes(tmp_path):
    file = tmp_path / "faq.csv"
    file.write_text('Frage,"Antwort, kurz"\nWho are you?,We are bakers.\n', "utf-8")
    assert len(read_pairs(file, columns='Frage, "Antwort, kurz"').table) == 1
    assert len(read_pairs(file, columns=["Frage", "Antwort, kurz"]).table) == 1
