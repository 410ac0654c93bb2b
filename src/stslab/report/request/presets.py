"""From a preset, or from files on the command line, to checked jobs.

A preset is a YAML file in ``notebooks/presets``; every key is optional::

    title: Support questions
    description: What customers asked in May.
    timeout: 600                      # seconds a cell may take
    columns: Frage, Antwort           # of the file, those that hold the texts
    sheet: Mai                        # of a spreadsheet
    parameters:                       # for all notebooks that have them
      model: all-MiniLM-L6-v2
    notebooks:                        # all of the folder when absent
      - 05                            # the number, or the name 05_sentence_pairs
      - notebook: 08
        name: 08_heatmap_clustered    # its page; needed to run one notebook twice
        parameters: {cluster: true}

Paths are relative to the preset's folder. Everything wrong is a `RequestError`, raised before any
kernel starts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..messages import RequestError, joined_names, short_repr, suggest
from .jobs import COMMAND_LINE, Draft, Job, Layer, check_shared, make_jobs
from .known_parameters import READING
from .names import name_problem, safe_stem, same_file_name
from .notebooks import Notebooks
from .values import shown_or_nothing
from .yaml_text import LineOf, parse_yaml


@dataclass(frozen=True)
class Preset:
    """A named set of jobs."""

    name: str
    title: str
    description: str
    jobs: tuple[Job, ...]  # those chosen of its pages
    pages: dict[str, Path]  # all its pages, in order, and their notebooks
    path: Path  # its YAML file, or the file on the command line that names the report
    # Those that may be in its folder; of a file, these are the pages of any request on it.
    belonging: frozenset[str]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _empty_for_nothing(value: Any) -> Any:
    """Return no values for a key with nothing behind it."""
    if value is None:
        return {}
    return value


def _with_leading_zero(value: Any) -> Any:
    """Return a notebook's number as its name has it: 5, which YAML reads as a number, is 05."""
    if type(value) is int:  # no bool
        return f"{value:02d}"
    return value


def _run_of_bare_name(value: Any) -> Any:
    """Return a run of a notebook that is listed by its name or number alone."""
    if isinstance(value, (str, int)):
        return {"notebook": value}
    return value


def _joined(value: Any) -> Any:
    """Return a list of columns as the one text that notebooks take."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return joined_names(value)
    return value


_Values = Annotated[dict[str, Any], BeforeValidator(_empty_for_nothing)]
_Seconds = Annotated[int, Field(gt=0)]
_Notebook = Annotated[str, BeforeValidator(_with_leading_zero)]


class _Run(_Shape):
    notebook: _Notebook
    name: str | None = None
    parameters: _Values = {}
    timeout: _Seconds | None = None


_BareOrRun = Annotated[_Run, BeforeValidator(_run_of_bare_name)]


class _PresetFile(_Shape):
    title: str | None = None
    description: str | None = None
    parameters: _Values = {}
    columns: Annotated[str | None, BeforeValidator(_joined)] = None
    sheet: str | None = None
    notebooks: Annotated[list[_BareOrRun] | None, Field(min_length=1)] = None
    timeout: _Seconds | None = None


@dataclass(frozen=True)
class _Source:
    """A preset's file, for messages that name a line of it."""

    path: Path
    line_of: LineOf

    def place(self, *steps: object) -> str:
        """Return the file and the line in which something stands."""
        return f"preset {self.path.name!r}, line {self.line_of(steps)}"


