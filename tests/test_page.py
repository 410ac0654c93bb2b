"""What a page promises, as far as its text tells; test_page_browser.py opens it."""

import base64
import copy
import hashlib
import json
import re
import subprocess
import sys
import time
from itertools import pairwise
from xml.etree import ElementTree

import nbformat
import page_fixtures as fixtures
import pytest
from reading import Page

from stslab.report.building.published import published_files
from stslab.report.identity import helper_digests
from stslab.report.page import heatmap
from stslab.report.page.exporter import StslabExporter
from stslab.report.page.headline import read_headline
from stslab.report.page.index import render_index, render_root_index
from stslab.report.page.prose import Prose, highlight, mathml
from stslab.report.page.record import read_record
from stslab.report.page.svg import inline_svg, standalone_svg
from stslab.report.page.tables import csv_link, data_table
from stslab.report.page.thumbnail import thumbnail

RECORD = {
    "notebook_name": "08_heatmap",
    "command": "make report ONLY=08",
    "model": {"name": "all-MiniLM-L6-v2", "weights_sha256": "53aa" * 16},
    "parameters": {"top_k": 5, "note": "</script><script>x()</script> & \u2028 \ud83d"},
    "files": [{"name": "my.txt", "sha256": "ab" * 32, "rows_read": 6, "rows_used": 6}],
    "notebook": {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
}


@pytest.fixture(scope="module")
def exporter():
    return StslabExporter()


def render(exporter, nb, **stslab):
    resources = {"metadata": {"name": "nb"}}
    if stslab:
        resources["stslab"] = stslab
    return exporter.from_notebook_node(nb, resources)[0]


def figureless(html):
    """Cut a page's figures out, the heatmap with its pairs and its CSV among them."""
    parts = re.split(
        r'(<figure .*?</figure>|<div class="figure">.*?<p class="tools">.*?</p></div>)',
        html,
        flags=re.S,
    )
    return "".join(parts[::2])


# The exporter ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tutorial", "foreign", "failing"])
def test_same_notebook_same_bytes(exporter, name):
    """Neither a second exporter, nor a random cell id, nor an earlier page changes a byte."""
    nb = getattr(fixtures, name)()
    again = copy.deepcopy(nb)
    for index, cell in enumerate(again.cells):
        if cell.get("id") not in ("setup", "parameters"):
            cell.id = f"random-{index}"
    first = render(exporter, nb)
    render(exporter, fixtures.hostile())
    assert render(exporter, nb) == first
    assert render(StslabExporter(), again) == first


def test_notebook_is_not_changed(exporter):
    """The builder still holds the notebook that it publishes beside the page."""
    nb = fixtures.tutorial()
    before = copy.deepcopy(nb)
    render(exporter, nb)
    assert nb == before


def test_policy_names_the_style_and_the_script_by_hash(exporter):
    """The page's policy allows exactly what the page holds."""
    html = render(exporter, fixtures.tutorial())
    policy = Page(html).all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert " style=" not in html


def test_sizes(exporter):
    """A page is light: 60 KB without its figures, 250 KB with them."""
    html = render(exporter, fixtures.tutorial(), record=RECORD)
    assert len(figureless(html).encode()) <= 60_000
    assert len(html.encode()) <= 250_000


@pytest.mark.slow
def test_later_pages_are_fast(exporter):
    """After the first page, 60 ms of work each: the best of five."""
    nb = fixtures.tutorial()
    render(exporter, nb)
    times = []
    for _ in range(5):
        start = time.process_time()
        render(exporter, nb)
        times.append(time.process_time() - start)
    assert min(times) < 0.06


def test_headings_are_in_order(exporter):
    """One h1, no level skipped, whatever the notebook does; ids are unique."""
    for name in ("tutorial", "foreign", "failing", "hostile"):
        outline = Page(render(exporter, getattr(fixtures, name)()))
        levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))
        ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
        assert len(ids) == len(set(ids))


def test_no_text_alternative_is_missing_empty_repeated_or_a_placeholder(exporter):
    """Pictures say what they show, in words made from the data."""
    nb = fixtures.tutorial()
    nb.cells.append(fixtures.code("again", fixtures.figure_bundle()))
    nb.cells += fixtures.foreign().cells
    outline = Page(render(exporter, nb))
    texts = [a["aria-label"] for a in outline.all("svg") if a.get("role") == "img"]
    texts += [a["alt"] for a in outline.all("img")]
    assert len(texts) == 3
    assert len(set(texts)) == 3
    assert all(text.strip() and "No description" not in text for text in texts)
    assert "2 scores; highest 0.70." in texts


def test_parameters_are_a_table_with_the_values_of_this_run(exporter):
    """An injected value stands where its default stood, and says so."""
    html = render(exporter, fixtures.tutorial())
    table = re.search(r'<table class="parameters">.*?</table>', html, re.DOTALL)[0]
    assert re.findall(r'<th scope="row"><code>(.*?)</code>', table) == [
        "model_name",
        "sentences",
        "top_k",
    ]
    assert "<td>5 <small>(changed)</small></td><td>answers to show</td>" in table
    assert table.count("<li>") == 6


