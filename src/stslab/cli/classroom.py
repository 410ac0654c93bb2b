"""The command that gathers what a class handed in."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..report.request.notebooks import Notebooks
from .group import FAILED
from .request import KERNEL, NOTEBOOKS, REPORTS, naming_unusable, remember_unusable

PAIRS = Path("exercises") / "pairs-to-rate.csv"  # in the folder of notebooks


@click.command("class")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pairs", metavar="FILE", help=f"What the class rated. Default: {PAIRS.as_posix()}.")
@click.option("--title", metavar="TEXT", default="Class", help="The report's title.")
@KERNEL
@NOTEBOOKS
@REPORTS
def classroom(
    folder: Path, pairs: str | None, title: str, kernel: Any, notebooks: Path, reports: Path
) -> None:
    """Gather the files that learners handed in, into reports/class/class.html.

    \b
    stslab class handed-in/    ratings, guesses and results of checks, as .json files
    """
    from ..report.building.build import build
    from ..report.editions.exercises import exercise_names
    from ..report.progress import listener_for
    from ..report.request.presets import adhoc_preset
    from ..report.writing import naming_file
    from ..workshop.gathering import gather

    ctx = click.get_current_context()
    with naming_unusable(ctx):
        remember_unusable(ctx, Notebooks(notebooks))
        gathered = gather(folder, exercise_names(notebooks))
    home = reports / "class"
    home.mkdir(parents=True, exist_ok=True)
    answers = home / "answers.json"
    with naming_file(answers):
        answers.write_text(gathered.model_dump_json(indent=1) + "\n", encoding="utf-8")
    files = {"answers": answers, "pairs_to_rate": pairs or notebooks / PAIRS}
    asked = adhoc_preset(notebooks_dir=notebooks, files=files)
    (job,) = asked.jobs
    preset = replace(
        asked,
        name="class",
        title=title,
        jobs=(replace(job, name="class"),),
        pages={"class": job.notebook},
        belonging=frozenset({"class"}),
    )
    with listener_for(quiet=False, as_json=False, explain=False) as listener:
        for each in [*gathered.broken, *gathered.doubled]:
            listener.notify(f"{each.file}: {each.reason}")
        (result,) = build(
            preset,
            reports=reports,
            root=notebooks.resolve().parent,
            listener=listener,
            kernel=kernel,
        )
    click.echo(home / "class.html")
    if result.status == "failed":
        sys.exit(FAILED)
