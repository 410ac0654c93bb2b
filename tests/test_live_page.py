"""The page that computes, in a real browser from a file, without a network."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import page_fixtures as fixtures
import pytest
from conftest import AXE
from playwright.sync_api import expect

from stslab import read_sentences, score_pairs, similarity_matrix
from stslab.live.build import LIVE_FOLDER, PAIRS, SENTENCES, build_live
from stslab.live.script import live_script, stamp
from stslab.studies import calibration
from stslab.workshop.answers import Answers

pytestmark = pytest.mark.browser

# Counts what the engine is given, before the page's own script runs.
COUNTING = """
window.encoded = 0;
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...all) => {
  const { instance } = await instantiate(...all), { forward } = instance.exports;
  const counted = (...given) => { window.encoded += given[3]; return forward(...given); };
  return { instance: { exports: { ...instance.exports, forward: counted } } };
};
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Path:
    return build_live(folder=tmp_path_factory.mktemp("live"))


def opened(chromium, file, **options):
    """Open a page offline; what it says and asks for is kept."""
    context = chromium.new_context(**{"offline": True, "accept_downloads": True} | options)
    page = context.new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.heard.append(request.url))
    page.add_init_script(COUNTING)
    page.goto(file.as_uri())
    expect(page.locator("#state")).to_contain_text("Ready", timeout=60_000)
    return page


@pytest.fixture(scope="module")
def page(chromium, live):
    """One page for all tests that only type into it; it must stay silent to the end."""
    page = opened(chromium, live, viewport={"width": 1280, "height": 900})
    yield page
    assert page.heard == [live.as_uri()]
    page.context.close()


def compare(page, a, b):
    page.locator("#a").fill(a)
    page.locator("#b").fill(b)
    page.wait_for_timeout(160)  # typing rests
    page.locator("#answer .big, #guess:not([hidden])").first.wait_for()


def fill_list(page, lines):
    """Type a list, and wait until the page has said how long it is."""
    page.locator("#lines").fill("\n".join(lines))
    page.wait_for_timeout(160)
    different = [line for line in lines if line.strip()]
    some = f"{len(different):,} sentence" + "s" * (len(different) != 1)
    expect(page.locator("#said")).to_contain_text(some, timeout=60_000)
    page.wait_for_timeout(50)


def saved(page, button) -> str:
    with page.expect_download() as waiting:
        button.click()
    return Path(waiting.value.path()).read_text(encoding="utf-8-sig")


def test_numbers_of_the_tutorial(page, model):
    """The four pairs at four decimals, and the heatmap's cells at two."""
    for a, b in PAIRS:
        compare(page, a, b)
        score = score_pairs([(a, b)], model=model)["score"].item()
        expect(page.locator("#answer .big")).to_have_text(f"{score:.4f}")
    fill_list(page, SENTENCES)
    shown = page.locator("#list .heat tbody tr").evaluate_all(
        "rows => rows.map(r => [r.cells[0].textContent.replace(/^\\d+/, ''),"
        " ...[...r.cells].slice(1).map(c => c.textContent)])"
    )
    order = [row[0] for row in shown]
    matrix = similarity_matrix(SENTENCES, model=model).loc[order, order].to_numpy()
    assert [row[1:] for row in shown] == [[f"{v + 0.0:.2f}" for v in row] for row in matrix]


WORDS = "The quick brown fox jumps over the lazy dog near the river bank. " * 20_000
PASTED = {
    "words": WORDS[:1_000_000],
    "one word": "a" * 1_000_000,
    "white space first": " " * 100_000 + "A puppy barks." + " " * 900_000,
    "white space between": "A puppy" + " \t" * 20_000 + "barks.",
    "no spaces": "狗在叫。" * 100_000,
    "whole characters": "a" + "🐕" * 100_000,
    "as long as is read": WORDS[:20_000],
}


def paste(page, where, text):
    """Fill a field as a paste does, in one go."""
    page.locator(where).focus()
    page.locator(where).press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(each, marks=[pytest.mark.thorough] * (each != "white space between"))
        for each in PASTED
    ],
)
def test_a_long_paste_is_answered_soon_with_pythons_score_and_a_word_on_the_cut(page, model, what):
    """Only 256 tokens count: what is read of a megabyte is its first 20,000 characters."""
    text, other = PASTED[what], "A dog barks."
    compare(page, "A cat.", other)
    began = time.monotonic()
    paste(page, "#a", text)
    note = page.locator(
        "#answer .caution", has_text="The first sentence is cut at 20,000 characters"
    )
    if len(text) > 20_000:
        expect(note).to_be_visible(timeout=30_000)
    page.wait_for_timeout(200)
    assert time.monotonic() - began < 30
    assert note.count() == (len(text) > 20_000)
    score = score_pairs([(text, other)], model=model)["score"].item()
    expect(page.locator("#answer .big")).to_have_text(f"{score:.4f}")
    page.locator("#a").fill("A cat.")
    expect(note).to_have_count(0)


