"""A page is made again when what it depends on changed, and only then; the manifest says why."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import BARE, COUNTING, Project, figure

from stslab.report import identity
from stslab.report.building import freshness
from stslab.report.running import kernels

pytestmark = pytest.mark.usefixtures("bare_kernels")

USES_HELPER = "if False:\n    from stslab import rank"
READS = "parameters: from pathlib import Path\nsentences: list[str] | Path = ['a']"
MODEL = "parameters: model_name: str = 'all-MiniLM-L6-v2'"
LOOKS = """\
import os
print(model_name, 'has the file', *[f for f in os.listdir(model_name) if 'safe' in f])"""
UNCHANGED = dict.fromkeys(["count", "reads", "helper", "model"], "unchanged")
PRESET = "presets/mini.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, static_folder: Path) -> Iterator[Project]:
    """Build four notebooks once; each test works on a copy, which is as fresh as the original."""
    project = Project(tmp_path_factory.mktemp("built") / "project")
    project.notebook("count", [*COUNTING, "## The end"])
    project.notebook("reads", [READS, "print(Path(sentences).read_text())", figure("line")])
    project.notebook("helper", [USES_HELPER])
    project.notebook("model", [MODEL, LOOKS])
    (project.notebooks / "presets" / "texts.txt").write_text("Hello.")
    shutil.copytree(static_folder, project.notebooks / "presets" / "mine")
    project.preset("""
        title: Small
        timeout: 60
        notebooks:
          - {notebook: count, parameters: {n: 3}}
          - {notebook: reads, parameters: {sentences: texts.txt}}
          - helper
          - {notebook: model, parameters: {model_name: mine}}
        """)
    before, kernels.PRELOAD[:] = kernels.PRELOAD[:], BARE
    assert {result.status for result in project.build().values()} == {"built"}
    kernels.PRELOAD[:] = before
    yield project
    shutil.rmtree(project.temporary)


@pytest.fixture
def copy(built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A copy of the built project."""
    project = built.copied_to(tmp_path / "copy")
    yield project
    shutil.rmtree(project.temporary)


def statuses(project: Project, **options: Any) -> dict[str, str]:
    return {name: result.status for name, result in project.build(**options).items()}


def changed(project: Project, **options: Any) -> dict[str, tuple[str, list[str]]]:
    """Build, check that a second build has nothing to do, and give what was done and why."""
    results = project.build(**options)
    done = {n: (r.status, r.reasons) for n, r in results.items() if r.status != "unchanged"}
    for name, (_, why) in done.items():
        assert project.manifest()["pages"][name]["why"] == why
    assert statuses(project) == UNCHANGED
    return done


# Nothing -----------------------------------------------------------------------------------------


def test_nothing_changed_in_a_copy_of_the_project(copy: Project) -> None:
    """Another folder, other times of files: the content is the same."""
    for path in copy.root.rglob("*"):
        os.utime(path, (0, 0))
    before = copy.digests()
    results = copy.build()
    assert {name: result.status for name, result in results.items()} == UNCHANGED
    assert {tuple(result.reasons) for result in results.values()} == {("nothing changed",)}
    assert copy.digests() == before


def test_what_a_page_does_not_depend_on_rebuilds_nothing(copy: Project) -> None:
    """Outputs and counts saved by JupyterLab, its bookkeeping, a time limit, another job count."""
    path = copy.notebooks / "count.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"]["widgets"] = {"state": {}}
    for cell in notebook["cells"]:
        cell["metadata"]["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00"}
        if cell["cell_type"] == "code":
            stream = {"output_type": "stream", "name": "stdout", "text": ["old"]}
            cell |= {"outputs": [stream], "execution_count": 7}
    path.write_text(json.dumps(notebook, indent=4))
    copy.edit(PRESET, "timeout: 60", "timeout: 99")
    assert changed(copy, jobs=1) == {}


# What a run depends on ---------------------------------------------------------------------------


def test_a_code_cell(copy: Project) -> None:
    copy.edit("count", "n is", "n equals")
    assert changed(copy) == {"count": ("built", ["code changed"])}
    assert "n equals 3" in (copy.home / "count.html").read_text("utf-8")


def test_the_tags_of_a_code_cell(copy: Project) -> None:
    """They say what is run, and how: `parameters`, `raises-exception`, `solution`."""
    notebook = json.loads((copy.notebooks / "helper.ipynb").read_text())
    notebook["cells"][1]["metadata"]["tags"] = ["solution"]
    (copy.notebooks / "helper.ipynb").write_text(json.dumps(notebook))
    assert changed(copy) == {"helper": ("built", ["code changed"])}


