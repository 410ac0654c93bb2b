"""A learner's answer → what is right, what is not, and a hint that does not give it away.

An answer is compared with what the solution gives in the learner's own notebook, so a check holds
for whatever sentences stand in its parameters cell. The usual wrong answers are run in the same
way: what matches one of them gets its hint.
"""

from __future__ import annotations

import base64
import builtins
import itertools
import json
import math
import secrets
import signal
import threading
from collections.abc import Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
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
MOST_ITEMS = 10_000  # of an answer that are looked at; no exercise asks for nearly as many
LONGEST_TEXT = 100_000  # characters of one
LONGEST_GUESS = 80  # characters of it that are shown


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
    guess, comparison = _guess(namespace, verdict)
    show_text(f"{verdict.says} {comparison}".strip())
    if not verdict.says.startswith((UNANSWERED, CHANGED)):
        try:
            with _contained():
                _note(Path(), name, verdict, guess)
        except Exception as error:  # the answer is as right without
            show_text(f"This could not be noted for the class: {_short(error)}")


class TooManyItems(ValueError):
    """An answer holds more items, or a longer text, than is looked at."""


class Exited(Exception):
    """An answer's own method raised what would end the kernel or the cell."""


@contextmanager
def _contained() -> Iterator[None]:
    """Turn what an answer's methods raise to get out, such as SystemExit, into an exception.

    A KeyboardInterrupt may come from an answer, too, or from a learner who presses Ctrl-C (in
    JupyterLab, the square). Only the latter is a signal, and it is raised again.
    """
    signals = []
    former: Any = None
    # Signals reach the main thread alone, and only there can a handler be set.
    watched = threading.current_thread() is threading.main_thread()
    if watched:
        former = signal.getsignal(signal.SIGINT)
        watched = callable(former)

    def note(number: int, frame: Any) -> None:
        signals.append(number)
        former(number, frame)

    if watched:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if signals:
            raise KeyboardInterrupt from None
        raise Exited(_short(error)) from None
    finally:
        if watched:
            signal.signal(signal.SIGINT, former)


UNANSWERED = "Not answered yet: replace the dots above, run that cell, then this one."


def judge(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    """Compare an answer with the solution's and with the usual wrong ones.

    Whatever was written gets words: nothing that an answer does raises here.
    """
    try:
        with _contained():
            return _judged(exercise, namespace)
    except TooManyItems as error:
        return Verdict(False, f"Not yet. Your answer {error}. {exercise.hint}")
    except Exception as error:
        return _stopped(exercise, error)


def _judged(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    try:
        given = plain(_evaluated(exercise.shows, namespace))
        unanswered = _has_dots(given)
    except NameError as error:
        if error.name in compile(exercise.shows, "", "eval").co_names:
            return Verdict(False, f"{UNANSWERED} ({error})")
        raise
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
    if isinstance(error, RecursionError):
        return Verdict(False, f"Your answer is nested too deeply to be read. {exercise.hint}")
    message = _short(error)
    if "ellipsis" in message:  # dots that something was done with
        return Verdict(False, UNANSWERED)
    if not isinstance(error, Exited):
        message = f"{_type_name(error)}: {message}"
    return Verdict(False, f"Your answer stops with {message.rstrip('.: ')}. {exercise.hint}")


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


def _short(error: BaseException) -> str:
    """Return an error's message on one line; of one that ends a cell, its name as well."""
    try:
        message = shorten(str(error), 120, placeholder=" …")
    except BaseException:  # its own __str__ is the learner's
        message = "an error without a message"
    message = message.encode("utf-8", "backslashreplace").decode()
    if isinstance(error, Exception):
        return message
    return f"{_type_name(error)}: {message}".rstrip(": ")


def _type_name(value: Any) -> str:
    # Not `type(value).__name__`: a metaclass of the learner's may raise.
    name: str = type.__getattribute__(type(value), "__name__")
    return name


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

    Raises
    ------
    TooManyItems
        If there are more than 10,000, inner ones included, or one is a text of more than 100,000
        characters.

    Examples
    --------
    >>> plain(({"b": 2, "a": (1.5,)}, {3, 1}))
    [{'b': 2, 'a': [1.5]}, [1, 3]]
    """
    return _plain(value, itertools.count(1))


def _plain(value: Any, counter: Iterator[int]) -> Any:
    if next(counter) > MOST_ITEMS:
        raise TooManyItems(f"holds more than {MOST_ITEMS:,} items, too many to look at")
    if isinstance(value, type):
        return value
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise TooManyItems(
            f"holds a text of more than {LONGEST_TEXT:,} characters, too many to read"
        )
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        if math.prod(getattr(value, "shape", ())) > MOST_ITEMS:  # before a list of them is made
            raise TooManyItems(f"holds more than {MOST_ITEMS:,} numbers, too many to look at")
        value = value.tolist()
    if isinstance(value, Fraction | Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {key: _plain(each, counter) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(each, counter) for each in value), key=repr)
    if isinstance(value, list | tuple | range | KeysView | ValuesView):
        return [_plain(each, counter) for each in value]
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
    if value is None:
        return "None"
    for named, name in names.items():  # by identity: a metaclass may not be hashed
        if type(value) is named:
            return name
    return f"of type {_type_name(value)}"


def _has_dots(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list):
        return value is ...
    return any(map(_has_dots, value))


def _guess(namespace: Mapping[str, Any], verdict: Verdict) -> tuple[Any, str]:
    """Return the guess, and what to say of it; what cannot be looked at is no guess."""
    try:
        with _contained():
            guess = plain(namespace.get("guess", ...))
            return guess, _compared(guess, verdict)
    except Exception:  # the answer is as right without
        return ..., "Your guess is nothing that can be shown." if verdict.passed else ""


def _compared(guess: Any, verdict: Verdict) -> str:
    """Set the guess beside what came out, once it did."""
    if not verdict.passed:
        return ""
    if guess is ...:
        return "You made no guess; one makes you remember what comes out."
    if _is_number(guess) and _is_number(verdict.value):
        return f"You guessed {guess:g}; it is {verdict.value:.4g}."
    # Of a long text only the beginning: `shorten` would split all of it into words.
    text = shorten(str(guess)[: 10 * LONGEST_GUESS], LONGEST_GUESS, placeholder="…").rstrip(".")
    return f"Your guess was: {text.encode('utf-8', 'backslashreplace').decode()}."


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
