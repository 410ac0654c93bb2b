"""Tables of text as many programs write them: what is written is what is read.

Each table is drawn at random: its delimiter, quoting, encoding, line ends, header, label rows, and
which empty cells are missing or surplus. The texts and the numbers of their rows must come back.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_inputs import shows_as_written

from stslab import read_sentences
from stslab.csv_text import unmark

WORDS = ["the", "room", "was", "clean", "but", "breakfast,", "which", "starts", "at"]
WORDS += ["8,", "isn't", "good:", "café", "Zürich", "–", "“quiet”"]
TEXTS = ["The room was clean.", "I waited; nobody came.", 'She said "no", twice.', "Only 5 € now"]
TEXTS += ["one | two | three", "Slow, loud, expensive.", "Line one.\nLine two.", "- slow\n- loud"]
TEXTS += ["A tab\tin it, and more.", "“Quoted” – with a dash", "It isn't far, is it?", "a b;c;d"]
NOT_IN_WINDOWS_1252 = ["犬が走る、速く。", "Привет, мир; снова", "Two 🐕 dogs, one 🐈."]
TEXT_HEADERS = ["text", "What was good, and what was not?", "Comment; please be brief", "Frage"]
TEXT_HEADERS += ["Good | bad", 'The "best" part', "Pros\tand cons", "Two\nlines"]
# Other columns: their header, what labels Qualtrics writes for them, and their cells.
OTHERS = {
    "id": ("Response ID", st.integers(0, 9999).map(str)),
    "Date": ("End Date", st.dates().map(str)),
    "Channel (mail; phone; chat)": ("Which channel?", st.sampled_from(["mail", "phone", "chat"])),
    "Stars, of five": ("How many stars?", st.sampled_from(["1", "2,5", "4.5", ""])),
    "North|South": ("Where, roughly?", st.sampled_from(["North", "South", ""])),
    "Remark": ("Of the staff; internal", st.just("")),
}


@dataclass
class Written:
    """A table as it was drawn, and what must be read from it."""

    content: bytes
    name: str
    column: str
    texts: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


def sentences() -> st.SearchStrategy[str]:
    """Draw texts of several words, some with signs that mean something in a table."""
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9)
    plain = words.map(lambda drawn: f"We say {' '.join(drawn)}")
    signs = st.text(alphabet=",;|\t\"'\n =#&<>/\\", max_size=6)
    odd = st.tuples(signs, signs, signs).map(lambda s: f"{s[0]}well{s[1]} now{s[2]}")
    texts = st.one_of(plain, plain, st.sampled_from(TEXTS + NOT_IN_WINDOWS_1252), odd)
    # An apostrophe before a sign is a mark: see test_csv_text.py.
    return texts.filter(lambda text: unmark(text) == text and shows_as_written(text))


@st.composite
def tables(draw: st.DrawFn) -> Written:
    """Draw a table and write it."""
    ending, delimiter = draw(
        st.sampled_from(
            [(".csv", ","), (".csv", ";"), (".csv", "\t"), (".csv", "|"), (".tsv", "\t")]
        )
    )
    text_header = draw(st.sampled_from(TEXT_HEADERS))
    headers = draw(st.lists(st.sampled_from([*OTHERS]), max_size=4, unique=True))
    position = draw(st.integers(0, len(headers)))
    headers.insert(position, text_header)
    texts = draw(st.lists(sentences(), min_size=3, max_size=10, unique=True))
    if ending == ".tsv":
        # Of a text with line ends and tabs, each line can look like a row.
        texts = [text.replace("\t", " ") if "\n" in text else text for text in texts]
        texts = [*dict.fromkeys(texts)]
    is_one_column = len(headers) == 1
    if is_one_column and "\t" in text_header:
        # Where a header holds a tab, anyone would take it for two columns.
        text_header = headers[0] = "text"

    records = [headers]
    if draw(st.booleans()) and not is_one_column:
        records += label_rows(headers, text_header)
    written = Written(b"", f"my{ending}", text_header)
    for text in texts:
        if draw(st.integers(0, 7)) == 0:
            records.append([])
        cells = [draw(OTHERS[name][1]) if name in OTHERS else text for name in headers]
        written.texts.append(text)
        written.rows.append(len(records) + 1)
        records.append(with_other_end(draw, cells, is_one_column=is_one_column))

    quotings = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL]
    if ending == ".tsv" and not is_one_column and can_stand_without_quotes(records):
        quotings.append(csv.QUOTE_NONE)
    quoting = draw(st.sampled_from(quotings))
    stream = io.StringIO()
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    if ending == ".csv" and draw(st.integers(0, 3)) == 0:
        stream.write(f"sep={delimiter}{line_end}")
    if quoting == csv.QUOTE_NONE:
        stream.writelines(f"{delimiter.join(cells)}{line_end}" for cells in records)
    else:
        csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows(
            records
        )
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    try:
        written.content = stream.getvalue().encode(encoding)
    except UnicodeEncodeError:  # Windows-1252 has no such letters
        written.content = stream.getvalue().encode("utf-8")
    return written


def can_stand_without_quotes(records: list[list[str]]) -> bool:
    """Check that no cell holds a tab, a line end, or what looks like doubled quotes."""
    cells = [cell for record in records for cell in record]
    return not any(re.search('[\t\n]|""|^"[^"]*"$', cell) for cell in cells)


def label_rows(headers: list[str], text_header: str) -> list[list[str]]:
    """Return the two rows that Qualtrics writes below its header."""
    questions, import_ids = list[str](), list[str]()
    for number, name in enumerate(headers):
        question = "What should we change, if anything? Please be specific."
        if name != text_header:
            question = OTHERS[name][0]
        questions.append(question)
        import_ids.append(f'{{"ImportId":"QID{number}","timeZone":"America/Denver"}}')
    return [questions, import_ids]


def with_other_end(draw: st.DrawFn, cells: list[str], *, is_one_column: bool) -> list[str]:
    """Return a row without its last empty cells, or with more of them, or as it is."""
    # Cells behind the only column make two columns of it, one without a name. Behind a line break,
    # they can make the rest of a .tsv file's row look like a row.
    end = draw(st.sampled_from(["same", "missing", "surplus"]))
    cells = list(cells)
    if end == "surplus" and not is_one_column and "\n" not in "".join(cells):
        cells += [""] * draw(st.integers(1, 3))
    while end == "missing" and len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return cells


def check(written: Written, folder: Path) -> None:
    path = folder / written.name
    path.write_bytes(written.content)
    found = read_sentences(path)
    assert found.columns_read == [written.column]
    assert found.texts == written.texts
    assert found.rows == written.rows


def of_examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@of_examples(40)
@given(written=tables())
def test_what_is_written_is_what_is_read(written: Written, tmp_path: Path) -> None:
    check(written, tmp_path)


@pytest.mark.thorough
@of_examples(300)
@given(written=tables())
def test_what_is_written_is_what_is_read_in_300_tables(written: Written, tmp_path: Path) -> None:
    check(written, tmp_path)
