"""Warm kernels are real kernels, alike in all but the seconds they save, and leave nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from projects import BARE, LOOPING, Project, eventually

from stslab.report.running import engine, kernels
from stslab.report.running.run import GivenUp, RunResult, Work, give_up, run

pytestmark = [
    pytest.mark.usefixtures("bare_kernels", "project"),
    pytest.mark.skipif(kernels.default_kind() == "fresh", reason="no warm kernels here"),
]
KINDS = ("warm", "fresh")


def notebook(*cells: str) -> str:
    made = [
        {"cell_type": "code", "id": f"c{index}", "metadata": {}, "source": cell,
         "outputs": [], "execution_count": None}
        for index, cell in enumerate(cells)
    ]  # fmt: skip
    about = {"kernelspec": {"name": "python3", "display_name": "3", "language": "python"}}
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def ran(*cells: str, kernel: Any = "warm", **options: Any) -> RunResult:
    return run(Work("page", notebook(*cells), kernel=kernel, **options))


def printed(done: RunResult) -> str:
    assert done.error is None, done.error
    outputs = [each for cell in json.loads(done.notebook)["cells"] for each in cell["outputs"]]
    return "".join("".join(each["text"]) for each in outputs)


def child_processes() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


# Alike -------------------------------------------------------------------------------------------

SELF_PORTRAIT = """
import json, locale, os, random, signal, sys, threading, time, warnings
import numpy
own = os.environ["IPYTHONDIR"]
environ = {k: v.replace(own, "OWN") for k, v in os.environ.items() if k != "JPY_PARENT_PID"}
environ = {k: v for k, v in environ.items() if k != "JPY_SESSION_NAME"}
handlers = {s.name: str(signal.getsignal(s)).split(" at ")[0] for s in signal.Signals}
print(json.dumps({
    "environ": environ, "handlers": handlers, "path": sys.path, "cwd": os.listdir(),
    "flags": str(sys.flags), "argv": sys.argv[1:2], "name": __name__, "locale": locale.getlocale(),
    "main": sorted(vars(sys.modules["__main__"]))[:5], "umask": os.umask(0o22),
    "random": [random.random(), numpy.random.rand()], "hash": hash("a"),
    "leader": os.getpgid(0) == os.getpid(),
    "filters": sorted({str(f) for f in warnings.filters}), "zone": time.tzname,
    "encoding": [sys.stdout.encoding, sys.getfilesystemencoding()],
    "helper": sorted(n for n in sys.modules if n.split(".")[0] == "stslab"),
    "threads": sorted(t.name for t in threading.enumerate() if "Thread" not in t.name),
}))
"""


def test_warm_and_fresh_kernels_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment, paths, signals, seeds, filters, clock: what code can see of its kernel."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    warm, fresh = (json.loads(printed(ran(SELF_PORTRAIT, kernel=kind))) for kind in KINDS)
    for key in warm:
        assert warm[key] == fresh[key], key
    assert warm["environ"]["TZ"] == "UTC"
    assert warm["helper"] == []
    assert warm["cwd"] == []


@pytest.mark.parametrize("kernel", KINDS)
def test_no_ones_own_settings_reach_a_kernel(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start-up file, an IPython profile, a matplotlibrc: another person's page would differ."""
    (tmp_path / "start.py").write_text("print('start-up file')")
    profile = tmp_path / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00.py").write_text("print('profile')")
    (tmp_path / "matplotlibrc").write_text("font.size: 99")
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "start.py"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path / "matplotlibrc"))
    monkeypatch.chdir(tmp_path)
    code = "import matplotlib; print(matplotlib.rcParams['font.size'])"
    assert printed(ran(code, kernel=kernel)) == "10.0\n"


