"""A folder of learners' files → the answers of the class, and tables of them."""

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
    FileNote,
    Gathered,
    Learner,
    explain,
    pair_id,
)

LARGEST = 1_000_000  # bytes of a learner's file
LISTED = 10  # broken files named in a message
MOST_TRIES = 100  # counted for one exercise, so that no single file decides what failed most


def gather(folder: Path, exercises: Collection[str] | None = None) -> Gathered:
    """Read the files that learners handed in.

    Learners are told apart by the mark in their files, and put in the order of their first file.
    Files are read in the order of their names. For a pair or an exercise that comes twice the later
    file counts; its guesses replace earlier ones. A copy of another file is left out.

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
    names = _file_names(folder)
    class_files = _ClassFiles(exercises)
    for name in names:
        file = printable(name)
        try:
            content = _read_content(folder, name)
            answers = _parse_answers(content)
        except ValueError as error:
            class_files.broken.append(FileNote(file=file, reason=f"{error}."))
        else:
            class_files.add(file, content, answers)
    if not class_files.learners:
        raise RequestError(
            f"{folder}: none of {counted(len(names), 'file')} can be used."
            f"{_list_files(class_files.broken)}"
        )
    return Gathered(
        files=len(names),
        learners=list(class_files.learners.values()),
        other_checks=class_files.other_checks,
        broken=class_files.broken,
        doubled=class_files.doubled,
    )


class _ClassFiles:
    """The files of a class that were read so far, joined by learner."""

    def __init__(self, exercises: Collection[str] | None) -> None:
        self.exercises = exercises
        self.learners: dict[str, Learner] = {}  # by the mark in their files
        self.file_of_digest: dict[str, str] = {}
        self.broken: list[FileNote] = []
        self.doubled: list[FileNote] = []
        self.other_checks = 0

    def add(self, file: str, content: bytes, answers: Answers) -> None:
        """Add a file's answers to those of its learner, unless it is a copy of another file."""
        first_file = self.file_of_digest.setdefault(bytes_digest(content), file)
        if first_file != file:
            reason = f"The same as {first_file}; left out."
            self.doubled.append(FileNote(file=file, reason=reason))
            return
        checks = _checks_that_count(answers.checks, self.exercises)
        self.other_checks += len(answers.checks) - len(checks)
        answers = answers.model_copy(update={"checks": checks})
        learner = self.learners.get(answers.learner, Learner())
        repeats = _describe_repeats(learner, answers)
        if repeats:
            reason = f"Replaces what an earlier file of this learner says: {repeats}."
            self.doubled.append(FileNote(file=file, reason=reason))
        self.learners[answers.learner] = _with_answers(learner, answers)


def _list_files(notes: Sequence[FileNote]) -> str:
    lines = "".join(f"\n  {note.file}: {note.reason}" for note in notes[:LISTED])
    if len(notes) > LISTED:
        lines += f"\n  … and {len(notes) - LISTED} more"
    return lines


def read_gathered(answers: str | Path | Sequence[Sequence[float]], pairs: pd.DataFrame) -> Gathered:
    """Return a class's answers from a file that `gather` made, or from ratings in a list.

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
    learners = []
    for number, ratings in enumerate(answers, start=1):
        in_range = all(LOWEST <= rating <= HIGHEST for rating in ratings)
        if len(ratings) > len(names) or not in_range:
            raise InputError(
                f"answers, learner {number}: expected at most {counted(len(names), 'rating')} from "
                f"{LOWEST} to {HIGHEST}, one for each pair, got {ratings!r:.60}."
            )
        # Not strict: a learner may have rated the first pairs only.
        learners.append(Learner(ratings=dict(zip(names, ratings, strict=False))))
    return Gathered(files=0, learners=learners)


def pair_ids(pairs: pd.DataFrame) -> list[str]:
    """Return the id of each pair, as in learners' files."""
    return [pair_id(*pair) for pair in zip(pairs["sentence_a"], pairs["sentence_b"], strict=True)]


