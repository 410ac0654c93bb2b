"""Copies of the notebooks to play in, and JupyterLab on them.

They are in ``lab/`` beside the notebooks, where neither git nor a report looks: the editions for
learners, those with solutions, and two more notebooks, a start page and a playground.
"""

from __future__ import annotations

import hashlib
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
from ..report.editions.exercises import Lessons, exercises_of, read_lessons
from ..report.messages import RequestError, short_repr, suggest
from ..report.request.notebooks import selects
from ..report.request.source import read_source
from ..report.running.kernels import REQUEST, KernelKind, cool_down, warm_up
from ..report.writing import naming_file
from .results import CHECKS, seal

PACKAGE = Path(__file__).parent
START, PLAYGROUND = "start", "playground"  # the notebooks that are in the lab only
TABLE_CELL = "notebooks"  # the id of the cell on the start page that lists the notebooks
FIRST_PAGE = "--LabApp.default_url"
ALL_COPIES = "1"  # in place of a notebook's name
Writer = Callable[[], object]


class Copies:
    """The copies of a folder of notebooks; those that are missing are written.

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
        """Write the copies that are missing. A file or a link in their place is left alone.

        Raises
        ------
        RequestError
            If a file is where a folder should be.
        """
        for path, write in self._files():
            if not is_taken(path):
                make_folder(path.parent)
                with naming_file(path):
                    write()

    def refresh(self, names: str) -> Path | None:
        """Move copies to a folder ``before-1`` or the next, and write fresh ones.

        Parameters
        ----------
        names : str
            Names or numbers of notebooks, separated by spaces; ``"1"`` means all.

        Returns
        -------
        Path or None
            The folder with the former copies; None if there were none.
        """
        stems: set[str] = set()
        for name in names.split():
            stems.update(self._stems_named(name))
        former_copies = [path for path, _ in self._files() if path.stem in stems and is_taken(path)]
        backup = self._next_backup()
        for path in former_copies:
            target = backup / path.relative_to(self.folder)
            make_folder(target.parent)
            path.rename(target)
        self.write()
        if not former_copies:
            return None
        return backup

    def _next_backup(self) -> Path:
        """Return the first of the folders ``before-1``, ``before-2``, … that is not there yet."""
        number = 1
        while is_taken(self.folder / f"before-{number}"):
            number += 1
        return self.folder / f"before-{number}"

    def outdated(self) -> list[str]:
        """List the notebooks that have changed since they were copied, as after ``git pull``."""
        stems = []
        for path, notebook in self._notebooks():
            made_from = _made_from(path)
            # A copy that does not say what it was made from is the learner's own notebook.
            if made_from and made_from != _digest(notebook) and path.stem not in stems:
                stems.append(path.stem)
        return stems

    def links_to_nothing(self) -> list[str]:
        """List the notebooks of which a copy is a link to a missing file."""
        broken = [path.stem for path, _ in self._files() if is_taken(path) and not path.exists()]
        return list(dict.fromkeys(broken))

    def _stems_named(self, name: str) -> list[str]:
        """Return the stems of the copies that a name or a number selects."""
        stems = [START, *self.lessons, PLAYGROUND]
        if name == ALL_COPIES:
            return stems
        selected = [stem for stem in stems if selects(name, stem)]
        if not selected:
            raise RequestError(
                f"FRESH={short_repr(name)} (or --fresh): no copy of this name."
                f"{suggest(name, stems)}"
            )
        return selected

    def _files(self) -> Iterator[tuple[Path, Writer]]:
        """Yield the path of each file of the lab, and the call that writes it."""
        for path, notebook in self._notebooks():
            yield path, partial(_write, path, notebook)
            _, lesson = self.lessons.get(path.stem, (None, None))
            if lesson:
                write_checks = partial(seal, path.parent, path.stem, lesson)
                yield path.parent / CHECKS / f"{path.stem}.txt", write_checks

    def _notebooks(self) -> Iterator[tuple[Path, Any]]:
        """Yield the path and the content of each notebook of the lab."""
        templates = PACKAGE / "notebooks"
        start = read_source(templates / f"{START}.ipynb")
        yield self.folder / f"{START}.ipynb", _with_table(start, self.lessons)
        playground = read_source(templates / f"{PLAYGROUND}.ipynb")
        yield self.folder / f"{PLAYGROUND}.ipynb", playground
        for stem, (source, lesson) in self.lessons.items():
            name, exercises = f"{stem}.ipynb", exercises_of(lesson)
            yield self.folder / name, student_edition(source, stem, exercises)
            if lesson:
                yield self.folder / "solutions" / name, solved_edition(source, stem, exercises)


def is_taken(path: Path) -> bool:
    """Return whether there is a file, a folder or a link at a path."""
    # Not `Path.exists`, which is false for a link to a missing file.
    return os.path.lexists(path)


def make_folder(folder: Path) -> None:
    """Make a folder if it is missing; raise RequestError if something else is in its place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        for path in (folder, *folder.parents):
            if is_taken(path) and not path.is_dir():
                raise RequestError(
                    f"{path} is in the way of the folder of copies. Rename or remove it."
                ) from None
        raise  # it was removed meanwhile


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
    notary.sign(saved)  # JupyterLab trusts it, as it trusts notebooks that the user ran
    notary.store.close()


