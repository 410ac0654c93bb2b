"""A report's page in its reader's hands: pointer, finger, keyboard, paper, and no script at all."""

import io
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import page_fixtures as fixtures
import pytest
from conftest import READY
from PIL import Image

from stslab.report.page.exporter import StslabExporter
from stslab.report.page.index import render_index

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

MANY = [f"{text} ({i})" for i, text in enumerate(fixtures.ANSWERS + fixtures.ANSWERS[:15])]
READOUT = ".readout:not(:empty)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a report of 25 answers, one of 40, a lesson, and an index that leads to them."""
    made = tmp_path_factory.mktemp("report")
    exporter = StslabExporter()
    lesson = fixtures.report(MANY)
    lesson.cells[0].metadata["tags"] = []
    nb = fixtures.report()
    nb.cells.append(fixtures.notebook("See [the lesson](lesson.ipynb#the-map).").cells[0])
    books = {"report": nb, "many": fixtures.report(MANY), "lesson": lesson}
    books["exercise"] = fixtures.tutorial()
    other = {"title": "Another", "href": "many.html"}
    around = {"index_href": "index.html", "pages": [*books], "prev": other, "next": other}
    for name, book in books.items():
        resources = {"metadata": {"name": name}, "stslab": around | {"preset": {"title": "Bakery"}}}
        html, _ = exporter.from_notebook_node(book, resources)
        (made / f"{name}.html").write_text(html, encoding="utf-8")
    entries = [{"title": name, "href": f"{name}.html"} for name in books]
    for name, allowed in {"scripted": "allow-scripts", "preview": ""}.items():
        frame = f'<iframe sandbox="{allowed}" src="report.html"></iframe>'
        (made / f"{name}.html").write_text(frame, encoding="utf-8")
    (made / "index.html").write_text(render_index("Bakery", entries), encoding="utf-8")
    return made


