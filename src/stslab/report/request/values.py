"""Values against parameters: what a preset or the command line gives, checked by type.

Both come from outside and are checked here once; the code behind may trust what comes out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..messages import RequestError, short_repr, suggest
from .yaml_text import parse_yaml


class CommandLineText(str):
    """A value as typed after ``-p name=``: text, until the parameter's type says what it means."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    annotation: str  # the type as written; inferred from the default where none is written
    type: Any  # the same as a typing object
    default: Any  # a literal; for a type with Path, a str is the path of a file
    help: str = ""  # the comment on the line, else the comment lines above it

    @property
    def takes_file(self) -> bool:
        """True if a text given for it is the path of a file, because its type admits Path."""
        return self.type is Path or Path in get_args(self.type)

    @property
    def goes_with(self) -> str:
        """The file that this value goes with, as its comment says: ``; goes with corpus``."""
        match = re.search(r"\bgoes with (\w+)$", self.help)
        if match is None:
            return ""
        return match[1]

    @property
    def one_by_one(self) -> bool:
        """True for a list of texts that go with a file; its option can be repeated."""
        types = (self.type, *get_args(self.type))
        takes_list = any(get_origin(type_) is list for type_ in types)
        return takes_list and bool(self.goes_with)

    @property
    def option(self) -> str:
        """Its option on the command line; of texts given one by one, in the singular.

        >>> Parameter("queries", "list[str]", list[str], [], "goes with corpus").option
        '--query'
        """
        name = self.name
        if self.one_by_one:
            name = re.sub(r"ies$", "y", name)
            name = re.sub(r"s$", "", name)
        return f"--{name.replace('_', '-')}"

    @property
    def spelled(self) -> str:
        """The texts by which make and the command take it.

        >>> Parameter("reference", "str", str, "", "goes with candidates").spelled
        'REFERENCE="…" (or --reference "…")'
        """
        value = '"…"'
        if self.takes_file and not self.goes_with:
            value = "FILE"
        spelled = f"{variable_of(self.option)}={value} (or {self.option} {value})"
        if self.takes_file and self.one_by_one:
            spelled += f", or {self.name.upper()}=FILE (or --{self.name} FILE)"
        return spelled


def variable_of(option: str) -> str:
    """Return the variable by which make takes what an option takes.

    >>> variable_of("--rated-pairs")
    'RATED_PAIRS'
    """
    return option.removeprefix("--").replace("-", "_").upper()


def parse_assignment(text: str) -> tuple[str, CommandLineText]:
    """Split ``name=value`` as given to ``-p``.

    The value stays text: `check_values` reads it by the parameter's type, so that
    ``reference=12`` is the text "12" and ``top_k=12`` the number.

    >>> parse_assignment("reference=a = b")
    ('reference', 'a = b')
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise RequestError(f"-p {text!r}: expected NAME=VALUE, for example -p top_k=5.")
    return name.strip(), CommandLineText(value)


def check_values(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, Any],
    *,
    place: str,
    notebook: str = "this notebook",
    base: Path = Path(),
) -> dict[str, Any]:
    """Check values against the parameters of a notebook.

    They are as YAML gives them: "3" is no int and true no number, but 3 is a float and a list a
    tuple. A `CommandLineText` is read by the parameter's type; where that admits Path, a text names
    a file, which becomes an absolute `Path`. All else comes out as plain JSON (papermill passes no
    tuples).

    Parameters
    ----------
    parameters, values : mapping from names
    place : str
        Where the values come from, for messages.
    notebook : str
        The notebook's name, for messages.
    base : Path
        The folder that paths are relative to.
    """
    checked_values = {}
    for name, value in values.items():
        if name not in parameters:
            hint = suggest(name, parameters, if_none="It takes no parameters.")
            raise RequestError(f"{place}: unknown parameter {name!r} for {notebook}.{hint}")
        parameter = parameters[name]
        subject = f"{place}: parameter {name!r} of {notebook}"
        if isinstance(value, CommandLineText):
            value = _value_of_text(value, parameter)
        if parameter.takes_file and isinstance(value, (str, Path)):
            checked_values[name] = _readable_file(value, base, subject)
        else:
            try:
                checked_values[name] = validated(value, parameter)
            except ValueError as error:
                raise RequestError(f"{subject}: {error}") from None
    return checked_values


def _value_of_text(text: CommandLineText, parameter: Parameter) -> Any:
    """Read a text by the parameter's type; return it as it is if it cannot be read so."""
    if parameter.type is str or not text.strip():
        return str(text)
    try:
        value, _ = parse_yaml(text)
    except (yaml.YAMLError, ValueError):  # ValueError: a number of too many digits
        return str(text)
    if parameter.takes_file:
        # "my file.txt", "12" and "a: b.txt" are paths; only what looks like a list is one.
        if value is None or text.lstrip()[0] in "[{":
            return value
        return str(text)
    # The text as it is comes second, such as '12' for `str | None`.
    for candidate in (value, str(text)):
        with suppress(ValueError):
            return validated(candidate, parameter)
    if value is None:
        return str(text)
    return value


