"""Make the pages of a preset that are not up to date, and publish each when it is complete."""

from __future__ import annotations

import functools
import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...wording import counted, plural
from ..page.render import exporter, with_outputs
from ..request.files import check_files
from ..request.presets import Preset
from ..running.kernels import KernelKind, warm_up
from ..running.pool import ClusterPool, LocalPool
from .folder import ReportFolder
from .plan import Step, plan

if TYPE_CHECKING:
    from ..running.run import RunResult


@dataclass
class Result:
    """The result of building one page: `status` is built, rendered, unchanged or failed."""

    name: str
    status: str
    reasons: list[str]
    seconds: float = 0.0
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    finding: str | None = None
    cautions: list[str] = field(default_factory=list)


class Listener(Protocol):
    """The receiver of a build's progress."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def notify(self, text: str) -> None: ...
    def inform(self, text: str) -> None: ...
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
    prune: bool = False,
) -> list[Result]:
    """Bring a preset's pages up to date; return a result for each requested page, in their order.

    Ctrl-C ends the kernels; it takes effect when what is being published is complete. With the
    address of a Dask scheduler, its workers run the notebooks instead of this machine. Pages that
    no longer belong to the preset are listed in a message; `prune` removes them.
    """
    folder = ReportFolder(reports, preset, root)
    with folder.lock(listener.notify):
        planned = functools.partial(plan, preset, folder, root, embed_inputs=embed_inputs)
        steps = planned(force=force)
        if prune:
            folder.prune()
        else:
            _notify_obsolete(preset.name, folder.obsolete(), listener)
        runs = [step.job for step in steps if step.action == "run"]
        if runs and kernel == "warm" and scheduler is None:
            warm_up()  # it imports while the files are read
        for sentence in check_files(runs):
            listener.inform(sentence)
        pool = LocalPool(min(jobs, len(runs))) if scheduler is None else ClusterPool(scheduler)
        with closing(pool), _deferred_signals() as stopped:
            return _Build(folder, pool, listener, kernel, stopped).carry_out(steps, planned)


def _notify_obsolete(preset_name: str, names: Sequence[str], listener: Listener) -> None:
    """Notify of the pages that no longer belong to a preset, if there are any."""
    if names:
        count = len(names)
        listener.notify(
            f"{counted(count, 'page')} no longer {plural(count, 'belongs', 'belong')} to "
            f"{preset_name!r}: {', '.join(names)}. To remove {plural(count, 'it', 'them')}, add "
            "PRUNE=1 (or --prune)."
        )


@contextmanager
def _deferred_signals() -> Iterator[Callable[[], bool]]:
    """Defer Ctrl-C and the like to the end of the block; yield a function: has one arrived?

    An exception that a signal raises could stop the build between two files of a page.
    """
    signals: list[int] = []
    handlers: dict[int, Any] = {}

    def defer(number: int, _: object) -> None:
        signals.append(number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                handlers[number] = signal.signal(
                    number, lambda received, _: signals.append(received)
                )
    try:
        yield lambda: bool(signals)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if signals:
            signal.raise_signal(signals[0])


@dataclass
class _Build:
    folder: ReportFolder
    pool: LocalPool | ClusterPool
    listener: Listener
    kernel: KernelKind
    stopped: Callable[[], bool]
    ident: str = field(default_factory=lambda: uuid.uuid4().hex)

    def carry_out(
        self, steps: Sequence[Step], planned: Callable[[], Sequence[Step]]
    ) -> list[Result]:
        self.listener.planned(steps)
        results: dict[str, Result] = {}
        try:
            with closing(self._results(steps)) as finished_pages:
                for result in finished_pages:
                    results[result.name] = result
                    self.listener.finished(result)
            changed = any(result.status != "unchanged" for result in results.values())
            if changed and not self.stopped():
                self._update_links(planned(), results)
        finally:
            self.folder.write_indexes(self.listener.notify)
        return [results[step.job.name] for step in steps if step.job.name in results]

    def _update_links(self, steps: Sequence[Step], results: Mapping[str, Result]) -> None:
        """Render the pages whose links changed: a neighbor failed, or exists again."""
        for step in steps:
            result = results[step.job.name]
            if step.action == "render" and result.status != "failed":
                self._rendered(replace(step, reasons=result.reasons))

    def _results(self, steps: Sequence[Step]) -> Generator[Result]:
        """Keep, run and render pages; yield results in the order in which they are ready."""
        for step in steps:
            if step.action == "keep":
                page = self.folder.pages[step.job.name]
                page.why = step.reasons
                yield Result(
                    step.job.name,
                    "unchanged",
                    step.reasons,
                    finding=page.finding,
                    cautions=page.cautions,
                )
        running = self._start([step for step in steps if step.action == "run"])
        for step in steps:
            if step.action == "render" and not self.stopped():
                yield self._rendered(step)
        try:
            while running and not self.stopped():
                ready, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield self._finished(running.pop(future), future.result)
        finally:
            # End the kernels; one that was just starting is seen at the next look.
            while not all(future.done() for future in running):
                self.pool.stop(self.ident)
                wait(running, timeout=0.1)

    def _start(self, steps: Sequence[Step]) -> dict[Future[RunResult], Step]:
        if not steps:
            return {}
        from ..cached import check_cache
        from ..running.run import Work

        is_local = self.pool.is_here
        if is_local:
            problem = check_cache()
            if problem is not None:
                self.listener.notify(problem)
        running = {}
        for step in steps:
            job = step.job
            inputs: dict[str, tuple[str, Path | bytes]] = {}
            for name, path in job.inputs.items():
                if is_local:
                    inputs[name] = (path.name, path)
                else:  # a worker does not see this machine's files
                    inputs[name] = (path.name, path.read_bytes())
            work = Work(
                name=job.name,
                notebook=json.dumps(step.notebook),
                parameters=job.parameters,
                inputs=inputs,
                models=job.models,
                timeout=job.timeout,
                kernel=self.kernel,
                build=self.ident,
            )
            on_cell = functools.partial(self.listener.cell, job.name)
            running[self.pool.submit(work, on_cell)] = step
        exporter()  # it imports while the kernels start
        return running

    def _rendered(self, step: Step) -> Result:
        """Publish a page with the new text and the outputs of the last run, which are current."""
        from ..running.run import RunResult

        def combine() -> RunResult:
            executed = json.loads((self.folder.path / f"{step.job.name}.ipynb").read_text("utf-8"))
            page = self.folder.pages[step.job.name]
            text = json.dumps(with_outputs(step.notebook, executed))
            return RunResult(text, None, page.seconds, page.kernel)

        started = time.monotonic()
        result = self._finished(step, combine)
        if not result.error:
            result.status, result.seconds = "rendered", time.monotonic() - started
        return result

    def _finished(self, step: Step, get: Callable[[], RunResult]) -> Result:
        """Publish a page; a lost cluster or a full disk makes this page fail, not the others."""
        from .published import publish, publish_failure, with_cell_name

        run, seconds = None, 0.0
        try:
            run = get()
            if not run.error:
                page = publish(self.folder, step, run)
                return Result(
                    step.job.name,
                    "built",
                    step.reasons,
                    run.seconds,
                    warnings=page.warnings,
                    finding=page.finding,
                    cautions=page.cautions,
                )
            error, seconds = with_cell_name(run.error, run), run.seconds
        except Exception as problem:
            error = " ".join(f"{type(problem).__name__}: {problem}".split())
            if isinstance(problem, OSError) and problem.strerror:
                file = Path(str(problem.filename or "it")).name
                error = f"{file} could not be written: {problem.strerror}."
                error += " The last good page stays."
        publish_failure(self.folder, step, error, run)
        return Result(step.job.name, "failed", step.reasons, seconds, error=error)
