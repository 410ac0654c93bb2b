"""How often cautions are right: on pairs and texts in `tests/cautions`, and on the STS Benchmark.

The benchmark is found by STSLAB_STSB, else beside the project; without it, its tests are skipped.
"""

from __future__ import annotations

import re
import runpy
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from stslab.studies import caution_rates, cautions_of, text_cautions
from stslab.studies.quantities import number_difference, quantities

OWN = ROOT / "tests/cautions"
NUMBERS = "numbers"
LANGUAGE = "likely not in English"
TOO_SHORT = "too short to tell the language"


def own(file: str) -> pd.DataFrame:
    return pd.read_csv(OWN / file, keep_default_na=False)


def number_pairs(same_meaning: bool) -> list[tuple[str, str]]:
    pairs = own("pairs.csv")
    chosen = pairs[(pairs["kind"] == "numbers") & (pairs["same_meaning"] == same_meaning)]
    return list(zip(chosen["sentence_a"], chosen["sentence_b"], strict=True))


def lists(english: bool) -> list[Any]:
    """Lists of twelve texts of one or two words."""
    texts = own("texts.csv").query("list != 'sentence'")
    groups = texts.groupby(["language", "list"])["text"].agg(list)
    chosen = groups[(groups.index.get_level_values("language") == "English") == english]
    return [pytest.param(texts, id=" ".join(key)) for key, texts in chosen.items()]


def verdict(texts: list[str], model: Any) -> str:
    """What a page says, without what it did not find."""
    said = text_cautions(texts, model=model).describe()
    return re.sub("(None was|It was not) found [^.]*", "", said)


@pytest.fixture(scope="module")
def with_train(stsb: Path) -> Path:
    """Find the STS Benchmark with its train pairs, or skip."""
    if not (stsb / "sts-train.csv").is_file():
        pytest.skip(f"no sts-train.csv in {stsb.name}/: set STSLAB_STSB to a folder that has it")
    return stsb


@pytest.fixture(scope="module")
def benchmark(with_train: Path) -> pd.DataFrame:
    measure = runpy.run_path(str(ROOT / "benchmarks/measure_cautions.py"))
    table: pd.DataFrame = measure["read_benchmark"](with_train)
    return table


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


FRAGMENTS = [
    *("5", "1,500", "1 500", "٣", "0", "-", "−", "–", "$", "€", "%", ":", ".", "/", " ", "'"),
    *("k", "m", "bn", "pm", "km", "miles", "million", "brillion", "mıllion", "K", "ſeven", "and"),
    *("twenty", "one", "second", "hundred", "a", "half", "dozen", "May", "2020-05-03", "th"),
]
text_of_fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
spaced_fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join)


@given(a=text_of_fragments | spaced_fragments, b=text_of_fragments | spaced_fragments)
def test_any_text_can_be_read_equals_itself_and_differs_both_ways(a: str, b: str) -> None:
    assert number_difference(a, a) is None
    assert (number_difference(a, b) is None) == (number_difference(b, a) is None)


@pytest.mark.slow
def test_long_tables_of_numbers_take_no_longer_than_they_must() -> None:
    """In time in proportion to their length, not to its square."""
    started = time.process_time()
    first, second = (" ".join(map(str, range(i, 20_000, 2))) for i in (0, 1))
    assert cautions_of(first, second)
    assert time.process_time() - started < 3


# Languages


@pytest.mark.parametrize("greetings", lists(english=False))
def test_no_greeting_passes_as_english(greetings: list[str], model: Any) -> None:
    """Flagged, or said to be too short; alone and as a list of twelve."""
    assert len(greetings) == 12
    for greeting in greetings:
        found = text_cautions([greeting], model=model)
        assert len(found.table) or f"1 text of one or two words is {TOO_SHORT}" in found.describe()
        assert f"or {LANGUAGE}" not in found.describe()
    found = text_cautions(greetings, model=model)
    left = 12 - found.counts.get(LANGUAGE, 0)
    assert not left or f"{left} texts of one or two words are {TOO_SHORT}" in found.describe()
    assert LANGUAGE in verdict(greetings, model)


@pytest.mark.parametrize("texts", lists(english=True))
def test_english_lists_of_short_texts_are_not_called_foreign(texts: list[str], model: Any) -> None:
    found = text_cautions(texts, model=model)
    assert LANGUAGE not in found.table["caution"].tolist()
    assert LANGUAGE not in found.describe()
    assert found.headlines() == [] or "no content" in found.headlines()[0]


@pytest.mark.parametrize(
    ("text", "script"),
    [("Привет", "Cyrillic"), ("狗在公园里玩。", "Chinese characters"), ("καλημέρα", "Greek")],
)
def test_a_script_is_named_where_it_tells(text: str, script: str, model: Any) -> None:
    found = text_cautions([text], model=model).table
    assert found["detail"].tolist() == [f"not in Latin script: {script}"]


@pytest.mark.parametrize(
    "text", ["𝗯𝗼𝗹𝗱 and 𝘪𝘵𝘢𝘭𝘪𝘤 letters", "The angle α is small.", "５ ｏ'clock"]
)
def test_letters_of_formulas_and_styled_letters_are_no_script(text: str, model: Any) -> None:
    assert LANGUAGE not in text_cautions([text], model=model).table["caution"].tolist()


@pytest.mark.thorough
def test_no_sentence_of_the_benchmark_is_taken_for_another_language(
    benchmark: pd.DataFrame, model: Any
) -> None:
    texts = dict.fromkeys([*benchmark["sentence_a"], *benchmark["sentence_b"]])
    assert text_cautions(texts, model=model).counts[LANGUAGE] == 0


# Rates


def test_at_most_3_percent_of_pairs_that_people_call_the_same_raise_a_caution(
    benchmark: pd.DataFrame,
) -> None:
    same = benchmark[benchmark["gold_score"] >= 4]
    pairs = zip(same["sentence_a"], same["sentence_b"], strict=True)
    assert sum(bool(cautions_of(*pair)) for pair in pairs) / len(same) <= 0.03


def test_at_most_4_percent_of_dev_pairs_rated_4_5_or_more_raise_a_caution(
    benchmark: pd.DataFrame,
) -> None:
    same = benchmark[benchmark["gold_score"] >= 4.5].loc["dev"]
    pairs = zip(same["sentence_a"], same["sentence_b"], strict=True)
    assert sum(bool(cautions_of(*pair)) for pair in pairs) / len(same) <= 0.04


@pytest.mark.parametrize("caution", ["a negation", "opposites"])
def test_of_100_planted_differences_at_least_80_are_found_and_few_where_none_is(
    caution: str,
) -> None:
    """The opposites were drawn by chance from WordNet's of which both words are in frequent use.

    Left out were pairs for which no natural sentence was found, not pairs that are missed.
    """
    pairs = own("planted.csv").query("kind == @caution")
    assert len(pairs) == pairs["sentence"].nunique() == 100
    assert pairs["source"].nunique() == 5
    planted = zip(pairs["sentence"], pairs["planted"], strict=True)
    assert sum(caution in cautions_of(*pair) for pair in planted) >= 80
    same = zip(pairs["sentence"], pairs["same"], strict=True)
    assert sum(bool(cautions_of(*pair)) for pair in same) <= 4


@pytest.mark.thorough
def test_shipped_rates_are_what_their_script_measures(with_train: Path) -> None:
    measure = runpy.run_path(str(ROOT / "benchmarks/measure_cautions.py"))
    measured = measure["rates"](with_train).replace({"should_raise": {"yes": True, "no": False}})
    pd.testing.assert_frame_equal(caution_rates(), measured, check_dtype=False)
