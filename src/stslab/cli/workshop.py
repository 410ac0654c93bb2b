"""The command that writes all that a workshop needs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from ..report.messages import RequestError
from ..report.request.notebooks import Notebooks
from .options import FROM_MAKE, NOTEBOOKS, REPORTS, TakesVariables
from .unusable import naming_unusable


@click.command(cls=TakesVariables, context_settings=FROM_MAKE)
@click.option("--minutes", type=int, default=90, show_default=True, help="45, 90 or 180.")
@click.option("--pairs", metavar="FILE", type=click.Path(path_type=Path), help="Pairs to rate.")
@NOTEBOOKS
@REPORTS
def workshop(minutes: int, pairs: Path | None, notebooks: Path, reports: Path) -> None:
    """Write a workshop: student and solution editions, slides, sheets, a page to rate in, one zip.

    \b
    stslab workshop                 90 minutes, into reports/workshop/ and reports/workshop.zip
    stslab workshop --minutes 45
    """
    from ..inputs.checks import InputError
    from ..workshop.kit import build_workshop

    unusable: Collection[str] = ()
    if notebooks.is_dir():
        unusable = Notebooks(notebooks).unusable.values()
    try:
        with naming_unusable(unusable):
            folder = build_workshop(
                minutes, notebooks=notebooks, reports=reports, pairs=pairs, notify=click.echo
            )
    except InputError as error:
        raise RequestError(str(error)) from error
    click.echo(folder / "index.html")
