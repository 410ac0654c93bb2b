"""The notebooks of a folder: found by name or number, with what their parameters cells take."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache
from pathlib import Path

from .names import same_file_name
from .parameters import read_parameters
from .values import Parameter, RequestError, shown, suggest


class Notebooks:
    """The notebooks of a folder and their parameters, each read at most once a request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.by_stem = {path.stem: path for path in sorted(self.folder.glob("[!.]*.ipynb"))}
        self.public = [stem for stem in self.by_stem if not stem.startswith("_")]
        self.presets = {path.stem: path for path in sorted(self.folder.glob("presets/[!.]*.yaml"))}
        self.parameters = cache(read_parameters)
        if not self.public:
            raise RequestError(f"{folder}: no notebooks in this folder.")

    def find(self, name: str, where: str) -> Path:
        found = [path for stem, path in self.by_stem.items() if selects(name, stem)]
        if not found:
            hint = suggest(name, self.public)
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

    def takers(self, files: Container[str]) -> list[str]:
        """List the notebooks that take at least one of these files and need no other."""
        found = []
        for stem in self.public:
            takes = self.files(stem).items()
            given = [name in files for name, _ in takes]
            if any(given) and all(name in files or each.default is None for name, each in takes):
                found.append(stem)
        return found

    def files(self, stem: str) -> dict[str, Parameter]:
        """Give the parameters of a notebook that take a file."""
        parameters = self.parameters(self.by_stem[stem])
        return {name: each for name, each in parameters.items() if each.takes_file}

    def inputs(self) -> dict[str, Parameter]:
        """Give every parameter that takes a file, or goes with one, each as first found."""
        found: dict[str, Parameter] = {}
        for stem in self.public:
            for name, parameter in self.parameters(self.by_stem[stem]).items():
                if parameter.takes_file or parameter.goes_with:
                    found.setdefault(name, parameter)
        return found

    def files_listed(self) -> str:
        """Say which files each notebook takes, for messages."""
        takes = [(stem, ", ".join(self.files(stem))) for stem in self.public]
        lines = "".join(f"\n  {stem}: {files}" for stem, files in takes if files)
        return f" Files that notebooks take:{lines}" if lines else " No notebook takes one."


def selects(selector: str, stem: str) -> bool:
    """Whether ``05_sentence_pairs``, with ``.ipynb`` or not, or ``05`` means this notebook."""
    numbered = bool(re.fullmatch(r"[0-9]{2}", selector)) and stem.startswith(f"{selector}_")
    return selector.removesuffix(".ipynb") == stem or numbered
