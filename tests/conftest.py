"""What several tests share: the real model, the project's folders, the STS Benchmark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Tests measure the model, not what an earlier run left on this machine.
os.environ.setdefault("STSLAB_CACHE", "off")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="session")
def model():
    """Load the bundled model, once for all tests."""
    from stslab import load_model

    return load_model(device="cpu")


class Letters:
    """A toy encoder: how often a, b and c occur."""

    def encode(self, texts):
        return [[text.count(letter) for letter in "abc"] for text in texts]


@pytest.fixture
def letters():
    return Letters()


@pytest.fixture(scope="session")
def stsb() -> Path:
    """Find the STS Benchmark, or skip."""
    folder = Path(os.environ.get("STSLAB_STSB", ROOT / "../shared/data/stsb"))
    if not (folder / "sts-test.csv").is_file():
        pytest.skip(f"no STS Benchmark in {folder.name}/: set STSLAB_STSB to its folder")
    return folder
