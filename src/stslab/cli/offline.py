"""The command that zips what a workshop without a network needs."""

from __future__ import annotations

from pathlib import Path

import click

from ..report.request.notebooks import Notebooks
from .request import FROM_MAKE, REPORTS, TakesVariables, naming_unusable, remember_unusable


@click.command(cls=TakesVariables, context_settings=FROM_MAKE)
@click.option("--torch-index", metavar="URL", help="Where PyTorch was installed from.")
@REPORTS
def workshop_offline(torch_index: str | None, reports: Path) -> None:
    """Zip wheels for this platform, the notebooks and start scripts, for laptops without a network.

    The zip holds PyTorch as it is installed here, so take the CPU build for it.
    """
    import stslab

    from ..workshop.offline import build_offline

    here, installed = Path(), Path(stslab.__file__).parents[2]
    checkout = here if (here / "pyproject.toml").is_file() else installed
    ctx = click.get_current_context()
    with naming_unusable(ctx):
        if (checkout / "notebooks").is_dir():
            remember_unusable(ctx, Notebooks(checkout / "notebooks"))
        file = build_offline(checkout, reports, torch_index=torch_index)
    click.echo(f"{file}  ({file.stat().st_size / 1e6:.0f} MB)")
