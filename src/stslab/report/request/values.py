"""Values against parameters: what a preset or the command line says, checked by type.

Both are data from outside, checked here once; the code behind may trust what comes out.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from .yaml_text import parse_yaml


class RequestError(ValueError):
    """What was asked for cannot be done: a wrong preset, parameter, file or notebook (exit 2)."""


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
        """Whether a text given for it is the path of a file (its type admits Path)."""
        return self.type is Path or Path in get_args(self.type)

    @property
    def goes_with(self) -> str:
        """The file that this value goes with, as its comment says: ``; goes with corpus``."""
        found = re.search(r"\bgoes with (\w+)$", self.help)
        return found[1] if found else ""

    @property
    def one_by_one(self) -> bool:
        """Whether it is a list of texts that go with a file, each given by itself."""
        lists = [get_origin(each) is list for each in (self.type, *get_args(self.type))]
        return bool(self.goes_with) and any(lists)

    @property
    def option(self) -> str:
        """Its option on the command line; of texts given one by one, in the singular.

        >>> Parameter("queries", "list[str]", list[str], [], "goes with corpus").option
        '--query'
        """
        name = re.sub(r"s$", "", re.sub(r"ies$", "y", self.name)) if self.one_by_one else self.name
        return f"--{name.replace('_', '-')}"

    @property
    def spelled(self) -> str:
        """How it is given, to make and to the command.

        >>> Parameter("reference", "str", str, "", "goes with candidates").spelled
        'REFERENCE="…" (or --reference "…")'
        """
        what = "FILE" if self.takes_file and not self.goes_with else '"…"'
        file = self.takes_file and self.one_by_one
        return (
            f"{variable_of(self.option)}={what} (or {self.option} {what})"
            f"{f', or {self.name.upper()}=FILE (or --{self.name} FILE)' if file else ''}"
        )


def variable_of(option: str) -> str:
    """Name the variable by which make takes what an option takes.

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
    where: str,
    notebook: str = "this notebook",
    base: Path = Path(),
) -> dict[str, Any]:
    """Check values against the parameters of a notebook; `where` they come from is for messages.

    They are as YAML gives them: "3" is no int and true no number, but 3 is a float and a list a
    tuple. A `CommandLineText` is read by the parameter's type; where that admits Path, a text names
    a file, which becomes an absolute `Path`. All else comes out as plain JSON (papermill passes no
    tuples).
    """
    checked = {}
    for name, given in values.items():
        if name not in parameters:
            hint = suggest(name, parameters, none="It takes no parameters.")
            raise RequestError(f"{where}: unknown parameter {name!r} for {notebook}.{hint}")
        parameter = parameters[name]
        say = f"{where}: parameter {name!r} of {notebook}"
        value = _understand(given, parameter) if isinstance(given, CommandLineText) else given
        if parameter.takes_file and isinstance(value, (str, Path)):
            checked[name] = _readable_file(value, base, say)
        else:
            try:
                checked[name] = validated(value, parameter)
            except ValueError as error:
                raise RequestError(f"{say}: {error}") from None
    return checked


def suggest(name: str, choices: Iterable[str], *, none: str = "There are none.") -> str:
    """Say what could be meant by a wrong name: the nearest choice, or else the list of them.

    >>> suggest("top-k", ["model", "top_k"]), suggest("x", ["model", "top_k"])
    (" Did you mean 'top_k'?", ' Choose from: model, top_k.')
    """
    by_folded = {choice.casefold(): choice for choice in choices}
    if not by_folded:
        return f" {none}"
    if close := difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.7):
        return f" Did you mean {by_folded[close[0]]!r}?"
    listed = list(by_folded.values())
    more = f" … and {len(listed) - 20} more" if len(listed) > 20 else ""
    return f" Choose from: {', '.join(listed[:20])}{more}."


