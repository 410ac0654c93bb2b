"""A map: points, clusters, their terms, what it bends, and how it is drawn."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from stslab import InputError
from stslab.studies import cluster_terms, draw_map, sentence_map
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


def test_clusters_are_found_numbered_by_size_and_have_a_center(fixed):
    """The larger group is 1 although the smaller one comes first."""
    texts = two_groups()[::-1]
    found = sentence_map(texts, model=fixed)
    table = found.table
    assert table["cluster"].tolist() == [2] * 5 + [1] * 7
    assert found.silhouette > 0.9
    assert table["to_center"].between(0.99, 1).all()
    assert table["sentence"].tolist() == texts


def test_the_representative_of_a_cluster_is_the_sentence_nearest_its_center(fixed):
    """Of equally near ones the first."""
    texts = ["1 0.3", "1 0", "1 -0.3", "0 1", "0.2 1", "-0.2 1", "0 2"]
    found = sentence_map(texts, model=fixed, clusters=2)
    assert found.representatives.to_dict() == {1: "0 1", 2: "1 0"}


def test_clusters_of_one_size_stand_in_order_of_appearance(fixed):
    """Whatever numbers k-means happened to give."""
    texts = [f"0 1 0.0{n}" for n in range(4)] + [f"1 0 0.0{n}" for n in range(4)]
    for seed in range(5):
        table = sentence_map(texts, model=fixed, clusters=2, seed=seed).table
        assert table["cluster"].tolist() == [1] * 4 + [2] * 4


@pytest.mark.parametrize("texts", [["1 2 3"] * 5, ["1 2 3", "1 2 3"]])
def test_identical_texts_share_one_point_and_one_cluster(fixed, texts):
    """Nothing to measure is said, not divided by."""
    found = sentence_map(texts, model=fixed)
    assert (found.table[["x", "y"]] == 0).all(axis=None)
    assert (found.table["cluster"] == 1).all()
    assert "nothing to measure, too few or all equal" in found.describe()


def test_the_description_says_how_far_the_map_can_be_trusted(fixed):
    """Clusters, what two dimensions keep, and how many neighbors stay beside what chance keeps."""
    found = sentence_map(["1 0 0", "0 1 0", "0 0 1", "1 1 0"], model=fixed, clusters=2)
    assert found.describe() == (
        "4 sentences in 2 clusters (silhouette 0.2294), drawn in two dimensions by PCA: it keeps "
        "98.5% of the variance; of the nearest neighbors (1 per sentence), 100.0% stay nearest (by "
        "chance: 33.3%); trustworthiness 1.0000 of 1."
    )


def test_two_sentences_make_a_map(fixed):
    """One line, all variance kept, neighbors not worth measuring."""
    found = sentence_map(["1 0", "0 1"], model=fixed)
    table = found.table
    assert table["x"].abs().tolist() == pytest.approx([np.sqrt(0.5)] * 2, abs=1e-6)
    assert table["y"].tolist() == [0, 0]
    assert "it keeps 100.0% of the variance." in found.describe()


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
    assert "PCA (measured on 6 of them): " in found.describe()


def test_one_sentence_is_refused(fixed):
    """A map compares."""
    with pytest.raises(InputError, match="needs at least 2, got 1"):
        sentence_map(["1 0"], model=fixed)


@pytest.mark.parametrize("clusters", [0, 3])
def test_more_clusters_than_different_texts_are_refused(fixed, clusters):
    """The message gives the range."""
    with pytest.raises(InputError, match=f"clusters={clusters}: expected 1 to 2"):
        sentence_map(["1 0", "0 1", "0 1"], model=fixed, clusters=clusters)


def test_umap_names_the_extra_where_it_is_missing(fixed, monkeypatch):
    """The command to type is in the message."""
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"needs umap-learn. .* pip install 'stslab\[umap\]'"):
        sentence_map(two_groups(), model=fixed, method="umap")


def test_terms_set_a_cluster_apart():
    """A word in every cluster names none; one counts once per sentence."""
    sentences = [
        "Cats purr daily",
        "cats sleep daily",
        "dogs bark bark bark daily",
        "Dogs run daily",
    ]
    named = cluster_terms(sentences, [1, 1, 2, 2], top_k=1)
    assert named.to_numpy().tolist() == [[1, 2, "cats"], [2, 2, "dogs"]]


@pytest.mark.parametrize(
    ("sentences", "term"),
    [
        (["机器学习很难。", "我爱学习！"], "学习"),  # no spaces: pairs of characters
        (["हिन्दी भाषा", "हिन्दी गीत"], "हिन्दी"),  # vowel signs belong to the word
        (["Ça va très bien", "C’est très loin"], "très"),
        (["🎉 party 🎉", "PARTY!"], "party"),
    ],
)
def test_terms_are_found_in_any_script(sentences, term):
    """The other cluster shares nothing."""
    named = cluster_terms([*sentences, "Rain."], [1, 1, 2], top_k=1)
    assert named["terms"].tolist() == [term, "rain"]


def test_a_cluster_without_words_has_no_terms():
    """Alone, and beside others."""
    assert cluster_terms(["🚀🚀", "!"], [1, 1])["terms"].tolist() == [""]
    assert cluster_terms(["🚀🚀", "Rockets"], [1, 2])["terms"].tolist() == ["", "rockets"]


@pytest.mark.usefixtures("close_figures")
def test_a_map_is_drawn_with_text_as_data(fixed):
    """Formulas, leading underscores and characters without a glyph stay what they are."""
    texts = ["1 0", "0 1", "-1 0"]
    found = sentence_map(texts, model=fixed, clusters=1)
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
    found = sentence_map(texts, model=fixed, clusters=1)
    for rows in ([7, 8, 9], None):
        drawing = draw_map(found, ["b", "a", "a"], rows=rows)
        form = drawing.forms["application/vnd.stslab.map+json"]
        assert form["groups"] == ["a", "b"]  # largest first
        places = found.table[["x", "y"]].round(4).to_numpy().tolist()
        numbers = zip([1, 0, 0], rows or [1, 2, 3], texts, strict=True)
        assert form["points"] == [[*at, *rest] for at, rest in zip(places, numbers, strict=True)]
    large = sentence_map([f"{n} 1" for n in range(1001)], model=fixed, clusters=1)
    assert draw_map(large, ["one"] * 1001).forms == {}


@pytest.mark.usefixtures("close_figures")
def test_labels_cover_neither_each_other_nor_points(fixed):
    """Of two sentences at one place, at most what fits is labeled."""
    found = sentence_map(["1 0"] * 8 + ["0 1"] * 8, model=fixed, clusters=1)
    found.table["sentence"] = [f"A sentence with number {n}" for n in range(16)]
    ax = draw_map(found, ["one"] * 16).ax
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 2 <= len(boxes) < 16
    assert not any(box.count_overlaps(boxes[:i]) for i, box in enumerate(boxes))


@pytest.mark.usefixtures("close_figures")
def test_many_groups_share_a_color_and_many_points_an_image(fixed):
    """Ten groups have their own, largest first; beyond 500 points there is one image each."""
    found = sentence_map([f"{n} 1" for n in range(600)], model=fixed, clusters=1)
    ax = draw_map(found, [f"group {n % 12}" for n in range(600)]).ax
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [*(f"group {n}" for n in range(COLORED)), "2 more"]
    assert all(points.get_rasterized() for points in ax.collections)
    assert len(ax.texts) == 0