@cache
def _adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_, config=ConfigDict(strict=True, allow_inf_nan=False))


def validated(value: Any, parameter: Parameter) -> Any:
    """Return the value as plain JSON of the parameter's type.

    Raises
    ------
    ValueError
        If it has another type; the message says which type was expected.
    """
    problem_type: str = ""
    problem_path: tuple[Any, ...] = ()
    try:
        # pydantic is strict about JSON in just the way wanted: arrays are tuples, 3 is a float,
        # "3" is no int.
        adapter = _adapter(parameter.type)
        result = adapter.validate_json(json.dumps(value, allow_nan=False))
        if isinstance(result, bool) == isinstance(value, bool):  # True is no Literal[1]
            return adapter.dump_python(result, mode="json")
    except ValidationError as error:
        # Of a union, there is an error for each branch; the deepest belongs to the nearest type.
        deepest = max(error.errors(), key=lambda details: len(details["loc"]))
        problem_type, problem_path = deepest["type"], deepest["loc"]
    except (TypeError, ValueError, RecursionError):
        pass  # not JSON: a set, a date, infinity, a list inside itself
    raise ValueError(_mismatch(value, parameter, problem_type, problem_path))


def _mismatch(
    value: Any, parameter: Parameter, problem_type: str, problem_path: tuple[Any, ...]
) -> str:
    """Return the message for a value that has not the parameter's type."""
    choices = _choices(parameter.type)
    if choices:
        return _not_a_choice(value, choices)
    place = ""
    for step in problem_path:
        # pydantic also lists the branches of unions here; they lead nowhere.
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value, place = value[step], f"{place}, item {step + 1}"
        elif isinstance(value, dict) and step in value:
            value, place = value[step], f"{place}, {step!r}"
    actual = shown_or_nothing(value)
    if place:
        actual += f" ({place[2:]})"
    hint = _hint(value, parameter, problem_type)
    return f"expected {parameter.annotation}, got {actual}.{hint}"


def _not_a_choice(value: Any, choices: tuple[Any, ...]) -> str:
    """Return the message for a value that a Literal does not list."""
    hint = ""
    if isinstance(value, str):
        texts = [choice for choice in choices if isinstance(choice, str)]
        hint = suggest(value, texts)
        if "mean" not in hint:  # it lists the choices, as the message does
            hint = ""
    return f"{short_repr(value)} is not one of {', '.join(map(short_repr, choices))}.{hint}"


def _hint(value: Any, parameter: Parameter, problem_type: str) -> str:
    """Return how to write the value in YAML so that it has the type; empty if that is unknown."""
    if problem_type == "string_type" and isinstance(value, (bool, int, float)):
        return " Put quotes around it."
    if not isinstance(value, str):
        return ""
    if problem_type in ("int_type", "float_type", "bool_type"):
        if value == "None" and type(None) in get_args(parameter.type):
            return " Write null for none."
        if problem_type == "bool_type":
            return " Write true or false, without quotes."
        if value.strip().lstrip("+-").replace(".", "", 1).isdecimal():
            return " Write the number without quotes."
    if problem_type == "list_type":
        if value.startswith("["):  # a list that YAML could not read, such as [Why?]
            return ' Put each text in double quotes: ["…", "…"].'
        return f" Write a list: {short_repr([value])}."
    return ""


def shown_or_nothing(value: Any) -> str:
    """Return a value as a message shows it; null, which a person leaves out, is "nothing"."""
    if value is None:
        return "nothing"
    return short_repr(value)


def _choices(type_: Any) -> tuple[Any, ...]:
    """Return what a Literal, or a Literal or None, allows; nothing for any other type."""
    if get_origin(type_) is Literal:
        return get_args(type_)
    branches = [branch for branch in get_args(type_) if branch is not type(None)]
    branch_origins = [get_origin(branch) for branch in branches]
    if get_origin(type_) is Union and branch_origins == [Literal]:
        return (*get_args(branches[0]), None)
    return ()


def _readable_file(value: str | Path, base: Path, subject: str) -> Path:
    """Return the absolute path of a file that can be opened."""
    try:
        path = (base / os.path.expanduser(value)).absolute()  # noqa: PTH111 (Path's own raises where there is no such home)
        str(path).encode()  # a name that is no Unicode could not be handed to a kernel
        if path.is_file():
            path.open("rb").close()
            return path
        if path.is_dir():
            problem = "is a folder"
        elif path.exists():
            problem = "is no regular file"
        else:
            problem = "does not exist"
    except (OSError, ValueError) as error:  # too long, a null byte, no permission
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise RequestError(
        f"{subject}: the file {short_repr(value)} {problem}. Looked for it in {base.absolute()}. "
        "Correct the path, or give the values as a list."
    )
