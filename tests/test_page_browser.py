"""What a page promises its reader, checked in a real browser without a network."""

from pathlib import Path

import page_fixtures as fixtures
import pytest
from conftest import AXE, READY
from playwright.sync_api import expect

from stslab.report.page.exporter import StslabExporter
from stslab.report.page.headline import read_headline
from stslab.report.page.index import render_index, render_root_index
from stslab.report.page.thumbnail import thumbnail

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

WIDTHS = (320, 768, 1440)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write one page of each kind and return their addresses by name."""
    folder = tmp_path_factory.mktemp("pages")
    exporter = StslabExporter()
    around = {
        "preset": {"title": "The tutorial"},
        "index_href": "index.html",
        "prev": {"title": "Batch search", "href": "foreign.html"},
        "next": {"title": "Conclusion", "href": "failing.html"},
    }
    for name in ("tutorial", "foreign", "failing", "hostile", "report"):
        resources = {"metadata": {"name": name}}
        if name == "tutorial":
            resources["stslab"] = around
        if name == "report":
            resources["stslab"] = {"preset": {"title": "Bakery survey"}, "index_href": "index.html"}
        html, _ = exporter.from_notebook_node(getattr(fixtures, name)(), resources)
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    nb = fixtures.tutorial()
    entries = [
        {"title": "A heatmap", "href": "tutorial.html", "finding": read_headline(nb).finding}
        | {"status": "built", "thumbnail": thumbnail(nb)},
        {"title": "Ranking", "href": "foreign.html", "status": "stale", "reason": "its run failed"}
        | {"failed_href": "failing.html#failing-cell"},
        {"title": "Search", "href": None, "status": "failed", "reason": "it never ran"},
    ]
    (folder / "index.html").write_text(render_index("The tutorial", entries), encoding="utf-8")
    evil = [{"title": t, "href": "x.html", "finding": t, "reason": t} for t in fixtures.HOSTILE]
    (folder / "evil.html").write_text(render_index(fixtures.HOSTILE[0], evil), encoding="utf-8")
    presets = [{"title": "The tutorial", "href": "index.html", "finding": "9 pages"}]
    (folder / "root.html").write_text(render_root_index(presets), encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.glob("*.html")}


@pytest.fixture
def visit(chromium, pages):
    """Open a page offline, and see afterwards that it asked for nothing and said nothing."""
    contexts, heard = [], []

    def open_page(name, **options):
        context = chromium.new_context(**{"offline": True, "reduced_motion": "reduce"} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"{name}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"{name}: {error}"))
        page.on(
            "request",
            lambda request: (
                request.url.partition("?")[0].partition("#")[0] in pages.values()
                or request.url.startswith("data:image/")
                or heard.append(f"{name} requested {request.url[:200]}")
            ),
        )
        page.goto(pages[name])
        if options.get("java_script_enabled", True):
            page.wait_for_selector(READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_axe_finds_nothing(chromium, pages, scheme):
    """Accessible in both schemes, on phone, tablet and desktop, and on paper."""
    from axe_playwright_python import base

    script = (Path(base.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(
        bypass_csp=True, offline=True, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.emulate_media(media="print" if scheme == "print" else "screen")
    violations = {}
    for name in ("tutorial", "foreign", "failing", "index", "root", "report"):
        page.goto(pages[name])
        page.wait_for_selector(READY, state="attached")
        page.evaluate(script)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        if name == "report" and scheme != "print":  # with what the script adds on demand
            page.get_by_label("Find a text").fill("coffee")
            page.locator(".heat td").nth(2).hover()
        widths = {"light": WIDTHS[::2], "dark": WIDTHS[:1], "print": WIDTHS[1:2]}[scheme]
        for width in WIDTHS if name == "report" and scheme != "print" else widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)  # what scrolls now becomes focusable
            if found := page.evaluate(AXE):
                violations[name, width] = found
    context.close()
    assert violations == {}


@pytest.mark.parametrize("name", ["tutorial", "foreign", "failing", "index", "root", "report"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(visit, name, width):
    """Wide things scroll by themselves; the page does not."""
    page = visit(name, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["hostile", "evil"])
def test_hostile_texts_stay_texts(visit, name):
    """Nothing runs, nothing is requested, and the page still stands as it was built."""
    page = visit(name)
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => d.open = d.textContent.length < 5e4)"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None
    assert page.locator("h1").count() == 1
    bad = "iframe, object, embed, form, video, base, link, main script, main style, [style]"
    assert page.locator(bad).count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => "
    handlers += "/^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value)).length"
    assert page.evaluate(handlers) == 0


def test_hostile_texts_are_shown_as_texts(visit):
    """A reader sees each sentence as it was written."""
    page = visit("hostile")
    cells = page.locator("#table-script td:not(.number), .table td:not(.number)")
    shown = cells.evaluate_all("cells => cells.map(c => c.textContent)")
    for text, seen in zip(fixtures.HOSTILE[:-1], shown, strict=False):
        # HTML itself has no NUL, and no half characters.
        expected = text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
        assert seen.replace("\x00", "\ufffd") in (expected, expected.replace("\ufffd", ""))
    assert "1,000,000 characters" in shown[len(fixtures.HOSTILE) - 1]


def test_complete_without_javascript(visit):
    """All text, the heatmap, its pairs and the folded code can be read; no dead buttons."""
    page = visit("tutorial", java_script_enabled=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator(".readout:visible").count() == 0
    assert page.locator("table.heat td:visible").count() == 37
    page.locator("details.data summary").click()
    assert page.locator("details.data tbody tr:visible").count() == 15
    page.locator("details.code summary").first.click()
    assert page.get_by_text("name or folder").count() == 2


def test_keyboard_reaches_every_cell_of_the_heatmap(visit):
    """One stop for Tab, arrows from there, and both sentences with the score are read out."""
    page = visit("tutorial")
    while not page.evaluate("document.activeElement.matches('.heat td')"):
        page.keyboard.press("Tab")
        assert not page.evaluate("document.activeElement.matches('.made-from *, .around *')")
    seen = set()
    for row in range(6):
        page.keyboard.press("Home")
        for _ in range(6):
            where = "[document.activeElement.parentNode.rowIndex, document.activeElement.cellIndex]"
            seen.add(tuple(page.evaluate(where)))
            page.keyboard.press("ArrowRight")
        if row < 5:
            page.keyboard.press("ArrowDown")
    assert len(seen) == 36
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    # Hidden while its cell is out of sight: the page may still be scrolling to it.
    expect(page.locator(".readout")).to_have_css("visibility", "visible")
    assert page.locator(".readout").inner_text().split("\n") == [
        "0.5700",
        "1 I love machine learning.",
        "2 Deep learning is a branch of AI.",
    ]
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.heat *')")


def test_pointer_reads_a_cell_and_marks_its_row_and_column(visit):
    """Pointing is enough; the row and the column stand out."""
    page = visit("tutorial")
    page.locator(".heat tbody tr").nth(3).locator("td").nth(4).hover()
    assert page.locator(".readout strong").inner_text() == "0.7100"
    marked = page.locator(".heat .on").all_inner_texts()
    assert sorted(text.split("\n")[-1].lstrip("45 ") for text in marked) == [
        "0.71",
        "I enjoy cooking Italian food.",
        "Pasta and pizza are Italian dishes.",
    ]


def test_touch_reads_a_cell(visit):
    """A tap is enough on a phone."""
    page = visit("tutorial", has_touch=True, viewport={"width": 360, "height": 740})
    page.locator(".heat tbody tr").nth(0).locator("td").nth(1).tap()
    assert page.locator(".readout strong").inner_text() == "0.5700"


def test_tables_sort_by_their_heads(visit):
    """A head is a button: numbers by value, texts by the reader's alphabet, said to all."""
    page = visit("tutorial")
    table = page.locator(".table table.stslab")
    ranks = table.locator("tbody td:first-child")
    table.get_by_role("button", name="score").press("Enter")
    assert ranks.all_inner_texts() == list("1234567")
    table.get_by_role("button", name="score").press("Enter")
    assert ranks.all_inner_texts() == list("7654321")
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="sentence").click()
    assert ranks.first.inner_text() == "2"