def load_preset(
    name_or_path: str | Path,
    *,
    notebooks_dir: Path,
    overrides: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
    places: Mapping[str, str] = {},
) -> Preset:
    """Read a preset and check everything in it.

    Parameters
    ----------
    name_or_path : str or Path
        A name, such as ``support``, or a YAML file.
    notebooks_dir : Path
    overrides : mapping, optional
        Values that win over those of the preset; files in them are relative to the current folder.
    only : sequence of str, optional
        Names of pages or notebooks, or their numbers; the others are left out.
    places : mapping
        Of some overrides, the place that messages name.
    """
    notebooks = Notebooks(notebooks_dir)
    path = _find_preset(name_or_path, notebooks)
    content, line_of = _read_preset(path)
    source = _Source(path, line_of)
    shared = _shared_layer(content, source)
    runs = content.notebooks
    if runs is None:
        runs = [_Run(notebook=stem) for stem in notebooks.lessons()]
    drafts = _drafts(runs, content, shared, source, notebooks)
    check_shared(shared, drafts, notebooks, "its")
    jobs = make_jobs(drafts, command_line_layer(overrides or {}, places), only, notebooks)
    pages = {draft.name: draft.notebook for draft in drafts}
    belonging = frozenset(pages)
    if content.notebooks is None:  # a page made before its notebook broke still belongs
        belonging |= notebooks.unusable.keys()
    return Preset(
        name=path.stem,
        title=content.title or path.stem,
        description=content.description or "",
        jobs=jobs,
        pages=pages,
        path=path,
        belonging=belonging,
    )


def _shared_layer(content: _PresetFile, source: _Source) -> Layer:
    """Return the values that a preset has for all its notebooks."""
    values: dict[str, Any] = {}
    places = {}
    # How to read the files may stand at the top, or among the parameters, which win.
    for name in READING:
        value = getattr(content, name)
        if value is not None:
            values[name] = value
            places[name] = source.place(name)
    for name, value in content.parameters.items():
        values[name] = value
        places[name] = source.place("parameters", name)
    return Layer(values, source.path.parent, places)


def _drafts(
    runs: Sequence[_Run],
    content: _PresetFile,
    shared: Layer,
    source: _Source,
    notebooks: Notebooks,
) -> list[Draft]:
    """Return a draft of each run; their pages have different names."""
    first_lines: dict[str, int] = {}
    drafts = []
    for position, run in enumerate(runs):
        place = source.place("notebooks", position)
        notebook = notebooks.find(run.notebook, place)
        name = run.name
        if name is None:
            name = notebook.stem
        if problem := name_problem(name):
            raise RequestError(f"{place}: the page name {short_repr(name)} {problem}.")
        file_name = same_file_name(name)
        if file_name in first_lines:
            raise RequestError(
                f"{place}: a second page called {name!r} (first in line {first_lines[file_name]}). "
                "Give each run of a notebook its own 'name:'."
            )
        first_lines[file_name] = source.line_of(("notebooks", position))
        places = {
            parameter: source.place("notebooks", position, "parameters", parameter)
            for parameter in run.parameters
        }
        run_layer = Layer(run.parameters, source.path.parent, places, shared=False)
        drafts.append(Draft(name, notebook, (shared, run_layer), run.timeout or content.timeout))
    return drafts


def adhoc_preset(
    *,
    notebooks_dir: Path,
    files: Mapping[str, str | Path],
    values: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
    places: Mapping[str, str] = {},
) -> Preset:
    """Make a preset from files alone: of the report that takes them all.

    Lessons take files, too: they are built where `only` names them, or where no report takes the
    files. The first file's stem names the report.

    Parameters
    ----------
    notebooks_dir : Path
    files : mapping from parameters to files
    values, only, places
        As `load_preset` takes `overrides`, `only` and `places`.
    """
    notebooks = Notebooks(notebooks_dir)
    if not files:
        raise RequestError(f"{COMMAND_LINE}: no file given.{notebooks.files_listed()}")
    first_parameter, first_file = next(iter(files.items()))
    name = safe_stem(first_file, first_parameter)
    notebooks.refuse_taken(name, f"{COMMAND_LINE}: {short_repr(str(first_file))}")
    takers = notebooks.takers(files)
    _check_all_taken(files, takers, notebooks)
    chosen = takers
    if not only:
        chosen = notebooks.answering(files)
    pages = {stem: notebooks.by_stem[stem] for stem in takers}
    jobs = make_jobs(
        [Draft(stem, pages[stem]) for stem in chosen],
        command_line_layer({**files, **(values or {})}, places),
        only,
        notebooks,
        need_companions=True,
    )
    path = Path(first_file)
    for job in jobs:
        if first_parameter in job.inputs:
            path = job.inputs[first_parameter]
            break
    return Preset(
        name=name,
        title=name,
        description="",
        jobs=jobs,
        pages=pages,
        path=path,
        belonging=frozenset(notebooks.by_stem),
    )


