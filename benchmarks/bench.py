"""Time the report builder beside what there was before it, in one run on one machine.

    make bench                      the table, on this machine
    make bench ARGS=--docs          and put it into docs/performance.md
    make bench ARGS=--repeat=5

Seconds vary from run to run and machine to machine; ratios of medians in one run are what counts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from documents import PERFORMANCE_PAGE, write_table

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
NINE = [path.name for path in sorted((ROOT / "notebooks").glob("0[1-9]_*.ipynb"))]


class Peak:
    """The largest memory of a process and all below it, sampled ten times a second.

    Shared pages count once (proportional set size), so forked kernels are not counted double.
    """

    def __init__(self, pid: int) -> None:
        self.bytes, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, args=(pid,), daemon=True)
        self._thread.start()

    def _sample(self, pid: int) -> None:
        while not self._over.wait(0.1):
            total = 0
            try:
                top = psutil.Process(pid)
                for process in [top, *top.children(recursive=True)]:
                    info = process.memory_full_info()
                    total += getattr(info, "pss", info.rss)
            except psutil.Error:
                continue
            self.bytes = max(self.bytes, total)

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self.bytes


def timed(*commands: list[object]) -> tuple[float, int]:
    """Run commands one after another; give the seconds and the peak memory."""
    started, peak = time.perf_counter(), 0
    for command in commands:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        memory = Peak(process.pid)
        _, errors = process.communicate()
        peak = max(peak, memory.stop())
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{errors.decode()[-3000:]}")
    return time.perf_counter() - started, peak


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.reports = folder, folder / "reports"
        # A copy, so that touching a notebook touches nothing that is committed.
        self.notebooks = folder / "notebooks"
        shutil.copytree(ROOT / "notebooks", self.notebooks)
        shutil.copy(ROOT / "requirements.lock", folder)
        self.stslab = [BIN / "stslab", "report", "tutorial", "--quiet"]
        self.where = ["--notebooks", self.notebooks, "--reports", self.reports]
        self.number = 0

    def naive(self) -> tuple[float, int]:
        out = self.folder / "naive"
        out.mkdir(exist_ok=True)
        commands: list[list[object]] = []
        for name in NINE:
            commands.append([BIN / "papermill", self.notebooks / name, out / name])
            commands.append([BIN / "jupyter", "nbconvert", "--to", "html", out / name])
        return timed(*commands)

    def floor(self) -> tuple[float, int]:
        out = self.folder / "floor"
        out.mkdir(exist_ok=True)
        script = Path(__file__).with_name("floor.py")
        return timed([sys.executable, script, out, *(self.notebooks / name for name in NINE)])

    def cold(self) -> tuple[float, int]:
        shutil.rmtree(self.reports, ignore_errors=True)
        return self.report()

    def report(self) -> tuple[float, int]:
        return timed([*self.stslab, *self.where])

    def code_touched(self) -> tuple[float, int]:
        self._touch("code")
        return self.report()

    def text_touched(self) -> tuple[float, int]:
        self._touch("markdown")
        return self.report()

    def _touch(self, kind: str) -> Path:
        """Change one cell of the sixth notebook and save it."""
        self.number += 1
        path = self.notebooks / NINE[5]
        notebook = json.loads(path.read_text("utf-8"))
        cell = [cell for cell in notebook["cells"] if cell["cell_type"] == kind][-1]
        added = f"\n# {self.number}" if kind == "code" else f"\n\nEdit {self.number}."
        cell["source"] = "".join(cell["source"]) + added
        path.write_text(json.dumps(notebook), "utf-8")
        return self.reports / "tutorial" / f"{path.stem}.html"

    def watched(self, repeat: int) -> list[tuple[float, int]]:
        """Save a notebook under `stslab watch`; time until its page is another."""
        process = subprocess.Popen(
            [str(word) for word in [BIN / "stslab", "watch", *self.where]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        memory = Peak(process.pid)
        took = []
        try:
            assert process.stdout
            process.stdout.readline()
            for _ in range(repeat + 1):
                time.sleep(2)
                page = self.reports / "tutorial" / f"{Path(NINE[5]).stem}.html"
                before = page.stat().st_mtime_ns
                started = time.perf_counter()
                self._touch("code")
                while page.stat().st_mtime_ns == before:
                    time.sleep(0.01)
                took.append(time.perf_counter() - started)
        finally:
            process.terminate()
            process.wait()
        peak = memory.stop()
        # The first save also starts the warm process; every later one finds it there.
        return [(seconds, peak) for seconds in took[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="put the table into docs/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stslab-bench-") as folder:
        bench = Bench(Path(folder))
        rows = [
            ("papermill, then nbconvert, one after another", bench.naive),
            ("one process, no kernels (the floor)", bench.floor),
            ("stslab report, nothing built", bench.cold),
            ("stslab report, nothing changed", bench.report),
            ("stslab report, one notebook's code touched", bench.code_touched),
            ("stslab report, one sentence of text touched", bench.text_touched),
        ]
        figures = {name: measure(name, work, options.repeat) for name, work in rows}
        figures["stslab watch, one notebook's code saved"] = bench.watched(options.repeat)
    text = table(figures)
    print(text)
    if options.docs:
        write_table(PERFORMANCE_PAGE, "bench", text)


def measure(name: str, work: Callable[[], tuple[float, int]], repeat: int):
    print(f"{name} …", file=sys.stderr, flush=True)
    return [work() for _ in range(repeat)]


def table(figures: dict[str, list[tuple[float, int]]]) -> str:
    medians = {name: statistics.median(s for s, _ in runs) for name, runs in figures.items()}
    floor = medians["one process, no kernels (the floor)"]
    naive = next(iter(medians.values()))
    lines = [
        "| nine notebooks | seconds | of the floor | of papermill + nbconvert | peak memory |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, runs in figures.items():
        seconds, peak = medians[name], max(peak for _, peak in runs)
        lines.append(
            f"| {name} | {seconds:.1f} | {seconds / floor:.2f} | 1/{naive / seconds:.1f} "
            f"| {peak / 2**20:.0f} MB |"
        )
    size = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB"
    repeat = min(len(runs) for runs in figures.values())
    lines.append(
        f"\nMedians of {repeat}, {datetime.date.today()}, {platform.system()} with {size}, "
        f"Python {platform.python_version()}.\n"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