def test_a_long_line_of_a_list_and_a_long_query_are_cut_and_named(page):
    began = time.monotonic()
    paste(page, "#lines", f"{WORDS}\nA dog barks.\nA puppy barks.")  # of some 1.3 MB
    expect(page.locator("#said")).to_have_text(
        "3 sentences, 1 cut at 256 tokens, 1 cut at 20,000 characters.", timeout=30_000
    )
    lines = page.locator("#lines").input_value().split("\n")
    assert lines == [WORDS[:20_000], "A dog barks.", "A puppy barks."]
    paste(page, "#query", WORDS)
    note = "The sentence is cut at 20,000 characters; these have 4310 tokens, of which the model"
    expect(page.locator("#hits")).to_contain_text(note, timeout=30_000)
    assert time.monotonic() - began < 60
    fill_list(page, ["One.", "Two."])
    expect(page.locator("#said")).to_have_text("2 sentences.")
    page.locator("#query").fill("Three?")
    expect(page.locator("#hits")).not_to_contain_text("cut at")


def test_a_keystroke_encodes_the_changed_line_alone(page):
    fill_list(page, [f"Sentence number {n} is about something." for n in range(30)])
    before = page.evaluate("encoded")
    page.locator("#lines").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("!")
    page.wait_for_timeout(400)
    assert page.evaluate("encoded") == before + 1
    expect(page.locator("#said")).to_have_text("30 sentences.")


def test_nothing_is_stored(page):
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.locator("#theme").click()
    kept = """async () => [localStorage.length, sessionStorage.length, document.cookie,
        (await indexedDB.databases()).length]"""
    assert page.evaluate(kept) == [0, 0, "", 0]


def test_hostile_texts_are_texts(page, tmp_path):
    """Typed, pasted and opened as a list, in both fields and in the query."""
    one_line = [" ".join(text.split()) for text in fixtures.HOSTILE if len(text) < 2000]
    texts = [text for text in dict.fromkeys(one_line) if text]
    file = tmp_path / "hostile.txt"
    file.write_bytes("\n".join(texts).encode("utf-8", "replace"))
    page.locator("#open").set_input_files(file)
    page.wait_for_timeout(300)
    expect(page.locator("#said")).to_contain_text(f"{len(texts)} sentences")
    compare(page, texts[0], texts[1])
    page.locator("#why summary").click()
    page.locator("#query").fill(texts[2])
    expect(page.locator("#why table").nth(1)).to_be_visible(timeout=30_000)
    assert page.evaluate("window.hit") is None
    bad = "iframe, object, embed, form, video, base, link, main script:not([type*='/']), img"
    assert page.locator(bad).count() == 0
    shown = set(page.locator("#hits td:nth-child(4)").all_text_contents())
    assert shown <= {text.encode("utf-8", "replace").decode() for text in texts}
    page.locator("#why summary").click()


REPEATED = ["The delivery was late.", "Soup.", "Late delivery", "THE DELIVERY WAS LATE", "n/a"]
REPEATED += ["The delivery came too late.", "I waited 20 minutes.", "I waited 40 minutes."]


def test_sentences_that_say_nearly_the_same_stand_in_groups(page):
    """By their most typical one; and the page says that it finds no themes."""
    fill_list(page, REPEATED)
    expect(page.locator("#said")).to_have_text("8 sentences, 1 repeated, 1 without content.")
    shown = page.locator("#list")
    expect(shown.locator("details")).to_have_count(2)
    assert [text.split("\n") for text in shown.locator("details").all_inner_texts()] == [
        [
            "“The delivery was late.” (2 sentences, 3 rows)",
            *["The delivery was late. (2 times)", "Late delivery"],
        ],
        [
            "“I waited 20 minutes.” (2 sentences)",
            *["I waited 20 minutes.", "I waited 40 minutes. (may differ in numbers)"],
        ],
    ]
    expect(shown).to_contain_text("They hold 4 of 7 different sentences. Themes, which the report")
    expect(shown).to_contain_text("are not computed here.")
    table = list(csv.reader(io.StringIO(saved(page, shown.get_by_text("Save as CSV").last))))
    assert table[:2] == [["group", "sentence", "times", "rows"], ["1", REPEATED[0], "2", "1, 4"]]
    assert table[-3:-1] == [["", "Soup.", "1", "2"], ["", "n/a", "1", "5"]]


