"""Files as common programs export them: what they must be read as, or why they are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stslab import InputError, read_pairs, read_sentences

ANSWERS = [
    "The check-in took far too long.",
    "Staff were kind and helped with the bags.",
    "Breakfast could start earlier on weekdays.",
    "The room was clean, quiet and warm.",
    "Parking costs more than the room did.",
    "Nobody answered when we called at night.",
    "The lift was out of order all week.",
    "We loved the view from the balcony.",
    "Wi-Fi dropped every single evening.",
    "The shower was cold in the morning.",
]
QUESTION = "What should we change?"


def export(path: Path, header: list[str], rows: list[list[str]], end: str = "") -> Path:
    """Write a table as most programs do, and what stands below it."""
    frame = pd.DataFrame(rows, columns=header)
    separator = "\t" if path.suffix == ".tsv" else ","
    path.write_text(frame.to_csv(index=False, sep=separator) + end, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "time",
    [
        "2026/05/0{} 10:00:11 AM EST",
        "2026/05/0{} 10:00:11 AM GMT+2",
        "0{}.05.2026 3:58:12 nachm. OESZ",
        "May {}, 2026 10:00 AM",
        "Fri May 0{} 10:00:00 +0000 2026",
        "Friday, {} May 2026 at 10:00",
        "2026-05-0{}T10:00:11.520Z",
    ],
)
def test_times_are_no_texts(tmp_path: Path, time: str) -> None:
    """As Google Forms, Notion and Twitter write them."""
    rows = [[time.format(number), text] for number, text in enumerate(ANSWERS[:5], start=1)]
    read = read_sentences(export(tmp_path / "my.csv", ["Timestamp", QUESTION], rows))
    assert (read.columns_read, read.texts) == ([QUESTION], ANSWERS[:5])
    assert read.kinds["Timestamp"] == "date"


def test_short_answers_beside_times_are_the_texts(tmp_path: Path) -> None:
    answers = ["Cold coffee", "Noisy room", "Parking"]
    rows = [[f"2026/05/01 10:00:{n}1 AM EST", text] for n, text in enumerate(answers)]
    assert (
        read_sentences(export(tmp_path / "my.csv", ["Timestamp", QUESTION], rows)).texts == answers
    )


def test_a_note_on_one_row_is_not_the_answers(tmp_path: Path) -> None:
    rows = [[str(number), text, ""] for number, text in enumerate(ANSWERS)]
    rows[3][2] = "Called this guest back on Monday, who then asked for a refund of two nights."
    read = read_sentences(export(tmp_path / "my.csv", ["id", QUESTION, "Internal note"], rows))
    assert (read.columns_read, read.texts) == ([QUESTION], ANSWERS)


def test_a_browser_and_an_address_are_no_texts(tmp_path: Path) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) {}"
    photo = "photo{}.png (https://files.example/photo{}.png)"
    rows = [
        [agent.format(number), photo.format(number, number), text]
        for number, text in enumerate(ANSWERS)
    ]
    read = read_sentences(export(tmp_path / "my.csv", ["User Agent", "Photo", QUESTION], rows))
    assert (read.columns_read, read.texts) == ([QUESTION], ANSWERS)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("has_numbers", [False, True])
def test_a_missing_header_costs_no_text(tmp_path: Path, ending: str, has_numbers: bool) -> None:
    rows = [[str(number)] * has_numbers + [text] for number, text in enumerate(ANSWERS)]
    path = tmp_path / f"my{ending}"
    if ending == ".csv":
        export(path, rows[0], rows[1:])
    else:
        pd.DataFrame(rows).to_excel(path, index=False, header=False)
    with pytest.raises(InputError, match=r"its first row, 'The check-in .* seems to be a text"):
        read_sentences(path)


def test_joined_files_have_a_byte_order_mark_each(tmp_path: Path) -> None:
    part = "\ufeffid,text\n1,Good room.\n2,“Bad” bed.\n"
    (tmp_path / "my.csv").write_text(part * 2, encoding="utf-8")
    read = read_sentences(tmp_path / "my.csv")
    assert (read.texts, read.rows) == (["Good room.", "“Bad” bed."] * 2, [2, 3, 5, 6])
    assert read.source_notes == ["Left out: 1 repeated header."]
    (tmp_path / "my.txt").write_text("\ufeffGood.\n\ufeffBad.\n", encoding="utf-8")
    assert read_sentences(tmp_path / "my.txt").texts == ["Good.", "Bad."]


def test_a_named_range_is_no_column_of_a_parquet_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ANSWERS, "n": range(10)}, index=pd.RangeIndex(10, name="row"))
    frame.to_parquet(tmp_path / "my.parquet")
    read = read_sentences(tmp_path / "my.parquet")
    assert (read.columns_read, read.texts) == (["text"], ANSWERS)


@pytest.mark.parametrize("title", ["Feedback,\n,\n", "Feedback\n\n", "Comments,\n\n"])
def test_a_title_may_be_called_like_a_column(tmp_path: Path, title: str) -> None:
    rows = "".join(f"{number},{text}\n" for number, text in enumerate(ANSWERS) if "," not in text)
    (tmp_path / "my.csv").write_text(f"{title}ID,Kommentar\n{rows}")
    read = read_sentences(tmp_path / "my.csv")
    assert read.columns_read == ["Kommentar"]
    assert read.source_notes == ["Header found in row 3."]
    assert read.texts[0] == ANSWERS[0]


def test_notes_below_a_report_are_no_texts(tmp_path: Path) -> None:
    """As Salesforce writes them."""
    end = '\n"Grand Totals (10 records)"\n\n"Hotel Report"\n'
    end += '"Copyright (c) 2000-2026 example.com, inc. All rights reserved."\n"Example GmbH"\n'
    rows = [[text, str(1000 + number)] for number, text in enumerate(ANSWERS)]
    read = read_sentences(export(tmp_path / "my.csv", ["Comment", "Case Number"], rows, end))
    assert read.texts == ANSWERS
    assert read.source_notes == ["Left out: 4 footer rows."]


@pytest.mark.parametrize(
    "answer", ["A late answer came by mail.", "Keep my answer confidential.", "Total rip-off"]
)
def test_a_last_answer_below_a_blank_row_is_read(tmp_path: Path, answer: str) -> None:
    rows = [[text, str(number)] for number, text in enumerate(ANSWERS)]
    path = export(tmp_path / "my.csv", ["Comment", "n"], rows, f"\n{answer}\n")
    assert read_sentences(path).texts == [*ANSWERS, answer]


def test_commas_in_a_tsv_file_are_its_delimiter_where_it_has_no_tab(tmp_path: Path) -> None:
    rows = "".join(f'{number},5/1/26,"{text}"\n' for number, text in enumerate(ANSWERS))
    (tmp_path / "my.tsv").write_text(f"id,date,comment\n{rows}")
    assert read_sentences(tmp_path / "my.tsv").texts == ANSWERS


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Завтрак был холодный, а номер тихий.", "cp1251"),
        ("Το πρωινό ήταν κρύο και το δωμάτιο ήσυχο.", "cp1253"),
        ("Pokój był bardzo ładny i cichy.", "cp1250"),
        ("Das Frühstück war kalt, das Zimmer grün.", "mac-roman"),
    ],
)
def test_other_encodings_are_refused(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "my.txt").write_bytes(f"{text}\n{text}\n".encode(encoding))
    with pytest.raises(InputError, match=r"neither UTF-8 nor Windows-1252.*Save the file as UTF-8"):
        read_sentences(tmp_path / "my.txt")


def test_windows_1252_is_still_read(tmp_path: Path) -> None:
    texts = ["Señor Ångström zahlt 5 € für 3 m³ – naïve façade", "Élève âgé", "Straße, Œuvre, 4 m²"]
    (tmp_path / "my.txt").write_bytes("\n".join(texts).encode("cp1252"))
    assert read_sentences(tmp_path / "my.txt").texts == texts


def test_labels_in_any_language_lack_numbers_and_dates(tmp_path: Path) -> None:
    """As SurveyMonkey writes them below the questions."""
    rows = [["", "", "Antwort", "Offene Antwort"]]
    rows += [[f"118{n}", f"05/0{n % 9 + 1}/2026", "Ja", text] for n, text in enumerate(ANSWERS)]
    header = ["Befragten-ID", "Anfangsdatum", "Zufrieden?", "Was besser?"]
    read = read_sentences(export(tmp_path / "my.csv", header, rows))
    assert (read.texts, read.rows[0]) == (ANSWERS, 3)
    assert read.source_notes == ["Left out: 1 label row."]


def test_a_json_file_may_hold_a_value_a_line(tmp_path: Path) -> None:
    lines = "".join(f'{{"stars": 5, "text": "{text}"}}\n' for text in ANSWERS)
    (tmp_path / "my.json").write_text(lines)
    assert read_sentences(tmp_path / "my.json").texts == ANSWERS


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ('{"reviews": [{"text": "Good."}], "n": 1}', "Keep only the list under 'reviews'."),
        ('{"text": {"0": "Good."}}', "pandas writes one with to_json(orient='records')."),
        ('"Good."', "Put them in [ ]"),
    ],
)
def test_a_json_file_without_a_list_is_refused(tmp_path: Path, content: str, advice: str) -> None:
    (tmp_path / "my.json").write_text(content)
    with pytest.raises(InputError) as refused:
        read_sentences(tmp_path / "my.json")
    assert advice in str(refused.value)


def test_pairs_in_a_text_file_with_tabs_may_be_called_tsv(tmp_path: Path) -> None:
    content = "pair_ID\tsentence_A\tsentence_B\n1\tA dog runs.\tA cat sleeps.\n"
    path = tmp_path / "SICK.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=r"Its first line holds tabs: call it SICK\.tsv\."):
        read_pairs(path)
    assert len(read_pairs(path.rename(tmp_path / "SICK.tsv")).table) == 1
