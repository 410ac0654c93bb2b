"""Pages are built once, completely, with the same bytes, and named without surprises."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from projects import COUNTING, Listener, Project, figure, finding
from reading import Page

pytestmark = pytest.mark.usefixtures("bare_kernels")

ECHO = [
    "from pathlib import Path\nsentences: list[str] | Path = ['a']",
    "print('READ', Path(sentences).read_text())",
    figure("line", "f'sentence\\n{Path(sentences).read_text()}'"),
]


def campaign(project: Project, runs: int) -> None:
    """One notebook, run with a file of its own each."""
    project.notebook("echo", ["parameters: " + ECHO[0], *ECHO[1:]])
    lines = ["notebooks:"]
    for number in range(runs):
        (project.notebooks / "presets" / f"{number}.txt").write_text(f"sentence number {number}")
        parameters = f"parameters: {{sentences: {number}.txt}}"
        lines.append(f"  - {{notebook: echo, name: run-{number}, {parameters}}}")
    project.preset("\n".join(lines))


def assert_each_holds_its_own(project: Project, runs: int) -> None:
    for number in range(runs):
        said = f"sentence number {number}"
        page = (project.home / f"run-{number}.html").read_text("utf-8")
        assert set(re.findall(r"READ (sentence number \d+)", page)) == {said}
        data = (project.home / "data" / f"run-{number}-line.csv").read_text("utf-8")
        assert data == f"sentence\n{said}"


def links(page: Path) -> list[str]:
    """List where a page's links lead, as files beside it."""
    tags = Page(page.read_text("utf-8")).tags
    found = [each.get("href") or each.get("data-page") or "" for _, each in tags]
    own = [
        re.split("[?#]", link)[0] for link in found if not link.startswith(("#", "data:", "http"))
    ]
    return [unquote(link) for link in own if link]


# Campaigns ---------------------------------------------------------------------------------------


def test_a_campaign_of_runs_gives_each_page_its_own_sentences(project: Project) -> None:
    """Runs beside each other never see each other's parameters, files or outputs."""
    campaign(project, 6)
    results = project.build()
    assert {result.status for result in results.values()} == {"built"}
    assert list(results) == [f"run-{number}" for number in range(6)]
    assert_each_holds_its_own(project, 6)
    project.assert_sound()


def test_runs_of_one_notebook_are_told_apart_in_the_index(project: Project) -> None:
    """A list of equal titles would help nobody to find a page."""
    campaign(project, 2)
    project.build()
    index = (project.home / "index.html").read_text("utf-8")
    assert "Echo · run-0" in index
    assert "Echo · run-1" in index


