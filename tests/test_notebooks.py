"""The notebooks as committed: no outputs, one structure, run by plain tools from any folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NOTEBOOKS, ROOT

from stslab.report.request.parameters import read_parameters

pytestmark = pytest.mark.thorough

BIN = Path(sys.executable).parent
ids = [path.stem for path in NOTEBOOKS]


def cells_of(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def tags(cell):
    return cell["metadata"].get("tags", [])


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=ids)
def test_notebooks_are_committed_without_outputs(path):
    """`make format` strips them."""
    holding = [
        index
        for index, cell in enumerate(cells_of(path))
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]
    assert holding == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=ids)
def test_a_notebook_has_title_parameters_check_solution_and_one_finding(path):
    cells = cells_of(path)
    text = [source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    code = [source(cell) for cell in cells if cell["cell_type"] == "code"]
    assert sum(len(re.findall(r"^# ", each, re.MULTILINE)) for each in text) == 1
    assert text[0].startswith("# ")
    assert [tags(cell) for cell in cells].count(["parameters"]) == 1
    assert sum("solution" in tags(cell) for cell in cells) in (2, 3)
    assert any("assert " in each for each in code)
    assert sum(len(re.findall(r"\bshow_finding\(", each)) for each in code) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=ids)
def test_cells_are_short_and_known_by_stable_names(path):
    cells = cells_of(path)
    code = [
        cell for cell in cells if cell["cell_type"] == "code" and "parameters" not in tags(cell)
    ]
    assert max(len(source(cell).splitlines()) for cell in code) <= 8
    assert all(re.fullmatch(r"[a-z0-9-]+", cell["id"]) for cell in cells)
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_parameters_of_one_name_mean_one_thing():
    """The same annotation in every notebook, optional or not; the same default model."""
    types: dict[str, set[str]] = {}
    for path in NOTEBOOKS:
        for name, parameter in read_parameters(path).items():
            assert parameter.help, f"{path.stem}: {name} has no comment"
            types.setdefault(name, set()).add(parameter.annotation.removesuffix(" | None"))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


# Fresh kernels take their time: one here, all from both folders in `make test-slow`.
QUICK = {("03", "notebooks")}
PLAIN = [
    pytest.param(
        path,
        folder,
        id=f"{path.stem}-{folder}",
        marks=() if (path.stem[:2], folder) in QUICK else pytest.mark.slow,
    )
    for path in NOTEBOOKS
    for folder in ("root", "notebooks")
]


@pytest.mark.parametrize(("path", "folder"), PLAIN)
def test_a_notebook_runs_under_plain_papermill(path, folder, tmp_path):
    """No flag of ours, from the root and from notebooks/."""
    out = tmp_path / "out.ipynb"
    here = ROOT if folder == "root" else ROOT / "notebooks"
    done = subprocess.run(
        [BIN / "papermill", path.relative_to(here), out, "--no-progress-bar"],
        cwd=here,
        env={**os.environ, "TQDM_DISABLE": "1"},  # a busy machine may make short work long
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    streams = [
        output
        for cell in json.loads(out.read_text("utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]
    assert streams == []  # nothing but what the helper shows: no progress bar, no warning


def test_plain_nbconvert_makes_the_page(tmp_path):
    """`jupyter nbconvert --execute --to stslab` needs no flag of ours."""
    command = [BIN / "jupyter", "nbconvert", "--execute", "--to", "stslab"]
    command += ["notebooks/08_heatmap.ipynb", f"--output-dir={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "08_heatmap.html").read_text("utf-8")
    assert "0.71" in page
    assert page.rstrip().endswith("</html>")
