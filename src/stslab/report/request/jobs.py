"""The jobs of a build: notebooks, and values for their parameters from several layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stslab.models.finding import model_folder

from ..messages import RequestError, suggest
from .known_parameters import MODELS
from .notebooks import Notebooks, matching_names, selects
from .parameters import read_parameters
from .values import Parameter, check_values

COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Job:
    """One page to make: a notebook with checked parameters; all paths are absolute."""

    name: str  # the page's, a safe file stem, unique in its preset
    notebook: Path
    parameters: dict[str, Any] = field(default_factory=dict)  # those that were set, as plain JSON
    # The files among the parameters, and those that defaults name: the page depends on their bytes.
    inputs: dict[str, Path] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)  # a name in `parameters` → its folder
    timeout: int | None = None  # seconds a cell may take


@dataclass(frozen=True)
class Layer:
    """Values from one place; a later layer wins over an earlier one."""

    values: Mapping[str, Any]
    base: Path = Path()
    # Of some values, the place that messages name; of the others it is the command line.
    places: Mapping[str, str] = field(default_factory=dict)
    shared: bool = True  # for all notebooks that have the parameter, not for this one alone
    # Names that every notebook chosen has to have: they say how to read a file.
    needed: frozenset[str] = frozenset()

    def place(self, name: str) -> str:
        """Return the place of a value, for messages."""
        return self.places.get(name, COMMAND_LINE)


class Draft(NamedTuple):
    """A job before its values are checked."""

    name: str
    notebook: Path
    layers: tuple[Layer, ...] = ()
    timeout: int | None = None


def make_jobs(
    drafts: Sequence[Draft],
    command_line: Layer,
    only: Sequence[str] | None,
    notebooks: Notebooks,
    *,
    need_companions: bool = False,
) -> tuple[Job, ...]:
    """Return the jobs of the chosen drafts, with every value checked.

    Parameters
    ----------
    drafts : sequence of Draft
    command_line : Layer
        It wins over the drafts' layers.
    only : sequence of str or None
        Names or numbers of the pages to choose; None chooses all.
    notebooks : Notebooks
    need_companions : bool, default False
        Refuse a file without what goes with it: a corpus without queries says nothing.
    """
    if only:
        drafts = _chosen_drafts(drafts, only)
    for draft in drafts:
        _check_needed(command_line, draft.notebook.stem, notebooks)
    check_shared(command_line, drafts, notebooks, "the chosen")
    if need_companions:
        for draft in drafts:
            _check_companions(command_line, draft.notebook, notebooks)
    return tuple(_job(draft, command_line, notebooks) for draft in drafts)


def _check_needed(layer: Layer, stem: str, notebooks: Notebooks) -> None:
    """Raise RequestError if a notebook would ignore how to read a file."""
    parameters = notebooks.parameters(notebooks.by_stem[stem])
    for name in sorted(layer.needed & layer.values.keys() - parameters.keys()):
        takers = [
            taker
            for taker in notebooks.usable
            if name in notebooks.parameters(notebooks.by_stem[taker])
        ]
        hint = ""
        if takers:
            hint = f" Those that do: {', '.join(takers)}."
        raise RequestError(
            f"{layer.place(name)}: {stem} takes no {name}, and would ignore it.{hint}"
        )


def _check_companions(layer: Layer, notebook: Path, notebooks: Notebooks) -> None:
    """Raise RequestError if there is a file without what the notebook needs beside it."""
    for name, parameter in notebooks.parameters(notebook).items():
        file = parameter.goes_with
        if file in layer.values and name not in layer.values:
            raise RequestError(
                f"{layer.place(file)}: {notebook.stem} needs {name} to go with your {file}. Add "
                f"{parameter.spelled}."
            )


def _job(draft: Draft, command_line: Layer, notebooks: Notebooks) -> Job:
    """Return a draft's job, with every value checked."""
    parameters = notebooks.parameters(draft.notebook)
    values: dict[str, Any] = {}
    models: dict[str, Path] = {}
    for name, layer in _winning_layers(draft, command_line, parameters).items():
        checked_value = check_values(
            parameters,
            {name: layer.values[name]},
            place=layer.place(name),
            notebook=draft.notebook.stem,
            base=layer.base,
        )
        values |= checked_value
        if name in MODELS:
            values[name] = _named_models(name, values[name], layer.base, models)
    files = _default_files(parameters, draft.notebook.parent)
    plain_values = {}
    for name, value in values.items():
        if isinstance(value, Path):
            files[name] = value
        else:
            plain_values[name] = value
            files.pop(name, None)  # the default's, which the value replaces
    # In the notebook's order, so that the order of a preset's keys changes no page.
    return Job(
        name=draft.name,
        notebook=draft.notebook,
        parameters={name: plain_values[name] for name in parameters if name in plain_values},
        inputs={name: files[name] for name in parameters if name in files},
        models=models,
        timeout=draft.timeout,
    )


