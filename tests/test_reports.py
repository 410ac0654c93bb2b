"""Reports on somebody's texts: five files unlike any in the repository, what is said of them."""

from __future__ import annotations

import csv
import io
import json
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from conftest import READY, ROOT, build_quietly
from lessons import said, slips, table
from pandas.testing import assert_frame_equal

from stslab import search
from stslab.report.building.manifest import read_manifest
from stslab.report.reproducing.reproduce import reproduce
from stslab.report.request.presets import adhoc_preset
from stslab.studies import (
    close_pairs,
    describe_close,
    find_themes,
    has_content,
    judge_hits,
    pair_cautions,
    read_stsb,
)

HERE = Path(__file__).parent
# A survey with a repeat, answers without content, a negation, opposites, and another language.
BAKERY = """\
The sourdough is the best in town.
Your coffee is good.
Your coffee is not good.
Staff were friendly and quick.
The staff are rude.
Bread was stale on Monday.
Bread was fresh on Monday.
n/a
I wish you opened at 6 in the morning.
Please open earlier, I start work at 7.
The sourdough is the best in town.
More vegan cakes please.
Could you sell vegan pastries?
Parking is impossible on Saturdays.
There is nowhere to park.
ok
Die Brötchen waren sehr lecker.
Card payment does not work.
You should accept cards.
"""
# What a ticket system exports: semicolons, odd headers, Windows-1252.
TICKETS = """\
Ticket-Nr.;Betreff / Kurztext;Prio
T1;VPN drops every 10 minutes;hoch
T2;VPN connection drops every 30 minutes;mittel
T3;Café terminal accepts no cards;hoch
T4;Payment terminal in the canteen is offline;mittel
T5;Need access to the sales folder;niedrig
T6;Remove my access to the sales folder;niedrig
"""
FAQ = """\
question,faq,gold
How do I reset my password?,I forgot my password,4.5
Where is my parcel?,Track your order,4
Can I return shoes?,Our shoes are handmade,1
Do you ship to Norway?,International shipping costs,3.5
My card was declined,Payment problems,4
How do I cancel?,Cancel your subscription,4.5
Is there a student discount?,Prices for students,4
The app crashes,Opening hours,0
Can I change my address?,Change your delivery address,4.5
Do you sell gift cards?,Gift vouchers,4.5
When do you open?,Opening hours,5
I was charged twice,Refunds,3
"""
GERMAN = """\
Wie teuer ist eine Karte?
Kann man mit Karte zahlen?
Was kostet der Eintritt?
Wann öffnet das Museum?
Gibt es Parkplätze?
Wo kann ich mein Auto abstellen?
Sind Hunde erlaubt?
Darf ich meinen Hund mitbringen?
"""
QUERIES = """\
What is the price of gold?
Why do my disc brakes squeal?
How do I make basil bushy?
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Give a function that builds a report of files, once for each of its arguments."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STSLAB_CACHE", str(tmp_path_factory.mktemp("embeddings")))

        def run(name, *files, **values):
            if (key := (name, files, tuple(values.items()))) not in made:
                folder = tmp_path_factory.mktemp("report")
                page = build(folder, files, values)
                made[key] = Report(page, json.loads(page.with_suffix(".ipynb").read_text("utf-8")))
                assert page.stem == f"report_{name}"
            return made[key]

        yield run


class Report(NamedTuple):
    page: Path
    notebook: dict[str, Any]

    @property
    def outputs(self):
        return [out for cell in self.notebook["cells"] for out in cell.get("outputs", ())]


def build(folder, files, values):
    """Build what a request for files is answered with; give its page."""
    for _, file, content in files:
        (folder / file).write_bytes(content)
    first, *others = [(parameter, str(folder / file)) for parameter, file, _ in files]
    values = {**values, **dict(others)}
    preset = adhoc_preset(notebooks_dir=ROOT / "notebooks", files=dict([first]), values=values)
    (result,) = build_quietly(preset, folder / "reports", jobs=1)
    return folder / "reports" / preset.name / f"{result.name}.html"


def head(outputs):
    """Give what a report says first: the finding, the line on the data, the cautions."""
    about = [each["metadata"].get("stslab", {}) for each in outputs]
    (first,) = [each for each in about if each.get("kind") == "finding"]
    return said(outputs, "finding")[0], first.get("about", ""), first.get("cautions", [])


def rows(outputs, name):
    return list(csv.DictReader(io.StringIO(table(outputs, name))))


def bakery(report, **values):
    return report("sentences", ("sentences", "bakery.txt", BAKERY.encode()), **values)


def tickets(report):
    file = ("sentences", "tickets.csv", TICKETS.encode("cp1252"))
    return report("sentences", file, columns="Betreff / Kurztext")


def faq(report, kind="rated_pairs", columns="question, faq, gold"):
    return report(kind, (kind, "faq.csv", FAQ.encode()), columns=columns)


def handbook(report):
    corpus = ("corpus", "handbook.txt", (HERE / "search" / "handbook.txt").read_bytes())
    return report("search", corpus, ("queries", "queries.txt", QUERIES.encode()))


def german(report):
    return report("sentences", ("sentences", "german.txt", GERMAN.encode()))


def ranking(report):
    file = ("candidates", "bakery.txt", BAKERY.encode())
    return report("ranking", file, reference="Your coffee is good.")


ALL = {
    "survey": bakery,
    "survey without empty answers": lambda report: bakery(report, empty="drop"),
    "tickets": tickets,
    "rated pairs": faq,
    "pairs": lambda report: faq(report, "pairs", "question, faq"),
    "search": handbook,
    "list in German": german,
    "ranking": ranking,
}


@pytest.mark.parametrize("of", ALL)
def test_sentences_are_well_written_and_a_main_picture_is_there(report, of):
    outputs = ALL[of](report).outputs
    assert slips(outputs) == []
    finding, about, cautions = head(outputs)
    assert [text for text in [finding, about, *cautions] if slips_of(text)] == []
    first, *_ = [each for each in outputs if each["metadata"].get("stslab", {}).get("name")]
    assert first["metadata"]["stslab"] | {"title": ""} == {
        "kind": "figure",
        "name": "main",
        "title": "",
    }


def slips_of(text):
    about = {"stslab": {"kind": "text"}}
    return slips([{"metadata": about, "data": {"text/plain": text}}])


def test_a_survey_is_summed_up_with_its_repeats_and_empty_answers(report):
    finding, about, cautions = head(bakery(report).outputs)
    assert about == (
        "19 sentences from bakery.txt: 1 repeated, 2 without content (“n/a” and “ok”), 1 likely "
        "not in English."
    )
    assert finding.startswith(
        "The largest of 7 themes in 17 texts with content: Staff, 4 (24%); Vegan, 3 (18%); "
    )
    assert finding.endswith("of 20 trials without a tenth of the texts.")
    assert cautions[0].endswith("such texts may be about the same and say the opposite of it.")
    assert cautions[1] == (
        "Both pairs at 0.8 or more may differ in meaning: 1 in a negation, 1 in opposites."
    )
    assert not any("no content" in caution for caution in cautions)


def test_close_pairs_stand_with_their_differences_and_repeats_apart(report):
    outputs = bakery(report).outputs
    close = rows(outputs, "nearly-same")
    assert [(pair["row_a"], pair["row_b"], pair["differ_in"]) for pair in close] == [
        ("6", "7", "opposites (stale / fresh)"),
        ("2", "3", "a negation (not)"),
    ]
    assert [(each["times"], each["rows"]) for each in rows(outputs, "repeats")] == [("2", "1, 11")]


def test_every_row_of_the_file_comes_back_with_its_result(report):
    text = table(bakery(report).outputs, "rows")
    assert text.startswith("\ufeff")  # by which a spreadsheet knows that it is UTF-8
    listed = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["row"] for row in listed] == [str(number) for number in range(1, 20)]
    assert [row["sentence"] for row in listed] == BAKERY.splitlines()
    without_content = [row["sentence"] for row in listed if row["left_out"] == "without content"]
    assert without_content == ["n/a", "ok"]
    first, repeat = listed[0], listed[10]
    assert {**first, "row": ""} == {**repeat, "row": ""}
    assert listed[1]["nearest"] == "Your coffee is not good."
    assert listed[1]["group"] == listed[2]["group"] != ""


def test_empty_answers_are_left_out_on_request(report):
    outputs = bakery(report, empty="drop").outputs
    _, about, cautions = head(outputs)
    assert about.startswith("17 sentences from bakery.txt: 1 repeated, 1 likely not in English.")
    assert about.endswith("Left out because they have no content: 2 rows.")
    assert not any("no content" in each for each in cautions)
    assert "n/a" not in table(outputs, "main")


def test_a_ticket_export_is_read_by_its_column_and_says_its_encoding(report):
    outputs = tickets(report).outputs
    _, about, cautions = head(outputs)
    assert about == (
        "6 sentences from tickets.csv. Column read: “Betreff / Kurztext”. Read as Windows-1252."
    )
    assert "Café terminal accepts no cards" in table(outputs, "main")
    assert "1 in numbers, 1 in opposites" in cautions[0]


def test_a_dozen_rated_pairs_are_too_few_and_the_best_threshold_is_marked(report):
    outputs = faq(report).outputs
    finding, about, _ = head(outputs)
    assert about == (
        "12 rated pairs from faq.csv. Columns read: “question”, “faq” and “gold”. Human scores lie "
        "from 0 to 5; they are read on a scale from 0 to 5."
    )
    assert finding.startswith("Too few pairs to say how far the model agrees with people")
    best = [row for row in rows(outputs, "thresholds") if row["best"]]
    assert [row["threshold"] for row in best] == ["0.550000"]
    assert rows(outputs, "disagreements")[0]["sentence_a"] == "Can I return shoes?"


def test_weak_queries_come_first_and_the_corpus_can_be_read(report):
    outputs = handbook(report).outputs
    finding, about, _ = head(outputs)
    assert about == "3 queries to 60 texts from handbook.txt."
    assert finding == (
        "2 of 3 queries have a text near enough to trust; “What is the price of gold?” has none."
    )
    judged = rows(outputs, "queries")
    assert [row["verdict"] for row in judged] == ["nothing near", "near", "near"]
    assert len(rows(outputs, "corpus")) == 60
    assert [row["row"] for row in rows(outputs, "hits") if row["rank"] == "1"][1:] == ["13", "10"]


def test_a_list_in_another_language_gets_the_name_of_a_model(report):
    _, about, cautions = head(german(report).outputs)
    assert about.endswith("likely not in English.")
    assert "MODEL=paraphrase-multilingual-MiniLM-L12-v2" in cautions[-1]


def test_the_reference_itself_wins_no_ranking(report):
    outputs = ranking(report).outputs
    finding, _, cautions = head(outputs)
    assert finding.startswith(
        "Nearest to “Your coffee is good.” is “Your coffee is not good.” (0.83, but they may differ"
    )
    assert "The reference is also a candidate." in finding
    assert cautions[0].startswith("The pair at 0.8 or more may differ in meaning")
    assert "a negation" in cautions[0]


def test_the_verdicts_of_a_search_hold_as_the_page_says(model, tmp_path, monkeypatch):
    """Of 62 questions to the handbook: 29 of 32 and none of 30; none of the 32 and 24 of the 30."""
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path))
    corpus = (HERE / "search" / "handbook.txt").read_text("utf-8").splitlines()
    questions = pd.read_csv(HERE / "search" / "questions.csv")
    hits = search(questions["question"].tolist(), corpus, model=model, top_k=1)
    judged = judge_hits(hits, model=model).merge(questions, left_on="query", right_on="question")
    counts = judged.groupby(["answered", "verdict"]).size()
    assert counts["yes"].to_dict() == {"doubtful": 3, "near": 29}
    assert counts["no"].to_dict() == {"doubtful": 6, "nothing near": 24}


def test_where_only_the_closest_pairs_are_examined_it_is_said():
    pairs = [("Pay 5.", "Pay 7.", 0.97), ("It is stale.", "It is fresh.", 0.9)]
    scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    said = "50 pairs score 0.8 or more, and 2 of the closest 2 may differ in meaning."
    assert describe_close(scored, 0.8, total=50) == said
    found = pair_cautions(scored, threshold=0.8, total=50)
    assert found.headlines()[0].startswith("2 of the closest 2 pairs at 0.8 or more may differ")
    assert found.describe().startswith("50 pairs score 0.8 or more; checked: the closest of them.")
    listed = pair_cautions(scored, threshold=0.8, total=len(scored))
    assert listed.describe().startswith(f"{len(scored)} pairs score 0.8 or more. ")


def test_with_another_model_a_search_claims_nothing(report, second_model):
    corpus = ("corpus", "handbook.txt", (HERE / "search" / "handbook.txt").read_bytes())
    asked = ("queries", "queries.txt", b"What is the price of gold?\n")
    outputs = report("search", corpus, asked, model_name=str(second_model)).outputs
    finding, _, _ = head(outputs)
    assert finding.endswith("for this model it is not known which can be trusted.")
    assert [row["verdict"] for row in rows(outputs, "queries")] == ["not known"]


ON_SCREEN = """() => [...document.querySelectorAll(
    "h1, .about, .finding, .caution, #figure-main"
  )].map((e) => [e.className || e.id || e.tagName, e.getBoundingClientRect().bottom <= innerHeight])
