"""Make the two small tables that stslab ships for its bundled model, from the STS Benchmark.

    python benchmarks/build_calibration.py

It finds the benchmark's folder by STSLAB_STSB, else at ../shared/data/stsb beside the project.
Only these aggregates are shipped, none of the benchmark's sentences or single scores.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from stslab import load_model, model_identity, score_pairs
from stslab.studies import bands_against_gold, read_stsb

PROJECT = Path(__file__).resolve().parents[1]
STSB = Path(os.environ.get("STSLAB_STSB", PROJECT.parent / "shared/data/stsb"))
DATA = PROJECT / "src/stslab/studies/data"
NEAREST = 150  # pairs behind each entry's range: a tenth of the dev pairs


def calibration(scored: pd.DataFrame) -> pd.DataFrame:
    """Fit the human score to expect, and the range of 80 % of pairs, at scores 0.05 apart."""
    from sklearn.isotonic import IsotonicRegression

    score, gold = scored["score"].to_numpy(), scored["gold_score"].to_numpy()
    at = np.arange(-10, 101, 5) / 100  # -0.10, -0.05, … 1.00: what the dev pairs cover
    fitted = IsotonicRegression(out_of_bounds="clip").fit(score, gold).predict(at)
    nearest = np.argsort(np.abs(score - at[:, None]), axis=1, kind="stable")[:, :NEAREST]
    low, high = np.quantile(gold[nearest], [0.1, 0.9], axis=1)
    # A higher score never lowers the range.
    rising = {"low": np.maximum.accumulate(low), "high": np.maximum.accumulate(high)}
    return pd.DataFrame({"score": at, "expected_gold": fitted, **rising}).round(2)


def main() -> None:
    model = load_model()
    who = model_identity(model)
    scored = {s: score_pairs(read_stsb(s, folder=STSB), model=model) for s in ("dev", "test")}
    tables = {
        "calibration": (calibration(scored["dev"]), "dev", "gold score expected for a cosine"),
        "bands": (bands_against_gold(scored["test"]), "test", "the tutorial's bands and people"),
    }
    for name, (table, split, what) in tables.items():
        head = [
            f"# {what}; model {who['name']}, weights sha256 {who['weights_sha256']}",
            f"# source: {len(scored[split])} {split} pairs of the STS Benchmark (Cer et al. 2017),",
            "# gold scores from 0 to 5; aggregates only; made by benchmarks/build_calibration.py",
        ]
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        (DATA / f"{name}-{who['name']}.csv").write_text("\n".join(head) + "\n" + text, "utf-8")


if __name__ == "__main__":
    main()
