"""Whatever goes wrong: published pages are whole, the exit code says it, nothing is left behind."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from disks import mounted
from projects import COUNTING, LOOPING, Listener, Project, eventually

from stslab import cli
from stslab.report.building import published
from stslab.report.building.build import Result
from stslab.report.building.folder import LOCK

pytestmark = pytest.mark.thorough

KINDS = ("warm", "fresh")


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Three notebooks, built once."""
    project = Project(tmp_path_factory.mktemp("untroubled") / "project")
    project.notebook("first", COUNTING)
    project.notebook("trouble", ["print('no trouble yet')"])
    project.notebook("last", COUNTING)
    project.preset("timeout: 60\nnotebooks: [first, trouble, last]")
    project.build(kernel="fresh")
    yield project
    shutil.rmtree(project.temporary)


@pytest.fixture
def troubled(
    untroubled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A copy, whose second notebook will be given a trouble."""
    project = untroubled.copied_to(tmp_path / "project")
    monkeypatch.setattr(tempfile, "tempdir", str(project.temporary))
    yield project
    shutil.rmtree(project.temporary)


def said(process: subprocess.CompletedProcess[str]) -> str:
    return " ".join(process.stderr.split())


def assert_others_built(project: Project, error: str) -> None:
    """The trouble cost one page; its last good one stays, and the index leads to the failure."""
    project.assert_sound()
    pages = project.manifest()["pages"]
    assert {name: page["status"] for name, page in pages.items()} == {
        "first": "built", "trouble": "out of date", "last": "built",
    }  # fmt: skip
    assert pages["trouble"]["error"].startswith(error)
    assert "no trouble yet" in (project.home / "trouble.html").read_text("utf-8")
    failed = (project.home / "trouble.failed.html").read_text("utf-8")
    assert 'id="failing-cell"' in failed
    assert error.split(":")[0] in failed
    assert "trouble.failed.html?in=report#failing-cell" in (project.home / "index.html").read_text(
        "utf-8"
    )


# One page's trouble ------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KINDS)
def test_a_kernel_that_is_killed(troubled: Project, kernel: str) -> None:
    """As the system does when memory runs out."""
    troubled.notebook("trouble", [LOOPING])
    process = troubled.start("report", "mini", "--force", "--kernel", kernel)
    eventually(troubled.running)
    (folder,) = {path.parent for path in troubled.running()}
    kernels = [each for each in troubled.kernels() if Path(each.cwd()) == folder]
    assert len(kernels) == 1
    kernels[0].kill()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "trouble failed: DeadKernel: the kernel died: killed from outside" in told
    assert_others_built(troubled, "DeadKernel:")


def test_cells_that_raise_or_crash(troubled: Project) -> None:
    """Each costs its own page, says what it was, and shows the cells before it."""
    wrong = {
        "raise ValueError('not\\nthis one')": "ValueError: not this one",
        "import os; os._exit(1)": "DeadKernel: the kernel died",
        "import ctypes; ctypes.string_at(0)": "DeadKernel: the kernel died",
        "def broken(:": "SyntaxError: invalid syntax (line 1 of the cell that begins 'def br",
        "import sys; sys.exit('no more')": "SystemExit: no more",
    }
    names = ["trouble", *(f"trouble{number}" for number in range(1, len(wrong)))]
    for name, cell in zip(names, wrong, strict=True):
        troubled.notebook(name, ["print('so far so good')", cell, "print('never')"])
    troubled.preset(f"notebooks: [first, {', '.join(names)}, last]")
    done = troubled.run("report", "mini", "--force", "--kernel", "fresh")
    assert done.returncode == 1
    for name, error in zip(names, wrong.values(), strict=True):
        assert f"{name} failed: {error}" in said(done)
        failed = (troubled.home / f"{name}.failed.html").read_text("utf-8")
        assert failed.index('id="failing-cell"') < failed.index("so far so good")
        assert "An Exception was encountered" not in failed
        assert failed.index(error.split(":")[0]) < failed.index("so far so good")
    troubled.assert_sound()
    pages = troubled.manifest()["pages"]
    statuses = [pages.pop(name)["status"] for name in names]
    assert statuses == ["out of date", *["failed"] * (len(wrong) - 1)]
    assert {name: page["status"] for name, page in pages.items()} == {
        "first": "built", "last": "built",
    }  # fmt: skip
    assert "no trouble yet" in (troubled.home / "trouble.html").read_text("utf-8")


def test_cells_that_show_what_is_no_text(project: Project) -> None:
    """One line that names the cell, and nothing from the machinery behind it."""
    send = "k = get_ipython().kernel; k.send_response(k.iopub_socket, "
    wrong = {
        "display({'image/png': 7}, raw=True)": "data, image/png is 7.",
        "display({'text/plain': ['a', None]}, raw=True)": "data, text/plain is ['a', None].",
        f"{send}'stream', {{'name': 'stdout', 'text': 7}})": "text is 7.",
        f"{send}'display_data', {{'data': {{}}}})": "'metadata' is missing.",
        f"{send}'display_data', {{'transient': 7}})": "'int' object has no attribute 'get'.",
        f"{send}'execute_result', {{'execution_count': 'x', 'data': {{}}, 'metadata': {{}}}})": (
            "execution_count is 'x'."
        ),
    }
    for number, cell in enumerate(wrong):
        project.notebook(f"trouble{number}", ["print('so far so good')", cell])
    project.notebook("first", COUNTING)
    project.preset("title: Mini")
    done = project.run("report", "mini")
    assert done.returncode == 1
    pages = project.manifest()["pages"]
    assert pages.pop("first")["status"] == "built"
    start = "OutputError: cell 3 shows what a notebook cannot hold: "
    for page, reason in zip(pages.values(), wrong.values(), strict=True):
        assert page["error"].startswith(f"{start}{reason} Show text")
    failed = (project.home / "trouble0.failed.html").read_text("utf-8")
    assert failed.index('id="failing-cell"') < failed.index("so far so good")
    assert len(done.stderr.splitlines()) < 5 * len(wrong)
    assert not re.search("Traceback|Task|Failed validating|invalid", done.stderr)
    project.assert_sound()


@pytest.mark.parametrize(
    ("kernel", "loop"), [("warm", "while True: pass"), ("fresh", "import time; time.sleep(600)")]
)
def test_a_cell_that_exceeds_its_time(troubled: Project, kernel: str, loop: str) -> None:
    troubled.notebook("trouble", [loop])
    troubled.preset("timeout: 2\nnotebooks: [first, trouble, last]")
    done = troubled.run("report", "mini", "--kernel", kernel)
    assert done.returncode == 1
    assert "the cell ran longer than 2 s. Raise the preset's timeout" in said(done)
    assert_others_built(troubled, "CellTimeout:")


def test_a_page_that_cannot_be_rendered(troubled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours costs that page, too, and no other."""
    export = published.export

    def faulty(notebook: Any, name: str, record: Any) -> str:
        return str(1 // (name != "trouble")) + export(notebook, name, record)[1:]

    monkeypatch.setattr(published, "export", faulty)
    results = troubled.build(force=True, kernel="fresh")
    assert results["trouble"].error == "ZeroDivisionError: integer division or modulo by zero"
    assert [result.status for result in results.values()] == ["built", "failed", "built"]
    troubled.assert_sound()


# Disks -------------------------------------------------------------------------------------------


def fill(folder: Path, leaving: int = 0) -> None:
    """Take all the space that is free but for some bytes."""
    free = shutil.disk_usage(folder).free
    with (folder / "ballast").open("wb") as stream:
        stream.write(b"x" * max(0, free - leaving))


def test_a_disk_that_fills_while_a_page_is_written(troubled: Project) -> None:
    """A page too large for the disk costs itself; the last good one stays to the byte."""
    shutil.rmtree(troubled.reports)
    with mounted(troubled.reports, "size=1500k"):
        assert troubled.run("report", "mini").returncode == 0
        before = troubled.digests()
        troubled.notebook("trouble", ["print('x' * 2_000_000)"])
        troubled.edit("last", "n is", "n equals")
        done = troubled.run("report", "mini", "--jobs", "1")
        assert done.returncode == 1
        file = r"trouble(\.failed)?\.(html|ipynb) could not be written: No space left on device\."
        assert re.search(rf"trouble failed: {file}", said(done))
        troubled.assert_sound()
        after = troubled.digests()
        same = {name for name in before if before[name] == after.get(name)}
        assert {"trouble.html", "trouble.ipynb", "first.html"} <= same
        assert "n equals" in (troubled.home / "last.html").read_text("utf-8")
        assert "Out of date" in (troubled.home / "index.html").read_text("utf-8")

        troubled.notebook("trouble", ["print('small again')"])
        assert troubled.run("report", "mini").returncode == 0
        troubled.assert_sound()


@pytest.mark.parametrize("leaving", [0, 16_384])
def test_a_disk_that_is_full(troubled: Project, leaving: int) -> None:
    """However little is left for page, manifest or index: nothing is half-written."""
    shutil.rmtree(troubled.reports)
    with mounted(troubled.reports, "size=1500k"):
        assert troubled.run("report", "mini").returncode == 0
        before = troubled.digests()
        fill(troubled.reports, leaving)
        done = troubled.run("report", "mini", "--force")
        assert done.returncode == (1 if leaving else 2)
        if leaving:
            named = r"stopped: \S*/(index\.html|manifest\.json|\.lock): No space left on device\."
        else:
            named = r"reports folder \S*/mini: cannot be written \(No space left on device\)"
        assert re.search(named, said(done)), said(done)
        assert "Traceback" not in done.stderr
        troubled.assert_sound()
        after = troubled.digests()
        assert {name: after[name] for name in before if name != "index.html"} == {
            name: digest for name, digest in before.items() if name != "index.html"
        }
        (troubled.reports / "ballast").unlink()
        assert troubled.run("report", "mini").returncode == 0
        assert troubled.digests() == before


def test_no_room_for_temporary_files(troubled: Project) -> None:
    with mounted(troubled.temporary, "size=100k"):
        fill(troubled.temporary, leaving=8_192)
        done = troubled.run("report", "mini", "--force", "--kernel", "fresh")
    assert done.returncode == 1
    assert "No space left on device" in said(done)
    assert "Traceback" not in done.stderr
    troubled.assert_sound()


def test_a_read_only_reports_folder(troubled: Project) -> None:
    shutil.rmtree(troubled.reports)
    with mounted(troubled.reports, "ro"):
        done = troubled.run("report", "mini")
    assert done.returncode == 2
    assert "cannot be written (Read-only file system). Nothing was built." in said(done)


def test_a_reports_folder_that_is_a_file(troubled: Project) -> None:
    shutil.rmtree(troubled.reports)
    troubled.reports.write_text("not a folder")
    done = troubled.run("report", "mini")
    assert done.returncode == 2
    assert "cannot be written" in said(done)


# Surroundings ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("redirection", "kernel"),
    [("2>&-", "warm"), ("<&- >&- 2>&-", "fresh"), ("2>/dev/full", "warm")],
)
def test_a_stream_that_is_closed_or_full(troubled: Project, redirection: str, kernel: str) -> None:
    """Nobody hears of the build; it is done all the same."""
    troubled.notebook("trouble", ["print('still built')"])
    command = shlex.join(troubled.command("report", "mini", "--kernel", kernel))
    shell = {"cwd": troubled.root, "env": troubled.environment(), "shell": True}
    assert subprocess.run(f"{command} {redirection}", **shell).returncode == 0
    assert "still built" in page_of(troubled, "trouble")
    assert troubled.manifest()["pages"]["trouble"]["kernel"] == kernel
    troubled.assert_sound()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_leaves(troubled: Project, options: list[str]) -> None:
    """As `head -1` does: what is left to say is lost, no page is, and the exit code is right."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as both:
        process = troubled.start(
            "report", "mini", "--force", *options, stdout=both, stderr=subprocess.STDOUT
        )
        assert process.wait(timeout=60) == 0
        troubled.notebook("trouble", ["1 / 0"])
        process = troubled.start("report", "mini", *options, stdout=both, stderr=subprocess.STDOUT)
        assert process.wait(timeout=60) == 1
    assert_others_built(troubled, "ZeroDivisionError:")


def limited(project: Project, limits: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = f"ulimit {limits} && exec {shlex.join(project.command(*arguments))}"
    return subprocess.run(
        ["bash", "-c", command], cwd=project.root, env=project.environment(),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="no such limits")
def test_too_few_open_files_are_named_before_a_kernel_starts(troubled: Project) -> None:
    """Without the check, a library ends the process in the middle of a page."""
    done = limited(troubled, "-n 100", "report", "mini", "--force", "--jobs", "16")
    assert done.returncode == 2
    assert "notebooks, 3 at a time, need 224 open files, and the limit is 100" in said(done)
    assert "ulimit -n 224" in said(done)
    troubled.assert_sound()
    assert limited(troubled, "-n 100", "report", "mini").returncode == 0  # nothing to run
    # A limit that may be raised is.
    done = limited(troubled, "-S -n 100", "report", "mini", "--force", "--jobs", "16")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no such limit")
def test_too_little_memory_is_named_before_a_kernel_starts(troubled: Project) -> None:
    done = limited(troubled, "-v 400000", "report", "mini", "--force", "--jobs", "1")
    assert done.returncode == 2
    assert "the limit of memory is 0.4 GiB (ulimit -v)" in said(done)
    assert "Traceback" not in done.stderr
    troubled.assert_sound()


def test_memory_that_runs_out_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("stslab.cli.request.read_request", exhausted)
    done = CliRunner().invoke(cli.main, ["report"])
    assert done.exit_code == 1
    assert done.stderr == "stslab: stopped: out of memory. Pages built before it stay.\n"


NOBODY = "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"


@pytest.mark.skipif(os.name != "posix", reason="homes are found in another way")
def test_a_user_without_a_home(
    troubled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as some number: it works, without a cache of embeddings."""
    (tmp_path / "sitecustomize.py").write_text(NOBODY)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    paths = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    troubled.notebook(
        "trouble",
        ["from stslab.models.cache import cache_file\nimport matplotlib.pyplot\ncache_file()"],
    )
    given = {"PYTHONPATH": paths, "STSLAB_CACHE": ""}
    done = troubled.run("report", "mini", "--kernel", "fresh", "--jobs", "1", **given)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "Matplotlib" not in page_of(troubled, "trouble")
    assert troubled.run("cache", **given).stdout.endswith(": 0 embeddings, 0.0 MB\n")
    for preset in ("~/mini.yaml", "~nosuch/mini.yaml"):
        done = troubled.run("report", preset, **given)
        assert f"unknown preset '{preset}'" in said(done)
        assert done.returncode == 2
    troubled.assert_sound()


# Signals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "sent", "code", "word"),
    [
        ("warm", signal.SIGINT, 130, "interrupted"),
        ("fresh", signal.SIGINT, 130, "interrupted"),
        ("warm", signal.SIGTERM, 143, "terminated"),
    ],
)
def test_a_signal_in_the_middle(
    troubled: Project, kernel: str, sent: signal.Signals, code: int, word: str
) -> None:
    """What was ready is published and accounted for; the rest is as it was."""
    before = troubled.digests()
    troubled.notebook("trouble", [LOOPING])
    troubled.edit("first", "n is", "n equals")
    process = troubled.start("report", "mini", "--kernel", kernel, "--jobs", "2")
    eventually(lambda: troubled.running() and "n equals" in page_of(troubled, "first"))
    process.send_signal(sent)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"stslab: {word}: no page is half-written, no kernel is left." in told
    assert "Traceback" not in told
    troubled.assert_sound()
    assert troubled.digests()["trouble.html"] == before["trouble.html"]
    statuses = {name: page["status"] for name, page in troubled.manifest()["pages"].items()}
    assert set(statuses.values()) == {"built"}


