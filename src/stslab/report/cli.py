"""The command ``stslab``: report, params, models, and what else the house offers."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .building.place import place
from .progress import listener_for
from .request.notebooks import Notebooks
from .request.parameters import parameters_table
from .request.presets import Preset, adhoc_preset, load_preset
from .request.values import (
    CommandLineText,
    Parameter,
    RequestError,
    parse_assignment,
    printable,
    shown,
    suggest,
    variable_of,
)
from .running.kernels import default_kind, warm_up
from .streams import kept_streams

if TYPE_CHECKING:
    from .building.build import Result

FAILED, WRONG_REQUEST, INTERRUPTED, TERMINATED = 1, 2, 130, 143
CORES = os.cpu_count() or 1


class _Group(click.Group):
    """Turn what goes wrong into one message and the documented exit code."""

    @kept_streams()
    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        signal.signal(signal.SIGTERM, _terminated)
        # Where JupyterLab is installed, nbformat's import compiles a grammar of web addresses for
        # more than a second, though no notebook's schema asks for it; jsonschema does without.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
        try:
            Path.home()
        except RuntimeError:  # a user without one, as in a container; Jupyter's libraries raise
            os.environ["HOME"] = f"{os.devnull}/home"  # where nothing can be kept
        try:
            try:
                super().main(*args, **{**kwargs, "standalone_mode": False})
            finally:
                _ignore_signals()
        except RequestError as error:
            _leave(str(error), WRONG_REQUEST)
        except click.ClickException as error:
            error.show()
            sys.exit(WRONG_REQUEST)
        except (click.Abort, KeyboardInterrupt) as error:  # or a second Ctrl-C, on the way here
            _ignore_signals()
            # Abort is click's word for Ctrl-C, and for a question not answered.
            if KeyboardInterrupt not in (type(error), type(error.__cause__)):
                _leave("nothing was run.", WRONG_REQUEST)
            _leave("interrupted: no page is half-written, no kernel is left.", INTERRUPTED)
        except _Terminated:
            _ignore_signals()
            _leave("terminated: no page is half-written, no kernel is left.", TERMINATED)
        except MemoryError:
            _leave("stopped: out of memory. Pages built before it stay.", FAILED)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            _leave(f"stopped: {what}. Pages built before it stay.", FAILED)
        sys.exit(0)


class _Terminated(BaseException):
    pass


def _terminated(*_: object) -> NoReturn:
    raise _Terminated


def _ignore_signals() -> None:
    """Let no signal change the outcome once it is decided; Python's own end would die of one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        ignored = False
        while not ignored:
            # One that has just come is raised here, before the next are ignored.
            with suppress(KeyboardInterrupt, _Terminated):
                signal.signal(number, signal.SIG_IGN)
                ignored = True