@pytest.mark.thorough
def test_a_model_that_was_not_measured_has_no_groups(chromium, tmp_path, monkeypatch):
    """Its scores may be on another scale; all pairs are ranked, and none is called close."""
    monkeypatch.setattr(calibration, "is_calibrated", lambda model: False)
    page = opened(chromium, build_live(folder=tmp_path))
    fill_list(page, REPEATED)
    expect(page.locator("#list")).to_contain_text("was not measured for this model. Themes")
    expect(page.locator("#list")).not_to_contain_text("score 0.8 or more")
    expect(page.locator("#list details")).to_have_count(0)
    expect(page.locator("#list .table caption")).to_have_text("The closest pairs")
    expect(page.locator("#list .table tbody tr")).to_have_count(15)
    page.context.close()


def test_what_is_taken_along_can_be_used(page, tmp_path):
    """The list as a file that a report accepts; the numbers as CSV, without formulas."""
    lines = ["=1+1 is two.", 'He said "hello", twice.', "Ünïcödé text.", "A dog barks."]
    fill_list(page, lines)
    file = tmp_path / "sentences.txt"
    file.write_text(saved(page, page.get_by_role("button", name="Save as text")), "utf-8")
    assert read_sentences(file).texts == lines
    figure = page.locator("#list .figure")
    table = list(csv.reader(io.StringIO(saved(page, figure.get_by_text("Save as CSV")))))
    assert sorted(row[0] for row in table[1:]) == sorted(["'=1+1 is two.", *lines[1:]])
    assert all(re.fullmatch(r"-?[01]\.\d{6}", value) for row in table[1:] for value in row[1:])
    with page.expect_download() as waiting:
        figure.get_by_text("Save picture").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def test_scores_are_hidden_until_guessed(page):
    """A guess shows the score and is kept in the tally."""
    compare(page, *PAIRS[0])
    page.locator("#guessing").click()
    expect(page.locator("#answer .big")).to_have_count(0)
    expect(page.locator("#why")).to_be_hidden()
    for (a, b), value in zip(PAIRS, ["0.9", "0.4", "5", "-0.1"], strict=True):
        compare(page, a, b)
        page.locator("#guessed").fill(value)
        page.locator("#guessed").press("Enter")
        if value == "5":
            expect(page.locator("#tally")).to_contain_text("from −1 to 1")
            expect(page.locator("#answer .big")).to_have_count(0)
        else:
            expect(page.locator("#answer .big")).to_be_visible()
    tally = page.locator("#tally").inner_text()
    assert "3 guesses, off by" in tally
    assert "the first 1 by 0.48, the last 1 by" in tally
    with page.expect_download() as taken:
        page.get_by_role("button", name="Save my guesses").click()
    handed_in = Answers.model_validate_json(Path(taken.value.path()).read_bytes())
    assert handed_in.learner in taken.value.suggested_filename
    first, *others = handed_in.guesses
    assert 0.47 < first.guess - first.score < 0.49
    assert len(others) == 2
    page.locator("#guessing").click()
    compare(page, *PAIRS[2])
    expect(page.locator("#answer .big")).to_be_visible()


def test_all_of_it_works_by_keyboard(page):
    """From the top with Tab alone: the pair, its words, the list, its cells, the query."""
    page.locator("#a").focus()
    reached = set()
    for _ in range(60):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        page.keyboard.press("Tab")
    assert {"a", "b", "lines", "open", "query", "SUMMARY", "TD", "BUTTON"} <= reached
    page.locator("#list .heat td[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".readout strong")).to_have_text(re.compile(r"^-?[01]\.\d{4}$"))


def test_a_list_of_many_is_a_picture_that_answers(page):
    """Beyond forty sentences each pair is a dot; arrows read it."""
    fill_list(page, [f"Text {n} about {'cats' if n % 2 else 'trains'}." for n in range(60)])
    dots = page.locator("#list canvas")
    expect(dots).to_be_visible()
    dots.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".readout")).to_have_css("visibility", "visible")
    assert len(page.locator(".readout").inner_text().split("\n")) == 3
    page.keyboard.press("Escape")


def test_too_many_lines_are_said(page):
    """A thousand are compared, and the page says what it left out."""
    lines = [f"Line {n}." for n in range(1001)]
    page.locator("#lines").fill("\n".join(lines[:3] * 400))
    expect(page.locator("#said")).to_contain_text("The first 1,000 of 1,200 sentences")


SIZES = (6, 14, 25, 38, 45)  # sentences: each has a heatmap of its own kind
WIDTHS = (320, 768, 1280, 1440)
SOME = {("light", 6, 1440), ("light", 45, 320), ("dark", 14, 320)}


