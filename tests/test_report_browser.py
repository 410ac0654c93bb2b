"""The tutorial's report as a reader meets it: every page, in a real browser, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import AXE, NOTEBOOKS, READY, ROOT, TUTORIAL, build_quietly
from lessons import QUICKER

from stslab.report.request.presets import load_preset

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
PAGES = [*TUTORIAL, "index", "../index"]
# What comes after the tutorial is made of the same parts: one width each in light, dark and print.
WIDTHS = {"print": (768,), "light": (320, 1440), "dark": (320, 768, 1440)}
# What scrolls now becomes focusable, two frames later.
SETTLED = """() => new Promise(
    go => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go))))"""
STORES = "../stores/16_vector_stores"
FURTHER = [
    STORES if path.stem in STORES else f"../further/{path.stem}"
    for path in NOTEBOOKS
    if path.stem > "10"
]


@pytest.fixture(scope="module", autouse=True)
def further(report):
    """Build what comes after the tutorial beside it."""
    for preset, values in (("further", {}), ("stores", QUICKER["16_vector_stores"])):
        asked = load_preset(preset, notebooks_dir=ROOT / "notebooks", overrides=values)
        build_quietly(asked, report.parent)


def address(report, name):
    return (report / f"{name}.html").resolve().as_uri()


@pytest.mark.parametrize("name", [*PAGES, *FURTHER])
def test_a_page_asks_for_nothing_and_says_nothing(chromium, report, name):
    """No request, no console message; and nothing is missing without JavaScript."""
    context = chromium.new_context(offline=True)
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "request",
        lambda request: (
            request.url == address(report, name)
            or request.url.startswith("data:image/")
            or heard.append(request.url[:200])
        ),
    )
    page.goto(address(report, name))
    page.wait_for_selector(READY)
    # What the script adds are tools, no text.
    page.evaluate(
        "document.querySelectorAll('.here, .menu, .cite button').forEach(e => e.remove())"
    )
    visible = page.locator("main").inner_text()
    context.close()
    assert heard == []
    plain = chromium.new_context(offline=True, java_script_enabled=False)
    page = plain.new_page()
    page.goto(address(report, name))
    written = _letters(page.locator("main").text_content())
    plain.close()
    lines = [_letters(part) for line in visible.splitlines() for part in line.split("\t")]
    assert [line for line in lines if line not in written] == []


def _letters(text):
    """Leave what a style sheet cannot change: no spaces, no capitals."""
    return "".join(text.split()).casefold()


SCHEMES = ["light", *(pytest.param(each, marks=pytest.mark.slow) for each in ("dark", "print"))]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_on_any_page(chromium, report, scheme):
    """On phone and wide screen in both schemes, and on paper."""
    from axe_playwright_python import base

    script = (Path(base.__file__).parent / "axe.min.js").read_text("utf-8")
    colours = "dark" if scheme == "dark" else "light"
    context = chromium.new_context(bypass_csp=True, offline=True, color_scheme=colours)
    page, violations = context.new_page(), {}
    page.emulate_media(media="print" if scheme == "print" else "screen")
    for name in [*PAGES, *FURTHER] if scheme != "light" else PAGES:
        page.goto(address(report, name))
        page.wait_for_selector(READY, state="attached")
        page.evaluate(script)
        for width in WIDTHS[scheme]:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(SETTLED)
            if found := page.evaluate(AXE):
                violations[name, width] = found
    context.close()
    assert violations == {}


def test_every_picture_has_a_description_of_its_own(chromium, report):
    """Neither a placeholder, nor empty, nor the same twice on a page."""
    page = chromium.new_page()
    for name in [*TUTORIAL, *FURTHER]:
        page.goto(address(report, name))
        said = page.evaluate(
            """() => [...document.querySelectorAll('main img, main svg[role=img], main [role=img]')]
                .map(node => node.getAttribute('alt') || node.getAttribute('aria-label') || '')"""
        )
        assert all(len(text) > 15 and "No description" not in text for text in said), name
        assert len(set(said)) == len(said), name
    page.close()


@pytest.mark.parametrize("name", [*TUTORIAL, *FURTHER])
def test_paper_clips_no_line_and_cuts_no_figure(chromium, report, name, tmp_path):
    """Every character lies on the sheet, every figure on one sheet."""
    import pypdfium2

    page = chromium.new_page()
    page.goto(address(report, name))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(node => {
            const style = getComputedStyle(node);
            return node.scrollWidth > node.clientWidth + 1 && style.overflowX !== 'visible'
                && style.display !== 'inline' && node.clientWidth > 1;
        }).map(node => node.outerHTML.slice(0, 120))"""
    )
    uncut = page.evaluate(
        """() => [...document.querySelectorAll('main figure, main table.heat')].filter(node => {
            const style = getComputedStyle(node);
            return style.breakInside !== 'avoid' || node.getBoundingClientRect().height > 1000;
        }).map(node => node.id || node.className)"""
    )
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    page.close()
    assert clipped == []
    assert uncut == []
    document = pypdfium2.PdfDocument(tmp_path / "page.pdf")
    assert len(document) <= 8
    for sheet in document:
        width, _ = sheet.get_size()
        text = sheet.get_textpage()
        boxes = [text.get_charbox(index) for index in range(text.count_chars())]
        outside = [box for box in boxes if box[0] < -1 or box[2] > width + 1 or box[1] < -1]
        assert outside == []
    document.close()
