"""Make the pages of a preset that are not up to date, and publish each when it is complete."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock, Timeout
from markupsafe import Markup

from . import freshness
from .index import render_index, render_root_index
from .jobs import Job
from .kernels import KernelKind, kill_all, warm_up
from .presets import Preset
from .values import RequestError

Action = Literal["run", "render", "keep"]
MANIFEST = "manifest.json"


@dataclass
class Step:
    """What is to be done for one page, and why."""

    job: Job
    action: Action
    why: list[str]
    notebook: dict[str, Any]
    run_depends: dict[str, str]
    render_depends: dict[str, str]


@dataclass
class Result:
    """What became of one page: `status` is built, rendered, unchanged or failed."""

    name: str
    status: str
    why: list[str]
    seconds: float = 0.0
    error: str | None = None
    warnings: list[str] = field(default_factory=list)


class Listener(Protocol):
    """Who is told how a build goes on."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def said(self, text: str) -> None: ...
    def cell(self, name: str, index: int) -> None: ...
    def finished(self, result: Result) -> None: ...


def build(
    preset: Preset,
    *,
    reports: Path,
    root: Path,
    listener: Listener,
    jobs: int = 1,
    kernel: KernelKind = "fresh",
    force: bool = False,
    embed_inputs: bool = False,
    executor: Executor | None = None,
) -> list[Result]:
    """Bring a preset's pages up to date.

    Parameters
    ----------
    preset : Preset
    reports : Path
        The folder of all reports.
    root : Path
        The project's folder, with the lock file.
    listener : Listener
    jobs : int
        Notebooks that run at the same time.
    kernel : {"warm", "fresh"}
    force : bool
        Make all pages again.
    embed_inputs : bool
        Put the input files into the pages.
    executor : concurrent.futures.Executor or None
        Where notebooks run; None: here, `jobs` at a time.

    Returns
    -------
    list of Result
        One per page asked for, in the preset's order.

    Raises
    ------
    RequestError
        If nothing could be started: a model that is not there, a folder that cannot be written.
    """
    home = _writable(reports / preset.name)
    with _OneAtATime(home, preset.name, listener):
        build = _Build(preset, home, root, listener, embed_inputs)
        steps = build.plan(force=force)
        listener.planned(steps)
        try:
            results = build.carry_out(steps, jobs, kernel, executor)
        finally:
            shutil.rmtree(home / ".staging", ignore_errors=True)
            build.publish_indexes(reports)
    return results


