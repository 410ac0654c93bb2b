"""What the options ask for, as values with types; read into checked jobs, and built."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report.building.place import place
from ..report.messages import RequestError, short_repr
from ..report.request.known_parameters import COLUMNS, MODEL, READING, SHEET
from ..report.request.notebooks import Notebooks
from ..report.request.presets import Preset, adhoc_preset, load_preset
from ..report.request.values import CommandLineText, Parameter, parse_assignment, variable_of
from ..report.running.kernels import KernelKind
from .progress import listener_for
from .unusable import naming_unusable

if TYPE_CHECKING:
    from ..report.building.build import Result

# The values of the options that notebooks bring along, by name: one text or file, or several texts.
InputOptions = Mapping[str, str | Sequence[str] | None]


@dataclass(frozen=True)
class Request:
    """The options that say what to build; nothing is checked yet."""

    preset: str | None
    model: str | None
    title: str | None
    column: str | None
    sheet: str | None
    parameters: Sequence[str]  # NAME=VALUE
    only: str | None
    notebooks: Path
    reports: Path
    inputs: InputOptions
    variables: Mapping[str, str]  # what make was given for parameters of the notebooks
    unusable: Collection[str]  # what is wrong with notebooks that cannot be used

    @property
    def project(self) -> Path:
        """The folder that holds the folder of notebooks."""
        return self.notebooks.resolve().parent


@dataclass(frozen=True)
class BuildOptions:
    """The options that say how to build, and how much to report meanwhile."""

    jobs: int
    kernel: KernelKind
    force: bool
    prune: bool
    explain: bool
    embed_inputs: bool
    scheduler: str | None
    quiet: bool


def build_report(
    request: Request, options: BuildOptions, *, as_json: bool = False
) -> tuple[Preset, list[Result]]:
    """Build the pages that a request asks for, and show the progress."""
    from ..report.building.build import build

    preset = read_request(request)
    listening = listener_for(quiet=options.quiet, as_json=as_json, explain=options.explain)
    with listening as listener:
        results = build(
            preset,
            reports=request.reports,
            root=request.project,
            listener=listener,
            jobs=options.jobs,
            kernel=options.kernel,
            force=options.force,
            prune=options.prune,
            embed_inputs=options.embed_inputs,
            scheduler=options.scheduler,
        )
    return preset, results


def read_request(request: Request) -> Preset:
    """Return the checked jobs of a request, and name the notebooks that were left out."""
    with naming_unusable(request.unusable):
        if not request.notebooks.is_dir():
            raise RequestError(
                f"notebooks folder {request.notebooks}: not found. Run from the project's folder, "
                "or pass --notebooks."
            )
        preset = _checked_preset(request)
        if request.title:
            preset = replace(preset, title=request.title)
        return place(preset, request.reports, request.project)


def _checked_preset(request: Request) -> Preset:
    """Return the preset that the request names, or one made from its files."""
    values, places = _values_and_places(request)
    parameters: Mapping[str, Parameter] = {}
    if any(request.inputs.values()):
        parameters = Notebooks(request.notebooks).inputs()
    files, texts = files_and_texts(request.inputs, parameters)
    values |= texts
    only = None
    if request.only:
        only = request.only.split()
    if files:
        if request.preset:
            raise _two_requests(request.preset, files, parameters)
        return adhoc_preset(
            notebooks_dir=request.notebooks, files=files, values=values, only=only, places=places
        )
    if request.preset is None:
        # Without this, they would silently change the tutorial's pages.
        _refuse_without_file(values, parameters)
    return load_preset(
        request.preset or "tutorial",
        notebooks_dir=request.notebooks,
        overrides=values,
        only=only,
        places=places,
    )


def _values_and_places(request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of parameters, and the places that messages name for some of them.

    A later value wins: a variable of make, then ``-p``, then an option with a name of its own.
    """
    values: dict[str, Any] = {}
    places = {}
    for name, text in request.variables.items():
        values[name] = CommandLineText(text)
        places[name] = f"{name.upper()}={short_repr(text)}"
    values.update(map(parse_assignment, request.parameters))
    if request.model:
        values[MODEL] = request.model
    for name, option, value in (
        (COLUMNS, "--column", request.column),
        (SHEET, "--sheet", request.sheet),
    ):
        if value:
            values[name] = value
            places[name] = f"{variable_of(option)}={short_repr(value)} (or {option})"
    return values, places


def _two_requests(
    preset: str, files: Mapping[str, str], parameters: Mapping[str, Parameter]
) -> RequestError:
    """Return the error for a preset and a file in one request."""
    name, file = next(iter(files.items()))
    return RequestError(
        f"PRESET={preset} and {variable_of(parameters[name].option)}={file}: a preset brings "
        f"its own texts, so this is two requests. Leave one out; or build the preset on "
        f'your file: ARGS="-p {name}={file}" (or -p {name}={file}).'
    )


def files_and_texts(
    inputs: InputOptions, parameters: Mapping[str, Parameter]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Separate the files to report on from the values that go with them, both by parameter."""
    files: dict[str, str] = {}
    texts: dict[str, Any] = {}
    for name, value in inputs.items():
        if not value:
            continue
        # An option that is no parameter's name is the second of a list of texts: `queries_file`.
        parameter = parameters.get(name) or parameters[name.removesuffix("_file")]
        if name not in parameters and inputs.get(parameter.name):
            raise RequestError(
                f"{variable_of(parameter.option)} and {parameter.name.upper()} (or "
                f"{parameter.option} and --{parameter.name}): give the texts, or their file."
            )
        if not isinstance(value, str):
            texts[parameter.name] = list(value)
        elif parameter.takes_file and not parameter.goes_with:
            files[name] = value
        else:
            texts[parameter.name] = value
    return files, texts


def _refuse_without_file(values: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> None:
    """Raise RequestError if a value goes with a file and there is none."""
    for name, parameter in parameters.items():
        file = parameter.goes_with
        if name in values and file and file not in values:
            raise RequestError(
                f"{parameter.spelled} goes with a file, and none is given. Add "
                f"{file.upper()}=FILE (or --{file.replace('_', '-')} FILE)."
            )
    if values.keys() & {*READING}:
        raise RequestError(
            "COLUMN and SHEET (or --column and --sheet) say where in a file the texts are, and "
            "none is given. Add SENTENCES=FILE (or --sentences FILE), or the like."
        )
