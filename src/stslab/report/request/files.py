"""The files of a request, read before any kernel starts: one message for one fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..messages import RequestError, joined_names
from .jobs import Job
from .known_parameters import COLUMNS, FILES, SHEET

if TYPE_CHECKING:
    import pandas as pd


class _File(NamedTuple):
    """A file as a notebook reads it."""

    parameter: str
    path: Path
    columns: str
    sheet: str


def check_files(jobs: Iterable[Job]) -> None:
    """Read each file as its notebook will; raise RequestError if it cannot be used.

    `FILES` says how. The columns and the sheet that a job names are those of its file, not of the
    queries with it.
    """
    # A dictionary, because several jobs may read one file: it is checked once, in their order.
    files = {
        _file(job, parameter, path): None
        for job in jobs
        for parameter, path in job.inputs.items()
        if parameter in FILES
    }
    for file in files:
        _check_file(file)


def _file(job: Job, parameter: str, path: Path) -> _File:
    if not FILES[parameter].has_columns:
        return _File(parameter, path, columns="", sheet="")
    columns, sheet = job.parameters.get(COLUMNS, ""), job.parameters.get(SHEET, "")
    return _File(parameter, path, columns=str(columns), sheet=str(sheet))


def _check_file(file: _File) -> None:
    """Raise RequestError if a file cannot be read, or holds no scores where they are needed."""
    # Here, because they import pandas, which takes its time; most requests name no file.
    from stslab.inputs.checks import InputError
    from stslab.inputs.reading import (
        ColumnError,
        read_corpus,
        read_pairs,
        read_rows,
        read_sentences,
    )

    path, columns, sheet = file.path, file.columns, file.sheet
    known_file = FILES[file.parameter]
    try:
        if known_file.holds == "pairs":
            texts = read_pairs(path, columns=columns, sheet=sheet)
        elif known_file.holds == "corpus":
            texts = read_corpus(path, column=columns, sheet=sheet)
        else:
            texts = read_sentences(path, column=columns, sheet=sheet)
    except ColumnError as error:
        columns_needed = 1
        if known_file.holds == "pairs":
            columns_needed = 2
        hint = _column_hint(read_rows(path, ["sentence"], "", sheet).frame, columns_needed)
        raise RequestError(f"{error}{hint}") from None
    except InputError as error:
        raise RequestError(str(error)) from None
    if known_file.has_scores and "gold_score" not in texts.table:
        raise RequestError(
            f"{path.name}, columns {texts.table.columns.tolist()}: no human score beside the "
            "sentences. Call its column 'gold_score', or name it as the third: "
            'COLUMN="question, faq, score" (or --column "question, faq, score").'
        )


def _column_hint(frame: pd.DataFrame, columns_needed: int) -> str:
    """Return which columns hold texts of several words, and how to name those that are needed."""
    columns = list(map(str, frame))
    word_shares = frame.map(_has_several_words).mean().tolist()
    text_columns = [name for name, share in zip(columns, word_shares, strict=True) if share >= 0.5]
    hint = ""
    if text_columns:
        hint = f" These hold text: {', '.join(map(repr, text_columns))}."
    if len(text_columns) >= columns_needed:
        columns = text_columns
    names = joined_names(columns[:columns_needed])
    # As it is typed in a shell; in double quotes, like all other examples, where these will do.
    typed_names = f'"{names}"'
    if '"' in names:
        typed_names = shlex.quote(names)
    return f"{hint} To name them: COLUMN={typed_names} (or --column {typed_names})."


def _has_several_words(cell: object) -> bool:
    return isinstance(cell, str) and " " in cell.strip()
