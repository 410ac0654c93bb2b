"""Measure how well themes are found: agreement with labels, texts set apart, steadiness.

Run: python benchmarks/measure_themes.py [folder with banking77/ and survey/]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from theme_lists import (  # noqa: E402
    Encoded,
    agreement,
    draw_intents,
    measure_returns,
    read_orders,
    shares_apart,
)

from stslab import load_model  # noqa: E402
from stslab.studies import find_themes  # noqa: E402

DRAWS = 10
RETURNS = 50


def measure_intents(folder: Path, model: Encoded) -> None:
    """Print the agreement with BANKING77's intents, and what is set apart."""
    uneven = [np.random.default_rng(d).integers(8, 41, 12).tolist() for d in range(DRAWS)]
    kinds = {
        "12 intents of 8 to 40 texts": (uneven, 100, 0),
        "25 intents of 20": ([[20] * 25] * DRAWS, 200, 0),
        "12 intents of 20 and 40 strangers": ([[20] * 12] * DRAWS, 300, 40),
        "8 intents of 40, 40, 30, 8, 6, 5, 4, 4": ([[40, 40, 30, 8, 6, 5, 4, 4]] * DRAWS, 700, 0),
        "5 intents of 8": ([[8] * 5] * DRAWS, 400, 0),
        "5 intents of 4": ([[4] * 5] * DRAWS, 650, 0),
        "3 intents of 4": ([[4] * 3] * DRAWS, 600, 0),
    }
    for kind, (sizes_of_draws, seed, strangers) in kinds.items():
        rows = []
        for draw, sizes in enumerate(sizes_of_draws):
            texts, labels = draw_intents(folder, sizes, seed + draw, strangers)
            themes = find_themes(texts, model=model)
            ratio = len(themes.themes) / len(sizes)
            strange, usual = np.nan, (themes.table["theme"] == 0).mean()
            if strangers:
                strange, usual = shares_apart(themes, labels)
            rows.append((agreement(themes, labels), ratio, usual, strange))
        table = pd.DataFrame(rows, columns=["agreement", "ratio", "usual", "strange"])
        print(
            f"{kind}: adjusted Rand {table['agreement'].mean():.3f} "
            f"({table['agreement'].min():.2f} to {table['agreement'].max():.2f}), themes per "
            f"intent {table['ratio'].min():.2f} to {table['ratio'].max():.2f}, apart "
            f"{table['usual'].mean():.1%}, strangers apart {table['strange'].mean():.1%}"
        )


def measure_orders(folder: Path, model: Encoded) -> None:
    """Print the themes of a shop's answers and their agreement with the themes meant."""
    texts, labels = read_orders(folder)
    themes = find_themes(texts, model=model)
    print(f"\nA shop's answers: adjusted Rand {agreement(themes, labels, ('non', 'blank')):.3f}")
    print(themes.describe())
    for theme in themes.themes:
        shares = ", ".join(f"{word} {share:.0%}" for word, share in theme.words)
        print(f"  {theme.title} [{shares}] {theme.count} rows, {theme.steadiness:.0%}")


def measure_steadiness(folder: Path, model: Encoded) -> None:
    """Print how often themes come back, by the steadiness that is printed for them."""
    lists = [read_orders(folder)[0]]
    for draw in range(3):
        sizes = np.random.default_rng(draw).integers(8, 41, 12).tolist()
        lists.append(draw_intents(folder, sizes, 100 + draw)[0])
        lists.append(draw_intents(folder, [8] * 5, 400 + draw)[0])
    lists.append(draw_intents(folder, [20] * 25, 200)[0])
    table = pd.concat([measure_returns(texts, model, RETURNS) for texts in lists])
    print(f"\nThemes that come back in {RETURNS} draws without a tenth of the texts:")
    for low, high in [(0.5, 0.7), (0.7, 0.9), (0.9, 1.01)]:
        returned = table.loc[table["steadiness"].between(low, high, inclusive="left"), "returned"]
        print(
            f"  said to be steady in {low:.0%} or more: {len(returned)} themes, mean "
            f"{returned.mean():.2f}, {(returned >= 0.8).mean():.0%} of them in 80% of the draws"
        )


if __name__ == "__main__":
    data = Path(*sys.argv[1:2] or [ROOT / "../shared/data"])
    bundled = Encoded(load_model(device="cpu"))
    measure_intents(data, bundled)
    measure_orders(data, bundled)
    measure_steadiness(data, bundled)