"""


@pytest.mark.parametrize("of", ["survey", "tickets", "rated pairs", "search", "list in German"])
def test_the_first_screen_says_what_it_is_and_shows_the_main_picture(report, chromium, of):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(ALL[of](report).page.as_uri())
    page.wait_for_selector(READY)
    seen = page.evaluate(ON_SCREEN)
    assert {"about", "finding"} <= {name for name, _ in seen}
    assert any("figure-main" in name or "heat" in name for name, _ in seen)
    assert [name for name, within in seen if not within] == []
    page.close()


def test_a_report_is_the_same_bytes_anywhere_and_can_be_made_from_its_page(report, tmp_path):
    page = bakery(report).page
    again = build(tmp_path, [("sentences", "bakery.txt", BAKERY.encode())], {})
    assert again.read_bytes() == page.read_bytes()
    outcome = reproduce(
        page,
        notebooks=ROOT / "notebooks",
        inputs={"sentences": tmp_path / "bakery.txt"},
        kernel="warm",
        may_run=lambda _question: False,
        notify=lambda _text: None,
    )
    assert (outcome.verdict, outcome.differences) == ("identical", [])


def test_a_report_is_built_again_when_its_file_says_something_else(tmp_path):
    file = ("sentences", "few.txt", b"One thing.\nAnother thing.\nA third.\n")
    first = build(tmp_path, [file], {}).read_bytes()
    build(tmp_path, [file], {})
    folder = read_manifest(tmp_path / "reports" / "few")
    assert folder.pages["report_sentences"].why == ["nothing changed"]
    changed = build(tmp_path, [("sentences", "few.txt", b"One.\nAnother thing.\nA third.\n")], {})
    assert changed.read_bytes() != first


EMPTY_ANSWERS = ["n/a", "No", "nothing, thanks", "-", "10", "ok", "#REF!", "nichts"]


def lists_of_texts(stsb):
    """Ten lists of 12 to 40 texts of different kinds."""
    table = read_stsb("test", folder=stsb)
    drawn = [table["sentence_a"].sample(40, random_state=seed).tolist() for seed in range(7)]
    return [*drawn, BAKERY.splitlines(), GERMAN.splitlines() * 2, QUERIES.splitlines()]


@pytest.mark.thorough
def test_texts_without_content_change_nothing(model, stsb):
    for texts in lists_of_texts(stsb):
        texts = [text for text in texts if has_content(text)]
        mixed = [
            line for text, answer in zip(texts, cycle(EMPTY_ANSWERS)) for line in (answer, text)
        ]
        alone, beside = (find_themes(each, model=model) for each in (texts, mixed))
        columns = ["text", "times", "theme", "group", "nearest", "score"]
        with_content = beside.table[beside.table["theme"] >= 0].reset_index(drop=True)
        assert_frame_equal(alone.table[columns], with_content[columns])
        assert alone.themes == beside.themes
        sentences = ["sentence_a", "sentence_b", "score"]
        pairs = [close_pairs(each, model=model)[sentences] for each in (alone, beside)]
        assert_frame_equal(*pairs)
        assert len(beside.without_content) == len({*mixed} - {*texts})


def test_one_sentence_with_content_has_no_nearest(model):
    themes = find_themes(["Good coffee.", "ok"], model=model)
    assert themes.describe() == (
        "No themes: 1 different text with content is too few. It takes 12."
    )
    assert themes.table["nearest"].tolist() == ["", ""]
    assert themes.table["score"].isna().all()
    assert close_pairs(themes, model=model).empty
