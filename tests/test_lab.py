"""The notebooks in JupyterLab, opened as `make lab` does and driven in a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab on a copy of the notebooks, so that saving changes nothing committed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    command = [Path(sys.executable).parent / "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=", "--notebook-dir=notebooks"]
    homes = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, **homes},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "JupyterLab did not start"
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_the_heatmap_notebook_runs_in_jupyterlab(lab, chromium, tmp_path):
    """Run all cells: no error, the heatmap is there, and texts in tables start at the left."""
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/08_heatmap.ipynb?reset")
    page.wait_for_selector(".jp-CodeCell", timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    executed = _saved_when_executed(page, tmp_path / "notebooks/08_heatmap.ipynb")
    outputs = [output for cell in executed for output in cell["outputs"]]
    assert [each for each in outputs if each["output_type"] in ("error", "stream")] == []
    page.locator(".jp-Notebook").evaluate("node => node.scrollIntoView()")
    for _ in range(60):  # JupyterLab renders the cells that are in sight
        if page.locator(".jp-RenderedSVG").count():
            break
        page.mouse.move(700, 600)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(200)
    drawing = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg").first
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box["width"] > 200
    assert box["height"] > 200
    for _ in range(60):
        if page.locator("table.stslab td").count():
            break
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(200)
    cell = page.locator("table.stslab td").first  # JupyterLab's own rule aligns to the right
    assert cell.evaluate("cell => getComputedStyle(cell).textAlign") == "left"
    page.screenshot(path=tmp_path / "lab.png")


def _saved_when_executed(page, path):
    """Save until every code cell has run; give the code cells."""
    for _ in range(120):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code" and cell["source"]]
        if all(cell["execution_count"] for cell in code):
            return code
    page.screenshot(path=path.with_name("stuck.png"))
    raise AssertionError("not every cell ran")