def test_a_parameters_cell_that_is_no_table_is_shown_as_code(exporter):
    """Somebody else's parameters cell may hold anything."""
    nb = fixtures.notebook(fixtures.code("n = len([1])", tags=["parameters"]))
    assert '<table class="parameters">' not in render(exporter, nb)
    assert "Parameters as code" in render(exporter, nb)


def test_code_and_solutions_are_folded(exporter):
    """The reader came for the text; code is one click away, a solution too."""
    html = render(exporter, fixtures.tutorial())
    assert "<summary>Setup</summary>" in html
    assert '<details class="solution"><summary>Show a solution</summary>' in html
    assert "<summary>Code <code>matrix = similarity_matrix(sentences, model=model)</code>" in html
    assert "<details open" not in html


def test_a_failed_page_begins_with_its_error(exporter):
    """What went wrong, and where; papermill's words go, the rest of the page is one click away."""
    nb = fixtures.failing()
    html = render(exporter, nb)
    assert html.count('id="failing-cell"') == 1
    shown, _, rest = html.partition('<details class="rest">')
    where = shown.partition('id="failing-cell"')[2]
    message, code = "<strong>ValueError: top_k=0: choose 1 to 8.</strong>", "search(top_k=0)"
    assert where.index(message) < where.index(code)
    assert "----&gt; 1 search(&lt;b&gt;)" in where
    assert "papermill" not in html.partition("<main")[2].partition("stslab-record")[0]
    assert "An Exception" not in html
    assert "After it" in rest
    assert "After it" not in shown
    assert "\x1b" not in html
    assert 'id="failing-cell"' in render(exporter, fixtures.notebook(nb.cells[3]))


def test_foreign_notebook_keeps_its_words_and_loses_its_scripts(exporter):
    """Any executed notebook makes a page."""
    html = render(exporter, fixtures.foreign())
    assert "<div>raw <b>HTML</b></div>" in html
    assert "[image: remote]" in html
    assert "IntSlider()" in html
    assert "alert" not in re.sub(r"<style>.*?</script>", "", html, flags=re.S).replace(
        'class="alert', ""
    )
    assert '<th scope="col">a</th>' in html
    assert '<th scope="row">0</th>' in html
    assert "<th></th>" not in html
    assert "100%\nwarned" in html
    assert " 10%" not in html
    assert "<msup>" in html


def test_a_page_sent_alone_has_no_link_that_leads_nowhere(exporter):
    """Other pages are named, and linked to by the script; what is no page of the report is text."""
    text = "[a](06_ranking.ipynb#x) [b](99_none.ipynb) [c](../x.md) [d](#here) [e](https://e.org)"
    assert 'href="06_ranking.ipynb#x"' in render(exporter, fixtures.notebook(text))
    large = fixtures.table_bundle([(1, 0.5, "a" * 250_000)])
    nb = fixtures.notebook(text, fixtures.code("t", large))
    around = {"title": "Other", "href": "06_ranking.html"}
    known = {"index_href": "index.html", "prev": around, "next": around}
    html = render(exporter, nb, pages=["06_ranking"], **known)
    links = Page(html).all("a")
    assert {a["href"] for a in links if "href" in a} == {"#main", "#here", "https://e.org"}
    named = [a["data-page"] for a in links if "data-page" in a]
    other = "06_ranking.html"
    assert named == ["index.html", f"{other}#x", "data/nb-ranking.csv", other, other]
    assert all("href" in a or "data-page" in a for a in links)
    assert " b c " in html
    assert all("hidden" in nav for nav in Page(html).all("nav"))


def test_a_line_that_only_names_what_comes_next_goes_with_it(exporter):
    """Also in a list; what says more stays, without its link."""
    gone = ["Next: [that](99_none.ipynb)", "- One.\n- Next: [that](99_none.ipynb)."]
    for text in gone:
        assert (
            "Next"
            not in render(exporter, fixtures.notebook(text), pages=[])
            .partition("<main")[2]
            .partition("</main>")[0]
        )
        assert "Next: <a data-page=" in render(exporter, fixtures.notebook(text), pages=["99_none"])
    more = "Next: [that](99_none.ipynb), or [this](1.ipynb)."
    assert "Next: that, or <a data-page=" in render(exporter, fixtures.notebook(more), pages=["1"])


def test_exclusions_of_nbconvert_work(exporter):
    """``--no-input`` means what it means elsewhere."""
    html = render(StslabExporter(exclude_input=True), fixtures.tutorial())
    assert '<details class="code"' not in html
    assert 'class="heat few"' in html


