"""The page in which a class rates pairs first, in a real browser from a file, without a network."""

from __future__ import annotations

import re
from pathlib import Path

import page_fixtures as fixtures
import pytest
from conftest import AXE, READY, ROOT
from playwright.sync_api import expect
from scipy.stats import spearmanr

from stslab import read_pairs
from stslab.inputs.checks import InputError
from stslab.workshop.gathering import gather, pair_ids
from stslab.workshop.rating import build_rating_page

pytestmark = pytest.mark.thorough

PAIRS = read_pairs(ROOT / "notebooks" / "exercises" / "pairs-to-rate.csv").table
TEXTS = list(zip(PAIRS["sentence_a"], PAIRS["sentence_b"], strict=True))
SCORES = [round((7 * n % 20) / 20 - 0.1234, 4) for n in range(20)]
MARKS = [n * n % 6 for n in range(20)]
SCORE = re.compile(r"[−-]?\d\.\d{4}")


@pytest.fixture(scope="module")
def rate(tmp_path_factory) -> Path:
    return build_rating_page(TEXTS, SCORES, tmp_path_factory.mktemp("rate"))


def opened(chromium, file, **options):
    """Open a page offline; what it says and asks for is kept."""
    context = chromium.new_context(**{"offline": True, "accept_downloads": True} | options)
    page = context.new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.heard.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector(READY)
    return page


def rate_all(page):
    for number, mark in enumerate(MARKS, start=1):
        page.locator(f"#pair-{number} input").nth(mark).check()


def saved(page, folder) -> Path:
    with page.expect_download() as waiting:
        page.locator("button[type=submit]").click()
    return kept(waiting.value, folder)


def kept(download, folder) -> Path:
    file = folder / download.suggested_filename
    download.save_as(file)
    return file


def letters(text):
    """Leave what no browser replaces: neither spaces nor characters that cannot be shown."""
    return re.sub(r"[^\w<>/=\"'()]", "", text)


@pytest.mark.browser
def test_all_is_rated_by_keyboard_and_scores_come_after(chromium, rate, tmp_path):
    """Tab, arrows and Enter; the file is what a class hands in, under the name given."""
    page = opened(chromium, rate)
    while page.evaluate("document.activeElement.name") != "pair-1":
        page.keyboard.press("Tab")
    for number, mark in enumerate(MARKS, start=1):
        assert page.evaluate("document.activeElement.name") == f"pair-{number}"
        page.keyboard.press("Space")  # a group without a choice is entered at its first
        for _ in range(mark):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
    expect(page.locator("#count")).to_have_text("20 of 20 rated.")
    page.keyboard.type("Zoë <b>")
    assert not SCORE.search(page.locator("body").inner_text())
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    file = kept(waiting.value, tmp_path)
    expect(page.locator("#result")).to_be_focused()
    shown = page.locator("fieldset .score").all_text_contents()
    written = [f"{score:.4f}".replace("-", "−") for score in SCORES]
    both = zip(MARKS, written, strict=True)
    assert shown == [f"You: {mark}. The model: {score}." for mark, score in both]
    agreement = f"{spearmanr(MARKS, SCORES).statistic:.2f}".replace("-", "−")
    expect(page.locator("#agreement")).to_contain_text(
        f"Over 20 pairs, your order and the model’s agree with a Spearman correlation of "
        f"{agreement}"
    )
    assert re.fullmatch(r"ratings-[0-9a-f]{8}\.json", file.name)
    (learner,) = gather(tmp_path).learners
    assert learner.name == "Zoë <b>"
    assert learner.ratings == dict(zip(pair_ids(PAIRS), MARKS, strict=True))
    assert [each for each in page.heard if not each.startswith("blob:")] == [rate.as_uri()]
    page.context.close()


