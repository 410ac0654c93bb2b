"""Copies to play in, and JupyterLab on them: as `make lab` opens it, in a real Chromium."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import yaml
from conftest import ROOT
from jupyter_client.manager import KernelManager
from projects import eventually

from stslab.report.messages import RequestError
from stslab.report.running import kernels
from stslab.report.running.run import Work, run
from stslab.workshop.kit import write_editions
from stslab.workshop.lab import Copies, WarmSpecs
from stslab.workshop.playground import write_preset

LESSONS = [path.stem for path in sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))]
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def _own_jupyter(tmp_path, monkeypatch):
    """Keep what Jupyter notes of a user, signatures among it, out of this user's home."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter-data"))


# Copies ------------------------------------------------------------------------------------------


@pytest.fixture
def copies(tmp_path):
    made = Copies(ROOT / "notebooks", tmp_path / "lab")
    made.write()
    return made


def contents(folder: Path) -> dict[str, str]:
    """List the files of a folder, each with its checksum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def source_of(path: Path) -> str:
    return "\n".join(cell["source"] for cell in nbformat.read(path, as_version=4)["cells"])


def test_each_lesson_is_there_for_learners_and_with_solutions(copies):
    learners = {path.stem for path in copies.folder.glob("*.ipynb")}
    assert learners == {"start", "playground", *LESSONS}
    assert {path.stem for path in (copies.folder / "solutions").glob("*.ipynb")} == {*LESSONS}
    solution = "average = upper.sum().item() / 3"
    assert solution not in source_of(copies.folder / "08_heatmap.ipynb")
    assert solution in source_of(copies.folder / "solutions" / "08_heatmap.ipynb")


def test_checks_find_what_they_need_in_both_folders(copies):
    for folder in (copies.folder, copies.folder / "solutions"):
        assert {path.stem for path in (folder / "checks").glob("*.txt")} == {*LESSONS}


def test_every_copy_is_a_valid_notebook_that_differs_in_nothing_when_made_again(copies, tmp_path):
    for path in copies.folder.rglob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))
    Copies(ROOT / "notebooks", tmp_path / "again").write()
    assert contents(tmp_path / "again") == contents(copies.folder)


def test_the_start_page_lists_each_lesson_with_its_title_and_minutes(copies):
    start = source_of(copies.folder / "start.ipynb")
    row = "| 08 | [Which sentences belong together?](08_heatmap.ipynb) | 15 | 17 "
    assert f"{row}| [solutions](solutions/08_heatmap.ipynb) |" in start
    linked = set(re.findall(r"\]\(([^)]+)\)", start))
    assert {path for path in linked if not (copies.folder / path).is_file()} == set()
    assert {f"{stem}.ipynb" for stem in LESSONS} <= linked


@pytest.mark.thorough
def test_the_cells_for_ones_own_sentences_run(copies):
    done = run(Work("start", (copies.folder / "start.ipynb").read_text("utf-8"), kernel="warm"))
    assert done.error is None
    shown = [o for c in json.loads(done.notebook)["cells"] for o in c.get("outputs", ())]
    assert [each["output_type"] for each in shown] == ["execute_result", "display_data"]


def folder_with(tmp_path: Path, cells: list[dict[str, Any]]) -> Path:
    """Make a folder of lesson 8 and a notebook that has nothing in ``exercises``."""
    notebooks = tmp_path / "notebooks"
    (notebooks / "exercises").mkdir(parents=True)
    for name in ("08_heatmap.ipynb", "exercises/08_heatmap.yaml"):
        shutil.copy(ROOT / "notebooks" / name, notebooks / name)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebooks / "18_mine.ipynb")
    return notebooks


TEXT = nbformat.v4.new_markdown_cell("# My own\n\nA text.")
CODE = nbformat.v4.new_code_cell("1 + 1")


@pytest.mark.parametrize(
    ("cells", "title"), [([TEXT, CODE], "My own"), ([CODE], "18_mine"), ([], "18_mine")]
)
def test_a_notebook_without_a_file_of_exercises_is_a_lesson_without_exercises(
    tmp_path, cells, title
):
    """It is copied and listed, and stops neither the lab nor a workshop's editions."""
    notebooks = folder_with(tmp_path, cells)
    lab = tmp_path / "lab"
    Copies(notebooks, lab).write()
    assert f"| 18 | [{title}](18_mine.ipynb) | | | |" in source_of(lab / "start.ipynb")
    write_editions(notebooks, tmp_path / "kit")
    for folder in (lab, tmp_path / "kit" / "student"):
        assert source_of(folder / "18_mine.ipynb") == source_of(notebooks / "18_mine.ipynb")
        assert {path.stem for path in folder.glob("checks/*.txt")} == {"08_heatmap"}
    for folder in (lab / "solutions", tmp_path / "kit" / "solutions"):
        assert {path.stem for path in folder.glob("*.ipynb")} == {"08_heatmap"}