def test_nbconvert_command_finds_the_exporter(tmp_path):
    """``jupyter nbconvert --to stslab`` needs no flags."""
    path = tmp_path / "mine.ipynb"
    nbformat.write(fixtures.tutorial(), path)
    command = [sys.executable, "-m", "nbconvert", "--to", "stslab", "mine.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert read_record(html)["notebook_name"] == "mine"


# Figures, tables -------------------------------------------------------------------------------


def test_two_drawings_do_not_share_ids():
    """matplotlib numbers from 1 in each file; a page holds many."""
    one = inline_svg(fixtures.SVG, prefix="a", label="first")
    two = inline_svg(fixtures.SVG, prefix="b", label="second")
    ids = re.findall(r' id="([^"]+)"', one + two)
    assert len(ids) == len(set(ids)) > 0
    for drawing in (one, two):
        own = set(re.findall(r' id="([^"]+)"', drawing))
        used = set(re.findall(r'(?:href="|url\()#([^")]+)', drawing))
        assert used
        assert used <= own
    assert "style" not in one
    assert "font-family" not in one
    assert 'fill="#4878a8"' in one
    assert 'font-size="11"' in one
    assert "made by a machine" not in one


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<svg",
        "<p>no</p>",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "x" * 200_000,
        "<svg>" * 10_000 + "</svg>" * 10_000,
        "<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg viewBox='0 0 1 1'>&a;</svg>",
        *(
            f"<svg viewBox='{box}'/>"
            for box in ("", "1", "a b c d", "0 0 9", "0 0 0 9", "0 0 9 inf")
        ),
    ],
)
def test_a_drawing_that_cannot_be_read_is_not_shown(source):
    """The PNG takes its place."""
    assert inline_svg(source, prefix="a", label="x") is None


@pytest.mark.parametrize("box", ["0,0,9,9", "0, 0 , 9 9", " 0 0 9 9\n"])
def test_a_drawing_may_separate_its_view_box_by_commas(box):
    """As d3 and Inkscape write it."""
    assert inline_svg(f"<svg viewBox='{box}'><path d='M0 0h9'/></svg>", prefix="a", label="x")


@pytest.mark.parametrize("svg", ["<svg viewBox='1'/>", 7, {"a": 1}, None, ["<svg", 7]])
@pytest.mark.parametrize("png", [fixtures.PIXEL, "A", "@", 7, {"a": 1}, ["iVBOR", 7]])
def test_a_figure_that_cannot_be_drawn_is_shown_in_its_next_form(exporter, svg, png):
    """The PNG for the SVG, the text alternative for both; so it is on the index and as a file."""
    nb = fixtures.notebook(fixtures.code("x", fixtures.figure_bundle()))
    nb.cells[0].outputs[0].data |= {"image/svg+xml": svg, "image/png": png}
    html, drawn, files = render(exporter, nb), thumbnail(nb), published_files(nb, "nb")
    if png == fixtures.PIXEL:
        assert '<img alt="2 scores; highest 0.70." src="data:image/png;base64,' in html
        assert "data:image/png" in drawn
        assert files["figures/nb-bars.png"] == base64.b64decode(fixtures.PIXEL)
    else:
        assert '<div class="says">2 scores; highest 0.70.</div>' in html
        assert drawn is None
        assert "figures/nb-bars.png" not in files


@pytest.mark.parametrize("wrong", ["text", 7, None, ["text"], {"kind": ["text"], "name": {}}])
def test_descriptions_of_the_wrong_type_are_ignored(exporter, wrong):
    """The output is shown as a foreign one."""
    metadata = {"stslab": wrong, "image/png": wrong, "image/svg+xml": wrong}
    data = {"text/plain": "plain words", "text/html": 7, "text/csv": {"a": 1}}
    for more in ({}, {"image/png": fixtures.PIXEL}):
        nb = fixtures.notebook(fixtures.code("x", fixtures.text_bundle("x")))
        nb.cells[0].outputs[0] |= {"data": data | more, "metadata": metadata}
        assert ("<img" if more else "plain words") in render(exporter, nb)
        assert thumbnail(nb) is None
        assert read_headline(nb).finding is None
        assert published_files(nb, "nb") == {}


@pytest.mark.parametrize("score", ["1.2.3", ".", "-", "1e5", "nan", "x"])
def test_a_score_that_is_no_number_has_no_bar(exporter, score):
    table = fixtures.table_bundle([(1, 0.9, "a")])
    html = table.data["text/html"].replace("0.9000", score)
    assert score in html
    table.data["text/html"] = html
    nb = fixtures.notebook(fixtures.code("x", table))
    assert "<rect" not in data_table(html)
    assert "<rect" not in thumbnail(nb)


def test_a_large_drawing_is_shown_as_png(exporter):
    """A page stays light."""
    large = fixtures.SVG.replace("How alike", "How alike " * 20_000)
    html = render(
        exporter, fixtures.notebook(fixtures.code("x", fixtures.figure_bundle(svg=large)))
    )
    assert '<img alt="2 scores; highest 0.70." src="data:image/png;base64,' in html


def test_bars_share_one_scale():
    """All bars of a table start at 0, negative ones on its left."""
    html = fixtures.table_bundle([(1, 0.9, "a"), (2, -0.1, "b")]).data["text/html"]
    rects = re.findall(r'<rect( class=neg)? x="([\d.]+)" width="([\d.]+)"', data_table(html))
    assert rects == [("", "9.1", "81.8"), (" class=neg", "0.0", "9.1")]


