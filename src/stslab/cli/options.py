"""The options of commands: fixed ones, those that notebooks bring along, and what make passes on.

Click calls a command with its options as keywords. `request_options` and `build_options` are where
these become values with types: a `Request` and `BuildOptions`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, TypeVar

import click

from ..report.messages import RequestError, suggest
from ..report.request.notebooks import Notebooks
from ..report.request.values import Parameter, variable_of
from ..report.running.kernels import KernelKind, default_kind
from .request import BuildOptions, InputOptions, Request
from .unusable import name_unusable

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
COLUMN = click.option(
    "--column", metavar="NAMES", help='The columns of the file with the texts: "question, faq".'
)
SHEET = click.option("--sheet", metavar="NAME", help="Of a spreadsheet, the one with the texts.")

# The Makefile passes each variable that it was given in one of the environment with this prefix.
MAKE_PREFIX = "STSLAB_REQUEST"
FROM_MAKE = {"auto_envvar_prefix": MAKE_PREFIX}
# By its whole name, because click's prefix is for options only.
PRESET = click.argument("preset", required=False, envvar=f"{MAKE_PREFIX}_PRESET")

REQUEST_OPTIONS = [
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
BUILD_OPTIONS = [
    click.option(
        "--jobs",
        type=click.IntRange(1),
        default=CORES,
        help="Notebooks at a time; default: the cores.",
    ),
    KERNEL,
    click.option("--force", is_flag=True, help="Make every page again."),
    click.option("--prune", is_flag=True, help="Remove pages that no longer belong."),
    click.option("--explain", is_flag=True, help="Say all the reasons, page by page."),
    click.option("--embed-inputs", is_flag=True, help="Put the input files into the pages."),
    click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to run notebooks."),
    click.option("--quiet", is_flag=True, help="Only say what went wrong."),
]

Returned = TypeVar("Returned")
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def request_options(
    command: Callable[Concatenate[Request, ...], Returned],
) -> Callable[..., Returned]:
    """Add the options that say what to build; the command gets them as one `Request`.

    For a command of the class `TakesFiles`, which adds the last three.
    """

    @functools.wraps(command)
    def with_request(
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
        inputs: InputOptions,
        variables: Mapping[str, str],
        unusable: Collection[str],
        **other_options: Any,
    ) -> Returned:
        request = Request(
            preset=preset,
            model=model,
            title=title,
            column=column,
            sheet=sheet,
            parameters=parameters,
            only=only,
            notebooks=notebooks,
            reports=reports,
            inputs=inputs,
            variables=variables,
            unusable=unusable,
        )
        return command(request, **other_options)

    return _with_options(with_request, REQUEST_OPTIONS)


def build_options(
    command: Callable[Concatenate[Request, BuildOptions, ...], Returned],
) -> Callable[Concatenate[Request, ...], Returned]:
    """Add the options that say how to build; the command gets them as `BuildOptions`."""

    @functools.wraps(command)
    def with_build_options(
        request: Request,
        *,
        jobs: int,
        kernel: KernelKind,
        force: bool,
        prune: bool,
        explain: bool,
        embed_inputs: bool,
        scheduler: str | None,
        quiet: bool,
        **other_options: Any,
    ) -> Returned:
        options = BuildOptions(
            jobs=jobs,
            kernel=kernel,
            force=force,
            prune=prune,
            explain=explain,
            embed_inputs=embed_inputs,
            scheduler=scheduler,
            quiet=quiet,
        )
        return command(request, options, **other_options)

    return _with_options(with_build_options, BUILD_OPTIONS)


def _with_options(
    command: AnyFunction, options: Sequence[Callable[[AnyFunction], AnyFunction]]
) -> AnyFunction:
    """Add options, which the command's help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


