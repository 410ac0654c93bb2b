"""How a notebook's exercises are set, checked and taught.

The notebook itself holds their texts and solutions. ``notebooks/exercises/<notebook>.yaml`` holds
all else, in an entry for each solution cell under the cell's id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..messages import RequestError
from ..request.notebooks import Notebooks
from ..request.source import read_source
from ..request.yaml_text import parse_yaml


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wrong(_Model):
    """A usual wrong answer, and a hint for those who gave it."""

    answer: str  # code, in place of the answer
    hint: str
    # An expression that is true of this answer; without one, what the answer shows is compared.
    when: str = ""


class Exercise(_Model):
    """An exercise: its question, its text and solution, and how answers are checked."""

    minutes: int = Field(gt=0)
    guess: str  # the question to answer before computing
    answer: str  # the code of the answer cell before a learner changes it
    # An answer is right if the value of `shows` is the solution's. If many answers are right,
    # `right` is an expression that is true of each, and `scored` the score that was guessed.
    shows: str = "True"
    right: str = ""
    scored: str = ""
    wrong: list[Wrong] = Field(min_length=1)
    hint: str  # for any other wrong answer
    # These two are filled in from the notebook.
    solution: str = ""
    task: str = ""

    @property
    def task_without_heading(self) -> str:
        """The text of the exercise, for where it has a heading of another kind."""
        return re.sub(r"^## .*\n+", "", self.task)


class Question(_Model):
    """A question that an instructor asks, and the answers to expect."""

    ask: str
    expect: str


class Teaching(_Model):
    """Advice for an instructor on a notebook."""

    show: str
    questions: list[Question] = Field(min_length=1)
    stuck: str  # where people get stuck
    cut: str  # what to leave out if time is short


class Lesson(_Model):
    """A notebook's exercises, and advice for teaching it."""

    minutes: int = Field(gt=0)  # to read and run, without the exercises
    teach: Teaching
    exercises: dict[str, Exercise]


Lessons = dict[str, tuple[dict[str, Any], Lesson | None]]


def read_lessons(notebooks: Path) -> Lessons:
    """Return the source of each notebook in a folder that teaches, and its lesson.

    A notebook with neither a file of exercises nor a solution has no exercises: None.
    """
    folder = Notebooks(notebooks)
    lessons: Lessons = {}
    for stem in folder.lessons():
        path = folder.by_stem[stem]
        source = read_source(path)
        lesson = None
        if _exercises_file(path).exists() or any(map(_is_solution, source["cells"])):
            lesson = read_lesson(path, source)
        lessons[stem] = (source, lesson)
    return lessons


def exercises_of(lesson: Lesson | None) -> Mapping[str, Exercise]:
    """Return the exercises of a notebook, none if it has no lesson."""
    if lesson is None:
        return {}
    return lesson.exercises


def _exercises_file(notebook: Path) -> Path:
    return notebook.parent / "exercises" / f"{notebook.stem}.yaml"


def _is_solution(cell: Mapping[str, Any]) -> bool:
    return "solution" in cell["metadata"].get("tags", ())


def exercise_names(notebooks: Path) -> set[str]:
    """Name the exercises of all lessons as checks do: ``05_sentence_pairs/own-partner``."""
    books = Notebooks(notebooks)
    names = set()
    for stem in books.lessons():
        for cell in read_source(books.by_stem[stem])["cells"]:
            if _is_solution(cell):
                names.add(f"{stem}/{cell['id']}")
    return names


def read_lesson(notebook: Path, source: Mapping[str, Any]) -> Lesson:
    """Return a notebook's lesson, with the text and solution of each exercise from the notebook.

    Raises
    ------
    RequestError
        If the file is missing, has another form, or names other exercises than the notebook.
    """
    path = _exercises_file(notebook)
    try:
        lesson = Lesson.model_validate(parse_yaml(path.read_text(encoding="utf-8"))[0])
    except OSError:
        raise RequestError(f"{path}: cannot be read; it holds the exercises' checks.") from None
    except ValidationError as error:
        first = error.errors()[0]
        location = ": ".join(map(str, first["loc"]))
        raise RequestError(f"{path}: {location}: {first['msg']}.") from None
    texts = {}  # by the id of the solution cell: the text of the cell before it, and its own
    for task_cell, cell in pairwise(source["cells"]):
        if _is_solution(cell):
            texts[cell["id"]] = {"task": task_cell["source"], "solution": cell["source"]}
    if list(texts) != list(lesson.exercises):
        raise RequestError(
            f"{path}: it has {', '.join(lesson.exercises)}; the cells of {notebook.name} tagged "
            f"solution are {', '.join(texts)}, in this order."
        )
    exercises = {
        name: exercise.model_copy(update=texts[name]) for name, exercise in lesson.exercises.items()
    }
    return lesson.model_copy(update={"exercises": exercises})