def _leave(message: str, code: int) -> NoReturn:
    click.echo(f"stslab: {message}", err=True)
    sys.exit(code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stslab")
def main() -> None:
    """Reproducible notebooks and reports for semantic text similarity."""


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


class _Files(click.Command):
    """A command with options for the files that notebooks take, and for what goes with them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = _value_of("--notebooks", args) or os.environ.get(f"{HANDED}_NOTEBOOKS")
        folder = Path(given or "notebooks")
        books = Notebooks(folder) if folder.is_dir() else None
        known = books.inputs().values() if books else ()
        own = {each.name for each in self.params}  # such a parameter is still given with -p
        options = [option for each in known if each.name not in own for option in _options(each)]
        ctx.meta["inputs"] = options
        rest = super().parse_args(ctx, args)
        if books and ctx.auto_envvar_prefix:
            ctx.params["variables"] = self._variables(ctx, books)
        return rest

    def _variables(self, ctx: click.Context, books: Notebooks) -> dict[str, str]:
        """Find what make was given beside options: parameters, by their names in upper case."""
        own = {each.envvar or f"{HANDED}_{each.name}".upper() for each in self.get_params(ctx)}
        handed = {name for name in os.environ if name.startswith(f"{HANDED}_")}
        parameters = {each for path in books.by_stem.values() for each in books.parameters(path)}
        found: dict[str, str] = {}
        for variable in sorted(handed - own):
            name = variable.removeprefix(f"{HANDED}_")
            if name.lower() not in parameters or name != name.upper():
                options = sorted(str(each).removeprefix(f"{HANDED}_") for each in own)
                hint = suggest(name, [*options, *sorted(map(str.upper, parameters))])
                raise RequestError(f"{name}=…: make {ctx.info_name} takes no such variable.{hint}")
            found |= {name.lower(): os.environ[variable]} if os.environ[variable] else {}
        return found

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*ctx.meta.get("inputs", ()), *super().get_params(ctx)]


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


def read_request(
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
    from .building.build import build

    ways = ("jobs", "kernel", "force", "prune", "embed_inputs", "scheduler")
    how = {name: given.pop(name) for name in ways}
    preset = read_request(**given)
    reports, root = given["reports"], given["notebooks"].resolve().parent
    with listener_for(quiet=quiet, as_json=as_json, explain=explain) as listener:
        return preset, build(preset, reports=reports, root=root, listener=listener, **how)


@main.command(cls=_Files, context_settings=FROM_MAKE)
@request_options
@build_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def report(quiet: bool, as_json: bool, **given: Any) -> None:
    """Build a report: of a preset, or of your own file.

    \b
    stslab report                        the tutorial
    stslab report support                notebooks/presets/support.yaml
    stslab report --sentences my.txt     your sentences, into reports/my/
    """
    preset, results = built(quiet=quiet, as_json=as_json, **given)
    index = given["reports"] / preset.name / "index.html"
    if as_json:
        click.echo(json.dumps({"index": str(index), "pages": [vars(each) for each in results]}))
    elif not quiet:
        click.echo(index)
    if any(result.status == "failed" for result in results):
        sys.exit(FAILED)


@main.command(cls=_Files, context_settings=FROM_MAKE)
@request_options
@KERNEL
@click.option("--port", type=int, default=0, help="Of the preview; default: any that is free.")
def watch(kernel: Any, port: int, **given: Any) -> None:
    """Rebuild the pages concerned when a file is saved, and reload the open page."""
    import stslab

    from .building.build import build
    from .progress import Plain
    from .watch import Preview, watch

    # No exception: one that a signal raises can be lost in a callback, and the watching go on.
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    reports, notebooks = given["reports"], given["notebooks"]
    preset = read_request(**given)

    def rebuild(first: bool = False) -> None:
        try:
            built = build(
                read_request(**given),
                reports=reports,
                root=notebooks.resolve().parent,
                listener=Changes(),
                jobs=CORES,
                kernel=kernel,
            )
        except RequestError as error:  # half-way through an edit: say so and go on
            click.echo(f"stslab: {error}", err=True)
            return
        if first or any(result.status != "unchanged" for result in built):
            preview.changed()

    class Changes(Plain):
        def finished(self, result: Any) -> None:
            if result.status != "unchanged":
                super().finished(result)

    if kernel == "warm":
        warm_up()
    with Preview(reports, port) as preview:
        rebuild(first=True)
        click.echo(f"watching; the report is at {preview.address}{preset.name}/  (Ctrl-C ends)")
        inputs = [path for job in preset.jobs for path in job.inputs.values()]
        watch(
            [notebooks, Path(stslab.__file__).parent, *inputs], rebuild, ignore=reports, stop=stop
        )
    raise _Terminated


@main.command()
@click.argument("page", type=click.Path(path_type=Path))
@click.option("--input", "inputs", metavar="NAME=PATH", multiple=True, help="A file it was given.")
@click.option("--yes", is_flag=True, help="Run code that is not in this checkout, unasked.")
@click.option("--kernel", type=KERNELS, default="fresh", show_default=True)
@NOTEBOOKS
def reproduce(page: Path, inputs: tuple[str, ...], yes: bool, kernel: Any, notebooks: Path) -> None:
    """Make a page again from what it holds, and compare the whole of it.

    What the page holds is checked against this checkout's notebooks; code that is not among them
    runs only if you agree. Exits 0 when the page is the same, to the byte or but for digits beyond
    the fourth decimal; 1 when it differs; 2 when it cannot be used.
    """
    import stslab

    from .reproducing.reproduce import reproduce

    os.environ["HF_HUB_OFFLINE"] = "1"  # a name in somebody's page is no reason to ask the network
    installed = Path(stslab.__file__).parents[2] / "notebooks"  # of the checkout installed here
    outcome = reproduce(
        page,
        notebooks=notebooks if notebooks.is_dir() or not installed.is_dir() else installed,
        inputs={name: Path(path) for name, path in map(parse_assignment, inputs)},
        kernel=kernel,
        may_run=lambda question: yes or click.confirm(question, err=True),
        notify=click.echo,
    )
    for each in outcome.unchecked:
        click.echo(f"not checked: {each}")
    name = printable(page.name)
    click.echo(
        {
            "identical": f"{name}: identical, to the byte.",
            "equal": f"{name}: the same page, and the same numbers at 4 decimals.",
            "different": f"{name}: differs from what its notebook gives here:",
        }[outcome.verdict]
    )
    for difference in outcome.differences:
        click.echo(f"  {difference}")
    if outcome.verdict == "different":
        sys.exit(FAILED)


@main.command(cls=_Files, context_settings=FROM_MAKE)
@request_options
@build_options
def share(**given: Any) -> None:
    """Build a report, and zip the pages asked for, to send."""
    from .share import share

    preset, results = built(**given)
    if failed := [result.name for result in results if result.status == "failed"]:
        _leave(f"nothing was zipped: {', '.join(failed)} failed.", FAILED)
    click.echo(share(given["reports"], preset.name, [job.name for job in preset.jobs]))


@main.command()
@click.argument("notebook")
@NOTEBOOKS
def params(notebook: str, notebooks: Path) -> None:
    """Show the parameters of a notebook, by name, number or path."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    path = Path(notebook)
    if not path.is_file():
        path = Notebooks(notebooks).find(notebook, "stslab params", loosely=True)
    table = Table("name", "type", "default", "meaning", box=box.SIMPLE, title=path.stem)
    for row in parameters_table(path):
        table.add_row(*row.values())
    Console().print(table, markup=False)


@main.command(cls=_Files)
@click.argument("name")
@COLUMN
@SHEET
@NOTEBOOKS
def new(name: str, column: str | None, sheet: str | None, notebooks: Path, **inputs: Any) -> None:
    """Write a commented preset for a data file, to edit and keep."""
    from .request.new import new_preset

    files, texts = files_and_texts(inputs, Notebooks(notebooks).inputs())
    if not files:
        raise RequestError("no file given. Try: stslab new support --sentences questions.csv")
    reading = {name: each for name, each in (("columns", column), ("sheet", sheet)) if each}
    path = new_preset(name, files, texts | reading, notebooks)
    click.echo(f"{path}  (build it: make report PRESET={name})")


@main.command()
def models() -> None:
    """List the models that load without a network."""
    from stslab.models.finding import available_models, find_model

    for name in available_models():
        found = find_model(name, download=False)
        click.echo(f"{name}  ({found.source}, weights {found.weights_sha256[:12]})")


@main.command()
@click.option("--clear", is_flag=True, help="Forget all embeddings.")
def cache(clear: bool) -> None:
    """Show the cache of embeddings, or clear it."""
    from stslab.models.cache import cache_file, clear_cache

    from .cached import cache_size, check_cache

    if clear:
        clear_cache()
    if trouble := check_cache():
        click.echo(f"stslab: {trouble}", err=True)
    file = cache_file()
    count, size = cache_size()
    click.echo(f"{file or 'off'}: {count} embeddings, {size / 2**20:.1f} MB")
