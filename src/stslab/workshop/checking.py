"""A learner's answer → what is right, what is not, and a hint that does not give it away.

An answer is compared with the value that the solution has in the learner's own notebook, so a check
holds for whatever sentences are in its parameters cell. The usual wrong answers are run in the same
way: an answer that equals one of them gets its hint.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from ..report.editions.exercises import Exercise, Wrong
from .comparing import (
    TooManyItems,
    has_dots,
    is_number,
    kind,
    plain,
    texts_in,
    unwrapped,
    values_agree,
)
from .exits import Exited, contain_exits, short_message, type_name
from .results import record_result, unseal

LONGEST_GUESS = 80  # characters of a guess that are shown
LONGEST_HINT = 200  # characters of a hint that are recorded
UNANSWERED = "Not answered yet: replace the dots above, run that cell, then this one."
CHANGED = (
    "The check cannot compute the solution, as a variable of this notebook has changed. "
    "Restart the kernel, run all cells, and check again."
)


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check."""

    passed: bool
    message: str
    hint: str = ""  # of the usual wrong answer that this answer equals, if any
    value: Any = None  # of a right answer, to compare with the guess
    is_try: bool = True  # False if there was no answer, or nothing to compare it with


def check(name: str, namespace: Mapping[str, Any]) -> None:
    """Check an exercise's answer and say what is right and what is not.

    The outcome is recorded in ``results-….json`` beside the notebook, without a name.

    Parameters
    ----------
    name : str
        The notebook and the exercise, such as ``"05_sentence_pairs/own-partner"``.
    namespace : mapping
        The notebook's variables: ``globals()``.
    """
    from .. import show_text

    notebook, _, key = name.partition("/")
    verdict = judge(unseal(notebook).exercises[key], namespace)
    guess, comparison = _read_guess(namespace, verdict)
    show_text(f"{verdict.message} {comparison}".strip())
    if not verdict.is_try:
        return
    try:
        # A guess may be of a class that the learner wrote: its methods run in here, too.
        with contain_exits():
            record_result(
                Path(),
                name,
                passed=verdict.passed,
                hint=verdict.hint,
                guess=guess,
                score=verdict.value,
            )
    except Exception as error:  # the answer is as right without a record
        show_text(f"This could not be noted for the class: {short_message(error)}")


