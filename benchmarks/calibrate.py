"""Fit what stslab says a score is worth to people, and measure how far it can be believed.

    make calibrate

It needs the STS Benchmark's folder: STSLAB_STSB, else ../shared/data/stsb beside the project.
Fitted on the train and dev pairs; the test pairs only judge. Five tables are shipped for the
bundled model, aggregates only: none of the benchmark's sentences or single scores.

The range is made in two steps, after hierarchical conformal prediction (Dunn, Wasserman & Ramdas
2023). At each score, the central 80 % of the human scores of the pairs within 0.05 of it, counted
so that few pairs give a wide range. Then each source is left out in turn, and the range is widened
by what makes it hold 80 % of the pairs of a source that it has not seen, every source counting
the same and one unseen source counting as always wrong.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from stslab import encode, load_model, model_identity, score_pairs
from stslab.scores.cosine import unit_rows
from stslab.studies import bands_against_gold, read_stsb, thresholds

PROJECT = Path(__file__).resolve().parents[1]
STSB = Path(os.environ.get("STSLAB_STSB", PROJECT.parent / "shared/data/stsb"))
DATA = PROJECT / "src/stslab/studies/data"
AT = np.arange(-15, 101, 5) / 100  # what the pairs cover
NEAR = 0.05  # how far in score a pair counts for an entry
COVERAGE = 0.8
LEVELS = np.arange(30, 98) / 100  # thresholds whose precision is counted
FEWEST = 30  # pairs of a source that say anything about its precision
RANDOM = 200_000  # pairs of different sentences, for what chance similarity is
KINDS = {
    "MSRpar": "news, sentences that paraphrase",
    "MSRvid": "video captions",
    "answer-answer": "short answers to one question",
    "answers-forums": "answers in a forum",
    "deft-forum": "posts in a forum",
    "deft-news": "news",
    "headlines": "headlines",
    "images": "image captions",
    "track5.en-en": "captions, in pairs for inference",
}


def local_range(scored: pd.DataFrame) -> pd.DataFrame:
    """Bound the central 80 % of the gold scores near each entry: ``score, low, high, pairs``.

    Of n pairs, (n + 1) · 0.9 rounded up lie on the inner side of each bound; where there are not
    so many, the bound is the end of the scale.
    """
    rows = []
    for at in AT:
        gold = np.sort(scored.loc[(scored["score"] - at).abs() <= NEAR, "gold_score"])
        inner = int(np.ceil((len(gold) + 1) * (1 + COVERAGE) / 2))
        enough = inner <= len(gold)
        low, high = (gold[-inner], gold[inner - 1]) if enough else (0.0, 5.0)
        rows.append((at, low, high, len(gold)))
    return pd.DataFrame(rows, columns=["score", "low", "high", "pairs"])


def outside(scored: pd.DataFrame, table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Measure how far each gold score lies outside its range; below 0 within it."""
    low, high = (
        np.interp(scored["score"], table["score"], table[side]) for side in ("low", "high")
    )
    gold = scored["gold_score"].to_numpy()
    return np.maximum(low - gold, gold - high)


def widening(scored: pd.DataFrame) -> float:
    """Find what widens the range so that it holds 80 % of the pairs of a source left out."""
    parts = [
        outside(part, local_range(scored[scored["source"] != source]))
        for source, part in scored.groupby("source")
    ]
    far = np.concatenate(parts)
    weight = np.concatenate([np.full(len(part), 1 / len(part)) for part in parts])
    order = np.argsort(far)
    reached = np.cumsum(weight[order]) / (len(parts) + 1)  # the unseen source: never reached
    return max(0.0, float(far[order][np.searchsorted(reached, COVERAGE)]))


def calibration(scored: pd.DataFrame) -> pd.DataFrame:
    """Fit the human score to expect, by isotonic regression, and the range of 80 % of pairs."""
    from sklearn.isotonic import IsotonicRegression

    fit = IsotonicRegression(out_of_bounds="clip").fit(scored["score"], scored["gold_score"])
    table, wider = local_range(scored), widening(scored)
    low, high = (table["low"] - wider).clip(0), (table["high"] + wider).clip(upper=5)
    # A higher score never lowers the range. Rounded outward.
    table["low"] = np.floor(np.maximum.accumulate(low) * 100) / 100
    table["high"] = np.ceil(np.maximum.accumulate(high) * 100) / 100
    table.insert(1, "expected_gold", fit.predict(AT).round(2))
    return table