@pytest.fixture
def visit(chromium, folder):
    """Open a page; afterwards nothing was said on the console."""
    contexts, heard = [], []

    def open_page(name, place="", **options):
        context = chromium.new_context(**{"reduced_motion": "reduce"} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.goto((folder / f"{name}.html").as_uri() + place)
        if options.get("java_script_enabled", True):
            page.wait_for_selector(READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


def box_of(page, selector):
    return page.locator(selector).first.evaluate("e => e.getBoundingClientRect().toJSON()")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("name", ["report", "many"])
def test_the_first_screen_holds_finding_cautions_and_the_whole_picture(visit, name, script):
    """At 1280 × 900, up to 40 rows; the contents stand beside it."""
    page = visit(name, viewport={"width": 1280, "height": 900}, java_script_enabled=script)
    seen = page.evaluate(
        """() => ['h1', '.about', '.finding', '.caution + .caution', '.heat thead th',
        '.heat tbody tr:last-child td:last-child', '.head .legend'].map(selector => {
            const { left, top, right, bottom } = document.querySelector(selector)
                .getBoundingClientRect();
            return left >= 0 && top >= 0 && right <= 1280 && bottom <= 900; })"""
    )
    assert seen == [True] * 7
    rows = page.locator(".heat tbody tr").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert min(rows) >= 11
    assert box_of(page, ".contents")["right"] <= box_of(page, "h1")["left"]
    assert box_of(page, ".head .legend")["top"] >= box_of(page, ".heat tbody")["bottom"]


@pytest.mark.parametrize("name", ["many", "lesson"])
def test_forty_columns_fit_without_scrolling(visit, name):
    page = visit(name, viewport={"width": 1440, "height": 900})
    wide = page.locator(".wide:has(> .heat)")
    assert wide.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert wide.get_attribute("tabindex") is None
    cells = page.locator(".heat tbody td").evaluate_all(
        "all => all.every(cell => cell.scrollWidth <= cell.clientWidth)"
    )
    assert cells


# Links


def shown_links(page):
    return page.locator("a[href]:not([href^='#']):not([href^='data:']):visible").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )


def test_a_page_opened_alone_leads_nowhere_and_has_nothing_blue_that_is_no_link(visit):
    page = visit("report")
    assert shown_links(page) == []
    assert page.locator("nav[hidden]").count() == 2
    named = page.locator("main .prose a[data-page]")
    assert named.inner_text() == "the lesson"
    look = "(a) => [a, a.parentNode].map(getComputedStyle).map(s => s.color + s.textDecorationLine)"
    assert len(set(named.evaluate(look))) == 1


def test_a_page_opened_from_its_index_leads_to_the_others(visit):
    """And they on, and back, over file:// alone."""
    page = visit("index")
    page.get_by_role("link", name="report", exact=True).click()
    page.wait_for_selector(READY)
    assert "index.html?in=report" in shown_links(page)
    page.get_by_role("link", name="the lesson").click()
    page.wait_for_selector(READY)
    assert page.url.endswith("lesson.html?in=report#the-map")
    assert -5 <= box_of(page, "#the-map")["top"] <= 60
    page.get_by_role("link", name="Bakery").click()
    page.wait_for_url("**/index.html?in=report")


def test_a_page_on_a_server_leads_to_the_others(chromium, folder):
    """But not in a preview of it, whose sandbox keeps the others out."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    page = chromium.new_page()
    page.goto(f"{address}/report.html")
    page.wait_for_selector(READY)
    assert {"index.html", "lesson.html#the-map", "many.html"} <= set(shown_links(page))
    page.goto(f"{address}/scripted.html")
    frame = page.frame_locator("iframe")
    frame.locator(READY).wait_for()
    assert frame.locator("[data-page][href]").count() == 0
    page.close()
    server.shutdown()


@pytest.mark.parametrize("place", ["#figures", "#the-map", "#table-groups", "#figure-map"])
def test_a_deep_link_lands_where_it_does_without_the_script(visit, place):
    """What the script adds above it does not carry it away."""
    view = {"viewport": {"width": 1280, "height": 700}}
    tops = []
    for script in (True, False):
        page = visit("lesson", place, java_script_enabled=script, **view)
        page.wait_for_timeout(300)
        tops.append(box_of(page, place)["top"])
    assert abs(tops[0] - tops[1]) <= 2
    assert -5 <= tops[0] <= 60


# The read-out


def beside(page, selector):
    """Find the read-out in the viewport and off what it speaks of; None if there is none."""
    if not page.locator(READOUT).count():
        return None
    box, cell = box_of(page, READOUT), box_of(page, selector)
    size = page.viewport_size
    assert box["left"] >= 0
    assert box["top"] >= 0
    assert box["right"] <= size["width"]
    assert box["bottom"] <= size["height"]
    assert box["bottom"] <= cell["top"] or box["top"] >= cell["bottom"]
    assert min(abs(cell["top"] - box["bottom"]), abs(box["top"] - cell["bottom"])) < 40
    return page.locator(READOUT).inner_text().split("\n")


EXPECTED = ["0.5000", "5 Your coffee tastes burnt.", "3 The coffee is not good."]


def test_a_cell_is_told_beside_the_pointer_and_goes_with_it(visit):
    page = visit("report", viewport={"width": 1280, "height": 900})
    cell = ".heat tbody tr:nth-child(4) td:nth-child(3)"
    page.locator(cell).hover()
    assert beside(page, cell) == EXPECTED
    page.keyboard.press("Escape")
    assert beside(page, cell) is None
    for row, column in ((1, 2), (1, 26), (25, 2), (25, 26)):
        corner = f".heat tbody tr:nth-child({row}) td:nth-child({column})"
        page.locator(corner).hover()
        assert beside(page, corner)
    page.locator("h1").hover()
    assert beside(page, cell) is None


def test_a_cell_is_told_above_the_finger_on_a_phone(visit):
    page = visit("report", has_touch=True, viewport={"width": 390, "height": 844})
    cell = ".heat tbody tr:nth-child(4) td:nth-child(3)"
    page.locator(cell).tap()
    assert beside(page, cell) == EXPECTED
    assert box_of(page, READOUT)["bottom"] <= box_of(page, cell)["top"]
    page.locator("h1").tap()
    assert beside(page, cell) is None


def test_a_cell_is_told_beside_the_focus_and_stays_with_it(visit):
    """The page scrolls under it; a screen reader hears it."""
    page = visit("report", viewport={"width": 1280, "height": 500})
    page.locator(".heat td[tabindex='0']").focus()
    for key in ["ArrowDown"] * 24 + ["End"]:
        page.keyboard.press(key)
    cell = ".heat td:focus"
    page.wait_for_timeout(100)
    assert beside(page, cell)[1:] == ["26 Wie teuer ist eine Brezel?"] * 2
    page.evaluate("scrollBy(0, -40)")
    page.wait_for_timeout(100)
    assert beside(page, cell)
    assert page.get_by_role("status").filter(has_text="Brezel").count() == 1
    page.keyboard.press("Escape")
    assert beside(page, cell) is None


def test_a_point_of_the_map_is_told(visit):
    """By pointer and by keyboard: arrows lead to the next point that way."""
    page = visit("report", viewport={"width": 1280, "height": 900})
    point = ".map use[data-text='A café as it should be.']"
    page.locator(point).hover()
    assert beside(page, point) == ["coffee · good · burnt", "20 A café as it should be."]
    page.locator(".map use[tabindex='0']").focus()
    seen = [page.locator(READOUT).inner_text()]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        seen.append(page.locator(READOUT).inner_text())
        assert beside(page, ".map use:focus")
    assert seen[0] == seen[-1]
    assert len(set(seen)) == 4
    assert page.get_by_role("img", name="2: The coffee is good. (coffee · good · burnt)").count()


def test_the_map_is_readable_on_a_phone(visit):
    """Its words are as large as others, its points are told at a tap."""
    page = visit("report", has_touch=True, viewport={"width": 390, "height": 844})
    figure = page.locator("figure:has(.map)")
    sizes = figure.locator("figcaption, .groups summary, .groups small").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 11
    assert figure.locator("svg text").count() == 0
    point = ".map use[data-text='The staff is rude.']"
    page.locator(point).tap()
    assert beside(page, point)[1] == "18 The staff is rude."
    figure.locator("summary", has_text="fresh · rolls").tap()
    assert figure.locator("li:visible", has_text="The staff is friendly.").count() == 1


# The field


def test_a_text_is_found_wherever_the_page_shows_it(visit):
    """By keyboard alone, without regard to case or accents; said aloud once typing rests."""
    page = visit("report", viewport={"width": 1280, "height": 900})
    page.keyboard.press("/")
    page.keyboard.type("CAFE")
    said = page.get_by_role("search").get_by_role("status")
    said.filter(has_text="rows").wait_for()
    assert said.inner_text() == "1 of 25 rows"
    assert page.locator(".heat th.hit").count() == 2
    assert page.locator(".map use.hit").count() == 1
    page.keyboard.press("Escape")
    assert page.get_by_label("Find a text").input_value() == ""
    assert page.locator(".hit, .dim").count() == 0
    page.keyboard.type("coffee")
    page.keyboard.press("Enter")
    assert said.inner_text() == "4 of 25 rows, 4 in tables"
    assert page.locator(".table tr.hit").count() == page.locator(".table tr.dim").count() == 4
    places = []
    for _ in range(12):
        places.append(page.locator(".at").evaluate("e => [e.localName, e.textContent]"))
        assert page.evaluate("document.activeElement.type") == "search"
        top = box_of(page, ".at")["top"]
        assert 0 <= top <= 900
        page.keyboard.press("Enter")
    assert [kind for kind, _ in places] == ["th"] * 4 + ["tr"] * 4 + ["use"] * 4
    page.keyboard.press("Shift+Enter")
    assert page.locator("use.at").count() == 1
    page.get_by_label("Find a text").fill("nowhere")
    page.keyboard.press("Enter")
    assert said.inner_text() == "0 of 25 rows"


# What can be taken away


@pytest.fixture
def copied(chromium, folder):
    """Open the report with leave to use the clipboard."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    page.wait_for_selector(READY)
    yield page, lambda: page.evaluate("navigator.clipboard.readText()")
    context.close()


def test_a_table_is_copied_as_markdown_and_as_csv(copied):
    page, clipboard = copied
    menu = page.locator(".table .menu")
    for label, expected in (
        (
            "Copy as Markdown",
            "| rank | score | sentence |\n| ---: | ---: | --- |\n| 1 | 0.9000 | The",
        ),
        ("Copy as CSV", 'rank,score,sentence\n1,0.900000,"The coffee is good."\n2,'),
    ):
        menu.locator("summary").press("Enter")
        menu.get_by_role("button", name=label).press("Enter")
        page.get_by_role("status").filter(has_text="Table 1: copied.").wait_for(state="attached")
        assert clipboard().startswith(expected)
        assert menu.get_attribute("open") is None
    page.locator(".cite button").click()
    page.wait_for_timeout(100)
    assert clipboard().startswith("Bakery. report.html, made with stslab ")


@pytest.mark.parametrize(("figure", "name"), [("main", "main"), ("map", "map"), ("bars", "bars")])
def test_a_figure_is_saved_as_a_picture(copied, figure, name):
    """The heatmap, which is a table, is drawn with all its rows, its colours and its legend."""
    page, _ = copied
    box = page.locator(f".figure:has(#figure-{figure}), figure#figure-{figure}")
    box.locator(".menu summary").click()
    with page.expect_download() as download:
        box.get_by_role("button", name="Download PNG").click()
    assert download.value.suggested_filename == f"report-{name}.png"
    picture = Image.open(Path(download.value.path())).convert("RGB")
    assert picture.width >= 900
    red, green, blue = picture.getpixel((0, 0))
    assert min(red, green, blue) > 240  # light, for paper
    wanted = {"main": (169, 55, 59), "map": (47, 111, 179), "bars": (72, 120, 168)}[figure]
    assert wanted in {color for _, color in picture.getcolors(1_000_000)}
    assert page.locator("html").get_attribute("data-theme") is None


def test_the_picture_of_a_heatmap_is_copied(copied):
    page, _ = copied
    page.locator(".figure .menu summary").first.click()
    page.locator(".figure").get_by_role("button", name="Copy picture").click()
    page.get_by_role("status").filter(has_text="Figure 1: copied.").wait_for(state="attached")
    content = page.evaluate(
        """async () => {
        const [item] = await navigator.clipboard.read();
        return [...new Uint8Array(await (await item.getType('image/png')).arrayBuffer())]; }"""
    )
    assert Image.open(io.BytesIO(bytes(content))).width > 900


def test_headings_figures_and_tables_have_a_link(visit):
    """Seen where the pointer or the focus is."""
    page = visit("report")
    link = page.locator("#the-map .here")
    assert link.get_attribute("href") == "#the-map"
    opacity = "e => getComputedStyle(e).opacity"
    assert link.evaluate(opacity) == "0"
    link.focus()
    assert link.evaluate(opacity) == "1"
    page.locator(".table .menu summary").click()
    page.locator(".table").get_by_role("link", name="Link to this").click()
    assert page.url.endswith("#table-groups")


# Without a script, and on paper


def test_all_can_be_read_without_a_script_and_in_a_sandbox(visit, chromium, folder):
    """As previews of mail and drives show it: no dead button, no fold that does not open."""
    page = visit("report", java_script_enabled=False)
    frames = chromium.new_page()
    frames.goto((folder / "preview.html").as_uri())
    (framed,) = frames.frames[1:]
    for seen in (page, framed):
        assert seen.locator("button:visible, input:visible, .menu").count() == 0
        assert seen.locator("table.heat td").count() == 25 * 26 + 1 - 25
        assert seen.locator(".map use title").count() == 25
        assert seen.locator(".cite:visible").count() == 1
    page.locator(".groups summary").first.click()
    assert page.locator(".groups ol li:visible", has_text="The coffee is good.").count() == 1
    page.locator(".method > summary").click()
    assert page.locator(".method .made-from:visible").count() == 1
    frames.close()


def test_paper_says_what_made_the_page_in_one_line(visit):
    """No versions, no digests but that of the data; no exercise without its solution."""
    page = visit("report", viewport={"width": 680, "height": 1000})
    page.emulate_media(media="print")
    assert page.locator(".made-from:visible, .method:visible, .here:visible").count() == 0
    assert page.locator(".tools:visible, .find:visible, .readout:visible").count() == 0
    assert "made with stslab" in page.locator(".cite span").inner_text()
    assert page.locator(".heat tbody td:visible").count() == 625
    lesson = visit("exercise", viewport={"width": 680, "height": 1000})
    for solution, shown in ((False, 0), (True, 1)):
        lesson.evaluate(f"document.querySelector('.solution').open = {str(solution).lower()}")
        lesson.emulate_media(media="print")
        assert lesson.locator("h2:visible", has_text="Your turn").count() == shown
        assert lesson.locator(".solution pre:visible").count() == shown
