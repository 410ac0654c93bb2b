"""Commands that make reports, and what belongs to them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from ..report.request.notebooks import Notebooks
from ..report.request.parameters import parameters_table
from ..report.request.values import RequestError, parse_assignment, printable
from ..report.running.kernels import warm_up
from .group import FAILED, Terminated, leave
from .request import (
    COLUMN,
    CORES,
    FROM_MAKE,
    KERNEL,
    KERNELS,
    NOTEBOOKS,
    SHEET,
    TakesFiles,
    build_options,
    built,
    files_and_texts,
    naming_unusable,
    read_request,
    remember_unusable,
    request_options,
)


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
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


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
@request_options
@KERNEL
@click.option("--port", type=int, default=0, help="Of the preview; default: any that is free.")
def watch(kernel: Any, port: int, **given: Any) -> None:
    """Rebuild the pages concerned when a file is saved, and reload the open page."""
    import stslab

    from ..report.building.build import build
    from ..report.progress import Plain
    from ..report.watch import Preview, watch

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
    raise Terminated


@click.command()
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

    from ..report.reproducing.reproduce import reproduce

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


@click.command(cls=TakesFiles, context_settings=FROM_MAKE)
@request_options
@build_options
def share(**given: Any) -> None:
    """Build a report, and zip the pages asked for, to send."""
    from ..report.share import share

    preset, results = built(**given)
    if failed := [result.name for result in results if result.status == "failed"]:
        leave(f"nothing was zipped: {', '.join(failed)} failed.", FAILED)
    click.echo(share(given["reports"], preset.name, [job.name for job in preset.jobs]))


@click.command()
@click.argument("notebook")
@NOTEBOOKS
def params(notebook: str, notebooks: Path) -> None:
    """Show the parameters of a notebook, by name, number or path."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    ctx = click.get_current_context()
    path = Path(notebook)
    with naming_unusable(ctx):
        if not path.is_file():
            books = Notebooks(notebooks)
            remember_unusable(ctx, books)
            path = books.find(notebook, "stslab params", loosely=True)
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
def new(name: str, column: str | None, sheet: str | None, notebooks: Path, **inputs: Any) -> None:
    """Write a commented preset for a data file, to edit and keep."""
    from ..report.request.new import new_preset

    with naming_unusable(click.get_current_context()):
        files, texts = files_and_texts(inputs, Notebooks(notebooks).inputs())
        if not files:
            raise RequestError("no file given. Try: stslab new support --sentences questions.csv")
        reading = {name: each for name, each in (("columns", column), ("sheet", sheet)) if each}
        path = new_preset(name, files, texts | reading, notebooks)
    click.echo(f"{path}  (build it: make report PRESET={name})")
