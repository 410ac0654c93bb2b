"""Lists with known themes, for the tests of themes and for benchmarks/measure_themes.py."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from stslab.models.encoding import encode
from stslab.scores.cosine import unit_rows
from stslab.studies import Themes, find_themes

STRANGER = 1000  # label from which on a text belongs to an intent that no other text has
OVERLAP = 0.5  # Jaccard, from which on a theme came back


class Encoded:
    """A model that encodes each text once; a stand-in, so not the calibrated one itself."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.source = getattr(model, "source", None)  # by which the bundled model is known
        self.vectors: dict[str, Any] = {}

    def encode(self, inputs: list[str], /) -> Any:
        new = [text for text in inputs if text not in self.vectors]
        if new:
            self.vectors.update(zip(new, encode(new, model=self.model), strict=True))
        return np.array([self.vectors[text] for text in inputs])


class Raised:
    """A model that scores x as 0.7 + 0.3 x: all vectors share a direction."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def encode(self, inputs: list[str], /) -> Any:
        unit = unit_rows(np.asarray(self.model.encode(inputs)))
        constant = np.full((len(unit), 1), np.sqrt(0.7))
        return np.hstack([np.sqrt(0.3) * unit, constant]).astype(np.float32)


def draw_intents(
    folder: Path, sizes: list[int], seed: int, strangers: int = 0
) -> tuple[list[str], np.ndarray]:
    """Draw questions of random intents of BANKING77, so many each, and single ones of others."""
    random = np.random.default_rng(seed)
    table = pd.read_csv(folder / "banking77" / "test.csv")
    intents = random.permutation(sorted(table["category"].unique())).tolist()
    texts, labels = [], []
    for label, (intent, size) in enumerate(zip(intents, sizes, strict=False)):
        questions = table.loc[table["category"] == intent, "text"].to_numpy()
        texts += random.choice(questions, size, replace=False).tolist()
        labels += [label] * size
    strange_intents = intents[len(sizes) :]
    for number in range(strangers):
        intent = strange_intents[number % len(strange_intents)]
        texts.append(random.choice(table.loc[table["category"] == intent, "text"]))
        labels.append(STRANGER + number)
    order = random.permutation(len(texts))
    return [texts[place] for place in order], np.array(labels)[order]


def read_orders(folder: Path) -> tuple[list[str], np.ndarray]:
    """Read a shop's answers as they are shown, without blank ones, and the theme of each."""
    answers = pd.read_csv(folder / "survey" / "orders.csv", encoding="utf-8-sig")["comment"]
    labels = pd.read_csv(folder / "survey" / "orders-themes.csv")["theme"]
    filled = answers.notna()
    return answers[filled].map(html.unescape).tolist(), labels[filled].to_numpy()


def agreement(themes: Themes, labels: np.ndarray, unused: tuple[str, ...] = ()) -> float:
    """Return the adjusted Rand index over different texts; each text apart is a theme of its own.

    A text's label is that of its first row; texts with an unused label are left out.
    """
    numbers = themes.table["theme"].to_numpy().copy()
    alone = numbers <= 0
    numbers[alone] = len(themes.themes) + 1 + np.arange(alone.sum())
    expected = labels[themes.table["rows"].str[0] - 1]
    used = ~np.isin(expected, unused)
    return float(adjusted_rand_score(expected[used], numbers[used]))


def shares_apart(themes: Themes, labels: np.ndarray) -> tuple[float, float]:
    """Return the shares of strangers and of other texts that are set apart."""
    apart = (themes.table["theme"] == 0).to_numpy()
    strange = labels[themes.table["rows"].str[0] - 1] >= STRANGER
    return float(apart[strange].mean()), float(apart[~strange].mean())


def measure_returns(texts: list[str], model: Any, draws: int) -> pd.DataFrame:
    """Find themes again without a random tenth of the texts, and count how often each comes back.

    Returns
    -------
    pandas.DataFrame
        One row per theme: ``steadiness``, as printed, and ``returned``, the share of the draws in
        which a theme overlaps by half or more (Jaccard) with those of its texts that stayed.
    """
    themes = find_themes(texts, model=model)
    different = themes.table["text"].tolist()
    random = np.random.default_rng(1)
    returned = np.zeros(len(themes.themes))
    for _ in range(draws):
        places = random.choice(len(different), int(0.9 * len(different)), replace=False)
        staying = [different[place] for place in sorted(places)]
        again = [set(theme.texts) for theme in find_themes(staying, model=model).themes]
        for number, theme in enumerate(themes.themes):
            members = set(theme.texts) & set(staying)
            overlaps = [len(members & new) / len(members | new) for new in again]
            returned[number] += max(overlaps, default=0) >= OVERLAP
    steadiness = [theme.steadiness for theme in themes.themes]
    return pd.DataFrame({"steadiness": steadiness, "returned": returned / draws})