def printable(text: str) -> str:
    """Write invisible characters as escapes: a terminal obeys some, and a newline forges a line.

    >>> printable("a\\x1b[31m\\nb")
    'a\\\\x1b[31m\\\\nb'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(value: Any, width: int = 60) -> str:
    """Show a value in a message or a table: short, on one line."""
    text = repr(str(value) if isinstance(value, (CommandLineText, Path)) else value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _understand(text: CommandLineText, parameter: Parameter) -> Any:
    """Read a command-line text by the parameter's type; give it back where that is no help."""
    if parameter.type is str or not text.strip():
        return str(text)
    try:
        value = parse_yaml(text)[0]
    except (yaml.YAMLError, ValueError):  # ValueError: a number of too many digits
        return str(text)
    if parameter.takes_file:
        # "my file.txt", "12" and "a: b.txt" are paths; only what looks like a list is one.
        return value if value is None or text.lstrip()[0] in "[{" else str(text)
    for meant in (value, str(text)):  # the text as it is, such as '12' for `str | None`
        with suppress(ValueError):
            return validated(meant, parameter)
    return str(text) if value is None else value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def validated(value: Any, parameter: Parameter) -> Any:
    """Give the value as plain JSON of the parameter's type, or raise ValueError saying why not."""
    problem: dict[str, Any] = {"loc": (), "type": ""}
    try:
        # pydantic is strict about JSON in just the way wanted: arrays are tuples, 3 is a float,
        # "3" is no int.
        adapter = _adapter(parameter.type)
        result = adapter.validate_json(json.dumps(value, allow_nan=False))
        if isinstance(result, bool) == isinstance(value, bool):  # True is no Literal[1]
            return adapter.dump_python(result, mode="json")
    except ValidationError as error:
        problem = dict(max(error.errors(), key=lambda each: len(each["loc"])))
    except (TypeError, ValueError, RecursionError):
        pass  # not JSON: a set, a date, infinity, a list inside itself
    raise ValueError(_mismatch(value, parameter, problem["loc"], problem["type"]))


def _mismatch(value: Any, parameter: Parameter, loc: tuple[Any, ...], problem: str) -> str:
    if choices := _choices(parameter.type):
        texts = [choice for choice in choices if isinstance(choice, str)]
        hint = suggest(value, texts) if isinstance(value, str) else ""
        listed = ", ".join(map(shown, choices))
        return f"{shown(value)} is not one of {listed}.{hint if 'mean' in hint else ''}"
    where = ""
    for step in loc:  # pydantic also lists the branches of unions here; they lead nowhere
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value, where = value[step], f"{where}, item {step + 1}"
        elif isinstance(value, dict) and step in value:
            value, where = value[step], f"{where}, {step!r}"
    got = "nothing" if value is None else shown(value)
    hint = ""
    if problem == "string_type" and isinstance(value, (bool, int, float)):
        hint = " Put quotes around it."
    elif problem in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        if value == "None" and type(None) in get_args(parameter.type):
            hint = " Write null for none."
        elif problem == "bool_type":
            hint = " Write true or false, without quotes."
        elif value.strip().lstrip("+-").replace(".", "", 1).isdecimal():
            hint = " Write the number without quotes."
    elif problem == "list_type" and isinstance(value, str):
        hint = f" Write a list: {shown([value])}."
        if value.startswith("["):  # a list that YAML could not read, such as [Why?]
            hint = ' Put each text in double quotes: ["…", "…"].'
    return f"expected {parameter.annotation}, got {got}{where and f' ({where[2:]})'}.{hint}"


def _choices(kind: Any) -> tuple[Any, ...]:
    """List what a Literal, or a Literal or None, allows; nothing for any other type."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    branches = [each for each in get_args(kind) if each is not type(None)]
    if get_origin(kind) is Union and [get_origin(each) for each in branches] == [Literal]:
        return (*get_args(branches[0]), None)
    return ()


def _readable_file(value: str | Path, base: Path, say: str) -> Path:
    """Give the absolute path of a file that can be opened."""
    try:
        path = (base / os.path.expanduser(value)).absolute()  # noqa: PTH111 (Path's own raises where there is no such home)
        str(path).encode()  # a name that is no Unicode could not be handed to a kernel
        if path.is_file():
            path.open("rb").close()
            return path
        problem = "is no regular file" if path.exists() else "does not exist"
        problem = "is a folder" if path.is_dir() else problem
    except (OSError, ValueError) as error:  # too long, a null byte, no permission
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise RequestError(
        f"{say}: the file {shown(value)} {problem}. Looked for it in {base.absolute()}. "
        "Correct the path, or give the values as a list."
    )


def joined_names(names: Sequence[str]) -> str:
    """Write names of columns as one text; of several, those that hold a comma stand in quotes."""
    if len(names) == 1:
        return names[0]
    return ", ".join(f'"{name}"' if "," in name else name for name in names)
