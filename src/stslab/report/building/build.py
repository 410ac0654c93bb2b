"""Make the pages of a preset that are not up to date, and publish each when it is complete."""

from __future__ import annotations

import functools
import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..page.render import export, exporter, titled, with_outputs
from ..request.presets import Preset
from ..running.kernels import KernelKind, warm_up
from ..running.pool import LocalPool, Pool
from .folder import ReportFolder
from .freshness import check_inputs
from .manifest import Page
from .plan import Step, plan

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ..running.run import Done, Work


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
    def notify(self, text: str) -> None: ...
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
    scheduler: str | None = None,
) -> list[Result]:
    """Bring a preset's pages up to date.

    Ctrl-C ends the kernels; it takes effect when what is being published is complete.

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
    scheduler : str or None
        The address of a Dask scheduler whose workers run the notebooks; None: here.

    Returns
    -------
    list of Result
        One per page asked for, in the preset's order.

    Raises
    ------
    RequestError
        If nothing could be started: a model that is not there, a folder that cannot be written.
    """
    folder = ReportFolder(reports, preset, root)
    with folder.held(listener.notify):
        planned = functools.partial(plan, preset, folder, root, embed_inputs=embed_inputs)
        steps = planned(force=force)
        runs = sum(step.action == "run" for step in steps)
        pool = _pool(scheduler, min(jobs, runs))
        try:
            with _signals_kept() as came:
                return _Build(folder, pool, listener, kernel, came).carry_out(steps, planned)
        finally:
            pool.close()


def _pool(scheduler: str | None, jobs: int) -> Pool:
    if scheduler is None:
        return LocalPool(jobs)
    from ..running.cluster import ClusterPool

    return ClusterPool(scheduler)


@contextmanager
def _signals_kept() -> Iterator[Callable[[], bool]]:
    """Keep Ctrl-C and the like until what is inside has ended; gives whether one came.

    An exception that a signal raises could land between two files of a page.
    """
    came: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda received, _: came.append(received))
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