def _digest(notebook: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()


def _made_from(path: Path) -> str:
    """Return the digest of a copy's source; empty if it is no copy, or cannot be read."""
    if not path.is_file():  # reading a pipe would wait for ever
        return ""
    try:
        return str(json.loads(path.read_text("utf-8"))["metadata"]["stslab"]["made_from"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _with_table(start: Mapping[str, Any], lessons: Lessons) -> Any:
    """Return the start page with the table of notebooks."""
    table = "\n".join(_table_rows(lessons))
    cells = []
    for cell in start["cells"]:
        if cell["id"] == TABLE_CELL:
            cell = {**cell, "source": f"{cell['source']}\n\n{table}"}
        cells.append(cell)
    return {**start, "cells": cells}


def _table_rows(lessons: Lessons) -> Iterator[str]:
    """Yield the lines of a Markdown table of lessons."""
    yield "| | Notebook | Minutes | + exercises | |"
    yield "|--:|:--|--:|--:|:--|"
    for stem, (source, lesson) in lessons.items():
        row = f"| {stem[:2]} | [{_title(source, stem)}]({stem}.ipynb)"
        if lesson is None:
            yield f"{row} | | | |"
        else:
            exercises = sum(exercise.minutes for exercise in lesson.exercises.values())
            solutions = f"[solutions](solutions/{stem}.ipynb)"
            yield f"{row} | {lesson.minutes} | {exercises} | {solutions} |"


def _title(source: Mapping[str, Any], stem: str) -> str:
    """Return a notebook's first heading; its name if it does not begin with one."""
    for cell in source["cells"][:1]:
        first_line = cell["source"].partition("\n")[0]
        if cell["cell_type"] == "markdown" and first_line.startswith("# "):
            return str(first_line.removeprefix("# "))
    return stem


class WarmSpecs(KernelSpecManager):
    """Find kernels as JupyterLab does; Python's is forked from the warm process if possible."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return a kernel's specification; for Python, that of this environment."""
        spec = super().get_kernel_spec(kernel_name)
        if kernel_name == NATIVE_KERNEL_NAME:
            spec.argv = make_ipkernel_cmd()
            provisioner = {"provisioner_name": "stslab-warm", "config": {"or_fresh": True}}
            spec.metadata = {**spec.metadata, "kernel_provisioner": provisioner}
        return spec


def open_lab(
    folder: Path, arguments: Sequence[str] = (), *, kernel: KernelKind, browser: bool = True
) -> None:
    """Run JupyterLab on a folder of copies until someone ends it.

    Parameters
    ----------
    folder : Path
    arguments : sequence of str, default ()
        Further arguments for JupyterLab, such as ``--port=8899``.
    kernel : {"warm", "fresh"}
        Warm kernels have imported the model's packages; if one cannot be had, it is fresh.
    browser : bool, default True
        Whether to open the start page.

    Raises
    ------
    RequestError
        If JupyterLab is not installed.
    """
    lab = _jupyterlab()
    if kernel == "warm":
        # It imports while JupyterLab starts. A page has no progress bars; here somebody waits.
        warm_up(bars=True)
    try:
        # What make was given is not for kernels and terminals.
        for name in list(os.environ):
            if name.startswith(REQUEST):
                del os.environ[name]
        lab.launch_instance([*_lab_arguments(folder, arguments, kernel, browser), *arguments])
    finally:
        cool_down()


def _lab_arguments(
    folder: Path, arguments: Sequence[str], kernel: KernelKind, browser: bool
) -> list[str]:
    """Return JupyterLab's arguments, except those that the caller passes on."""
    lab_arguments = [
        f"--ServerApp.root_dir={folder.absolute()}",
        # Without these settings JupyterLab asks about news over the first page, and looks for
        # updates on the network.
        f"--LabApp.app_settings_dir={PACKAGE / 'settings'}",
    ]
    if not browser:
        lab_arguments.append("--no-browser")
    if not any(argument.startswith(FIRST_PAGE) for argument in arguments):
        lab_arguments.append(f"{FIRST_PAGE}=/lab/tree/{START}.ipynb")
    if kernel == "warm":
        manager = f"{__name__}.{WarmSpecs.__name__}"
        lab_arguments.append(f"--ServerApp.kernel_spec_manager_class={manager}")
    return lab_arguments


def _jupyterlab() -> Any:
    """Return JupyterLab's application; raise RequestError if it is not installed."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        raise RequestError(
            "JupyterLab is not installed here. Start it by `make lab`, which installs it first; "
            f"or install it: {Path(sys.executable).name} -m pip install jupyterlab"
        ) from None
    return LabApp
