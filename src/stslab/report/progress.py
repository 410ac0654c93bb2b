"""How a build goes on: live lines on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from .request.values import printable

if TYPE_CHECKING:
    from .building.build import Listener, Result
    from .building.plan import Step

# What became of a page → its sign, and its color in the table.
LOOKS = {
    "built": ("✓", "green"),
    "rendered": ("✓", "green"),
    "unchanged": ("·", "dim"),
    "failed": ("✗", "bold red"),
}


@contextmanager
def listener_for(*, quiet: bool, as_json: bool, explain: bool) -> Iterator[Listener]:
    """Choose the listener that fits where the output goes."""
    if quiet or as_json:
        yield Quiet()
    elif sys.stderr.isatty():
        with Lively(explain) as lively:
            yield lively
    else:
        yield Plain(explain)


class Quiet:
    """Say only what went wrong."""

    def planned(self, steps: Sequence[Step]) -> None:
        """Hear what is to be done."""

    def cell(self, name: str, index: int) -> None:
        """Hear which cell a page's notebook is at."""

    def notify(self, text: str) -> None:
        print(f"stslab: {printable(text)}", file=sys.stderr, flush=True)

    def finished(self, result: Result) -> None:
        if result.error:
            self.notify(f"{result.name} failed: {result.error}")
        for warning in result.warnings:
            self.notify(f"{result.name}, {warning}")


def said(result: Result) -> list[str]:
    """List what a page says first: its finding, and the cautions that bear on it."""
    found = [result.finding] if result.finding else []
    cautions = [f"! {each}" for each in result.cautions]
    return [] if result.error else [f"    {printable(each)}" for each in [*found, *cautions]]


class Plain(Quiet):
    """One line per page, for logs."""

    def __init__(self, explain: bool = False) -> None:
        self.explain = explain

    def finished(self, result: Result) -> None:
        line = f"{LOOKS[result.status][0]} {result.name}  {result.status}"
        line += f" in {result.seconds:.1f} s" if result.seconds else ""
        reasons = [f"    {printable(reason)}" for reason in result.reasons] if self.explain else []
        for text in [f"{line}  ({_short(result.reasons)})", *reasons, *said(result)]:
            print(text, file=sys.stderr, flush=True)
        super().finished(result)


class Lively(Quiet):
    """A line per running notebook, and a closing table."""

    def __init__(self, explain: bool) -> None:
        self.explain = explain
        self.results: list[Result] = []
        self.running: dict[str, TaskID] = {}
        self.lines = _Lines(
            TextColumn("running"),
            TextColumn("{task.description}", markup=False),
            TextColumn("cell {task.completed} of {task.total}"),
            TextColumn("{task.elapsed:.1f} s"),
            console=Console(stderr=True),
        )

    def __enter__(self) -> Lively:
        self.lines.start()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.lines.task_ids:
            self.lines.remove_task(task)
        self.lines.stop()
        if self.results:
            self.lines.console.print(self._table())

    def planned(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.action == "run":
                self.running[step.job.name] = self.lines.add_task(
                    step.job.name, start=False, visible=False, total=len(step.notebook["cells"])
                )

    def notify(self, text: str) -> None:
        self.lines.console.print(Text(printable(text)))

    def cell(self, name: str, index: int) -> None:
        self.lines.start_task(self.running[name])
        self.lines.update(self.running[name], completed=index + 1, visible=True)

    def finished(self, result: Result) -> None:
        if result.name in self.running:
            self.lines.remove_task(self.running[result.name])
        self.results.append(result)
        if lines := said(result):
            self.lines.console.print(Text("\n".join([result.name, *lines])))
        super().finished(result)

    def _table(self) -> Table:
        table = Table("", "page", "", "seconds", "why", box=None, padding=(0, 1))
        for result in sorted(self.results, key=lambda each: each.name):
            reasons = _short(result.reasons)
            if self.explain:
                reasons = "\n".join(map(printable, result.reasons))
            sign, style = LOOKS[result.status]
            seconds = f"{result.seconds:.1f}" if result.seconds else ""
            table.add_row(
                sign, Text(result.name), result.status, seconds, Text(reasons), style=style
            )
        return table


class _Lines(Progress):
    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if waiting := sum(not task.started for task in self.tasks):
            yield Text(f"waiting {waiting} more")


def _short(reasons: Sequence[str]) -> str:
    """Name the first reasons; the files of stslab, which are saved together, count as one."""
    own = ("stslab changed" if each.startswith("helper ") else each for each in reasons)
    first, *others = dict.fromkeys(own)
    if not others:
        return printable(first)
    more = others[0] if len(others) == 1 else f"{len(others)} more reasons"
    return f"{printable(first)}, and {printable(more)}"