@pytest.mark.thorough
@pytest.mark.parametrize("chosen", [SOME, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium, live, scheme, chosen):
    """Nor does the page scroll sideways."""
    from axe_playwright_python import base

    script = (Path(base.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = opened(chromium, live, color_scheme=scheme, bypass_csp=True)
    page.evaluate(script)
    page.locator("#why summary").click()
    expect(page.locator("#why table").nth(1)).to_be_visible(timeout=30_000)
    page.locator("#guessing").click()
    page.locator("#guessing").click()
    violations = {}
    for n in SIZES:
        fill_list(page, [f"Text {n} about cats." for n in range(n)])
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(200)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if chosen is None or (scheme, n, width) in chosen:
                violations[n, width] = page.evaluate(AXE)
    page.context.close()
    assert {where: found for where, found in violations.items() if found} == {}
    assert violations


def test_touch_reads_a_cell(chromium, live):
    page = opened(chromium, live, has_touch=True, viewport={"width": 360, "height": 740})
    page.locator("#list .heat tbody td").nth(3).tap()
    expect(page.locator(".readout strong")).to_have_text(re.compile(r"^-?[01]\.\d{4}$"))
    page.locator("#guessing").tap()
    expect(page.locator("#guess")).to_be_visible()
    page.context.close()


def test_a_browser_without_webassembly_is_told(chromium, live, tmp_path):
    """As where a policy forbids it."""
    forbidden = tmp_path / "forbidden.html"
    forbidden.write_text(live.read_text("utf-8").replace(" 'wasm-unsafe-eval'", ""), "utf-8")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(forbidden.as_uri())
    expect(page.locator("#state")).to_contain_text("does not allow WebAssembly", timeout=60_000)
    context.close()


def test_only_this_page_may_compile(live):
    html = live.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.count("'wasm-unsafe-eval'") == 1
    assert "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
    assert not re.search(r"\s(src|href)\s*=\s*[\"']?https?:", html)


@pytest.mark.thorough
def test_same_bytes_each_time_and_little_code(live, tmp_path):
    """All but weights, vocabulary and texts is code: script, styles, markup and engine."""
    again = build_live(folder=tmp_path)
    assert again.read_bytes() == live.read_bytes()
    html = live.read_text(encoding="utf-8")
    held = re.compile(
        r'(<script type="(?:text/plain|application/json)"[^>]*>).*?(?=</script>)', re.S
    )
    engine = (LIVE_FOLDER / "engine" / "encoder.wasm").stat().st_size
    assert len(held.sub(r"\1", html).encode()) + engine <= 59_900


def test_the_compiled_script_is_up_to_date():
    """Else: make engine."""
    compiled = (LIVE_FOLDER / "engine" / "page.js").read_text(encoding="utf-8")
    assert compiled.startswith(stamp(live_script()) + "\n")


@pytest.mark.thorough
def test_a_page_starts_with_somebodys_texts(chromium, tmp_path):
    """A list, pairs in a table, a title; compact, as the command makes it."""
    (tmp_path / "my list.txt").write_text("Dogs <b>bark</b>.\n\nCats meow.\nCats meow.\n", "utf-8")
    (tmp_path / "pairs.csv").write_text(
        "left,right\nPay 5 euros now.,Pay 7 euros now.\nIt rains.,The sun shines.\n", "utf-8"
    )
    given = {"SENTENCES": "my list.txt", "PAIRS": "pairs.csv", "COLUMN": "", "COMPACT": "1"}
    given |= {"TITLE": "For <you> & me"}
    done = stslab_live(tmp_path, given)
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "reports" / "live" / "my list-compact.html"
    assert done.stdout.startswith(f"{file.relative_to(tmp_path)}  (")
    page = opened(chromium, file)
    assert page.title() == "For <you> & me"
    expect(page.locator("#said")).to_have_text("3 sentences, 1 repeated.")
    rows = page.locator("#pairs tbody tr")
    expect(rows).to_have_count(2)
    assert "numbers" in rows.nth(0).inner_text()
    rows.nth(1).get_by_role("button").click()
    expect(page.locator("#a")).to_have_value("It rains.")
    assert page.heard == [file.as_uri()]
    page.context.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SENTENCES": "a.txt", "CORPUS": "a.txt"}, "the page holds one list"),
        ({"SENTENCES": "none.txt"}, "none.txt"),
        ({"SENTENCES": "many.txt"}, "many.txt: 1,001 rows, and the page takes 1,000"),
        ({"SENTENCE": "a.txt"}, "SENTENCE=…: make live takes no such variable. Did you mean"),
        ({"MODEL": "no/such"}, "no/such"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path, given, said):
    (tmp_path / "a.txt").write_text("One.\nTwo.\n")
    (tmp_path / "many.txt").write_text("".join(f"Line {n}.\n" for n in range(1001)))
    done = stslab_live(tmp_path, given)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.glob("reports/live/*.html"))


def stslab_live(folder, given):
    """Run the command as make does."""
    handed = {f"STSLAB_REQUEST_{name}": value for name, value in given.items()}
    environment = {**os.environ, **handed, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "stslab.cli", "live"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
