"""Figures and tables: data first, text as it is, every form under one name."""

import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from stslab import (
    curves,
    heatmap,
    scatter,
    score_bars,
    show_figure,
    show_finding,
    show_table,
    show_text,
)
from stslab.figures.drawing import Drawing
from stslab.report.page.tables import data_table
from stslab.scores.groups import group_tree, leaves
from stslab.studies import dot_plot, histogram
from stslab.wording import short_labels

mpl.use("agg")

HOSTILE = [
    "costs $5 or $\\frac{1}{0}$",
    "<b>bold</b> & <script>alert(1)</script>",
    "_x_ and ^y^ and \\back\\slash",
    "\"double\" and 'single'",
    "emoji 🙂👩‍👩‍👧",
    "مرحبا بالعالم",
    "语义文本相似度",
    "x" * 5000,
    "control \x07 character",
    "right \u202e to left",
]


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed instead of displaying it."""
    outputs = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, *, metadata, raw: outputs.append((data, metadata)),
    )
    return outputs


def matrix_of(texts):
    n = len(texts)
    values = np.linspace(-0.2, 1, n * n).reshape(n, n)
    values = (values + values.T) / 2
    np.fill_diagonal(values, 1)
    return pd.DataFrame(values, pd.Index(texts, name="sentence"), texts)


def test_a_figure_carries_every_form_under_one_name(shown):
    show_figure(heatmap(matrix_of(["pasta", "pizza", "cat"])), "heatmap")
    ((data, metadata),) = shown
    assert data["text/plain"].startswith("3 × 3 cosine similarities; highest ")
    assert metadata["image/svg+xml"]["alt"] == metadata["image/png"]["alt"] == data["text/plain"]
    assert metadata["stslab"]["name"] == "heatmap"
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/csv"].splitlines()[0] == "sentence,pasta,pizza,cat"
    assert data["application/vnd.stslab.matrix+json"]["sentences"] == ["pasta", "pizza", "cat"]


def test_text_is_never_markup_in_a_figure(shown):
    """Not TeX, not XML: text in SVG stays text, and says what the sentence says."""
    show_figure(heatmap(matrix_of(HOSTILE), title="costs $5 <b>_x_</b>"), "heatmap")
    svg = ET.fromstring(shown[0][0]["image/svg+xml"])
    texts = {"".join(node.itertext()) for node in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert "costs $5 <b>_x_</b>" in texts
    assert "costs $5 or $\\frac{1}{0}$" in texts
    assert "مرحبا بالعالم" in texts
    assert "语义文本相似度" in texts
    assert "control \ufffd character" in texts
    assert not list(svg.iter("{http://www.w3.org/2000/svg}b"))


def test_the_same_figure_is_the_same_bytes(shown):
    for _ in range(2):
        show_figure(heatmap(matrix_of(["pasta", "pizza"])), "heatmap")
    assert shown[0] == shown[1]


def test_negative_scores_show_and_cells_contrast(shown):
    """The scale is fixed and reaches -1, so that two heatmaps compare."""
    ax = heatmap(matrix_of(["a", "b", "c"])).ax
    assert ax.collections[0].get_clim() == (-1, 1)
    assert {text.get_text() for text in ax.texts} >= {"1.00"}
    mpl.pyplot.close(ax.figure)


@pytest.mark.parametrize(("n", "numbers", "labels"), [(12, True, True), (40, False, True)])
def test_annotations_give_way_as_the_matrix_grows(n, numbers, labels):
    ax = heatmap(matrix_of([f"sentence {i}" for i in range(n)])).ax
    assert bool(ax.texts) == numbers
    assert bool(ax.get_yticklabels()) == labels
    mpl.pyplot.close(ax.figure)


def test_a_large_matrix_is_one_image_of_modest_size(shown):
    show_figure(heatmap(matrix_of([f"sentence {i}" for i in range(300)])), "heatmap")
    data = shown[0][0]
    assert len(data["image/svg+xml"]) < 300_000
    assert "application/vnd.stslab.matrix+json" not in data


@pytest.mark.thorough
def test_a_large_matrix_needs_nothing_imported_before():
    """Its colors are seaborn's, which a plain Python has not loaded yet."""
    code = """
import matplotlib, numpy as np, pandas as pd, stslab
matplotlib.use("agg")
names = [str(n) for n in range(60)]
stslab.heatmap(pd.DataFrame(np.eye(60), pd.Index(names, name="sentence"), names))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reordering_puts_similar_sentences_together():
    matrix = pd.DataFrame(
        [[1, 0, 0.9, 0], [0, 1, 0, 0.8], [0.9, 0, 1, 0], [0, 0.8, 0, 1]],
        pd.Index(list("abcd"), name="sentence"),
        list("abcd"),
    )
    order = "".join("abcd"[i] for i in leaves(group_tree(matrix)))
    assert {order[:2], order[2:]} in ({"ac", "bd"}, {"ca", "bd"}, {"ac", "db"}, {"ca", "db"})
    drawing = heatmap(matrix, reorder=True)
    assert "".join(drawing.data) == "".join(drawing.data.index) == order
    assert drawing.data.loc["a", "c"] == 0.9
    assert drawing.alt.startswith("4 × 4 cosine similarities; highest 0.90 between “")
    mpl.pyplot.close(drawing.ax.figure)


def test_labels_stay_unique_when_cut():
    texts = [
        "The same long beginning of a sentence, one.",
        "The same long beginning of a sentence, two.",
    ]
    labels = short_labels([*texts, "short", "short"])
    assert len(set(labels)) == 4
    assert all(len(label) <= 28 for label in labels)
    assert labels[0].endswith("… (1)")


def test_bars_say_what_is_highest_and_lowest(shown):
    show_figure(score_bars(["pasta", "cat"], [0.7, -0.1], title="How close?"), "scores")
    assert shown[0][0]["text/plain"] == (
        "2 scores; highest 0.70 for “pasta”; lowest -0.10 for “cat”."
    )
    assert shown[0][0]["text/csv"] == "sentence,score\npasta,0.700000\ncat,-0.100000\n"


def test_bars_leave_no_room_unused():
    """Names take the room that there is, and the axis begins near the lowest score."""
    name = "Python is a language that many people use."
    ax = score_bars([name, "cat"], [0.7, -0.1], title="How close?").ax
    assert [label.get_text() for label in ax.get_yticklabels()] == [name, "cat"]
    assert ax.get_xlim() == (-0.25, 1.08)
    mpl.pyplot.close(ax.figure)


def test_a_figure_without_a_text_alternative_is_refused():
    figure, ax = mpl.pyplot.subplots()
    with pytest.raises(ValueError, match="no text alternative"):
        show_figure(ax, "empty")
    mpl.pyplot.close(figure)


@pytest.mark.parametrize("name", ["Has Spaces", "../up", "", "ä"])
def test_names_that_make_no_file_are_refused(name, shown):
    with pytest.raises(ValueError, match="lower-case words joined by hyphens"):
        show_table(pd.DataFrame({"a": [1]}), name, caption="A table")


def test_a_table_holds_text_as_it_is_and_numbers_rounded(shown):
    frame = pd.DataFrame({"sentence": HOSTILE[:8], "score": [0.123456789] * 8, "rank": range(8)})
    show_table(frame, "hits", caption="Hits <for> you", bars="score")
    html, csv = shown[0][0]["text/html"], shown[0][0]["text/csv"]
    table = ET.fromstring(html)
    cells = [["".join(td.itertext()) for td in row] for row in table.iter("tr")][1:]
    assert [row[0] for row in cells] == HOSTILE[:8]
    assert cells[0][1:] == ["0.1235", "0"]
    assert table.find("table/caption").text == "Hits <for> you"
    assert 'style="--score:0.1235"' in html
    read = pd.read_csv(io.StringIO(csv))
    assert read["sentence"].tolist() == HOSTILE[:8]
    assert read["score"].tolist() == [0.123457] * 8


def test_a_table_without_rows_says_none(shown):
    show_table(pd.DataFrame({"sentence": [], "score": []}), "pairs", caption="Pairs")
    data, metadata = shown[0]
    assert data["text/plain"] == "Pairs\nNone."
    assert '<td colspan="2">None.</td>' in str(data_table(data["text/html"]))
    assert data["text/csv"] == "sentence,score\n"
    assert metadata["stslab"]["rows"] == 0


def test_a_finding_is_plain_text(shown):
    show_finding("“<b>$x$</b>” is closest.")
    data, metadata = shown[0]
    assert data["text/plain"] == "“<b>$x$</b>” is closest."
    assert "&lt;b&gt;$x$" in data["text/html"]
    assert metadata == {"stslab": {"kind": "finding"}}


def test_a_finding_brings_a_line_on_the_data_and_its_cautions(shown):
    show_finding("All are alike.", about="3 texts", cautions=["1 is <cut>."])
    data, metadata = shown[0]
    about = {"about": "3 texts", "cautions": ["1 is <cut>."]}
    assert metadata == {"stslab": {"kind": "finding", **about}}
    assert data["text/plain"] == "All are alike."
    ours = ET.fromstring(data["text/html"])
    lines = ["".join(line.itertext()) for line in ours]
    assert lines == ["3 texts", "All are alike.", "Caution: 1 is <cut>."]
    json.dumps(data)


def test_a_finding_stands_out_where_a_text_does_not(shown):
    """In JupyterLab, where no stylesheet of ours is."""
    show_finding("All are alike.", about="3 texts")
    show_text("All are alike.")
    found, plain = (ET.fromstring(data["text/html"]) for data, _ in shown)
    assert "border-left" in found.get("style")
    assert "font-size" in found[0].get("style")
    assert not any(each.get("style") for each in plain.iter())


def test_a_table_brings_its_look_to_jupyterlab(shown):
    """Texts at the left, bars behind scores; a page drops it for its own."""
    table = pd.DataFrame({"most_alike": ["pasta"], "score": [0.5], "share_caught": [0.04]})
    show_table(table, "hits", caption="Hits", bars="score")
    html = shown[0][0]["text/html"]
    assert "text-align: left" in html
    assert "var(--score)" in html
    assert '<th scope="col">most alike</th><th scope="col">score</th>' in html
    assert "var(--score)" not in data_table(html)
    assert "text-align" not in data_table(html)


def test_shares_are_per_cent_and_the_csv_keeps_its_decimals(shown):
    """A column with "share" in its name; "shared" is another word."""
    table = pd.DataFrame({"share": [0.04], "share_caught": [1.0], "shared": [0.5]})
    show_table(table, "rates", caption="Rates")
    data = shown[0][0]
    assert re.findall(r"<td.*?>(.*?)</td>", data["text/html"]) == ["4.0%", "100.0%", "0.5000"]
    assert "4.0%" in data["text/plain"]
    assert data["text/csv"].splitlines() == [
        *["share,share_caught,shared", "0.040000,1.000000,0.500000"]
    ]


def test_rows_keep_their_numbers_when_a_heatmap_is_reordered(shown):
    """Those given, as of a file; else those of the matrix. A wrong count is refused."""
    matrix = matrix_of(["a", "b", "c", "d"])
    for rows in ([3, 5, 8, 9], None):
        drawing = heatmap(matrix, reorder=True, rows=rows)
        show_figure(drawing, "heatmap")
        form = shown[-1][0]["application/vnd.stslab.matrix+json"]
        numbers = dict(zip("abcd", rows or [1, 2, 3, 4], strict=True))
        assert form["rows"] == [numbers[name] for name in form["sentences"]]
    with pytest.raises(ValueError, match="rows has 2 numbers for a matrix of 4 rows: pass 4"):
        heatmap(matrix, rows=[1, 2])


def test_a_small_heatmap_outlines_its_groups():
    drawing = heatmap(matrix_of(["a", "b", "c", "d"]), groups=["Lake", "Lake", "", "Food"])
    squares = [(patch.get_xy(), patch.get_width()) for patch in drawing.ax.patches]
    assert squares == [((0, 0), 2), ((3, 3), 1)]
    with pytest.raises(ValueError, match="groups has 1 names for a matrix of 4 rows: pass 4"):
        heatmap(matrix_of(["a", "b", "c", "d"]), groups=["Lake"])


def test_one_very_long_text_costs_little_but_in_the_csv(shown):
    """A page and a notebook show its beginning; the CSV holds it whole."""
    long = "a" * 1_000_000
    show_figure(heatmap(matrix_of([long, "pizza", "cat"])), "heatmap")
    show_table(pd.DataFrame({"sentence": [long]}), "first", caption="C")
    show_table(pd.DataFrame({"sentence": ["a" * 300_000, *["b"] * 150]}), "texts", caption="C")
    figure, first, texts = (data for data, _ in shown)
    assert len(json.dumps(figure["application/vnd.stslab.matrix+json"])) < 50_000
    assert len(first["text/html"]) < 500_000
    assert [len(data["text/plain"]) < 500_000 for data in (figure, first, texts)] == [True] * 3
    assert all(long in data["text/csv"] for data in (figure, first))


# Plots of a table's columns -------------------------------------------------------------------


NUMBERS = pd.DataFrame(
    {"name": ["$a_b$", "_x", "<b>"], "x": [0.0, 0.5, 1.0], "y": [0.9, -0.25, np.nan]}
)
PLOTS = {
    "scatter": lambda: scatter(NUMBERS, "x", "y", title="costs $5?", labels={}),
    "histogram": lambda: histogram(NUMBERS.dropna(), "y", title="costs $5?", mark=0.5),
    "dot-plot": lambda: dot_plot(NUMBERS, "name", ["y"], title="costs $5?", label="score"),
    "curves": lambda: curves(NUMBERS, "x", ["y"], title="costs $5?", labels=("x", "y")),
}


@pytest.mark.parametrize("kind", PLOTS)
def test_a_plot_carries_its_alternative_and_its_numbers(kind, shown):
    """Its extremes in words, its table as CSV, and its title as text."""
    drawing = PLOTS[kind]()
    assert isinstance(drawing, Drawing)
    show_figure(drawing, kind)
    data, metadata = shown[0]
    assert data["text/plain"] == metadata["image/svg+xml"]["alt"] == drawing.alt
    assert "0.90" in drawing.alt
    assert "-0.25" in drawing.alt
    assert drawing.alt.endswith(".")
    assert data["text/csv"].splitlines()[0] == "name,x,y"
    svg = ET.fromstring(data["image/svg+xml"])
    texts = {"".join(node.itertext()) for node in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert "costs $5?" in texts
    if kind == "dot-plot":
        assert {"$a_b$", "_x", "<b>"} <= texts
        assert drawing.ax.get_yticks().tolist() == [0, 1, 2]


def test_rows_of_one_name_share_a_line():
    table = pd.DataFrame({"kind": ["a", "b", "a"], "score": [0.1, 0.5, 0.7]})
    drawing = dot_plot(table, "kind", ["score"], title="How?", label="score")
    assert [label.get_text() for label in drawing.ax.get_yticklabels()] == ["a", "b"]
    assert drawing.ax.lines[0].get_ydata().tolist() == [0, 1, 0]
    assert drawing.alt == "2 rows; score: highest 0.70 for a, lowest 0.10 for a."
    mpl.pyplot.close(drawing.ax.figure)


def test_a_column_without_a_number_is_undefined():
    table = pd.DataFrame({"x": [1, 2], "y": [np.nan, np.nan]})
    drawing = curves(table, "x", ["y"], title="What?", labels=("x", "y"))
    assert drawing.alt == "x from 1 to 2; y: undefined."
    mpl.pyplot.close(drawing.ax.figure)


def test_a_histogram_tells_parts_apart_and_begins_at_zero_or_below():
    table = pd.DataFrame({"score": [-0.3, 0.2, 0.9], "real": [True, False, True]})
    drawing = histogram(table, "score", title="How near?", by="real")
    assert drawing.alt.startswith("3 sentences: cosine similarity from -0.30 to 0.90, half of the")
    edges = [patch.get_x() for patch in drawing.ax.patches]
    assert min(edges) == pytest.approx(-0.3)
    assert [text.get_text() for text in drawing.ax.get_legend().get_texts()] == ["real", "not real"]
    assert sum(patch.get_height() for patch in drawing.ax.patches) == 3
    mpl.pyplot.close(drawing.ax.figure)


@pytest.mark.parametrize("change", [{"alt": "Mine."}, {"data": pd.DataFrame({"n": [1]})}])
def test_what_is_passed_beside_a_drawing_comes_before_its_own(change, shown):
    drawing = PLOTS["scatter"]()
    show_figure(drawing, "scatter", **change)
    data = shown[0][0]
    assert data["text/plain"] == change.get("alt", drawing.alt)
    assert data["text/csv"].splitlines()[0] == ("n" if "data" in change else "name,x,y")