class _Build:
    def __init__(
        self, preset: Preset, home: Path, root: Path, listener: Listener, embed_inputs: bool
    ) -> None:
        self.preset, self.home, self.root, self.listener = preset, home, root, listener
        self.embed_inputs = embed_inputs
        self.pages: dict[str, Any] = _read_manifest(home).get("pages", {})
        self.remote = False
        self._publishing = threading.Lock()

    # Planning ----------------------------------------------------------------------------------

    def plan(self, *, force: bool) -> list[Step]:
        return [self._step(job, force) for job in self.preset.jobs]

    def _step(self, job: Job, force: bool) -> Step:
        notebook = json.loads(job.notebook.read_text("utf-8"))
        run = freshness.depends_on_to_run(job, notebook, self.root)
        links: dict[str, Any] = {
            "pages": list(self.preset.pages),
            "embed_inputs": self.embed_inputs,
        }
        links |= {"preset": self.preset.name, "title": self.preset.title}
        render = freshness.depends_on_to_render(job, notebook, links)
        page = self.pages.get(job.name)
        action: Action = "keep"
        if page is None or "depends" not in page:
            action, why = "run", ["never built" if page is None else "the last run failed"]
        elif force:
            action, why = "run", ["forced"]
        elif page["status"] != "built":
            action, why = "run", ["the last run failed", *freshness.changes(page["depends"], run)]
        elif why := freshness.changes(page["depends"], run):
            action = "run"
        else:
            damaged = self._damaged(page)
            why = [*freshness.changes(page["renders"], render), *damaged]
            executed_is_damaged = any(name.startswith(f"{job.name}.ipynb") for name in damaged)
            if why:
                action = "run" if executed_is_damaged else "render"
        return Step(job, action, why or ["nothing changed"], notebook, run, render)

    def _damaged(self, page: Mapping[str, Any]) -> list[str]:
        said = []
        for name, digest in page["outputs"].items():
            if not (self.home / name).is_file():
                said.append(f"{name} is missing")
            elif freshness.file_digest(self.home / name) != digest:
                said.append(f"{name} was changed by hand")
        return said

    # Doing -------------------------------------------------------------------------------------

    def carry_out(
        self, steps: Sequence[Step], jobs: int, kernel: KernelKind, executor: Executor | None
    ) -> list[Result]:
        results: dict[str, Result] = {}

        def finish(result: Result) -> None:
            results[result.name] = result
            self.listener.finished(result)

        for step in steps:
            if step.action == "keep":
                finish(Result(step.job.name, "unchanged", step.why))
                self.pages[step.job.name]["why"] = step.why
        to_run = [step for step in steps if step.action == "run"]
        if to_run and kernel == "warm" and executor is None:
            warm_up()
        for step in steps:
            if step.action == "render":
                finish(self._render_again(step))
        if to_run:
            self._run_all(to_run, jobs, kernel, executor, finish)
        return [results[step.job.name] for step in steps]

    def _run_all(
        self,
        steps: Sequence[Step],
        jobs: int,
        kernel: KernelKind,
        executor: Executor | None,
        finish: Callable[[Result], None],
    ) -> None:
        from . import run

        self.remote = executor is not None
        workers = executor or ThreadPoolExecutor(max_workers=max(1, min(jobs, len(steps))))
        futures: dict[Future[run.Done], Step] = {}
        try:
            for step in steps:
                work = self._work(step, kernel)
                if self.remote:
                    futures[workers.submit(run.run, work)] = step
                else:
                    futures[workers.submit(run.run, work, self._cell_listener(step))] = step
            for future in as_completed(futures):
                finish(self._take(futures[future], future))
        except BaseException:
            run.stopping.set()
            workers.shutdown(wait=False, cancel_futures=True)
            if not self.remote:
                kill_all()
                workers.shutdown(wait=True)
                kill_all()
                run.stopping.clear()
            raise
        if executor is None:
            workers.shutdown()

    def _work(self, step: Step, kernel: KernelKind) -> Any:
        from .run import Work

        return Work(
            name=step.job.name,
            notebook=json.dumps(step.notebook),
            parameters=step.job.parameters,
            inputs={
                name: (path.name, path.read_bytes() if self.remote else path)
                for name, path in step.job.inputs.items()
            },
            timeout=step.job.timeout,
            kernel=kernel,
        )

    def _cell_listener(self, step: Step) -> Callable[[int], None]:
        return lambda index: self.listener.cell(step.job.name, index)

    def _take(self, step: Step, future: Future[Any]) -> Result:
        name = step.job.name
        try:
            done = future.result()
        except Exception as error:  # a lost cluster, a bug here: this page's loss, not the others'
            return self._failed(step, f"{type(error).__name__}: {error}", None, 0.0)
        if done.error:
            return self._failed(step, done.error, done.notebook, done.seconds)
        try:
            warnings = self._publish(step, done.notebook, done.seconds, done.kernel)
        except Exception as error:
            return self._failed(step, _what(error), None, done.seconds)
        return Result(name, "built", step.why, done.seconds, warnings=warnings)

    def _render_again(self, step: Step) -> Result:
        """Put the new text around the outputs that are still right."""
        import nbformat

        started = time.monotonic()
        try:
            old = nbformat.read(self.home / f"{step.job.name}.ipynb", as_version=4)
            code = [cell for cell in old.cells if cell.cell_type == "code"]
            grafted = nbformat.from_dict(_with_outputs(step.notebook, code))
            before = self.pages[step.job.name]
            text = nbformat.writes(grafted, version=4) + "\n"
            warnings = self._publish(step, text, before["seconds"], before["kernel"])
        except Exception as error:
            return self._failed(step, _what(error), None, time.monotonic() - started)
        seconds = time.monotonic() - started
        return Result(step.job.name, "rendered", step.why, seconds, warnings=warnings)

    # Publishing --------------------------------------------------------------------------------

    def _publish(self, step: Step, executed: str, seconds: float, kernel: str) -> list[str]:
        import nbformat

        from . import page as pages
        from .checks import volatile_outputs
        from .outputs import published_files

        name = step.job.name
        notebook = nbformat.reads(executed, as_version=4)
        record = self._record(step)
        notebook.metadata["title"] = _title(step.notebook, name)
        with self._publishing:  # one at a time: exporter, folders, manifest
            html = _export(notebook, name, self._around(step, record))
            files = published_files(notebook, name)
            files[f"{name}.ipynb"] = (nbformat.writes(notebook, version=4) + "\n").encode()
            files[f"{name}.html"] = html.encode()  # last: a page appears when all else is there
            old = self.pages.get(name, {}).get("outputs", {})
            self._replace(name, files, old)
            warnings = list(volatile_outputs(notebook, self.root))
            drawing = pages.thumbnail(notebook)
            self.pages[name] = {
                "status": "built",
                "why": step.why,
                "title": _title(step.notebook, name),
                "finding": pages.finding(notebook),
                "parameters": step.job.parameters,
                "inputs": {key: path.name for key, path in step.job.inputs.items()},
                "depends": step.run_depends,
                "renders": step.render_depends,
                "outputs": {path: freshness.bytes_digest(data) for path, data in files.items()},
                "warnings": warnings,
                "seconds": round(seconds, 3),
                "kernel": kernel,
                "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "thumbnail": str(drawing) if drawing else None,
            }
            self._save_manifest()
        return warnings

    def _replace(self, name: str, files: Mapping[str, bytes], old: Iterable[str]) -> None:
        staging = self.home / ".staging" / name
        try:
            for path, content in files.items():
                target = staging / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            for path in files:
                (self.home / path).parent.mkdir(exist_ok=True)
                (staging / path).replace(self.home / path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        gone = {*old, f"{name}.failed.html", f"{name}.failed.ipynb"} - set(files)
        for path in gone:
            with suppress(FileNotFoundError):
                (self.home / path).unlink()

    def _failed(self, step: Step, error: str, executed: str | None, seconds: float) -> Result:
        """Keep the last good page; publish the failed notebook beside it."""
        import nbformat

        name = step.job.name
        with self._publishing:
            entry = self.pages.setdefault(name, {"title": _title(step.notebook, name)})
            entry |= {
                "status": "out of date" if "depends" in entry else "failed",
                "why": step.why,
                "error": error,
                "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            with suppress(OSError):  # the disk may be full; the message still gets out
                if executed:
                    notebook = nbformat.reads(executed, as_version=4)
                    html = _export(notebook, name, self._around(step, {}))
                    failed = {f"{name}.failed.ipynb": executed, f"{name}.failed.html": html}
                    encoded = {path: text.encode() for path, text in failed.items()}
                    self._replace(name, encoded, ())
                self._save_manifest()
        return Result(name, "failed", step.why, seconds, error=error)

    def _around(self, step: Step, record: Mapping[str, Any]) -> dict[str, Any]:
        names = list(self.preset.pages)
        here = names.index(step.job.name)
        around: dict[str, Any] = {
            "record": dict(record),
            "preset": {"name": self.preset.name, "title": self.preset.title},
            "index_href": "index.html",
            "pages": names,
        }
        for key, other in (("prev", here - 1), ("next", here + 1)):
            if 0 <= other < len(names):
                title = _title_of(self.preset.pages[names[other]])
                around[key] = {"title": title, "href": f"{names[other]}.html"}
        return around

    def _record(self, step: Step) -> dict[str, Any]:
        return freshness.made_from(
            step.job,
            step.notebook,
            step.run_depends,
            preset=self.preset.name,
            embed_inputs=self.embed_inputs,
        )

    def _save_manifest(self) -> None:
        known = [name for name in self.preset.pages if name in self.pages]
        manifest = {
            "preset": self.preset.name,
            "title": self.preset.title,
            "description": self.preset.description,
            "commit": _commit(self.root),
            "pages": {name: self.pages[name] for name in known},
        }
        _write_if_changed(self.home / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))

    def publish_indexes(self, reports: Path) -> None:
        for name in [name for name in self.pages if name not in self.preset.pages]:
            page = self.pages.pop(name)
            self._replace(name, {}, page.get("outputs", {}))
        self._save_manifest()
        entries = []
        for name in self.preset.pages:
            if (page := self.pages.get(name)) is None:
                continue
            failed = self.home / f"{name}.failed.html"
            entries.append(
                {
                    "title": page["title"],
                    "href": f"{name}.html" if "depends" in page else None,
                    "finding": page.get("finding"),
                    "status": {"out of date": "stale"}.get(page["status"], page["status"]),
                    "reason": page.get("error"),
                    "failed_href": f"{failed.name}#failing-cell" if failed.exists() else None,
                    "thumbnail": Markup(page["thumbnail"]) if page.get("thumbnail") else None,
                }
            )
        about = self.preset.description
        _write_if_changed(
            self.home / "index.html", render_index(self.preset.title, entries, about=about)
        )
        publish_root_index(reports)


def publish_root_index(reports: Path) -> None:
    """Write the page that lists all presets built."""
    entries = []
    for path in sorted(reports.glob("*/" + MANIFEST)):
        manifest = _read_manifest(path.parent)
        pages = manifest.get("pages", {}).values()
        bad = sum(page["status"] != "built" for page in pages)
        count = f"{len(pages)} page{'s' * (len(pages) != 1)}"
        entries.append(
            {
                "title": manifest.get("title", path.parent.name),
                "href": f"{path.parent.name}/index.html",
                "finding": count + (f", {bad} not up to date" if bad else ""),
                "status": "stale" if bad else "built",
            }
        )
    _write_if_changed(reports / "index.html", render_root_index(entries))


def _with_outputs(source: Mapping[str, Any], executed: Sequence[Any]) -> dict[str, Any]:
    """Join a notebook's text with the outputs of the same code, run before."""
    cells: list[Any] = []
    waiting = list(executed)
    for cell in source["cells"]:
        if cell["cell_type"] != "code":
            cells.append(cell)
            continue
        cells.append({**cell, **{k: waiting[0][k] for k in ("outputs", "execution_count")}})
        waiting.pop(0)
        while waiting and "injected-parameters" in waiting[0].metadata.get("tags", []):
            cells.append(waiting.pop(0))
    return {**source, "cells": cells}


@functools.cache
def _exporter() -> Any:
    from .page import StslabExporter

    return StslabExporter()


def _export(notebook: Any, name: str, around: Mapping[str, Any]) -> str:
    resources = {"metadata": {"name": name}, "stslab": around}
    html, _ = _exporter().from_notebook_node(notebook, resources)
    return str(html)


@functools.cache
def _title_of(notebook: Path) -> str:
    return _title(json.loads(notebook.read_text("utf-8")), notebook.stem)


def _title(notebook: Mapping[str, Any], name: str) -> str:
    for cell in notebook["cells"]:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else ():
            if line.startswith("# "):
                return line[2:].strip()
    return name


def _writable(home: Path) -> Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable-{os.getpid()}"
        probe.write_bytes(b"stslab")
        probe.unlink()
    except OSError as error:
        with suppress(OSError):
            probe.unlink()
        raise RequestError(
            f"reports folder {home}: cannot be written ({error.strerror}). Nothing was built. "
            f"Free it, or choose another with --reports."
        ) from error
    return home


class _OneAtATime:
    """Hold the preset's lock; wait, and say so, while another build holds it."""

    def __init__(self, home: Path, name: str, listener: Listener) -> None:
        self.lock, self.name, self.listener = FileLock(home / ".lock"), name, listener

    def __enter__(self) -> None:
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            self.listener.said(f"another build of {self.name!r} is running: waiting for it")
            self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def _read_manifest(home: Path) -> dict[str, Any]:
    with suppress(FileNotFoundError, ValueError):
        manifest = json.loads((home / MANIFEST).read_text("utf-8"))
        return manifest if isinstance(manifest, dict) else {}
    return {}


def _write_if_changed(path: Path, text: str) -> None:
    content = text.encode()
    if not (path.is_file() and path.read_bytes() == content):
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _what(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"could not be written: {error.strerror}. The last good page stays."
    return f"{type(error).__name__}: {error}"


def _commit(root: Path) -> str | None:
    """Name the commit that the project is at; a fact for the manifest, no dependency."""
    with suppress(OSError):
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
        )
        return done.stdout.strip() or None
    return None
