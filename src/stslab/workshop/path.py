"""The minutes of a workshop → its activities: lessons, ratings, breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..report.editions.exercises import Exercise, Lesson, read_lesson
from ..report.messages import RequestError
from ..report.request.source import read_source
from ..report.request.yaml_text import parse_yaml

PATHS = Path("exercises") / "paths.yaml"  # in the folder of notebooks


@dataclass(frozen=True)
class Words:
    """The slide of an activity that is not a lesson, and the instructor's notes."""

    title: str
    text: str
    notes: str


WORDS = {
    "check": Words(
        "Is everything installed?",
        "In a terminal: `make doctor`, or from a stick `sh start.sh check`. Hold up the screen "
        "when it says **READY**. If it does not, say the code at the end of its last line.",
        "Read a code with `stslab doctor CODE`. Those who cannot be helped in two minutes take "
        "the live page on their phone, or sit beside somebody.",
    ),
    "rate": Words(
        "Rate first",
        "Open `rate.html` and rate twenty pairs of sentences from 0 to 5, by yourself. "
        "Save your ratings; only then the page shows what a model scores.",
        "Nobody talks. The files are handed in at the end, and `stslab class FOLDER` makes one "
        "page of them.",
    ),
    "break": Words("A break", "", "Open windows. Help those whose computer is not ready."),
    "close": Words(
        "What do you take home?",
        "Hand in `ratings-….json` and `results-….json`; they hold no name unless you gave one. "
        "Which score will you never again call a percentage?",
        "Run `stslab class FOLDER` on what was handed in, and show the page: how far people agree "
        "is the most that a model can reach.",
    ),
}


@dataclass(frozen=True)
class Activity:
    """An activity of a workshop, from minute `start` on."""

    kind: str
    title: str
    start: int
    minutes: int  # its exercises included
    name: str = ""  # of the notebook, for a lesson
    lesson: Lesson | None = None
    source: Mapping[str, Any] | None = None

    @property
    def exercises(self) -> Mapping[str, Exercise]:
        """The exercises that there is time for."""
        if self.lesson is None:
            return {}
        return self.lesson.exercises


def plan_activities(minutes: int, notebooks: Path) -> list[Activity]:
    """Choose the activities of a workshop.

    Parameters
    ----------
    minutes : int
        How long it may take: one of the paths in ``exercises/paths.yaml``.
    notebooks : Path
        The folder of lessons.

    Returns
    -------
    list of Activity
        They add up to `minutes`.

    Raises
    ------
    RequestError
        If there is no such path, or its activities add up to another time.
    """
    file = notebooks / PATHS
    try:
        paths = parse_yaml(file.read_text(encoding="utf-8"))[0]
    except OSError:
        raise RequestError(f"{file}: cannot be read; it holds a workshop's activities.") from None
    if minutes not in paths:
        choices = ", ".join(map(str, paths))
        raise RequestError(f"MINUTES={minutes}: there is a path of {choices} minutes. Take one.")
    activities = []
    end = 0
    for entry in paths[minutes]:
        activity = _build_activity(entry, end, notebooks)
        activities.append(activity)
        end = activity.start + activity.minutes
    if end != minutes:
        raise RequestError(f"{file}: the path of {minutes} minutes adds up to {end}.")
    return activities


def _build_activity(entry: Mapping[str, Any], start: int, notebooks: Path) -> Activity:
    """Return the activity that an entry of a path describes."""
    if "lesson" not in entry:
        ((kind, minutes),) = entry.items()  # such as {"break": 10}
        return Activity(kind, WORDS[kind].title, start, minutes)
    name = entry["lesson"]
    path = notebooks / f"{name}.ipynb"
    source = read_source(path)
    lesson = read_lesson(path, source)
    exercises = {key: lesson.exercises[key] for key in entry["exercises"]}
    lesson = lesson.model_copy(update={"exercises": exercises})
    title = source["cells"][0]["source"].splitlines()[0].removeprefix("# ")
    minutes = lesson.minutes + sum(exercise.minutes for exercise in exercises.values())
    return Activity("lesson", title, start, minutes, name, lesson, source)
