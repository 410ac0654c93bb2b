"""A learner's answer → what is right, what is not, and a hint that does not give it away.

An answer is compared with what the solution gives in the learner's own notebook, so a check holds
for whatever sentences stand in its parameters cell. The usual wrong answers are run in the same
way: what matches one of them gets its hint.
"""

from __future__ import annotations

import base64
import builtins
import json
import secrets
from collections.abc import Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from inspect import isroutine
from pathlib import Path
from textwrap import shorten
from typing import Any

from ..report.editions.exercises import Exercise, Lesson
from .answers import FORMAT, VERSION

CHECKS = "checks"  # the folder beside the student edition that holds solutions and hints, sealed
RESULTS = "results-{}.json"  # what a learner may hand in, with a random number for a name
WITHIN = 0.0055  # a number with two decimals is as good as one with all


@dataclass(frozen=True)
class Verdict:
    """What became of an answer; `hint` is that of the wrong answer that it equals, if any."""

    passed: bool
    says: str
    hint: str = ""
    value: Any = None


def check(name: str, namespace: Mapping[str, Any]) -> None:
    """Check an exercise's answer and say what is right and what is not.

    What was checked is noted in ``results-….json`` beside the notebook, without a name.

    Parameters
    ----------
    name : str
        The notebook and the exercise, such as ``"05_sentence_pairs/own-partner"``.
    namespace : mapping
        The notebook's variables: ``globals()``.
    """
    from .. import show_text

    notebook, _, key = name.partition("/")
    verdict = judge(_unsealed(notebook).exercises[key], namespace)
    guess = plain(namespace.get("guess", ...))
    show_text(f"{verdict.says} {_compared(guess, verdict)}".strip())
    if not verdict.says.startswith((UNANSWERED, CHANGED)):
        try:
            _note(Path(), name, verdict, guess)
        except Exception as error:  # the answer is as right without
            show_text(f"This could not be noted for the class: {_short(error)}")


UNANSWERED = "Not answered yet: replace the dots above, run that cell, then this one."


def judge(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    """Compare an answer with the solution's and with the usual wrong ones.

    Whatever was written gets words: nothing that an answer does raises here.
    """
    try:
        given = plain(_evaluated(exercise.shows, namespace))
        unanswered = _has_dots(given)
    except NameError as error:
        if error.name in compile(exercise.shows, "", "eval").co_names:
            return Verdict(False, f"{UNANSWERED} ({error})")
        return _stopped(exercise, error)
    except Exception as error:
        return _stopped(exercise, error)
    if unanswered:
        return Verdict(False, UNANSWERED)
    if exercise.right:
        return _true(exercise, namespace)
    try:
        value = _value_of(exercise.solution, exercise.shows, namespace)
    except Exception as error:
        return Verdict(False, f"{CHANGED} ({_short(error)})")
    if same(given, value):
        return Verdict(True, "Right.", value=given)
    return _refused(exercise, namespace, given, _differ(given, value))


CHANGED = (
    "The check cannot compute the solution, as a variable of this notebook has changed. "
    "Restart the kernel, run all cells, and check again."
)


def _stopped(exercise: Exercise, error: Exception) -> Verdict:
    if "ellipsis" in str(error):  # dots that something was done with
        return Verdict(False, UNANSWERED)
    said = f"{type(error).__name__}: {_short(error)}"
    return Verdict(False, f"Your answer stops with {said.rstrip('.: ')}. {exercise.hint}")


def _true(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    """Judge an answer of which many are right; what cannot be looked at is none of them."""
    try:
        if bool(_evaluated(exercise.right, namespace)):
            return Verdict(True, "Right.", value=_scored(exercise, namespace))
    except Exception:
        return _refused(exercise, namespace, None)
    return _refused(exercise, namespace, False)


def _scored(exercise: Exercise, namespace: Mapping[str, Any]) -> Any:
    """Give the score that was guessed; True where the guess was about something else."""
    try:
        return plain(_evaluated(exercise.scored or "True", namespace))
    except Exception:  # an answer in a form that only the check can read
        return True


def _refused(
    exercise: Exercise, namespace: Mapping[str, Any], given: Any, differ: str = ""
) -> Verdict:
    for wrong in exercise.wrong:
        if _recognised(wrong.when, wrong.answer, exercise, namespace, given):
            return Verdict(False, f"Not yet. {wrong.hint}", wrong.hint[:200])
    return Verdict(False, f"Not yet. {differ}{exercise.hint}")


def _differ(given: Any, wanted: Any) -> str:
    """Say how a value of the wrong kind differs from what is asked for."""
    if kind(given) == kind(wanted):
        return ""
    said = f"This is {kind(given)}, and {kind(wanted)} is asked for. "
    if _is_number(_unwrapped(wanted)) and _is_whole_pair(given):
        said += "Did you write a comma for the decimal point? "
    return said


def _is_whole_pair(value: Any) -> bool:
    return isinstance(value, list) and [type(each) for each in value] == [int, int]


def _short(error: Exception) -> str:
    return shorten(str(error), 120, placeholder=" …")


def _recognised(
    when: str, answer: str, exercise: Exercise, namespace: Mapping[str, Any], given: Any
) -> bool:
    try:
        if when:
            return bool(_evaluated(when, namespace))
        return not exercise.right and same(given, _value_of(answer, exercise.shows, namespace))
    except Exception:  # a wrong answer may be wrong in this way, too
        return False


def _value_of(code: str, shows: str, namespace: Mapping[str, Any]) -> Any:
    """Run code beside the learner's variables, not on them, and show nothing of it."""
    from IPython.utils.capture import capture_output

    own = _without_shadows(namespace)
    with capture_output():
        exec(code, own)
    return plain(_evaluated(shows, own))


def _evaluated(expression: str, namespace: Mapping[str, Any]) -> Any:
    return eval(expression, {"texts_in": texts_in, **_without_shadows(namespace)})


def _without_shadows(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the variables but for a `sum`, `len` or `list` of the learner's own."""
    return {key: each for key, each in namespace.items() if not hasattr(builtins, key)}


def texts_in(value: Any) -> list[str]:
    """Give a text, or a list of texts, as a list; raise where it is anything else.

    >>> texts_in("a"), texts_in(("a", "b"))
    (['a'], ['a', 'b'])
    """
    texts = [value] if isinstance(value, str) else plain(value)
    if isinstance(value, set) or not isinstance(texts, list):
        raise TypeError("a list is asked for, in order")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise TypeError("each has to be a text")
    return texts


def plain(value: Any) -> Any:
    """Turn tensors, arrays, series and tables into lists of numbers and texts.

    >>> plain(({"b": 2, "a": (1.5,)}, {3, 1}))
    [{'b': 2, 'a': [1.5]}, [1, 3]]
    """
    if isinstance(value, type):
        return value
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Fraction | Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=repr)
    if isinstance(value, list | tuple | range | KeysView | ValuesView):
        return [plain(each) for each in value]
    return value


def same(given: Any, wanted: Any) -> bool:
    """Say whether two plain values agree: numbers to two decimals, texts but for case and edges.

    >>> same([[0.48]], 0.4804), same("Paris ", "paris"), same(3, 4), same([1, 2], [1, 2, 3])
    (True, True, False, False)
    """
    given, wanted = _unwrapped(given), _unwrapped(wanted)
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, int | float) and isinstance(wanted, int | float):
        if given != given or wanted != wanted:  # nan
            return given != given and wanted != wanted
        return given == wanted or wanted - WITHIN <= given <= wanted + WITHIN
    if isinstance(given, str) and isinstance(wanted, str):
        return given.strip().casefold() == wanted.strip().casefold()
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(same, given, wanted))
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(same(given[key], wanted[key]) for key in given)
    return type(given) is type(wanted) and bool(given == wanted)


