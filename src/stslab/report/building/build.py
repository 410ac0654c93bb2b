"""Make the pages of a preset that are not up to date, and publish each when it is complete."""

from __future__ import annotations

import functools
import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..page.render import exporter, with_outputs
from ..request.files import check_files
from ..request.presets import Preset
from ..running.kernels import KernelKind, warm_up
from ..running.pool import ClusterPool, LocalPool
from .folder import ReportFolder
from .plan import Step, plan

if TYPE_CHECKING:
    from ..running.run import Done


@dataclass
class Result:
    """What became of one page: `status` is built, rendered, unchanged or failed."""

    name: str
    status: str
    why: list[str]
    seconds: float = 0.0
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    finding: str | None = None
    cautions: list[str] = field(default_factory=list)


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
    prune: bool = False,
) -> list[Result]:
    """Bring a preset's pages up to date; give a result per page asked for, in its order.

    Ctrl-C ends the kernels; it takes effect when what is being published is complete. The address
    of a Dask scheduler makes its workers run the notebooks, instead of this machine. Pages that no
    longer belong to the preset are named; `prune` removes them.
    """
    folder = ReportFolder(reports, preset, root)
    with folder.held(listener.notify):
        planned = functools.partial(plan, preset, folder, root, embed_inputs=embed_inputs)
        steps = planned(force=force)
        if prune:
            folder.prune()
        elif left := folder.forgotten():
            are = (
                f"{len(left)} page{'s' * (len(left) > 1)} no longer belong{'s' * (len(left) == 1)}"
            )
            them = "them" if len(left) > 1 else "it"
            listener.notify(
                f"{are} to {preset.name!r}: {', '.join(left)}. To remove {them}, add PRUNE=1 (or "
                "--prune)."
            )
        runs = [step.job for step in steps if step.action == "run"]
        if runs and kernel == "warm" and scheduler is None:
            warm_up()  # it imports while the files are read
        check_files(runs)
        pool = LocalPool(min(jobs, len(runs))) if scheduler is None else ClusterPool(scheduler)
        with closing(pool), _signals_kept() as came:
            return _Build(folder, pool, listener, kernel, came).carry_out(steps, planned)


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
        results = {}
        try:
            with closing(self._results(steps)) as made:
                for result in made:
                    results[result.name] = result
                    self.listener.finished(result)
            # Pages link to those that are there: one beside them may have failed, or be back.
            changed = any(result.status != "unchanged" for result in results.values())
            for step in planned() if changed and not self.stopped() else ():
                result = results[step.job.name]
                if step.action == "render" and result.status != "failed":
                    self._rendered(replace(step, why=result.why))
        finally:
            self.folder.write_indexes(self.listener.notify)
        return [results[step.job.name] for step in steps if step.job.name in results]

    def _results(self, steps: Sequence[Step]) -> Generator[Result]:
        """Keep, run and render, in the order in which pages get ready, until stopped."""
        for step in steps:
            if step.action == "keep":
                self.folder.pages[step.job.name].why = step.why
                kept = self.folder.pages[step.job.name]
                yield Result(
                    step.job.name,
                    "unchanged",
                    step.why,
                    finding=kept.finding,
                    cautions=kept.cautions,
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

    def _start(self, steps: Sequence[Step]) -> dict[Future[Done], Step]:
        if not steps:
            return {}
        from ..cached import check_cache
        from ..running.run import Work

        here = self.pool.is_here
        if here and (trouble := check_cache()):
            self.listener.notify(trouble)
        running = {}
        for step in steps:
            job = step.job
            work = Work(
                name=job.name,
                notebook=json.dumps(step.notebook),
                parameters=job.parameters,
                inputs={
                    name: (path.name, path if here else path.read_bytes())
                    for name, path in job.inputs.items()
                },
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
        """Put the new text around the outputs that are still right."""
        from ..running.run import Done

        def joined() -> Done:
            executed = json.loads((self.folder.path / f"{step.job.name}.ipynb").read_text("utf-8"))
            before = self.folder.pages[step.job.name]
            text = json.dumps(with_outputs(step.notebook, executed))
            return Done(text, None, before.seconds, before.kernel)

        started = time.monotonic()
        result = self._finished(step, joined)
        if not result.error:
            result.status, result.seconds = "rendered", time.monotonic() - started
        return result

    def _finished(self, step: Step, get: Callable[[], Done]) -> Result:
        """Publish a page; a lost cluster or a full disk is its loss, not the others'."""
        from .published import located, publish, publish_failure

        done, seconds = None, 0.0
        try:
            done = get()
            if not done.error:
                page = publish(self.folder, step, done)
                return Result(
                    step.job.name,
                    "built",
                    step.why,
                    done.seconds,
                    warnings=page.warnings,
                    finding=page.finding,
                    cautions=page.cautions,
                )
            error, seconds = located(done.error, done), done.seconds
        except Exception as problem:
            error = " ".join(f"{type(problem).__name__}: {problem}".split())
            if isinstance(problem, OSError) and problem.strerror:
                file = Path(str(problem.filename or "it")).name
                error = f"{file} could not be written: {problem.strerror}."
                error += " The last good page stays."
        publish_failure(self.folder, step, error, done)
        return Result(step.job.name, "failed", step.why, seconds, error=error)