@pytest.mark.browser
def test_what_is_left_is_named_and_may_be_left(chromium, rate, tmp_path):
    """Nothing is saved at the first press; ratings are locked once the scores are seen."""
    page = opened(chromium, rate)
    button = page.locator("button[type=submit]")
    button.click()
    expect(page.locator("#said")).to_have_text("Rate at least one pair first.")
    rate_all(page)
    page.reload()
    page.wait_for_selector(READY)
    assert page.locator("input:checked").count() == 0  # as the page says
    for number in range(1, 18):
        page.locator(f"#pair-{number} input").nth(number % 6).check()
    button.click()
    expect(page.locator("#said")).to_contain_text("Not rated: 18, 19, 20.")
    assert not page.locator("#result").is_visible()
    file = saved(page, tmp_path)
    (learner,) = gather(tmp_path).learners
    assert (len(learner.ratings), learner.name) == (17, "")
    assert '"name"' not in file.read_text("utf-8")
    expect(page.locator("#pair-20 .score")).to_contain_text("Not rated. The model:")
    assert page.locator("fieldset input:enabled").count() == 0
    first = file.read_bytes()
    expect(button).to_have_text("Save the file again")
    assert saved(page, tmp_path).read_bytes() == first
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("same", [True, False])
def test_no_correlation_is_made_up(chromium, rate, tmp_path, same):
    """Of ratings that are all the same, or of a few."""
    page = opened(chromium, rate)
    for number in range(1, 21 if same else 5):
        page.locator(f"#pair-{number} input").nth(3 if same else number).check()
    if not same:
        page.locator("button[type=submit]").click()
    saved(page, tmp_path)
    expect(page.locator("#agreement")).to_contain_text("five ratings or more that are not all")
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_before_and_after(chromium, rate, tmp_path, scheme):
    """On a phone and a wide screen; nor does the page scroll sideways, or keep anything."""
    from axe_playwright_python import base

    page = opened(chromium, rate, color_scheme=scheme, bypass_csp=True)
    page.evaluate((Path(base.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = {}
    for when in ("before", "after"):
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found[when, width] = page.evaluate(AXE)
        if when == "before":
            rate_all(page)
            saved(page, tmp_path)
    page.locator("#theme").click()
    kept = "[localStorage.length, sessionStorage.length, document.cookie]"
    assert page.evaluate(kept) == [0, 0, ""]
    page.context.close()
    assert {where: each for where, each in found.items() if each} == {}


@pytest.mark.browser
def test_hostile_sentences_are_texts(chromium, tmp_path):
    texts = [text for text in dict.fromkeys(fixtures.HOSTILE) if text.strip()]
    pairs = list(zip(texts, texts[::-1], strict=True))
    file = build_rating_page(pairs, [0.5] * len(pairs), tmp_path)
    page = opened(chromium, file)
    shown = page.locator("fieldset .says").all_text_contents()
    assert list(map(letters, shown)) == [letters(text) for pair in pairs for text in pair]
    assert page.evaluate("window.hit") is None
    assert page.locator("main :is(iframe, img, svg, script, style, a, video, object)").count() == 0
    assert page.heard == [file.as_uri()]
    page.context.close()


def test_the_page_is_small_complete_and_the_same_bytes_each_time(rate, tmp_path):
    again = build_rating_page(TEXTS, SCORES, tmp_path)
    html = again.read_bytes()
    assert html == rate.read_bytes()
    assert len(html) < 60_000
    assert not re.search(rb"\s(src|href)\s*=\s*[\"']?https?:", html)


def test_the_pairs_are_twenty_and_new():
    """Nothing of the tutorial; from the same meaning to nothing in common."""
    assert len(PAIRS) == 20
    tutorial = "".join(p.read_text("utf-8") for p in (ROOT / "notebooks").glob("0*.ipynb"))
    texts = [text for pair in TEXTS for text in pair]
    assert [text for text in texts if text in tutorial] == []
    assert len(set(texts)) == 40


@pytest.mark.parametrize(
    ("pairs", "scores", "said"),
    [
        ([], [], "expected as many scores as pairs, at least one, got 0 pairs"),
        ([("a", "b")], [0.1, 0.2], "got 1 pairs and 2 scores"),
        (
            [("a", "b"), ("c", "d"), ("a", "b")],
            [0, 0, 0],
            r"pairs\[2\]: \('a', 'b'\) is there twice",
        ),
    ],
)
def test_what_cannot_be_rated_is_refused(pairs, scores, said, tmp_path):
    with pytest.raises(InputError, match=said):
        build_rating_page(pairs, scores, tmp_path)
    assert list(tmp_path.iterdir()) == []
