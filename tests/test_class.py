"""What a class hands in → one page: right figures, broken files named, nobody's text markup."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import AXE, READY, ROOT
from lessons import code_of, executed, said, slips, table
from scipy.stats import spearmanr

from stslab import read_pairs, score_pairs
from stslab.inputs.checks import InputError
from stslab.report.editions.exercises import exercise_names, read_lessons
from stslab.report.messages import RequestError
from stslab.report.reproducing.reproduce import reproduce
from stslab.workshop.answers import pair_id
from stslab.workshop.describing import describe_checks, describe_files
from stslab.workshop.gathering import (
    MOST_TRIES,
    checks_table,
    gather,
    pair_ids,
    ratings_table,
    read_gathered,
)
from stslab.workshop.statistics import (
    agreement_with_others,
    check_failures,
    class_means,
    guess_errors,
)

pytestmark = pytest.mark.thorough

NOTEBOOK = ROOT / "notebooks" / "report_class.ipynb"
PAIRS_FILE = ROOT / "notebooks" / "exercises" / "pairs-to-rate.csv"
PAIRS = read_pairs(PAIRS_FILE).table
IDS = pair_ids(PAIRS)
MEANT = np.array([1, 5, 0, 5, 2, 1, 2, 3, 0, 1, 5, 1, 3, 5, 0, 5, 2, 1, 4, 0])
NAMES = {0: "<script>window.hit=1</script>", 7: "=1+1", 13: "Zoë"}
OWN, COSINE = "05_sentence_pairs/own-partner", "02_embeddings/cosine"


def answers(number=0, **parts):
    """Write down what one learner hands in."""
    return {"format": "stslab-class", "version": 1, "learner": f"feed{number:04x}", **parts}


def rated(marks, ids=IDS):
    return [{"pair": pair, "rating": mark} for pair, mark in zip(ids, marks, strict=False)]


def learner(number):
    """Make up a learner with everything; every fourth rates half of the pairs."""
    random = np.random.default_rng(number)
    marks = np.clip(MEANT + random.integers(-1, 2, size=20), 0, 5).tolist()
    scores = random.uniform(-0.1, 1, size=7 + number % 3).round(4)
    off = random.choice([-1, 1], size=len(scores)) * np.linspace(0.4, 0.1, len(scores))
    guesses = np.clip(scores + off, -1, 1).round(2)
    hint = ["", "divide by the union", "<img src=x onerror=window.hit=1>"][number % 3]
    checks = [{"exercise": OWN, "passed": number % 5 > 0, "tries": 1 + number % 4, "hint": hint}]
    checks.append({"exercise": COSINE, "passed": True, "tries": 1, "hint": ""})
    return answers(
        number,
        **({"name": NAMES[number]} if number in NAMES else {}),
        ratings=rated(marks[: 10 if number % 4 == 0 else 20]),
        guesses=[{"guess": g, "score": s} for g, s in zip(guesses, scores.tolist(), strict=True)],
        checks=checks,
    )


LEARNERS = [learner(number) for number in range(25)]
WHOLE = json.dumps(LEARNERS[3])
SEVEN = json.dumps(answers(30, ratings=rated([1, 7])))
BROKEN = {
    "cut.json": (WHOLE[:200].encode(), "Not JSON ("),
    "seven.json": (
        SEVEN.encode(),
        "Ratings, item 2, rating: expected less than or equal to 5, got 7",
    ),
    "nan.json": (SEVEN.replace(": 7", ": NaN").encode(), "expected a finite number"),
    "text.json": (SEVEN.replace(": 7", ': "5"').encode(), "expected a number, got '5'"),
    "true.json": (SEVEN.replace(": 7", ": true").encode(), "expected a number, got True"),
    "list.json": (b"[]", "The file: expected an object, got []"),
    "other.json": (b'{"cells": [], "format": 4}', "Format: expected 'stslab-class', got 4"),
    "more.json": (json.dumps(answers(1, mail="a@b")).encode(), "Mail is unknown"),
    "mark.json": (SEVEN.replace("feed", "FEED").encode(), "Learner: expected digits from 0 to f"),
    "less.json": (b'{"format": "stslab-class", "version": 1}', "Learner is missing"),
    "empty.json": (json.dumps(answers(1)).encode(), "Holds no ratings, guesses or checks"),
    "twice.json": (json.dumps(answers(1, ratings=rated([1, 1], IDS[:1] * 2))).encode(), "twice"),
    "latin.json": (
        json.dumps(answers(1, name="Zoë"), ensure_ascii=False).encode("cp1252"),
        "Not UTF-8",
    ),
    "huge.json": (b" " * 1_000_001, "Larger than 1 MB"),
    "deep.json": (b"[" * 100_000, "Not JSON ("),
    "<img src=x onerror=window.hit=1>.json": (b"{", "Not JSON"),
}


def hand_in(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, bytes | str) else json.dumps(content)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory) -> Path:
    """25 learners: one in three files, one twice; and files that are broken."""
    files = {f"answers-{n:02}.json": each for n, each in enumerate(LEARNERS) if n != 5}
    for part in ("ratings", "guesses", "checks"):
        files[f"{part}-05.json"] = answers(5, **{part: LEARNERS[5][part]})
    files["answers-08 (1).json"] = LEARNERS[8]
    files["answers-09.json"] = answers(9, ratings=rated([0, 0, 5]), checks=LEARNERS[9]["checks"])
    files["answers-09 (1).json"] = LEARNERS[9]
    files |= {name: content for name, (content, _) in BROKEN.items()}
    return hand_in(tmp_path_factory.mktemp("class") / "handed in", files)


def command(folder, reports, *options):
    """Run the command."""
    line = [sys.executable, "-m", "stslab.cli", "class", str(folder), "--reports", str(reports)]
    return subprocess.run([*line, *options], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(handed_in, tmp_path_factory):
    """Build the page once; give it, and what the command said."""
    reports = tmp_path_factory.mktemp("reports")
    done = command(handed_in, reports, "--title", "Our <b>class</b>")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{reports / 'class' / 'class.html'}\n"
    return reports / "class" / "class.html", done.stderr


def outputs(page):
    cells = json.loads(page.with_suffix(".ipynb").read_text("utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", ())]


def rows(page, name):
    return list(csv.DictReader(table(outputs(page), name).splitlines()))


def expected_ratings():
    made = [
        dict.fromkeys(IDS, np.nan) | {r["pair"]: r["rating"] for r in each["ratings"]}
        for each in LEARNERS
    ]
    return pd.DataFrame(made)


def expected_agreement(ratings):
    """Each against the mean of the others, pair by pair, by scipy alone."""
    found = []
    for number in range(len(ratings)):
        others = np.delete(ratings, number, axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pair that nobody else rated
            mean = np.nanmean(others, axis=0)
        both = ~np.isnan(ratings[number]) & ~np.isnan(mean)
        found.append(spearmanr(ratings[number][both], mean[both]).statistic)
    return found


# Gathering


def test_learners_are_counted_once_and_nothing_of_them_is_lost(handed_in):
    found = gather(handed_in)
    assert found.files == 24 + 3 + 1 + 1 + len(BROKEN)
    assert len(found.learners) == 25
    by_ratings = {tuple(each.ratings.items()): each for each in found.learners}
    for each in LEARNERS:
        kept = by_ratings[tuple((one["pair"], one["rating"]) for one in each["ratings"])]
        assert kept.name == each.get("name", "")
        assert [one.model_dump(exclude_defaults=True) for one in kept.guesses] == each["guesses"]
        assert [one.model_dump() for one in kept.checks] == each["checks"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_its_reason(handed_in, name):
    noted = {each.file: each.reason for each in gather(handed_in).broken}
    assert noted.keys() == BROKEN.keys()
    assert BROKEN[name][1] in noted[name]
    assert len(noted[name]) < 200


def test_what_comes_twice_is_said_and_the_later_file_counts(handed_in):
    noted = {each.file: each.reason for each in gather(handed_in).doubled}
    said = "Replaces what an earlier file of this learner says: 3 ratings, 2 checks."
    assert noted == {
        "answers-08 (1).json": "The same as answers-08.json; left out.",
        "answers-09 (1).json": said,
    }


def test_a_pair_not_rated_again_and_another_exercise_stay(tmp_path):
    check = {"passed": True, "tries": 1, "hint": ""}
    first = answers(ratings=rated([1, 2]), checks=[{"exercise": "a", **check}])
    later = answers(ratings=rated([5]), checks=[{"exercise": "b", **check}], name=" Bo ")
    found = gather(hand_in(tmp_path, {"a.json": first, "b.json": later}))
    (one,) = found.learners
    assert list(one.ratings.values()) == [5, 2]
    assert [each.exercise for each in one.checks] == ["a", "b"]
    assert one.name == "Bo"
    assert found.doubled[0].reason.endswith("says: 1 rating.")


def test_no_file_outside_the_folder_is_read_and_no_pipe_waited_for(tmp_path):
    outside = hand_in(tmp_path, {"secret.json": LEARNERS[1]})
    folder = hand_in(tmp_path / "class", {"a.json": LEARNERS[2], "._a.json": b"\0", "b.txt": b"x"})
    (folder / "link.json").symlink_to(outside / "secret.json")
    (folder / "gone.json").symlink_to(folder / "nothing")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    found = gather(folder)
    assert len(found.learners) == 1
    assert [each.file for each in found.broken] == ["gone.json", "link.json", "pipe.json"]
    assert "secret" not in found.model_dump_json()


def test_a_file_name_that_forges_lines_stays_one(tmp_path):
    name = os.fsdecode(b"a\n\x1b[2J\xff.json")
    folder = hand_in(tmp_path, {name: b"{", "b.json": LEARNERS[2]})
    (noted,) = gather(folder).broken
    assert noted.file == "a\\n\\x1b[2J\\udcff.json"


def test_a_mark_byte_of_an_editor_is_no_fault(tmp_path):
    folder = hand_in(tmp_path, {"a.json": b"\xef\xbb\xbf" + WHOLE.encode()})
    assert len(gather(folder).learners) == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, r"none: no such folder\. Give the one that holds"),
        ({}, r"none: no \.json files in this folder\. Learners save them"),
        (
            {"a.json": b"{", "b.json": b"[]"},
            r"(?s)none of 2 files can be used\..*  b\.json: The file",
        ),
    ],
)
def test_a_folder_without_answers_is_refused(tmp_path, files, message):
    if files is not None:
        hand_in(tmp_path / "none", files)
    with pytest.raises(RequestError, match=message):
        gather(tmp_path / "none")
    done = command(tmp_path / "none", tmp_path / "reports")
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1, 2, 6]], r"answers, learner 1: expected at most 20 ratings from 0 to 5"),
        ([[1], [1] * 21], r"answers, learner 2: expected at most 20 ratings"),
        ("a.json", r"a\.json: .*Expected a file that stslab class wrote\."),
    ],
)
def test_what_was_not_gathered_is_refused(tmp_path, given, message):
    if isinstance(given, str):
        given = hand_in(tmp_path, {given: LEARNERS[1]}) / given
    with pytest.raises(InputError, match=message):
        read_gathered(given, PAIRS)


def test_a_pair_is_known_by_its_two_texts_in_order():
    """As other writers of these files compute it."""
    assert pair_id("A cat.", "A dog.") == "0b488900a122"
    assert pair_id("A dog.", "A cat.") != "0b488900a122"


def flood(number, exercise="junk{}-{} " + "x" * 150, count=1900, tries=100_000):
    """Write down checks that a learner made up."""
    made_up = {"passed": False, "tries": tries, "hint": "Believe me."}
    checks = [{"exercise": exercise.format(number, n), **made_up} for n in range(count)]
    return answers(900 + number, checks=checks)


def test_invented_exercises_do_not_write_the_finding(tmp_path):
    """They are left out and counted, as ratings of unknown pairs are."""
    honest = {f"answers-{n:02}.json": each for n, each in enumerate(LEARNERS)}
    known = exercise_names(ROOT / "notebooks")
    wanted = gather(hand_in(tmp_path / "honest", honest), known)
    assert wanted.other_checks == 0
    floods = {f"flood-{n}.json": flood(n) for n in range(3)}
    floods["inside.json"] = flood(3, exercise="05_sentence_pairs/made-up{}-{}")
    found = gather(hand_in(tmp_path / "flooded", honest | floods), known)
    assert found.other_checks == 4 * 1900
    assert found.learners[:25] == wanted.learners
    of_all, of_honest = (check_failures(checks_table(each)) for each in (found, wanted))
    assert describe_checks(of_all) == describe_checks(of_honest)
    assert "7,600 checks of unknown exercises left out" in describe_files(found, PAIRS)
    again = read_gathered(
        hand_in(tmp_path, {"all.json": found.model_dump_json()}) / "all.json", PAIRS
    )
    assert again == found


def test_no_learner_counts_for_more_than_a_hundred_tries(tmp_path):
    """A file that says more is taken: somebody may have tried that often."""
    folder = hand_in(tmp_path, {"a.json": flood(0, exercise=OWN, count=1)})
    (one,) = gather(folder, exercise_names(ROOT / "notebooks")).learners
    assert [each.tries for each in one.checks] == [MOST_TRIES] == [100]


def test_the_known_exercises_are_those_of_the_lessons():
    lessons = read_lessons(ROOT / "notebooks")
    names = {f"{stem}/{name}" for stem, (_, each) in lessons.items() for name in each.exercises}
    assert exercise_names(ROOT / "notebooks") == names
    assert {OWN, COSINE} < names


# Statistics


@pytest.mark.parametrize("seed", range(5))
def test_agreement_with_others_is_that_of_scipy(seed):
    random = np.random.default_rng(seed)
    ratings = random.integers(0, 6, size=(6, 15)).astype(float)
    ratings[random.random(ratings.shape) < 0.2] = np.nan
    found = agreement_with_others(pd.DataFrame(ratings))
    assert found.to_numpy() == pytest.approx(expected_agreement(ratings))


def test_agreement_is_not_made_up():
    """Of fewer than five pairs, of ratings that are all alike, of one person, of nobody."""
    few = pd.DataFrame([[1, 2, 3, 4, np.nan], [1, 2, 3, 4, 5]])
    alike = pd.DataFrame([[3, 3, 3, 3, 3], [1, 2, 3, 4, 5]])
    one = pd.DataFrame([[1, 2, 3, 4, 5]])
    for ratings in (few, alike, one, one.iloc[:0]):
        assert agreement_with_others(ratings.astype(float)).isna().all()


def test_means_and_spread_are_those_of_numpy():
    ratings = expected_ratings()
    found = class_means(ratings)
    values = ratings.to_numpy(dtype=float)
    assert found["people"].tolist() == (~np.isnan(values)).sum(axis=0).tolist()
    assert found["gold_score"].to_numpy() == pytest.approx(np.nanmean(values, axis=0))
    assert found["spread"].to_numpy() == pytest.approx(np.nanstd(values, axis=0, ddof=1))


def test_of_an_odd_number_of_guesses_the_middle_is_in_neither_half():
    errors = guess_errors([[(0.1, 0), (0.2, 0), (1, 0), (0.4, 0), (-0.6, 0)], [(1, 0)]])
    assert errors.iloc[0].tolist() == pytest.approx([5, 0.15, 0.5])
    assert errors.iloc[1].isna().tolist() == [False, True, True]


def test_what_was_never_tried_did_not_fail():
    checks = [("a", False, 0, ""), ("b", False, 2, "x"), ("b", True, 2, "y"), ("b", True, 1, "y")]
    table = pd.DataFrame(checks, columns=["exercise", "passed", "tries", "hint"])
    (row,) = check_failures(table).to_dict("records")
    assert row == {
        "exercise": "b",
        "people": 3,
        "failed_tries": 3,
        "share_passed": pytest.approx(2 / 3),
        "share_first_try": pytest.approx(1 / 3),
        "hint": "y",
        "given": 2,
    }


# The page


def test_the_figures_are_right(built, model):
    page, _ = built
    ratings = expected_ratings().to_numpy(dtype=float)
    people = np.array(expected_agreement(ratings))
    means = np.nanmean(ratings, axis=0)
    scores = score_pairs(PAIRS, model=model)["score"].to_numpy()
    finding = said(outputs(page), "finding")[0]
    assert finding.startswith(
        f"One learner’s ratings agree with the mean of the others at a Spearman correlation of "
        f"{people.mean():.2f} (mean over 25 learners, from {people.min():.2f} to "
        f"{people.max():.2f}). The model’s scores agree with the class mean at "
        f"{spearmanr(scores, means).statistic:.2f} over 20 pairs (95 % interval "
    )
    low, high = map(float, re.search(r"interval (-?[\d.]+) to (-?[\d.]+)", finding).groups())
    assert low < spearmanr(scores, means).statistic < high
    by_pair = rows(page, "pairs")
    assert [float(row["class_mean"]) for row in by_pair] == pytest.approx(means, abs=1e-6)
    spread = np.nanstd(ratings, axis=0, ddof=1)
    assert [float(row["standard_deviation"]) for row in by_pair] == pytest.approx(spread, abs=1e-6)
    assert f"standard deviation of {spread.mean():.2f} (mean over 20 pairs" in " ".join(
        said(outputs(page), "text")
    )
    halves = []
    for each in LEARNERS:
        errors = [abs(one["guess"] - one["score"]) for one in each["guesses"]]
        half = len(errors) // 2
        halves.append((np.mean(errors[:half]), np.mean(errors[-half:])))
    first, last = np.mean(halves, axis=0)
    assert (
        f"off by {first:.2f} in the first half of a learner’s guesses and by {last:.2f}" in finding
    )
    own, cosine = rows(page, "checks")
    checks = [each["checks"][0] for each in LEARNERS]
    failed = sum(each["tries"] - each["passed"] for each in checks)
    once = np.mean([each["passed"] and each["tries"] == 1 for each in checks])
    assert (own["exercise"], cosine["exercise"]) == (OWN, COSINE)
    assert (int(own["failed_tries"]), float(own["share_first_try"])) == (
        failed,
        pytest.approx(once),
    )
    assert (own["hint_given_most"], own["to_people"]) == ("<img src=x onerror=window.hit=1>", "8")
    assert slips(outputs(page)) == []


def test_where_class_and_model_differ_most_is_farthest_from_the_line(built, model):
    page, _ = built
    means = np.nanmean(expected_ratings().to_numpy(dtype=float), axis=0)
    scores = score_pairs(PAIRS, model=model)["score"].to_numpy()
    off = np.abs(means - np.polyval(np.polyfit(scores, means, 1), scores))
    found = [int(row["pair"]) - 1 for row in rows(page, "disagreements")]
    assert found == np.argsort(-off)[:5].tolist()


def test_broken_and_doubled_files_are_named_by_page_and_command(built):
    page, heard = built
    files = {row["file"]: row["what"] for row in rows(page, "files")}
    assert [name for name, what in files.items() if what == "broken"] == sorted(
        BROKEN, key=lambda name: name.removesuffix(".json")
    )
    assert sum(what == "doubled" for what in files.values()) == 2
    assert all(name in heard for name in files)
    assert "25 learners from 45 files: 16 broken, 2 doubled." in html.unescape(
        page.read_text("utf-8")
    )


def test_no_name_is_shown_unless_given(built):
    """Nor the marks by which learners are told apart; and a name is no formula."""
    page, _ = built
    names = {int(row["learner"]): row["name"] for row in rows(page, "learners") if row["name"]}
    assert sorted(names.values()) == sorted(["<script>window.hit=1</script>", "'=1+1", "Zoë"])
    files = [path for path in page.parent.rglob("*.*") if path.suffix != ".png" and path.is_file()]
    published = "".join(path.read_text("utf-8") for path in files)
    assert [each["learner"] for each in LEARNERS if each["learner"] in published] == []


@pytest.mark.browser
def test_nobodys_text_is_markup(built, chromium):
    """No request, no message, nothing for axe, on a phone and a wide screen."""
    from axe_playwright_python import base

    page = chromium.new_context(offline=True, bypass_csp=True).new_page()
    heard = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(built[0].as_uri())
    page.wait_for_selector(READY)
    page.evaluate((Path(base.__file__).parent / "axe.min.js").read_text("utf-8"))
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        assert page.evaluate(AXE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.hit") is None
    assert page.locator("main :is(iframe, object, script, img[src='x'])").count() == 0
    assert "<img src=x onerror=window.hit=1>" in page.locator("main").inner_text()
    assert [each for each in heard if not each.startswith("data:image/")] == [built[0].as_uri()]
    page.context.close()


def test_the_page_is_the_same_bytes_and_can_be_made_from_what_was_gathered(built, tmp_path):
    page = tmp_path / "class.html"
    shutil.copyfile(built[0], page)
    outcome = reproduce(
        page,
        notebooks=ROOT / "notebooks",
        inputs={"answers": built[0].parent / "answers.json", "pairs_to_rate": PAIRS_FILE},
        kernel="warm",
        may_run=lambda _question: False,
        notify=lambda _text: None,
    )
    assert (outcome.verdict, outcome.differences) == ("identical", [])


def notebook_of(tmp_path, *handed):
    """Run the page's notebook on what some learners handed in."""
    files = {f"{number}.json": each for number, each in enumerate(handed)}
    gathered = gather(hand_in(tmp_path / "in", files)).model_dump_json().encode()
    given = {"answers": ("answers.json", gathered)}
    given["pairs_to_rate"] = (PAIRS_FILE.name, PAIRS_FILE.read_bytes())
    return executed(code_of(NOTEBOOK), files=given)


