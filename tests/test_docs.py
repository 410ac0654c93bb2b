"""The documents: commands run, links lead somewhere, pictures of the code are true.

A command is run here as it stands in the document, by another test that is named here, or it is
listed in CONTRIBUTING with the reason why no test runs it.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import yaml
from conftest import ROOT
from projects import LIST, Project
from test_house import IMPORTS, PACKAGE, REPORT, name_of, room_of

from stslab.cli import main
from stslab.report.request.notebooks import Notebooks

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CHANGELOG = ROOT / "CHANGELOG.md"
UNTESTED = "## Commands that no test runs"

BLOCK = re.compile(
    r"^(?P<fence>```)(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(
    r"(?:make|sh|git|conda|pre-commit|apt-get|%\w+|!\w+"
    r"|(?:\.venv/bin/)?(?:stslab|pip|python|chroma|jupyter|papermill)) \S|make$"
)


class Command(NamedTuple):
    """A command as a document has it."""

    text: str
    document: str


def code_lines(text: str) -> Iterator[str]:
    """Yield the lines of code blocks, but those of Python and of diagrams."""
    for block in BLOCK.finditer(text):
        if block["language"] not in ("python", "mermaid"):
            yield from block["code"].splitlines()
    for line in BLOCK.sub("", text).splitlines():
        if line.startswith("    "):
            yield line.strip()


def prose(text: str) -> str:
    """Return a document without its code blocks."""
    return re.sub(r"(?m)^ {4}.*$", "", BLOCK.sub("", text))


def commands_in(text: str) -> list[str]:
    """List the commands in code blocks and between backticks."""
    lines = [re.sub(r"\s+# .*", "", line) for line in code_lines(text)]
    inline = [" ".join(code.split()) for code in INLINE.findall(prose(text))]
    return [candidate for candidate in [*lines, *inline] if COMMAND.match(candidate)]


def without_untested(document: Path) -> str:
    """Return a document without the section that lists what no test runs."""
    return document.read_text("utf-8").partition(UNTESTED)[0]


COMMANDS = [
    Command(text, document.name)
    for document in DOCUMENTS
    for text in dict.fromkeys(commands_in(without_untested(document)))
]

# Commands ---------------------------------------------------------------------------------------

# These start no kernel, so that each takes about a second.
QUICK = [
    "make",
    "stslab --help",
    "stslab params report_sentences",
    "stslab doctor CAFQ-OACM-74KE-LXJJ",
]
# In the order of running: each finds what those before it wrote.
THOROUGH = [
    "stslab new mine --sentences my.csv",
    "make report",
    "make report SENTENCES=my.txt",
    "make share SENTENCES=my.txt",
    "stslab report --sentences my.txt",
    "stslab reproduce PAGE.html --input sentences=my.txt",
    "make report PAIRS=pairs.csv",
    'make report PAIRS=pairs.csv COLUMN="question, answer"',
    "make report RATED_PAIRS=rated.csv",
    'make report CORPUS=texts.txt QUERY="What runs?"',
    'stslab report --corpus texts.txt --query "What runs?"',
    'make report CANDIDATES=texts.txt REFERENCE="A dog runs."',
    'make report SENTENCES=my.csv COLUMN="Betreff / Kurztext"',
    "make report SENTENCES=my.xlsx SHEET=May",
    "make report SENTENCES=sentences.txt",
    "make report SENTENCES=my.txt RESOLUTION=2",
    "make report SENTENCES=my.txt RESOLUTION=0.5",
    "make report PRESET=mine",
    "make share PRESET=mine",
    "make report PRESET=playground",
    "make report PRESET=further",
    "make report RECIPES=my.txt",
    "stslab report --recipes my.txt",
    "stslab params 18",
    "stslab report",
    "stslab report --explain",
    "stslab report --force",
    "stslab report --help",
    "stslab embed faq.csv --store faiss:faq",
    'stslab search faiss:faq "How do I return an order?"',
    'stslab embed faq.csv --store "faiss:faq?index=HNSW32"',
    "stslab lab --only-copies",
    "stslab cache",
    "stslab cache --clear",
    "make live",
    "make live COMPACT=1",
    "make live SENTENCES=my.txt",
    "make live PAIRS=pairs.csv",
    'make live CORPUS=texts.txt QUERY="What runs?"',
    "make workshop",
    "make workshop MINUTES=90",
    "make lines",
]
# Where another test runs the command, and words of that test that do it.
ELSEWHERE = {
    "make lab": ("tests/test_lab.py", '"stslab.cli", "lab", "--no-open"'),
    "make lab ARGS=--no-open": ("tests/test_lab.py", '"stslab.cli", "lab", "--no-open"'),
    'make lab ARGS="--port=8899"': ("tests/test_lab.py", 'f"--port={port}"'),
    'make lab FRESH="07 08"': ("tests/test_lab.py", ".refresh("),
    "make lab FRESH=1": ("tests/test_lab.py", ".refresh("),
    "make watch": ("tests/test_watch.py", '"watch", "mini"'),
    "make watch PRESET=further ONLY=18": ("tests/test_watch.py", '"watch", "mini"'),
    "make doctor": ("tests/test_doctor.py", '"doctor", first=tmp_path'),
    "stslab class handed-in": ("tests/test_class.py", '"stslab.cli", "class", str(folder)'),
    "make workshop-offline": ("tests/test_offline.py", '"workshop-offline", "--reports"'),
    "sh start.sh": ("tests/test_offline.py", '"start.sh"), "check"'),
    "make report TORCH_INDEX=<that address>": ("tests/test_make.py", '"TORCH_INDEX=x"'),
    "stslab report --scheduler tcp://HOST:8786": (
        "tests/test_cluster.py",
        '"report", "mini", "--force", "--scheduler"',
    ),
    ".venv/bin/chroma run --path FOLDER": ("tests/store_places.py", '"run", *where'),
}

TEXTS = [
    "A dog runs.",
    "Rain fell all day.",
    "My order is late.",
    "Where is my order?",
    "Eat fish.",
]
RECIPES = f"""parameters: from pathlib import Path
recipes: {LIST} = ["Boil an egg."]  # recipes to read"""


