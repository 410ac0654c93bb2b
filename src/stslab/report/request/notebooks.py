"""The notebooks of a folder: found by name or number, with what their parameters cells take."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache, cached_property
from pathlib import Path

from .names import same_file_name
from .parameters import read_parameters
from .source import is_report, read_notebook
from .values import Parameter, RequestError, shown, suggest


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
        """Say what is wrong with a notebook that cannot be used; nothing where it can."""
        try:
            self.parameters(self.by_stem[stem])
        except RequestError as error:
            return str(error)
        return ""

    @cached_property
    def unusable(self) -> dict[str, str]:
        """The notebooks that cannot be used, by stem, and what is wrong with each."""
        return {stem: problem for stem in self.by_stem if (problem := self.problem(stem))}

    @property
    def usable(self) -> list[str]:
        """The public notebooks that can be used."""
        return [stem for stem in self.public if stem not in self.unusable]

    def find(self, name: str, where: str, *, loosely: bool = False) -> Path:
        """Find a notebook by its name or number; loosely, a part of a name will do."""
        found = [path for stem, path in self.by_stem.items() if selects(name, stem)]
        near = like(name, self.public) if loosely and not found else []
        if len(near) == 1:
            return self.by_stem[near[0]]
        if not found:
            hint = suggest(name, near or self.public)
            raise RequestError(f"{where}: unknown notebook {shown(name)}.{hint}")
        if len(found) > 1:
            could = f"{name!r} could be {', '.join(path.stem for path in found)}"
            raise RequestError(f"{where}: notebook {could}. Write its whole name.")
        return found[0]

    def refuse_taken(self, name: str, what: str, own: Path | None = None) -> None:
        """Keep a file called tutorial.txt from overwriting the report of the tutorial preset."""
        for stem, path in self.presets.items():
            if same_file_name(stem) == same_file_name(name) and not (own and own.samefile(path)):
                raise RequestError(
                    f"{what}: its report would overwrite that of the preset {stem!r}. Rename the "
                    f"file, or build the preset itself (make report PRESET={stem})."
                )

    def lessons(self) -> list[str]:
        """List the notebooks that teach: all that are no report."""
        return [stem for stem in self.usable if not self.is_report(stem)]

    def takers(self, files: Collection[str]) -> list[str]:
        """List the notebooks that take at least one of these files and need no other.

        Reports come first.
        """
        found = []
        for stem in self.usable:
            takes = self.files(stem).items()
            given = [name in files for name, _ in takes]
            if any(given) and all(name in files or each.default is None for name, each in takes):
                found.append(stem)
        return sorted(found, key=lambda stem: not self.is_report(stem))

    def answering(self, files: Collection[str]) -> list[str]:
        """Choose among the takers: the report of all the files, or the reports that share them.

        Where no report takes them, every taker answers.
        """
        takers = self.takers(files)
        reports = [stem for stem in takers if self.is_report(stem)]
        whole = [stem for stem in reports if self.files(stem).keys() >= set(files)]
        together = {name for stem in reports for name in self.files(stem)}
        return whole or (reports if together >= set(files) else takers)

    def files(self, stem: str) -> dict[str, Parameter]:
        """Give the parameters of a notebook that take a file of their own."""
        parameters = self.parameters(self.by_stem[stem])
        return {n: each for n, each in parameters.items() if each.takes_file and not each.goes_with}

    def inputs(self) -> dict[str, Parameter]:
        """Give every parameter that takes a file, or goes with one.

        Of those of one name it is the first, or the first that takes a file.
        """
        found: dict[str, Parameter] = {}
        for stem in self.usable:
            for name, parameter in self.parameters(self.by_stem[stem]).items():
                if parameter.takes_file or (parameter.goes_with and name not in found):
                    first = found.setdefault(name, parameter)
                    found[name] = first if first.takes_file else parameter
        return found

    def files_listed(self) -> str:
        """Say which files each notebook takes, for messages."""
        takes = [(stem, ", ".join(self.files(stem))) for stem in self.usable]
        lines = "".join(f"\n  {stem}: {files}" for stem, files in takes if files)
        return f" Files that notebooks take:{lines}" if lines else " No notebook takes one."


def selects(selector: str, stem: str) -> bool:
    """Whether ``05_sentence_pairs``, also with ``.ipynb``, ``05`` or ``5`` means this notebook."""
    numbered = bool(re.fullmatch(r"[0-9]{1,2}", selector)) and stem.startswith(f"{selector:0>2}_")
    return selector.removesuffix(".ipynb") == stem or numbered


def like(part: str, names: Iterable[str]) -> list[str]:
    """List the names that a part can mean.

    Those that begin with it, else those in which it begins a word, else those that hold it.

    >>> like("heat", ["08_heatmap", "09_wheat", "14_map"]), like("map", ["08_heatmap", "09_maps"])
    (['08_heatmap'], ['09_maps'])
    """
    part = part.casefold()
    ways = (rf"{re.escape(part)}", rf".*(?<![^\W_]){re.escape(part)}", rf".*{re.escape(part)}")
    found = ([name for name in names if re.match(way, name.casefold())] for way in ways)
    return next(filter(None, found), []) if part else []