def _unwrapped(value: Any) -> Any:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def kind(value: Any) -> str:
    """Name what a value is, in a learner's words.

    >>> kind([1, 2]), kind([]), kind(len), kind(map(len, []))
    ('a list of 2', 'an empty list', 'a function', 'an iterator, not yet a list')
    """
    value = _unwrapped(value)
    names = {bool: "yes or no", int: "a number", float: "a number", str: "a text", dict: "a dict"}
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if isroutine(value):
        return "a function"
    if isinstance(value, Iterator):
        return "an iterator, not yet a list"
    return names.get(type(value), "None" if value is None else f"of type {type(value).__name__}")


def _has_dots(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list):
        return value is ...
    return any(map(_has_dots, value))


def _compared(guess: Any, verdict: Verdict) -> str:
    """Set the guess beside what came out, once it did."""
    if not verdict.passed:
        return ""
    if guess is ...:
        return "You made no guess; one makes you remember what comes out."
    if _is_number(guess) and _is_number(verdict.value):
        return f"You guessed {guess:g}; it is {verdict.value:.4g}."
    return f"Your guess was: {shorten(str(guess), 80, placeholder='…').rstrip('.')}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _note(folder: Path, name: str, verdict: Verdict, guess: Any) -> None:
    """Keep the outcome of a check, and the first guess of a score, for a class to gather."""
    from filelock import FileLock

    with FileLock(folder / CHECKS / ".lock"):  # several notebooks may be open
        found = sorted(folder.glob(RESULTS.format("?" * 8)))
        learner = found[0].stem[-8:] if found else secrets.token_hex(4)
        path = folder / RESULTS.format(learner)
        noted = json.loads(path.read_text("utf-8")) if found else {}
        checks = {each["exercise"]: each for each in noted.get("checks", ())}
        guesses = {each["exercise"]: each for each in noted.get("guesses", ())}
        entry = checks.setdefault(name, {"exercise": name, "passed": False, "tries": 0, "hint": ""})
        if not entry["passed"]:
            entry |= {"passed": verdict.passed, "tries": entry["tries"] + 1}
            entry["hint"] = verdict.hint or entry["hint"]
        numbers = [guess, verdict.value]
        if verdict.passed and all(_is_number(each) and abs(each) <= 1 for each in numbers):
            guesses.setdefault(name, {"exercise": name, "guess": guess, "score": verdict.value})
        done = {"checks": [*checks.values()], "guesses": [*guesses.values()]}
        kept = {"format": FORMAT, "version": VERSION, "learner": learner} | done
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def seal(folder: Path, notebook: str, lesson: Lesson) -> Path:
    """Write what the checks of a notebook need, so that no solution is read by accident."""
    path = folder / CHECKS / f"{notebook}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.encodebytes(lesson.model_dump_json().encode()))
    return path


def _unsealed(notebook: str) -> Lesson:
    path = Path(CHECKS, f"{notebook}.txt")
    try:
        return Lesson.model_validate_json(base64.decodebytes(path.read_bytes()))
    except (OSError, ValueError):
        raise FileNotFoundError(
            f"{path}: what the checks need is not beside this notebook. Get a fresh copy of the "
            "whole folder: make lab FRESH=1, or unpack the workshop's zip again."
        ) from None
