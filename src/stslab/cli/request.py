"""What a report is asked for with: options, and what make hands on; read into checked jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..report.building.place import place
from ..report.progress import listener_for
from ..report.request.notebooks import Notebooks
from ..report.request.presets import Preset, adhoc_preset, load_preset
from ..report.request.values import (
    CommandLineText,
    Parameter,
    RequestError,
    parse_assignment,
    printable,
    shown,
    suggest,
    variable_of,
)
from ..report.running.kernels import default_kind

if TYPE_CHECKING:
    from ..report.building.build import Result

CORES = os.cpu_count() or 1

FOLDER: dict[str, Any] = {"type": click.Path(path_type=Path), "show_default": True}
NOTEBOOKS = click.option(
    "--notebooks", default="notebooks", help="The folder of notebooks and presets.", **FOLDER
)
REPORTS = click.option("--reports", default="reports", help="Where reports are written.", **FOLDER)
KERNELS = click.Choice(["warm", "fresh"])
KERNEL = click.option(
    "--kernel", type=KERNELS, default=default_kind, help="Default: warm on Linux."
)


class _OneText(click.types.StringParamType):
    """A text, which click would split at its spaces when it comes from the environment."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]


# What the Makefile hands on; PRESET by name, because click leaves arguments out of a prefix.
HANDED = "STSLAB_REQUEST"
FROM_MAKE = {"auto_envvar_prefix": HANDED}
PRESET = click.argument("preset", required=False, envvar=f"{HANDED}_PRESET")


UNUSABLE = "stslab.unusable"  # in a command's context: notebooks that are not named yet
NAMED = 10  # notebooks that are named at most


def remember_unusable(ctx: click.Context, books: Notebooks) -> None:
    """Keep what is wrong with notebooks until `naming_unusable` names them."""
    ctx.meta[UNUSABLE] = list(books.unusable.values())


@contextmanager
def naming_unusable(ctx: click.Context | None) -> Iterator[None]:
    """Name each notebook that cannot be used, once a command, when its request was checked.

    Where the request is refused because of one of them, the error says what is wrong with it.
    """
    try:
        yield
    except (RequestError, click.UsageError) as error:
        _name_unusable(ctx, str(error))
        raise
    _name_unusable(ctx)


def _name_unusable(ctx: click.Context | None, error: str = "") -> None:
    problems = ctx.meta.pop(UNUSABLE, []) if ctx else []
    problems = [problem for problem in problems if problem not in error]
    for problem in problems[:NAMED]:
        click.echo(f"stslab: skipped {printable(problem)}", err=True)
    if len(problems) > NAMED:
        click.echo(f"stslab: skipped {len(problems) - NAMED} more notebooks", err=True)


class TakesFiles(click.Command):
    """A command with options for the files that notebooks take, and for what goes with them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = _value_of("--notebooks", args) or os.environ.get(f"{HANDED}_NOTEBOOKS")
        folder = Path(given or "notebooks")
        books = Notebooks(folder) if folder.is_dir() else None
        known = books.inputs().values() if books else ()
        own = {each.name for each in self.params}  # such a parameter is still given with -p
        options = [option for each in known if each.name not in own for option in _options(each)]
        ctx.meta["inputs"] = options
        if books:
            remember_unusable(ctx, books)
        try:
            rest = super().parse_args(ctx, args)
            if books and ctx.auto_envvar_prefix:
                ctx.params["variables"] = self._variables(ctx, books)
        except (RequestError, click.UsageError):
            _name_unusable(ctx)  # what was given may belong to one of them
            raise
        return rest

    def _variables(self, ctx: click.Context, books: Notebooks) -> dict[str, str]:
        """Find what make was given beside options: parameters, by their names in upper case."""
        parameters: set[str] = set()
        for stem, notebook in books.by_stem.items():
            if stem not in books.unusable:
                parameters.update(books.parameters(notebook))
        return handed_beside(self, ctx, sorted(parameters))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*ctx.meta.get("inputs", ()), *super().get_params(ctx)]


class TakesVariables(click.Command):
    """A command with fixed options, which make may give; it refuses another variable."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        handed_beside(self, ctx)
        return super().parse_args(ctx, args)


