"""The command ``stslab``: report, params, models, and what else the house offers."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from .building.place import place
from .progress import listener_for
from .request.notebooks import Notebooks
from .request.parameters import parameters_table
from .request.presets import Preset, adhoc_preset, load_preset
from .request.values import Parameter, RequestError, parse_assignment, printable
from .running.kernels import default_kind, warm_up
from .streams import kept_streams

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
FROM_MAKE = {"auto_envvar_prefix": "STSLAB_REQUEST"}
PRESET = click.argument(
    "preset", default="tutorial", required=False, envvar="STSLAB_REQUEST_PRESET"
)


class _Files(click.Command):
    """A command with an option for each file that a notebook takes."""

    also_theirs = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        folder = Path(_value_of("--notebooks", args) or "notebooks")
        known = Notebooks(folder).inputs().values() if folder.is_dir() else ()
        own = {each.name for each in self.params}  # such a parameter is still given with -p
        taken = (each for each in known if each.takes_file or self.also_theirs)
        ctx.meta["inputs"] = [_option(each) for each in taken if each.name not in own]
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*ctx.meta.get("inputs", ()), *super().get_params(ctx)]


class _FilesAndTheirs(_Files):
    """A command with options also for what goes with a file, such as queries with a corpus."""

    also_theirs = True


def _value_of(option: str, args: Sequence[str]) -> str | None:
    for given, following in zip(args, [*args[1:], ""], strict=False):
        name, equals, value = given.partition("=")
        if name == option:
            return value if equals else following
    return None


def _option(parameter: Parameter) -> click.Option:
    flag = parameter.option
    return click.Option(
        [flag, parameter.name],
        metavar="FILE" if parameter.takes_file else "TEXT",
        type=_OneText(),
        multiple=parameter.is_list,
        envvar=f"{FROM_MAKE['auto_envvar_prefix']}_{flag[2:].replace('-', '_').upper()}",
        help=parameter.help,
    )


def request_options(command: Any) -> Any:
    """Add the options that say what to build, beside those for files."""
    options = [
        PRESET,
        click.option("--model", metavar="NAME", help="A model's name or folder."),
        click.option("--title", metavar="TEXT", help="The report's title."),
        click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True),
        click.option("--only", metavar="PAGES", help='Which pages, as in "08 10".'),
        NOTEBOOKS,
        REPORTS,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_request(
    *,
    preset: str,
    model: str | None,
    title: str | None,
    parameters: Sequence[str],
    only: str | None,
    notebooks: Path,
    reports: Path,
    **inputs: str | Sequence[str] | None,
) -> Preset:
    """Make checked jobs of what the command line says."""
    if not notebooks.is_dir():
        raise RequestError(
            f"notebooks folder {notebooks}: not found. Run from the project's folder, or pass "
            "--notebooks."
        )
    values: dict[str, Any] = dict(map(parse_assignment, parameters))
    values |= {"model_name": model} if model else {}
    given = {name: value for name, value in inputs.items() if value}
    known = Notebooks(notebooks).inputs() if given else {}
    files = {name: str(value) for name, value in given.items() if known[name].takes_file}
    values |= {
        name: value if isinstance(value, str) else list(value)
        for name, value in given.items()
        if name not in files
    }
    pages = only.split() if only else None
    if files:
        chosen = adhoc_preset(notebooks_dir=notebooks, files=files, values=values, only=pages)
    else:
        chosen = load_preset(preset, notebooks_dir=notebooks, overrides=values, only=pages)
    chosen = replace(chosen, title=title or chosen.title)
    return place(chosen, reports, notebooks.resolve().parent)


@main.command(cls=_FilesAndTheirs, context_settings=FROM_MAKE)
@request_options
@click.option(
    "--jobs", type=click.IntRange(1), default=CORES, help="Notebooks at a time; default: the cores."
)
@KERNEL
@click.option("--force", is_flag=True, help="Make every page again.")
@click.option("--explain", is_flag=True, help="Say all the reasons, page by page.")
@click.option("--embed-inputs", is_flag=True, help="Put the input files into the pages.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to run the notebooks.")
@click.option("--quiet", is_flag=True, help="Only say what went wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def report(explain: bool, quiet: bool, as_json: bool, **given: Any) -> None:
    """Build a report: of a preset, or of your own file.

    \b
    stslab report                        the tutorial
    stslab report support                notebooks/presets/support.yaml
    stslab report --sentences my.txt     your sentences, into reports/my/
    """
    from .building.build import build

    ways = ("jobs", "kernel", "force", "embed_inputs", "scheduler")
    how = {name: given.pop(name) for name in ways}
    preset = read_request(**given)
    reports, root = given["reports"], given["notebooks"].resolve().parent
    with listener_for(quiet=quiet, as_json=as_json, explain=explain) as listener:
        results = build(preset, reports=reports, root=root, listener=listener, **how)
    index = reports / preset.name / "index.html"
    if as_json:
        click.echo(json.dumps({"index": str(index), "pages": [vars(each) for each in results]}))
    elif not quiet:
        click.echo(index)
    if any(result.status == "failed" for result in results):
        sys.exit(FAILED)


@main.command(cls=_FilesAndTheirs, context_settings=FROM_MAKE)
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


@main.command()
@PRESET
@REPORTS
def share(preset: str, reports: Path) -> None:
    """Zip a built report, to send."""
    from .share import share

    click.echo(share(reports, preset))


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
        path = Notebooks(notebooks).find(notebook, "stslab params")
    table = Table("name", "type", "default", "meaning", box=box.SIMPLE, title=path.stem)
    for row in parameters_table(path):
        table.add_row(*row.values())
    Console().print(table, markup=False)


@main.command(cls=_Files)
@click.argument("name")
@NOTEBOOKS
def new(name: str, notebooks: Path, **files: Any) -> None:
    """Write a commented preset for a data file, to edit and keep."""
    from .request.new import new_preset

    given = {parameter: Path(path) for parameter, path in files.items() if path}
    if not given:
        raise RequestError("no file given. Try: stslab new support --sentences questions.csv")
    path = new_preset(name, given, notebooks)
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
    from stslab.models.cache import cache_file, cache_size, check_cache, clear_cache

    if clear:
        clear_cache()
    if trouble := check_cache():
        click.echo(f"stslab: {trouble}", err=True)
    file = cache_file()
    count, size = cache_size()
    click.echo(f"{file or 'off'}: {count} embeddings, {size / 2**20:.1f} MB")
