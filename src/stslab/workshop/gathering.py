"""A folder of learners' files → what the class said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from ..inputs.checks import InputError
from ..report.building.manifest import own_file
from ..report.identity import bytes_digest
from ..report.messages import RequestError, printable
from ..wording import counted
from .answers import (
    HIGHEST,
    LOWEST,
    Answers,
    Check,
    Gathered,
    Learner,
    Noted,
    explain,
    pair_id,
)

LARGEST = 1_000_000  # bytes of a learner's file
LISTED = 10  # broken files named in a message
MOST_TRIES = 100  # that count of one exercise, so that no single file decides what failed most


def gather(folder: Path, exercises: Collection[str] | None = None) -> Gathered:
    """Read the files that learners handed in.

    Learners are told apart by the mark in their files, and put in the order of their first file.
    Files are taken by name. What a later one says of a pair or an exercise counts; its guesses
    replace earlier ones. A file that repeats another to the byte is left out.

    Parameters
    ----------
    folder : Path
        Its ``*.json`` files are read, but for hidden ones and links that lead out of it.
    exercises : collection of str or None, default None
        The exercises that the lessons have, as `exercise_names` lists them. Checks of others are
        left out and counted. None keeps all.

    Returns
    -------
    Gathered

    Raises
    ------
    RequestError
        If there is no such folder, no such file in it, or none that can be used.
    """
    names = _names(folder)
    first_of: dict[str, str] = {}
    learners: dict[str, Learner] = {}
    broken, doubled = [], []
    other_checks = 0
    for name in names:
        shown = printable(name)
        try:
            content = _content(folder, name)
            answers = _answers(content)
        except ValueError as error:
            broken.append(Noted(file=shown, why=f"{error}."))
            continue
        first = first_of.setdefault(bytes_digest(content), shown)
        if first != shown:
            doubled.append(Noted(file=shown, why=f"The same as {first}; left out."))
            continue
        checks = _checks_that_count(answers.checks, exercises)
        other_checks += len(answers.checks) - len(checks)
        answers = answers.model_copy(update={"checks": checks})
        before = learners.get(answers.learner, Learner())
        if again := _again(before, answers):
            why = f"Replaces what an earlier file of this learner says: {again}."
            doubled.append(Noted(file=shown, why=why))
        learners[answers.learner] = _joined(before, answers)
    if not learners:
        listed = "".join(f"\n  {each.file}: {each.why}" for each in broken[:LISTED])
        more = f"\n  … and {len(broken) - LISTED} more" if len(broken) > LISTED else ""
        raise RequestError(
            f"{folder}: none of {counted(len(names), 'file')} can be used.{listed}{more}"
        )
    return Gathered(
        files=len(names),
        learners=list(learners.values()),
        other_checks=other_checks,
        broken=broken,
        doubled=doubled,
    )


def read_gathered(answers: str | Path | Sequence[Sequence[float]], pairs: pd.DataFrame) -> Gathered:
    """Read what `gather` found, or take ratings that are written down.

    Parameters
    ----------
    answers : path, or sequence of sequence of float
        A file that ``stslab class`` wrote; or for each learner the ratings of the pairs, in order.
    pairs : DataFrame with ``sentence_a, sentence_b``

    Returns
    -------
    Gathered

    Raises
    ------
    InputError
        If the file holds anything else, or a rating is not from 0 to 5.
    """
    if isinstance(answers, str | Path):
        path = Path(answers)
        try:
            return Gathered.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(
                f"{path.name}: {explain(error)}. Expected a file that stslab class wrote."
            ) from None
    names = pair_ids(pairs)
    for number, given in enumerate(answers, start=1):
        if len(given) > len(names) or not all(LOWEST <= each <= HIGHEST for each in given):
            raise InputError(
                f"answers, learner {number}: expected at most {counted(len(names), 'rating')} from "
                f"{LOWEST} to {HIGHEST}, one for each pair, got {given!r:.60}."
            )
    learners = [Learner(ratings=dict(zip(names, given, strict=False))) for given in answers]
    return Gathered(files=0, learners=learners)


def pair_ids(pairs: pd.DataFrame) -> list[str]:
    """Name each pair, as learners' files do."""
    return [pair_id(*both) for both in zip(pairs["sentence_a"], pairs["sentence_b"], strict=True)]


