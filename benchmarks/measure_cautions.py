"""Measure how often each caution is right and wrong, and write the small table that stslab ships.

    make rates

It finds the STS Benchmark's folder by STSLAB_STSB, else at ../shared/data/stsb beside the project;
the other texts are the project's own, in tests/cautions. Only counts are shipped.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from stslab import Encoder, load_model
from stslab.studies import cautions_of, read_stsb, text_cautions
from stslab.studies.differences import OVERLOOKED

PROJECT = Path(__file__).resolve().parents[1]
STSB = Path(os.environ.get("STSLAB_STSB", PROJECT.parent / "shared/data/stsb"))
OWN = PROJECT / "tests/cautions"
TABLE = PROJECT / "src/stslab/studies/data/caution-rates.csv"
LANGUAGE = "likely not in English"
# Which kind of the project's own pairs each caution is for.
MADE_FOR = dict(zip(OVERLOOKED, ("negation", "numbers", "opposites", "word order"), strict=True))


def read_benchmark(folder: Path) -> pd.DataFrame:
    """Read all pairs of the STS Benchmark, by split."""
    return pd.concat({split: read_stsb(split, folder=folder) for split in ("train", "dev", "test")})


def raised(pairs: pd.DataFrame) -> Counter[str]:
    """Count the pairs that raise each caution, and any."""
    counts: Counter[str] = Counter()
    for a, b in zip(pairs["sentence_a"], pairs["sentence_b"], strict=True):
        found = cautions_of(a, b)
        counts.update(list(found))
        counts["any of these"] += bool(found)
    return counts


def pair_rates(benchmark: pd.DataFrame) -> Iterable[tuple[str, str, str, int, int]]:
    """Measure the pair cautions: should it be raised, how many pairs, how many raise it."""
    rated = benchmark["gold_score"]
    for what, same in {
        "STS Benchmark pairs rated 4 or more": benchmark[rated >= 4],
        "STS Benchmark dev pairs rated 4.5 or more": benchmark[rated >= 4.5].loc["dev"],
    }.items():
        counts = raised(same)
        for caution in [*OVERLOOKED, "any of these"]:
            yield caution, what, "no", len(same), counts[caution]
    planted = pd.read_csv(OWN / "planted.csv", keep_default_na=False)
    for caution, pairs in planted.groupby("kind", sort=False):
        for side, what, should in (
            ("same", "pairs that say the same in two ways", "no"),
            ("planted", "these pairs, with one planted in each", "yes"),
        ):
            beside = pairs.rename(columns={"sentence": "sentence_a", side: "sentence_b"})
            yield str(caution), what, should, len(pairs), raised(beside)[str(caution)]
    own = pd.read_csv(OWN / "pairs.csv", keep_default_na=False)
    for caution, kind in MADE_FOR.items():
        for should, same_meaning in (("no", True), ("yes", False)):
            pairs = own[(own["kind"] == kind) & (own["same_meaning"] == same_meaning)]
            which = "the same" if same_meaning else "different"
            what = f"pairs of {which} meaning, written for stslab"
            yield caution, what, should, len(pairs), raised(pairs)[caution]


def text_rates(benchmark: pd.DataFrame) -> Iterable[tuple[str, str, str, int, int]]:
    """Measure the language check of texts in the same way, and that of lists of short ones."""
    model = load_model()
    own = pd.read_csv(OWN / "texts.csv", keep_default_na=False)
    english, long = own["language"] == "English", own["list"] == "sentence"
    measured = {
        "STS Benchmark sentences": ("no", [*benchmark["sentence_a"], *benchmark["sentence_b"]]),
        "English texts of one or two words": ("no", own.loc[english, "text"]),
        "sentences in other languages": ("yes", own.loc[~english & long, "text"]),
        "greetings in other languages": ("yes", own.loc[~english & ~long, "text"]),
    }
    for what, (should, texts) in measured.items():
        unique = list(dict.fromkeys(texts))
        found = text_cautions(unique, model=model).counts.get(LANGUAGE, 0)
        yield LANGUAGE, what, should, len(unique), found
    lists = own[~long].groupby(["language", "list"])["text"].agg(list)
    is_english = lists.index.get_level_values("language") == "English"
    measured = {
        "English, 12 texts of one or two words": ("no", lists[is_english]),
        "12 greetings in another language": ("yes", lists[~is_english]),
    }
    for what, (should, chosen) in measured.items():
        # By a note where each text is too short, by the caution where the script tells.
        found = sum(LANGUAGE in said(texts, model) for texts in chosen)
        yield f"a list {LANGUAGE}", what, should, len(chosen), found


def said(texts: list[str], model: Encoder) -> str:
    """Say what cautions were found, without what was not."""
    return re.sub("(None is|It is not) [^.]*", "", text_cautions(texts, model=model).describe())


def rates(folder: Path) -> pd.DataFrame:
    """Measure all: caution, on what, whether it should be raised there, how many, how many do."""
    benchmark = read_benchmark(folder)
    columns = ["caution", "measured_on", "should_raise", "checked", "raised"]
    rows = [*text_rates(benchmark), *pair_rates(benchmark)]
    return pd.DataFrame(rows, columns=columns)


def main() -> None:
    head = [
        "# how often cautions are raised where they should be and where they should not",
        "# counts only; made by benchmarks/measure_cautions.py (make rates) from the STS Benchmark",
        "# (Cer et al. 2017; train, dev and test) and from stslab's own texts in tests/cautions",
    ]
    text = rates(STSB).to_csv(index=False, lineterminator="\n")
    TABLE.write_text("\n".join(head) + "\n" + text, "utf-8")


if __name__ == "__main__":
    main()