def judge(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    """Compare an answer with the solution's value and with the usual wrong ones.

    Every answer gets a verdict: nothing that an answer does raises here.
    """
    try:
        with contain_exits():
            return _judge_answer(exercise, namespace)
    except TooManyItems as error:
        return Verdict(False, f"Not yet. Your answer {error}. {exercise.hint}")
    except Exception as error:
        return _verdict_of_error(exercise, error)


def _judge_answer(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    try:
        answer = plain(_evaluate(exercise.shows, namespace))
        unanswered = has_dots(answer)
    except NameError as error:
        # A name that the check itself looks up: the answer's cell has not been run.
        if error.name in compile(exercise.shows, "", "eval").co_names:
            return Verdict(False, f"{UNANSWERED} ({error})", is_try=False)
        raise
    if unanswered:
        return Verdict(False, UNANSWERED, is_try=False)
    if exercise.right:
        return _verdict_of_condition(exercise, namespace)
    try:
        solution = _value_after(exercise.solution, exercise.shows, namespace)
    except Exception as error:
        return Verdict(False, f"{CHANGED} ({short_message(error)})", is_try=False)
    if values_agree(answer, solution):
        return Verdict(True, "Right.", value=answer)
    return _verdict_of_wrong_answer(
        exercise, namespace, answer, _describe_other_kind(answer, solution)
    )


def _verdict_of_condition(exercise: Exercise, namespace: Mapping[str, Any]) -> Verdict:
    """Return the verdict of an exercise's condition; an answer that it cannot read is wrong."""
    try:
        if bool(_evaluate(exercise.right, namespace)):
            return Verdict(True, "Right.", value=_guessed_score(exercise, namespace))
    except Exception:
        return _verdict_of_wrong_answer(exercise, namespace, None)
    return _verdict_of_wrong_answer(exercise, namespace, False)


def _guessed_score(exercise: Exercise, namespace: Mapping[str, Any]) -> Any:
    """Return the score that was guessed; True if the guess was about something else."""
    try:
        return plain(_evaluate(exercise.scored or "True", namespace))
    except Exception:  # an answer in a form that only the check can read
        return True


def _verdict_of_wrong_answer(
    exercise: Exercise, namespace: Mapping[str, Any], answer: Any, difference: str = ""
) -> Verdict:
    for wrong in exercise.wrong:
        if _equals_wrong_answer(wrong, exercise, namespace, answer):
            return Verdict(False, f"Not yet. {wrong.hint}", wrong.hint[:LONGEST_HINT])
    return Verdict(False, f"Not yet. {difference}{exercise.hint}")


def _equals_wrong_answer(
    wrong: Wrong, exercise: Exercise, namespace: Mapping[str, Any], answer: Any
) -> bool:
    try:
        if wrong.when:
            return bool(_evaluate(wrong.when, namespace))
        if exercise.right:
            return False
        return values_agree(answer, _value_after(wrong.answer, exercise.shows, namespace))
    except Exception:  # a wrong answer may be wrong in this way, too
        return False


def _describe_other_kind(answer: Any, solution: Any) -> str:
    """Describe how an answer's kind differs from the solution's; empty if they are the same."""
    if kind(answer) == kind(solution):
        return ""
    sentences = f"This is {kind(answer)}, and {kind(solution)} is asked for. "
    if is_number(unwrapped(solution)) and _is_pair_of_integers(answer):
        sentences += "Did you write a comma for the decimal point? "
    return sentences


def _is_pair_of_integers(value: Any) -> bool:
    # By type, not isinstance: (True, False) is no number with a comma.
    return isinstance(value, list) and [type(item) for item in value] == [int, int]


def _verdict_of_error(exercise: Exercise, error: Exception) -> Verdict:
    if isinstance(error, RecursionError):
        return Verdict(False, f"Your answer is nested too deeply to be read. {exercise.hint}")
    message = short_message(error)
    if "ellipsis" in message:  # the dots were not replaced, and something was computed with them
        return Verdict(False, UNANSWERED, is_try=False)
    if not isinstance(error, Exited):
        message = f"{type_name(error)}: {message}"
    return Verdict(False, f"Your answer stops with {message.rstrip('.: ')}. {exercise.hint}")


def _evaluate(expression: str, namespace: Mapping[str, Any]) -> Any:
    return eval(expression, {"texts_in": texts_in, **_without_shadows(namespace)})


def _value_after(code: str, shows: str, namespace: Mapping[str, Any]) -> Any:
    """Return the value of an expression after running code on a copy of the variables.

    What the code prints or displays is not shown.
    """
    from IPython.utils.capture import capture_output

    variables = _without_shadows(namespace)
    with capture_output():
        exec(code, variables)
    return plain(_evaluate(shows, variables))


def _without_shadows(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables without those named like builtins: a learner's own `sum` or `list`."""
    return {name: value for name, value in namespace.items() if not hasattr(builtins, name)}


def _read_guess(namespace: Mapping[str, Any], verdict: Verdict) -> tuple[Any, str]:
    """Return the guess, and a sentence about it; a guess that cannot be read counts as none."""
    try:
        with contain_exits():
            guess = plain(namespace.get("guess", ...))
            return guess, _compare_guess(guess, verdict)
    except Exception:  # the answer is as right without a guess
        sentence = ""
        if verdict.passed:
            sentence = "Your guess is nothing that can be shown."
        return ..., sentence


def _compare_guess(guess: Any, verdict: Verdict) -> str:
    """Return a sentence that compares the guess with the outcome; empty before the check passes."""
    if not verdict.passed:
        return ""
    if guess is ...:
        return "You made no guess; one makes you remember what comes out."
    if is_number(guess) and is_number(verdict.value):
        return f"You guessed {guess:g}; it is {verdict.value:.4g}."
    # Of a long text only the beginning: `shorten` would split all of it into words.
    text = shorten(str(guess)[: 10 * LONGEST_GUESS], LONGEST_GUESS, placeholder="…").rstrip(".")
    return f"Your guess was: {text.encode('utf-8', 'backslashreplace').decode()}."
