"""From a data file to a commented preset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..writing import naming_file
from .files import check_files
from .jobs import Draft, Job, make_jobs
from .names import name_problem
from .notebooks import Notebooks
from .presets import READING, typed
from .values import RequestError, printable, shown
from .yaml_text import yaml_key, yaml_line


def new_preset(
    name: str, files: Mapping[str, str], values: Mapping[str, Any], notebooks_dir: Path
) -> Path:
    """Write a preset that reports on the files; what else takes them stands there as comments.

    `values` are what goes with a file, and how to read it. What could not be built is refused.
    """
    if problem := name_problem(name):
        raise RequestError(f"preset name {shown(name)} {problem}.")
    target = notebooks_dir / "presets" / f"{name}.yaml"
    if target.exists():
        raise RequestError(f"preset {name!r} exists: {target}. Edit it, or choose another name.")
    books = Notebooks(notebooks_dir)
    chosen = books.answering(files)
    if not chosen:
        raise RequestError(f"no notebook accepts {' and '.join(files)} on its own.")
    drafts = [Draft(stem, books.by_stem[stem]) for stem in chosen]
    jobs = make_jobs(drafts, typed({**files, **values}, {}), None, books, companions=True)
    check_files(jobs)
    others = [stem for stem in books.takers(files) if stem not in chosen]
    lines = [*_head(name, jobs, target.parent), "", "notebooks:"]
    for stem in [*chosen, *others]:
        lines += _run(books, stem, {*files, *values}, "" if stem in chosen else "# ")
    target.parent.mkdir(exist_ok=True)
    with naming_file(target):
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def _head(name: str, jobs: tuple[Job, ...], folder: Path) -> Iterator[str]:
    given: dict[str, Any] = {}
    for job in jobs:
        given |= job.parameters
        for parameter, path in job.inputs.items():
            given[parameter] = Path(os.path.relpath(path, folder.resolve())).as_posix()
    yield f"# Built by: make report PRESET={name}   into reports/{name}/"
    yield f"title: {yaml_line(name)}"
    yield from (f"{key}: {yaml_line(given.pop(key))}" for key in READING if key in given)
    yield from ("", "# For every notebook that has the parameter. Paths are relative to this file.")
    yield "parameters:"
    yield from (
        f"  {yaml_key(parameter)}: {yaml_line(value)}" for parameter, value in given.items()
    )
    yield from ("", '# Take away "# " to add a page or to change a parameter.')


def _run(books: Notebooks, stem: str, given: set[str], mark: str) -> Iterator[str]:
    """Write a run of a notebook, with the parameters that are not given as comments."""
    yield f"  {mark}- notebook: {stem}"
    parameters = books.parameters(books.by_stem[stem]).values()
    others = [p for p in parameters if p.name not in given and not p.takes_file]
    if others:
        yield "    # parameters:"
    for p in others:
        # A comment that holds a separator of lines would end before its end.
        yield f"    #   {yaml_key(p.name)}: {yaml_line(p.default)}  # {printable(p.help)}"