def handed_beside(
    command: click.Command, ctx: click.Context, parameters: Sequence[str] = ()
) -> dict[str, str]:
    """Find what make was given beside a command's options; refuse what is no parameter either."""
    own = {each.envvar or f"{HANDED}_{each.name}".upper() for each in command.get_params(ctx)}
    found: dict[str, str] = {}
    for variable in sorted({name for name in os.environ if name.startswith(f"{HANDED}_")} - own):
        name = variable.removeprefix(f"{HANDED}_")
        if name.lower() not in parameters or name != name.upper():
            options = sorted(str(each).removeprefix(f"{HANDED}_") for each in own)
            hint = suggest(name, [*options, *map(str.upper, parameters)])
            raise RequestError(f"{name}=…: make {ctx.info_name} takes no such variable.{hint}")
        found |= {name.lower(): os.environ[variable]} if os.environ[variable] else {}
    return found


def _value_of(option: str, args: Sequence[str]) -> str | None:
    for given, following in zip(args, [*args[1:], ""], strict=False):
        name, equals, value = given.partition("=")
        if name == option:
            return value if equals else following
    return None


def _options(parameter: Parameter) -> list[click.Option]:
    """Make the options of a parameter: of texts that a file can hold, too, there are two."""

    def option(flag: str, name: str, takes_file: bool) -> click.Option:
        return click.Option(
            [flag, name],
            metavar="FILE" if takes_file else "TEXT",
            type=_OneText(),
            multiple=not takes_file and parameter.one_by_one,
            envvar=f"{HANDED}_{variable_of(flag)}",
            allow_from_autoenv=False,  # QUERIES is a file, and a query goes by the name queries
            help=parameter.help,
        )

    name, in_file = parameter.name, parameter.takes_file
    if in_file and parameter.one_by_one:
        whole = f"--{name.replace('_', '-')}"
        return [option(parameter.option, name, False), option(whole, f"{name}_file", True)]
    return [option(parameter.option, name, in_file)]


COLUMN = click.option(
    "--column", metavar="NAMES", help='The columns of the file with the texts: "question, faq".'
)


SHEET = click.option("--sheet", metavar="NAME", help="Of a spreadsheet, the one with the texts.")


def request_options(command: Any) -> Any:
    """Add the options that say what to build, beside those for files."""
    options = [
        PRESET,
        click.option("--model", metavar="NAME", help="A model's name or folder."),
        click.option("--title", metavar="TEXT", help="The report's title."),
        COLUMN,
        SHEET,
        click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True),
        click.option("--only", metavar="PAGES", help='Which pages, as in "8 10"; lessons, too.'),
        NOTEBOOKS,
        REPORTS,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_request(**given: Any) -> Preset:
    """Make checked jobs of what the command line says, and name the notebooks left out."""
    with naming_unusable(click.get_current_context(silent=True)):
        return _read_request(**given)


