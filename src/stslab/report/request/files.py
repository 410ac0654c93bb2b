"""The files of a request, read before any kernel starts: one message for one fault."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..messages import RequestError
from .jobs import Job

LISTS = {"sentences", "candidates", "others", "queries"}
PAIRS = {"pairs", "rated_pairs", "own_pairs"}


class _File(NamedTuple):
    """A file as a notebook reads it."""

    parameter: str
    path: Path
    columns: str
    sheet: str


def check_files(jobs: Iterable[Job]) -> None:
    """Read each file as its notebook will; raise RequestError if it cannot be used.

    The parameter's name says how. The columns and the sheet that a job names are those of its
    file, not of the queries with it.
    """
    # A dictionary, because several jobs may read one file: it is checked once, in their order.
    files = {
        _file(job, parameter, path): None
        for job in jobs
        for parameter, path in job.inputs.items()
        if parameter in LISTS | PAIRS | {"corpus"}
    }
    for file in files:
        _check_file(file)


def _file(job: Job, parameter: str, path: Path) -> _File:
    if parameter == "queries":
        return _File(parameter, path, columns="", sheet="")
    columns, sheet = job.parameters.get("columns", ""), job.parameters.get("sheet", "")
    return _File(parameter, path, columns=str(columns), sheet=str(sheet))


def _check_file(file: _File) -> None:
    """Raise RequestError if a file cannot be read, or holds no scores where they are needed."""
    # Here, because they import pandas, which takes its time; most requests name no file.
    from stslab.inputs.checks import InputError
    from stslab.inputs.tables import read_corpus, read_pairs, read_sentences

    path, columns, sheet = file.path, file.columns, file.sheet
    try:
        if file.parameter in PAIRS:
            texts = read_pairs(path, columns=columns, sheet=sheet)
        elif file.parameter == "corpus":
            texts = read_corpus(path, column=columns, sheet=sheet)
        else:
            texts = read_sentences(path, column=columns, sheet=sheet)
    except InputError as error:
        raise RequestError(str(error)) from None
    if file.parameter == "rated_pairs" and "gold_score" not in texts.table:
        raise RequestError(
            f"{path.name}, columns {texts.table.columns.tolist()}: no human score beside the "
            "sentences. Call its column 'gold_score', or name it as the third: "
            'COLUMN="question, faq, score" (or --column "question, faq, score").'
        )
