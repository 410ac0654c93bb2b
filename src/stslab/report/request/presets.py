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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .jobs import COMMAND_LINE, Draft, Job, Layer, check_shared, make_jobs
from .names import name_problem, safe_stem, same_file_name
from .notebooks import Notebooks
from .values import RequestError, joined_names, shown, suggest
from .yaml_text import LineOf, parse_yaml

READING = ("columns", "sheet")  # the parameters that say where in a file the texts are


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


_Values = Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)]
_Seconds = Annotated[int, Field(gt=0)]
_Notebook = Annotated[str, BeforeValidator(lambda v: f"{v:02d}" if type(v) is int else v)]


class _Run(_Shape):
    notebook: _Notebook
    name: str | None = None
    parameters: _Values = {}
    timeout: _Seconds | None = None


_BareOrRun = Annotated[
    _Run,
    BeforeValidator(lambda value: {"notebook": value} if isinstance(value, (str, int)) else value),
]


def _joined(value: Any) -> Any:
    """Write a list of columns as the one text that notebooks take."""
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return joined_names(value) if texts else value


class _PresetFile(_Shape):
    title: str | None = None
    description: str | None = None
    parameters: _Values = {}
    columns: Annotated[str | None, BeforeValidator(_joined)] = None
    sheet: str | None = None
    notebooks: Annotated[list[_BareOrRun] | None, Field(min_length=1)] = None
    timeout: _Seconds | None = None


def load_preset(
    name_or_path: str | Path,
    *,
    notebooks_dir: Path,
    overrides: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
    where: Mapping[str, str] = {},
) -> Preset:
    """Read a preset, such as ``support`` or a YAML file, and check all that it asks for.

    `overrides` win over its values; files in them are relative to the current folder. `only` names
    pages or notebooks, or gives their numbers.
    """
    books = Notebooks(notebooks_dir)
    path = _find_preset(name_or_path, books)
    say = f"preset {path.name!r}"
    content, line_of = _read_preset(path, say)

    def at(*steps: object) -> str:
        return f"{say}, line {line_of(steps)}"

    # How to read the files may also stand at the top.
    reading = {name: value for name in READING if (value := getattr(content, name)) is not None}

    def at_shared(name: str) -> str:
        return at("parameters", name) if name in content.parameters else at(name)

    shared = Layer({**reading, **content.parameters}, path.parent, at_shared)
    first_lines: dict[str, int] = {}
    drafts = []
    runs = content.notebooks or [_Run(notebook=stem) for stem in books.lessons()]
    for position, run in enumerate(runs):
        here = at("notebooks", position)
        notebook = books.find(run.notebook, here)
        name = run.name if run.name is not None else notebook.stem
        if problem := name_problem(name):
            raise RequestError(f"{here}: the page name {shown(name)} {problem}.")
        if (key := same_file_name(name)) in first_lines:
            raise RequestError(
                f"{here}: a second page called {name!r} (first in line {first_lines[key]}). Give "
                "each run of a notebook its own 'name:'."
            )
        first_lines[key] = line_of(("notebooks", position))
        own_where = partial(at, "notebooks", position, "parameters")
        own = Layer(run.parameters, path.parent, own_where, shared=False)
        drafts.append(Draft(name, notebook, (shared, own), run.timeout or content.timeout))
    check_shared(shared, drafts, books, "its")
    jobs = make_jobs(drafts, typed(overrides or {}, where), only, books)
    pages = {draft.name: draft.notebook for draft in drafts}
    title, about = content.title or path.stem, content.description or ""
    belonging = frozenset(pages)
    if content.notebooks is None:  # a page made before its notebook broke is no stray one
        belonging |= books.unusable.keys()
    return Preset(path.stem, title, about, jobs, pages, path, belonging)