def test_heatmap_carries_every_sentence_and_every_pair():
    """What the eye sees in colour is there in words and numbers."""
    matrix = fixtures.matrix_bundle(fixtures.SENTENCES, fixtures.UPPER).data[
        "application/vnd.stslab.matrix+json"
    ]
    html = heatmap.render_heatmap(matrix, ident="m", caption="How alike?", alt="6 × 6")
    assert html.count("<td class=") == 36 + 15
    for sentence in fixtures.SENTENCES:
        assert html.count(f"<bdi>{sentence}</bdi>") == 2
    assert "opposite" not in html  # a negative score is none
    assert "−1</span>" in html
    assert "1 same direction" in html
    assert "All 15 pairs" in html
    assert '<td class="number">-0.1200</td>' in html
    assert '<tr data-scores="10000 5700 3800 2500 1000 1500">' in html


def test_a_heatmap_names_the_rows_of_the_file():
    """In the order drawn; beside the sentences in full, too. Narrow cells save a digit."""
    names = [f"Sentence {i}" for i in range(17)]
    matrix = {"sentences": names, "labels": names, "rows": [*range(40, 57)]}
    matrix["values"] = [[0.25, -0.25, *[1.0] * 15] for _ in names]
    html = heatmap.render_heatmap(matrix, ident="m", caption="t", alt="a")
    assert '<th scope="row"><b>40</b><bdi>Sentence 0</bdi>' in html
    assert '<th scope="col"><b>56</b>' in html
    assert '<li value="41"><bdi>Sentence 1</bdi>' in html
    assert ">.25</td>" in html
    assert ">-.25</td>" in html
    assert ">1</td>" in html


def test_a_heatmap_outlines_its_groups():
    """Around the square of each group."""
    names = ["a", "b", "c", "d"]
    matrix = {"sentences": names, "labels": names, "outlines": [[0, 2], [3, 4]]}
    matrix["values"] = [[0.25] * 4 for _ in names]
    assert heatmap.is_matrix(matrix)
    for damaged in ([[0, 5]], [[2, 1]], [[0]], [["a", "b"]], 3):
        assert not heatmap.is_matrix({**matrix, "outlines": damaged})
    html = heatmap.render_heatmap(matrix, ident="m", caption="t", alt="a")
    edges = [cell.split() for cell in re.findall(r'<td class="h25 ?([^"]*)">', html)]
    top_left, top_right, bottom_left, bottom_right = (
        [f"edge-{side}" for side in sides.split()]
        for sides in ("top left", "top right", "bottom left", "bottom right")
    )
    alone = ["edge-top", "edge-bottom", "edge-left", "edge-right"]
    assert edges[:4] == [top_left, top_right, [], []]
    assert edges[4:8] == [bottom_left, bottom_right, [], []]
    assert edges[8:] == [[]] * 7 + [alone]


@pytest.mark.parametrize("n", [1, 2, 12, 40, 60])
def test_heatmaps_of_any_size(n):
    """Few columns carry texts, many carry numbers; the list of pairs stays readable."""
    names = [f"Sentence {i} " + "word " * 200 for i in range(n)]
    matrix = {"sentences": names, "labels": [f"s{i}" for i in range(n)]}
    matrix["values"] = [[0.25] * n for _ in range(n)]
    html = heatmap.render_heatmap(matrix, ident="m", caption="t", alt="a")
    assert html.count('<td class="h25">') == n * n
    assert len(html) < 350_000


@pytest.mark.parametrize("value", [None, {}, [], {"sentences": ["a"], "labels": ["a"]}])
@pytest.mark.parametrize(
    "more", [{}, *({"values": [[value]]} for value in (float("nan"), "x", None, 10**400))]
)
def test_a_damaged_matrix_is_refused(value, more):
    """The picture takes its place."""
    assert not heatmap.is_matrix({**value, **more} if isinstance(value, dict) else value)


def test_colors_change_by_steps_of_five_hundredths():
    """Each class is in the stylesheet; the ends hold what lies beyond them."""
    assert [heatmap.color_class(v) for v in (-1, -0.05, 0, 0.57, 1, 7)] == [
        "h0",
        "h19",
        "h20",
        "h31",
        "h40",
        "h40",
    ]


def test_csv_of_a_page():
    """Small data travels in the page, large data beside it: the script links to that."""
    small = csv_link('a,"b & c"\n1,ä%#<\n', "x.csv", published=True, subject="t")
    assert 'href="data:text/csv;charset=utf-8,a,%22b %26 c%22%0A1,%C3%A4%25%23%3C%0A"' in small
    large = csv_link("1\n" * 200_000, "x.csv", published=True, subject="t")
    assert 'hidden data-page="data/x.csv"' in large
    assert csv_link("1\n" * 200_000, "x.csv", published=False, subject="t") == ""


