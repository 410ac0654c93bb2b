"""A notebook's source → the same notebook for learners, with or without solutions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from .exercises import Exercise

GUESS = "guess = ...  # your prediction, in place of the dots"


def student(source: Mapping[str, Any], name: str, exercises: Mapping[str, Exercise]) -> Any:
    """Put a guess, an answer to write and a check in the place of each solution.

    Parameters
    ----------
    source : mapping
        A notebook as `read_source` gives it.
    name : str
        Its name, by which the check finds the exercise.
    exercises : mapping of str to Exercise
        Its exercises, by the id of the solution's cell.

    Returns
    -------
    dict
        A notebook that runs from top to bottom, whether the exercises are answered or not.
    """
    answers = {key: each.answer for key, each in exercises.items()}
    return _edition(source, name, exercises, answers)


def solved(source: Mapping[str, Any], name: str, exercises: Mapping[str, Exercise]) -> Any:
    """Make the student edition with each solution written where the answer goes."""
    answers = {key: each.solution for key, each in exercises.items()}
    return _edition(source, name, exercises, answers)


def _edition(
    source: Mapping[str, Any],
    name: str,
    exercises: Mapping[str, Exercise],
    answers: Mapping[str, str],
) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for cell in source["cells"]:
        if cell["id"] in answers:
            key = cell["id"]
            cells += asked(name, key, exercises[key], answers[key])
        elif "parameters" in cell["metadata"].get("tags", ()):
            others = [c["source"] for c in source["cells"] if c is not cell]
            code = without_annotations(cell["source"], used="\n".join(others))
            cells.append({**cell, "source": code})
        else:
            cells.append(cell)
    return {**source, "cells": cells}


def asked(name: str, key: str, exercise: Exercise, answer: str) -> Iterator[dict[str, Any]]:
    """Give the cells of an exercise: the question and a guess, an answer, the check."""
    yield _cell("markdown", f"{key}-predict", f"**Predict first.** {exercise.guess}")
    yield _cell("code", f"{key}-guess", GUESS)
    yield _cell("markdown", f"{key}-write", "Write your answer in place of the dots.")
    yield _cell("code", f"{key}-answer", answer.strip())
    check = f'from stslab.workshop import check\n\ncheck("{name}/{key}", globals())'
    yield _cell("code", f"{key}-check", check)


def _cell(kind: str, ident: str, source: str) -> dict[str, Any]:
    run: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": ident, "source": source, "metadata": {}} | run


def without_annotations(source: str, *, used: str = "") -> str:
    """Write ``name: type = value`` as ``name = value``, and drop imports that only types need.

    >>> print(without_annotations("from pathlib import Path\\n\\nn: int | Path = 3  # of them"))
    n = 3  # of them
    """
    lines = source.encode().splitlines(keepends=True)
    for node in reversed(ast.parse(source).body):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if isinstance(node, ast.ImportFrom) and node.module in ("pathlib", "typing"):
            if not any(f"{alias.name}(" in used for alias in node.names):
                del lines[first : last + 1]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            # An annotation may take lines of its own, as one in brackets does.
            value = lines[node.value.lineno - 1][node.value.col_offset :]
            target = f"{ast.unparse(node.target)} = ".encode()
            lines[first : node.value.lineno] = [target + value]
    return b"".join(lines).decode().strip()
