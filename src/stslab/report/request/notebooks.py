"""The notebooks of a folder: found by name or number, with what their parameters cells take."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache, cached_property
from pathlib import Path

from ..messages import RequestError, short_repr, suggest
from .names import same_file_name
from .parameters import read_parameters
from .source import is_report, read_notebook
from .values import Parameter


class Notebooks:
    """The notebooks of a folder and their parameters, each read at most once a request.

    A notebook that cannot be used, such as one that is half written, is left out of every list.
    `find` finds it nevertheless, and its parameters raise the `RequestError` that says what is
    wrong: it stops those who ask for it, and nobody else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.by_stem = {path.stem: path for path in sorted(self.folder.glob("[!.]*.ipynb"))}
        self.public = [stem for stem in self.by_stem if not stem.startswith("_")]
        self.presets = {path.stem: path for path in sorted(self.folder.glob("presets/[!.]*.yaml"))}
        self.parameters = cache(read_parameters)
        self.is_report = cache(lambda stem: is_report(read_notebook(self.by_stem[stem])))
        if not self.public:
            raise RequestError(f"{folder}: no notebooks in this folder.")

    def problem(self, stem: str) -> str:
        """Return what is wrong with a notebook that cannot be used; empty if it can."""
        try:
            self.parameters(self.by_stem[stem])
        except RequestError as error:
            return str(error)
        return ""

    @cached_property
    def unusable(self) -> dict[str, str]:
        """The notebooks that cannot be used, by stem, and what is wrong with each."""
        problems = {stem: self.problem(stem) for stem in self.by_stem}
        return {stem: problem for stem, problem in problems.items() if problem}

    @property
    def usable(self) -> list[str]:
        """The public notebooks that can be used."""
        return [stem for stem in self.public if stem not in self.unusable]

    def find(self, name: str, place: str, *, loosely: bool = False) -> Path:
        """Find a notebook by its name or number; loosely, a part of a name will do."""
        matches = [path for stem, path in self.by_stem.items() if selects(name, stem)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            could = f"{name!r} could be {', '.join(path.stem for path in matches)}"
            raise RequestError(f"{place}: notebook {could}. Write its whole name.")
        similar_names: list[str] = []
        if loosely:
            similar_names = matching_names(name, self.public)
        if len(similar_names) == 1:
            return self.by_stem[similar_names[0]]
        hint = suggest(name, similar_names or self.public)
        raise RequestError(f"{place}: unknown notebook {short_repr(name)}.{hint}")

    def refuse_taken(self, name: str, subject: str, own_file: Path | None = None) -> None:
        """Raise RequestError if a report's name is that of a preset other than its own file.

        Otherwise, a file called tutorial.txt would overwrite the report of the tutorial preset.
        """
        for stem, path in self.presets.items():
            if same_file_name(stem) != same_file_name(name):
                continue
            if own_file is None or not own_file.samefile(path):
                raise RequestError(
                    f"{subject}: its report would overwrite that of the preset {stem!r}. Rename "
                    f"the file, or build the preset itself (make report PRESET={stem})."
                )

    def lessons(self) -> list[str]:
        """List the notebooks that teach: all that are no report."""
        return [stem for stem in self.usable if not self.is_report(stem)]

    def takers(self, files: Collection[str]) -> list[str]:
        """List the notebooks that take at least one of these files and need no other.

        Reports come first.
        """
        takers = []
        for stem in self.usable:
            parameters = self.files(stem)
            # A file that is None by default can be left out; another would be the notebook's own,
            # beside the files of the request.
            needed = {name for name in parameters if parameters[name].default is not None}
            if parameters.keys() & set(files) and needed <= set(files):
                takers.append(stem)
        return sorted(takers, key=lambda stem: not self.is_report(stem))

    def answering(self, files: Collection[str]) -> list[str]:
        """Choose among the takers: the report of all the files, or the reports that share them.

        Where no report takes them, every taker answers.
        """
        takers = self.takers(files)
        reports = [stem for stem in takers if self.is_report(stem)]
        reports_of_all = [stem for stem in reports if self.files(stem).keys() >= set(files)]
        if reports_of_all:
            return reports_of_all
        taken_by_reports = {name for stem in reports for name in self.files(stem)}
        if taken_by_reports >= set(files):
            return reports
        return takers

    def files(self, stem: str) -> dict[str, Parameter]:
        """Return the parameters of a notebook that take a file of their own."""
        parameters = self.parameters(self.by_stem[stem])
        return {
            name: parameter
            for name, parameter in parameters.items()
            if parameter.takes_file and not parameter.goes_with
        }

    def inputs(self) -> dict[str, Parameter]:
        """Return every parameter that takes a file, or goes with one.

        Of those of one name it is the first that takes a file, or else the first.
        """
        inputs: dict[str, Parameter] = {}
        for stem in self.usable:
            for name, parameter in self.parameters(self.by_stem[stem]).items():
                if name not in inputs:
                    if parameter.takes_file or parameter.goes_with:
                        inputs[name] = parameter
                elif parameter.takes_file and not inputs[name].takes_file:
                    inputs[name] = parameter
        return inputs

    def files_listed(self) -> str:
        """Return a list of the files that each notebook takes, for messages."""
        lines = []
        for stem in self.usable:
            files = self.files(stem)
            if files:
                lines.append(f"\n  {stem}: {', '.join(files)}")
        if not lines:
            return " No notebook takes one."
        return f" Files that notebooks take:{''.join(lines)}"


def selects(selector: str, stem: str) -> bool:
    """Return whether a name or a number means this notebook.

    >>> [selects(selector, "05_sentence_pairs") for selector in ("05", "5", "sentence")]
    [True, True, False]
    >>> selects("05_sentence_pairs.ipynb", "05_sentence_pairs")
    True
    """
    if selector.removesuffix(".ipynb") == stem:
        return True
    is_number = re.fullmatch(r"[0-9]{1,2}", selector) is not None
    return is_number and stem.startswith(f"{selector:0>2}_")


def matching_names(fragment: str, names: Iterable[str]) -> list[str]:
    """List the names that a fragment can mean.

    Those that begin with it, else those in which it begins a word, else those that hold it.

    >>> matching_names("heat", ["08_heatmap", "09_wheat", "14_map"])
    ['08_heatmap']
    >>> matching_names("map", ["08_heatmap", "09_maps"])
    ['09_maps']
    """
    if not fragment:
        return []
    escaped = re.escape(fragment.casefold())
    names = list(names)
    for pattern in (escaped, rf".*(?<![^\W_]){escaped}", rf".*{escaped}"):
        matches = [name for name in names if re.match(pattern, name.casefold())]
        if matches:
            return matches
    return []