@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("given", ["kept/here", "off", ""])
def test_a_folder_for_the_cache_is_meant_from_where_the_command_was_started(
    kernel: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from a kernel's own folder, which is removed after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STSLAB_CACHE", given)
    meant = str(tmp_path / given) if "/" in given else given
    assert (
        printed(ran("import os\nprint(os.environ['STSLAB_CACHE'])", kernel=kernel)) == f"{meant}\n"
    )


def test_each_kernel_has_a_namespace_of_its_own() -> None:
    """What one notebook defines or imports, the next does not see."""
    first = ran("import this_is_not_there_yet", "x = 1")
    assert "ModuleNotFoundError" in str(first.error)
    ran("x = 1; import wave; wave.x = 1; import numpy; numpy.x = 1")
    seen = printed(
        ran(
            "import sys, numpy\nprint('x' in globals(), 'wave' in sys.modules, hasattr(numpy, 'x'))"
        )
    )
    assert seen == "False False False\n"


@pytest.mark.parametrize("kernel", KINDS)
def test_nothing_but_the_page_hears_of_a_run(
    kernel: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Prints of its processes, log lines, tracebacks of the machinery: no terminal shows them."""
    ran("import subprocess\n_ = subprocess.run('echo hello; echo hello >&2', shell=True)", "x=1")
    ran("1 / 0", kernel=kernel)
    ran("import time; time.sleep(9)", kernel=kernel, timeout=1)
    ran("import os; os._exit(3)", kernel=kernel)
    ran("import ctypes; ctypes.string_at(0)", kernel=kernel)
    assert capfd.readouterr() == ("", "")


def test_a_file_given_to_a_notebook_is_a_copy(tmp_path: Path) -> None:
    """A notebook cannot harm its input, and knows no folder of ours."""
    (tmp_path / "texts.txt").write_text("mine")
    code = "open(sentences, 'a').write('yours')\nprint(sentences, open(sentences).read())"
    source = json.loads(notebook("sentences = 'x'", code))
    source["cells"][0]["metadata"]["tags"] = ["parameters"]
    inputs = {"sentences": ("texts.txt", tmp_path / "texts.txt")}
    done = run(Work("page", json.dumps(source), inputs=inputs, kernel="warm"))
    assert "sentences/texts.txt mineyours" in done.notebook
    assert (tmp_path / "texts.txt").read_text() == "mine"


# Ending ------------------------------------------------------------------------------------------


STARTS = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)"
STARTS_APART = "import subprocess\nprint(subprocess.Popen(['setsid', 'sleep', '600']).pid)"
STARTS_A_DAEMON = "print(get_ipython().getoutput('setsid sleep 600 >/dev/null 2>&1 & echo $!')[0])"


@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("code", [STARTS, STARTS_APART, STARTS_A_DAEMON])
def test_what_a_notebook_started_ends_with_it(kernel: str, code: str) -> None:
    """Also in a session of its own, and when what started it has ended."""
    done = ran(code, kernel=kernel)
    pid = int(printed(done))
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def test_a_kernel_ends_with_a_builder_that_was_killed(project: Project) -> None:
    """Nobody could tell it to; it looks for its parent once a second."""
    project.notebook("loops", [LOOPING])
    project.preset("notebooks: [loops]")
    for kernel in KINDS:
        process = project.start("report", "mini", "--kernel", kernel)
        eventually(project.running)
        process.kill()
        process.communicate()
        eventually(lambda: not project.kernels())
        for folder in project.temporary.glob("stslab-*"):
            os.utime(folder / ".in-use", (0, 0))
    done = ran("1")  # and the next run clears its temporary folder away
    assert done.error is None
    assert list(project.temporary.glob("stslab-*")) == []


def test_a_build_that_was_given_up_starts_no_kernel_and_ends_those_that_run() -> None:
    threading.Timer(1, give_up, ["one"]).start()
    assert "DeadKernel" in str(ran("while True: pass", build="one").error)
    with pytest.raises(GivenUp):
        ran("1", build="one")
    assert ran("1", build="another").error is None


# The watchdog ------------------------------------------------------------------------------------

HANGS_ONCE = """
import pathlib, threading
first = pathlib.Path({flag!r})
if not first.exists():
    first.touch()
    threading.Event().wait()
print("got through")
"""


def test_a_warm_kernel_that_hangs_is_replaced_by_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fork that a library does not bear: no CPU time is used, for ever."""
    monkeypatch.setattr(engine, "STALL", 2.0)
    done = ran("x = 1", HANGS_ONCE.format(flag=str(tmp_path / "first")))
    assert printed(done) == "got through\n"
    assert (done.kernel, done.fell_back) == ("fresh", "a warm kernel used no CPU for 2 s")


@pytest.mark.thorough
def test_work_in_another_process_is_no_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "STALL", 2.0)
    busy = "import time; end = time.time() + 4\nwhile time.time() < end: pass"
    done = ran(f"import subprocess, sys\n_ = subprocess.run([sys.executable, '-c', {busy!r}])")
    assert (done.error, done.kernel) == (None, "warm")


def test_without_a_warm_process_kernels_are_fresh_and_say_why(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps it from starting, the page is made."""
    kernels.cool_down()
    monkeypatch.setattr(kernels, "PRELOAD", ["antigravity_of_another_kind", *BARE])
    assert ran("1").kernel == "warm"  # a missing module costs only time
    kernels.cool_down()
    monkeypatch.setattr(kernels, "PRELOAD", None)
    project.notebook("page", ["print('made')"])
    project.preset("notebooks: [page]")
    result = project.build()["page"]
    assert (result.status, project.manifest()["pages"]["page"]["kernel"]) == ("built", "fresh")
    assert "it ran on a fresh kernel: a warm kernel did not start" in result.warnings[0]
    kernels.cool_down()


def test_a_kernel_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are part of the message: nothing else would tell."""
    command = [sys.executable, "-c", "import nosuch"]
    monkeypatch.setattr(engine, "make_ipkernel_cmd", lambda: command)
    error = str(ran("1", kernel="fresh").error)
    assert error.startswith("KernelDidNotStart: ")
    assert "ModuleNotFoundError: No module named 'nosuch'" in error


def test_text_whose_kernel_does_not_start_gets_a_cell_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no cell of its own to put the error into."""
    monkeypatch.setattr(engine, "make_ipkernel_cmd", lambda: [sys.executable, "-c", ""])
    content = json.loads(notebook())
    content["cells"] = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Text"}]
    done = run(Work("page", json.dumps(content)))
    assert str(done.error).startswith("KernelDidNotStart: ")
    *_, text, banner, cell = json.loads(done.notebook)["cells"]
    assert (text["id"], banner["cell_type"]) == ("a", "markdown")
    assert cell["outputs"][0]["ename"] == "KernelDidNotStart"


def test_the_warm_process_starts_again_after_it_was_killed() -> None:
    for _ in range(2):
        assert ran("1").kernel == "warm"
        processes = child_processes()
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=30)


def test_a_long_path_for_temporary_files_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sockets in files need short paths; beyond, ports are used."""
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    assert printed(ran("print(1)")) == "1\n"
    assert list(long.iterdir()) == []


def test_a_folder_for_temporary_files_may_have_braces_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """papermill fills parameters into the path of its output."""
    braced = tmp_path / "t{x}{}"
    braced.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(braced))
    assert printed(ran("print(1)")) == "1\n"
    assert ran("1 / 0").error == "ZeroDivisionError: division by zero"


def test_an_error_that_a_kernel_cannot_show_is_named() -> None:
    """IPython opens files to show an error; without any left, only its answer holds the error."""
    fails = "def fails(*_, **__): raise OSError(24, 'Too many open files')\n"
    done = ran(f"{fails}get_ipython().showtraceback = fails", "1 / 0")
    assert done.error == "OSError: [Errno 24] Too many open files"


# Late outputs ------------------------------------------------------------------------------------

MANY_OUTPUTS = "for number in range(14):\n    display(number)"


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take 0.3 s for each message of a kernel."""
    really = engine._Client.process_message

    def process_message(self: Any, *arguments: Any) -> Any:
        time.sleep(0.3)
        return really(self, *arguments)

    monkeypatch.setattr(engine._Client, "process_message", process_message)


@pytest.mark.usefixtures("slow_machine")
@pytest.mark.thorough
def test_outputs_that_arrive_long_after_their_cell_are_waited_for() -> None:
    """As those of a hundred megabytes do on a slow machine; papermill's own limit is 4 s."""
    done = ran(MANY_OUTPUTS)
    (cell,) = json.loads(done.notebook)["cells"]
    assert (done.error, len(cell["outputs"])) == (None, 14)


@pytest.mark.usefixtures("slow_machine")
@pytest.mark.parametrize("timeout", [None, 60])
def test_outputs_that_do_not_arrive_are_not_called_a_slow_cell(
    timeout: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a time limit is set or not, the message names what was waited for."""
    monkeypatch.setattr(engine, "OUTPUTS", 1)
    error = str(ran(MANY_OUTPUTS, timeout=timeout).error)
    assert error.startswith("OutputTimeout: the cell ended, but its outputs did not arrive within")
    assert "None" not in error


# Quick -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_trivial_notebook_on_a_warm_kernel_takes_less_than_half_a_second() -> None:
    """A timing of its own: run it on a quiet machine."""
    ran("1")
    seconds = [ran("x = 1", "print(x)").seconds for _ in range(7)]
    assert median(seconds) < 0.5, seconds


def test_the_command_line_answers_without_the_machinery() -> None:
    """`stslab --help` and an unchanged report import neither nbformat nor papermill nor torch."""
    code = "import sys, stslab.cli, stslab.report.building.build; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"nbformat", "papermill", "nbconvert", "torch", "pandas", "numpy", "matplotlib"}
    assert heavy & set(done.stdout.split()) == set()


def test_an_interrupt_at_the_terminal_is_for_the_builder(project: Project) -> None:
    """Ctrl-C goes to a whole group of processes; kernels are in others."""
    project.notebook("loops", [LOOPING])
    project.preset("notebooks: [loops]")
    process = project.start("report", "mini", start_new_session=True)
    eventually(project.running)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "stslab: interrupted: no page is half-written, no kernel is left."
    eventually(lambda: not project.kernels())