def test_a_map_carries_every_point_and_the_members_of_each_group(exporter):
    """A title for each point, a list for each group, no words in the drawing."""
    html = render(
        exporter, fixtures.notebook(fixtures.code("m", fixtures.map_bundle(fixtures.ANSWERS)))
    )
    drawing = re.search(r"<svg role=.*?</svg>", html, re.S)[0]
    assert "<text" not in drawing
    assert drawing.count("<use ") == drawing.count("<title>") == 25
    assert "<title>3: The coffee is not good.</title>" in drawing
    assert '<li value="3"><bdi>The coffee is not good.</bdi></li>' in html
    assert "<bdi>Saturday · queue</bdi> <small>8</small>" in html
    assert "Figure 1. Where do the answers lie?" in html


@pytest.mark.parametrize(
    "chart",
    [
        None,
        {},
        {"groups": ["a"], "points": []},
        *(
            {"groups": ["a"], "points": [point]}
            for point in (
                [0, 0, 1, 1, "x"],
                [0, 0, 0, 1, 7],
                [float("nan"), 0, 0, 1, "x"],
                [0, 0, 0, 1],
                7,
            )
        ),
        {"groups": ["a"], "points": [[10**400, 0, 0, 1, "x"]]},
        {"groups": "ab", "points": [[0, 0, 0, 1, "x"]]},
    ],
)
def test_a_damaged_map_is_refused(exporter, chart):
    """The picture takes its place."""
    bundle = fixtures.map_bundle(fixtures.ANSWERS)
    bundle.data["application/vnd.stslab.map+json"] = chart
    html = render(exporter, fixtures.notebook(fixtures.code("m", bundle)))
    assert 'class="plot ours"' in html
    assert 'class="plot map"' not in html


def test_figures_and_tables_are_numbered(exporter):
    """A heatmap is a figure; on a report's page the main picture comes first."""
    html = render(exporter, fixtures.report(), preset={"title": "Bakery"})
    numbers = re.findall(r"(?:Figure|Table) \d\. [^<]*", html.partition("<main")[2])
    assert numbers == [
        "Figure 1. Which answers are alike?",
        "Figure 1. Which answers are alike?",  # its pairs
        "Table 1. Candidates, most similar first",
        "Figure 2. Where do the answers lie?",
        "Figure 3. How alike are they?",
    ]


def test_a_report_opens_with_its_title_its_data_its_finding_and_its_picture(exporter):
    """In this order, once each; how it was made is folded, and nothing empty is left."""
    html = render(exporter, fixtures.report(), preset={"title": "Bakery survey 2026"}, pages=[])
    main = html.partition("<main")[2]
    order = ["Report on sentences", "<h1><bdi>Bakery survey 2026", "25 answers, 1 not"]
    order += ["25 answers fall into", "2 of the 4 closest", "likely not in", 'class="heat many']
    places = [main.index(each) for each in [*order, "</div>\n<nav", "Which belong together?</h2>"]]
    assert places == sorted(places)
    assert main.count("25 answers fall into") == main.count('class="heat') == 1
    for empty in ("A check", "The picture"):
        assert empty not in main.partition('<script type="application/json"')[0]
    fold = main.partition('<details class="method">')[2]
    assert 'class="code"' not in main.partition('<details class="method">')[0]
    assert all(each in fold for each in ('class="code"', 'class="parameters"', 'id="made-from"'))
    assert "Next" not in re.sub("<script.*", "", main, flags=re.S)


def test_a_page_says_how_to_cite_it(exporter):
    """Its title, its file, what made it and what from; no date, so that it can be made again."""
    files = {"sentences": {"name": "bakery.txt", "sha256": "ab" * 32, "bytes": 9}}
    html = render(exporter, fixtures.report(), record=RECORD | {"files": files})
    cite = re.search('<p class="cite"><b>Cite</b> <span>(.*?)</span>', html)[1]
    made = r"nb\.html, made with stslab [\d.]+ from bakery\.txt \(SHA-256 abababababab…\)\."
    assert re.fullmatch(rf"Report on sentences\. {made}", cite)
    plain = render(exporter, fixtures.tutorial())
    assert re.search(r"from nb \(SHA-256 [0-9a-f]{12}…\)\.</span>", plain)
    assert 'class="cite"' not in render(exporter, fixtures.failing())


def test_formulas_are_mathml():
    """No script draws them; one that cannot be read stays as written."""
    assert "<mfrac>" in mathml(r"\frac{a}{b}")
    assert mathml(r"\frac{") == r"<code>\frac{</code>"
    html = Prose().markdown("Between $-1$ and $1$:\n\n$$\\cos(a, b)$$\n\nIt costs \\$5.")
    assert html.count("<math") == 3
    assert 'display="block"' in html
    assert "$5" in html


# Hostile texts ---------------------------------------------------------------------------------

ALLOWED = {"http", "https", "mailto", "data:text/csv", "data:image/png"}