def test_csv_downloads_what_the_table_shows(visit):
    """The numbers leave the page without a network."""
    page = visit("tutorial")
    page.locator(".table .menu summary").click()
    with page.expect_download() as download:
        page.locator(".table .tools").get_by_text("Download CSV").click()
    assert download.value.suggested_filename == "tutorial-ranking.csv"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("rank,score,sentence\n1,0.565700,")


def test_the_theme_is_remembered_and_shown_code_is_not(visit):
    """A dark page stays so on the next visit; code is asked for page by page, and can be hidden."""
    page = visit("tutorial")
    page.locator("#code").click()
    assert page.locator("details.code:not([open])").count() == 0
    assert page.locator("#code").inner_text() == "Hide code"
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.reload()
    page.wait_for_selector(READY)
    assert page.locator("details.code[open]").count() == 0
    assert page.locator("#code").inner_text() == "Show code"
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("#theme").inner_text() == "Theme: dark"
    page.locator("#code").click()
    page.locator("#code").click()
    assert page.locator("details.code[open]").count() == 0


def test_contents_follow_the_reading(visit):
    """The section being read is marked in the contents."""
    page = visit("tutorial", viewport={"width": 1440, "height": 600})
    page.locator("#the-heatmap").evaluate("head => scrollTo(0, head.offsetTop + 40)")
    expect(page.locator("[aria-current]")).to_have_text("The heatmap")


