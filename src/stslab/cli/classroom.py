"""The command that gathers what a class handed in."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from ..report.request.notebooks import Notebooks
from ..report.running.kernels import KernelKind
from .group import FAILED
from .options import KERNEL, NOTEBOOKS, REPORTS
from .unusable import naming_unusable

PAIRS = Path("exercises") / "pairs-to-rate.csv"  # in the folder of notebooks


@click.command("class")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pairs", metavar="FILE", help=f"What the class rated. Default: {PAIRS.as_posix()}.")
@click.option("--title", metavar="TEXT", default="Class", help="The report's title.")
@KERNEL
@NOTEBOOKS
@REPORTS
def classroom(
    folder: Path,
    pairs: str | None,
    title: str,
    kernel: KernelKind,
    notebooks: Path,
    reports: Path,
) -> None:
    """Gather the files that learners handed in, into reports/class/class.html.

    \b
    stslab class handed-in/    ratings, guesses and results of checks, as .json files
    """
    from ..report.building.build import build
    from ..report.editions.exercises import exercise_names
    from ..report.request.presets import adhoc_preset
    from ..report.writing import naming_file
    from ..workshop.gathering import gather
    from .progress import listener_for

    with naming_unusable(Notebooks(notebooks).unusable.values()):
        gathered = gather(folder, exercise_names(notebooks))
    home = reports / "class"
    home.mkdir(parents=True, exist_ok=True)
    answers = home / "answers.json"
    with naming_file(answers):
        answers.write_text(gathered.model_dump_json(indent=1) + "\n", encoding="utf-8")
    files = {"answers": answers, "pairs_to_rate": pairs or notebooks / PAIRS}
    preset = adhoc_preset(notebooks_dir=notebooks, files=files)
    (job,) = preset.jobs
    preset = replace(
        preset,
        name="class",
        title=title,
        jobs=(replace(job, name="class"),),
        pages={"class": job.notebook},
        belonging=frozenset({"class"}),
    )
    with listener_for(quiet=False, as_json=False, explain=False) as listener:
        for unused_file in [*gathered.broken, *gathered.doubled]:
            listener.notify(f"{unused_file.file}: {unused_file.reason}")
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
