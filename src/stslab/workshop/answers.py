"""The files that learners hand in, checked as data from strangers, and a whole class's answers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..report.messages import printable, short_repr

FORMAT, VERSION = "stslab-class", 1
LOWEST, HIGHEST = 0, 5  # what a pair can be rated

_RatingNumber = Annotated[float, Field(ge=LOWEST, le=HIGHEST)]
_GuessNumber = Annotated[float, Field(ge=-1, le=1)]
# A computed cosine may lie beyond 1 by a rounding error.
_Score = Annotated[float, Field(ge=-1.0001, le=1.0001)]
_Text = Annotated[str, Field(max_length=200)]


class _StrictModel(BaseModel):
    """A model that refuses unknown fields, other types, and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Rating(_StrictModel):
    """A learner's rating of a pair, from 0 to 5."""

    pair: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
    rating: _RatingNumber


class Guess(_StrictModel):
    """A guess of a score, with the score; `exercise` is empty for one on the live page."""

    guess: _GuessNumber
    score: _Score
    exercise: _Text = ""


class Check(_StrictModel):
    """The outcome of an exercise: passed or not, the number of tries, and the last hint."""

    exercise: Annotated[_Text, Field(min_length=1)]
    passed: bool
    tries: Annotated[int, Field(ge=0, le=100_000)]
    hint: _Text = ""


class Answers(_StrictModel):
    """A learner's file; ratings, guesses and checks may each be missing."""

    format: Literal["stslab-class"]
    version: Literal[1]
    name: _Text = ""
    learner: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    ratings: Annotated[list[Rating], Field(max_length=2000)] = []
    guesses: Annotated[list[Guess], Field(max_length=20_000)] = []
    checks: Annotated[list[Check], Field(max_length=2000)] = []

    @model_validator(mode="after")
    def _check_repeats(self) -> Answers:
        _raise_if_repeated("pair", (rating.pair for rating in self.ratings))
        _raise_if_repeated("exercise", (check.exercise for check in self.checks))
        return self


class FileNote(_StrictModel):
    """A file that could not be used as it is, and the reason."""

    file: str
    reason: str


class Learner(_StrictModel):
    """The answers of one learner, from all files; the name is empty unless the learner gave one."""

    name: str = ""
    ratings: dict[str, float] = {}  # by the pair, as `pair_id` names it
    guesses: list[Guess] = []  # in the order made
    checks: list[Check] = []


class Gathered(_StrictModel):
    """The answers of a class, and the files that were broken or doubled."""

    files: int
    learners: list[Learner]
    other_checks: Annotated[int, Field(ge=0)] = 0  # left out: of exercises that no lesson has
    broken: list[FileNote] = []
    doubled: list[FileNote] = []


def pair_id(sentence_a: str, sentence_b: str) -> str:
    """Name a pair by its content: the first 12 digits of a SHA-256.

    >>> pair_id("A cat.", "A dog.")
    '0b488900a122'
    """
    text = f"{sentence_a}\n{sentence_b}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:12]


def explain(error: ValidationError) -> str:
    """Describe the first error in a learner's file, and its place in the file."""
    first = error.errors()[0]
    kind, message = first["type"], first["msg"]
    if kind == "json_invalid":
        return f"not JSON ({message.removeprefix('Invalid JSON: ')})"
    location = ", ".join(map(_describe_step, first["loc"]))
    if kind == "missing":
        return f"{location} is missing"
    if kind == "extra_forbidden":
        return f"{location} is unknown"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        message = "expected digits from 0 to f, as stslab writes them"
    # pydantic's "Input should be a valid number" becomes "expected a number".
    expected = message[0].lower() + message[1:]
    expected = expected.replace("input should be", "expected").replace("a valid", "a")
    return f"{location or 'the file'}: {expected}, got {short_repr(first['input'], 40)}"


def _describe_step(step: str | int) -> str:
    """Return a field's name or an item's number, counted from 1."""
    if isinstance(step, int):
        return f"item {step + 1}"
    return printable(step)[:60]


def _raise_if_repeated(noun: str, names: Iterable[str]) -> None:
    """Raise ValueError if a name comes twice."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"the {noun} {short_repr(repeated[0])} is there twice")
