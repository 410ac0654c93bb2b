"""What is published of an executed notebook: its page, itself, and its figures and tables."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import nbformat
from nbformat import NotebookNode

from ..identity import file_digest
from ..messages import short_repr
from ..page.forms import forms_of, info_of
from ..page.headline import read_headline
from ..page.render import export, set_title
from ..page.svg import standalone_svg
from ..page.thumbnail import thumbnail
from ..running.run import RunResult
from .folder import ReportFolder
from .manifest import OUTPUT_NAME, Page
from .plan import Step
from .volatile import changed_outputs, volatile_outputs


def publish(folder: ReportFolder, step: Step, run: RunResult) -> Page:
    """Publish a page with all its files; return its entry in the manifest."""
    name, job = step.job.name, step.job
    notebook = nbformat.reads(run.notebook, as_version=4)
    files = published_files(notebook, name)
    html = _page(step, notebook)
    files[f"{name}.ipynb"] = _notebook_bytes(notebook)
    files[f"{name}.html"] = html  # last: when it appears, all that it links to exists
    drawing, headline = thumbnail(notebook), read_headline(notebook)
    drawing_text = None
    if drawing:
        drawing_text = str(drawing)
    page = Page(
        status="built",
        why=step.reasons,
        title=step.title,
        finding=headline.finding,
        about=headline.data_line,
        cautions=headline.cautions,
        parameters=job.parameters,
        inputs={key: path.name for key, path in job.inputs.items()},
        depends=step.depends,
        renders=step.renders,
        warnings=list(_warnings(folder, step, run, notebook)),
        seconds=round(run.seconds, 3),
        kernel=run.kernel,
        built_at=_current_time(),
        thumbnail=drawing_text,
    )
    folder.publish(name, page, files)
    return page


def publish_failure(folder: ReportFolder, step: Step, error: str, run: RunResult | None) -> None:
    """Keep the last good page; publish the failed notebook beside it."""
    name = step.job.name
    page = folder.pages.get(name) or Page(status="failed", why=[], title=step.title)
    page.status = "failed"
    if page.outputs:
        page.status = "out of date"
    page.why, page.error, page.failed_at = step.reasons, error, _current_time()
    files: dict[str, bytes] = {}
    if run and run.error:
        notebook = nbformat.reads(run.notebook, as_version=4)
        with suppress(Exception):  # its input changed meanwhile: the error says enough
            html = _page(step, notebook)
            files[f"{name}.failed.ipynb"] = _notebook_bytes(notebook)
            files[f"{name}.failed.html"] = html
    with suppress(OSError):  # the disk may be full; the message still gets out
        folder.publish_failure(name, page, files)


def with_cell_name(error: str, run: RunResult) -> str:
    """Return an error with a cell's first line in place of the file that Python names."""

    def place(match: re.Match[str]) -> str:
        for cell in nbformat.reads(run.notebook, as_version=4).cells:
            if any(output.output_type == "error" for output in cell.get("outputs", ())):
                return f"(line {match[1]} of the cell that begins {short_repr(_first_line(cell))})"
        return match[0]

    return re.sub(r"\(\d+\.py, line (\d+)\)", place, error)


def _first_line(cell: NotebookNode) -> str:
    for line in cell.source.splitlines():
        if line.strip():
            return str(line)
    return ""


def published_files(notebook: NotebookNode, name: str) -> dict[str, bytes]:
    """Return a page's named figures and data: path in the report's folder → content."""
    files: dict[str, bytes] = {}
    shown_by: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", ()):
            label = info_of(output).get("name")
            if not label:
                continue
            if not OUTPUT_NAME.fullmatch(str(label)):
                raise ValueError(
                    f"cell {index} shows something under the name {label!r}. Use lower-case words "
                    f"joined by hyphens."
                )
            if label in shown_by:
                raise ValueError(
                    f"cells {shown_by[label]} and {index} both show {label!r}: their files would "
                    f"overwrite each other. Give one another name."
                )
            shown_by[label] = index
            data, stem = forms_of(output), f"{name}-{label}"
            if drawing := standalone_svg(data.get("image/svg+xml", "")):
                files[f"figures/{stem}.svg"] = drawing.encode()
            if "image/png" in data:
                files[f"figures/{stem}.png"] = base64.b64decode(data["image/png"])
            if "text/csv" in data:
                files[f"data/{stem}.csv"] = data["text/csv"].encode()
    return files


def _page(step: Step, notebook: NotebookNode) -> bytes:
    for parameter, path in step.job.inputs.items():
        if file_digest(path) != step.record["files"][parameter]["sha256"]:
            raise ValueError(f"{path.name} was changed while its page was being made. Build again.")
    name = step.job.name
    return export(set_title(notebook, step.notebook, name), name, step.record).encode()


def _notebook_bytes(notebook: NotebookNode) -> bytes:
    return bytes((nbformat.writes(notebook, version=4) + "\n").encode())


def _warnings(
    folder: ReportFolder, step: Step, run: RunResult, notebook: NotebookNode
) -> Iterator[str]:
    """Yield a warning for all that would make two builds differ, or does."""
    if run.fell_back:
        yield f"it ran on a fresh kernel: {run.fell_back}"
    yield from volatile_outputs(notebook, folder.root)
    old_page = folder.pages.get(step.job.name)
    if step.action == "run" and old_page and old_page.depends == step.depends:
        path = folder.path / f"{step.job.name}.ipynb"
        # Removed, edited by hand, or made elsewhere: nothing to compare with.
        with suppress(Exception):
            if not folder.damage(old_page):
                yield from changed_outputs(nbformat.read(path, as_version=4), notebook)


def _current_time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
