"""Whatever somebody's texts, file names, titles and column names hold, a report shows as text.

Built by the real builder, with real kernels, and opened in a real browser without a network.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import page_fixtures as fixtures
import pytest
from conftest import READY, ROOT, build_quietly
from projects import Project

from stslab.inputs.texts import with_repaired_characters, without_markup
from stslab.report.request.presets import adhoc_preset, load_preset

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

# A file holds no NUL and no half of a character (`read_pairs` says where it found one); a file's
# name holds no slash either, and ends after 255 bytes.
TEXTS = [text.replace("\0", "").replace("\ud83d", "½") for text in fixtures.HOSTILE]
NAMES = [text.replace("/", "∕").encode()[:200].decode(errors="ignore") for text in TEXTS]


@pytest.fixture(scope="module")
def visit(chromium):
    """Open a page offline; see that nothing ran and nothing was asked for."""
    page, heard = chromium.new_context(offline=True).new_page(), []
    page.on("dialog", lambda dialog: heard.append(f"dialog {dialog.message}"))
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url[:200]))

    def look(path: Path):
        address = path.resolve().as_uri()
        heard.clear()
        page.goto(address)
        page.wait_for_selector(READY)
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = d.textContent.length < 5e4)"
        )
        page.wait_for_timeout(20)
        assert [said for said in heard if said != address[:200]] == []
        assert page.evaluate("window.hit") is None
        assert page.locator("h1").count() == page.locator("main").count() == 1
        bad = "iframe, object, embed, form, video, base, link, main script, main style, [style]"
        assert page.locator(bad).count() == 0
        return page

    yield look
    page.context.close()


@pytest.fixture(scope="module")
def own_texts(tmp_path_factory) -> Path:
    """Build pairs and a heatmap from hostile texts, columns, file names and a title."""
    folder = tmp_path_factory.mktemp("own")
    pairs, sentences = folder / f"{NAMES[4]}.csv", folder / f"{NAMES[8]}.csv"
    with pairs.open("w", encoding="utf-8", newline="") as stream:
        rows = [[a, b, *"x" * 41] for a, b in zip(TEXTS, TEXTS[1:] + TEXTS[:1], strict=True)]
        csv.writer(stream).writerows([["sentence_a", "sentence_b", *TEXTS], *rows])
    with sentences.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["sentence", "id"], *zip(TEXTS, TEXTS, strict=True)])
    preset = folder / "hostile.yaml"
    runs = [
        {"notebook": "05", "parameters": {"pairs": pairs.name}},
        {"notebook": "08", "parameters": {"sentences": sentences.name}},
    ]
    preset.write_text(json.dumps({"title": TEXTS[0], "notebooks": runs}), encoding="utf-8")
    made = load_preset(preset, notebooks_dir=ROOT / "notebooks")
    build_quietly(made, folder)
    return folder / "hostile"


@pytest.mark.parametrize("name", ["05_sentence_pairs", "08_heatmap", "index"])
def test_hostile_sentences_and_columns_do_nothing(own_texts, visit, name):
    page = visit(own_texts / f"{name}.html")
    assert TEXTS[0] in page.title() + page.locator("h1").inner_text()


def test_hostile_sentences_and_column_names_are_shown_as_written(own_texts, visit):
    page = visit(own_texts / "05_sentence_pairs.html")
    table = page.locator("#table-pairs table")
    heads = table.locator("thead th").evaluate_all("all => all.map(head => head.textContent)")
    assert heads[:3] == ["sentence a", "sentence b", "score"]
    assert heads[3:-1] == TEXTS
    first = table.locator("tbody tr td:first-child").evaluate_all(
        "all => all.map(cell => cell.textContent)"
    )
    # Markup is read as what it shows, and a pair with nothing left to show is left out. The table
    # ends before the row that holds a million characters.
    shown = [with_repaired_characters(without_markup(text)) for text in TEXTS]
    partners = shown[1:] + shown[:1]
    expected = [a for a, b in zip(shown, partners, strict=True) if a.strip() and b.strip()]
    assert first == expected[: len(first)]
    assert len(first) > 25


@pytest.fixture
def named(tmp_path, bare_kernels) -> Project:
    project = Project(tmp_path / "project")
    project.notebook(
        "read",
        ["parameters: from pathlib import Path\ntexts: list[str] | Path = ['one']  # texts"],
        title="Read",
    )
    return project


def test_hostile_file_names_do_nothing(named, visit):
    """Each as the name of a file that a page was made from."""
    runs = []
    for number, name in enumerate(NAMES):
        (named.notebooks / "presets" / f"{name}.txt").write_text("One.\n", "utf-8")
        runs.append(
            {"notebook": "read", "name": f"r{number}", "parameters": {"texts": f"{name}.txt"}}
        )
    named.preset(json.dumps({"notebooks": runs}))
    assert {name for name, result in named.build().items() if result.error} == set()
    for number, name in enumerate(NAMES):
        page = visit(named.home / f"r{number}.html")
        assert f"{name}.txt" in page.locator("main").evaluate("main => main.textContent")


def test_hostile_titles_do_nothing(named, visit):
    """As the title of a preset, on its page, its index and the index of all.

    Every fourth one; all of them stand on one index in test_page_browser.py.
    """
    for title in TEXTS[::4]:
        named.preset(json.dumps({"title": title, "notebooks": ["read"]}))
        named.build()
        for path in (named.home / "read.html", named.home / "index.html"):
            page = visit(path)
            shown = page.evaluate("document.querySelector('header bdi, h1').textContent")
            assert shown == title if len(title) <= 200 else shown == f"{title[:199]}…"
            visit(named.reports / "index.html")


def test_a_hostile_file_name_makes_a_report_of_a_safe_name(named, monkeypatch):
    """`make report SENTENCES=…`: the folder is inside the reports, whatever the file is called."""
    monkeypatch.chdir(named.root)
    for name in NAMES:
        path = named.root / f"{name}.txt"
        path.write_text("One.\n", "utf-8")
        preset = adhoc_preset(notebooks_dir=named.notebooks, files={"texts": path})
        folder = (named.reports / preset.name).resolve()
        assert folder.parent == named.reports.resolve()
        assert not set(preset.name) & set('/\\<>:"|?*\n\r\t')
