"""Every figure that the tutorial prints comes out, in the CSV files and on the pages."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter

import nbformat
import numpy as np
import pytest
from conftest import ROOT, TUTORIAL, build_quietly
from reading import cells_of, long_numbers, uncounted, unnamed

from stslab.report.page.record import read_record
from stslab.report.page.render import export
from stslab.report.reproducing.reproduce import reproduce

PAIRS = [0.4189, 0.5578, 0.0182, 0.7595]
RANKING = [0.5657, 0.4655, 0.3500, 0.2918, 0.0509, 0.0474, -0.1051]
SEARCH = [0.4764, 0.4165, 0.3095]
OPENING = 0.4804
# The upper triangle, row by row.
HEATMAP = [0.57, 0.38, 0.25, 0.10, 0.15, 0.45, 0.09, 0.05, 0.00, 0.08, 0.12, 0.13, 0.71, 0.17, 0.12]


def column(path, name):
    with path.open(encoding="utf-8", newline="") as stream:
        return [float(row[name]) for row in csv.DictReader(stream)]


def test_nine_pages_and_an_index(report):
    pages = sorted(path.stem for path in report.glob("*.html"))
    assert pages == [*TUTORIAL, "index"]


def test_the_tutorials_sentences_raise_no_caution(report):
    manifest = json.loads((report / "manifest.json").read_text("utf-8"))
    published = [path for page in manifest["pages"].values() for path in page["outputs"]]
    assert [path for path in published if "caution" in path] == []


def test_the_csv_files_hold_the_tutorials_figures(report):
    """To the 4 decimals that the tutorial prints, of files that hold 6."""
    data, rounding = report / "data", 0.5e-4 + 0.5e-6
    for file, figures in {
        "05_sentence_pairs-pairs.csv": PAIRS,
        "06_ranking-ranking.csv": RANKING,
        "07_semantic_search-hits.csv": SEARCH,
    }.items():
        np.testing.assert_allclose(column(data / file, "score"), figures, rtol=0, atol=rounding)
    opening = column(data / "01_what_is_sts-pairs.csv", "score")[0]
    assert abs(opening - OPENING) <= rounding


def test_the_heatmaps_csv_holds_the_tutorials_matrix(report):
    with (report / "data/08_heatmap-heatmap.csv").open(encoding="utf-8", newline="") as stream:
        rows = [[float(cell) for cell in row[1:]] for row in list(csv.reader(stream))[1:]]
    upper = [round(rows[i][j], 2) for i in range(6) for j in range(i + 1, 6)]
    assert upper == HEATMAP


@pytest.mark.parametrize(
    ("page", "figures"),
    [
        ("01_what_is_sts", [f"{OPENING:.4f}"]),
        ("05_sentence_pairs", [f"{score:.4f}" for score in PAIRS]),
        ("06_ranking", [f"{score:.4f}" for score in RANKING]),
        ("07_semantic_search", [f"{score:.4f}" for score in SEARCH]),
        ("08_heatmap", [f"{score:.2f}" for score in HEATMAP]),
    ],
)
def test_the_pages_show_the_tutorials_figures(report, page, figures):
    """Each as the whole of a table's cell, as often as the tutorial has it."""
    shown = Counter(cells_of(report / f"{page}.html"))
    assert Counter(figures) - shown == Counter()


def test_csv_scores_have_six_decimals_and_pages_four(report):
    scores = re.findall(r"-?\d+\.\d+", (report / "data/06_ranking-ranking.csv").read_text("utf-8"))
    assert {len(score.split(".")[1]) for score in scores} == {6}
    assert long_numbers(report) == {}


def test_numbers_say_which_model_and_input_they_are_of(report):
    """Where a page reads no input, it says in its text what it speaks of."""
    assert set(unnamed(report, "all-MiniLM-L6-v2")) <= {"index"}
    own = ["03_installation", "04_loading_a_model", "09_conclusion", "index"]
    assert uncounted(report) == own


def test_every_notebook_has_one_finding_and_the_index_quotes_it(report):
    index = (report / "index.html").read_text("utf-8")
    manifest = json.loads((report / "manifest.json").read_text("utf-8"))
    findings = [page["finding"] for page in manifest["pages"].values()]
    assert all(findings)
    assert "Steps to build a deep learning model." in index


OTHERS = [
    pytest.param(page, marks=pytest.mark.slow)
    for page in TUTORIAL
    if page[:2] in ("02", "06", "08")
]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page", [*(page for page in TUTORIAL if page[:2] not in ("02", "06", "08")), *OTHERS]
)
def test_a_page_moved_alone_to_an_empty_folder_is_reproduced_to_the_byte(report, page, tmp_path):
    alone = tmp_path / f"{page}.html"
    alone.write_bytes((report / alone.name).read_bytes())
    outcome = reproduce(
        alone,
        notebooks=ROOT / "notebooks",
        inputs={},
        kernel="warm",
        may_run=lambda question: False,
        notify=print,
    )
    assert (outcome.verdict, outcome.environment) == ("identical", [])


@pytest.mark.thorough
def test_with_other_weights_a_page_says_which_and_what_they_change(tmp_path, capsys):
    """The same name, the same page, another model."""
    from safetensors.numpy import load_file, save_file

    from stslab.models.finding import find_model
    from stslab.report.request.presets import load_preset

    folder = tmp_path / "model"
    shutil.copytree(find_model().folder, folder)
    preset = load_preset(
        "tutorial",
        notebooks_dir=ROOT / "notebooks",
        only=["05"],
        overrides={"model_name": str(folder)},
    )
    build_quietly(preset, tmp_path, jobs=1)
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.5.output.dense.weight"] *= 1.05
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    outcome = reproduce(
        tmp_path / "tutorial" / "05_sentence_pairs.html",
        notebooks=ROOT / "notebooks",
        inputs={"model_name/model": folder},
        kernel="warm",
        may_run=lambda question: False,
        notify=print,
    )
    assert outcome.verdict == "different"
    assert "model model_name/model has other files: 7fd5d2899fc3… → " in capsys.readouterr().out
    assert any("0.4189 in the page, 0.4171 here" in line for line in outcome.differences)


@pytest.mark.parametrize("page", TUTORIAL)
def test_a_page_is_small(report, page):
    """75 KB when rendered without its figures, 250 KB with them."""
    html = (report / f"{page}.html").read_text("utf-8")
    notebook = nbformat.read(report / f"{page}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.outputs = [
            output
            for output in cell.get("outputs", [])
            if output.get("metadata", {}).get("stslab", {}).get("kind") != "figure"
        ]
    without = export(notebook, page, read_record(html))
    assert "<figure" not in without
    assert 'class="heat' not in without
    assert len(without.encode()) <= 80_000
    assert len(html.encode()) <= 250_000
