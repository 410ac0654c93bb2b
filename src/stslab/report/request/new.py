"""Write a commented preset for a data file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..messages import RequestError, printable, short_repr
from ..writing import naming_file
from .files import check_files
from .jobs import Draft, Job, make_jobs
from .known_parameters import READING
from .names import name_problem
from .notebooks import Notebooks
from .presets import command_line_layer
from .yaml_text import yaml_key, yaml_line


def new_preset(
    name: str, files: Mapping[str, str], values: Mapping[str, Any], notebooks_dir: Path
) -> Path:
    """Write a preset that reports on files, and return its path.

    Other notebooks that take the files stand in it as comments. The preset is checked like a
    request, so that what is written can be built.

    Parameters
    ----------
    name : str
        The preset's.
    files : mapping from parameters to files
    values : mapping
        What goes with a file, and how to read it, by parameter.
    notebooks_dir : Path
    """
    if problem := name_problem(name):
        raise RequestError(f"preset name {short_repr(name)} {problem}.")
    target = notebooks_dir / "presets" / f"{name}.yaml"
    if target.exists():
        raise RequestError(f"preset {name!r} exists: {target}. Edit it, or choose another name.")
    notebooks = Notebooks(notebooks_dir)
    answering = notebooks.answering(files)
    if not answering:
        raise RequestError(f"no notebook accepts {' and '.join(files)} on its own.")
    drafts = [Draft(stem, notebooks.by_stem[stem]) for stem in answering]
    layer = command_line_layer({**files, **values}, {})
    jobs = make_jobs(drafts, layer, None, notebooks, need_companions=True)
    check_files(jobs)
    lines = [*_head(name, jobs, target.parent), "", "notebooks:"]
    names = {*files, *values}
    for stem in answering:
        lines += _run(notebooks, stem, names, mark="")
    for stem in notebooks.takers(files):
        if stem not in answering:
            lines += _run(notebooks, stem, names, mark="# ")
    target.parent.mkdir(exist_ok=True)
    with naming_file(target):
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def _head(name: str, jobs: tuple[Job, ...], folder: Path) -> Iterator[str]:
    """Write all that comes before the list of notebooks."""
    values: dict[str, Any] = {}
    for job in jobs:
        values |= job.parameters
        for parameter, path in job.inputs.items():
            values[parameter] = Path(os.path.relpath(path, folder.resolve())).as_posix()
    yield f"# Built by: make report PRESET={name}   into reports/{name}/"
    yield f"title: {yaml_line(name)}"
    for key in READING:
        if key in values:
            yield f"{key}: {yaml_line(values.pop(key))}"
    yield ""
    yield "# For every notebook that has the parameter. Paths are relative to this file."
    yield "parameters:"
    for parameter, value in values.items():
        yield f"  {yaml_key(parameter)}: {yaml_line(value)}"
    yield ""
    yield '# Take away "# " to add a page or to change a parameter.'


def _run(notebooks: Notebooks, stem: str, names: set[str], mark: str) -> Iterator[str]:
    """Write a run of a notebook, with the parameters that are not among the names as comments."""
    yield f"  {mark}- notebook: {stem}"
    parameters = [
        parameter
        for parameter in notebooks.parameters(notebooks.by_stem[stem]).values()
        if parameter.name not in names and not parameter.takes_file
    ]
    if parameters:
        yield "    # parameters:"
    for parameter in parameters:
        # A comment that holds a separator of lines would end before its end.
        meaning = printable(parameter.help)
        yield f"    #   {yaml_key(parameter.name)}: {yaml_line(parameter.default)}  # {meaning}"