class TakesFiles(click.Command):
    """A command with options for the files that notebooks take, and for what goes with them.

    It is called with ``inputs``, the values of these options by name; ``unusable``, what is wrong
    with notebooks that cannot be used; and, if make can start it, ``variables``, what make was
    given for parameters of the notebooks.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # The options depend on the notebooks, so their folder is looked up before click parses.
        folder = Path(
            _value_of("--notebooks", args)
            or os.environ.get(f"{MAKE_PREFIX}_NOTEBOOKS")
            or "notebooks"
        )
        notebooks = None
        file_options: list[click.Option] = []
        unusable: list[str] = []
        if folder.is_dir():
            notebooks = Notebooks(folder)
            file_options = self._file_options(notebooks)
            unusable = list(notebooks.unusable.values())
        ctx.meta["stslab.file_options"] = file_options
        try:
            remaining_arguments = super().parse_args(ctx, args)
            ctx.params["inputs"] = {
                str(option.name): ctx.params.pop(str(option.name), None) for option in file_options
            }
            ctx.params["unusable"] = unusable
            if ctx.auto_envvar_prefix:
                ctx.params["variables"] = {}
                if notebooks:
                    ctx.params["variables"] = self._variables(ctx, notebooks)
        except (RequestError, click.UsageError):
            name_unusable(unusable)  # what is unknown here may belong to one of them
            raise
        return remaining_arguments

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*ctx.meta.get("stslab.file_options", ()), *super().get_params(ctx)]

    def _file_options(self, notebooks: Notebooks) -> list[click.Option]:
        # A parameter that is called like an option of the command can still be set with -p.
        fixed_options = {parameter.name for parameter in self.params}
        options = []
        for parameter in notebooks.inputs().values():
            if parameter.name not in fixed_options:
                options += _options_of(parameter)
        return options

    def _variables(self, ctx: click.Context, notebooks: Notebooks) -> dict[str, str]:
        """Return what make was given beside options: parameters, by their names in upper case."""
        parameters: set[str] = set()
        for stem, notebook in notebooks.by_stem.items():
            if stem not in notebooks.unusable:
                parameters.update(notebooks.parameters(notebook))
        return variables_beside_options(self, ctx, sorted(parameters))


class TakesVariables(click.Command):
    """A command with fixed options, which make may give; it refuses another variable."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        variables_beside_options(self, ctx)
        return super().parse_args(ctx, args)


def variables_beside_options(
    command: click.Command, ctx: click.Context, parameters: Sequence[str] = ()
) -> dict[str, str]:
    """Return what make was given for parameters, by name.

    Raises
    ------
    RequestError
        If make was given a variable that is neither an option of the command nor a parameter.
    """
    option_variables = set()
    for option in command.get_params(ctx):
        variable = option.envvar or f"{MAKE_PREFIX}_{option.name}".upper()
        option_variables.add(str(variable))
    values = {}
    for variable in sorted(os.environ):
        if not variable.startswith(f"{MAKE_PREFIX}_") or variable in option_variables:
            continue
        name = variable.removeprefix(f"{MAKE_PREFIX}_")
        if name.lower() not in parameters or name != name.upper():
            options = sorted(option.removeprefix(f"{MAKE_PREFIX}_") for option in option_variables)
            hint = suggest(name, [*options, *map(str.upper, parameters)])
            raise RequestError(f"{name}=…: make {ctx.info_name} takes no such variable.{hint}")
        if os.environ[variable]:  # make passes an empty value on; it counts as not given
            values[name.lower()] = os.environ[variable]
    return values


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    """Return an option's value, which stands behind it or behind an equals sign."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == option and equals:
            return value
        if name == option:
            return "".join(arguments[index + 1 : index + 2])
    return None


def _options_of(parameter: Parameter) -> list[click.Option]:
    """Return the options of a parameter.

    A list of texts that can also come from a file has two: ``--query`` for each text, and
    ``--queries`` for the file.
    """
    if not (parameter.takes_file and parameter.one_by_one):
        return [_option(parameter, parameter.option, parameter.name, parameter.takes_file)]
    file_option = f"--{parameter.name.replace('_', '-')}"
    return [
        _option(parameter, parameter.option, parameter.name, takes_file=False),
        _option(parameter, file_option, f"{parameter.name}_file", takes_file=True),
    ]


def _option(parameter: Parameter, option: str, name: str, takes_file: bool) -> click.Option:
    metavar = "TEXT"
    if takes_file:
        metavar = "FILE"
    return click.Option(
        [option, name],
        metavar=metavar,
        type=_WholeText(),
        multiple=parameter.one_by_one and not takes_file,
        envvar=f"{MAKE_PREFIX}_{variable_of(option)}",
        allow_from_autoenv=False,  # QUERIES is a file, and a query goes by the name queries
        help=parameter.help,
    )


class _WholeText(click.types.StringParamType):
    """A text, which click would split at its spaces when it comes from the environment."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]
