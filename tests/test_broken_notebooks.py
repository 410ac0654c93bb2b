"""A notebook that cannot be used costs its own page: other requests go on, and name it once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from projects import Project

from stslab.cli import main
from stslab.report.messages import RequestError
from stslab.report.request.notebooks import Notebooks
from stslab.report.request.parameters import read_parameters
from stslab.report.request.presets import adhoc_preset, load_preset
from stslab.workshop.offline import notebook_files

pytestmark = pytest.mark.usefixtures("bare_kernels")


def with_parameters(source: str, *, cells: int = 1, **kernel: str) -> str:
    """Write a notebook with a parameters cell, as Jupyter saves it."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "p",
        "metadata": {"tags": ["parameters"]},
        "outputs": [],
        "source": source,
    }
    metadata = {"kernelspec": kernel} if kernel else {}
    content: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata}
    return json.dumps(content | {"cells": [cell] * cells})


WHOLE = with_parameters("top_k: int = 3  # answers to show")
# The content of a file, and what is said of it.
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "cut": (WHOLE[: len(WHOLE) // 2], r"not a Jupyter notebook of version 4 \(line 1, column"),
    "empty": ("", r"not a Jupyter notebook of version 4 \(line 1, column 1"),
    "list": ("[]", "not a Jupyter notebook of version 4"),
    "deep": ("[" * 100_000, "not a Jupyter notebook of version 4"),
    "digits": (f'{{"nbformat": {"4" * 5000}}}', "not a Jupyter notebook of version 4"),
    "version-3": ('{"nbformat": 3, "worksheets": []}', "version 4 .*nbformat"),
    "bytes": (WHOLE.encode() + b"\xff", r"byte \d+ is not UTF-8"),
    "utf-16": (WHOLE.encode("utf-16"), "byte 0 is not UTF-8"),
    "syntax": (with_parameters("def f(: pass"), "line 1: not Python"),
    "magic": (with_parameters("%matplotlib inline\nn = 3"), "line 1: not Python"),
    "shell": (with_parameters("n = 3\n!ls"), "line 2: not Python"),
    "computed": (with_parameters("n = len([1])"), "literals only"),
    "two-cells": (with_parameters("n = 3", cells=2), "2 cells are tagged 'parameters'"),
    "half-character": (with_parameters("n = '\ud800'"), "not Python"),
    "r": (with_parameters("n <- 3", name="ir", language="R"), "not allowed"),
    "scala": (with_parameters("val n: Int = 3", name="scala", language="scala"), "not Python"),
    "javascript": (with_parameters("var n = 3;", name="js", language="javascript"), "not Python"),
    "no-union": (with_parameters("n: Union[()] = 3"), "unknown type 'Union"),
    "no-literal": (with_parameters("n: Literal[()] = 3"), "a Literal lists"),
    "no-character": (with_parameters("n: Literal['\\ud800'] = 'a'"), "a Literal lists"),
}


def broken_file(folder: Path, kind: str) -> Path:
    content, _ = BROKEN[kind]
    path = folder / f"77_{kind}.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def mine(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tutorial, a report of each kind of file, and texts; tests work in the project's folder."""
    monkeypatch.chdir(project.root)
    return project.with_reports()


@pytest.fixture
def half(mine: Project) -> Project:
    """Somebody saves one notebook just now, and another has the parameters of R."""
    broken_file(mine.notebooks, "cut")
    broken_file(mine.notebooks, "r")
    return mine


def assert_named_once(text: str) -> None:
    assert [text.count(name) for name in ("77_cut.ipynb", "77_r.ipynb")] == [1, 1], text
    assert text.count("stslab: skipped ") == 2, text


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_with_a_notebook_is_said_to_those_who_ask_for_it(
    mine: Project, kind: str
) -> None:
    """The request is refused before a kernel starts, with the notebook and the reason."""
    path = broken_file(mine.notebooks, kind)
    mine.preset(f"notebooks: [08, {path.stem}]")
    with pytest.raises(RequestError, match=rf"77_{kind}\.ipynb.*{BROKEN[kind][1]}"):
        load_preset("mini", notebooks_dir=mine.notebooks)
    with pytest.raises(RequestError, match=rf"77_{kind}\.ipynb"):
        read_parameters(path)


def test_broken_notebooks_of_every_kind_stop_no_other_request(mine: Project) -> None:
    """Cut, empty, of another version or language; folders, pipes and links to nothing, too."""
    for kind in BROKEN:
        broken_file(mine.notebooks, kind)
    (mine.notebooks / "78_folder.ipynb").mkdir()
    (mine.notebooks / "78_link.ipynb").symlink_to("nowhere")
    (mine.notebooks / "78_loop.ipynb").symlink_to("78_loop.ipynb")
    os.mkfifo(mine.notebooks / "78_pipe.ipynb")
    odd = ["78_folder", "78_link", "78_loop", "78_pipe"]
    books = Notebooks(mine.notebooks)
    assert list(books.unusable) == sorted([*(f"77_{kind}" for kind in BROKEN), *odd])
    assert books.lessons() == ["08_heatmap"]
    assert {"sentences", "pairs", "corpus"} <= books.inputs().keys()
    (job,) = load_preset("tutorial", notebooks_dir=mine.notebooks).jobs
    assert job.name == "08_heatmap"
    files = {"sentences": "my.csv"}
    own = adhoc_preset(notebooks_dir=mine.notebooks, files=files, values={"columns": "text"})
    assert [job.name for job in own.jobs] == ["report_sentences"]
    zipped = {name for name, _ in notebook_files(mine.notebooks)}
    assert "notebooks/08_heatmap.ipynb" in zipped
    assert "notebooks/77_cut.ipynb" not in zipped


def test_another_page_of_the_same_preset_can_be_asked_for(half: Project) -> None:
    """Even with values for all of its notebooks; only the page of the broken one is refused."""
    half.preset("parameters: {sentences: [a]}\nnotebooks: [08, 77_cut]")
    (job,) = load_preset("mini", notebooks_dir=half.notebooks, only=["08"]).jobs
    assert job.name == "08_heatmap"
    with pytest.raises(RequestError, match="77_cut"):
        load_preset("mini", notebooks_dir=half.notebooks, only=["77_cut"])


def test_a_page_is_not_pruned_because_its_notebook_broke(mine: Project) -> None:
    """In a preset of all notebooks it is made again when its notebook is whole."""
    mine.notebook("77_mine", ["print(1)"])
    mine.preset("title: All")
    before = load_preset("mini", notebooks_dir=mine.notebooks)
    assert set(before.pages) == {"08_heatmap", "77_mine"}
    mine.edit("77_mine", "{", "")
    after = load_preset("mini", notebooks_dir=mine.notebooks)
    assert set(after.pages) == {"08_heatmap"}
    assert before.belonging == after.belonging


OWN_FILE = ["report", "--sentences", "my.csv", "--column", "text"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["params", "08"], id="params"),
        pytest.param(["report", "--quiet"], id="tutorial", marks=pytest.mark.thorough),
        pytest.param(OWN_FILE, id="own file", marks=pytest.mark.thorough),
    ],
)
def test_a_command_goes_on_and_names_broken_notebooks_once(
    half: Project, arguments: list[str]
) -> None:
    done = half.run(*arguments)
    assert done.returncode == 0, done.stderr
    assert_named_once(done.stderr)