def _read_request(
    *,
    preset: str | None,
    model: str | None,
    title: str | None,
    column: str | None,
    sheet: str | None,
    parameters: Sequence[str],
    only: str | None,
    notebooks: Path,
    reports: Path,
    variables: Mapping[str, str] = {},
    **inputs: str | Sequence[str] | None,
) -> Preset:
    """Make checked jobs of what the command line says.

    `variables` are what make was given for parameters of the notebooks.
    """
    if not notebooks.is_dir():
        raise RequestError(
            f"notebooks folder {notebooks}: not found. Run from the project's folder, or pass "
            "--notebooks."
        )
    values: dict[str, Any] = {name: CommandLineText(text) for name, text in variables.items()}
    where = {name: f"{name.upper()}={shown(text)}" for name, text in variables.items()}
    values |= dict(map(parse_assignment, parameters))
    values |= {"model_name": model} if model else {}
    for name, option, value in (("columns", "--column", column), ("sheet", "--sheet", sheet)):
        if value:
            values[name] = value
            where[name] = f"{variable_of(option)}={shown(value)} (or {option})"
    known = Notebooks(notebooks).inputs() if any(inputs.values()) else {}
    files, texts = files_and_texts(inputs, known)
    values |= texts
    asked: dict[str, Any] = {"notebooks_dir": notebooks, "only": only.split() if only else None}
    if files:
        if preset:
            name, file = next(iter(files.items()))
            raise RequestError(
                f"PRESET={preset} and {variable_of(known[name].option)}={file}: a preset brings "
                f"its own texts, so this is two requests. Leave one out; or build the preset on "
                f'your file: ARGS="-p {name}={file}" (or -p {name}={file}).'
            )
        chosen = adhoc_preset(files=files, values=values, where=where, **asked)
    else:
        if preset is None:  # it would change the tutorial's pages
            _refuse_alone([each for each in known.values() if each.name in values], values)
        chosen = load_preset(preset or "tutorial", overrides=values, where=where, **asked)
    chosen = replace(chosen, title=title or chosen.title)
    return place(chosen, reports, notebooks.resolve().parent)


def files_and_texts(
    inputs: Mapping[str, str | Sequence[str] | None], known: Mapping[str, Parameter]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Part what was given by options: files to report on, and what goes with them."""
    files: dict[str, str] = {}
    texts: dict[str, Any] = {}
    for name, given in inputs.items():
        if not given:
            continue
        parameter = known.get(name) or known[name.removesuffix("_file")]
        if name not in known and inputs.get(parameter.name):
            raise RequestError(
                f"{variable_of(parameter.option)} and {parameter.name.upper()} (or "
                f"{parameter.option} and --{parameter.name}): give the texts, or their file."
            )
        if isinstance(given, str) and parameter.takes_file and not parameter.goes_with:
            files[name] = given
        else:
            texts[parameter.name] = given if isinstance(given, str) else list(given)
    return files, texts


def _refuse_alone(given: Sequence[Parameter], values: Mapping[str, Any]) -> None:
    """Refuse what goes with a file where none is given."""
    for parameter in given:
        if (file := parameter.goes_with) and file not in values:
            raise RequestError(
                f"{parameter.spelled} goes with a file, and none is given. Add "
                f"{file.upper()}=FILE (or --{file.replace('_', '-')} FILE)."
            )
    if {"columns", "sheet"} & values.keys():
        raise RequestError(
            "COLUMN and SHEET (or --column and --sheet) say where in a file the texts are, and "
            "none is given. Add SENTENCES=FILE (or --sentences FILE), or the like."
        )


def build_options(command: Any) -> Any:
    """Add the options that say how to build."""
    cores = click.IntRange(1)
    options = [
        click.option(
            "--jobs", type=cores, default=CORES, help="Notebooks at a time; default: the cores."
        ),
        KERNEL,
        click.option("--force", is_flag=True, help="Make every page again."),
        click.option("--prune", is_flag=True, help="Remove pages that no longer belong."),
        click.option("--explain", is_flag=True, help="Say all the reasons, page by page."),
        click.option("--embed-inputs", is_flag=True, help="Put the input files into the pages."),
        click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to run notebooks."),
        click.option("--quiet", is_flag=True, help="Only say what went wrong."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def built(
    explain: bool, quiet: bool, as_json: bool = False, **given: Any
) -> tuple[Preset, list[Result]]:
    """Build what the command line says, and say how it goes on."""
    from ..report.building.build import build

    ways = ("jobs", "kernel", "force", "prune", "embed_inputs", "scheduler")
    how = {name: given.pop(name) for name in ways}
    preset = read_request(**given)
    reports, root = given["reports"], given["notebooks"].resolve().parent
    with listener_for(quiet=quiet, as_json=as_json, explain=explain) as listener:
        return preset, build(preset, reports=reports, root=root, listener=listener, **how)