@pytest.mark.parametrize("text", fixtures.HOSTILE, ids=range(len(fixtures.HOSTILE)))
def test_a_hostile_text_is_shown_as_text_wherever_it_stands(exporter, text):
    """As sentence, name, title, caption, output, Markdown: never an element that acts."""
    bundle = fixtures.figure_bundle
    nb = fixtures.notebook(
        f"# {text}"[:5_000],
        fixtures.code(f"q: str = {text!r}  # {text!r}"[:9_000], tags=["parameters"]),
        fixtures.code("a", fixtures.table_bundle([(1, 0.5, text)], name=text, caption=text)),
        fixtures.code("b", fixtures.matrix_bundle([text, "b"], [0.5], name=text, title=text)),
        fixtures.code("c", fixtures.text_bundle(text, "finding")),
        fixtures.code("d", bundle(name=text[:99], title=text[:99], alt=text[:99])),
        fixtures.code("e", nbformat.v4.new_output("stream", name="stdout", text=text)),
        fixtures.code(
            "f",
            nbformat.v4.new_output("display_data", data={"text/html": text, "text/plain": "x"}),
            nbformat.v4.new_output("error", ename=text, evalue=text, traceback=[text]),
        ),
    )
    preset = {"title": text}
    html = render(
        exporter,
        nb,
        record=RECORD | {"note": text},
        preset=preset,
        prev={"title": text, "href": "a.html"},
    )
    index = render_index(text, [{"title": text, "href": "a.html", "finding": text, "reason": text}])
    for page in (html, index, render_root_index([{"title": text, "href": "a/index.html"}])):
        outline = Page(page)
        assert not outline.all(
            "iframe", "object", "embed", "form", "input", "video", "base", "link"
        )
        assert len(outline.all("script")) == (2 if page is html else 1)
        assert len(outline.all("style")) == len(outline.all("h1")) == len(outline.all("main")) == 1
        for _, attrs in outline.tags:
            assert not [name for name in attrs if name.startswith("on") or name == "style"]
            address = (attrs.get("href") or attrs.get("src") or "#").strip().lower()
            assert re.match(r"https?:|mailto:|data:(text/csv|image/)|[\w./#?=-]*$", address)
            assert "http-equiv" not in attrs or attrs["http-equiv"] == "Content-Security-Policy"
        page.encode()


def test_svg_payloads_are_dropped():
    """Scripts, handlers, foreign objects, links and outside references do not survive."""
    payload = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'viewBox="0 0 9 9" onload="x()"><script>x()</script><style>@import "//a"</style>'
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">p</p></foreignObject>'
        '<a href="javascript:x()"><path d="M0 0"/></a><animate attributeName="href"/>'
        '<image href="https://example.org/a.png"/><use xlink:href="https://example.org/a.svg#b"/>'
        '<path d="M0 0" fill="url(https://example.org/a)" style="fill:url(//a);stroke:red"/>'
        '<path d="M1 1" fill="u\\72l(https://example.org/a)"/></svg>'
    )
    drawing = inline_svg(payload, prefix="a", label='"><script>')
    assert drawing == (
        '<svg role="img" aria-label="&#34;&gt;&lt;script&gt;" viewBox="0 0 9 9" '
        'stroke-linecap="butt" stroke-linejoin="round"><image /><use />'
        '<path stroke="red" d="M0 0" /><path d="M1 1" /></svg>'
    )


@pytest.mark.parametrize("where", ["mask='{}'", "style='mask:{}'", "style='MASK: {}'"])
@pytest.mark.parametrize(
    "value",
    [
        "url(//a)",
        "URL(//a)",
        "Url( //a )",
        "url(#here) url(//a)",
        "image(//a)",
        "image-set(&quot;//a&quot; 1x)",
        "-webkit-image-set(//a 1x)",
        "SRC(&quot;//a&quot;)",
        "cross-fade(src(//a))",
        "u/**/rl(//a)",
        "u\\72l(//a)",
        "var(--x, url(//a))",
    ],
)
def test_no_attribute_of_a_drawing_names_an_address(value, where):
    """However a stylesheet spells it; in the page and in the file beside it."""
    svg = f"<svg viewBox='0 0 9 9'><path d='M0 0' {where.format(value)}/></svg>"
    for drawing in (inline_svg(svg, prefix="a", label="x"), standalone_svg(svg)):
        assert "//a" not in drawing
        assert "<path d=" in drawing


def test_places_in_a_drawing_and_colours_are_kept():
    """In any case: `URL(#clip)` is as good as `url(#clip)`."""
    svg = (
        "<svg viewBox='0 0 9 9'><mask id='m'/><path mask='URL( &quot;#m&quot; )' d='M0 0'/>"
        "<path fill='RGB(0, 9, 9)' stroke='hsl(9 9% 9%)' transform='rotate(9) skewX(1)'/></svg>"
    )
    drawing = inline_svg(svg, prefix="a", label="x")
    assert '<mask id="a-m" /><path mask="url(#a-m)" d="M0 0" />' in drawing
    assert '<path fill="RGB(0, 9, 9)" stroke="hsl(9 9% 9%)" transform="rotate(9) sk' in drawing


