"""The student edition of each notebook, with every answer that its exercises are known to get.

A learner answers one exercise after the other in one kernel, trying what is wrong first; so does
each test here. What is tried stands in ``notebooks/exercises/``.
"""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from lessons import QUICKER

from stslab import jaccard
from stslab.report.editions.cells import (
    GUESS,
    exercise_cells,
    solved_edition,
    student_edition,
    without_annotations,
)
from stslab.report.editions.exercises import Lesson, read_lesson
from stslab.report.messages import RequestError
from stslab.report.request.source import is_report, read_source
from stslab.report.request.yaml_text import parse_yaml
from stslab.report.running.run import Work, run
from stslab.workshop.answers import Answers
from stslab.workshop.checking import CHANGED, UNANSWERED, check, judge
from stslab.workshop.comparing import kind, plain, values_agree
from stslab.workshop.results import seal

SOURCES = {path.stem: (path, read_source(path)) for path in sorted(ROOT.glob("notebooks/*.ipynb"))}
RIGHT = parse_yaml((ROOT / "tests" / "right_answers.yaml").read_text("utf-8"))[0]
LESSONS = [name for name, (_, source) in SOURCES.items() if not is_report(source)]


def lesson_of(name: str) -> Lesson:
    return read_lesson(*SOURCES[name])


def right_of(name: str, key: str) -> list[str]:
    return RIGHT[f"{name}/{key}"]


def tried(name: str, lesson: Lesson) -> list[tuple[str, str, str]]:
    """List what a learner may write: the exercise, what it is, and the answer."""
    return [
        (key, what, answer)
        for key, each in lesson.exercises.items()
        for what, answer in [
            ("empty", each.answer),
            *((f"wrong {n}", f"{each.answer}\n{w.answer}") for n, w in enumerate(each.wrong, 1)),
            ("solution", each.solution),
            *((f"right {n}", f"{each.answer}\n{a}") for n, a in enumerate(right_of(name, key), 1)),
        ]
    ]


# A kernel for each lesson takes long: `make test` runs these three.
QUICK = ("03_installation", "05_sentence_pairs", "08_heatmap")
FURTHER = {name: [] if name in QUICK else [pytest.mark.thorough] for name in LESSONS}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=marks) for name, marks in FURTHER.items()]
)
def outcome(request: Any, tmp_path_factory: Any) -> tuple[Lesson, dict[tuple[str, str], str], Any]:
    """Run a student edition, then every answer and its check; give what each check said."""
    name = request.param
    lesson, source = lesson_of(name), SOURCES[name][1]
    notebook = student_edition(source, name, lesson.exercises)
    attempts = tried(name, lesson)
    for number, (key, what, answer) in enumerate(attempts):
        for cell in exercise_cells(name, key, lesson.exercises[key], answer):
            if cell["source"] == GUESS and what == "solution":
                cell["source"] = "guess = 0.5"
            notebook["cells"].append({**cell, "id": f"{number}-{cell['id']}"})
    reading = (
        "import pathlib\n(file,) = pathlib.Path().glob('results-*.json')\nprint(file.read_text())"
    )
    last = notebook["cells"][-1]
    notebook["cells"].append({**last, "id": "handed-in", "source": reading})
    sealed = seal(tmp_path_factory.mktemp("checks"), name, lesson)
    place = {"checks": (sealed.name, sealed)}
    # The kernel finds the checks where a learner's does; the parameter itself is nobody's.
    values = QUICKER.get(name, {})
    done = run(Work(name, json.dumps(notebook), values, place, kernel="warm"))
    assert done.error is None, done.error
    says = {}
    for cell in json.loads(done.notebook)["cells"]:
        if found := re.fullmatch(r"(\d+)-.*-check", cell["id"]):
            (output,) = cell["outputs"]
            says[attempts[int(found[1])][:2]] = "".join(output["data"]["text/plain"])
    (printed,) = json.loads(done.notebook)["cells"][-1]["outputs"]
    return lesson, says, json.loads("".join(printed["text"]))


def test_each_solution_passes(outcome: Any) -> None:
    lesson, says, _ = outcome
    wrong = {key: says[key, "solution"] for key in lesson.exercises}
    assert {key: said for key, said in wrong.items() if not said.startswith("Right.")} == {}


def test_a_right_answer_passes_in_whatever_form(outcome: Any) -> None:
    lesson, says, _ = outcome
    right = {case: said for case, said in says.items() if case[1].startswith("right ")}
    assert {key for key, _ in right} == {*lesson.exercises}
    assert {case: said for case, said in right.items() if not said.startswith("Right.")} == {}


