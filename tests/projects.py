"""A small project to build: notebooks, a preset, a lock file, and eyes for what is left behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
import psutil

from stslab.cli.progress import Quiet
from stslab.report.building.build import Result, build
from stslab.report.request.presets import load_preset

# What a kernel needs itself: forks in a moment, without the model stack.
BARE = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "numpy",
]
# A shell without job control starts what runs in its background with SIGINT ignored.
COMMAND = f"""\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from stslab.report.running import kernels
kernels.PRELOAD[:] = {BARE!r}
from stslab.cli import main
main()
"""
MARK = "STSLAB_TEST"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


def figure(name: str, csv: str = "'n\\n1\\n'") -> str:
    """Write the code that shows a figure as `stslab.show_figure` does, without the stack."""
    data = f'{{"image/svg+xml": {SVG!r}, "text/plain": "a line", "text/csv": {csv}}}'
    told = {"stslab": {"kind": "figure", "name": name, "title": "A line"}}
    return f"from IPython.display import display\ndisplay({data}, metadata={told!r}, raw=True)"


def finding(text: str, about: str = "", cautions: Iterable[str] = ()) -> str:
    """Write the code that shows a finding as `stslab.show_finding` does, without the stack."""
    told = {"stslab": {"kind": "finding", "about": about, "cautions": list(cautions)}}
    data = {"text/plain": text}
    return f"from IPython.display import display\ndisplay({data}, metadata={told!r}, raw=True)"


COUNTING = [
    "parameters: n: int = 3  # how many",
    "print('n is', n)",
    figure("line", "f'n\\n{n}\\n'"),
]
LOOPING = "import time\nopen('started', 'w').close()\nwhile True:\n    time.sleep(0.01)"


# Reports of each kind of file, and the options that ask for them; `my.csv` serves them all.
LIST = "list[str] | Path"
READING = 'columns: str = ""  # of the file\nsheet: str = ""  # of a spreadsheet'
TAKES = {
    "sentences": f"sentences: {LIST} = ['a']\nempty: Literal['keep', 'drop'] = 'keep'",
    "pairs": "pairs: list[tuple[str, str]] | Path = [('a', 'b')]",
    "rated_pairs": "rated_pairs: list[tuple[str, str, float]] | Path = [('a', 'b', 1.0)]",
    "search": f"corpus: {LIST} = ['a']\n"
    f"queries: {LIST} = ['a']  # what to look for, or a file; goes with corpus\n"
    "top_k: int = 3  # hits",
    "ranking": f"candidates: {LIST} = ['a']\nreference: str = 'a'  # goes with candidates",
}
REQUESTS = {
    "sentences": ["--sentences", "my.csv", "--column", "text"],
    "pairs": ["--pairs", "my.csv"],
    "rated_pairs": ["--rated-pairs", "my.csv"],
    "search": ["--corpus", "my.csv", "--column", "text", "--query", "Why?"],
    "ranking": ["--candidates", "my.csv", "--column", "text", "--reference", "Why?"],
}
TABLE = "text,sentence_a,sentence_b,gold\nOne.,A cat.,A dog.,2\nTwo.,A cat.,Cats.,4.5\n"


class Project:
    """A folder with ``notebooks/``, ``notebooks/presets/`` and ``requirements.lock``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notebooks, self.reports = root / "notebooks", root / "reports"
        (self.notebooks / "presets").mkdir(parents=True, exist_ok=True)
        (root / "requirements.lock").write_text("numpy==2.0\n")
        self.home = self.reports / "mini"
        # Short, as sockets need; and only this project's.
        self.temporary = Path(tempfile.mkdtemp(prefix="s"))
        self.mark = uuid.uuid4().hex

    def copied_to(self, root: Path) -> Project:
        shutil.copytree(self.root, root)
        return Project(root)

    def notebook(
        self, stem: str, cells: Iterable[str], title: str | None = None, *, report: bool = False
    ) -> Path:
        """Write a notebook; ``# …`` starts a text cell, ``parameters: …`` the tagged cell."""
        made = []
        for index, text in enumerate([f"# {title or stem.title()}", *cells]):
            code = text.removeprefix("parameters: ")
            new = nbformat.v4.new_markdown_cell if text[0] == "#" else nbformat.v4.new_code_cell
            made.append(new(textwrap.dedent(code).strip(), id=f"c{index}"))
            if code != text:
                made[-1].metadata["tags"] = ["parameters"]
        if report:
            made[0].metadata["tags"] = ["report"]
        path = self.notebooks / f"{stem}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    def with_reports(self) -> Project:
        """Add a lesson, the reports of each kind of file, and a file for them all."""
        typing = "from pathlib import Path\nfrom typing import Literal\n"
        lesson = f"parameters: {typing}sentences: {LIST} = ['a']\nreorder: bool = False"
        numbers = figure("numbers", "'n\\n' + 200_000 * '1\\n'")  # too many to lie in a page
        self.notebook("08_heatmap", [lesson, "print(sentences)", numbers])
        for kind, takes in TAKES.items():
            name = next(iter(takes.split(":")))
            cells = [f"parameters: {typing}{takes}\n{READING}", f"print({name!r}, {name})"]
            cells.append(finding(f"Of {name}: “fine”.", "2 rows", ["One <is>\x1b[2J odd."]))
            self.notebook(f"report_{kind}", cells, report=True)
        self.preset("title: Tutorial\nnotebooks: [08]", name="tutorial")
        (self.root / "my.csv").write_text(TABLE, encoding="utf-8")
        return self

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a notebook, or in ``presets/mini.yaml``."""
        path = self.notebooks / (name if "." in name else f"{name}.ipynb")
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def preset(self, text: str, name: str = "mini") -> None:
        path = self.notebooks / "presets" / f"{name}.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    # Building ----------------------------------------------------------------------------------

    def build(
        self, name: str = "mini", only: list[str] | None = None, **options: Any
    ) -> dict[str, Result]:
        preset = load_preset(name, notebooks_dir=self.notebooks, only=only)
        options = {"kernel": "warm", "jobs": 2, "listener": Listener(), **options}
        results = build(preset, reports=self.reports, root=self.root, **options)
        return {result.name: result for result in results}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", COMMAND, *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        own = {"TMPDIR": str(self.temporary), MARK: self.mark, "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **own, **variables}

    def run(
        self, *arguments: str, input: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=input,
            cwd=self.root,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=180,
        )

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            self.command(*arguments), cwd=self.root, env=self.environment(), **piped | options
        )

    # Looking -----------------------------------------------------------------------------------

    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.home / "manifest.json").read_text("utf-8"))
        return content

    def digests(self) -> dict[str, str]:
        """Give the sha256 of everything published but the manifest."""
        return {
            path.relative_to(self.home).as_posix(): sha256(path)
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and path.name not in ("manifest.json", ".lock")
        }

    def kernels(self) -> list[psutil.Process]:
        """List the processes of this project's commands: builders, warm processes, kernels."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def running(self) -> list[Path]:
        """List the working folders in which a looping notebook has started."""
        places = (each / "work" / "started" for each in self.temporary.glob("stslab-*"))
        return [place for place in places if place.exists()]

    def assert_sound(self) -> None:
        """Every page is complete and as the manifest says; no process, no temporary file is left.

        A kernel whose builder was killed looks for it once a second.
        """
        eventually(lambda: not self.kernels())
        assert list(self.temporary.glob("stslab-*")) == []
        assert not (self.home / ".staging").exists()
        pages = list(self.home.glob("*.html"))
        for page in [*pages, *self.reports.glob("*.html")]:
            assert page.read_text("utf-8").rstrip().endswith("</html>"), page.name
        listed = {}
        for name, entry in self.manifest()["pages"].items():
            listed |= entry["outputs"]
            assert entry["status"] != "built" or f"{name}.html" in entry["outputs"]
        for name, digest in listed.items():
            assert sha256(self.home / name) == digest, name
        unlisted = {page.name for page in pages} - listed.keys() - {"index.html"}
        assert {name for name in unlisted if not name.endswith(".failed.html")} == set()


class Listener(Quiet):
    """Keep what a build says."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def notify(self, text: str) -> None:
        self.heard.append(text)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def eventually(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is true; fail when it never is."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
