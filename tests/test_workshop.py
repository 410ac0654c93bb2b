"""A workshop's path, kit, slides and sheets; slides and sheets in a real Chromium."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from conftest import ROOT
from playwright.sync_api import expect

from stslab.cli import main
from stslab.report.messages import RequestError
from stslab.workshop.kit import build_workshop
from stslab.workshop.path import plan_activities

NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: Any) -> Path:
    reports = tmp_path_factory.mktemp("reports")
    return build_workshop(90, notebooks=NOTEBOOKS, reports=reports, notify=lambda text: None)


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.mark.parametrize("minutes", [45, 90, 180])
def test_a_path_adds_up_to_its_minutes_and_begins_with_the_check(minutes: int) -> None:
    parts = plan_activities(minutes, NOTEBOOKS)
    assert sum(part.minutes for part in parts) == minutes
    assert [part.start for part in parts[1:]] == [part.start + part.minutes for part in parts[:-1]]
    assert parts[0].kind == "check"
    lessons = [part for part in parts if part.lesson]
    assert all(part.exercises for part in lessons)
    assert [part.name for part in lessons] == sorted(part.name for part in lessons)
    if minutes >= 90:
        (at,) = [part.start for part in parts if part.kind == "break"]
        assert minutes / 4 < at < 3 * minutes / 4


def test_another_length_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"MINUTES=60: there is a path of 45, 90, 180 minutes"):
        plan_activities(60, NOTEBOOKS)


def test_a_path_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "paths.yaml").write_text("45:\n  - check: 5\n", "utf-8")
    with pytest.raises(RequestError, match="the path of 45 minutes adds up to 5"):
        plan_activities(45, tmp_path)


@pytest.mark.thorough
def test_the_kit_is_whole_and_the_same_each_time(kit: Path) -> None:
    own = kit / "student" / "handed-in.json"
    own.write_text("{}")
    first = digests(kit), hashlib.sha256((kit.parent / "workshop.zip").read_bytes()).hexdigest()
    build_workshop(90, notebooks=NOTEBOOKS, reports=kit.parent, notify=lambda text: None)
    zipped = kit.parent / "workshop.zip"
    assert (digests(kit), hashlib.sha256(zipped.read_bytes()).hexdigest()) == first
    assert own.read_text() == "{}"
    files = [name for name in first[0] if not name.endswith(own.name)]
    lessons = [path.name for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
    for edition in ("student", "solutions"):
        assert [f for f in files if f.startswith(f"{edition}/") and f.endswith(".ipynb")] == [
            f"{edition}/{name}" for name in lessons
        ]
        assert len([f for f in files if f.startswith(f"{edition}/checks/")]) == len(lessons)
    pages = {"index", "slides", "run-sheet", "cheat-sheet", "exercises", "rate"}
    assert {f"{page}.html" for page in pages} < {*files}
    with zipfile.ZipFile(zipped) as archive:
        assert sorted(archive.namelist()) == sorted(f"workshop/{name}" for name in files)
    assert not list(kit.parent.glob(".workshop*"))


def test_nothing_in_the_kit_names_this_machine(kit: Path) -> None:
    for path in kit.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert str(ROOT) not in text
            assert str(kit) not in text


def test_the_command_says_where_the_kit_is_or_why_there_is_none(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["workshop", "--minutes", "50", "--reports", str(tmp_path)])
    assert done.exit_code == 2
    assert "45, 90, 180" in done.output
    nowhere = ["workshop", "--pairs", "none.csv", "--reports", str(tmp_path)]
    done = CliRunner().invoke(main, nowhere)
    assert done.exit_code == 2
    assert "none.csv" in done.output
    assert not list(tmp_path.iterdir())


# In a browser

FITS = """() => {
  const slide = Reveal.getCurrentSlide();
  const texts = [...slide.querySelectorAll("h1, h2, p, pre, li, td")].filter((e) => e.offsetParent);
  const drawn = [...slide.querySelectorAll(".plot svg, .plot svg *")];
  const boxes = [...texts, ...drawn]
    .map((each) => each.getBoundingClientRect()).filter((box) => box.width);
  const zoom = Number(slide.querySelector('.body')?.style.zoom || 1);
  const scale = zoom * Reveal.getScale();
  const sizes = texts.map((each) => parseFloat(getComputedStyle(each).fontSize) * scale);
  return [Math.min(...boxes.map((b) => b.left)), Math.min(...boxes.map((b) => b.top)),
    Math.max(...boxes.map((b) => b.right)), Math.max(...boxes.map((b) => b.bottom)),
    Math.min(...sizes)];
}"""


@pytest.mark.browser
def test_every_slide_fits_its_frame_offline_with_notes_and_a_clock(
    chromium: Any, kit: Path
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((kit / "slides.html").as_uri())
    page.wait_for_function("document.body.dataset.fitted !== undefined")
    total = page.evaluate("Reveal.getTotalSlides()")
    assert total > 40
    off = {}
    for number in range(total):
        left, top, right, bottom, smallest = page.evaluate(FITS)
        if left < 0 or top < 0 or right > 1280 or bottom > 720 or smallest < 16:
            off[number] = (left, top, right, bottom, smallest)
        page.evaluate(
            "() => { const now = Reveal.getCurrentSlide();"
            "for (let i = 0; i < 9 && Reveal.getCurrentSlide() === now; i++) Reveal.next(); }"
        )
    assert off == {}
    assert page.evaluate("Reveal.isLastSlide()")
    assert asked == [(kit / "slides.html").as_uri()]
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value
    notes.wait_for_selector(".speaker-controls-time .pacing")
    page.evaluate("Reveal.slide(3, 0)")
    shown = notes.locator(".speaker-controls-notes .value")
    expect(shown).to_contain_text("Show the table of words and meaning")
    assert notes.locator(".speaker-controls-time .pacing").is_visible()
    pace = "() => document.querySelector('.pacing').innerText.replace(/\\s/g, '')"
    before = notes.evaluate(pace)
    notes.wait_for_function(f"before => ({pace})() !== before", arg=before)
    assert said == []
    context.close()


@pytest.mark.browser
def test_times_of_the_slides_add_up(chromium: Any, kit: Path) -> None:
    page = chromium.new_page()
    page.goto((kit / "slides.html").as_uri())
    seconds = page.evaluate(
        "[...document.querySelectorAll('[data-timing]')].map((each) => +each.dataset.timing)"
    )
    assert 0.97 * 90 * 60 < sum(seconds) <= 90 * 60 + 30
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index", "run-sheet", "cheat-sheet", "exercises-with-solutions"])
def test_the_sheets_are_for_everyone_and_for_paper(
    chromium: Any, kit: Path, tmp_path: Path, name: str
) -> None:
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme, viewport={"width": 400, "height": 800})
        page.goto((kit / f"{name}.html").as_uri())
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.close()
    page = chromium.new_page()
    page.goto((kit / f"{name}.html").as_uri())
    page.pdf(path=tmp_path / "sheet.pdf", format="A4")
    page.close()
    sheets = pypdfium2.PdfDocument(tmp_path / "sheet.pdf")
    most = {"cheat-sheet": 1, "run-sheet": 3}.get(name, 4)
    assert len(sheets) <= most
    if name == "run-sheet":
        text = "".join(sheet.get_textpage().get_text_range() for sheet in sheets)
        assert "1:30" in text
        assert "Did you divide by" in text
    sheets.close()


def test_a_notebook_that_fails_stops_the_kit_and_leaves_the_last_one(
    kit: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    path = tmp_path / "notebooks" / "05_sentence_pairs.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    next(c for c in notebook["cells"] if c["id"] == "setup")["source"] = ["1 / 0"]
    path.write_text(json.dumps(notebook), "utf-8")
    before = digests(kit)
    with pytest.raises(RequestError, match="05_sentence_pairs failed: ZeroDivisionError"):
        build_workshop(45, notebooks=path.parent, reports=kit.parent, notify=lambda text: None)
    assert digests(kit) == before
