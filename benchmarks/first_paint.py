"""Time a page's first paint beside nbconvert's default page of the same notebook.

    make bench                                      after the builder's table; needs Chromium
    python benchmarks/first_paint.py reports/my/report_sentences.ipynb

Both pages are made from one executed notebook, the tutorial's largest or the one named, and opened
in turn in one browser without a network: at full speed, and with the processor slowed as a phone's.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from documents import PERFORMANCE_PAGE, write_table
from playwright.sync_api import BrowserContext, sync_playwright

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SLOWED = {"at full speed": 1, "slowed 2 times": 2, "slowed 4 times": 4}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def first_paint(context: BrowserContext, page: Path, slowed: int) -> float:
    """Open a page in a new tab; give the milliseconds until its first text was painted."""
    tab = context.new_page()
    context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    tab.wait_for_timeout(400)  # until the tab itself has been drawn
    tab.goto(page.as_uri())
    while (at := tab.evaluate(PAINT)) is None:
        tab.wait_for_timeout(50)
    tab.wait_for_timeout(100)
    tab.close()
    return float(at)


def largest_page(folder: Path) -> Path:
    """Build the tutorial; give the executed notebook of its largest page."""
    subprocess.run([BIN / "stslab", "report", "--quiet", "--reports", folder], cwd=ROOT, check=True)
    page = max((folder / "tutorial").glob("0*.html"), key=lambda page: page.stat().st_size)
    return page.with_suffix(".ipynb")


def both_pages(folder: Path, executed: Path) -> dict[str, Path]:
    """Make the two pages of an executed notebook."""
    pages = {}
    for name, kind in {"stslab": "stslab", "nbconvert": "html"}.items():
        command = [BIN / "jupyter", "nbconvert", f"--to={kind}", f"--output-dir={folder / name}"]
        subprocess.run([*command, "--log-level=40", executed], check=True)
        pages[name] = folder / name / f"{executed.stem}.html"
    return pages


def measure(pages: dict[str, Path], repeat: int) -> list[str]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("STSLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        sys.exit("no Chromium found: install one, or set STSLAB_CHROMIUM")
    stem, rows = pages["stslab"].stem, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 860})
        context.new_page()
        for name, slowed in SLOWED.items():
            print(f"{stem}, {name} …", file=sys.stderr, flush=True)
            runs: dict[str, list[float]] = {kind: [] for kind in pages}
            for _ in range(repeat + 1):  # the first pays for the browser's start
                for kind, page in pages.items():
                    runs[kind].append(first_paint(context, page, slowed))
            ours, theirs = (statistics.median(runs[kind][1:]) for kind in pages)
            rows.append(f"| {name} | {ours:.0f} ms | {theirs:.0f} ms | {theirs / ours:.2f} |")
        browser.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("executed", type=Path, nargs="?", help="an executed notebook")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--docs", action="store_true", help="put the table into docs/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stslab-bench-") as folder:
        pages = both_pages(Path(folder), options.executed or largest_page(Path(folder)))
        rows = measure(pages, options.repeat)
    text = (
        f"| first paint of {pages['stslab'].stem} | stslab | nbconvert | times faster |\n"
        f"|---|---:|---:|---:|\n" + "\n".join(rows) + f"\n\nMedians of {options.repeat}, "
        f"{datetime.date.today()}, Chromium on {platform.system()} with {os.cpu_count()} cores.\n"
    )
    print(text)
    if options.docs:
        write_table(PERFORMANCE_PAGE, "first paint", text)


if __name__ == "__main__":
    main()