@pytest.mark.slow
def test_a_hundred_runs_cost_little_and_memory_stays_flat(project: Project) -> None:
    """At most 2 CPU-seconds a page after start-up, kernels counted; all pages correct."""
    campaign(project, 100)
    project.notebook("echo", [
        "parameters: " + ECHO[0],
        *ECHO[1:],
        "from stslab import heatmap, load_model, show_figure, similarity_matrix",
        "texts = [Path(sentences).read_text(), 'The cat sleeps.', 'A dog barks.']",
        "matrix = similarity_matrix(texts, model=load_model())",
        "show_figure(heatmap(matrix, title='How alike?'), 'matrix')",
        "import time; print('CPU', time.process_time())",
    ])  # fmt: skip
    command = [sys.executable, "-m", "stslab.report", "report", "mini", "--jobs", "2"]
    environment = project.environment()
    with subprocess.Popen(
        command, cwd=project.root, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        builder = psutil.Process(process.pid)
        memory, builders_cpu, told = [], [], []
        assert process.stderr
        for line in process.stderr:
            told.append(line)
            if " built in " in line:
                memory.append(builder.memory_info().rss / 2**20)
                builders_cpu.append(sum(builder.cpu_times()[:2]))
    assert process.returncode == 0, told
    assert len(memory) == 100
    assert_each_holds_its_own(project, 100)
    texts = [path.read_text("utf-8") for path in project.home.glob("run-*.ipynb")]
    kernels_cpu = [float(match[1]) for text in texts if (match := re.search(r"CPU (.*?)\\n", text))]
    a_page = sum(kernels_cpu) / 100 + (builders_cpu[-1] - builders_cpu[0]) / 99
    print(f"CPU-seconds a page: {a_page:.2f}, in its kernel {sum(kernels_cpu) / 100:.2f}")
    print(f"builder's MiB after 10, 50, 100: {[round(memory[n]) for n in (9, 49, 99)]}")
    assert len(kernels_cpu) == 100
    assert a_page <= 2
    assert memory[99] - memory[9] < 40
    project.assert_sound()


# Same bytes --------------------------------------------------------------------------------------


def volatile_project(project: Project) -> Project:
    """Sets, random numbers, times, paths and figures: all that could differ, done properly."""
    project.notebook("count", COUNTING)
    project.notebook("chance", [
        "import random, numpy\nprint(random.random(), numpy.random.rand())",
        "print({'a', 'b', 'c'}, hash('text'))",
        "import time, os\nprint(time.strftime('%Z %H', time.localtime(0)), os.listdir())",
        "for i in range(300): print(i, flush=i % 7 == 0)",
        figure("dot"),
    ])  # fmt: skip
    project.preset("notebooks: [count, {notebook: count, name: five, parameters: {n: 5}}, chance]")
    return project


def test_forced_builds_jobs_and_kernels_give_the_same_bytes(project: Project) -> None:
    """Every page, figure, CSV file and executed notebook, whatever the way of running."""
    volatile_project(project)
    digests = []
    for kernel, jobs in (("warm", 2), ("warm", 1), ("warm", 2), ("fresh", 2)):
        results = project.build(force=True, kernel=kernel, jobs=jobs)
        assert [result.error for result in results.values()] == [None] * 3
        assert [result.warnings for result in results.values()] == [[]] * 3
        digests.append(project.digests())
    assert {"five.html", "figures/five-line.svg", "data/chance-dot.csv"} <= digests[0].keys()
    assert digests[0] == digests[1] == digests[2] == digests[3]


@pytest.mark.thorough
def test_two_copies_elsewhere_under_other_clocks_give_the_same_bytes(
    project: Project, tmp_path: Path
) -> None:
    """Neither a folder's name nor a time zone nor a locale nor someone's settings reach a page."""
    volatile_project(project)
    other = project.copied_to(tmp_path / "elsewhere" / "my copy")
    shutil.rmtree(other.notebooks / "presets" / "nothing", ignore_errors=True)
    start_up = tmp_path / "startup.py"
    start_up.write_text("print('from my startup file')")
    one = project.run("report", "mini", TZ="Pacific/Kiritimati", LANG="C")
    two = other.run(
        "report", "mini", TZ="America/New_York", PYTHONSTARTUP=str(start_up), COLUMNS="40"
    )
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert project.digests() == other.digests()
    assert len(project.digests()) == 3 * 2 + 3 * 2 + 1
    shutil.rmtree(other.temporary)


# What is published -------------------------------------------------------------------------------


def test_a_page_that_is_pruned_loses_its_files_and_others_keep_theirs(project: Project) -> None:
    """`ONLY` builds a part of a preset and removes nothing, nor does a shorter preset by itself."""
    project.notebook("count", COUNTING)
    project.preset("notebooks: [count, {notebook: count, name: b}, {notebook: count, name: c}]")
    project.build()
    assert list(project.build(only=["b"])) == ["b"]
    assert len(project.digests()) == 3 * 4 + 1
    project.preset("notebooks: [count, {notebook: count, name: c}]")
    project.build(only=["count"])
    assert len(project.digests()) == 3 * 4 + 1
    project.build(only=["count"], prune=True)
    left = project.digests()
    assert not [name for name in left if re.search(r"\bb\b", name)]
    assert {"c.html", "figures/c-line.svg"} <= left.keys()
    project.assert_sound()


def test_names_that_would_share_a_file_are_refused(project: Project) -> None:
    """Page a with figure b-c and page a-b with figure c would both write figures/a-b-c.svg."""
    project.notebook("a", [figure("b-c")])
    project.notebook("a-b", [figure("c")])
    project.preset("notebooks: [a, a-b]")
    results = project.build(jobs=1)
    assert results["a"].status == "built"
    assert "figures/a-b-c.svg is a file of the page 'a' already" in str(results["a-b"].error)
    project.assert_sound()


def test_two_outputs_of_one_name_are_refused(project: Project) -> None:
    project.notebook("a", [figure("b"), figure("b")])
    project.preset("notebooks: [a]")
    assert "cells 2 and 3 both show 'b'" in str(project.build()["a"].error)


@pytest.mark.parametrize("name", ["../../escaped", "a/b", "A", "a b", "", "a\0"])
def test_the_name_of_an_output_is_never_a_path(project: Project, name: str) -> None:
    """A notebook from elsewhere can call its figure anything."""
    project.notebook("a", [figure(name)])
    project.preset("notebooks: [a]")
    result = project.build()["a"]
    if name:
        assert "cell 2 shows something under the name" in str(result.error)
    assert not list(project.root.rglob("*escaped*"))
    assert not list(project.home.rglob("figures/*"))


def test_links_lead_to_pages_whatever_their_names(project: Project) -> None:
    """Spaces, hashes, per cents and other scripts are quoted in addresses."""
    project.notebook("count", COUNTING)
    project.notebook("failing", ["1 / 0"])
    runs = [f"  - {{notebook: count, name: '{n}'}}" for n in ("100 % of #1", "où & co", "文")]
    failing = "  - {notebook: failing, name: 'fails #2'}"
    project.preset("\n".join(["notebooks:", *runs, failing]))
    project.build()
    for page in [*project.home.glob("*.html"), project.reports / "index.html"]:
        for link in links(page):
            never_built = link == "fails #2.html"
            assert never_built or (page.parent / link).is_file(), (page.name, link)
    index = (project.home / "index.html").read_text("utf-8")
    assert 'href="100%20%25%20of%20%231.html?in=report"' in index
    assert 'href="fails%20%232.failed.html?in=report#failing-cell"' in index
    failed = (project.home / "fails #2.failed.html").read_text("utf-8")
    assert 'id="failing-cell"' in failed


def test_a_page_links_to_pages_that_are_there(project: Project) -> None:
    """With `ONLY`, neighbours that were never built are left out; later they are linked."""
    project.notebook("count", COUNTING)
    project.preset("notebooks: [count, {notebook: count, name: b}]")
    project.build(only=["b"])
    assert "count.html" not in links(project.home / "b.html")
    assert project.build()["b"].reasons == ["preset and neighbors changed"]
    assert "count.html" in links(project.home / "b.html")


def test_a_page_cannot_take_the_name_of_anothers_failed_notebook(project: Project) -> None:
    project.notebook("count", COUNTING)
    project.preset("notebooks: [{notebook: count, name: count.failed}]")
    done = project.run("report", "mini")
    assert done.returncode == 2
    assert "count.failed" in done.stderr


def test_what_a_killed_build_left_is_cleared_away(project: Project) -> None:
    """A stale staging folder neither stays nor gets published."""
    project.notebook("count", COUNTING)
    project.preset("notebooks: [count]")
    (project.home / ".staging").mkdir(parents=True)
    (project.home / ".staging" / "count.html").write_text("half a page")
    left = project.temporary / "stslab-old"
    left.mkdir()
    (left / ".in-use").touch()
    os.utime(left / ".in-use", (0, 0))
    project.build()
    project.assert_sound()


# Saying ------------------------------------------------------------------------------------------


def test_a_build_says_that_the_cache_of_embeddings_was_damaged_and_no_page_does(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path))
    (tmp_path / "embeddings.sqlite").write_bytes(b"no database" * 100)
    project.notebook("count", COUNTING)
    project.preset("notebooks: [count]")
    heard = []
    for _ in range(2):
        listener = Listener()
        project.build(listener=listener, force=True)
        heard.append([text.partition(" was ")[2] for text in listener.heard])
    words = "damaged or made by another version of stslab. It was started anew."
    assert heard == [[words], []]


