"""The files of a request, read before any kernel starts: one message for one fault."""

from __future__ import annotations

from collections.abc import Iterable

from ..request.jobs import Job
from ..request.values import RequestError

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
    from stslab.inputs.reading import read_corpus, read_pairs, read_sentences

    for name, path, columns, sheet in files:
        try:
            if name in PAIRS:
                found = read_pairs(path, columns=columns, sheet=sheet)
            else:
                read = read_corpus if name == "corpus" else read_sentences
                found = read(path, column=columns, sheet=sheet)
        except InputError as error:
            raise RequestError(str(error)) from None
        if name == "rated_pairs" and "gold_score" not in found.table:
            raise RequestError(
                f"{path.name}, columns {found.table.columns.tolist()}: no human score beside the "
                "sentences. Call its column 'gold_score', or name it as the third: "
                'COLUMN="question, faq, score" (or --column "question, faq, score").'
            )


def _reading(job: Job, name: str) -> tuple[str, str]:
    given = {} if name == "queries" else job.parameters
    return str(given.get("columns", "")), str(given.get("sheet", ""))
