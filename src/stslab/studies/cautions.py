"""Cautions: what to know before trusting a score, counted, with examples.

`cautions_of_texts` finds texts that a model reads badly, `cautions_of_pairs` finds pairs that it
cannot tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from ..figures.show import show_table, show_text

EXAMPLES = 3  # shown for each caution
EXAMPLE_WIDTH = 120  # characters of an example


@dataclass(frozen=True)
class Cautions:
    """The cautions that some texts or pairs raise, and the checks that were made."""

    table: pd.DataFrame  # caution, count, share, then at most three examples of each
    counts: Mapping[str, int]  # each caution that was looked for → how often it was found
    sentences: tuple[str, ...]  # what was checked, found and not found, and what was not checked
    findings: tuple[str, ...]  # what was found, in sentences that stand alone
    name: str  # of the table, where it is shown
    caption: str

    def describe(self) -> str:
        """Describe what was checked, how often each caution was found, and what was not checked."""
        return " ".join(self.sentences)

    def headlines(self) -> list[str]:
        """Return what was found, in short sentences to stand beside a finding."""
        return list(self.findings)

    def show(self) -> None:
        """Show what `describe` returns, and the table if it has any rows."""
        show_text(self.describe())
        if len(self.table):
            show_table(self.table, self.name, caption=self.caption)


def caution_rates() -> pd.DataFrame:
    """Read how often cautions were raised, where they should be and where they should not.

    Returns
    -------
    pandas.DataFrame
        Columns ``caution, measured_on, should_raise, checked, raised``, from a shipped table that
        ``benchmarks/measure_cautions.py`` makes. ``should_raise`` is whether the caution is
        right there: where it is, ``raised`` counts hits, elsewhere false alarms.

    Notes
    -----
    Texts that are cut or without content are counted, not guessed, and so have no such rates.
    The words that excuse a negation were chosen after reading the benchmark's false alarms; on
    other texts there may be more.

    Examples
    --------
    >>> rates = caution_rates()
    >>> rates.loc[rates["caution"] == "numbers", "should_raise"].tolist()
    [False, False, False, True]
    """
    file = resources.files(__package__) / "data" / "caution-rates.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#", true_values=["yes"], false_values=["no"])


def describe_caution_rates(rates: pd.DataFrame) -> list[str]:
    """Describe how many false alarms there are, and which caution is missed or wrong most often.

    Parameters
    ----------
    rates : DataFrame
        As from `caution_rates`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from stslab.studies import caution_rates
    >>> describe_caution_rates(caution_rates())[0].split(":")[0]
    'False alarms'
    """
    rates = rates.assign(share=rates["raised"] / rates["checked"])
    hits, alarms = rates[rates["should_raise"]], rates[~rates["should_raise"]]
    lines = []
    for _, row in alarms[alarms["caution"] == "any of these"].iterrows():
        lines.append(
            f"False alarms: {row['share']:.1%} of {row['checked']:,} {row['measured_on']}."
        )
    extremes = {
        "missed": hits.iloc[int(hits["share"].argmin())],
        "false alarm": alarms.iloc[int(alarms["share"].argmax())],
    }
    for name, row in extremes.items():
        lines.append(
            f"Most often {name}: “{row['caution']}”, raised by {row['raised']} of "
            f"{row['checked']} ({row['measured_on']})."
        )
    return lines


def tabulate(
    hits: Mapping[str, list[tuple[Any, ...]]], columns: list[str], total: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return a table with at most three examples of each caution, and the counts of all."""
    rows = []
    counts = {}
    for caution, caution_hits in hits.items():
        counts[caution] = len(caution_hits)
        for hit in list(dict.fromkeys(caution_hits))[:EXAMPLES]:
            rows.append((caution, len(caution_hits), len(caution_hits) / total, *hit))
    return pd.DataFrame(rows, columns=["caution", "count", "share", *columns]), counts


def count_of_total(count: int, total: int, noun: str) -> str:
    """Return "The text", "Both texts", "All 3 texts" or "1 of 3 texts"."""
    if total == 1:
        return f"The {noun}"
    if count == total == 2:
        return f"Both {noun}s"
    if count == total:
        return f"All {total:,} {noun}s"
    return f"{count:,} of {total:,} {noun}s"


def example(text: str) -> str:
    """Return a text, shortened if it is too long for an example."""
    if len(text) <= EXAMPLE_WIDTH:
        return text
    return f"{text[: EXAMPLE_WIDTH - 1]}…"