def test_json_is_one_document_and_quiet_is_quiet(project: Project) -> None:
    """For scripts: standard output holds the result and nothing else."""
    project.notebook("count", COUNTING)
    project.notebook("failing", ["raise ValueError('no')"])
    project.preset("notebooks: [count]")
    quiet = project.run("report", "mini", "--quiet", "--kernel", "fresh")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    project.preset("notebooks: [count, failing]")
    told = project.run("report", "mini", "--json", "--kernel", "fresh")
    assert told.returncode == 1
    content = json.loads(told.stdout)
    count, failing = content["pages"]
    assert (count["name"], count["status"]) == ("count", "rendered")
    assert (failing["status"], failing["error"]) == ("failed", "ValueError: no")
    assert Path(project.root / content["index"]).is_file()
    assert told.stderr == "stslab: failing failed: ValueError: no\n"


def test_plain_lines_say_what_became_of_each_page_and_why(project: Project) -> None:
    project.notebook("count", COUNTING)
    project.preset("notebooks: [count]")
    first = project.run("report", "mini", "--kernel", "fresh")
    assert re.fullmatch(r"✓ count  built in \d+\.\d s  \(never built\)\n", first.stderr)
    assert first.stdout == "reports/mini/index.html\n"
    project.preset("notebooks: [{notebook: count, parameters: {n: 4}}]\ntitle: Other")
    again = project.run("report", "mini", "--kernel", "fresh", "--explain")
    assert "    parameter n is new" in again.stderr
    unchanged = project.run("report", "mini")
    assert unchanged.stderr == "· count  unchanged  (nothing changed)\n"


