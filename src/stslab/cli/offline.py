"""The command that zips what a workshop without a network needs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from ..report.request.notebooks import Notebooks
from .options import FROM_MAKE, REPORTS, TakesVariables
from .unusable import naming_unusable


@click.command(cls=TakesVariables, context_settings=FROM_MAKE)
@click.option("--torch-index", metavar="URL", help="Where PyTorch was installed from.")
@REPORTS
def workshop_offline(torch_index: str | None, reports: Path) -> None:
    """Zip wheels for this platform, the notebooks and start scripts, for laptops without a network.

    The zip holds PyTorch as it is installed here, so take the CPU build for it.
    """
    import stslab

    from ..workshop.offline import build_offline

    checkout = Path()
    if not (checkout / "pyproject.toml").is_file():
        checkout = Path(stslab.__file__).parents[2]  # the one that is installed here
    unusable: Collection[str] = ()
    if (checkout / "notebooks").is_dir():
        unusable = Notebooks(checkout / "notebooks").unusable.values()
    with naming_unusable(unusable):
        file = build_offline(checkout, reports, torch_index=torch_index)
    click.echo(f"{file}  ({file.stat().st_size / 1e6:.0f} MB)")
