"""The progress of a build: live lines on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from ..report.messages import printable

if TYPE_CHECKING:
    from ..report.building.build import Listener, Result
    from ..report.building.plan import Step

# A page's status → its sign, and its color in the table.
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
    """A listener that reports errors and warnings only."""

    def planned(self, steps: Sequence[Step]) -> None:
        """Do nothing with the steps that follow."""

    def inform(self, text: str) -> None:
        """Do nothing with a sentence on what was read."""

    def cell(self, name: str, index: int) -> None:
        """Do nothing when a page's notebook reaches a cell."""

    def notify(self, text: str) -> None:
        """Write a line on standard error."""
        print(f"stslab: {printable(text)}", file=sys.stderr, flush=True)

    def finished(self, result: Result) -> None:
        """Report a page's error and warnings."""
        if result.error:
            self.notify(f"{result.name} failed: {result.error}")
        for warning in result.warnings:
            self.notify(f"{result.name}, {warning}")


def headline_lines(result: Result) -> list[str]:
    """Return lines with a page's finding, and the cautions about it; none if the page failed."""
    if result.error:
        return []
    sentences = [f"! {caution}" for caution in result.cautions]
    if result.finding:
        sentences.insert(0, result.finding)
    return [f"    {printable(sentence)}" for sentence in sentences]


class Plain(Quiet):
    """A listener that writes one line per page, for logs."""

    def __init__(self, explain: bool = False) -> None:
        self.explain = explain

    def inform(self, text: str) -> None:
        """Write a sentence on what was read."""
        print(printable(text), file=sys.stderr, flush=True)

    def finished(self, result: Result) -> None:
        sign, _ = LOOKS[result.status]
        line = f"{sign} {result.name}  {result.status}"
        if result.seconds:
            line += f" in {result.seconds:.1f} s"
        lines = [f"{line}  ({_short_reason(result.reasons)})"]
        if self.explain:
            lines += [f"    {printable(reason)}" for reason in result.reasons]
        lines += headline_lines(result)
        for line in lines:
            print(line, file=sys.stderr, flush=True)
        super().finished(result)


class Lively(Quiet):
    """A listener that shows a line per running notebook, and a table at the end."""

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
        """Prepare a line for each notebook that will run; it appears with the first cell."""
        for step in steps:
            if step.action == "run":
                self.running[step.job.name] = self.lines.add_task(
                    step.job.name, start=False, visible=False, total=len(step.notebook["cells"])
                )

    def notify(self, text: str) -> None:
        self.lines.console.print(Text(printable(text)))

    def inform(self, text: str) -> None:
        """Show a sentence on what was read."""
        self.lines.console.print(Text(printable(text)))

    def cell(self, name: str, index: int) -> None:
        """Show which cell a page's notebook is at."""
        self.lines.start_task(self.running[name])
        self.lines.update(self.running[name], completed=index + 1, visible=True)

    def finished(self, result: Result) -> None:
        if result.name in self.running:
            self.lines.remove_task(self.running[result.name])
        self.results.append(result)
        lines = headline_lines(result)
        if lines:
            self.lines.console.print(Text("\n".join([result.name, *lines])))
        super().finished(result)

    def _table(self) -> Table:
        table = Table("", "page", "", "seconds", "why", box=None, padding=(0, 1))
        for result in sorted(self.results, key=lambda result: result.name):
            if self.explain:
                reasons = "\n".join(map(printable, result.reasons))
            else:
                reasons = _short_reason(result.reasons)
            seconds = ""
            if result.seconds:
                seconds = f"{result.seconds:.1f}"
            sign, style = LOOKS[result.status]
            cells = (sign, Text(result.name), result.status, seconds, Text(reasons))
            table.add_row(*cells, style=style)
        return table


class _Lines(Progress):
    """The lines of running notebooks, and a last one that counts those that wait."""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        waiting = sum(not task.started for task in self.tasks)
        if waiting:
            yield Text(f"waiting {waiting} more")


def _short_reason(reasons: Sequence[str]) -> str:
    """Return the first reason, and the second or how many more there are.

    The files of stslab, which are saved together, count as one.
    """
    distinct_reasons = list(dict.fromkeys(map(_without_file_of_stslab, reasons)))
    first_reason = printable(distinct_reasons[0])
    if len(distinct_reasons) == 1:
        return first_reason
    if len(distinct_reasons) == 2:
        return f"{first_reason}, and {printable(distinct_reasons[1])}"
    return f"{first_reason}, and {len(distinct_reasons) - 1} more reasons"


def _without_file_of_stslab(reason: str) -> str:
    if reason.startswith("helper "):
        return "stslab changed"
    return reason