def test_a_solution_without_a_file_of_exercises_is_refused(tmp_path):
    """A learner's copy would show it."""
    solution = nbformat.v4.new_code_cell("42", metadata={"tags": ["solution"]})
    with pytest.raises(RequestError, match=r"18_mine\.yaml: cannot be read; it holds"):
        Copies(folder_with(tmp_path, [TEXT, solution]), tmp_path / "lab")


def test_a_copy_that_is_there_is_never_written_over(copies):
    mine = copies.folder / "08_heatmap.ipynb"
    mine.write_text("mine")
    (copies.folder / "07_semantic_search.ipynb").unlink()
    before = contents(copies.folder)
    copies.write()
    after = contents(copies.folder)
    assert {*after} - {*before} == {"07_semantic_search.ipynb"}
    assert {name: after[name] for name in before} == before


def test_a_fresh_copy_keeps_the_former_one_with_its_checks(copies):
    fresh = contents(copies.folder)
    (copies.folder / "08_heatmap.ipynb").write_text("mine")
    (copies.folder / "results-12345678.json").write_text("{}")
    assert copies.refresh("8 start") == copies.folder / "before-1"
    assert (copies.folder / "before-1" / "08_heatmap.ipynb").read_text() == "mine"
    assert {*contents(copies.folder / "before-1")} == {
        "start.ipynb",
        "08_heatmap.ipynb",
        "checks/08_heatmap.txt",
        "solutions/08_heatmap.ipynb",
        "solutions/checks/08_heatmap.txt",
    }
    assert fresh.items() <= contents(copies.folder).items()
    assert copies.refresh("08_heatmap") == copies.folder / "before-2"


def test_all_copies_can_be_fresh_and_what_is_the_learners_own_stays(copies):
    for name in ("Untitled.ipynb", "results-12345678.json"):
        (copies.folder / name).write_text("{}")
    before = contents(copies.folder)
    copies.refresh("1")
    kept = contents(copies.folder / "before-1")
    assert {*before} - {*kept} == {"Untitled.ipynb", "results-12345678.json"}
    assert before.items() <= contents(copies.folder).items()


def test_a_link_to_nothing_is_left_alone_and_keeps_no_other_copy_from_being_made(copies, tmp_path):
    """Nothing is written where it leads; asked for a fresh copy, the link itself is put aside."""
    outside = tmp_path / "outside"
    links = [copies.folder / each for each in ("08_heatmap.ipynb", "checks/07_semantic_search.txt")]
    for link in links:
        link.unlink()
        link.symlink_to(outside)
    (copies.folder / "06_ranking.ipynb").unlink()
    (copies.folder / "before-1").symlink_to(outside)
    copies.write()
    assert (copies.folder / "06_ranking.ipynb").is_file()
    assert all(link.is_symlink() for link in links)
    assert copies.links_to_nothing() == ["07_semantic_search", "08_heatmap"]
    assert copies.refresh("7 8") == copies.folder / "before-2"
    assert (copies.folder / "before-2" / "08_heatmap.ipynb").is_symlink()
    assert all(link.is_file() and not link.is_symlink() for link in links)
    assert copies.links_to_nothing() == []
    assert not outside.exists()


