"""What several tests share: the real model, the project's folders, the STS Benchmark."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import BARE, Project

from stslab.cli.progress import Quiet
from stslab.examples import Letters
from stslab.report.building.build import Result, build
from stslab.report.request.presets import Preset, load_preset
from stslab.report.running import kernels

# Tests measure the model, not what an earlier run left on this machine.
os.environ.setdefault("STSLAB_CACHE", "off")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
TUTORIAL = [path.stem for path in NOTEBOOKS if path.stem < "10"]


# Every rule but those of WCAG's level AAA: A and AA up to 2.2, best practices, experimental ones.
AXE = """async () => (await axe.run(document, {
  runOnly: axe.getRules().filter(r => !r.tags.includes("wcag2aaa")).map(r => r.ruleId),
  resultTypes: ["violations"],
})).violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | "))"""
READY = ".switches:not([hidden])"  # a page's script has done its work


# What takes longest goes first, or one worker ends alone; what shares a report shares a worker.
FIRST = ["test_failures", "test_tutorial", "test_report_browser", "test_hostile", "test_own_texts"]
FIRST += ["test_evaluation", "test_page_browser", "test_encoding", "test_kernels", "test_build"]
FIRST += ["test_cells", "test_reports", "test_requests", "test_page_reader"]
FIRST += ["test_store_failures", "test_stores", "test_docs"]
FIRST += ["test_notebooks", "test_lab", "test_encoded_once", "test_cache"]
TOGETHER = dict.fromkeys(["test_report_browser", "test_second_model"], "test_tutorial")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in the order in which workers take them."""
    items.sort(key=lambda item: [*FIRST, item.path.stem].index(item.path.stem))


def pytest_sessionfinish() -> None:
    """End what tests in this process left for the next build."""
    kernels.cool_down()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one worker, and those that share a report to the same."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            stem = Path(super()._split_scope(nodeid)).stem
            return TOGETHER.get(stem, stem)

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def model():
    """Load the bundled model, once for all tests."""
    from stslab import load_model

    return load_model(device="cpu")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Put signals back: the command ignores them at its end, also when a test runs it here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def interruptible() -> None:
    """Let Ctrl-C interrupt this process, also where it was started with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `_signals` puts it back


@pytest.fixture
def letters() -> Letters:
    """Return the toy encoder of the examples."""
    return Letters()


@pytest.fixture(scope="session")
def stsb() -> Path:
    """Find the STS Benchmark, or skip."""
    folder = Path(os.environ.get("STSLAB_STSB", ROOT / "../shared/data/stsb"))
    if not (folder / "sts-test.csv").is_file():
        pytest.skip(f"no STS Benchmark in {folder.name}/: set STSLAB_STSB to its folder")
    return folder


@pytest.fixture(scope="session")
def second_model() -> Path:
    """Find potion-base-8M: STSLAB_SECOND_MODEL, or what `make test` downloads; or skip."""
    given = os.environ.get("STSLAB_SECOND_MODEL")
    downloaded = (Path(sys.prefix) / "second-model").glob("**/potion-base-8M")
    folder = Path(given) if given else next(downloaded, None)
    if folder is None or not (folder / "model.safetensors").is_file():
        pytest.skip("no second model: run `make test`, or set STSLAB_SECOND_MODEL to its folder")
    return folder


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory) -> Path:
    """Make a small static model of letters, with a tokenizer that could add marks of its own."""
    import numpy as np
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from tokenizers.processors import BertProcessing

    letters = ["[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(WordLevel({each: n for n, each in enumerate(letters)}, "[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    tokenizer.post_processor = BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    weights = np.random.default_rng(0).normal(size=(len(letters), 128)).astype(np.float32)
    folder = tmp_path_factory.mktemp("models") / "letters"
    static = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[static], device="cpu").save(str(folder))
    return folder


def find_chromium() -> str | None:
    """Find a Chromium: STSLAB_CHROMIUM, or what is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("STSLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def build_quietly(preset: Preset, reports: Path, root: Path = ROOT, jobs: int = 2) -> list[Result]:
    """Build on warm kernels, as `make report` does; no page may fail."""
    results = build(preset, reports=reports, root=root, listener=Quiet(), jobs=jobs, kernel="warm")
    assert {result.name: result.error for result in results if result.error} == {}
    return results


@pytest.fixture(scope="session")
def second_report(second_model, tmp_path_factory) -> Path:
    """Build all notebooks with the second model; give the report's folder."""

    folder = tmp_path_factory.mktemp("second")
    (folder / "second.yaml").write_text("title: The second model\n", "utf-8")
    preset = load_preset(
        folder / "second.yaml",
        notebooks_dir=ROOT / "notebooks",
        overrides={"model_name": str(second_model), "sizes": [300, 600]},
    )
    results = build_quietly(preset, folder)
    assert {result.name: result.warnings for result in results if result.warnings} == {}
    return folder / "second"


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """Build the tutorial as `make report` does, elsewhere; give its folder."""
    reports = tmp_path_factory.mktemp("reports")
    preset = load_preset("tutorial", notebooks_dir=ROOT / "notebooks")
    results = build_quietly(preset, reports)
    assert {result.name: result.warnings for result in results if result.warnings} == {}
    return reports / "tutorial"


@pytest.fixture(scope="module")
def chromium():
    """Start a real Chromium; skip without one, or fail with STSLAB_REQUIRE_BROWSER=1."""
    path = find_chromium()
    if path is None:
        if os.environ.get("STSLAB_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found: install Debian's package chromium")
        pytest.skip("no Chromium found: install one, or set STSLAB_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Iterator[Project]:
    """A small project; its temporary files are apart."""
    made = Project(tmp_path / "project")
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    yield made
    shutil.rmtree(made.temporary, ignore_errors=True)


@pytest.fixture(scope="module")
def bare_kernels() -> Iterator[None]:
    """Warm kernels without the model stack, for builds in this process."""
    before = kernels.PRELOAD[:]
    kernels.cool_down()
    kernels.PRELOAD[:] = BARE
    yield
    kernels.cool_down()
    kernels.PRELOAD[:] = before