class _Build:
    def __init__(
        self,
        folder: ReportFolder,
        pool: Pool,
        listener: Listener,
        kernel: KernelKind,
        stopped: Callable[[], bool],
    ) -> None:
        self.folder, self.pool, self.listener = folder, pool, listener
        self.kernel, self.stopped = kernel, stopped
        self.ident = uuid.uuid4().hex

    def carry_out(
        self, steps: Sequence[Step], planned: Callable[[], Sequence[Step]]
    ) -> list[Result]:
        self.listener.planned(steps)
        self.folder.forget_others()
        results = {}
        try:
            with closing(self._results(steps)) as made:
                for result in made:
                    results[result.name] = result
                    self.listener.finished(result)
            self._link_again(results, planned)
        finally:
            self.folder.write_indexes(self.listener.notify)
        return [results[step.job.name] for step in steps if step.job.name in results]

    def _link_again(
        self, results: Mapping[str, Result], planned: Callable[[], Sequence[Step]]
    ) -> None:
        """Take links to pages that failed out of those beside them, or put them back in."""
        if self.stopped() or all(result.status == "unchanged" for result in results.values()):
            return
        for step in planned():
            if step.action == "render" and results[step.job.name].status != "failed":
                self._render_again(replace(step, why=results[step.job.name].why))

    def _results(self, steps: Sequence[Step]) -> Generator[Result]:
        """Keep, run and render, in the order in which pages get ready, until stopped."""
        for step in steps:
            if step.action == "keep":
                self.folder.pages[step.job.name].why = step.why
                yield Result(step.job.name, "unchanged", step.why)
        running = self._start([step for step in steps if step.action == "run"])
        for step in steps:
            if step.action == "render" and not self.stopped():
                yield self._render_again(step)
        try:
            while running and not self.stopped():
                ready, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield self._take(running.pop(future), future)
        finally:
            self._stop(running)

    def _stop(self, running: Collection[Future[Done]]) -> None:
        """End the kernels; one that was just starting is seen at the next look."""
        while not all(future.done() for future in running):
            self.pool.stop(self.ident)
            wait(running, timeout=0.1)

    def _start(self, steps: Sequence[Step]) -> dict[Future[Done], Step]:
        if not steps:
            return {}
        if self.kernel == "warm" and self.pool.is_here:
            warm_up()
        self._look_at_cache()
        running = {}
        for step in steps:
            on_cell = functools.partial(self.listener.cell, step.job.name)
            running[self.pool.submit(self._work(step), on_cell)] = step
        exporter()  # it imports while the kernels start
        return running

    def _look_at_cache(self) -> None:
        """Say what is wrong with the cache of embeddings, which a page must not depend on."""
        from stslab.models.cache import check_cache

        if self.pool.is_here and (trouble := check_cache()):
            self.listener.notify(trouble)

    def _work(self, step: Step) -> Work:
        from ..running.run import Work

        here = self.pool.is_here
        return Work(
            name=step.job.name,
            notebook=json.dumps(step.notebook),
            parameters=step.job.parameters,
            inputs={
                name: (path.name, path if here else path.read_bytes())
                for name, path in step.job.inputs.items()
            },
            models=step.job.models,
            timeout=step.job.timeout,
            kernel=self.kernel,
            build=self.ident,
        )

    def _take(self, step: Step, future: Future[Done]) -> Result:
        try:
            done = future.result()
        except Exception as error:  # a lost cluster, a full disk: this page's loss, not the others'
            return self._failed(step, _what(error))
        if done.error:
            return self._failed(step, done.error, done)
        return self._published(step, "built", done, done.seconds)

    def _render_again(self, step: Step) -> Result:
        """Put the new text around the outputs that are still right."""
        from ..running.run import Done

        name, started = step.job.name, time.monotonic()
        try:
            executed = json.loads((self.folder.path / f"{name}.ipynb").read_text("utf-8"))
            text = json.dumps(with_outputs(step.notebook, executed))
        except Exception as error:
            return self._failed(step, _what(error))
        before = self.folder.pages[name]
        done = Done(text, None, before.seconds, before.kernel)
        return self._published(step, "rendered", done, time.monotonic() - started)

    def _published(self, step: Step, status: str, done: Done, seconds: float) -> Result:
        try:
            account = self._publish(step, done)
        except Exception as error:
            return self._failed(step, _what(error))
        return Result(step.job.name, status, step.why, seconds, warnings=account.warnings)

    def _publish(self, step: Step, done: Done) -> Page:
        import nbformat

        from ..page import exporter as page
        from ..page.thumbnail import thumbnail
        from .published import published_files

        name, job = step.job.name, step.job
        notebook = nbformat.reads(done.notebook, as_version=4)
        files = published_files(notebook, name)
        html = self._page(step, notebook)
        files[f"{name}.ipynb"] = _written(notebook)
        files[f"{name}.html"] = html  # last: it appears when all else is there
        drawing = thumbnail(notebook)
        account = Page(
            status="built",
            why=step.why,
            title=step.title,
            finding=page.finding(notebook),
            parameters=job.parameters,
            inputs={key: path.name for key, path in job.inputs.items()},
            depends=step.depends,
            renders=step.renders,
            warnings=list(self._warnings(step, done, notebook)),
            seconds=round(done.seconds, 3),
            kernel=done.kernel,
            built_at=_now(),
            thumbnail=str(drawing) if drawing else None,
        )
        self.folder.publish(name, account, files)
        return account

    def _warnings(self, step: Step, done: Done, notebook: NotebookNode) -> Iterator[str]:
        """Say what would make two builds differ, in principle or in fact."""
        import nbformat

        from .volatile import changed_outputs, volatile_outputs

        if done.fell_back:
            yield f"it ran on a fresh kernel: {done.fell_back}"
        yield from volatile_outputs(notebook, self.folder.root)
        before = self.folder.pages.get(step.job.name)
        if step.action == "run" and before and before.depends == step.depends:
            path = self.folder.path / f"{step.job.name}.ipynb"
            # Removed, edited by hand, or made elsewhere: nothing to compare with.
            with suppress(Exception):
                if not self.folder.damage(before):
                    yield from changed_outputs(nbformat.read(path, as_version=4), notebook)

    def _failed(self, step: Step, error: str, done: Done | None = None) -> Result:
        """Keep the last good page; publish the failed notebook beside it."""
        name = step.job.name
        page = self.folder.pages.get(name) or Page(status="failed", why=[], title=step.title)
        page.status = "out of date" if page.outputs else "failed"
        page.why, page.error, page.failed_at = step.why, error, _now()
        with suppress(OSError):  # the disk may be full; the message still gets out
            self.folder.publish_failure(name, page, self._failed_files(step, done))
        return Result(name, "failed", step.why, done.seconds if done else 0.0, error=error)

    def _failed_files(self, step: Step, done: Done | None) -> dict[str, bytes]:
        import nbformat

        if not (done and done.error):
            return {}
        name, notebook = step.job.name, nbformat.reads(done.notebook, as_version=4)
        try:
            html = self._page(step, notebook)
        except Exception:  # its input changed meanwhile: the error says enough
            return {}
        return {f"{name}.failed.ipynb": _written(notebook), f"{name}.failed.html": html}

    def _page(self, step: Step, notebook: NotebookNode) -> bytes:
        check_inputs(step.job, step.record)
        name = step.job.name
        return export(titled(notebook, step.notebook, name), name, step.record).encode()


def _written(notebook: NotebookNode) -> bytes:
    import nbformat

    return bytes((nbformat.writes(notebook, version=4) + "\n").encode())


def _what(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"could not be written: {error.strerror}. The last good page stays."
    return " ".join(f"{type(error).__name__}: {error}".split())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