def test_an_empty_answer_is_told_what_to_do(outcome: Any) -> None:
    lesson, says, _ = outcome
    empty = {key: said for (key, what), said in says.items() if what == "empty"}
    assert empty == dict.fromkeys(lesson.exercises, UNANSWERED)


def test_each_usual_wrong_answer_gets_its_own_hint(outcome: Any) -> None:
    lesson, says, _ = outcome
    expected = {
        (key, f"wrong {number}"): f"Not yet. {wrong.hint}"
        for key, each in lesson.exercises.items()
        for number, wrong in enumerate(each.wrong, 1)
    }
    assert {key: said for key, said in says.items() if key in expected} == expected


def test_a_guess_of_a_score_is_set_beside_it_and_handed_in(outcome: Any) -> None:
    lesson, says, handed_in = outcome
    scored = [key for key, each in lesson.exercises.items() if each.scored]
    noted = {each["exercise"].partition("/")[2]: each for each in handed_in["guesses"]}
    assert {*scored} <= noted.keys()
    for key in scored:
        assert re.search(
            r"You guessed 0\.5; it is -?[01](\.\d+)?(e-\d+)?\.$", says[key, "solution"]
        )
        assert noted[key]["guess"] == 0.5


def test_what_is_handed_in_tells_tries_and_no_name(outcome: Any) -> None:
    lesson, _, handed_in = outcome
    assert not Answers.model_validate(handed_in).name
    checks = {each["exercise"].partition("/")[2]: each for each in handed_in["checks"]}
    assert {key: (each["passed"], each["tries"]) for key, each in checks.items()} == {
        key: (True, len(each.wrong) + 1) for key, each in lesson.exercises.items()
    }


@pytest.mark.parametrize("name", LESSONS)
def test_no_hint_gives_the_answer(name: str) -> None:
    """The hint of a number names no number that the solution's code would show as the answer."""
    for each in lesson_of(name).exercises.values():
        code = [line.strip() for line in each.solution.splitlines() if len(line) > 20]
        for hint in [each.hint, *(wrong.hint for wrong in each.wrong)]:
            assert not [line for line in code if line in hint]
            assert hint == hint.strip()
            assert hint[-1] in ".?"


@pytest.mark.parametrize("name", LESSONS)
def test_exercises_rise_from_a_small_one_to_the_learners_own_sentences(name: str) -> None:
    lesson, (_, source) = lesson_of(name), SOURCES[name]
    assert 2 <= len(lesson.exercises) <= 3
    *_, (last, exercise) = lesson.exercises.items()
    assert last.startswith("own-")
    assert "**Your own.**" in exercise.task
    hints = [wrong.hint for each in lesson.exercises.values() for wrong in each.wrong]
    assert len({*hints}) == len(hints)
    minutes = sum(each.minutes for each in lesson.exercises.values())
    (time,) = re.findall(r"\*\*Time:\*\* (\d+) .*; (\d+) more", source["cells"][0]["source"])
    assert time == (str(lesson.minutes), str(minutes))


@pytest.mark.parametrize("name", LESSONS)
def test_the_student_edition_holds_no_solution_and_no_annotation(name: str) -> None:
    lesson, source = lesson_of(name), SOURCES[name][1]
    text = _code_and_prose(student_edition(source, name, lesson.exercises))
    whole = _code_and_prose(solved_edition(source, name, lesson.exercises))
    for each in lesson.exercises.values():
        assert each.solution.strip() not in text
        assert each.solution.strip() in whole
        assert not [wrong for wrong in each.wrong if wrong.hint in text]
    (cell,) = [c for c in source["cells"] if "parameters" in c["metadata"].get("tags", ())]
    plain_code = without_annotations(cell["source"])
    given: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    exec(cell["source"], given[0])
    exec(plain_code, given[1])
    values = {key: value for key, value in given[1].items() if not key.startswith("__")}
    assert values
    assert {key: given[0][key] for key in values} == values
    assert not re.search(r"^\w+\s*:", plain_code, re.M)


def _code_and_prose(notebook: dict[str, Any]) -> str:
    return "\n".join(cell["source"] for cell in notebook["cells"])


def test_the_checks_are_not_read_by_accident(tmp_path: Path) -> None:
    """They hold the solution, in a form that nobody reads in passing."""
    lesson = lesson_of("01_what_is_sts")
    text = seal(tmp_path, "01_what_is_sts", lesson).read_text()
    assert "overlap" not in text
    assert seal(tmp_path, "01_what_is_sts", lesson).read_text() == text


