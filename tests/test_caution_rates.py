"""How often cautions are right: on pairs in `tests/cautions`."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import ROOT

from stslab.studies import cautions_of
from stslab.studies.quantities import quantities

OWN = ROOT / "tests/cautions"
NUMBERS = "numbers that differ"


def own(file: str) -> pd.DataFrame:
    return pd.read_csv(OWN / file, keep_default_na=False)


def number_pairs(same_meaning: bool) -> list[tuple[str, str]]:
    pairs = own("pairs.csv")
    chosen = pairs[(pairs["kind"] == "numbers") & (pairs["same_meaning"] == same_meaning)]
    return list(zip(chosen["sentence_a"], chosen["sentence_b"], strict=True))


# Numbers


def test_none_of_30_equal_spellings_raises_a_number_caution() -> None:
    pairs = number_pairs(same_meaning=True)
    assert len(pairs) == 30
    assert [pair for pair in pairs if NUMBERS in cautions_of(*pair)] == []
    assert [pair for pair in pairs if NUMBERS in cautions_of(*pair[::-1])] == []


def test_all_of_30_different_numbers_raise_a_number_caution() -> None:
    pairs = number_pairs(same_meaning=False)
    assert len(pairs) == 30
    assert [pair for pair in pairs if NUMBERS not in cautions_of(*pair)] == []
    assert [pair for pair in pairs if NUMBERS not in cautions_of(*pair[::-1])] == []


def test_each_pair_has_a_number_to_read() -> None:
    """So that no pair is quiet because nothing was found in it."""
    texts = [text for same in (True, False) for pair in number_pairs(same) for text in pair]
    assert [text for text in texts if not quantities(text)] == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.500", [1.5]),  # ambiguous: read the English way
        ("1,500", [1500]),
        ("1,5", [1.5]),
        ("from -5 to 5, or -5-5", [-5, 5, -5, 5]),
        ("COVID-19", [19]),
        ("S21 128GB", [21, 128]),
        ("one million two hundred thousand and five", [1_200_005]),
        ("two or three", [2, 3]),
        ("no one, someone, often, tent", [1]),
        ("half a dozen", [6]),
        ("two and a half million", [2_500_000]),
        ("thirty-first", [31]),
        ("30 seconds after the second", [30, 2]),
        ("a 5m pool for $5m", [5, 5_000_000]),
        ("1.2.3 at 14:05:33", ["1.2.3", "14:05:33"]),
        ("", []),
    ],
)
def test_numbers_are_read_as_people_read_them(text: str, values: list[float | str]) -> None:
    assert [found.value for found in quantities(text)] == values


def test_a_unit_counts_only_where_both_have_one() -> None:
    assert cautions_of("The walk is 5 km.", "The walk is 5.") == {}
    assert cautions_of("The walk is 5 km.", "The walk is 5 miles.") == {NUMBERS: "5 km / 5 miles"}
