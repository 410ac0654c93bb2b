"""Run one notebook by papermill in a folder of its own, here or on a cluster's worker.

The kernel works in an empty folder that holds copies of the input files, under
``<parameter>/<file name>``: outputs cannot depend on where the project lies, and a notebook cannot
harm the files it reads.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook, raise_for_execution_errors

from . import engine
from .kernels import KernelKind

# Set while a build is being given up: no kernel starts any more.
stopping = threading.Event()
logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of what was checked better before


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
    timeout : int or None
        Seconds a cell may take.
    kernel : {"warm", "fresh"}
    """

    name: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, Path | bytes]] = field(default_factory=dict)
    timeout: int | None = None
    kernel: KernelKind = "fresh"


@dataclass(frozen=True)
class Done:
    """An executed notebook; `error` says in a line why it failed, None where it did not."""

    notebook: str
    error: str | None
    seconds: float
    kernel: KernelKind


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
    kernel = work.kernel
    try:
        notebook, error = _attempt(work, kernel, on_cell)
    except engine.KernelStalled:
        if stopping.is_set():
            raise
        kernel = "fresh"
        notebook, error = _attempt(work, kernel, on_cell)
    text = nbformat.writes(notebook, version=4)
    return Done(text + "\n", error, time.monotonic() - started, kernel)


def _attempt(
    work: Work, kernel: KernelKind, on_cell: Callable[[int], None] | None
) -> tuple[nbformat.NotebookNode, str | None]:
    current = -1

    def note(index: int) -> None:
        nonlocal current
        current = index
        if on_cell:
            on_cell(index)

    with tempfile.TemporaryDirectory(prefix="stslab-", ignore_cleanup_errors=True) as scratch:
        folder, output = Path(scratch, "work"), Path(scratch, "executed.ipynb")
        folder.mkdir()
        notebook = nbformat.reads(work.notebook, as_version=4)
        try:
            executed = execute_notebook(
                notebook,
                str(output),
                parameters={**work.parameters, **_place_inputs(work, folder)},
                engine_name="stslab",
                progress_bar=False,
                kernel_name="python3",
                execution_timeout=work.timeout,
                kernel_kind=kernel,
                runtime_folder=scratch,
                on_cell=note,
                resources={"metadata": {"path": str(folder)}},
            )
            return normalised(executed), None
        except engine.KernelStalled:
            raise
        except PapermillExecutionError as error:
            told = f"{error.ename}: {error.evalue}"
            return normalised(nbformat.read(output, as_version=4)), _line(told)
        except CellTimeoutError:
            told = f"the cell ran longer than {work.timeout} s. Raise the preset's timeout, or"
            return _stopped(output, current, "CellTimeout", f"{told} make its work smaller.")
        except DeadKernelError:
            told = "the kernel died: killed from outside, out of memory, or crashed in native code."
            return _stopped(output, current, "DeadKernel", told)
        except RuntimeError as error:  # the kernel did not start
            if kernel == "warm":
                raise engine.KernelStalled(str(error)) from error
            return _stopped(output, 0, "KernelDidNotStart", str(error))


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
    return placed


def _stopped(
    output: Path, index: int, name: str, told: str
) -> tuple[nbformat.NotebookNode, str | None]:
    """Leave a notebook that explains why it was stopped, as papermill does for an exception."""
    notebook = nbformat.read(output, as_version=4)
    cell = notebook.cells[max(index, 0)]
    if cell.cell_type == "code":
        cell.outputs.append(nbformat.v4.new_output("error", name, evalue=told, traceback=[told]))
        cell.outputs[-1].update(ename=name)
    try:
        raise_for_execution_errors(notebook, str(output))
    except PapermillExecutionError:
        notebook = nbformat.read(output, as_version=4)
    return normalised(notebook), f"{name}: {_line(told)}"


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove what differs from run to run: times, and the random id of the injected cell."""
    notebook.metadata.pop("papermill", None)
    for index, cell in enumerate(notebook.cells):
        for key in ("papermill", "execution", "execution_status"):
            cell.metadata.pop(key, None)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell["id"] = "injected-parameters"
        elif "papermill-error-cell-tag" in tags:
            cell["id"] = f"papermill-error-{index}"
    return notebook


def _line(text: str) -> str:
    return " ".join(text.split())[:500]