def page_of(project: Project, name: str) -> str:
    return (project.home / f"{name}.html").read_text("utf-8")


def test_an_impatient_user(troubled: Project) -> None:
    """Ctrl-C again and again does not keep the first from tidying up."""
    troubled.notebook("trouble", [LOOPING])
    process = troubled.start("report", "mini")
    eventually(troubled.running)
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    assert process.communicate(timeout=60)[1].count("Traceback") == 0
    assert process.returncode == 130
    troubled.assert_sound()


@pytest.mark.parametrize("seconds", [0, 1.3])
def test_a_signal_at_any_time(troubled: Project, seconds: float) -> None:
    """While it plans, while kernels start, while pages are rendered, written and indexed."""
    (troubled.home / LOCK).unlink()
    runs = ", ".join(f"{{notebook: first, name: run-{number}}}" for number in range(8))
    troubled.preset(f"notebooks: [{runs}]")
    process = troubled.start("report", "mini", "--force")
    eventually(lambda: (troubled.home / LOCK).exists())  # it has begun
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode in (130, 0), told  # 0: it was ready
    assert "Traceback" not in told
    troubled.assert_sound()


@pytest.mark.usefixtures("interruptible")
def test_a_signal_between_two_pages(troubled: Project) -> None:
    """It is kept until the page that is being published is accounted for; one is enough."""

    class Impatient(Listener):
        def finished(self, result: Result) -> None:
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        troubled.build(force=True, kernel="fresh", listener=Impatient())
    troubled.assert_sound()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_listener_that_fails_ends_the_kernels(troubled: Project) -> None:
    """As when the reader of a pipe has left."""

    class Broken(Listener):
        def finished(self, result: Result) -> None:
            raise BrokenPipeError

    troubled.notebook("last", [LOOPING])
    with pytest.raises(BrokenPipeError):
        troubled.build(force=True, kernel="fresh", listener=Broken())
    troubled.assert_sound()