def _check_all_taken(files: Collection[str], takers: Sequence[str], notebooks: Notebooks) -> None:
    """Raise RequestError if no notebook takes one of the files without needing another."""
    unused_files = set(files)
    for stem in takers:
        unused_files -= notebooks.files(stem).keys()
    if unused_files:
        raise RequestError(
            f"{COMMAND_LINE}: no notebook accepts {' and '.join(sorted(unused_files))} on its own."
            f"{notebooks.files_listed()}"
        )


def command_line_layer(values: Mapping[str, Any], places: Mapping[str, str]) -> Layer:
    """Return a layer of what was typed; of some values messages name the place."""
    return Layer(values, places=places, needed=frozenset(READING))


def _find_preset(name_or_path: str | Path, notebooks: Notebooks) -> Path:
    """Return the preset's file, in the folder of presets or elsewhere."""
    typed_name = str(name_or_path)
    name = typed_name.removesuffix(".yaml")
    path = Path(os.path.expanduser(typed_name)).absolute()  # noqa: PTH111 (Path's own raises where there is no such home)
    if isinstance(name_or_path, str) and name in notebooks.presets:
        path = notebooks.presets[name]
    elif not path.is_file() or path.suffix not in (".yaml", ".yml"):
        hint = suggest(typed_name, notebooks.presets)
        if path.suffix:
            hint += f" It is no YAML file here ({path}) either."
        raise RequestError(f"unknown preset {typed_name!r}.{hint}")
    if problem := name_problem(path.stem):
        raise RequestError(f"preset {typed_name!r}: its name {problem}.")
    notebooks.refuse_taken(path.stem, f"preset {typed_name!r}", own_file=path)
    return path


def _read_preset(path: Path) -> tuple[_PresetFile, LineOf]:
    """Return a preset's content, and the function that finds a line of it."""
    try:
        data, line_of = parse_yaml(path.read_text(encoding="utf-8-sig"))
        if data is None:  # an empty file: every key is optional
            data = {}
        return _PresetFile.model_validate(data), line_of
    except UnicodeDecodeError as error:
        problem = f": not UTF-8 text (byte {error.start}). Save it as UTF-8."
    except OSError as error:
        problem = f": cannot be read ({error.strerror})."
    except yaml.MarkedYAMLError as error:
        problem = f": {error.problem}."
        mark = error.problem_mark or error.context_mark
        if mark:
            problem = f", line {mark.line + 1}{problem}"
    except ValidationError as error:
        first = error.errors()[0]
        problem = f", line {line_of(first['loc'])}: {_explained(dict(first))}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f": not YAML: {' '.join(str(error).split())}."
    raise RequestError(f"preset {path.name!r}{problem}")


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "greater_than": "a number above 0",
    "dict_type": "names with values, such as 'top_k: 5'",
    "list_type": "a list of notebooks",
    "invalid_key": "keys that are texts",
}


def _explained(error: Mapping[str, Any]) -> str:
    """Return an error of pydantic in a preset's own words."""
    error_type, path, value = error["type"], error["loc"], error["input"]
    keys = _PresetFile.model_fields
    if len(path) > 1 and path[0] == "notebooks":
        keys = _Run.model_fields
    if error_type == "extra_forbidden":
        return f"unknown key {str(path[-1])!r}.{suggest(str(path[-1]), keys)}"
    if error_type == "missing":
        return "a run needs the key 'notebook', such as 'notebook: 08'."
    if error_type == "too_short":
        return "'notebooks' is empty. List some, or remove the key to build all."
    if error_type == "model_type":
        expected = "a preset"
        if path:
            expected = "a run: a notebook's name,"
        return f"expected {expected} with keys ({', '.join(keys)}), got {short_repr(value)}."
    names = ["preset", *(step for step in path if isinstance(step, str) and step != "[key]")]
    expected = _EXPECTED.get(error_type, error["msg"])
    message = f"{names[-1]!r}: expected {expected}, got {shown_or_nothing(value)}."
    if error_type == "string_type" and isinstance(value, (bool, int, float)):
        message += " Put quotes around it."
    return message
