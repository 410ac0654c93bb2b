"""A text of one's own is encoded once: a second run of a notebook finds it in the cache."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
from conftest import NOTEBOOKS
from sentence_transformers import SentenceTransformer

from stslab.report.request.parameters import read_parameters

pytestmark = pytest.mark.thorough

HANDFUL = 100  # texts that a notebook's plain calls may encode in all
WORDS = ["tea", "sun", "moon", "road", "book", "rain", "song"]
READERS = [  # notebooks that read texts from a file
    path for path in NOTEBOOKS if any(each.takes_file for each in read_parameters(path).values())
]
ids = [path.stem for path in READERS]


def values_of(path: Path, texts: list[str], folder: Path) -> dict[str, Any]:
    """Give a notebook the same texts in every way it takes them."""
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    rows = [(*pair, number % 6) for number, pair in enumerate(pairs)]
    table = folder / "pairs.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("sentence_a", "sentence_b", "gold_score"), *rows])
    lines = folder / "texts.txt"
    lines.write_text("\n".join(texts), encoding="utf-8")
    given = read_parameters(path)
    files = [name for name, each in given.items() if each.takes_file]
    values: dict[str, Any] = {name: table if "pairs" in name else lines for name in files}
    values |= {"queries": ["Who is there?"]} if "queries" in given else {}
    return values | {"sizes": [300, 600]} if "sizes" in given else values


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Give a function that runs a notebook here and says how many texts a model read, and how long.

    Counted is what reaches the model itself, by whatever call, also to fill up a batch.
    """
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("IPython.display.display", lambda *shown, **how: None)
    plt.switch_backend("agg")
    forward, read = SentenceTransformer.forward, []

    def counting(model, features, **options):
        read.append(len(features.get("offsets", features["input_ids"])))
        return forward(model, features, **options)

    monkeypatch.setattr(SentenceTransformer, "forward", counting)

    def run_notebook(path: Path, values: dict[str, Any]) -> tuple[int, float]:
        names: dict[str, Any] = {}
        read.clear()
        start = perf_counter()
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), path.stem, "exec"), names)
                if "parameters" in cell["metadata"].get("tags", []):
                    names |= values
        return sum(read), perf_counter() - start

    yield run_notebook
    plt.close("all")
    torch.set_printoptions(profile="default", sci_mode=None)


FEW = ("15", "17")  # these encode a sample, and the first five pairs
LONGER = ("02", "09", "10", "13", "14")  # what they encode others do, too
PATHS = [
    pytest.param(path, marks=pytest.mark.slow) if path.stem[:2] in LONGER else path
    for path in READERS
]


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_a_second_run_encodes_a_handful(path, run, tmp_path, static_folder):
    """Of 300 texts, so that one plain call on all of them would show."""
    texts = [f"{a} {b} {c}" for a in WORDS for b in WORDS for c in WORDS][:300]
    values = values_of(path, texts, tmp_path) | {"model_name": str(static_folder)}
    assert run(path, values)[0] >= (2 * HANDFUL if path.stem[:2] in FEW else 300)
    assert run(path, values)[0] <= HANDFUL


@pytest.mark.slow
@pytest.mark.parametrize("path", READERS, ids=ids)
def test_a_second_run_on_5000_texts_takes_at_most_a_quarter(path, run, tmp_path, stsb):
    """Sentences of the STS Benchmark; imports are paid for before."""
    lines = [
        line.split("\t")[5:7]
        for part in ("train", "dev", "test")
        for line in (stsb / f"sts-{part}.csv").read_text("utf-8").splitlines()
    ]
    texts = list(dict.fromkeys(text.strip() for pair in lines for text in pair))[:5000]
    values = values_of(path, texts, tmp_path)
    run(path, {})
    (encoded, first), (again, second) = run(path, values), run(path, values)
    assert again <= HANDFUL
    if encoded >= 5000:  # of a sample most time goes into figures
        assert second <= first / 4, f"{first:.1f} s, then {second:.1f} s"
    else:
        assert path.stem[:2] in FEW