def test_a_parameter(copy: Project) -> None:
    copy.edit(PRESET, "n: 3", "n: 5")
    assert changed(copy) == {"count": ("built", ["parameter n changed: 3 → 5"])}
    assert "n is 5" in (copy.home / "count.html").read_text("utf-8")


def test_the_bytes_of_an_input_file(copy: Project) -> None:
    (copy.notebooks / "presets" / "texts.txt").write_text("Goodbye.")
    assert changed(copy) == {"reads": ("built", ["input sentences (texts.txt) changed"])}
    assert "Goodbye." in (copy.home / "reads.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["model.safetensors", "modules.json", "tokenizer.json"])
def test_any_file_of_the_model(copy: Project, name: str) -> None:
    """The name is the same; the bytes are not. Changed back, the page has its first bytes."""
    before = copy.digests()
    file = copy.notebooks / "presets" / "mine" / name
    content = file.read_bytes()
    if name.endswith(".json"):
        file.write_bytes(content + b" ")
    else:
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert changed(copy) == {"model": ("built", ["model model_name/mine changed"])}
    file.write_bytes(content)
    assert changed(copy) == {"model": ("built", ["model model_name/mine changed"])}
    assert copy.digests() == before


def test_a_relative_folder_of_a_model_means_the_same_in_every_kernel(copy: Project) -> None:
    """It is taken from the preset's folder, and no page holds the path of a machine."""
    page = (copy.home / "model.html").read_text("utf-8")
    assert "model_name/mine has the file model.safetensors" in page
    assert str(copy.notebooks) not in page


def test_the_lock(copy: Project) -> None:
    (copy.root / "requirements.lock").write_text("numpy==2.1\n")
    done = changed(copy)
    assert done == {name: ("built", ["lock changed"]) for name in UNCHANGED}


def test_the_version_of_a_tool(copy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {**freshness.versions(), "seaborn": "0.99"}
    was = freshness.versions()["seaborn"]
    monkeypatch.setattr(freshness, "versions", lambda: versions)
    done = changed(copy)
    assert done == {n: ("built", [f"seaborn changed: {was} → 0.99"]) for n in UNCHANGED}


def test_the_way_of_running(copy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel's settings are part of what makes an output."""
    monkeypatch.setattr(freshness, "runner_digest", lambda: "0" * 64)
    done = changed(copy)
    assert done == {name: ("built", ["way of running changed"]) for name in UNCHANGED}


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's source to edit."""
    folder = tmp_path / "stslab"
    shutil.copytree(identity.PACKAGE, folder, ignore=shutil.ignore_patterns("report"))
    monkeypatch.setattr(identity, "PACKAGE", folder)
    return folder


@pytest.mark.parametrize("name", ["scores/cosine.py", "models/encoding.py", "__init__.pyi"])
def test_a_file_of_the_core(copy: Project, own_package: Path, name: str) -> None:
    """These notebooks name the package, be it in a figure's metadata: each may use all of it."""
    with (own_package / name).open("a") as stream:
        stream.write("\n# another line\n")
    again = ("built", [f"helper {name} changed"])
    assert changed(copy) == dict.fromkeys(["count", "reads", "helper"], again)


def test_a_file_of_the_studies_that_no_notebook_names(copy: Project, own_package: Path) -> None:
    with (own_package / "studies" / "map.py").open("a") as stream:
        stream.write("\n# another line\n")
    assert changed(copy) == {}


@pytest.mark.parametrize(
    ("code", "core", "studies", "workshop"),
    [
        ("import stslab\nstslab.rank", True, False, False),
        ("from stslab.scores.cosine import rank as r", True, False, False),
        ("from stslab.studies import agreement", True, True, False),
        ("from stslab import studies as further", True, True, False),
        ("import stslab.studies as further", True, True, False),
        ("import stslab as s\ns.studies.sentence_map", True, True, False),
        ("from stslab import rank  # not the studies", True, False, False),
        ("# import stslab\nstudies = workshop = 1", False, False, False),
        ("from studies import my_own", False, False, False),
        ("run(['python', '-c', 'import stslab.studies'])", True, True, False),
        ("print('\\d')\nimport os", False, False, False),
        # What cannot be known counts as used.
        ("%time\n!ls\nfrom stslab import rank", True, True, True),
        ("if 1:\n    %matplotlib inline\nimport os", True, True, True),
        ("no python at all", True, True, True),
        ("import importlib\nimportlib.import_module('sts' + 'lab.wording')", True, True, True),
        ("__import__(name)", True, True, True),
        ("exec(code)", True, True, True),
        ("model.eval()", False, False, False),
    ],
)
def test_the_files_that_code_may_use(
    code: str, core: bool, studies: bool, workshop: bool, own_package: Path
) -> None:
    """All of the core, data files too, where it uses the package; likewise of the studies."""
    (own_package / "scores" / "words.txt").write_text("not")
    (own_package / "live" / "engine.js").write_text("")
    found = [name.removeprefix("helper ") for name in identity.helper_digests(["x = 1", code])]
    assert found == sorted(found)
    rooms = {name.split("/")[0] for name in found}
    assert ({"inputs", "models", "scores", "figures", "wording.py"} <= rooms) is core
    assert ("scores/words.txt" in found) is core
    assert ("studies" in rooms) is studies
    assert ("studies/data/minimal_pairs.csv" in found) is studies
    assert ("workshop" in rooms) is workshop
    assert not {"report", "live"} & rooms
    assert not [name for name in found if "__pycache__" in name]


# What a page depends on beside its outputs -------------------------------------------------------


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may run."""

    def refuse(*_: object) -> None:
        raise AssertionError("a notebook was run")

    monkeypatch.setattr("stslab.report.running.run.run", refuse)


@pytest.mark.usefixtures("no_kernel")
def test_text_only_is_rendered_again_without_running(copy: Project) -> None:
    """The outputs stay, to the byte."""
    before = copy.digests()
    copy.edit("count", "## The end", "## The beginning")
    assert changed(copy) == {"count": ("rendered", ["text changed"])}
    after = copy.digests()
    page = (copy.home / "count.html").read_text("utf-8")
    assert "The beginning" in page
    assert "n is 3" in page
    different = {name for name in after if after[name] != before[name]}
    assert different == {"count.html", "count.ipynb"}


def test_a_page_rendered_again_is_the_page_of_a_run(copy: Project) -> None:
    """Two ways to the same bytes."""
    copy.edit("count", "## The end", "## The beginning")
    statuses(copy)
    rendered = copy.digests()
    assert copy.build(only=["count"], force=True)["count"].status == "built"
    assert copy.digests() == rendered


@pytest.mark.usefixtures("no_kernel")
def test_text_that_moves_to_another_place(copy: Project) -> None:
    """The same cells in another order are another text."""
    path = copy.notebooks / "count.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"].insert(2, notebook["cells"].pop())
    path.write_text(json.dumps(notebook))
    assert changed(copy) == {"count": ("rendered", ["text changed"])}
    page = (copy.home / "count.html").read_text("utf-8")
    assert page.index("The end") < page.index("n is 3")


@pytest.mark.usefixtures("no_kernel")
def test_a_heading_that_neighbours_link_to(copy: Project) -> None:
    copy.edit("count", "# Count", "# Counting")
    neighbour = ("rendered", ["preset and neighbors changed"])
    assert changed(copy) == {"count": ("rendered", ["text changed"]), "reads": neighbour}
    assert "Counting" in (copy.home / "reads.html").read_text("utf-8")


@pytest.mark.usefixtures("no_kernel")
def test_the_title_of_the_preset(copy: Project) -> None:
    copy.edit(PRESET, "Small", "Tiny")
    done = changed(copy)
    assert done == {n: ("rendered", ["preset and neighbors changed"]) for n in UNCHANGED}
    assert "Tiny" in (copy.home / "index.html").read_text("utf-8")
    assert "Tiny" in (copy.reports / "index.html").read_text("utf-8")


@pytest.mark.usefixtures("no_kernel")
def test_the_template_of_pages(copy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "template_digest", lambda: "0" * 64)
    assert changed(copy) == {n: ("rendered", ["page template changed"]) for n in UNCHANGED}


@pytest.mark.usefixtures("no_kernel")
def test_whether_the_inputs_are_embedded(copy: Project) -> None:
    results = copy.build(embed_inputs=True)
    assert {r.reasons[0] for r in results.values()} == {"embedded inputs changed: no → yes"}
    assert "SGVsbG8u" in (copy.home / "reads.html").read_text("utf-8")  # Hello.


# What was published ------------------------------------------------------------------------------


def edit_by_hand(path: Path) -> str:
    path.write_bytes(path.read_bytes() + b" ")
    return f"{path.name} was changed by hand"


def delete(path: Path) -> str:
    path.unlink()
    return f"{path.name} is missing"


@pytest.mark.parametrize("damage", [edit_by_hand, delete])
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("count.html", "rendered"),
        ("figures/count-line.svg", "rendered"),
        ("data/count-line.csv", "rendered"),
        ("count.ipynb", "built"),
    ],
)
def test_a_published_file_that_was_damaged(
    copy: Project, damage: Callable[[Path], str], name: str, status: str
) -> None:
    """The executed notebook holds all else; without it the notebook is run again."""
    before = copy.digests()
    said = damage(copy.home / name)
    folder = Path(name).parent.as_posix()
    why = said if folder == "." else f"{folder}/{said}"
    assert changed(copy) == {"count": (status, [why])}
    assert copy.digests() == before


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"pages": []}', '{"pages": {"count": {}}}', "\x00", '"text"'],
)
def test_a_damaged_manifest_makes_pages_again(copy: Project, content: str) -> None:
    """Nobody is left with an error about a file that they never wrote."""
    (copy.home / "manifest.json").write_text(content)
    done = changed(copy)
    assert done == {name: ("built", ["never built"]) for name in UNCHANGED}


def test_the_manifest_of_another_version(copy: Project) -> None:
    """Pages it accounts for in full are kept, also with news; others are made again."""
    manifest = copy.manifest()
    manifest["new"] = manifest["pages"]["count"]["new"] = ["something"]
    del manifest["pages"]["helper"]["status"]
    manifest["pages"]["reads"]["depends"] = ["another", "shape"]
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    again = ("built", ["never built"])
    assert changed(copy) == {"helper": again, "reads": again}


def test_forced(copy: Project) -> None:
    before = copy.digests()
    assert changed(copy, force=True) == {name: ("built", ["forced"]) for name in UNCHANGED}
    assert copy.digests() == before


def test_an_input_that_changes_while_its_page_is_made(copy: Project) -> None:
    """No page says that it was made from what it was not made from."""
    texts = copy.notebooks / "presets" / "texts.txt"
    copy.edit("reads", "print(Path", f"open({str(texts)!r}, 'a').write('x'); print(Path")
    result = copy.build()["reads"]
    assert result.error == "ValueError: texts.txt was changed while its page was being made. " + (
        "Build again."
    )
    assert copy.manifest()["pages"]["reads"]["status"] == "out of date"


# After a failure ---------------------------------------------------------------------------------


def test_a_failure_keeps_the_good_page_and_success_clears_it(copy: Project) -> None:
    """The index says out of date and leads to the failing cell; then all is as before."""
    before = copy.digests()
    copy.edit("count", "print('n is', n)", "print('n is', n); 1 / 0")
    assert changed_to_failed(copy) == ["code changed"]
    entry = copy.manifest()["pages"]["count"]
    assert entry["status"] == "out of date"
    assert entry["error"] == "ZeroDivisionError: division by zero"
    after = copy.digests()
    assert {name: after[name] for name in before if name != "index.html"} == {
        name: digest for name, digest in before.items() if name != "index.html"
    }
    index = (copy.home / "index.html").read_text("utf-8")
    assert "Out of date" in index
    assert "count.failed.html?in=report#failing-cell" in index
    assert "s, 1 out of date<" in (copy.reports / "index.html").read_text("utf-8")
    assert changed_to_failed(copy) == ["the last run failed", "code changed"]

    copy.edit("count", "; 1 / 0", "")
    assert changed(copy) == {"count": ("built", ["the last run failed"])}
    assert copy.digests() == before
    assert "error" not in copy.manifest()["pages"]["count"]


def changed_to_failed(project: Project) -> list[str]:
    result = project.build()["count"]
    assert result.status == "failed"
    return result.reasons


def test_what_a_stranger_writes_beside_a_kernels_name_stays_out(project: Project) -> None:
    """A record holds the name alone; deep JSON cannot break it."""
    path = project.notebook("one", COUNTING)
    content = json.loads(path.read_text("utf-8"))
    kernel = {"name": "python3", "display_name": "Python 3"}
    content["metadata"]["kernelspec"] = kernel | {"env": {"A": "b"}}
    path.write_text(json.dumps(content), "utf-8")
    assert freshness.read_source(path)["metadata"]["kernelspec"] == kernel


def test_a_client_that_a_notebook_uses_where_it_is_counts() -> None:
    """A page made without FAISS is made again once it is installed; others are not."""
    assert identity.versions_named_in("import numpy") == {}
    named = identity.versions_named_in("import faiss\nimport chromadb")
    assert [*named] == ["faiss-cpu", "chromadb"]
    assert identity.changes(
        {**named, "faiss-cpu": "not installed"}, {**named, "faiss-cpu": "1.9"}
    ) == ["faiss-cpu changed: not installed → 1.9"]
