"""A reader's own texts: built from a file, with the cautions that the texts call for."""

from __future__ import annotations

import csv
import math
import re
import shutil
import sqlite3

import pytest
from conftest import ROOT, build_quietly

from stslab import score_pairs
from stslab.report.request.presets import adhoc_preset

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
        (table,) = re.findall(r"<caption>What each score is worth</caption>(.*?)</table>", page)
        assert "expected_gold" not in table


def test_a_share_of_random_pairs_is_true_of_a_short_list(tmp_path):
    """Below 15 texts there are fewer than 100 pairs, and the highest is more than 1% of them."""
    file = tmp_path / "few.txt"
    file.write_text("\n".join(f"{who} likes fish." for who in ("Ann", "Bob", "A cat", "My dog")))
    page = made(tmp_path, ["15"], sentences=file)
    (upper,) = re.findall(r"At least 99% of 6 random pairs score at most ([\d.]+)\.", page)[:1]
    with (tmp_path / "few/data/15_what_a_score_is_worth-random-scores.csv").open() as stream:
        scores = [float(row["score"]) for row in csv.DictReader(stream)]
    assert max(scores) <= float(upper) + 5e-5


def test_a_dozen_rated_pairs_make_no_winner_and_show_their_scale(tmp_path):
    """Rated from 1 to 5, which is not 0 to 5."""
    file = tmp_path / "rated.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("sentence_a", "sentence_b", "gold_score"), *RATED])
    page = made(tmp_path, ["10"], rated_pairs=file)
    assert "Human scores lie from 1 to 5; they are read on a scale from 0 to 5." in page
    assert "If nobody could give less than 1, set gold_min to 1." in page
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