def test_exercises_that_do_not_fit_their_notebook_are_refused(tmp_path: Path) -> None:
    path, source = SOURCES["01_what_is_sts"]
    (tmp_path / "exercises").mkdir()
    copied = tmp_path / "exercises" / f"{path.stem}.yaml"
    with pytest.raises(RequestError, match="cannot be read"):
        read_lesson(tmp_path / path.name, source)
    text = (path.parent / "exercises" / copied.name).read_text("utf-8")
    copied.write_text(text.replace("  overlap:", "  overlaps:"), "utf-8")
    with pytest.raises(RequestError, match=r"it has overlaps, .*solution are overlap, "):
        read_lesson(tmp_path / path.name, source)
    copied.write_text(text.replace("minutes: 4", "minutes: 0"), "utf-8")
    with pytest.raises(RequestError, match="exercises: overlap: minutes: "):
        read_lesson(tmp_path / path.name, source)


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ([[0.48]], 0.4804, True),
        (0.49, 0.4804, False),
        (3, 3.0, True),
        (True, 1, False),
        (float("nan"), float("nan"), True),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1.001}, {"a": 1}, True),
        ("Sentence set ", "sentence set", True),
        (Fraction(3, 5), 0.6, True),
        (range(3), [0, 1, 2], True),
        (10**400, 0.6, False),
        (None, 0, False),
    ],
)
def test_right_answers_come_in_many_forms(given: Any, wanted: Any, expected: bool) -> None:
    assert values_agree(plain(given), plain(wanted)) is expected


def test_a_value_is_named_in_a_learners_words() -> None:
    named = [kind(plain(each)) for each in (0.5, [1, 2], "text", True, None, [[3]])]
    assert named == ["a number", "a list of 2", "a text", "yes or no", "None", "a number"]


class Unlike:
    """An object that will not be compared or iterated."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparing")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "text",
        "",
        [],
        [[]],
        ["", ""],
        [None],
        5,
        10**400,
        float("nan"),
        True,
        {"a": 1},
        {"a", "b"},
        (0, 6),
        ["word"] * 100_000,
        Unlike(),
        float,
        len,
        lambda text: 1 / 0,
        iter([0.5]),
        np.zeros(0),
        pd.DataFrame({"a": [1]}),
    ],
)
def test_an_answer_of_any_kind_gets_words_and_no_error(given: Any) -> None:
    exercises = lesson_of("01_what_is_sts").exercises
    own = {"re": re, "jaccard": jaccard, "model": None} | dict.fromkeys(("overlap", "mine"), given)
    for key in ("overlap", "own-paraphrase"):
        verdict = judge(exercises[key], own | {"mine_again": given})
        assert not verdict.passed
        assert verdict.message.startswith("Not yet. ")
    function = lesson_of("03_installation").exercises["is-installed"]
    assert function.hint in judge(function, {"importlib": importlib, "is_installed": given}).message


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def inside_itself() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def raising(error: BaseException, *methods: str, base: type = object) -> Any:
    """Make an object with methods that raise an error."""

    def method(*_: Any) -> Any:
        raise error

    return type("Raising", (base,), dict.fromkeys(methods, method))()


class Wordless(Exception):
    """An error that cannot be written down."""

    def __str__(self) -> str:
        raise SystemExit


class Meta(type):
    """A type that will not be asked anything."""

    def __getattribute__(cls, name: str) -> Any:
        raise ValueError(name)

    def __hash__(cls) -> int:
        raise ValueError


class Endless(list):  # type: ignore[type-arg]
    """A list without an end."""

    def __iter__(self) -> Iterator[int]:
        return count()


def of_meta() -> Any:
    return Meta("OfMeta", (), {})


WORDS = ("__str__", "__repr__", "__format__")
METHODS = ("__eq__", "__iter__", "__len__", "__abs__", "__bool__", "__float__", "__lt__")
HOSTILE: dict[str, Callable[[], Any]] = {
    "400 digits": lambda: 10**400,
    "5000 digits": lambda: 10**5000,
    "minus 5000 digits": lambda: -(10**5000),
    "a list inside itself": inside_itself,
    "100,000 deep": lambda: deep(100_000),
    "a signaling NaN": lambda: Decimal("sNaN"),
    "a range": lambda: range(10**7),
    "a range without a length": lambda: range(10**30),
    "3 million numbers": lambda: [0.5] * 3_000_000,
    "an array": lambda: np.zeros((3000, 1000)),
    "a table": lambda: pd.DataFrame(np.zeros((3000, 1000))),
    "a long text": lambda: "word " * 10**6,
    "half a character": lambda: "\ud800",
    "a list without an end": lambda: Endless([1]),
    "a metaclass that raises": lambda: of_meta()(),
    "a type of it": of_meta,
}
for end in (SystemExit(), KeyboardInterrupt(), GeneratorExit(), Wordless(), RecursionError()):
    name = type(end).__name__
    HOSTILE |= {
        f"words that raise {name}": partial(raising, end, *WORDS),
        f"a list that raises {name}": partial(raising, end, "__iter__", base=list),
        f"methods that raise {name}": partial(raising, end, *WORDS, *METHODS, "tolist", "shape"),
        f"a number that raises {name}": partial(raising, end, *WORDS, *METHODS, base=float),
    }


@pytest.mark.parametrize("what", HOSTILE)
def test_no_answer_and_no_guess_loses_its_verdict(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Nor does it end the kernel; a right answer is recorded, whatever was guessed."""
    value = HOSTILE[what]()
    monkeypatch.chdir(tmp_path)
    lesson = lesson_of("01_what_is_sts")
    seal(tmp_path, "01_what_is_sts", lesson)
    own = {"re": re, "jaccard": jaccard, "model": None}
    for key, names in {"overlap": ["overlap"], "own-paraphrase": ["mine", "mine_again"]}.items():
        verdict = judge(lesson.exercises[key], own | dict.fromkeys(names, value))
        assert verdict.message
        check(f"01_what_is_sts/{key}", own | dict.fromkeys(names, value) | {"guess": value})
    capsys.readouterr()
    check("01_what_is_sts/overlap", own | {"overlap": 0.6, "guess": value})
    said = capsys.readouterr().out
    assert "Right. You" in said
    assert "could not be noted" not in said
    said.encode()
    (results,) = tmp_path.glob("results-*.json")
    noted = {
        check.exercise: check for check in Answers.model_validate_json(results.read_text()).checks
    }
    assert noted["01_what_is_sts/overlap"].passed