def untested() -> dict[str, str]:
    """Return what CONTRIBUTING lists as run by no test: the command → why."""
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(UNTESTED)[2]
    rows = re.findall(r"^\| (`.*`) \| (.+) \|$", section, re.MULTILINE)
    return {command: why for commands, why in rows for command in INLINE.findall(commands)}


def test_every_command_in_the_documents_is_run_or_listed() -> None:
    known = {*QUICK, *THOROUGH, *ELSEWHERE, *untested()}
    unknown = [command for command in COMMANDS if command.text not in known]
    assert unknown == []


def test_no_command_is_listed_that_no_document_has() -> None:
    """A list that outlives its document would say that something is tested which nobody reads."""
    in_documents = {command.text for command in COMMANDS}
    assert {*QUICK, *THOROUGH, *ELSEWHERE, *untested()} - in_documents == set()


def test_a_command_is_listed_once() -> None:
    listed = [*QUICK, *THOROUGH, *ELSEWHERE, *untested()]
    assert sorted(listed) == sorted(set(listed))


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_test_named_for_a_command_runs_it(command: str) -> None:
    file, words = ELSEWHERE[command]
    assert words in (ROOT / file).read_text("utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clone with the real Makefile, notebooks and command, and small files beside them."""
    folder = tmp_path_factory.mktemp("clone") / "stslab"
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    project = Project(folder)
    # A report: of a lesson, `stslab lab` would also want the exercises.
    project.notebook("18_recipes", [RECIPES, "print(open(recipes).read())"], report=True)
    project.preset("notebooks: [08]", name="playground")
    shutil.rmtree(project.temporary)  # nothing is built through it
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    for name, line in {"stslab": f'exec {python} -m stslab.cli "$@"', "python": "exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / name, folder / name)
    # Last: make installs what is older than these files, and here has no python to do it with.
    for mark in (".torch", ".report", ".lab"):
        (programs.parent / mark).touch()

    for name in ("my.txt", "texts.txt", "sentences.txt"):
        (folder / name).write_text("\n".join(TEXTS) + "\n")
    table = pd.DataFrame({"text": TEXTS, "Betreff / Kurztext": TEXTS[::-1]})
    table.to_csv(folder / "my.csv", index=False)
    table.to_excel(folder / "my.xlsx", sheet_name="May", index=False)
    table[["text"]].to_csv(folder / "faq.csv", index=False)
    pairs = pd.DataFrame({"sentence_a": TEXTS, "sentence_b": TEXTS[::-1]})
    pairs.assign(question=TEXTS, answer=TEXTS[::-1]).to_csv(folder / "pairs.csv", index=False)
    pairs.assign(gold_score=range(len(TEXTS))).to_csv(folder / "rated.csv", index=False)
    return folder


def run_as_it_stands(command: str, clone: Path) -> str:
    """Run a command in a shell, as somebody in the clone would; return what it printed."""
    if command.startswith("stslab reproduce"):
        shutil.copyfile(clone / "reports/my/report_sentences.html", clone / "PAGE.html")
    own = {name: os.environ[name] for name in os.environ if "MAKE" not in name and name != "ARGS"}
    path = os.pathsep.join([str(clone / ".venv" / "bin"), own["PATH"]])
    done = subprocess.run(
        command,
        shell=True,
        cwd=clone,
        # Not the cache of whoever runs the tests: one of the commands clears it.
        env={**own, "PATH": path, "STSLAB_CACHE": str(clone / "cache"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    # The doctor exits with 1 where the code says that something is to be repaired.
    assert done.returncode in ((0, 1) if "doctor" in command else (0,)), done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("command", QUICK)
def test_a_command_that_starts_no_kernel_runs_as_it_stands(command: str, clone: Path) -> None:
    assert run_as_it_stands(command, clone).strip()


@pytest.mark.slow
def test_the_other_commands_run_as_they_stand(clone: Path) -> None:
    """One after another, as some need what others wrote; a path that one prints leads to a file."""
    for command in THOROUGH:
        last_line = run_as_it_stands(command, clone).rstrip().splitlines()[-1]
        path = re.match(r"reports/\S+", last_line)
        assert not path or (clone / path[0]).is_file(), f"{command}: {last_line}"


def test_every_variable_that_the_documents_give_to_make_is_known() -> None:
    """It is an option of a command, a parameter of a notebook, or make's own."""
    notebooks = Notebooks(ROOT / "notebooks")
    parameters = {p for path in notebooks.by_stem.values() for p in notebooks.parameters(path)}
    options = {p.name for command in main.commands.values() for p in command.params}
    known = {name.upper() for name in {*parameters, *options} if name}
    known |= {"QUERY", "RECIPES"}  # a singular, and an example
    known |= {"ARGS", "PYTHON", "TORCH_INDEX"}  # make's own
    known |= {"STSLAB_REQUIRE_BROWSER"}
    given = {
        name
        for document in DOCUMENTS
        for code in INLINE.findall(prose(document.read_text("utf-8")))
        for name in re.findall(r"(?:^| )([A-Z_]+)=", code)
    }
    assert given - known == set()


# Python -----------------------------------------------------------------------------------------

PYTHON = [
    pytest.param(block["code"], id=document.name)
    for document in DOCUMENTS
    for block in BLOCK.finditer(document.read_text("utf-8"))
    if block["language"] == "python"
]


@pytest.mark.thorough
@pytest.mark.parametrize("code", PYTHON)
def test_python_runs_as_it_stands(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the bundled model, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "a document", "exec"), {})
    assert capsys.readouterr().out.strip()


# Links and figures ------------------------------------------------------------------------------


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in headings}


@pytest.mark.parametrize("document", [*DOCUMENTS, CHANGELOG], ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 140
    pages = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS[1:]]
    assert [page for page in pages if f"({page}" not in readme] == []


FIGURE = re.compile(
    r"\b(?:(?:\d[\d,.]*|two|three|ten) (?:[KMG]B|hours?|minutes?|seconds?|milliseconds?|ms)"
    r"|an hour|a minute)\b"
)
# The same number for different things.
APART = {"400 MB"}  # Chromium's memory with the compact page; FAISS and Chroma on disk
BENCHMARKS = {
    "bench": "performance.md",
    "first paint": "performance.md",
    "bench-search": "stores.md",
}


def units(document: Path) -> Iterator[str]:
    """Yield what belongs together: a paragraph, a row of a table, a line of code, a make target."""
    text = document.read_text("utf-8")
    if document.name == "Makefile":
        for target, comment in re.findall(r"^([a-z-]+):.*## (.*)", text, re.MULTILINE):
            yield f"`make {target}` {comment}"
        return
    for benchmark in BENCHMARKS:
        text = re.sub(rf"(?s)<!-- {benchmark} -->.*?<!-- /{benchmark} -->", "", text)
    for line in code_lines(text):
        command, _, comment = line.partition("# ")
        yield f"`{command.strip()}` {comment}"
    for paragraph in re.split(r"\n\s*\n|\n(?=[|\-])", prose(text)):
        yield " ".join(paragraph.split())


def test_a_size_or_a_time_stands_in_one_document() -> None:
    """What stands twice is corrected once. Link to the document that has it."""
    documents = defaultdict(set)
    for document in [*DOCUMENTS, CHANGELOG, ROOT / "Makefile"]:
        for unit in units(document):
            for figure in FIGURE.findall(unit):
                documents[figure].add(document.name)
    twice = {figure: names for figure, names in documents.items() if len(names) > 1}
    assert {figure: names for figure, names in twice.items() if figure not in APART} == {}


def test_no_two_documents_give_a_size_or_a_time_for_one_command() -> None:
    """`make bench-search` once took an hour, some 40 minutes and about an hour."""
    documents = defaultdict(set)
    for document in [*DOCUMENTS, CHANGELOG, ROOT / "Makefile"]:
        for unit in units(document):
            for command in re.findall(r"`((?:make|stslab) [a-z-]+)", unit):
                if FIGURE.search(unit):
                    documents[command].add(document.name)
    assert {command: names for command, names in documents.items() if len(names) > 1} == {}


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_benchmark_writes_its_table_between_its_marks(
    benchmark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from documents import PERFORMANCE_PAGE, STORES_PAGE, write_table

    (page,) = (
        page for page in (PERFORMANCE_PAGE, STORES_PAGE) if page.name == BENCHMARKS[benchmark]
    )
    copy = tmp_path / page.name
    shutil.copyfile(page, copy)
    write_table(copy, benchmark, r"| \1 measured |" + "\n")
    before, after = page.read_text("utf-8"), copy.read_text("utf-8")
    mark = f"<!-- {benchmark} -->\n"
    assert after.partition(mark)[0] == before.partition(mark)[0]
    assert after.partition(mark)[2].startswith(f"| \\1 measured |\n<!-- /{benchmark} -->")
    assert after.partition(f"<!-- /{benchmark}")[2] == before.partition(f"<!-- /{benchmark}")[2]
    with pytest.raises(SystemExit, match="0 places for the table"):
        write_table(copy, "none", "")


# The architecture -------------------------------------------------------------------------------

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
ROOMS = ["inputs", "models", "scores", "figures", "studies", "stores", "report"]
ROOMS += ["live", "workshop", "cli"]
Graph = dict[str, set[str]]
# What the first door's names are imported from: a name → its room.
ROOM_OF_NAME = {
    node.names[0].name: str(node.module).partition(".")[0]
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8")).body
    if isinstance(node, ast.ImportFrom)
}


def marked(mark: str) -> str:
    """Return what stands between two marks of the page on the architecture."""
    return ARCHITECTURE.partition(f"<!-- {mark} -->")[2].partition(f"<!-- /{mark} -->")[0]


def through_the_door(path: Path) -> set[str]:
    """List the rooms whose names a module imports from `stslab` itself."""
    depth = len(path.relative_to(PACKAGE).parts)
    return {
        ROOM_OF_NAME[alias.name]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module == "stslab" or (node.module is None and node.level == depth))
        for alias in node.names
        if alias.name in ROOM_OF_NAME
    }


@cache
def imports_between_rooms() -> Graph:
    graph: Graph = {room: set() for room in ROOMS}
    for path in PACKAGE.rglob("*.py"):
        module = name_of(path)
        room = room_of(module)
        if room in graph:
            imported = {room_of(name) for name in IMPORTS[module]} | through_the_door(path)
            graph[room] |= (imported & {*ROOMS}) - {room}
    return graph


def imports_between_rooms_of_the_report() -> Graph:
    graph: Graph = {room: set() for room in REPORT}
    for module, imports in IMPORTS.items():
        room = room_of(module, "stslab.report")
        if room_of(module) == "report" and room in graph:
            of_report = [name for name in imports if room_of(name) == "report"]
            imported = {room_of(name, "stslab.report") for name in of_report}
            graph[room] |= (imported & {*REPORT}) - {room}
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    rooms = set(graph[start])
    for room in graph[start]:
        rooms |= reachable(graph, room)
    return rooms


def without_what_follows(graph: Graph) -> list[str]:
    """Write the arrows of a graph, but those that lead where two others lead together."""
    tuple(TopologicalSorter(graph).static_order())  # raises where there is a circle
    arrows = []
    for room, imported in graph.items():
        indirect = {far for near in imported for far in reachable(graph, near)}
        arrows += [f"{room} --> {near}" for near in imported - indirect]
    return sorted(arrows)


@pytest.mark.parametrize(
    ("mark", "graph_of"),
    [
        ("rooms", imports_between_rooms),
        ("report rooms", imports_between_rooms_of_the_report),
    ],
    ids=["rooms", "report"],
)
def test_the_picture_of_the_rooms_shows_their_imports(
    mark: str, graph_of: Callable[[], Graph]
) -> None:
    drawn = re.findall(r"^  (\w+ --> \w+)$", marked(mark), re.MULTILINE)
    assert drawn == without_what_follows(graph_of())


def test_the_table_of_the_rooms_lists_their_imports() -> None:
    graph = imports_between_rooms()
    rows = [f"| {room} | {', '.join(sorted(graph[room])) or 'nothing'} |" for room in ROOMS]
    assert marked("imports").strip().splitlines() == ["| Room | imports |", "|---|---|", *rows]


def test_each_step_on_the_way_of_a_page_is_in_the_code() -> None:
    """The file holds the function or the method that the table names."""
    steps = re.findall(r"`([\w/]+\.py)`: `([\w.]+)`", marked("way"))
    assert len(steps) == marked("way").count("\n| ") - 1
    missing = []
    for file, name in steps:
        body = ast.parse((PACKAGE / file).read_text("utf-8")).body
        for part in name.split("."):
            body = next((n.body for n in body if getattr(n, "name", None) == part), [])
        if not body:
            missing.append(f"{file}: {name}")
    assert missing == []


def test_each_path_in_the_documents_exists() -> None:
    """But for the examples, which a reader makes."""
    examples = re.compile(r"18_|my_|presets/(?:mine|playground)\.")
    paths = [
        (document.name, path)
        for document in DOCUMENTS
        for path in re.findall(
            r"`((?:src|tests|notebooks|benchmarks|docs|binder)/[\w./-]*)`",
            document.read_text("utf-8"),
        )
        if not examples.search(path)
    ]
    assert [(name, path) for name, path in paths if not (ROOT / path).exists()] == []


# What calls make --------------------------------------------------------------------------------


def test_hooks_and_the_workflow_call_what_ci_calls() -> None:
    """They name no step of their own, so that none passes where another fails."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        make, target = hook["entry"].split()
        assert make == "make"
        assert target in targets
        assert f"make {target}" in (ROOT / ".ci" / "run").read_text("utf-8")
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


def test_every_target_that_a_document_names_is_listed_by_make(clone: Path) -> None:
    """So `make` alone leads to all that the documents speak of."""
    listed = re.findall(r"^  make ([a-z-]+)", run_as_it_stands("make", clone), re.MULTILINE)
    named = {command.text.split()[1] for command in COMMANDS if command.text.startswith("make ")}
    assert named - set(listed) == set()
