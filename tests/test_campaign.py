"""A campaign, `make test-slow`: every notebook on texts of all kinds, and on ten thousand."""

from __future__ import annotations

import csv
import itertools
import json
import random
import re
import sys

import pytest
from conftest import ROOT, build_quietly
from reading import LONG, shown

from stslab.report.request.presets import adhoc_preset

pytestmark = pytest.mark.slow

WHO = "The baker|A nurse|A child|Our neighbour|The captain|My sister|A student|The gardener|Ten men"
DID = "repaired|painted|sold|forgot|praised|carried|photographed|cleaned|borrowed|described|drew"
WHAT = (
    "a red bicycle|the kitchen table|two silver spoons|an umbrella|the broken clock|some bread|"
    "a letter from Rome|the garden fence|a heavy suitcase|the last ticket|a map of the town"
)
VARIED = [
    f"{' '.join(words)}." for words in itertools.product(*(w.split("|") for w in (WHO, DID, WHAT)))
]
random.Random(5).shuffle(VARIED)
CHINESE = (
    [
        "我喜欢学习机器学习。",
        "神经网络模仿人脑。",
        "我喜欢做意大利菜。",
        "披萨是意大利菜。",
        "猫和狗是宠物。",
    ],
    [
        "今天天气很好。",
        "明天会下雨。",
        "我不知道为什么。",
        "请告诉我。",
        "谢谢你的帮助。",
        "他在银行工作。",
    ],
)
MIXED = [
    *(
        "Hello 世界 👋",
        "Привет, как дела? 🙂",
        "مرحبا بالعالم 🌍",
        "ναι 👍 да",
        "日本語とEnglish 🎌",
    ),
    *("🔥🔥🔥", "नमस्ते दुनिया 🙏", "שלום עולם ✡️", "$x^2$ & <b>bold</b> 😀", "👩‍👩‍👦 im парк"),
]
TEXTS = {
    "two": VARIED[:2],
    "thirty": VARIED[:30],
    "thousand": VARIED[:1000],
    "identical": ["The cat sits on the mat."] * 30,
    "chinese": ["".join(halves) for halves in itertools.product(*CHINESE)],
    "mixed": [f"{text} {number or ''}" for number in range(3) for text in MIXED],
    "long": [" ".join(VARIED[start : start + 60]) for start in range(0, 900, 30)],
}
# What a page shows when a number, a noun or a table was written for other texts.
SLIPS = re.compile(
    r"\bnan\b|\bNaN\b|\binf\b|Empty DataFrame|\(s\)|(?<![\d.,])1 (?:pairs|sentences|texts|groups)\b"
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Encode a text once, as users do, in a cache of the campaign's own."""
    folder = tmp_path_factory.getbasetemp() / "campaign-cache"
    monkeypatch.setenv("STSLAB_CACHE", str(folder))


def inputs(folder, texts, pairs):
    """Write the texts as every kind of file that a notebook takes."""
    lists = dict.fromkeys(("sentences", "corpus", "candidates"), folder / "texts.txt")
    lists["sentences"].write_text("\n".join(texts) + "\n", "utf-8")
    tables = {"pairs": folder / "pairs.csv", "rated_pairs": folder / "rated.csv"}
    for file, columns in zip(tables.values(), (2, 3), strict=True):
        rows = [(a, b, number % 6)[:columns] for number, (a, b) in enumerate(pairs)]
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(
                [("sentence_a", "sentence_b", "gold_score")[:columns], *rows]
            )
    return {**lists, **tables, "own_pairs": tables["pairs"]}


def check(folder, texts, pairs, only):
    """Build pages; none fails, warns, prints to a stream or slips in what it shows."""
    preset = adhoc_preset(
        notebooks_dir=ROOT / "notebooks",
        files=inputs(folder, texts, pairs),
        values={"reference": texts[0], "queries": texts[:2]},
        only=only,
    )
    results = build_quietly(preset, folder)
    assert {result.name: result.warnings for result in results if result.warnings} == {}
    for result in results:
        page = folder / preset.name / f"{result.name}.html"
        cells = json.loads(page.with_suffix(".ipynb").read_text("utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert [output for output in outputs if output["output_type"] == "stream"] == []
        text = shown(page)
        slips = [text[max(0, m.start() - 60) : m.end() + 20] for m in SLIPS.finditer(text)]
        assert (result.name, slips, LONG.findall(text)) == (result.name, [], [])
    return len(results)


@pytest.mark.parametrize("kind", TEXTS)
def test_every_notebook_runs_on(kind, tmp_path):
    texts = TEXTS[kind]
    assert kind != "long" or min(map(len, texts)) > 2000
    pairs = list(zip(texts, texts[1:] + texts[:1], strict=True))
    assert check(tmp_path, texts, pairs, [f"{number:02}" for number in range(5, 16)]) == 11


def test_a_single_pair_is_enough_where_nothing_is_correlated_with_people(tmp_path):
    texts = TEXTS["two"]
    assert check(tmp_path, texts, [tuple(texts)], ["01", "05", "09", "12", "13"]) == 5


@pytest.mark.parametrize("notebook", ["08_heatmap", "11_near_duplicates", "14_map"])
def test_ten_thousand_sentences_stay_below_three_gigabytes_and_megabytes(
    notebook, stsb, tmp_path, monkeypatch
):
    """Peak memory of all processes, and the size of the page."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from bench import timed

    lines = [
        line
        for file in sorted(stsb.glob("sts-*.csv"))
        for line in file.read_text("utf-8").splitlines()
    ]
    real = list(dict.fromkeys(text for line in lines for text in line.split("\t")[5:7]))
    texts = [*real, *(f"{a} {b}" for a, b in zip(real, real[7:], strict=False))][:10_000]
    assert len(texts) == 10_000
    file = tmp_path / "many.txt"
    file.write_text("\n".join(texts), "utf-8")
    command = [sys.executable, "-m", "stslab.cli", "report", "--sentences", file]
    seconds, peak = timed([*command, "--only", notebook, "--reports", tmp_path, "--quiet"])
    size = (tmp_path / "many" / f"{notebook}.html").stat().st_size
    print(f"{notebook}: {seconds:.0f} s, peak {peak / 1e6:.0f} MB, page {size / 1e6:.2f} MB")
    assert peak < 3e9
    assert size < 3e6