def ratings_table(gathered: Gathered, pairs: pd.DataFrame) -> pd.DataFrame:
    """Set learners against pairs, both in their order; NaN where there is no rating."""
    names = pair_ids(pairs)
    rows = [[each.ratings.get(name) for name in names] for each in gathered.learners]
    return pd.DataFrame(rows, columns=range(len(names)), dtype=float)


def checks_table(gathered: Gathered) -> pd.DataFrame:
    """List the checks of all learners, a row each."""
    rows = [check.model_dump() for each in gathered.learners for check in each.checks]
    return pd.DataFrame(rows, columns=list(Check.model_fields))


def learners_table(gathered: Gathered, agreement: pd.Series[float]) -> pd.DataFrame:
    """List the learners by number, with how much each handed in; names where they were given."""
    table = pd.DataFrame(
        {
            "learner": range(1, len(gathered.learners) + 1),
            "name": [each.name for each in gathered.learners],
            "ratings": [len(each.ratings) for each in gathered.learners],
            "guesses": [len(each.guesses) for each in gathered.learners],
            "checks": [len(each.checks) for each in gathered.learners],
            "agreement_with_others": agreement.to_numpy(),
        }
    )
    return table if table["name"].any() else table.drop(columns="name")


def files_table(gathered: Gathered) -> pd.DataFrame:
    """List the files that were broken or doubled, and why."""
    noted = {"broken": gathered.broken, "doubled": gathered.doubled}
    rows = [(each.file, what, each.why) for what, files in noted.items() for each in files]
    return pd.DataFrame(rows, columns=["file", "what", "why"])


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        what = "a file, expected a folder" if folder.exists() else "no such folder"
        raise RequestError(f"{folder}: {what}. Give the one that holds the learners' files.")
    found = [path for path in folder.glob("[!.]*.json") if not path.is_dir()]
    if not found:
        raise RequestError(
            f"{folder}: no .json files in this folder. Learners save them from the page that they "
            "rate pairs in, from the live page and from their notebooks."
        )
    # By stem: what a browser calls "ratings (1).json" was saved after "ratings.json".
    return [path.name for path in sorted(found, key=lambda path: (path.stem, path.name))]


def _content(folder: Path, name: str) -> bytes:
    if not own_file(folder, name):
        raise ValueError("No file of this folder, but a link out of it, or to nothing")
    try:
        with (folder / name).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"It cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise ValueError("Larger than 1 MB")
    return content


def _answers(content: bytes) -> Answers:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"Not UTF-8 text (byte {error.start})") from None
    try:
        answers = Answers.model_validate_json(text)
    except ValidationError as error:
        why = explain(error)
        raise ValueError(why[0].upper() + why[1:]) from None
    if not (answers.ratings or answers.guesses or answers.checks):
        raise ValueError("Holds no ratings, guesses or checks")
    return answers


def _checks_that_count(checks: Sequence[Check], exercises: Collection[str] | None) -> list[Check]:
    """Return the checks of known exercises, with no more tries than count."""
    return [
        check.model_copy(update={"tries": min(check.tries, MOST_TRIES)})
        for check in checks
        if exercises is None or check.exercise in exercises
    ]


def _joined(before: Learner, answers: Answers) -> Learner:
    checks = {each.exercise: each for each in [*before.checks, *answers.checks]}
    return Learner(
        name=answers.name.strip() or before.name,
        ratings=before.ratings | {each.pair: each.rating for each in answers.ratings},
        guesses=answers.guesses or before.guesses,
        checks=list(checks.values()),
    )


def _again(before: Learner, answers: Answers) -> str:
    """Say what a learner had handed in before."""
    ratings = before.ratings.keys() & {each.pair for each in answers.ratings}
    guesses = before.guesses if answers.guesses else []
    checks = _exercises(before.checks) & _exercises(answers.checks)
    counts = {"rating": len(ratings), "guess": len(guesses), "check": len(checks)}
    return ", ".join(_some(count, noun) for noun, count in counts.items() if count)


def _some(count: int, noun: str) -> str:
    return counted(count, noun) if noun != "guess" or count == 1 else f"{count:,} guesses"


def _exercises(checks: Iterable[Check]) -> set[str]:
    return {each.exercise for each in checks}