def adhoc_preset(
    *,
    notebooks_dir: Path,
    files: Mapping[str, str | Path],
    values: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
    where: Mapping[str, str] = {},
) -> Preset:
    """Make a preset from files alone: of the report that takes them all.

    Lessons take files, too: they are built where `only` names them, or where no report takes the
    files. The first file's stem names the report; `values` are as `load_preset` takes `overrides`.
    """
    books = Notebooks(notebooks_dir)
    if not files:
        raise RequestError(f"{COMMAND_LINE}: no file given.{books.files_listed()}")
    parameter, first = next(iter(files.items()))
    name = safe_stem(first, parameter)
    books.refuse_taken(name, f"{COMMAND_LINE}: {shown(str(first))}")
    stems = books.takers(files)
    pages = {stem: books.by_stem[stem] for stem in stems}
    if unused := set(files).difference(*map(books.files, pages)):
        raise RequestError(
            f"{COMMAND_LINE}: no notebook accepts {' and '.join(sorted(unused))} on its own."
            f"{books.files_listed()}"
        )
    given = typed({**files, **(values or {})}, where)
    chosen = stems if only else books.answering(files)
    drafts = [Draft(stem, pages[stem]) for stem in chosen]
    jobs = make_jobs(drafts, given, only, books, companions=True)
    path = next((job.inputs[parameter] for job in jobs if parameter in job.inputs), Path(first))
    return Preset(name, name, "", jobs, pages, path, frozenset(books.by_stem))


def typed(values: Mapping[str, Any], where: Mapping[str, str]) -> Layer:
    """Make a layer of what was typed; `where` says how, for messages, where it is known."""

    def said(name: str) -> str:
        return where.get(name, COMMAND_LINE)

    return Layer(values, where=said, needed=frozenset(READING))


def _find_preset(name_or_path: str | Path, books: Notebooks) -> Path:
    given = str(name_or_path)
    path = Path(os.path.expanduser(given)).absolute()  # noqa: PTH111 (Path's own raises where there is no such home)
    if isinstance(name_or_path, str) and given.removesuffix(".yaml") in books.presets:
        path = books.presets[given.removesuffix(".yaml")]
    elif not path.is_file() or path.suffix not in (".yaml", ".yml"):
        searched = f" It is no YAML file here ({path}) either." if path.suffix else ""
        raise RequestError(f"unknown preset {given!r}.{suggest(given, books.presets)}{searched}")
    if problem := name_problem(path.stem):
        raise RequestError(f"preset {given!r}: its name {problem}.")
    books.refuse_taken(path.stem, f"preset {given!r}", own=path)
    return path


def _read_preset(path: Path, say: str) -> tuple[_PresetFile, LineOf]:
    try:
        data, line_of = parse_yaml(path.read_text(encoding="utf-8-sig"))
        return _PresetFile.model_validate({} if data is None else data), line_of
    except UnicodeDecodeError as error:
        why = f": not UTF-8 text (byte {error.start}). Save it as UTF-8."
    except OSError as error:
        why = f": cannot be read ({error.strerror})."
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = f"{f', line {mark.line + 1}' if mark else ''}: {error.problem}."
    except ValidationError as error:
        first = error.errors()[0]
        why = f", line {line_of(first['loc'])}: {_explained(dict(first))}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f": not YAML: {' '.join(str(error).split())}."
    raise RequestError(f"{say}{why}")


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "greater_than": "a number above 0",
    "dict_type": "names with values, such as 'top_k: 5'",
    "list_type": "a list of notebooks",
    "invalid_key": "keys that are texts",
}


def _explained(error: Mapping[str, Any]) -> str:
    """Say in the preset's own words what pydantic found."""
    kind, loc, value = error["type"], error["loc"], error["input"]
    keys = _Run.model_fields if len(loc) > 1 and loc[0] == "notebooks" else _PresetFile.model_fields
    if kind == "extra_forbidden":
        return f"unknown key {str(loc[-1])!r}.{suggest(str(loc[-1]), keys)}"
    if kind == "missing":
        return "a run needs the key 'notebook', such as 'notebook: 08'."
    if kind == "too_short":
        return "'notebooks' is empty. List some, or remove the key to build all."
    if kind == "model_type":
        what = "a preset" if not loc else "a run: a notebook's name,"
        return f"expected {what} with keys ({', '.join(keys)}), got {shown(value)}."
    names = [step for step in loc if isinstance(step, str) and step != "[key]"]
    quotes = kind == "string_type" and isinstance(value, (bool, int, float))
    return (
        f"{names[-1] if names else 'preset'!r}: expected {_EXPECTED.get(kind, error['msg'])}, "
        f"got {'nothing' if value is None else shown(value)}."
        f"{' Put quotes around it.' if quotes else ''}"
    )
