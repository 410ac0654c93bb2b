"""Another real model, a small static one without a limit, through all notebooks by its folder."""

from __future__ import annotations

import csv
import json

import pytest
from conftest import NOTEBOOKS, ROOT, build_quietly
from reading import LONG, cells_of, long_numbers, shown, uncounted, unnamed
from test_tutorial import column

from stslab import load_model, score_pairs
from stslab.report.request.presets import load_preset

pytestmark = pytest.mark.thorough

FIGURES = {
    ("A dog is playing in the park.", "A puppy is running outside."): 0.4793,
    ("She loves reading mystery novels.", "The weather forecast shows heavy rain."): -0.0352,
}


def test_the_tutorials_pairs_have_this_models_figures(second_model):
    scores = score_pairs(list(FIGURES), model=load_model(str(second_model), device="cpu"))["score"]
    assert scores.round(4).tolist() == list(FIGURES.values())


def test_its_report_shows_the_same_figures(second_report):
    scores = column(second_report / "data/05_sentence_pairs-pairs.csv", "score")
    assert {*FIGURES.values()} <= {round(score, 4) for score in scores}
    assert "0.4793" in cells_of(second_report / "05_sentence_pairs.html")


@pytest.mark.parametrize("notebook", [path.stem for path in NOTEBOOKS])
def test_every_notebook_runs_with_it_and_says_so(second_report, second_model, notebook):
    """A page, a finding, and nothing on the standard streams."""
    page = json.loads((second_report / "manifest.json").read_text("utf-8"))["pages"][notebook]
    assert page["finding"]
    assert second_model.name in shown(second_report / f"{notebook}.html")
    cells = json.loads((second_report / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "stream"] == []


def test_what_was_not_measured_for_it_is_not_claimed(second_report):
    text = shown(second_report / "15_what_a_score_is_worth.html")
    assert "No calibration for this model" in text
    assert "what people would say of them is not known" in text


def test_a_sentence_on_negation_is_true_of_the_table_above_it(report, second_report):
    """A negation costs one model much and the other next to nothing."""
    for folder, costlier in ((report, 1), (second_report, 3)):
        scores = column(folder / "data/05_sentence_pairs-changes.csv", "score")
        with (folder / "data/05_sentence_pairs-changes.csv").open(encoding="utf-8") as stream:
            order = [row["change"] for row in csv.DictReader(stream)]
        assert scores == sorted(scores)
        assert order.index("negation") == costlier
        text = shown(folder / "05_sentence_pairs.html")
        assert f"Other changes that cost more than the negation: {costlier} of 3." in text


def test_the_tokens_on_its_page_are_those_it_reads(second_report, second_model):
    """Its tokenizer adds two marks, unless it is asked as the model asks it."""
    with (second_report / "data/04_loading_a_model-tokens.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    model = load_model(str(second_model), device="cpu")
    read = [len(model.preprocess([row["text"]])["input_ids"]) for row in rows]
    assert [int(row["tokens"]) for row in rows] == read


def test_multiply_adds_are_said_to_leave_attention_out(second_report):
    """In the caption of the table that shows them."""
    text = shown(second_report / "13_choosing_a_model.html")
    assert "work in millions, without attention" in text


def test_no_file_holds_the_place_of_the_models_folder(second_report, second_model):
    """It was asked for by an absolute path: no page, notebook, table or manifest has its start."""
    assert_unplaced(second_report, second_model)


def test_nor_does_any_file_of_a_report_asked_for_by_a_relative_path(
    static_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(static_folder.parent)
    preset = load_preset(
        "tutorial",
        notebooks_dir=ROOT / "notebooks",
        only=["03", "04", "09"],
        overrides={"model_name": f"../{static_folder.parent.name}/{static_folder.name}"},
    )
    build_quietly(preset, tmp_path)
    assert_unplaced(tmp_path, static_folder)


def assert_unplaced(reports, model_folder):
    start = str(model_folder.parents[-3])  # as in /home/someone
    files = [path for path in reports.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".html", ".ipynb", ".csv", ".json", ".svg"}
    holding = [path.name for path in files if start.encode() in path.read_bytes()]
    assert holding == []


def test_no_page_shows_more_than_four_decimals(second_report):
    """In prose, tables, figures and their alternatives; code and what a page is made from apart."""
    assert long_numbers(second_report) == {}


def test_numbers_say_which_model_and_input_they_are_of(second_report, second_model):
    assert set(unnamed(second_report, second_model.name)) <= {"index"}
    own = ["03_installation", "04_loading_a_model", "09_conclusion", "12_blind_spots"]
    own += ["16_vector_stores", "index"]
    assert uncounted(second_report) == own


@pytest.mark.parametrize(
    ("text", "long"),
    [
        *dict.fromkeys(["0.12345", "1.5e-07", "-3.141592 and", "1e-05"], True).items(),
        *dict.fromkeys(
            ["0.1234", "2026-11-24", "1,379 pairs", "53aa5117", "e5-base"], False
        ).items(),
    ],
)
def test_a_long_number_would_be_found(text, long):
    assert bool(LONG.search(text)) is long