@pytest.mark.parametrize("place", ["lab", "lab/solutions", "lab/checks"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_way_of_a_folder_is_named(tmp_path, place, kind):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine") if kind == "file" else path.symlink_to(tmp_path / "nothing")
    copies = Copies(ROOT / "notebooks", tmp_path / "lab")
    with pytest.raises(RequestError, match=rf"{place} is in the way of the folder of copies\."):
        copies.write()


def test_a_copy_of_any_content_stops_nothing(copies):
    """Nested too deeply, no JSON, a pipe: it was not made from the notebook of today, nor asked."""
    (copies.folder / "08_heatmap.ipynb").write_text("[" * 100_000)
    (copies.folder / "07_semantic_search.ipynb").write_bytes(b"\xff")
    (copies.folder / "06_ranking.ipynb").unlink()
    os.mkfifo(copies.folder / "06_ranking.ipynb")
    copies.write()
    assert copies.outdated() == []


def test_a_name_that_no_copy_has_is_refused(copies):
    before = contents(copies.folder)
    with pytest.raises(RequestError, match=r"FRESH='heatmap' .* Did you mean '08_heatmap'\?"):
        copies.refresh("heatmap")
    assert contents(copies.folder) == before


def test_a_notebook_that_changed_since_it_was_copied_is_named(copies, tmp_path):
    """What a learner changes in a copy is another matter."""
    assert copies.outdated() == []
    mine = copies.folder / "07_semantic_search.ipynb"
    mine.write_text(mine.read_text("utf-8").replace("top_k", "most"), "utf-8")
    (copies.folder / "06_ranking.ipynb").write_text("no notebook")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    changed = tmp_path / "notebooks" / "08_heatmap.ipynb"
    text = changed.read_text("utf-8").replace("# Which sentences belong", "# Which texts belong")
    changed.write_text(text, "utf-8")
    later = Copies(tmp_path / "notebooks", copies.folder)
    assert later.outdated() == ["start", "08_heatmap"]
    later.refresh("start 8")
    assert later.outdated() == []


# The playground's preset -------------------------------------------------------------------------


def test_a_preset_that_is_there_is_not_lost(tmp_path):
    paths = [write_preset(tmp_path, ["a", "b"], "m", 0.5) for _ in range(3)]
    assert [path.name for path in paths] == [
        "playground.yaml",
        "playground-2.yaml",
        "playground-3.yaml",
    ]
    assert "make report PRESET=playground-3" in paths[2].read_text()


def test_a_preset_needs_two_sentences(tmp_path):
    with pytest.raises(ValueError, match="1 sentence: write at least 2"):
        write_preset(tmp_path, ["a"], "m", 0.5)
    assert list(tmp_path.iterdir()) == []


# Kernels -----------------------------------------------------------------------------------------


@pytest.fixture
def broken_warmth() -> Iterator[None]:
    """Let the process that forks kernels end before it does."""
    before = kernels.PRELOAD[:]
    kernels.cool_down()
    kernels.PRELOAD[:] = ["stslab_ends_here"]
    yield
    kernels.cool_down()
    kernels.PRELOAD[:] = before


@pytest.mark.skipif(kernels.default_kind() == "fresh", reason="no warm kernels here")
def test_a_kernel_starts_fresh_where_none_can_be_forked(broken_warmth, tmp_path, monkeypatch):
    (tmp_path / "stslab_ends_here.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    manager = KernelManager(kernel_spec_manager=WarmSpecs())
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        assert client.execute_interactive("1 + 1", timeout=60)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not manager.has_kernel


# JupyterLab --------------------------------------------------------------------------------------


@dataclass
class Lab:
    """JupyterLab on the copies of a clone of this repository's notebooks."""

    clone: Path
    process: subprocess.Popen[bytes]
    address: str

    def request(self, path: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = {"Authorization": f"token {TOKEN}"}
        asked = urllib.request.Request(f"{self.address}{path}", body, headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def page(self, path: str = "") -> str:
        return f"{self.address}/{path}?token={TOKEN}"

    def status(self) -> str:
        """Say what git sees changed."""
        command = ["git", "status", "--porcelain"]
        return subprocess.run(command, cwd=self.clone, capture_output=True, text=True).stdout


def git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def start_lab(tmp_path_factory) -> Iterator[Callable[..., Lab]]:
    """Start `stslab lab` in a clone, with nothing of this user's settings."""
    started = []

    def start(*arguments: str) -> Lab:
        folder = tmp_path_factory.mktemp("lab")
        clone = folder / "clone"
        shutil.copytree(ROOT / "notebooks", clone / "notebooks")
        shutil.copy(ROOT / ".gitignore", clone)
        git(clone, "init", "-q")
        git(clone, "add", ".")
        git(clone, "commit", "-qm", "All")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        homes = ("CONFIG_DIR", "RUNTIME_DIR", "DATA_DIR")
        own = {f"JUPYTER_{home}": str(folder / home) for home in homes}
        own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
        own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
        command = [sys.executable, "-m", "stslab.cli", "lab", "--no-open", *arguments]
        command += ["--allow-root", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=clone, env={**os.environ, **own}, stdout=log, stderr=log
            )
        lab = Lab(clone, process, f"http://127.0.0.1:{port}")
        started.append(lab)
        for _ in range(300):
            try:
                lab.request("/api")
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
        return lab

    yield start
    for lab in started:
        lab.process.terminate()
        lab.process.wait(20)


@pytest.fixture(scope="module")
def lab(start_lab):
    return start_lab()


@pytest.fixture
def page(chromium):
    opened = chromium.new_page(viewport={"width": 1400, "height": 1000})
    yield opened
    opened.close()


def run_all(page: Any) -> None:
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def choose_theme(page: Any, name: str) -> str:
    """Choose a theme in the menu; give the color behind a notebook."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text(name, exact=True).click()
    light = "true" if "Light" in name else "false"
    page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
    page.wait_for_timeout(500)
    behind = "node => getComputedStyle(node).backgroundColor"
    return page.locator(".jp-Notebook:visible").evaluate(behind)


@pytest.mark.thorough
@pytest.mark.browser
def test_from_the_start_page_to_a_heatmap_in_both_themes(lab, page, tmp_path):
    """Opening asks for no saving, running changes nothing that git sees, nor what is published."""
    committed = contents(lab.clone / "notebooks")
    page.goto(lab.page())
    link = page.get_by_role("link", name="Which sentences belong together?")
    link.wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "start.png")
    link.click()
    page.wait_for_selector(".jp-Notebook:visible h1:has-text('belong together')")
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    assert page.locator(".jp-mod-dirty").count() == 0
    run_all(page)
    executed = saved_when_executed(page, lab.clone / "lab" / "08_heatmap.ipynb")
    outputs = [output for cell in executed for output in cell["outputs"]]
    assert [each for each in outputs if each["output_type"] in ("error", "stream")] == []
    drawing = scrolled_to(page, ".jp-RenderedSVG img, .jp-RenderedSVG svg")
    backgrounds = set()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        backgrounds |= {choose_theme(page, theme)}
        drawing.scroll_into_view_if_needed()
        box = drawing.bounding_box()
        assert min(box["width"], box["height"]) > 200
        page.screenshot(path=tmp_path / f"{theme}.png")
    assert len(backgrounds) == 2
    cell = scrolled_to(page, "table.stslab td")  # JupyterLab's own rule aligns to the right
    assert cell.evaluate("cell => getComputedStyle(cell).textAlign") == "left"
    assert lab.status() == ""
    assert contents(lab.clone / "notebooks") == committed


@pytest.mark.browser
@pytest.mark.thorough
def test_what_is_typed_in_the_playground_becomes_a_page(lab, page, tmp_path):
    page.goto(lab.page("lab/tree/playground.ipynb"))
    page.wait_for_selector(".jp-Notebook:visible h1:has-text('Playground')", timeout=60_000)
    run_all(page)
    field = page.locator("textarea:visible").first
    field.wait_for()
    drawing = page.locator(".jp-RenderedSVG:visible img").first
    before = drawing.get_attribute("src", timeout=60_000)
    texts = ["Cats purr.", "<b>Dogs</b> bark at $x$.", "Interest rates rise."]
    field.fill("")
    field.press_sequentially("\n".join(texts))
    page.get_by_role("cell", name=texts[1]).first.wait_for()
    assert drawing.get_attribute("src") != before
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        choose_theme(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
    page.get_by_role("button", name="Write a preset").click()
    page.get_by_text("make report PRESET=playground", exact=True).wait_for()
    preset = yaml.safe_load((lab.clone / "notebooks/presets/playground.yaml").read_text("utf-8"))
    assert preset["parameters"]["sentences"] == texts
    assert lab.status() == ""
    command = [sys.executable, "-m", "stslab.cli", "report", "playground", "--quiet"]
    subprocess.run(command, cwd=lab.clone, check=True, timeout=120)
    built = (lab.clone / "reports/playground/report_sentences.html").read_text("utf-8")
    assert "&lt;b&gt;Dogs&lt;/b&gt; bark at $x$." in built


@pytest.mark.thorough
@pytest.mark.skipif(kernels.default_kind() == "fresh", reason="no warm kernels here")
def test_no_process_outlives_jupyterlab(start_lab):
    """Neither when it is ended nor when it is killed."""
    for end in (psutil.Process.terminate, psutil.Process.kill):
        lab = start_lab()
        lab.request("/api/kernels", {"name": "python3"})
        server = psutil.Process(lab.process.pid)
        eventually(lambda server=server: len(server.children(recursive=True)) > 1)
        others = server.children(recursive=True)
        end(server)
        lab.process.wait(20)
        eventually(lambda others=others: not any(each.is_running() for each in others))


def test_without_jupyterlab_the_command_says_how_to_get_it(tmp_path):
    """As where only `make report` was used."""
    (tmp_path / "hidden" / "jupyterlab").mkdir(parents=True)
    (tmp_path / "hidden" / "jupyterlab" / "__init__.py").write_text("raise ImportError")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    path = os.pathsep.join(filter(None, [str(tmp_path / "hidden"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "stslab.cli", "lab", "--no-open"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "JupyterLab is not installed here. Start it by `make lab`" in done.stderr


def scrolled_to(page: Any, selector: str) -> Any:
    """Scroll until JupyterLab, which renders the cells in sight, shows this."""
    page.locator(".jp-Notebook:visible").hover()
    page.mouse.wheel(0, -100_000)
    for _ in range(100):
        if page.locator(selector).count():
            break
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(100)
    return page.locator(selector).first


def saved_when_executed(page: Any, path: Path) -> list[Any]:
    """Save until every code cell has run; give the code cells."""
    for _ in range(120):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(500)
        try:
            cells = json.loads(path.read_text("utf-8"))["cells"]
        except ValueError:  # it is just being written
            continue
        code = [cell for cell in cells if cell["cell_type"] == "code" and cell["source"]]
        if all(cell["execution_count"] for cell in code):
            return code
    page.screenshot(path=path.with_name("stuck.png"))
    raise AssertionError("not every cell ran")
