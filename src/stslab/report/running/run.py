"""Run one notebook by papermill in a folder of its own, here or on a cluster's worker.

The kernel works in an empty folder that holds copies of the input files, under
``<parameter>/<file name>``: outputs cannot depend on where the project lies, and a notebook cannot
harm the files it reads.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from ..terminal_text import drop_overwritten
from .engine import KernelStalled
from .kernels import KernelKind
from .scratch import scratch_folder

_stopped_builds: set[str] = set()


@dataclass(frozen=True)
class Work:
    """A notebook as JSON and all that a machine needs to run it; can be sent to another one."""

    name: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    # Parameter → the file's name and where it lies, or its content.
    inputs: Mapping[str, tuple[str, Path | bytes]] = field(default_factory=dict)
    # ``<parameter>/<name>`` → a model's folder, which the kernel finds there.
    models: Mapping[str, Path] = field(default_factory=dict)
    timeout: int | None = None
    kernel: KernelKind = "fresh"
    build: str = ""  # the build that this belongs to, see `give_up`


@dataclass(frozen=True)
class RunResult:
    """An executed notebook as JSON, and why it failed, in a line."""

    notebook: str
    error: str | None
    seconds: float
    kernel: KernelKind
    fell_back: str | None = None  # why it ran on a fresh kernel though a warm one was asked for


class GivenUp(RuntimeError):
    """The build that this notebook belongs to was stopped."""


def give_up(build: str) -> None:
    """Start no more kernels for a build, and kill those that run, within a moment."""
    _stopped_builds.add(build)


def run(work: Work, on_cell: Callable[[int], None] = lambda index: None) -> RunResult:
    """Run a notebook, on a fresh kernel if a warm one does not start or hangs.

    One that failed comes with its error, and a banner that links to it.
    """
    started = time.monotonic()
    kernel, fell_back = work.kernel, None
    try:
        notebook, error = _attempt(work, kernel, on_cell)
    except KernelStalled as stalled:
        kernel, fell_back = "fresh", str(stalled)
        notebook, error = _attempt(work, kernel, on_cell)
    text = nbformat.writes(notebook, version=4)
    return RunResult(text + "\n", error, time.monotonic() - started, kernel, fell_back)


def _attempt(
    work: Work, kernel: KernelKind, on_cell: Callable[[int], None]
) -> tuple[NotebookNode, str | None]:
    if work.build in _stopped_builds:
        raise GivenUp(f"{work.name}: the build was stopped")
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
                on_cell=on_cell,
                given_up=lambda: work.build in _stopped_builds,
                resources={"metadata": {"path": str(folder)}},
            )
        except PapermillExecutionError as error:
            message = " ".join(f"{error.ename}: {error.evalue}".split())[:500]
            return normalised(nbformat.read(output, as_version=4)), message
        return normalised(executed), None


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


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Remove what differs from run to run, such as times, and what papermill adds to its source."""
    notebook.metadata.pop("papermill", None)
    for index, cell in enumerate(notebook.cells):
        if "outputs" in cell:
            cell.outputs = _joined_streams(cell.outputs)
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


def _joined_streams(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join what a cell printed, which arrives in pieces as chance will have it.

    Each stream is one output, where its first piece was; standard output goes before errors where
    one follows the other. nbclient's own joining takes a time that grows with the square of a
    line's length.
    """
    joined: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        joined.append(output)
    for stream in streams.values():
        stream.text = drop_overwritten(stream.text)
    for index, (output, next_output) in enumerate(pairwise(joined)):
        if (output.get("name"), next_output.get("name")) == ("stderr", "stdout"):
            joined[index : index + 2] = [next_output, output]
    return joined
