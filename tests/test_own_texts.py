"""A reader's own texts in lessons: what is said is true of them, cautions included."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import shutil
import sqlite3

import pytest
from conftest import ROOT, build_quietly
from lessons import code_of, executed, lesson, said, slips, table

from stslab import score_pairs
from stslab.report.request.presets import adhoc_preset

pytestmark = pytest.mark.thorough

FRENCH = [
    "Où est ma commande ?",
    "Comment puis-je changer mon mot de passe ?",
    "Le colis est arrivé cassé hier matin.",
    "Je voudrais annuler ma commande d'aujourd'hui.",
    "Quand vais-je être remboursé de mes achats ?",
]
RATED = [
    ("The invoice was wrong", "I was billed the wrong amount", 5),
    ("Delivery took three weeks", "It took 21 days to arrive", 5),
    ("The app is slow", "The app crashes a lot", 3),
    ("Great support team", "The staff were unhelpful", 1),
    ("I love the new design", "The redesign is lovely", 5),
    ("Could not find the button", "The menu is confusing", 3),
    ("Refund please", "I want my money back", 5),
    ("Nothing to add", "No comment", 4),
    ("Prices are too high", "It is too expensive", 5),
    ("Prices are fair", "It is too expensive", 1),
    ("The parking lot is full", "I could not park", 4),
    ("My password was reset", "I cannot log in", 2),
]
PAIRS = [
    ("Your request was approved.", "Your request was not approved."),
    ("The meeting starts at 3 pm.", "The meeting starts at 5 pm."),
    ("word " * 600, "Something else entirely."),
]
# A survey as it comes in: repeats, answers without content, closing stops, close pairs that differ.
SURVEY = [
    *["The service was far too slow.", "n/a", "ok", "The staff was friendly.", "n/a", "N/A", "OK"],
    *["The staff were friendly.", "Staff was friendly.", "The staff is friendly.", "Really?!"],
    *["The staff was so friendly.", "The coffee is good.", "I waited 5 minutes.", "-", "ok"],
    *["The coffee is not good.", "I waited 50 minutes.", "The service was far too slow."],
    *["Well…", "What a lovely place!", "Parking is expensive."],
]


def as_csv(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return ("survey.csv", stream.getvalue().encode())


def survey_for(number):
    """Give a lesson the survey in the ways it takes texts."""
    lines = ("survey.txt", "\n".join(SURVEY).encode())
    sides = list(itertools.pairwise(SURVEY))
    pairs = as_csv(("sentence_a", "sentence_b"), *sides)
    gold = ["", *(number % 5 + 1 for number in range(1, len(sides)))]
    rated = [(*pair, score) for pair, score in zip(sides, gold, strict=True)]
    rated_pairs = as_csv(("sentence_a", "sentence_b", "gold_score"), *rated)
    files = {"01": {"pairs": pairs}, "05": {"pairs": pairs}, "06": {"candidates": lines}}
    files |= {"10": {"rated_pairs": rated_pairs}, "13": {"rated_pairs": rated_pairs}}
    files |= {"07": {"corpus": lines}, "09": {"sentences": lines, "corpus": lines, "pairs": pairs}}
    return files.get(number, {"sentences": lines})


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """Give a function that runs a lesson on the survey, once."""
    ran = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STSLAB_CACHE", str(tmp_path_factory.mktemp("embeddings")))

        def run(number, **values):
            if (key := (number, *values)) not in ran:
                ran[key] = executed(code_of(lesson(number)), values, survey_for(number))
            return ran[key]

        yield run


def finding(outputs):
    (found,) = said(outputs, "finding")
    return found


IN_FULL = [
    pytest.param(each, marks=pytest.mark.slow)
    for each in ("01", "05", "06", "09", "11", "13", "14")
]


@pytest.mark.parametrize("number", ["02", "07", "08", "10", "15", *IN_FULL])
def test_what_a_lesson_says_of_a_survey_is_well_written(survey, number):
    """No zero count, no sentence that ends twice, no number without its noun."""
    assert slips(survey(number)) == []


@pytest.mark.parametrize("number", ["02", "08", "15"])
def test_repeats_never_win_a_headline_and_are_named_once(survey, number):
    """Nor do “n/a” and “N/A”, which a model scores alike and which say nothing."""
    found = finding(survey(number))
    assert re.findall("“(.*?)”", found) == ["The staff was friendly.", "The staff were friendly."]
    assert found.count("3 sentences occur more than once.") == 1
    closest = list(csv.DictReader(io.StringIO(table(survey("08"), "closest"))))
    assert (
        len({row["sentence_a"].casefold() + row["sentence_b"].casefold() for row in closest}) == 10
    )
    assert float(closest[0]["score"]) < 0.999


def test_all_close_pairs_are_examined_not_the_ten_closest(survey):
    """Ten pairs on the staff are closer than those with another number and with a negation."""
    closest = table(survey("08"), "closest")
    assert "coffee" not in closest
    assert "minutes" not in closest
    examined = table(survey("08"), "pair-cautions")
    assert "The coffee is not good." in examined
    assert "I waited 50 minutes." in examined


def test_groups_come_largest_first_with_all_their_members(survey):
    groups = list(csv.DictReader(io.StringIO(table(survey("08"), "groups"))))
    sizes = [int(group["sentences"]) for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    members = [line for group in groups for line in group["members"].split("\n")]
    assert sorted(line.removeprefix("'") for line in members) == sorted(SURVEY)
    together = [size for size in sizes if size > 1]
    told = f"{sum(together)} of {len(SURVEY)} sentences are joined with others, in {len(together)} "
    assert told in finding(survey("08"))


def test_without_a_second_list_nothing_is_matched(survey):
    names = [each["metadata"]["stslab"].get("name") for each in survey("11") if each["metadata"]]
    assert "groups" in names
    assert not {"matches", "match-scores"} & set(names)
    told = "There is no second list. To match two, set others to a list or to a file."
    assert said(survey("11"), "text").count(told) == 1
    matched = executed(code_of(lesson("11")), {"others": SURVEY[:4]})
    assert table(matched, "matches").count("\n") == 27
    assert told not in said(matched, "text")


def test_a_single_query_may_be_a_string(survey):
    """It is not taken letter by letter, in no cell."""
    found = finding(survey("07", queries="Was the coffee good?"))
    assert found.startswith("Of 22 texts, “The coffee is good.” is nearest to the query “Was the c")
    assert "best search hit" in finding(survey("09", queries="Was the coffee good?"))


def test_each_query_has_its_best_hit_and_a_weak_one_is_said(survey):
    queries = ["Was the coffee good?", "How was the staff?", "price of gold"]
    outputs = executed(code_of(lesson("07")), {"queries": queries}, survey_for("07"))
    best = list(csv.DictReader(io.StringIO(table(outputs, "best"))))
    assert [row["query"] for row in best] == queries[::-1]
    assert [row["verdict"] for row in best] == ["nothing near", "near", "near"]
    assert table(outputs, "corpus").count("\n") == 1 + len(SURVEY)
    assert finding(outputs).endswith(
        "2 of 3 queries have a text near enough to trust; “price of gold” has none."
    )
    assert slips(outputs) == []


def test_rated_pairs_get_a_verdict_and_the_best_threshold_a_mark(survey):
    """A verdict in words: beyond chance, or too few to say."""
    few = "20 pairs are too few to say whether the model agrees with people. Spearman correlation: "
    assert finding(survey("10")).startswith(few)
    rows = list(csv.DictReader(io.StringIO(table(survey("10"), "thresholds"))))
    top = max(float(row["f1"] or 0) for row in rows)
    assert top > 0
    assert all((row["best"] == "highest F1") == (row["f1"] == f"{top:.6f}") for row in rows)
    assert "Left out for want of a human score: 1 of 21 pairs." in said(survey("10"), "text")
    rated = as_csv(("sentence_a", "sentence_b", "gold_score"), *RATED)
    outputs = executed(code_of(lesson("10")), {}, {"rated_pairs": rated})
    much = "On 12 pairs the model agrees with people, beyond chance. Spearman correlation: model 0."
    assert finding(outputs).startswith(much)
    assert "Left out" not in " ".join(said(outputs, "text"))


def made(tmp_path, only, values=None, **files):
    notebooks = ROOT / "notebooks"
    preset = adhoc_preset(notebooks_dir=notebooks, files=files, values=values, only=only)
    (result,) = build_quietly(preset, tmp_path, jobs=1)
    return (tmp_path / preset.name / f"{result.name}.html").read_text("utf-8")


LONGER = [pytest.param(each, marks=pytest.mark.slow) for each in ("08", "11", "14")]


@pytest.mark.parametrize("notebook", ["15", *LONGER])
def test_a_french_list_is_told_on_the_page(tmp_path, notebook):
    """The bundled model was made for English, and its calibration from English pairs."""
    file = tmp_path / "questions.txt"
    file.write_text("\n".join(FRENCH), encoding="utf-8")
    page = made(tmp_path, [notebook], sentences=file)
    assert "Read 5 rows from questions.txt, used 5." in page
    assert "text-cautions.csv" in page
    assert "likely not in English" in page
    assert "nearest language: fr" in page
    if notebook == "15":
        assert "What people would say is not known here: 5 of 5 texts are likely not in" in page
        assert "what people would say of them is not known" in page
        (table,) = re.findall(r"What each score is worth</caption>(.*?)</table>", page)
        assert "band</th>" in table
        assert "expected gold" not in table


def test_a_share_of_random_pairs_is_true_of_a_short_list(tmp_path):
    """Below 15 texts there are fewer than 100 pairs, and the highest is more than 1% of them."""
    file = tmp_path / "few.txt"
    file.write_text("\n".join(f"{who} likes fish." for who in ("Ann", "Bob", "A cat", "My dog")))
    page = made(tmp_path, ["15"], sentences=file)
    said = r"In at least 99% of all 6 pairs of different sentences, the score is at most ([\d.]+)\."
    (upper,) = re.findall(said, page)[:1]
    with (tmp_path / "few/data/15_what_a_score_is_worth-random-scores.csv").open() as stream:
        scores = [float(row["score"]) for row in csv.DictReader(stream)]
    assert max(scores) <= float(upper) + 5e-5


def test_a_dozen_rated_pairs_make_no_winner_and_show_their_scale(tmp_path):
    """Rated from 1 to 5 in whole numbers, which is not 0 to 5."""
    file = tmp_path / "rated.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("sentence_a", "sentence_b", "gold_score"), *RATED])
    page = made(tmp_path, ["10"], rated_pairs=file)
    assert "Human scores lie from 1 to 5; they are read on a scale from 1 to 5." in page
    assert "The pairs are too few to tell the model from shared words." in page
    page = made(tmp_path, ["13"], rated_pairs=file)
    assert "12 pairs are too few to say which of 5 models agrees best with people." in page


def test_a_score_just_below_the_threshold_does_not_appear_to_reach_it(tmp_path, model):
    texts = ["Prices are too high.", "This is too expensive.", "Do you ship to Norway?"]
    texts += ["I would recommend this bakery.", "I would not recommend this bakery."]
    score = round(float(score_pairs([tuple(texts[:2])], model=model)["score"].iloc[0]), 6)
    threshold = math.ceil(score * 1e4) / 1e4
    file = tmp_path / "orders.txt"
    file.write_text("\n".join(texts), "utf-8")
    page = made(tmp_path, ["11"], {"threshold": threshold}, sentences=file)
    (table,) = re.findall(r"<caption>[^<]*just below[^<]*</caption>(.*?)</table>", page, re.DOTALL)
    assert f"{math.floor(score * 1e4) / 1e4:.4f}" in table
    assert f"{threshold:.4f}" not in table
    assert "of 1 pair, 1 may differ in meaning" in page


def test_negation_numbers_and_cut_texts_are_told_on_the_page(tmp_path):
    file = tmp_path / "pairs.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("sentence_a", "sentence_b"), *PAIRS])
    page = made(tmp_path, ["05"], pairs=file)
    for word in ("negation", "numbers", "tokens"):
        assert word in page


@pytest.mark.parametrize("count", [2, 60])
def test_a_text_file_of_any_length_makes_a_report_of_its_name(tmp_path, count):
    file = tmp_path / f"lines{count}.txt"
    file.write_text("\n".join(f"Sentence {n} about {n % 7}." for n in range(count)), "utf-8")
    page = made(tmp_path, ["08"], sentences=file)
    assert f"Read {count} rows from {file.name}, used {count}" in page
    assert (tmp_path / f"lines{count}" / "index.html").is_file()


@pytest.mark.slow
def test_a_preset_of_5000_sentences_is_encoded_once(tmp_path, monkeypatch):
    """A notebook's edited text runs nothing; its edited code finds all embeddings kept."""
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    file = tmp_path / "many.txt"
    file.write_text("\n".join(f"Sentence {n} is about {n % 97}." for n in range(5000)), "utf-8")
    notebook = tmp_path / "notebooks" / "14_map.ipynb"

    def built():
        preset = adhoc_preset(
            notebooks_dir=tmp_path / "notebooks", files={"sentences": file}, only=["14"]
        )
        results = build_quietly(preset, tmp_path, root=tmp_path, jobs=1)
        return {result.name[:2]: result.status for result in results}

    def written():
        """Count what was ever written to the cache, again or anew."""
        with sqlite3.connect(tmp_path / "cache" / "embeddings.sqlite") as database:
            return database.execute("SELECT max(rowid) FROM embeddings").fetchone()[0]

    assert built() == {"14": "built"}
    before = written()
    assert before >= 5000
    text = notebook.read_text("utf-8")
    notebook.write_text(text.replace("Clusters and their names", "Clusters"), "utf-8")
    assert built() == {"14": "rendered"}
    notebook.write_text(text.replace("head = texts", "# Again.\\nhead = texts"), "utf-8")
    assert built() == {"14": "built"}
    assert written() == before
