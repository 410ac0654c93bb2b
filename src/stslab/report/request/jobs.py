"""What a build is made of: jobs, from notebooks and values in layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from stslab.models.finding import model_folder

from .notebooks import Notebooks, like, selects
from .parameters import read_parameters
from .values import Parameter, RequestError, check_values, suggest

COMMAND_LINE = "command line"
MODELS = ("model_name", "model_names")  # the parameters that name models


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


class Layer(NamedTuple):
    """Values from one place; a later layer wins over an earlier one."""

    values: Mapping[str, Any]
    base: Path = Path()
    where: Callable[[str], str] = lambda _name: COMMAND_LINE
    shared: bool = True  # for all notebooks that have the parameter, not for this one alone
    # Names that every notebook chosen has to have: they say how to read a file.
    needed: frozenset[str] = frozenset()


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
    """Choose drafts, add what the command line gives, check every value.

    With `companions`, ask for what goes with a file: a corpus without queries says nothing.
    """
    drafts = _chosen(drafts, only) if only else drafts
    for draft in drafts:
        _check_needed(given, draft.notebook.stem, books)
    check_shared(given, drafts, books, "the chosen")
    for draft in drafts if companions else ():
        stem = draft.notebook.stem
        for name, parameter in books.parameters(draft.notebook).items():
            file = parameter.goes_with
            if file in given.values and name not in given.values:
                raise RequestError(
                    f"{given.where(file)}: {stem} needs {name} to go with your {file}. Add "
                    f"{parameter.spelled}."
                )
    return tuple(_job(draft, given, books) for draft in drafts)


def _check_needed(given: Layer, stem: str, books: Notebooks) -> None:
    """Refuse a way to read a file that a notebook would ignore."""
    taken = books.parameters(books.by_stem[stem])
    for name in sorted(given.needed & given.values.keys() - taken.keys()):
        takers = [each for each in books.usable if name in books.parameters(books.by_stem[each])]
        do = f" Those that do: {', '.join(takers)}." if takers else ""
        raise RequestError(f"{given.where(name)}: {stem} takes no {name}, and would ignore it.{do}")


def _job(draft: Draft, given: Layer, books: Notebooks) -> Job:
    parameters, stem = books.parameters(draft.notebook), draft.notebook.stem
    merged = {
        name: (value, layer)
        for layer in (*draft.layers, given)
        for name, value in layer.values.items()
        if name in parameters or not layer.shared
    }
    checked: dict[str, Any] = {}
    models: dict[str, Path] = {}
    for name, (value, layer) in merged.items():
        checked |= check_values(
            parameters, {name: value}, where=layer.where(name), notebook=stem, base=layer.base
        )
        if name in MODELS:
            checked[name] = _placed_models(name, checked[name], layer.base, models)
    files = {name: value for name, value in checked.items() if isinstance(value, Path)}
    plain = {name: value for name, value in checked.items() if name not in files}
    inputs = _default_files(parameters, draft.notebook.parent) | files
    # In the notebook's order, so that the order of a preset's keys changes no page.
    return Job(
        name=draft.name,
        notebook=draft.notebook,
        parameters={name: plain[name] for name in parameters if name in plain},
        inputs={name: inputs[name] for name in parameters if name in inputs and name not in plain},
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
    """Refuse a name that a layer sets for all notebooks and none of them has.

    A notebook that cannot be used could have any name, so beside one nothing is refused: a request
    for its page fails by itself, and one for other pages need not care.
    """
    notebooks = list(dict.fromkeys(draft.notebook for draft in drafts))
    if any(books.problem(notebook.stem) for notebook in notebooks):
        return
    known = dict.fromkeys(name for each in notebooks for name in books.parameters(each))
    for name in layer.values:
        if name not in known:
            one = notebooks[0].stem
            of = one if len(notebooks) == 1 else f"any of {whose} {len(notebooks)} notebooks"
            hint = suggest(name, known, none="None takes a parameter.")
            raise RequestError(f"{layer.where(name)}: unknown parameter {name!r} for {of}.{hint}")


def _chosen(drafts: Sequence[Draft], only: Sequence[str]) -> list[Draft]:
    wanted: set[str] = set()
    stems = {draft.name: draft.notebook.stem for draft in drafts}
    for selector in only:
        found = {
            name for name, stem in stems.items() if name == selector or selects(selector, stem)
        }
        near = like(selector, stems)
        if not found and len(near) == 1:
            found = set(near)
        if not found:
            hint = suggest(selector, near or stems)
            raise RequestError(f"ONLY (or --only): no page {selector!r} to choose.{hint}")
        wanted |= found
    return [draft for draft in drafts if draft.name in wanted]


def _default_files(parameters: Mapping[str, Parameter], folder: Path) -> dict[str, Path]:
    """Find the files that defaults name; a default that names no file is the notebook's affair."""
    found = {}
    for name, parameter in parameters.items():
        if parameter.takes_file and isinstance(parameter.default, str):
            with suppress(OSError):  # a text too long for a path
                if (path := folder / parameter.default).is_file():
                    found[name] = path
    return found


def model_names(job: Job) -> list[str]:
    """List the models that a notebook is run with."""
    defaults = {name: each.default for name, each in read_parameters(job.notebook).items()}
    values = [job.parameters.get(name, defaults[name]) for name in MODELS if name in defaults]
    lists = [[value] if isinstance(value, str) else map(str, value or []) for value in values]
    return list(dict.fromkeys(chain.from_iterable(lists)))
