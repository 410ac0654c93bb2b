"""The command that opens JupyterLab on copies to play in."""

from __future__ import annotations

from pathlib import Path

import click

from ..report.request.notebooks import Notebooks
from ..report.running.kernels import KernelKind
from .options import FROM_MAKE, KERNEL, NOTEBOOKS, TakesVariables
from .unusable import naming_unusable

LAB = "lab"  # the folder of copies, beside that of the notebooks


@click.command(cls=TakesVariables, context_settings={**FROM_MAKE, "ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--fresh",
    metavar="NAMES",
    is_flag=False,
    flag_value="1",
    help='Put copies aside and begin with fresh ones: "07 08"; alone, of all.',
)
@click.option("--only-copies", is_flag=True, help="Start nothing: for VS Code, or a JupyterHub.")
@click.option("--no-open", is_flag=True, help="Open no browser.")
@KERNEL
@NOTEBOOKS
def lab(
    arguments: tuple[str, ...],
    fresh: str | None,
    only_copies: bool,
    no_open: bool,
    kernel: KernelKind,
    notebooks: Path,
) -> None:
    """Open JupyterLab on copies of the notebooks, in lab/: play there, nothing is published.

    \b
    stslab lab                   the start page
    stslab lab --fresh 08        with a fresh copy of notebook 08; yours goes to lab/before-1/
    stslab lab --port=8899       what JupyterLab takes is handed on to it
    """
    from ..workshop.lab import Copies, open_lab

    folder = notebooks.absolute().parent / LAB
    with naming_unusable(Notebooks(notebooks).unusable.values()):
        copies = Copies(notebooks, folder)
    if fresh:
        previous_copies = copies.refresh(fresh)
        if previous_copies:
            previous_folder = previous_copies.relative_to(folder.parent).as_posix()
            click.echo(f"What was there is in {previous_folder}/")
    copies.write()
    broken = " ".join(copies.links_to_nothing())
    if broken:
        click.echo(f'Links to nothing; for copies in their place: make lab FRESH="{broken}"')
    outdated = " ".join(copies.outdated())
    if outdated:
        click.echo(f'Changed since they were copied; for fresh ones: make lab FRESH="{outdated}"')
    if only_copies:
        click.echo(folder)
    else:
        open_lab(folder, arguments, kernel=kernel, browser=not no_open)