# Two at once -------------------------------------------------------------------------------------


def test_two_builds_of_one_preset_at_once(troubled: Project) -> None:
    """The second waits, says so, and finds its work done."""
    troubled.notebook("trouble", ["import time; time.sleep(3)"])
    one = troubled.start("report", "mini")
    eventually(lambda: list(troubled.temporary.glob("stslab-*")))
    two = troubled.start("report", "mini")
    _, told_one = one.communicate(timeout=90)
    _, told_two = two.communicate(timeout=90)
    assert (one.returncode, two.returncode) == (0, 0)
    assert "✓ trouble  built" in told_one
    assert "another build of 'mini' is running: waiting for it" in told_two
    assert "· trouble  unchanged" in told_two
    troubled.assert_sound()


def test_builds_of_two_presets_at_once_are_both_listed(troubled: Project) -> None:
    troubled.preset("notebooks: [first]", name="another")
    both = [troubled.start("report", name, "--force") for name in ("mini", "another")]
    assert [process.communicate(timeout=90) and process.returncode for process in both] == [0, 0]
    index = (troubled.reports / "index.html").read_text("utf-8")
    assert "mini/index.html" in index
    assert "another/index.html" in index
    troubled.assert_sound()


def test_a_build_after_one_that_was_killed(troubled: Project) -> None:
    """The system frees a killed build's lock."""
    troubled.notebook("trouble", [LOOPING])
    process = troubled.start("report", "mini")
    eventually(troubled.running)
    process.kill()
    process.communicate()
    troubled.notebook("trouble", ["print('no trouble yet')"])
    for folder in troubled.temporary.glob("stslab-*/.in-use"):
        os.utime(folder, (0, 0))
    done = troubled.run("report", "mini", "--force")
    assert (done.returncode, "waiting" in done.stderr) == (0, False)
    troubled.assert_sound()