def test_a_terminal_shows_live_lines_and_a_closing_table(project: Project) -> None:
    """A line per running notebook with its cell and seconds, then a table."""
    well = finding("All is well.", cautions=["But slow."])
    project.notebook("slow", ["import time; time.sleep(1.5)", "1 + 1", well])
    project.notebook("failing", ["1 / 0"])
    project.preset("notebooks: [slow, failing]")
    ours, theirs = pty.openpty()
    process = project.start("report", "mini", stderr=theirs, stdout=theirs, stdin=theirs)
    os.close(theirs)
    screen = b""
    while True:
        try:
            screen += os.read(ours, 4096)
        except OSError:  # the other end closed
            break
    os.close(ours)
    assert process.wait(60) == 1
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.decode())
    assert re.search(r"running\s+slow\s+cell 2 of 4\s+\d\.\d s", text)
    assert re.search(r"slow\s+All is well\.\s+! But slow\.", text)
    assert re.search(r"✓\s+slow\s+built\s+\d\.\d\s+never built", text)
    assert re.search(r"✗\s+failing\s+failed", text)
    assert "ZeroDivisionError" in text


def test_the_first_words_about_volatile_outputs_name_the_cell(project: Project) -> None:
    """In the manifest, and on standard error."""
    project.notebook("odd", ["print(object())", "print('fine')"])
    project.preset("notebooks: [odd]")
    done = project.run("report", "mini", "--quiet", "--kernel", "fresh")
    assert done.returncode == 0
    assert "odd, cell 2 (c1): its output holds an object's address" in done.stderr
    assert "cell 2 (c1)" in project.manifest()["pages"]["odd"]["warnings"][0]


def test_an_output_that_changes_by_itself_is_found_out(project: Project) -> None:
    """No pattern knows a random number; a second run on the same things does."""
    project.notebook("odd", ["import os; print(os.urandom(4).hex())", "print('fine')"])
    project.preset("notebooks: [odd]")
    assert project.build()["odd"].warnings == []
    (warning,) = project.build(force=True)["odd"].warnings
    assert "cell 2 (c1): its output is not the one of the last build" in warning


# Outputs -----------------------------------------------------------------------------------------


def test_what_is_printed_in_pieces_is_one_output(project: Project) -> None:
    """Two streams, each whole, and of a progress bar what a terminal shows last."""
    bar = "for i in range(50): print(f'\\r{i} of 50', end='', file=sys.stderr, flush=True)"
    both = "for i in range(50): print(i, flush=True); print('e', i, file=sys.stderr, flush=True)"
    project.notebook("odd", ["import sys\n" + bar, both])
    project.preset("notebooks: [odd]")
    project.build()
    cells = json.loads((project.home / "odd.ipynb").read_text("utf-8"))["cells"]
    said = [[(o["name"], "".join(o["text"])) for o in cell["outputs"]] for cell in cells[1:]]
    numbers = [str(number) for number in range(50)]
    assert said[0] == [("stderr", "49 of 50")]
    assert said[1] == [
        ("stdout", "\n".join([*numbers, ""])),
        ("stderr", "\n".join([*(f"e {number}" for number in numbers), ""])),
    ]


def test_a_line_of_a_megabyte_takes_no_longer_than_many_lines(project: Project) -> None:
    """nbclient's own joining of streams would take hours."""
    project.notebook("long", ["print('x' * 1_000_000)"])
    project.preset("notebooks: [long]\ntimeout: 60")
    result = project.build()["long"]
    assert result.error is None
    assert result.seconds < 20


def test_a_page_links_to_none_that_is_not_there(project: Project) -> None:
    """One that failed is linked to once it is built."""
    for name, code in {"one": "print(1)", "two": "1 / 0", "three": "print(3)"}.items():
        project.notebook(name, ["## More\n\nSee [the second](two.ipynb).", code])
    project.preset("notebooks: [one, two, three]\n")

    def links() -> dict[str, set[str]]:
        pages = [project.home / f"{name}.html" for name in ("one", "three")]
        return {
            page.stem: set(re.findall(r'data-page="(\w+\.html)"', page.read_text()))
            for page in pages
        }

    project.build()
    assert links() == {"one": {"index.html", "three.html"}, "three": {"index.html", "one.html"}}
    project.edit("two", "1 / 0", "print(2)")
    statuses = {name: result.status for name, result in project.build().items()}
    assert statuses == {"one": "unchanged", "two": "built", "three": "unchanged"}
    assert links() == {name: {"index.html", "two.html"} for name in ("one", "three")}
    assert {result.status for result in project.build().values()} == {"unchanged"}