def ratings_table(gathered: Gathered, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ratings with a row per learner and a column per pair, NaN for none."""
    names = pair_ids(pairs)
    rows = [[learner.ratings.get(name) for name in names] for learner in gathered.learners]
    return pd.DataFrame(rows, columns=range(len(names)), dtype=float)


def checks_table(gathered: Gathered) -> pd.DataFrame:
    """Return a table of the checks of all learners, a row each."""
    rows = [check.model_dump() for learner in gathered.learners for check in learner.checks]
    return pd.DataFrame(rows, columns=list(Check.model_fields))


def learners_table(gathered: Gathered, agreement: pd.Series[float]) -> pd.DataFrame:
    """Return a table of the learners, with how much each handed in, and names if any has one."""
    table = pd.DataFrame(
        {
            "learner": range(1, len(gathered.learners) + 1),
            "name": [learner.name for learner in gathered.learners],
            "ratings": [len(learner.ratings) for learner in gathered.learners],
            "guesses": [len(learner.guesses) for learner in gathered.learners],
            "checks": [len(learner.checks) for learner in gathered.learners],
            "agreement_with_others": agreement.to_numpy(),
        }
    )
    if not table["name"].any():
        table = table.drop(columns="name")
    return table


def files_table(gathered: Gathered) -> pd.DataFrame:
    """Return a table of the files that were broken or doubled, with the reasons."""
    rows = [(note.file, "broken", note.reason) for note in gathered.broken]
    rows += [(note.file, "doubled", note.reason) for note in gathered.doubled]
    return pd.DataFrame(rows, columns=["file", "what", "why"])


def _file_names(folder: Path) -> list[str]:
    """Return the names of the files to read, in order."""
    if not folder.is_dir():
        problem = "no such folder"
        if folder.exists():
            problem = "a file, expected a folder"
        raise RequestError(f"{folder}: {problem}. Give the one that holds the learners' files.")
    paths = [path for path in folder.glob("[!.]*.json") if not path.is_dir()]
    if not paths:
        raise RequestError(
            f"{folder}: no .json files in this folder. Learners save them from the page that they "
            "rate pairs in, from the live page and from their notebooks."
        )
    # By stem: what a browser calls "ratings (1).json" was saved after "ratings.json".
    return [path.name for path in sorted(paths, key=lambda path: (path.stem, path.name))]


def _read_content(folder: Path, name: str) -> bytes:
    """Return a file's bytes; raise ValueError if it is no file of the folder, or too large."""
    if not own_file(folder, name):
        raise ValueError("No file of this folder, but a link out of it, or to nothing")
    try:
        with (folder / name).open("rb") as file:
            content = file.read(LARGEST + 1)  # one more, to see that there is more
    except OSError as error:
        raise ValueError(f"It cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise ValueError("Larger than 1 MB")
    return content


def _parse_answers(content: bytes) -> Answers:
    """Return a file's answers; raise ValueError with a sentence on what is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"Not UTF-8 text (byte {error.start})") from None
    try:
        answers = Answers.model_validate_json(text)
    except ValidationError as error:
        reason = explain(error)
        raise ValueError(reason[0].upper() + reason[1:]) from None
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


def _with_answers(learner: Learner, answers: Answers) -> Learner:
    """Return a learner with the answers of a further file, which replace earlier ones."""
    checks = {check.exercise: check for check in [*learner.checks, *answers.checks]}
    return Learner(
        name=answers.name.strip() or learner.name,
        ratings=learner.ratings | {rating.pair: rating.rating for rating in answers.ratings},
        guesses=answers.guesses or learner.guesses,
        checks=list(checks.values()),
    )


def _describe_repeats(learner: Learner, answers: Answers) -> str:
    """Count the earlier answers of a learner that a file replaces; empty if there are none."""
    ratings = learner.ratings.keys() & {rating.pair for rating in answers.ratings}
    checks = _exercises(learner.checks) & _exercises(answers.checks)
    counts = []
    if ratings:
        counts.append(counted(len(ratings), "rating"))
    if answers.guesses and learner.guesses:
        counts.append(counted(len(learner.guesses), "guess", "guesses"))
    if checks:
        counts.append(counted(len(checks), "check"))
    return ", ".join(counts)


def _exercises(checks: Iterable[Check]) -> set[str]:
    return {check.exercise for check in checks}