def coverage(scored: pd.DataFrame) -> pd.DataFrame:
    """Measure, for each source, how many pairs the range holds when the source was left out.

    Beside it the coverage on the test pairs by the range that is shipped, and the bias: by how
    much people's scores lie above what is expected, on average, when the source was left out.
    """
    fitted_on, rows = scored[scored["split"] != "test"], []
    shipped = calibration(fitted_on)
    for source, part in scored.groupby("source"):
        table = calibration(fitted_on[fitted_on["source"] != source])
        expected = np.interp(part["score"], table["score"], table["expected_gold"])
        test = part[part["split"] == "test"]
        rows.append(
            {
                "source": source,
                "kind": KINDS[str(source)],
                "pairs": len(part),
                "coverage_left_out": (outside(part, table) <= 0).mean(),
                "bias_left_out": (part["gold_score"] - expected).mean(),
                "test_pairs": len(test),
                "coverage_test": (outside(test, shipped) <= 0).mean() if len(test) else np.nan,
            }
        )
    return pd.DataFrame(rows).sort_values("coverage_left_out", ascending=False, kind="stable")


def precision(scored: pd.DataFrame) -> pd.DataFrame:
    """Count what share of the pairs that reach a threshold people call the same.

    ``threshold, found, precision`` of all pairs, and ``lowest, highest``: the precision of the
    source where it is lowest and highest.
    """
    table = thresholds(scored, levels=LEVELS)[["threshold", "found", "precision"]]
    shares = []
    for _, part in scored.groupby("source"):
        of = thresholds(part, levels=LEVELS)
        shares.append(of["precision"].where(of["found"] >= FEWEST))
    each = pd.concat(shares, axis=1)
    return table.assign(lowest=each.min(axis=1), highest=each.max(axis=1))


def random_shares(scored: pd.DataFrame, model: object) -> pd.DataFrame:
    """Count what share of random pairs of different sentences score less: ``score, share``."""
    sentences = pd.unique(pd.concat([scored["sentence_a"], scored["sentence_b"]]))
    unit = unit_rows(encode(list(sentences), model=model))
    first, second = np.random.default_rng(0).integers(len(unit), size=(2, RANDOM))
    apart = first != second
    scores = np.einsum("ij,ij->i", unit[first[apart]], unit[second[apart]])
    levels = np.arange(-15, 51) / 50
    share = np.searchsorted(np.sort(scores), levels) / len(scores)
    return pd.DataFrame({"score": levels, "share": share})


def benchmark(folder: Path, model: object) -> pd.DataFrame:
    """Score all pairs of the STS Benchmark: `score_pairs`'s table with ``split`` and ``source``."""
    splits = [read_stsb(s, folder=folder).assign(split=s) for s in ("train", "dev", "test")]
    return score_pairs(pd.concat(splits, ignore_index=True), model=model)


def main() -> None:
    model = load_model()
    who = model_identity(model)
    scored = benchmark(STSB, model)
    test, fitted_on = (scored[(scored["split"] == "test") == is_test] for is_test in (True, False))
    used = f"{len(fitted_on):,} train and dev pairs"
    tables = {
        "calibration": (calibration(fitted_on), f"gold score expected for a cosine; {used}"),
        "coverage": (coverage(scored), f"pairs within the range of 80 %; fitted on {used}"),
        "precision": (precision(scored), f"what a threshold finds; all {len(scored):,} pairs"),
        "random": (random_shares(fitted_on, model), f"random pairs of sentences of the {used}"),
        "bands": (bands_against_gold(test), f"the tutorial's bands; {len(test):,} test pairs"),
    }
    for name, (table, what) in tables.items():
        head = [
            f"# {what} of the STS Benchmark (Cer et al. 2017)",
            f"# model {who['name']}, weights sha256 {who['weights_sha256']}",
            "# gold scores from 0 to 5; aggregates only; made by benchmarks/calibrate.py",
        ]
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        (DATA / f"{name}-{who['name']}.csv").write_text("\n".join(head) + "\n" + text, "utf-8")
        print(f"\n{what}\n{table.round(3).to_string(index=False)}")
    left_out, shipped = tables["coverage"][0], tables["calibration"][0]
    held = outside(test, shipped) <= 0
    low, high = (np.interp(test["score"], shipped["score"], shipped[c]) for c in ("low", "high"))
    off = test["gold_score"] - np.interp(test["score"], shipped["score"], shipped["expected_gold"])
    print(
        f"\nTest pairs: {held.mean():.1%} within the range, mean width {(high - low).mean():.2f}, "
        f"root mean square error {np.sqrt((off**2).mean()):.3f}. "
        f"A source left out: median {left_out['coverage_left_out'].median():.1%}, "
        f"worst {left_out['coverage_left_out'].min():.1%}."
    )


if __name__ == "__main__":
    main()
