"""A map: points, what it bends, and how it is drawn."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from stslab import InputError
from stslab.studies import draw_map, sentence_map
from stslab.studies.map_figure import COLORED


class Fixed:
    """A toy encoder: a text is its own vector, written as numbers."""

    def encode(self, texts):
        return [[float(number) for number in text.split()] for text in texts]


@pytest.fixture
def fixed():
    return Fixed()


def two_groups():
    """Seven texts near the first axis, five near the second."""
    near = [f"1 {n / 100} 0.0{n}" for n in range(7)]
    return near + [f"{n / 100} 1 0.0{n}" for n in range(5)]


@pytest.fixture
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_points_keep_what_two_dimensions_can_hold(fixed):
    """Four unit vectors in a plane lose nothing: distances on the map are those between them."""
    found = sentence_map(["1 0 0", "0 1 0", "-1 0 0", "0.6 0.8 0"], model=fixed)
    points = found.table[["x", "y"]].to_numpy()
    assert np.linalg.norm(points[0] - points[1]) == pytest.approx(np.sqrt(2), abs=1e-5)
    assert np.linalg.norm(points[0] - points[2]) == pytest.approx(2, abs=1e-5)
    assert found.variance_kept == pytest.approx(1)
    assert found.neighbors_kept == 1


@pytest.mark.parametrize("texts", [["1 2 3"] * 5, ["1 2 3", "1 2 3"]])
def test_identical_texts_share_one_point(fixed, texts):
    """Nothing to measure is said, not divided by."""
    found = sentence_map(texts, model=fixed)
    assert (found.table[["x", "y"]] == 0).all(axis=None)
    assert found.describe().endswith("too few or too equal to say how far it can be trusted.")


def test_the_description_says_how_far_the_map_can_be_trusted(fixed):
    """To a reader: how many neighbors stay, beside what chance keeps."""
    found = sentence_map(["1 0 0", "0 1 0", "0 0 1", "1 1 0"], model=fixed)
    assert found.describe() == (
        "4 sentences on a map. Those that lie close together are often alike, but not always: of "
        "the nearest one to each sentence, 100% is nearest on the map, too (by chance: 33%). "
        "Distances between far points mean little."
    )


def test_two_sentences_make_a_map(fixed):
    """One line, all variance kept, neighbors not worth measuring."""
    found = sentence_map(["1 0", "0 1"], model=fixed)
    table = found.table
    assert table["x"].abs().tolist() == pytest.approx([np.sqrt(0.5)] * 2, abs=1e-6)
    assert table["y"].tolist() == [0, 0]
    assert found.variance_kept == pytest.approx(1)


def test_a_model_of_one_dimension_makes_a_map(fixed):
    """There is no second direction."""
    table = sentence_map(["1", "-1", "2"], model=fixed).table
    assert table["y"].tolist() == [0, 0, 0]


def test_two_maps_are_equal_to_the_last_digit(model):
    """Axes, clusters and figures of distortion; a sample is drawn the same way."""
    texts = [f"Sentence {n} about {'rain' if n % 2 else 'music'}." for n in range(30)]
    first, second = (sentence_map(texts, model=model) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    figures = [{**vars(found), "table": None} for found in (first, second)]
    assert figures[0] == figures[1]


def test_of_many_sentences_a_sample_is_measured(fixed, monkeypatch):
    """And the text says so."""
    monkeypatch.setattr("stslab.studies.map.SAMPLE", 6)
    found = sentence_map(two_groups(), model=fixed)
    assert (len(found.table), found.sample) == (12, 6)
    assert ", measured on 6 sentences." in found.describe()


def test_one_sentence_is_refused(fixed):
    """A map compares."""
    with pytest.raises(InputError, match="needs at least 2, got 1"):
        sentence_map(["1 0"], model=fixed)


def test_umap_names_the_extra_where_it_is_missing(fixed, monkeypatch):
    """The command to type is in the message."""
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"needs umap-learn. .* pip install 'stslab\[umap\]'"):
        sentence_map(two_groups(), model=fixed, method="umap")


@pytest.mark.usefixtures("close_figures")
def test_a_map_is_drawn_with_text_as_data(fixed):
    """Formulas, leading underscores and characters without a glyph stay what they are."""
    texts = ["1 0", "0 1", "-1 0"]
    found = sentence_map(texts, model=fixed)
    found.table["sentence"] = ["$x^2$", "_private", "天气 🎉"]
    drawing = draw_map(found, ["$a_b$", "_hidden", "\\frac"], title="Costs $5 or $6?")
    assert drawing.alt == found.describe()
    assert drawing.data["group"].tolist() == ["$a_b$", "_hidden", "\\frac"]
    ax = drawing.ax
    ax.figure.canvas.draw()
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["$a_b$", "_hidden", "\\frac"]
    assert {text.get_text() for text in ax.texts} <= set(found.table["sentence"])
    assert not any(text.get_parse_math() for text in [*ax.texts, ax.get_legend().get_texts()[0]])


@pytest.mark.usefixtures("close_figures")
def test_a_page_gets_the_points_of_a_map(fixed):
    """Where each is, its group, its row and its sentence; of a large map there is the picture."""
    texts = ["1 0", "0 1", "-1 0"]
    found = sentence_map(texts, model=fixed)
    for rows in ([7, 8, 9], None):
        drawing = draw_map(found, ["b", "a", "a"], rows=rows)
        form = drawing.forms["application/vnd.stslab.map+json"]
        assert form["groups"] == ["a", "b"]  # largest first
        places = found.table[["x", "y"]].round(4).to_numpy().tolist()
        numbers = zip([1, 0, 0], rows or [1, 2, 3], texts, strict=True)
        assert form["points"] == [[*at, *rest] for at, rest in zip(places, numbers, strict=True)]
    large = sentence_map([f"{n} 1" for n in range(1001)], model=fixed)
    assert draw_map(large, ["one"] * 1001).forms == {}


@pytest.mark.usefixtures("close_figures")
def test_labels_cover_neither_each_other_nor_points(fixed):
    """Of two sentences at one place, at most what fits is labeled."""
    found = sentence_map(["1 0"] * 8 + ["0 1"] * 8, model=fixed)
    found.table["sentence"] = [f"A sentence with number {n}" for n in range(16)]
    ax = draw_map(found, ["one"] * 16).ax
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 2 <= len(boxes) < 16
    assert not any(box.count_overlaps(boxes[:i]) for i, box in enumerate(boxes))


@pytest.mark.usefixtures("close_figures")
def test_many_groups_share_a_color_and_many_points_an_image(fixed):
    """Ten groups have their own, largest first; beyond 500 points there is one image each."""
    found = sentence_map([f"{n} 1" for n in range(600)], model=fixed)
    ax = draw_map(found, [f"group {n % 12}" for n in range(600)]).ax
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [*(f"group {n}" for n in range(COLORED)), "2 more"]
    assert all(points.get_rasterized() for points in ax.collections)


@pytest.mark.usefixtures("close_figures")
def test_themes_are_named_on_the_map_and_what_fits_none_is_pale(fixed):
    found = sentence_map([f"{n} 1" for n in range(50)], model=fixed)
    drawing = draw_map(found, [("late", "rude", "")[n % 3] for n in range(50)])
    assert [text.get_text() for text in drawing.ax.texts] == ["late", "rude"]
    legend = [text.get_text() for text in drawing.ax.get_legend().get_texts()]
    assert legend == ["late", "rude", "in no theme"]
    late, _, pale = drawing.ax.collections
    assert pale.get_sizes() < late.get_sizes()
    assert drawing.forms["application/vnd.stslab.map+json"]["apart"] == 2
