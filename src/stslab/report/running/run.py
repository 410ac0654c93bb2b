"""Run one notebook by papermill in a folder of its own, here or on a cluster's worker.

The kernel works in an empty folder that holds copies of the input files, under
``<parameter>/<file name>``: outputs cannot depend on where the project lies, and a notebook cannot
harm the files it reads.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook, raise_for_execution_errors

from .engine import STOPPED, KernelStalled, OutputsLate
from .kernels import KernelKind
from .outputs import joined_streams
from .scratch import scratch_folder

_given_up: set[str] = set()


@dataclass(frozen=True)
class Work:
    """What a machine needs to run a notebook; can be sent to another one.

    Attributes
    ----------
    name : str
    notebook : str
        The notebook's JSON.
    parameters : dict
        Plain values.
    inputs : dict of str to (str, Path or bytes)
        Parameter → the file's name and where it lies, or its content.
    models : dict of str to Path
        ``<parameter>/<name>`` → a model's folder, which the kernel finds there.
    timeout : int or None
        Seconds a cell may take.
    kernel : {"warm", "fresh"}
    build : str
        The build that this belongs to, see `give_up`.
    """

    name: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, Path | bytes]] = field(default_factory=dict)
    models: Mapping[str, Path] = field(default_factory=dict)
    timeout: int | None = None
    kernel: KernelKind = "fresh"
    build: str = ""


@dataclass(frozen=True)
class Done:
    """An executed notebook.

    Attributes
    ----------
    notebook : str
        Its JSON.
    error : str or None
        Why it failed, in a line.
    fell_back : str or None
        Why it ran on a fresh kernel though a warm one was asked for.
    """

    notebook: str
    error: str | None
    seconds: float
    kernel: KernelKind
    fell_back: str | None = None


class GivenUp(RuntimeError):
    """The build that this notebook belongs to was stopped."""


def give_up(build: str) -> None:
    """Let no more kernels start for a build, and kill those that run, within a moment."""
    _given_up.add(build)


def run(work: Work, on_cell: Callable[[int], None] | None = None) -> Done:
    """Run a notebook, on a fresh kernel if a warm one does not start or hangs.

    Parameters
    ----------
    work : Work
    on_cell : callable or None
        Called with each cell's index before it runs.

    Returns
    -------
    Done
        Also for a notebook that failed: with its error, and a banner that links to it.
    """
    started = time.monotonic()
    kernel, fell_back = work.kernel, None
    try:
        notebook, error = _attempt(work, kernel, on_cell)
    except KernelStalled as stalled:
        kernel, fell_back = "fresh", str(stalled)
        notebook, error = _attempt(work, kernel, on_cell)
    text = nbformat.writes(notebook, version=4)
    return Done(text + "\n", error, time.monotonic() - started, kernel, fell_back)


def _attempt(
    work: Work, kernel: KernelKind, on_cell: Callable[[int], None] | None
) -> tuple[NotebookNode, str | None]:
    if work.build in _given_up:
        raise GivenUp(f"{work.name}: the build was stopped")
    current = 0

    def note(index: int) -> None:
        nonlocal current
        current = index
        if on_cell:
            on_cell(index)

    with scratch_folder() as scratch:
        folder, output = scratch / "work", scratch / "executed.ipynb"
        folder.mkdir()
        try:
            executed = execute_notebook(
                nbformat.reads(work.notebook, as_version=4),
                str(output).replace("{", "{{").replace("}", "}}"),  # papermill formats it
                parameters={**work.parameters, **_place_inputs(work, folder)},
                engine_name="stslab",
                progress_bar=False,
                request_save_on_cell_execute=False,  # or the whole of it, twice for each cell
                kernel_name="python3",
                execution_timeout=work.timeout,
                kernel_kind=kernel,
                scratch=scratch,
                on_cell=note,
                given_up=lambda: work.build in _given_up,
                resources={"metadata": {"path": str(folder)}},
            )
            return normalised(executed), None
        except KernelStalled:
            raise
        except PapermillExecutionError as error:
            message = f"{error.ename}: {error.evalue}"
            return normalised(nbformat.read(output, as_version=4)), _line(message)
        except OutputsLate as error:
            return _stopped(scratch, current, "OutputTimeout", str(error))
        except CellTimeoutError:
            message = f"the cell ran longer than {work.timeout} s. Raise the preset's timeout, or"
            return _stopped(scratch, current, "CellTimeout", f"{message} make its work smaller.")
        except DeadKernelError:
            message = (
                "the kernel died: killed from outside, out of memory, or crashed in native code."
            )
            return _stopped(scratch, current, "DeadKernel", message)
        except RuntimeError as error:
            return _stopped(scratch, current, "KernelDidNotStart", str(error))


def _place_inputs(work: Work, folder: Path) -> dict[str, str]:
    placed = {}
    for parameter, (name, content) in work.inputs.items():
        target = folder / parameter / name
        target.parent.mkdir()
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            shutil.copyfile(content, target)
        placed[parameter] = f"{parameter}/{name}"
    for place, model in work.models.items():
        target = folder / place
        target.parent.mkdir(exist_ok=True)
        try:
            target.symlink_to(model, target_is_directory=True)
        except OSError:  # Windows, for those who may not make links
            shutil.copytree(model, target)
    return placed


def _stopped(scratch: Path, index: int, name: str, message: str) -> tuple[NotebookNode, str | None]:
    """Leave a notebook that explains why it was stopped, as papermill does for an exception."""
    file = scratch / STOPPED
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells[index:] if cell.cell_type == "code"]
    if code:
        error = nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[message])
        code[0].outputs.append(error)
    try:
        raise_for_execution_errors(notebook, str(file))
    except PapermillExecutionError:
        notebook = nbformat.read(file, as_version=4)
    return normalised(notebook), f"{name}: {_line(message)}"


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Remove what differs from run to run, such as times, and what papermill adds to its source."""
    notebook.metadata.pop("papermill", None)
    for index, cell in enumerate(notebook.cells):
        if "outputs" in cell:
            cell.outputs = joined_streams(cell.outputs)
        for key in ("papermill", "execution", "execution_status"):
            cell.metadata.pop(key, None)
        tags = cell.metadata.get("tags", [])
        if not tags:
            cell.metadata.pop("tags", None)
        if "injected-parameters" in tags:
            cell["id"] = "injected-parameters"
        elif "papermill-error-cell-tag" in tags:
            cell["id"] = f"papermill-error-{index}"
    return notebook


def _line(text: str) -> str:
    return " ".join(text.split())[:500]
