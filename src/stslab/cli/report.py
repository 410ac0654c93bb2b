"""Commands that make reports, and what belongs to them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import click

from ..report.messages import RequestError, printable
from ..report.request import known_parameters
from ..report.request.notebooks import Notebooks
from ..report.request.parameters import parameters_table
from ..report.request.values import parse_assignment
from ..report.running.kernels import KernelKind, warm_up
from .group import FAILED, Terminated, leave
from .options import (
    COLUMN,
    CORES,
    FROM_MAKE,
    KERNEL,
    KERNELS,
    NOTEBOOKS,
    SHEET,
    TakesFiles,
    build_options,
    request_options,
)
from .request import (
    BuildOptions,
    InputOptions,
    Request,
    build_report,
    files_and_texts,
    read_request,
)
from .unusable import naming_unusable


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
@request_options
@build_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def report(request: Request, options: BuildOptions, as_json: bool) -> None:
    """Build a report: of a preset, or of your own file.

    \b
    stslab report                        the tutorial
    stslab report support                notebooks/presets/support.yaml
    stslab report --sentences my.txt     your sentences, into reports/my/
    """
    preset, results = build_report(request, options, as_json=as_json)
    index = request.reports / preset.name / "index.html"
    if as_json:
        pages = [vars(result) for result in results]
        click.echo(json.dumps({"index": str(index), "pages": pages}))
    elif not options.quiet:
        click.echo(index)
    if any(result.status == "failed" for result in results):
        sys.exit(FAILED)


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
@request_options
@KERNEL
@click.option("--port", type=int, default=0, help="Of the preview; default: any that is free.")
def watch(request: Request, kernel: KernelKind, port: int) -> None:
    """Rebuild the pages concerned when a file is saved, and reload the open page."""
    import stslab

    from ..report.building.build import Result, build
    from ..report.watch import Preview, watch
    from .progress import Plain

    # No exception: one that a signal raises can be lost in a callback, and the watching go on.
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    preset = read_request(request)
    later_request = replace(request, unusable=())  # they were named just now

    def rebuild(first: bool = False) -> None:
        try:
            results = build(
                read_request(later_request),
                reports=request.reports,
                root=request.project,
                listener=ChangesOnly(),
                jobs=CORES,
                kernel=kernel,
            )
        except RequestError as error:  # half-way through an edit: say so and go on
            click.echo(f"stslab: {error}", err=True)
            return
        if first or any(result.status != "unchanged" for result in results):
            preview.changed()

    class ChangesOnly(Plain):
        def finished(self, result: Result) -> None:
            if result.status != "unchanged":
                super().finished(result)

    if kernel == "warm":
        warm_up()
    with Preview(request.reports, port) as preview:
        rebuild(first=True)
        click.echo(f"watching; the report is at {preview.address}{preset.name}/  (Ctrl-C ends)")
        inputs = [path for job in preset.jobs for path in job.inputs.values()]
        watch(
            [request.notebooks, Path(stslab.__file__).parent, *inputs],
            rebuild,
            ignore=request.reports,
            stop=stop,
        )
    raise Terminated


@click.command()
@click.argument("page", type=click.Path(path_type=Path))
@click.option("--input", "inputs", metavar="NAME=PATH", multiple=True, help="A file it was given.")
@click.option("--yes", is_flag=True, help="Run code that is not in this checkout, unasked.")
@click.option("--kernel", type=KERNELS, default="fresh", show_default=True)
@NOTEBOOKS
def reproduce(
    page: Path, inputs: tuple[str, ...], yes: bool, kernel: KernelKind, notebooks: Path
) -> None:
    """Make a page again from what it holds, and compare the whole of it.

    What the page holds is checked against this checkout's notebooks; code that is not among them
    runs only if you agree. Exits 0 when the page is the same, to the byte or but for digits beyond
    the fourth decimal; 1 when it differs; 2 when it cannot be used.
    """
    import stslab

    from ..report.reproducing.reproduce import reproduce

    os.environ["HF_HUB_OFFLINE"] = "1"  # a name in somebody's page is no reason to ask the network
    installed = Path(stslab.__file__).parents[2] / "notebooks"  # of the checkout installed here
    if installed.is_dir() and not notebooks.is_dir():
        notebooks = installed
    outcome = reproduce(
        page,
        notebooks=notebooks,
        inputs={name: Path(path) for name, path in map(parse_assignment, inputs)},
        kernel=kernel,
        may_run=lambda question: yes or click.confirm(question, err=True),
        notify=click.echo,
    )
    for unchecked in outcome.unchecked:
        click.echo(f"not checked: {unchecked}")
    name = printable(page.name)
    verdicts = {
        "identical": f"{name}: identical, to the byte.",
        "equal": f"{name}: the same page, and the same numbers at 4 decimals.",
        "different": f"{name}: differs from what its notebook gives here:",
    }
    click.echo(verdicts[outcome.verdict])
    for difference in outcome.differences:
        click.echo(f"  {difference}")
    if outcome.verdict == "different":
        sys.exit(FAILED)


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
@request_options
@build_options
def share(request: Request, options: BuildOptions) -> None:
    """Build a report, and zip the pages asked for, to send."""
    from ..report.share import share

    preset, results = build_report(request, options)
    failed_pages = [result.name for result in results if result.status == "failed"]
    if failed_pages:
        leave(f"nothing was zipped: {', '.join(failed_pages)} failed.", FAILED)
    click.echo(share(request.reports, preset.name, [job.name for job in preset.jobs]))


@click.command()
@click.argument("notebook")
@NOTEBOOKS
def params(notebook: str, notebooks: Path) -> None:
    """Show the parameters of a notebook, by name, number or path."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    path = Path(notebook)
    if path.is_file():
        rows = parameters_table(path)
    else:
        folder = Notebooks(notebooks)
        with naming_unusable(folder.unusable.values()):
            path = folder.find(notebook, "stslab params", loosely=True)
            rows = parameters_table(path)
    table = Table("name", "type", "default", "meaning", box=box.SIMPLE, title=path.stem)
    for row in rows:
        table.add_row(*row.values())
    Console().print(table, markup=False)


@click.command(cls=TakesFiles)
@click.argument("name")
@COLUMN
@SHEET
@NOTEBOOKS
def new(
    name: str,
    column: str | None,
    sheet: str | None,
    notebooks: Path,
    inputs: InputOptions,
    unusable: Collection[str],
) -> None:
    """Write a commented preset for a data file, to edit and keep."""
    from ..report.request.new import new_preset

    with naming_unusable(unusable):
        files, values = files_and_texts(inputs, Notebooks(notebooks).inputs())
        if not files:
            raise RequestError("no file given. Try: stslab new support --sentences questions.csv")
        if column:
            values[known_parameters.COLUMNS] = column
        if sheet:
            values[known_parameters.SHEET] = sheet
        path = new_preset(name, files, values, notebooks)
    click.echo(f"{path}  (build it: make report PRESET={name})")
