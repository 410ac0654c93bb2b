"""The files beside a student's notebook: what its checks need, sealed, and how checks went."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path
from typing import Any

from ..report.editions.exercises import Lesson
from .answers import FORMAT, VERSION
from .comparing import is_number

CHECKS = "checks"  # the folder beside the student edition that holds solutions and hints, sealed
RESULTS = "results-{}.json"  # what a learner may hand in, with a random number for a name


def record_result(
    folder: Path, name: str, *, passed: bool, hint: str, guess: Any, score: Any
) -> None:
    """Add a check to a learner's results, and the first guess of a score.

    Parameters
    ----------
    folder : Path
        The notebook's.
    name : str
        Notebook and exercise.
    passed : bool
    hint : str
        The hint that was shown, if any.
    guess, score : any
        Recorded if both are numbers from -1 to 1, and the check passed.
    """
    from filelock import FileLock

    with FileLock(folder / CHECKS / ".lock"):  # several notebooks may be open
        path, results = _read_results(folder)
        checks = {check["exercise"]: check for check in results.get("checks", ())}
        guesses = {entry["exercise"]: entry for entry in results.get("guesses", ())}
        check = checks.setdefault(name, {"exercise": name, "passed": False, "tries": 0, "hint": ""})
        # Tries after the first that passed are play, and do not count.
        if not check["passed"]:
            check["passed"] = passed
            check["tries"] += 1
            check["hint"] = hint or check["hint"]
        if passed and _may_be_score(guess) and _may_be_score(score):
            guesses.setdefault(name, {"exercise": name, "guess": guess, "score": score})
        results = {
            "format": FORMAT,
            "version": VERSION,
            "learner": path.stem[-8:],
            "checks": list(checks.values()),
            "guesses": list(guesses.values()),
        }
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _read_results(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the path of a learner's results and what it holds, nothing before the first check."""
    paths = sorted(folder.glob(RESULTS.format("?" * 8)))
    if paths:
        return paths[0], json.loads(paths[0].read_text("utf-8"))
    return folder / RESULTS.format(secrets.token_hex(4)), {}


def _may_be_score(value: Any) -> bool:
    return is_number(value) and abs(value) <= 1


def seal(folder: Path, notebook: str, lesson: Lesson) -> Path:
    """Write what the checks of a notebook need, so that no solution is read by accident."""
    path = folder / CHECKS / f"{notebook}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.encodebytes(lesson.model_dump_json().encode()))
    return path


def unseal(notebook: str) -> Lesson:
    """Return what `seal` wrote beside the running notebook."""
    path = Path(CHECKS, f"{notebook}.txt")
    try:
        return Lesson.model_validate_json(base64.decodebytes(path.read_bytes()))
    except (OSError, ValueError):
        raise FileNotFoundError(
            f"{path}: what the checks need is not beside this notebook. Get a fresh copy of the "
            "whole folder: make lab FRESH=1, or unpack the workshop's zip again."
        ) from None
