"""The files of a request, read before any kernel starts: one message for one fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ...wording import counted, listed, plural, quoted
from ..messages import RequestError, joined_names
from .jobs import Job
from .known_parameters import COLUMNS, FILES, GOLD_MAX, GOLD_MIN, HIDDEN, SHEET


class _File(NamedTuple):
    """A file as a notebook reads it."""

    parameter: str
    path: Path
    columns: str
    sheet: str
    hidden: bool
    scale: tuple[float | None, float | None]  # the lowest and the highest human score, if named


def check_files(jobs: Iterable[Job]) -> list[str]:
    """Read each file as its notebook will; return which columns were read, as sentences.

    `FILES` says how. The columns and the sheet that a job names are those of its file, not of the
    queries with it. Raise RequestError if a file cannot be used.
    """
    # A dictionary, because several jobs may read one file: it is checked once, in their order.
    files = {
        _file(job, parameter, path): None
        for job in jobs
        for parameter, path in job.inputs.items()
        if parameter in FILES
    }
    sentences = (_check_file(file) for file in files)
    return [sentence for sentence in dict.fromkeys(sentences) if sentence]


def _file(job: Job, parameter: str, path: Path) -> _File:
    values = job.parameters
    scale = values.get(GOLD_MIN), values.get(GOLD_MAX)
    if not FILES[parameter].has_columns:
        return _File(parameter, path, columns="", sheet="", hidden=False, scale=scale)
    return _File(
        parameter,
        path,
        columns=str(values.get(COLUMNS, "")),
        sheet=str(values.get(SHEET, "")),
        hidden=bool(values.get(HIDDEN, False)),
        scale=scale,
    )


def _check_file(file: _File) -> str:
    """Return which columns of a file were read; empty for a file without columns."""
    # Here, because they import pandas, which takes its time; most requests name no file.
    from stslab.inputs.checks import InputError
    from stslab.inputs.gold_scale import find_scale
    from stslab.inputs.tables import read_corpus, read_pairs, read_sentences

    path, columns = file.path, file.columns
    known_file = FILES[file.parameter]
    sheet_options: Any = {"sheet": file.sheet, "hidden": file.hidden}
    try:
        if known_file.holds == "pairs":
            texts = read_pairs(path, columns=columns, **sheet_options)
        elif known_file.holds == "corpus":
            texts = read_corpus(path, column=columns, **sheet_options)
        else:
            texts = read_sentences(path, column=columns, **sheet_options)
        if known_file.has_scores and "gold_score" in texts.table:
            gold_min, gold_max = file.scale
            find_scale(texts.table["gold_score"], gold_min=gold_min, gold_max=gold_max)
    except InputError as error:
        raise RequestError(str(error)) from None
    if known_file.has_scores and "gold_score" not in texts.table:
        names = joined_names([*texts.columns_read[:2], "score"])
        raise RequestError(
            f"{path.name}, columns {texts.table.columns.tolist()}: no human score beside the "
            f"sentences. Call its column 'gold_score', or name it as the third, as in "
            f"COLUMN={shlex.quote(names)} with make, or --column {shlex.quote(names)} without."
        )
    if not texts.columns_read:
        return ""
    names = listed([quoted(name) for name in texts.columns_read])
    columns_of = plural(len(texts.columns_read), "column", "columns")
    return f"Read from {path.name}: {columns_of} {names}, {counted(len(texts.table), 'row')}."