def test_a_published_drawing_is_the_same_drawing_and_safe():
    """It is opened by a double click, where no policy holds; an editor finds all that it needs."""
    drawing = fixtures.SVG.replace("<metadata>", "<script>x()</script><a href='x:y'/><metadata>")
    nb = fixtures.notebook(fixtures.code("x", fixtures.figure_bundle(svg=drawing)))
    published = published_files(nb, "nb")["figures/nb-bars.svg"].decode()
    assert "script" not in published
    assert "x:y" not in published
    root = ElementTree.fromstring(published)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == "360pt"
    use = root.find(".//{http://www.w3.org/2000/svg}use")
    assert use.get("{http://www.w3.org/1999/xlink}href") == "#m1"
    text = root.find(".//{http://www.w3.org/2000/svg}text")
    assert (text.get("font-size"), text.get("font-family")) == ("11", "'DejaVu Sans'")
    assert {"figure_1", "patch_1", "m1", "p1"} <= {each.get("id") for each in root.iter()}


@pytest.mark.parametrize("svg", ["<svg viewBox='1'/>", "<p/>", "<svg", 7])
def test_a_drawing_that_cannot_be_read_is_not_published(svg):
    """Its PNG is."""
    nb = fixtures.notebook(fixtures.code("x", fixtures.figure_bundle()))
    nb.cells[0].outputs[0].data["image/svg+xml"] = svg
    assert list(published_files(nb, "nb")) == ["figures/nb-bars.png", "data/nb-bars.csv"]


LONG = 100_000


def drawing(text):
    return f"<svg viewBox='0 0 999 9'><path d='M{text}' fill='{text}'/><text>{text}</text></svg>"


@pytest.mark.parametrize(
    ("make", "source"),
    [
        *(
            (lambda text, draw=draw: draw(drawing(text)), unit * LONG)
            for draw in (lambda svg: inline_svg(svg, prefix="a", label="x"), standalone_svg)
            for unit in "1.- \t\na("
        ),
        (lambda text: Prose().markdown(text), "# a\n" * 10_000),
        (lambda text: highlight(text, "python"), "\n" * LONG),
        (lambda text: highlight(text, "python"), " \n" * LONG),
        (
            data_table,
            f"<table><tr><td class=score style='--score:{'1' * LONG}x'>1</td></tr></table>",
        ),
        (lambda text: helper_digests([text]), "\n" * LONG),
    ],
    ids=range(21),
)
def test_a_long_run_takes_no_longer_than_its_length_does(make, source):
    """A second, say; what grows with the square would take half a minute, or hours for a MB."""
    started = time.process_time()
    make(source)
    assert time.process_time() - started < 8


def test_headings_of_one_text_have_different_ids():
    prose = Prose()
    for _ in range(3):
        prose.markdown("## Again\n\n## Again 2\n")
    ids = [name for _, name, _ in prose.contents]
    assert ids[:3] == ["again", "again-2", "again-3"]
    assert len(set(ids)) == 6


def test_lengths_are_cut_to_hundredths_and_no_number_is_lost():
    """As d3 writes them, too: a number may start where the last one ends, or have an exponent."""
    path = "M0.123456 1.000000-1.23987.5.5551.9995e1 5e-4a1 1 0 01.9999 119.9999"
    svg = f"<svg viewBox='0 0 999 9'><path d='{path}' x='1e-7' y='12.345678e2'/></svg>"
    d, x, y = re.search(
        ' d="(.*)" x="(.*)" y="(.*)"', inline_svg(svg, prefix="a", label="")
    ).groups()
    assert d == "M0.12 1.00-1.23.5.55.9995e1 5e-4a1 1 0 01.99 119.99"
    assert (x, y) == ("1e-7", "12.345678e2")


def test_what_no_eye_sees_of_a_drawing_is_cut_also_where_it_is_moved():
    """Digits beyond a hundredth change with the number of threads; those of a scale all count."""
    svg = fixtures.SVG.replace('x="60" y="20"', 'transform="rotate(-0 423.784804 308.722037)"')
    svg = svg.replace('<g id="text_1">', '<g transform="scale(0.015625)">')
    drawing = inline_svg(svg, prefix="f", label="a")
    assert 'transform="rotate(-0 423.78 308.72)"' in drawing
    assert 'transform="scale(0.015625)"' in drawing


# The record ------------------------------------------------------------------------------------


def test_record_round_trip(exporter):
    """What the builder wrote comes back; no text in it can end the element that holds it."""
    html = render(exporter, fixtures.tutorial(), record=RECORD)
    assert read_record(html) == RECORD
    assert html.count("<script") == 2
    assert "53aa53aa" in html.split("stslab-record")[0]


def test_record_without_a_builder(exporter):
    """nbconvert alone gives the notebook's own cells, without outputs and injected values."""
    record = read_record(render(exporter, fixtures.tutorial()))
    nbformat.validate(nbformat.from_dict(record["notebook"]))
    assert len(record["notebook"]["cells"]) == len(fixtures.tutorial().cells) - 1
    assert record["injected_parameters"] == "# Parameters\ntop_k = 5\n"
    assert record["versions"] == {"python": "3.11.2"}


