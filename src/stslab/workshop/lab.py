"""Copies of the notebooks to play in, and JupyterLab on them.

They lie in ``lab/`` beside the notebooks, where neither git nor a report looks: the editions for
learners, those with solutions, and two notebooks of their own, a start page and a playground.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager

from ..report.editions.cells import solved_edition, student_edition
from ..report.editions.exercises import Lesson, read_lessons
from ..report.request.notebooks import selects
from ..report.request.source import read_source
from ..report.request.values import RequestError, shown, suggest
from ..report.running.kernels import REQUEST, KernelKind, cool_down, warm_up
from ..report.writing import naming_file
from .checking import CHECKS, seal

HERE = Path(__file__).parent
OWN = START, PLAYGROUND = "start", "playground"
TABLE = "notebooks"  # the id of the cell on the start page that lists them
FIRST = "--LabApp.default_url"
Copy = Callable[[], object]


class Copies:
    """The copies of a folder of notebooks, each written where it is missing.

    Parameters
    ----------
    notebooks : Path
        The folder of notebooks.
    folder : Path
        Where the copies are.
    """

    def __init__(self, notebooks: Path, folder: Path) -> None:
        self.lessons, self.folder = read_lessons(notebooks), folder

    def write(self) -> None:
        """Write what is missing, and leave alone what is there, a link to nothing included.

        Raises
        ------
        RequestError
            If a file is where a folder should be.
        """
        for path, write in self._all():
            if not is_taken(path):
                make_folder(path.parent)
                with naming_file(path):
                    write()

    def renew(self, names: str) -> Path | None:
        """Put copies aside, into a folder ``before-1`` or the next, and write fresh ones.

        Parameters
        ----------
        names : str
            Names or numbers of notebooks, with spaces between; ``"1"`` means all.

        Returns
        -------
        Path or None
            Where the former copies are now; None if there was none.
        """
        chosen = {stem for name in names.split() for stem in self._named(name)}
        there = [path for path, _ in self._all() if path.stem in chosen and is_taken(path)]
        numbered = (self.folder / f"before-{number}" for number in itertools.count(1))
        before = next(path for path in numbered if not is_taken(path))
        for path in there:
            target = before / path.relative_to(self.folder)
            make_folder(target.parent)
            path.rename(target)
        self.write()
        return before if there else None

    def outdated(self) -> list[str]:
        """List the notebooks that have changed since they were copied, as after ``git pull``."""
        found = []
        for path, notebook in self._notebooks():
            made_from = _made_from(path)
            if made_from and made_from != _digest(notebook) and path.stem not in found:
                found.append(path.stem)
        return found

    def links_to_nothing(self) -> list[str]:
        """List the notebooks of which a copy is a link to nothing, so that none can be opened."""
        broken = [path.stem for path, _ in self._all() if is_taken(path) and not path.exists()]
        return list(dict.fromkeys(broken))

    def _named(self, name: str) -> list[str]:
        known = [START, *self.lessons, PLAYGROUND]
        found = [stem for stem in known if name == "1" or selects(name, stem)]
        if not found:
            raise RequestError(
                f"FRESH={shown(name)} (or --fresh): no copy of this name.{suggest(name, known)}"
            )
        return found

    def _all(self) -> Iterator[tuple[Path, Copy]]:
        """List each file, and what writes it."""
        for path, notebook in self._notebooks():
            yield path, partial(_write, path, notebook)
            if path.stem in self.lessons:
                seal_it = partial(seal, path.parent, path.stem, self.lessons[path.stem][1])
                yield path.parent / CHECKS / f"{path.stem}.txt", seal_it

    def _notebooks(self) -> Iterator[tuple[Path, Any]]:
        own = {stem: read_source(HERE / "notebooks" / f"{stem}.ipynb") for stem in OWN}
        yield self.folder / f"{START}.ipynb", _filled(own[START], self.lessons)
        yield self.folder / f"{PLAYGROUND}.ipynb", own[PLAYGROUND]
        for stem, (source, lesson) in self.lessons.items():
            solutions = self.folder / "solutions"
            for folder, edition in ((self.folder, student_edition), (solutions, solved_edition)):
                yield folder / f"{stem}.ipynb", edition(source, stem, lesson.exercises)


def is_taken(path: Path) -> bool:
    """Whether there is anything at a path; a link to nothing, too, which `Path.exists` denies."""
    return os.path.lexists(path)


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing; say so where something else is in its place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        parents = [folder, *folder.parents]
        in_the_way = next(path for path in parents if is_taken(path) and not path.is_dir())
        raise RequestError(
            f"{in_the_way} is in the way of the folder of copies. Rename or remove it."
        ) from None


def _write(path: Path, notebook: Mapping[str, Any]) -> None:
    """Write a notebook as JupyterLab would save it, so that it sees no change on closing."""
    import nbformat
    from ipykernel.ipkernel import IPythonKernel
    from nbformat.sign import NotebookNotary

    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": IPythonKernel.language_info}
    metadata["stslab"] = {"made_from": _digest(notebook)}
    saved = nbformat.from_dict({**notebook, "metadata": metadata})
    with path.open("x", encoding="utf-8") as file:
        file.write(nbformat.writes(saved) + "\n")
    notary = NotebookNotary()
    notary.sign(saved)  # trusted, as what the user wrote is
    notary.store.close()


def _digest(notebook: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()


def _made_from(path: Path) -> str:
    """Read what a copy was made from; nothing where it is none, or cannot be read."""
    if not path.is_file():  # one would wait for a pipe
        return ""
    try:
        return str(json.loads(path.read_text("utf-8"))["metadata"]["stslab"]["made_from"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _filled(start: Mapping[str, Any], lessons: Mapping[str, tuple[Any, Lesson]]) -> Any:
    """Put the table of notebooks into the start page."""
    table = "\n".join(_table(lessons))
    cells = [
        {**cell, "source": f"{cell['source']}\n\n{table}"} if cell["id"] == TABLE else cell
        for cell in start["cells"]
    ]
    return {**start, "cells": cells}


def _table(lessons: Mapping[str, tuple[Any, Lesson]]) -> Iterator[str]:
    yield "| | Notebook | Minutes | + exercises | |"
    yield "|--:|:--|--:|--:|:--|"
    for stem, (source, lesson) in lessons.items():
        title = source["cells"][0]["source"].partition("\n")[0].removeprefix("# ")
        exercises = sum(each.minutes for each in lesson.exercises.values())
        yield (
            f"| {stem[:2]} | [{title}]({stem}.ipynb) | {lesson.minutes} | {exercises} "
            f"| [solutions](solutions/{stem}.ipynb) |"
        )


class WarmSpecs(KernelSpecManager):
    """Find kernels as JupyterLab does, and let Python's be forked where that can be done."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Find a kernel; of Python, this environment's."""
        spec = super().get_kernel_spec(kernel_name)
        if kernel_name == NATIVE_KERNEL_NAME:
            spec.argv = make_ipkernel_cmd()
            stanza = {"provisioner_name": "stslab-warm", "config": {"or_fresh": True}}
            spec.metadata = {**spec.metadata, "kernel_provisioner": stanza}
        return spec


def open_lab(
    folder: Path, arguments: Sequence[str] = (), *, kernel: KernelKind, browser: bool = True
) -> None:
    """Run JupyterLab on a folder of copies until it is ended.

    Parameters
    ----------
    folder : Path
    arguments : sequence of str, default ()
        More of them for JupyterLab, such as ``--port=8899``.
    kernel : {"warm", "fresh"}
        Warm kernels have imported the model's stack before; where one cannot be had, it is fresh.
    browser : bool, default True
        Whether to open the start page.

    Raises
    ------
    RequestError
        If JupyterLab is not installed.
    """
    lab = _jupyterlab()
    if kernel == "warm":
        warm_up(bars=True)  # it imports while JupyterLab starts
    try:
        own = [f"--ServerApp.root_dir={folder.absolute()}"]
        # It asks about news over the first page, and the network for what is new.
        own += [f"--LabApp.app_settings_dir={HERE / 'settings'}"]
        own += ["--no-browser"] * (not browser)
        if not any(each.startswith(FIRST) for each in arguments):
            own += [f"{FIRST}=/lab/tree/{START}.ipynb"]
        if kernel == "warm":
            own += [f"--ServerApp.kernel_spec_manager_class={__name__}.{WarmSpecs.__name__}"]
        for name in [each for each in os.environ if each.startswith(REQUEST)]:
            del os.environ[name]  # what make was given is not for kernels and terminals
        lab.launch_instance([*own, *arguments])
    finally:
        cool_down()


def _jupyterlab() -> Any:
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        raise RequestError(
            "JupyterLab is not installed here. Start it by `make lab`, which installs it first; "
            f"or install it: {Path(sys.executable).name} -m pip install jupyterlab"
        ) from None
    return LabApp
