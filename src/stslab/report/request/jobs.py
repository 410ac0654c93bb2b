"""What a build is made of: jobs, from notebooks, values in layers, and safe names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stslab.models import model_folder

from .parameters import Parameter, RequestError, check_values, read_parameters, shown, suggest

COMMAND_LINE = "command line"
MAX_NAME_BYTES = 120  # a page's figures put their own names behind it; file systems allow 255
# Files of the reports folder itself: a report of the same name would take their place.
_TAKEN = re.compile(r"index|index\.html|readme\.md|.*\.zip", re.DOTALL)
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]|con(in|out)\$")  # of Windows
# A file without its companion says nothing: a corpus is searched for something.
MODELS = ("model", "models")  # the parameters that name models
COMPANIONS = {"corpus": ("queries", '--query "…"'), "candidates": ("reference", '--reference "…"')}


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


class Notebooks:
    """The notebooks of a folder and their parameters, each read at most once a request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.by_stem = {path.stem: path for path in sorted(self.folder.glob("[!.]*.ipynb"))}
        self.public = [stem for stem in self.by_stem if not stem.startswith("_")]
        self.presets = {path.stem: path for path in sorted(self.folder.glob("presets/[!.]*.yaml"))}
        self._parameters: dict[Path, dict[str, Parameter]] = {}
        if not self.public:
            raise RequestError(f"{folder}: no notebooks in this folder.")

    def find(self, name: str, where: str) -> Path:
        found = [path for stem, path in self.by_stem.items() if _selects(name, stem)]
        if not found:
            hint = suggest(name, self.public)
            raise RequestError(f"{where}: unknown notebook {shown(name)}.{hint}")
        if len(found) > 1:
            stems = ", ".join(path.stem for path in found)
            raise RequestError(
                f"{where}: notebook {name!r} could be {stems}. Write its whole name."
            )
        return found[0]

    def parameters(self, notebook: Path) -> dict[str, Parameter]:
        if notebook not in self._parameters:
            self._parameters[notebook] = read_parameters(notebook)
        return self._parameters[notebook]

    def refuse_taken(self, name: str, what: str, own: Path | None = None) -> None:
        """Keep a file called tutorial.txt from overwriting the report of the tutorial preset."""
        for stem, path in self.presets.items():
            if same_file_name(stem) == same_file_name(name) and not (own and own.samefile(path)):
                raise RequestError(
                    f"{what}: its report would overwrite that of the preset {stem!r}. Rename the "
                    f"file, or build the preset itself (make report PRESET={stem})."
                )


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
    """Name a model's folder as the kernel finds it, ``model/<folder>``, and note where it lies.

    So a relative path means the same in every kernel, and no page holds a path of one machine.
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


def file_inputs(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Give the parameters that take a file."""
    return {name: each for name, each in parameters.items() if each.takes_file}


def on_command_line(_name: str) -> str:
    """Say where a value of the command line comes from."""
    return COMMAND_LINE


def _chosen(drafts: Sequence[Draft], only: Sequence[str]) -> list[Draft]:
    wanted: set[str] = set()
    for selector in only:
        found = {
            draft.name
            for draft in drafts
            if selector == draft.name or _selects(selector, draft.notebook.stem)
        }
        if not found:
            hint = suggest(selector, [draft.name for draft in drafts])
            raise RequestError(f"{COMMAND_LINE}: no page {selector!r} to choose.{hint}")
        wanted |= found
    return [draft for draft in drafts if draft.name in wanted]


def _check_companions(parameters: Mapping[str, Parameter], given: Layer, stem: str) -> None:
    for file, (companion, option) in COMPANIONS.items():
        both = {file, companion} <= parameters.keys()
        if both and file in given.values and companion not in given.values:
            raise RequestError(
                f"{given.where(file)}: {stem} needs {companion} to go with your {file}. "
                f"Add {option}."
            )


def _default_files(
    parameters: Mapping[str, Parameter], checked: Container[str], folder: Path
) -> dict[str, Path]:
    """Find the files that defaults name; a default that names no file is the notebook's affair."""
    found = {}
    for name, parameter in file_inputs(parameters).items():
        if name not in checked and isinstance(parameter.default, str):
            path = folder / parameter.default
            try:
                if path.is_file():
                    found[name] = path
            except OSError:  # a text too long for a path
                pass
    return found


# Names -----------------------------------------------------------------------------------------


def _selects(selector: str, stem: str) -> bool:
    """Whether ``05_sentence_pairs``, with ``.ipynb`` or not, or ``05`` means this notebook."""
    numbered = bool(re.fullmatch(r"[0-9]{2}", selector)) and stem.startswith(f"{selector}_")
    return selector.removesuffix(".ipynb") == stem or numbered


def name_problem(name: str) -> str:
    """Say why a name cannot be a page's file name; nothing when it can."""
    if not name.strip(". "):
        return "is empty"
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        return "starts or ends with a dot or a space"
    if unsafe := next(filter(_is_unsafe, name), ""):
        return f"contains {unsafe!r}. Use letters, digits, spaces, - and _"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes. Choose a shorter one"
    same = same_file_name(name)
    if _TAKEN.fullmatch(same):
        return "is reserved for a file of the reports folder. Choose another name"
    if _DEVICE.fullmatch(same.partition(".")[0].rstrip()):
        return "is a device on Windows, with any extension. Choose another name"
    if same.endswith(".failed"):
        return "ends in .failed, which is reserved for notebooks that failed. Choose another name"
    return ""


def same_file_name(name: str) -> str:
    """Give what two names share when a file system, or a reader, takes them for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _is_unsafe(character: str) -> bool:
    return (
        character in '/\\<>:"|?*'
        # Cf cannot be seen: some of it hides an extension, all of it makes equal names differ.
        or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


def safe_stem(path: str | Path, fallback: str = "report") -> str:
    """Make a folder name of a file's stem, one that `name_problem` finds nothing wrong with.

    >>> safe_stem("texts/my report.txt"), safe_stem("..txt"), safe_stem("a:b?.csv")
    ('my report', 'report', 'a_b_')
    >>> safe_stem("index.html.txt"), safe_stem("con.txt")
    ('index_html', 'con_')
    """
    stem = unicodedata.normalize("NFC", Path(path).stem)
    name = "".join("_" if _is_unsafe(character) else character for character in stem)
    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    name = re.sub(r"^[\s.]+|[\s.]+$", "", name) or fallback
    if name_problem(name):  # a name with a meaning of its own, mostly by what follows a dot
        name = "".join("_" if "." in same_file_name(each) else each for each in name)
    return f"{name}_" if name_problem(name) else name