@pytest.mark.slow
@pytest.mark.parametrize("what", HOSTILE)
def test_no_answer_takes_long_to_judge(what: str) -> None:
    """Five seconds are enough for any, with its guess; what is too large is not read to its end."""
    value = HOSTILE[what]()
    exercises = lesson_of("01_what_is_sts").exercises
    variables = {"re": re, "jaccard": jaccard, "model": None}
    began = time.monotonic()
    judge(exercises["overlap"], variables | {"overlap": value})
    judge(exercises["own-paraphrase"], variables | {"mine": value, "mine_again": value})
    assert time.monotonic() - began < 5


def test_an_interruption_by_the_learner_is_no_answer() -> None:
    """Ctrl-C, in JupyterLab the square, ends the cell also while an answer is looked at."""
    overlap = lesson_of("01_what_is_sts").exercises["overlap"]

    class Slow:
        def tolist(self) -> Any:
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            judge(overlap, {"re": re, "overlap": Slow()})
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert judge(overlap, {"re": re, "overlap": 0.6}).passed
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_answer_is_looked_at_in_another_thread_as_well() -> None:
    """Signals are no matter there."""
    overlap = lesson_of("01_what_is_sts").exercises["overlap"]
    with ThreadPoolExecutor(1) as pool:
        for value, passed in ((0.6, True), (raising(SystemExit(), "tolist"), False)):
            assert (
                pool.submit(judge, overlap, {"re": re, "overlap": value}).result().passed is passed
            )


def test_an_answer_of_the_wrong_kind_is_told_what_it_is() -> None:
    overlap = lesson_of("01_what_is_sts").exercises["overlap"]
    says = {
        shown: judge(overlap, {"re": re, "overlap": shown}).message for shown in ("0.6", (0, 6))
    }
    assert "This is a text, and a number is asked for." in says["0.6"]
    assert "Did you write a comma for the decimal point?" in says[0, 6]


def test_a_check_knows_a_variable_that_has_changed_from_a_wrong_answer() -> None:
    overlap = lesson_of("01_what_is_sts").exercises["overlap"]
    assert judge(overlap, {"re": 5, "overlap": 0.6}).message.startswith(CHANGED)
    hidden = {"re": re, "overlap": 0.6, "len": 5, "sum": 7}
    assert judge(overlap, hidden).passed


def test_a_results_file_that_cannot_be_read_hides_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    seal(tmp_path, "01_what_is_sts", lesson_of("01_what_is_sts"))
    (tmp_path / "results-0123abcd.json").write_text("{")
    check("01_what_is_sts/overlap", {"re": re, "overlap": 0.6, "guess": "more."})
    said = capsys.readouterr().out
    assert "Right. Your guess was: more." in said
    assert "This could not be noted for the class: " in said