def test_contents_lead_to_their_places(visit):
    """A link from the top lands on its heading, though what lies between was not drawn yet."""
    page = visit("tutorial", viewport={"width": 1440, "height": 700})
    page.locator(".contents a").nth(-2).click()
    page.wait_for_timeout(300)
    top = page.locator("#recap").evaluate("head => head.getBoundingClientRect().top")
    bottom = page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2")
    assert -5 <= top <= 60 or bottom


def test_what_opens_the_page_is_painted_first_and_the_rest_at_once_after_it(visit):
    """Nothing stays undrawn: not in a picture of the whole page, nor for a search in it."""
    page = visit("tutorial")
    assert not page.locator("html[data-first]").count()
    drawn = """() => [...document.querySelectorAll('.part, .made-from')].every(
        part => getComputedStyle(part).contentVisibility === 'visible')"""
    assert page.evaluate(drawn)


def test_a_place_further_down_is_there_at_once(chromium, pages):
    """A link into the page lands on its heading, and a reload where the reader was."""
    page = chromium.new_page(viewport={"width": 1280, "height": 700}, reduced_motion="reduce")
    page.goto(f"{pages['tutorial']}#the-measure")
    page.wait_for_timeout(300)
    top = "document.querySelector('#the-measure').getBoundingClientRect().top"
    assert -5 <= page.evaluate(top) <= 60
    page.goto(pages["tutorial"])
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_timeout(300)
    assert abs(page.evaluate("scrollY") - 1500) < 60
    page.close()


def test_a_heatmap_of_forty_sentences_fits_one_sheet(chromium, tmp_path):
    """Its sentences are listed in full behind it, and its pairs are not: the cells say them."""
    sentences = [f"{n} is a number in a sentence that is too long for a row." for n in range(1, 41)]
    nb = fixtures.notebook(fixtures.code("m", fixtures.matrix_bundle(sentences, [0.25] * 780)))
    html, _ = StslabExporter().from_notebook_node(nb)
    (tmp_path / "large.html").write_text(html, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 672, "height": 1000})  # A4 less its margins
    page.goto((tmp_path / "large.html").as_uri())
    page.wait_for_selector(READY)
    page.emulate_media(media="print")
    box = page.locator("table.heat").bounding_box()
    assert box
    assert box["width"] <= 672
    assert box["height"] <= 985
    assert page.locator(".data li:visible").all_inner_texts() == sentences
    assert page.locator(".data table:visible").count() == 0
    page.close()


def test_paper_loses_nothing(visit):
    """In print the pairs are listed, nothing is wider than the sheet, and no figure is cut."""
    page = visit("tutorial", viewport={"width": 680, "height": 1000})
    page.emulate_media(media="print")
    assert page.locator(".top, .tools, .readout").evaluate_all(
        "all => all.every(e => getComputedStyle(e).display === 'none')"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    box = page.locator("details.data tbody tr").last.bounding_box()
    assert box
    assert box["height"] > 5
    cut = "getComputedStyle(document.querySelector('figure')).breakInside"
    assert page.evaluate(cut) == "avoid"