def test_an_unknown_option_is_refused_with_the_notebooks_that_may_have_had_it(
    half: Project,
) -> None:
    result = CliRunner().invoke(main.commands["report"], ["--invoices", "my.csv"])
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert_named_once(result.output)


def test_who_asks_for_a_broken_notebook_reads_of_it_once(half: Project) -> None:
    """The error says what is wrong; the other broken notebook is named beside it."""
    done = half.run("params", "77_cut")
    assert done.returncode == 2
    assert done.stderr.count("77_cut.ipynb") == 1
    assert done.stderr.endswith("Open it in JupyterLab and save it.\n")
    assert "skipped 77_r.ipynb" in done.stderr


def test_of_many_broken_notebooks_ten_are_named(mine: Project) -> None:
    for number in range(30):
        (mine.notebooks / f"{number}.ipynb").touch()
    result = CliRunner().invoke(main.commands["params"], ["08"])
    assert result.output.count("stslab: skipped /") == 10
    assert "stslab: skipped 20 more notebooks" in result.output


def test_help_is_given_beside_broken_notebooks(half: Project) -> None:
    result = CliRunner().invoke(main.commands["report"], ["--help"])
    assert result.exit_code == 0
    assert "--sentences" in result.output
    assert "77_cut" not in result.output


@pytest.mark.thorough
def test_other_commands_go_on_beside_broken_notebooks(half: Project) -> None:
    """`new`, `lab` and the completion of a shell, which must not print on what is typed."""
    done = half.run("new", "mine", "--sentences", "my.csv", "--column", "text")
    assert done.returncode == 0, done.stderr
    assert_named_once(done.stderr)
    typed = {"COMP_WORDS": "stslab report --sen", "COMP_CWORD": "2"}
    done = half.run(_STSLAB_COMPLETE="bash_complete", **typed)
    assert "77_cut" not in done.stdout + done.stderr


@pytest.mark.thorough
def test_watch_goes_on_beside_broken_notebooks_and_names_them_once(half: Project) -> None:
    """Not each time that it builds again."""
    half.preset("notebooks: [08]")
    process = half.start("watch", "mini", stderr=subprocess.STDOUT)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()

    def wait_for(words: str, count: int, meanwhile: Callable[[], object]) -> None:
        for _ in range(60):
            if sum(words in line for line in lines) >= count:
                return
            meanwhile()
            time.sleep(2)
        raise AssertionError("".join(lines))

    def edit() -> None:  # again and again: what is saved before it watches is not seen
        half.edit("08_heatmap", "print(sentences)", "print(sentences)  # edited")

    try:
        wait_for("watching;", 1, lambda: None)
        builds = sum("08_heatmap" in line for line in lines)
        wait_for("08_heatmap", builds + 1, edit)
        wait_for("08_heatmap", builds + 2, edit)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        reader.join(timeout=60)
        process.stdout.close()
    assert_named_once("".join(lines))