GUESSES = LEARNERS[1]["guesses"]
NOBODY = "Nobody rated a pair, so nothing can be said here."
NO_CHECKS = "No results of checks were handed in."
NO_GUESSES = "Nobody handed in two guesses, so there is no start and end."


@pytest.mark.parametrize(
    ("handed", "sentences", "shown"),
    [
        ([answers(1, guesses=GUESSES)], [NOBODY, NO_CHECKS], {"guesses"}),
        ([answers(1, guesses=GUESSES[:1])], [NOBODY, NO_GUESSES, NO_CHECKS], set()),
        ([answers(1, checks=LEARNERS[1]["checks"][1:])], [NOBODY, NO_GUESSES], {"checks"}),
        ([answers(1, ratings=rated([3], ["0" * 12]))], [NOBODY, NO_GUESSES, NO_CHECKS], set()),
        ([answers(1, ratings=rated([3]))], ["It takes two rated pairs to draw a line."], {"pairs"}),
        (
            [answers(1, ratings=rated([3] * 20)), answers(2, ratings=rated([3] * 20))],
            [NO_GUESSES, NO_CHECKS],
            {"main", "pairs", "disagreements"},
        ),
        (
            [answers(n, ratings=rated([1, 0, 5, n, 2, 3])) for n in (1, 2)],
            [NO_GUESSES],
            {"main", "pairs", "disagreements"},
        ),
    ],
)
def test_a_part_without_data_is_left_out_with_a_sentence(tmp_path, handed, sentences, shown):
    made = notebook_of(tmp_path, *handed)
    texts = said(made, "text")
    assert [each for each in sentences if each not in texts] == []
    names = {each["metadata"]["stslab"].get("name") for each in made} - {None, "learners"}
    assert names == shown
    assert slips(made) == []
    assert len(said(made, "finding")) == 1


def test_ratings_of_other_pairs_are_counted_and_left_out(tmp_path):
    made = notebook_of(tmp_path, answers(1, ratings=rated([1, 2]) + rated([3], ["0" * 12])))
    (finding,) = [each for each in made if each["metadata"]["stslab"]["kind"] == "finding"]
    assert finding["metadata"]["stslab"]["about"] == (
        "1 learner from 1 file: 1 rating of other pairs left out."
    )


def test_ratings_stand_under_their_pairs(tmp_path):
    """In whatever order a file holds them."""
    folder = hand_in(tmp_path, {"a.json": answers(ratings=rated([1, 2, 3])[::-1])})
    assert ratings_table(gather(folder), PAIRS).iloc[0, :4].tolist()[:3] == [1, 2, 3]
