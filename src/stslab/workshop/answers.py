"""What a learner hands in, which is data from a stranger; and what a class does, put together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..report.messages import printable, shown

FORMAT, VERSION = "stslab-class", 1
LOWEST, HIGHEST = 0, 5  # what a pair can be rated

_Mark = Annotated[float, Field(ge=LOWEST, le=HIGHEST)]
_Guessed = Annotated[float, Field(ge=-1, le=1)]
_Score = Annotated[float, Field(ge=-1.0001, le=1.0001)]  # a computed cosine may miss its end a bit
_Text = Annotated[str, Field(max_length=200)]


class _Shape(BaseModel):
    """Data that is what it says, or is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Rating(_Shape):
    """What a learner said of a pair, from 0 to 5."""

    pair: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
    rating: _Mark


class Guess(_Shape):
    """What a learner took a score to be, and what it was; in an exercise, or anywhere."""

    guess: _Guessed
    score: _Score
    exercise: _Text = ""


class Check(_Shape):
    """How an exercise went: after how many tries, and with which hint last."""

    exercise: Annotated[_Text, Field(min_length=1)]
    passed: bool
    tries: Annotated[int, Field(ge=0, le=100_000)]
    hint: _Text = ""


class Answers(_Shape):
    """A learner's file; each part may be missing."""

    format: Literal["stslab-class"]
    version: Literal[1]
    name: _Text = ""
    learner: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    ratings: Annotated[list[Rating], Field(max_length=2000)] = []
    guesses: Annotated[list[Guess], Field(max_length=20_000)] = []
    checks: Annotated[list[Check], Field(max_length=2000)] = []

    @model_validator(mode="after")
    def _once_each(self) -> Answers:
        _check_once("pair", (each.pair for each in self.ratings))
        _check_once("exercise", (each.exercise for each in self.checks))
        return self


class Noted(_Shape):
    """A file and what is to be said of it."""

    file: str
    why: str


class Learner(_Shape):
    """All that one learner handed in; no name unless the learner gave one."""

    name: str = ""
    ratings: dict[str, float] = {}  # by the pair, as `pair_id` names it
    guesses: list[Guess] = []  # in the order made
    checks: list[Check] = []


class Gathered(_Shape):
    """What the files of a class hold, and which of them were broken or doubled."""

    files: int
    learners: list[Learner]
    other_checks: Annotated[int, Field(ge=0)] = 0  # left out: of exercises that no lesson has
    broken: list[Noted] = []
    doubled: list[Noted] = []


def pair_id(sentence_a: str, sentence_b: str) -> str:
    """Name a pair by its content: the first 12 digits of a SHA-256.

    >>> pair_id("A cat.", "A dog.")
    '0b488900a122'
    """
    text = f"{sentence_a}\n{sentence_b}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:12]


def explain(error: ValidationError) -> str:
    """Say in words what is wrong with a learner's file, and where."""
    first = error.errors()[0]
    kind, said = first["type"], first["msg"]
    if kind == "json_invalid":
        return f"not JSON ({said.removeprefix('Invalid JSON: ')})"
    steps = first["loc"]
    where = ", ".join(f"item {s + 1}" if isinstance(s, int) else printable(s)[:60] for s in steps)
    if kind == "missing":
        return f"{where} is missing"
    if kind == "extra_forbidden":
        return f"{where} is unknown"
    if kind == "value_error":
        return said.removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        said = "expected digits from 0 to f, as stslab writes them"
    expected = said[0].lower() + said[1:]
    expected = expected.replace("input should be", "expected").replace("a valid", "a")
    return f"{where or 'the file'}: {expected}, got {shown(first['input'], 40)}"


def _check_once(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"the {what} {shown(twice[0])} is there twice")
