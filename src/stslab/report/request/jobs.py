"""What a build is made of: jobs, from notebooks and values in layers."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stslab.models.finding import model_folder

from .notebooks import Notebooks, selects
from .parameters import read_parameters
from .values import Parameter, RequestError, check_values, suggest

COMMAND_LINE = "command line"
MODELS = ("model_name", "model_names")  # the parameters that name models


@dataclass(frozen=True)
class Job:
    """One page to make: a notebook with checked parameters.

    Attributes
    ----------
    name : str
        The page's name, a safe file stem, unique in its preset.
    parameters : dict
        Those that were set, as plain JSON; the others keep the notebook's defaults.
    inputs : dict of str to Path
        The files among the parameters, absolute. A default that names an existing file beside the
        notebook is here too, because the page depends on its bytes.
    models : dict of str to Path
        The folders among the models: the name in `parameters` → the folder, absolute.
    timeout : int or None
        Seconds a cell may take.
    """

    name: str
    notebook: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Path] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)
    timeout: int | None = None


class Layer(NamedTuple):
    """Values from one place; a later layer wins over an earlier one."""

    values: Mapping[str, Any]
    base: Path
    where: Callable[[str], str]
    shared: bool = True  # for all notebooks that have the parameter, not for this one alone


class Draft(NamedTuple):
    """A job before its values are checked."""

    name: str
    notebook: Path
    layers: tuple[Layer, ...] = ()
    timeout: int | None = None


def make_jobs(
    drafts: Sequence[Draft],
    given: Layer,
    only: Sequence[str] | None,
    books: Notebooks,
    *,
    companions: bool = False,
) -> tuple[Job, ...]:
    """Choose drafts, add what the command line gives, check every value."""
    if only:
        drafts = _chosen(drafts, only)
    check_shared(given, drafts, books, "the chosen")
    if companions:
        for draft in drafts:
            _check_companions(books.parameters(draft.notebook), given, draft.notebook.stem)
    return tuple(_job(draft, given, books) for draft in drafts)


def _job(draft: Draft, given: Layer, books: Notebooks) -> Job:
    parameters, stem = books.parameters(draft.notebook), draft.notebook.stem
    merged: dict[str, tuple[Any, Layer]] = {}
    for layer in (*draft.layers, given):
        for name, value in layer.values.items():
            if name in parameters or not layer.shared:
                merged[name] = (value, layer)
    checked: dict[str, Any] = {}
    models: dict[str, Path] = {}
    for name, (value, layer) in merged.items():
        checked |= check_values(
            parameters, {name: value}, where=layer.where(name), notebook=stem, base=layer.base
        )
        if name in MODELS:
            checked[name] = _placed_models(name, checked[name], layer.base, models)
    files = {name: value for name, value in checked.items() if isinstance(value, Path)}
    inputs = files | _default_files(parameters, checked, draft.notebook.parent)
    # In the notebook's order, so that the order of a preset's keys changes no page.
    values = {name: checked[name] for name in parameters if name in checked}
    return Job(
        name=draft.name,
        notebook=draft.notebook,
        parameters={name: value for name, value in values.items() if name not in inputs},
        inputs={name: inputs[name] for name in parameters if name in inputs},
        models=models,
        timeout=draft.timeout,
    )


def _placed_models(parameter: str, value: Any, base: Path, models: dict[str, Path]) -> Any:
    """Name a model's folder as the kernel finds it, and note where it lies.

    It is ``model_name/<folder>``, as a file is ``sentences/<file>``: a relative path means the same
    in every kernel, and no page holds a path of one machine.
    """
    if isinstance(value, list):
        return [_placed_models(parameter, each, base, models) for each in value]
    folder = model_folder(value, base) if isinstance(value, str) else None
    if folder is None:
        return value
    name, number = f"{parameter}/{folder.name or 'root'}", 1
    while models.get(name, folder) != folder:
        number += 1
        name = f"{parameter}/{folder.name}-{number}"
    models[name] = folder
    return name


def check_shared(layer: Layer, drafts: Sequence[Draft], books: Notebooks, whose: str) -> None:
    """Refuse a name that a layer sets for all notebooks and none of them has."""
    notebooks = list(dict.fromkeys(draft.notebook for draft in drafts))
    known = dict.fromkeys(name for each in notebooks for name in books.parameters(each))
    for name in layer.values:
        if name not in known:
            one = notebooks[0].stem
            of = one if len(notebooks) == 1 else f"any of {whose} {len(notebooks)} notebooks"
            hint = suggest(name, known, none="None takes a parameter.")
            raise RequestError(f"{layer.where(name)}: unknown parameter {name!r} for {of}.{hint}")


def on_command_line(_name: str) -> str:
    """Say where a value of the command line comes from."""
    return COMMAND_LINE


def _chosen(drafts: Sequence[Draft], only: Sequence[str]) -> list[Draft]:
    wanted: set[str] = set()
    for selector in only:
        found = {
            draft.name
            for draft in drafts
            if selector == draft.name or selects(selector, draft.notebook.stem)
        }
        if not found:
            hint = suggest(selector, [draft.name for draft in drafts])
            raise RequestError(f"{COMMAND_LINE}: no page {selector!r} to choose.{hint}")
        wanted |= found
    return [draft for draft in drafts if draft.name in wanted]


def _check_companions(parameters: Mapping[str, Parameter], given: Layer, stem: str) -> None:
    """Ask for what goes with a file: a corpus without queries says nothing."""
    for name, parameter in parameters.items():
        file = parameter.goes_with
        if file in given.values and name not in given.values:
            raise RequestError(
                f"{given.where(file)}: {stem} needs {name} to go with your {file}. "
                f'Add {parameter.option} "…".'
            )


def _default_files(
    parameters: Mapping[str, Parameter], checked: Container[str], folder: Path
) -> dict[str, Path]:
    """Find the files that defaults name; a default that names no file is the notebook's affair."""
    found = {}
    for name, parameter in parameters.items():
        if parameter.takes_file and name not in checked and isinstance(parameter.default, str):
            path = folder / parameter.default
            try:
                if path.is_file():
                    found[name] = path
            except OSError:  # a text too long for a path
                pass
    return found


def model_names(job: Job) -> list[str]:
    """List the models that a notebook is run with."""
    parameters = read_parameters(job.notebook)
    names: list[str] = []
    for name in MODELS:
        if name in parameters:
            value = job.parameters.get(name, parameters[name].default)
            names += [value] if isinstance(value, str) else [str(each) for each in value or []]
    return list(dict.fromkeys(names))
