"""The files of a request, read before any kernel starts: one message for one fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .jobs import Job
from .values import RequestError, joined_names

if TYPE_CHECKING:
    import pandas as pd

LISTS = {"sentences", "candidates", "others", "queries"}
PAIRS = {"pairs", "rated_pairs", "own_pairs"}


def check_files(jobs: Iterable[Job]) -> None:
    """Read each file as its notebook will, by the parameter's name; refuse what cannot be used.

    The columns and the sheet that a job names are those of its file, not of the queries with it.
    """
    files = {
        (name, path, *_reading(job, name)): None
        for job in jobs
        for name, path in job.inputs.items()
        if name in LISTS | PAIRS | {"corpus"}
    }
    if not files:
        return  # without pandas, which takes its time
    from stslab.inputs.checks import InputError
    from stslab.inputs.reading import (
        ColumnError,
        read_corpus,
        read_pairs,
        read_rows,
        read_sentences,
    )

    for name, path, columns, sheet in files:
        try:
            if name in PAIRS:
                found = read_pairs(path, columns=columns, sheet=sheet)
            else:
                read = read_corpus if name == "corpus" else read_sentences
                found = read(path, column=columns, sheet=sheet)
        except ColumnError as error:
            hint = _naming(read_rows(path, ["sentence"], "", sheet).frame, 1 + (name in PAIRS))
            raise RequestError(f"{error}{hint}") from None
        except InputError as error:
            raise RequestError(str(error)) from None
        if name == "rated_pairs" and "gold_score" not in found.table:
            raise RequestError(
                f"{path.name}, columns {found.table.columns.tolist()}: no human score beside the "
                "sentences. Call its column 'gold_score', or name it as the third: "
                'COLUMN="question, faq, score" (or --column "question, faq, score").'
            )


def _naming(frame: pd.DataFrame, count: int) -> str:
    """Say which columns hold texts of several words, and how to name as many as it takes."""
    columns = list(map(str, frame))
    words = frame.map(lambda cell: isinstance(cell, str) and " " in cell.strip()).mean().tolist()
    texts = [name for name, share in zip(columns, words, strict=True) if share >= 0.5]
    hold = f" These hold text: {', '.join(map(repr, texts))}." if texts else ""
    chosen = (texts if len(texts) >= count else columns)[:count]
    names = joined_names(chosen)
    spelled = shlex.quote(names) if '"' in names else f'"{names}"'
    return f"{hold} To name them: COLUMN={spelled} (or --column {spelled})."


def _reading(job: Job, name: str) -> tuple[str, str]:
    given = {} if name == "queries" else job.parameters
    return str(given.get("columns", "")), str(given.get("sheet", ""))
