"""A text in a CSV file is never a formula, and comes back as it was."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import page_fixtures as fixtures
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stslab import read_pairs, read_sentences
from stslab.csv_text import mark, unmark
from stslab.figures.show import to_csv
from stslab.inputs.texts import without_markup

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://example.org","x")',
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "'=1+1",
    "' '+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "- No refunds",
    "-1-1",
    "=",
]
PLAIN = [
    "'tis",
    "it's = 1",
    "1 + 1 = 2",
    "",
    "'",
    " spaced",
    "a@example.org",
    "−1 with a minus sign",
]
NUMBERS = ["-5", "-0.25", "-1e-05", "3.5", "1e3"]
# A file holds no half of a character and no NUL.
HOSTILE = [text[:999].replace("\0", "").replace("\ud83d", "½") for text in fixtures.HOSTILE]
TEXTS = [*FORMULAS, *PLAIN, *NUMBERS, *HOSTILE, "new\r=1\rlines", "a\r\nb\nc"]
# What OWASP's page on CSV injection lists, after what a spreadsheet might skip.
EVALUATED = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


@given(st.text(st.sampled_from("'' =+-@\t\r\n＝5.e") | st.characters()))
@example("'-5")
def test_every_text_comes_back_from_its_mark(text):
    assert unmark(mark(text)) == text
    assert mark(text) in (text, f"'{text}")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_marked(text):
    assert mark(text) == f"'{text}"


@pytest.mark.parametrize("text", [*PLAIN, *NUMBERS])
def test_other_texts_and_numbers_are_left_alone(text):
    assert mark(text) == unmark(text) == text


def rows_of(written: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written, newline=""), strict=True))


def test_a_table_of_hostile_texts_starts_no_formula_and_reads_back_exactly():
    """By Python's reader and by pandas', in cells and in the columns' names."""
    frame = pd.DataFrame({"sentence": TEXTS, **{text: TEXTS for text in TEXTS if text}})
    head, *rows = rows_of(to_csv(frame))
    cells = [*head, *(cell for row in rows for cell in row)]
    assert [cell for cell in cells if EVALUATED.match(cell) and cell not in NUMBERS] == []
    assert [unmark(name) for name in head] == frame.columns.tolist()
    assert [unmark(row[0]) for row in rows] == [unmark(row[-1]) for row in rows] == TEXTS
    read = pd.read_csv(io.StringIO(to_csv(frame)), dtype=str, keep_default_na=False)
    assert read.rename(columns=unmark).map(unmark).equals(frame)


def test_a_matrix_of_hostile_sentences_starts_no_formula_and_keeps_its_numbers():
    scores = np.full((len(TEXTS), len(TEXTS)), -0.10512345)
    written = to_csv(pd.DataFrame(scores, pd.Index(TEXTS, name="sentence"), TEXTS))
    head, *rows = rows_of(written)
    assert [unmark(name) for name in head] == ["sentence", *TEXTS]
    assert [unmark(row[0]) for row in rows] == TEXTS
    texts = [*head, *(row[0] for row in rows)]
    assert [text for text in texts if EVALUATED.match(text) and text not in NUMBERS] == []
    assert {cell for row in rows for cell in row[1:]} == {"-0.105123"}


def test_numbers_stay_numbers_and_nothing_else_changes():
    """Floats with 6 decimals, an object as Python writes it, nothing where nothing is."""
    mixed = [-1, None, -0.5, "x", True]
    frame = pd.DataFrame({"score": [-0.1051, np.nan, -np.inf, 1, 0], "n": range(-2, 3)})
    frame["mixed"] = pd.Series(mixed, dtype=object)
    assert to_csv(frame) == (
        "score,n,mixed\n-0.105100,-2,-1\n,-1,\n-inf,0,-0.5\n1.000000,1,x\n0.000000,2,True\n"
    )


@pytest.mark.parametrize("column", ["sentence", "=2+2"])
def test_what_stslab_writes_it_reads_exactly(tmp_path: Path, column: str):
    texts = [text for text in TEXTS if without_markup(text).strip()]
    expected = [without_markup(text) for text in texts]
    frame = pd.DataFrame({column: texts})
    (tmp_path / "my.csv").write_text(to_csv(frame), "utf-8", newline="")
    assert read_sentences(tmp_path / "my.csv", column=column).table["sentence"].tolist() == expected
    pairs = frame.set_axis(["sentence_a"], axis=1).assign(sentence_b=texts)
    (tmp_path / "pairs.csv").write_text(to_csv(pairs), "utf-8", newline="")
    read = read_pairs(tmp_path / "pairs.csv", as_written=True)
    assert read.table["sentence_b"].tolist() == texts
