"""How a build goes on: live lines on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
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


class Plain(Quiet):
    """One line per page, for logs."""

    def __init__(self, explain: bool = False) -> None:
        self.explain = explain

    def finished(self, result: Result) -> None:
        line = f"{LOOKS[result.status][0]} {result.name}  {result.status}"
        line += f" in {result.seconds:.1f} s" if result.seconds else ""
        reasons = [f"    {printable(why)}" for why in result.why] if self.explain else []
        for text in [f"{line}  ({_short(result.why)})", *reasons]:
            print(text, file=sys.stderr, flush=True)
        super().finished(result)


class Lively(Quiet):
    """A line per running notebook, and a closing table."""

    def __init__(self, explain: bool) -> None:
        self.explain = explain
        self.running: dict[str, tuple[int, float]] = {}
        self.cells: dict[str, int] = {}
        self.results: list[Result] = []
        self.waiting = 0
        self._lock = threading.Lock()
        self.live = Live(
            console=Console(stderr=True), get_renderable=self._drawn, refresh_per_second=8
        )

    def __enter__(self) -> Lively:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.running.clear()
        self.live.stop()
        if self.results:
            self.live.console.print(self._table())

    def planned(self, steps: Sequence[Step]) -> None:
        self.cells = {step.job.name: len(step.notebook["cells"]) for step in steps}
        self.waiting = sum(step.action == "run" for step in steps)

    def notify(self, text: str) -> None:
        self.live.console.print(Text(printable(text)))

    def cell(self, name: str, index: int) -> None:
        with self._lock:
            started = self.running.get(name, (0, time.monotonic()))[1]
            self.running[name] = (index + 1, started)

    def finished(self, result: Result) -> None:
        with self._lock:
            if self.running.pop(result.name, None) or result.status in ("built", "failed"):
                self.waiting -= 1
            self.results.append(result)
        super().finished(result)

    def _drawn(self) -> Table:
        table = Table.grid(padding=(0, 2))
        with self._lock:
            for name, (cell, started) in sorted(self.running.items()):
                of = self.cells.get(name, cell)
                elapsed = f"{time.monotonic() - started:.1f} s"
                table.add_row("running", Text(name), f"cell {cell} of {of}", elapsed)
            if more := self.waiting - len(self.running):
                table.add_row("waiting", f"{more} more")
        return table

    def _table(self) -> Table:
        table = Table("", "page", "", "seconds", "why", box=None, padding=(0, 1))
        for result in sorted(self.results, key=lambda each: each.name):
            why = "\n".join(map(printable, result.why)) if self.explain else _short(result.why)
            sign, style = LOOKS[result.status]
            seconds = f"{result.seconds:.1f}" if result.seconds else ""
            table.add_row(sign, Text(result.name), result.status, seconds, Text(why), style=style)
        return table


def _short(reasons: Sequence[str]) -> str:
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return printable(reasons[0]) + more
