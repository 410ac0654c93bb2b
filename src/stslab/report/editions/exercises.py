"""What is known of a notebook's exercises beside their text and solution, which it holds itself.

``notebooks/exercises/<notebook>.yaml`` has an entry for each solution cell, under the cell's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..request.notebooks import Notebooks
from ..request.source import read_source
from ..request.values import RequestError
from ..request.yaml_text import parse_yaml


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wrong(_Part):
    """A usual wrong answer, and what helps those who gave it."""

    answer: str  # code, in place of the answer
    hint: str
    when: str = ""  # an expression that recognises it; without, what it shows is compared


class Exercise(_Part):
    """How an exercise is set and checked."""

    minutes: int = Field(gt=0)
    guess: str  # the question to answer before computing
    answer: str  # the answer cell's code as a learner finds it
    shows: str = "True"  # an expression whose value is compared with the solution's
    right: str = ""  # or one that is true of a right answer, where many are right
    scored: str = ""  # and then the score that was guessed
    wrong: list[Wrong] = Field(min_length=1)
    hint: str  # for any other wrong answer
    solution: str = ""  # filled in from the notebook
    task: str = ""


class Question(_Part):
    """What an instructor asks, and what people answer."""

    ask: str
    expect: str


class Teaching(_Part):
    """What an instructor should know of a notebook."""

    show: str
    questions: list[Question] = Field(min_length=1)
    stuck: str
    cut: str


class Lesson(_Part):
    """What lies beside a notebook."""

    minutes: int = Field(gt=0)  # to read and run, without the exercises
    teach: Teaching
    exercises: dict[str, Exercise]


def read_lessons(notebooks: Path) -> dict[str, tuple[dict[str, Any], Lesson]]:
    """Read all lessons of a folder: each notebook's source, and what lies beside it."""
    books = Notebooks(notebooks)
    sources = {stem: read_source(books.by_stem[stem]) for stem in books.lessons()}
    return {
        stem: (source, read_lesson(books.by_stem[stem], source)) for stem, source in sources.items()
    }


def exercise_names(notebooks: Path) -> set[str]:
    """Name the exercises of all lessons as checks do: ``05_sentence_pairs/own-partner``."""
    books = Notebooks(notebooks)
    names = set()
    for stem in books.lessons():
        for cell in read_source(books.by_stem[stem])["cells"]:
            if "solution" in cell["metadata"].get("tags", ()):
                names.add(f"{stem}/{cell['id']}")
    return names


def read_lesson(notebook: Path, source: Mapping[str, Any]) -> Lesson:
    """Read what belongs to a notebook, and put the text and solution of each exercise to it.

    Raises
    ------
    RequestError
        If the file is missing or not of this form, or names other exercises than the notebook has.
    """
    path = notebook.parent / "exercises" / f"{notebook.stem}.yaml"
    try:
        lesson = Lesson.model_validate(parse_yaml(path.read_text(encoding="utf-8"))[0])
    except OSError:
        raise RequestError(f"{path}: cannot be read; it holds the exercises' checks.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join(map(str, first["loc"]))
        raise RequestError(f"{path}: {where}: {first['msg']}.") from None
    cells = source["cells"]
    found = {
        cell["id"]: (before["source"], cell["source"])
        for before, cell in pairwise(cells)
        if "solution" in cell["metadata"].get("tags", ())
    }
    if list(found) != list(lesson.exercises):
        raise RequestError(
            f"{path}: it has {', '.join(lesson.exercises)}; the cells of {notebook.name} tagged "
            f"solution are {', '.join(found)}, in this order."
        )
    exercises = {
        name: each.model_copy(update={"task": found[name][0], "solution": found[name][1]})
        for name, each in lesson.exercises.items()
    }
    return lesson.model_copy(update={"exercises": exercises})