def test_damaged_pages_are_refused(exporter):
    """Cut off, edited, foreign: each is said."""
    html = render(exporter, fixtures.tutorial(), record=RECORD)
    with pytest.raises(ValueError, match="cut off"):
        read_record(html[:-20])
    with pytest.raises(ValueError, match="edited after"):
        read_record(html.replace('"top_k":5', '"top_k":6'))
    with pytest.raises(ValueError, match="damaged"):
        read_record(html.replace('"top_k":5', '"top_k":'))
    with pytest.raises(ValueError, match="no record"):
        read_record("<html></html>")
    with pytest.raises(ValueError, match="2 records"):
        read_record(html.replace("</html>", html[html.index('<script type="app') :]))
    digest = re.search('data-sha256="(.)', html)[1]
    with pytest.raises(ValueError, match="edited after"):
        read_record(
            html.replace(f'data-sha256="{digest}', f'data-sha256="{"1" if digest == "0" else "0"}')
        )


def test_record_survives_line_endings(exporter):
    """A mail program may change them."""
    html = render(exporter, fixtures.tutorial(), record=RECORD)
    assert read_record(html.replace("\n", "\r\n")) == RECORD


def test_every_record_entry_is_shown_but_the_notebook_and_the_inputs(exporter):
    """People read what the machine reads."""
    record = RECORD | {"inputs": {"my.txt": "secret line"}, "versions": {"torch": "2.13.0"}}
    html = render(exporter, fixtures.tutorial(), record=record)
    seen = html[html.index('class="made-from"') : html.index('id="stslab-record"')]
    assert "secret line" not in seen
    assert all(word in seen for word in ("2.13.0", "my.txt", "rows used", "make report ONLY=08"))
    assert json.loads(json.dumps(read_record(html))) == record


# The index -------------------------------------------------------------------------------------


def test_index_says_what_is_out_of_date_and_why():
    """A word and a sign, not a colour; a link to where it failed."""
    html = render_index(
        "Support questions",
        [
            {"title": "Heatmap", "href": "08.html", "finding": "0.71", "status": "built"},
            {"title": "Search", "href": "07.html", "status": "stale", "reason": "its run failed"}
            | {"failed_href": "07-failed.html#failing-cell"},
        ],
    )
    assert '<a href="08.html?in=report"><bdi>Heatmap</bdi></a>' in html
    assert "</span> Built" in html
    assert "</span> Out of date: its run failed" in html
    assert 'href="07-failed.html?in=report#failing-cell"' in html
    assert 'href="../index.html"' in html


def test_index_takes_finding_and_thumbnail_from_the_notebook():
    """Computed once, by the notebook."""
    nb = fixtures.tutorial()
    assert read_headline(nb).finding.startswith("Of 15 pairs")
    assert thumbnail(nb).count("<rect") == 36
    ranked = fixtures.notebook(fixtures.code("t", fixtures.table_bundle(fixtures.RANKED)))
    assert thumbnail(ranked).count("<rect") == 7
    drawn = fixtures.notebook(fixtures.code("f", fixtures.figure_bundle()))
    assert 'href="data:image/png;base64,' in thumbnail(drawn)
    plain = fixtures.table_bundle([(1, 0.5, "One.")]).data["text/html"].replace("--score", "--x")
    listed = fixtures.code("t", fixtures.table_bundle([]))
    listed.outputs[0].data["text/html"] = plain
    assert "<path" in thumbnail(fixtures.notebook(listed))
    assert thumbnail(fixtures.report()).count("<rect") == 144  # the figure named "main", sampled
    both = fixtures.notebook(*ranked.cells, *drawn.cells)
    assert 'href="data:image/png;base64,' in thumbnail(both)  # a figure before a table
    chosen = fixtures.notebook(*nb.cells, fixtures.code("f", fixtures.figure_bundle(name="main")))
    assert "<rect" not in thumbnail(chosen)
    assert thumbnail(fixtures.foreign()) is None
    assert read_headline(fixtures.foreign()).finding is None
    far = fixtures.notebook(fixtures.code("t", fixtures.table_bundle([(1, -7.5, "One.")])))
    for notebook in (nb, ranked, drawn, fixtures.notebook(listed), far):
        shown = thumbnail(notebook)
        assert str(shown) in render_index("All", [{"title": "One", "thumbnail": str(shown)}])


@pytest.mark.parametrize(
    "drawing",
    [
        '<meta http-equiv="refresh" content="0;url=http://evil.example">',
        '<svg viewBox="0 0 9 9" aria-hidden="true"><script>alert(1)</script></svg>',
        '<svg viewBox="0 0 9 9" aria-hidden="true"><path d="M0 0" onload="alert(1)"/></svg>',
        '<svg viewBox="0 0 9 9" aria-hidden="true"></svg>\n<img src=x>',
        '<svg viewBox="0 0 9 9" aria-hidden="true"><image class="ours" width="9" height="9" '
        'href="http://evil.example/x.png"/></svg>',
    ],
)
def test_a_drawing_that_we_did_not_make_is_not_shown(drawing):
    """A thumbnail comes to the index by way of a file, and is markup there."""
    empty = render_index("All", [{"title": "One"}])
    assert render_index("All", [{"title": "One", "thumbnail": drawing}]) == empty


def test_index_of_nothing():
    """An empty reports folder says so."""
    assert "Nothing has been built yet" in render_root_index([])