def _winning_layers(
    draft: Draft, command_line: Layer, parameters: Mapping[str, Parameter]
) -> dict[str, Layer]:
    """Return the last layer that has a value for each name, without what the notebook ignores."""
    layers = {}
    for layer in (*draft.layers, command_line):
        for name in layer.values:
            if name in parameters or not layer.shared:
                layers[name] = layer
    return layers


def _named_models(parameter: str, value: Any, base: Path, models: dict[str, Path]) -> Any:
    """Return a model's name as the kernel finds it; add its folder to `models`.

    A folder is ``model_name/<folder>``, as a file is ``sentences/<file>``: a relative path means
    the same in every kernel, and no page holds a path of one machine.
    """
    if isinstance(value, list):
        return [_named_models(parameter, name, base, models) for name in value]
    if not isinstance(value, str):
        return value
    folder = model_folder(value, base)
    if folder is None:
        return value
    name, number = f"{parameter}/{folder.name or 'root'}", 1
    while models.get(name, folder) != folder:
        number += 1
        name = f"{parameter}/{folder.name}-{number}"
    models[name] = folder
    return name


def check_shared(
    layer: Layer, drafts: Sequence[Draft], notebooks: Notebooks, which_notebooks: str
) -> None:
    """Raise RequestError if a layer sets a name for all notebooks and none of them has it.

    A notebook that cannot be used could have any name, so beside one nothing is refused: a request
    for its page fails by itself, and one for other pages need not care.
    """
    paths = list(dict.fromkeys(draft.notebook for draft in drafts))
    if any(notebooks.problem(path.stem) for path in paths):
        return
    parameters: dict[str, Parameter] = {}
    for path in paths:
        parameters |= notebooks.parameters(path)
    for name in layer.values:
        if name not in parameters:
            subject = f"any of {which_notebooks} {len(paths)} notebooks"
            if len(paths) == 1:
                subject = paths[0].stem
            hint = suggest(name, parameters, if_none="None takes a parameter.")
            raise RequestError(
                f"{layer.place(name)}: unknown parameter {name!r} for {subject}.{hint}"
            )


def _chosen_drafts(drafts: Sequence[Draft], only: Sequence[str]) -> list[Draft]:
    """Return the drafts that the selectors name, in the preset's order."""
    chosen_names: set[str] = set()
    stems = {draft.name: draft.notebook.stem for draft in drafts}
    for selector in only:
        names = {
            name for name, stem in stems.items() if name == selector or selects(selector, stem)
        }
        similar_names = matching_names(selector, stems)
        if not names and len(similar_names) == 1:
            names = set(similar_names)
        if not names:
            hint = suggest(selector, similar_names or stems)
            raise RequestError(f"ONLY (or --only): no page {selector!r} to choose.{hint}")
        chosen_names |= names
    return [draft for draft in drafts if draft.name in chosen_names]


def _default_files(parameters: Mapping[str, Parameter], folder: Path) -> dict[str, Path]:
    """Return the files that defaults name; one that names no file is the notebook's affair."""
    files = {}
    for name, parameter in parameters.items():
        if parameter.takes_file and isinstance(parameter.default, str):
            path = folder / parameter.default
            with suppress(OSError):  # a text too long for a path
                if path.is_file():
                    files[name] = path
    return files


def model_names(job: Job) -> list[str]:
    """Return the names of the models that a notebook is run with, each once."""
    return list(dict.fromkeys(_model_names_with_repeats(job)))


def _model_names_with_repeats(job: Job) -> Iterator[str]:
    parameters = read_parameters(job.notebook)
    for name in MODELS:
        if name in parameters:
            value = job.parameters.get(name, parameters[name].default)
            if isinstance(value, str):
                yield value
            else:
                yield from map(str, value or [])
