"""A notebook's source → the same notebook for learners, with or without solutions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from .exercises import Exercise

GUESS = "guess = ...  # your prediction, in place of the dots"


def student_edition(
    source: Mapping[str, Any], name: str, exercises: Mapping[str, Exercise]
) -> dict[str, Any]:
    """Return a notebook with a guess, an answer to write and a check in place of each solution.

    Parameters
    ----------
    source : mapping
        A notebook as `read_source` returns it.
    name : str
        Its name, by which the check finds the exercise.
    exercises : mapping of str to Exercise
        Its exercises, by the id of the solution's cell.

    Returns
    -------
    dict
        A notebook that runs from top to bottom, whether the exercises are answered or not.
    """
    answers = {key: exercise.answer for key, exercise in exercises.items()}
    return _edition(source, name, exercises, answers)


def solved_edition(
    source: Mapping[str, Any], name: str, exercises: Mapping[str, Exercise]
) -> dict[str, Any]:
    """Return the student edition with the solutions written where the answers go."""
    answers = {key: exercise.solution for key, exercise in exercises.items()}
    return _edition(source, name, exercises, answers)


def _edition(
    source: Mapping[str, Any],
    name: str,
    exercises: Mapping[str, Exercise],
    answers: Mapping[str, str],
) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for cell in source["cells"]:
        key = cell["id"]
        if key in answers:
            cells += exercise_cells(name, key, exercises[key], answers[key])
        elif "parameters" in cell["metadata"].get("tags", ()):
            other_code = "\n".join(c["source"] for c in source["cells"] if c is not cell)
            code = without_annotations(cell["source"], other_code=other_code)
            cells.append({**cell, "source": code})
        else:
            cells.append(cell)
    return {**source, "cells": cells}


def exercise_cells(
    name: str, key: str, exercise: Exercise, answer: str
) -> Iterator[dict[str, Any]]:
    """Yield the cells of an exercise: the question and a guess, an answer, the check."""
    yield _markdown(f"{key}-predict", f"**Predict first.** {exercise.guess}")
    yield _code(f"{key}-guess", GUESS)
    yield _markdown(f"{key}-write", "Write your answer in place of the dots.")
    yield _code(f"{key}-answer", answer.strip())
    check = f'from stslab.workshop import check\n\ncheck("{name}/{key}", globals())'
    yield _code(f"{key}-check", check)


def _markdown(ident: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": ident, "source": source, "metadata": {}}


def _code(ident: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": ident,
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }


def without_annotations(source: str, *, other_code: str = "") -> str:
    """Return code with ``name: type = value`` as ``name = value``, which is easier to read.

    Parameters
    ----------
    source : str
        A parameters cell.
    other_code : str, default ""
        The other cells. Imports from `pathlib` and `typing` stay if these call one of their names.

    Examples
    --------
    >>> print(without_annotations("from pathlib import Path\\n\\nn: int | Path = 3  # of them"))
    n = 3  # of them
    """
    # As bytes, because that is how `ast` counts columns.
    lines = source.encode().splitlines(keepends=True)
    # From the end, so that the line numbers of what is still to come stay right.
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.ImportFrom) and node.module in ("pathlib", "typing"):
            if not any(f"{alias.name}(" in other_code for alias in node.names):
                last_line = node.end_lineno or node.lineno
                del lines[node.lineno - 1 : last_line]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            # An annotation may take lines of its own, as one in brackets does.
            value = lines[node.value.lineno - 1][node.value.col_offset :]
            target = f"{ast.unparse(node.target)} = ".encode()
            lines[node.lineno - 1 : node.value.lineno] = [target + value]
    return b"".join(lines).decode().strip()
