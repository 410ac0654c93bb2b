"""Themes of a list: found, steady, named, the same with any model; texts that fit none are apart.

The labeled lists are found by STSLAB_DATA, else beside the project; without them, their tests are
skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from theme_lists import (
    Encoded,
    Raised,
    agreement,
    draw_intents,
    measure_returns,
    read_orders,
    shares_apart,
)

from stslab import InputError, read_sentences
from stslab.studies import find_themes
from stslab.studies.repeats import positions_of_repeats, repeat_key
from stslab.studies.themes.members import nearly_the_same
from stslab.studies.themes.names import name_themes, words_of
from stslab.studies.themes.neighbors import center_embeddings, link_neighbors, nearest_neighbors
from stslab.studies.themes.tables import row_table

DATA = Path(os.environ.get("STSLAB_DATA", ROOT / "../shared/data"))
HOTEL = [
    "The room was clean and quiet.",
    "Our room was very clean.",
    "The room was spotless.",
    "Our room was tidy and clean.",
    "Wi-Fi dropped every evening.",
    "The Wi-Fi hardly ever worked.",
    "No Wi-Fi in the evening.",
    "The internet was down, and the Wi-Fi slow.",
    "Lovely view of the lake.",
    "We could see the lake from the window.",
    "The lake view is beautiful.",
    "We enjoyed the view over the lake.",
]
UNRELATED = [
    "The moon has no atmosphere.",
    "My bicycle needs a new chain.",
    "Taxes are due in April.",
    "She plays the violin on Sundays.",
    "The recipe calls for two eggs.",
    "He forgot his password again.",
    "The train to Lyon was cancelled.",
    "Penguins cannot fly.",
    "Our printer is out of toner.",
    "Concrete hardens within days.",
    "The goalkeeper saved a penalty.",
    "Inflation fell last quarter.",
    "A ladder leaned against the wall.",
    "Malaria is spread by mosquitoes.",
]


class Subjects:
    """A model for which texts that begin with the same letter are alike."""

    def encode(self, inputs: list[str], /) -> np.ndarray:
        vectors = np.zeros((len(inputs), 40))
        for row, text in enumerate(inputs):
            vectors[row, ord(text[0].lower()) % 32] = 3
            vectors[row, 32 + len(text) % 8] = 1
        return vectors


@pytest.fixture(scope="session")
def encoded(model) -> Encoded:
    return Encoded(model)


@pytest.fixture(scope="session")
def labeled() -> Path:
    """Find the labeled lists, or skip."""
    if not (DATA / "banking77" / "test.csv").is_file():
        pytest.skip("no labeled lists: set STSLAB_DATA to the folder of banking77/ and survey/")
    return DATA


def member_sets(themes) -> set[frozenset[str]]:
    return {frozenset(theme.texts) for theme in themes.themes}


# Found


def test_a_short_list_falls_into_its_subjects(encoded):
    themes = find_themes(HOTEL, model=encoded)
    assert member_sets(themes) == {frozenset(HOTEL[i : i + 4]) for i in (0, 4, 8)}
    assert [theme.name.split(", ")[0] for theme in themes.themes] == ["room", "wi-fi", "lake"]
    assert all(theme.steadiness >= 0.9 for theme in themes.themes)


def test_repeats_count_once_for_finding_and_fully_in_counts(encoded):
    said_often = [*HOTEL, *["lovely view of  the lake!!"] * 5, "n/a", "N/A", "-"]
    themes = find_themes(said_often, model=encoded)
    assert len(themes.themes) == 3
    largest = themes.themes[0]
    assert (largest.count, len(largest.texts)) == (9, 4)
    # The most frequent spelling is shown.
    assert "lovely view of  the lake!!" in largest.texts
    assert themes.without_content["rows"].tolist() == [[18, 19], [20]]
    assert themes.describe() == (
        "3 themes in 17 texts with content: Lake (view), 9 (53%); Room (clean), 4 (24%); "
        "Wi-fi (evening), 4 (24%). The themes come back in all of 20 trials without a tenth of the "
        "texts."
    )


def test_the_table_holds_every_row_once(encoded):
    rows = list(range(101, 101 + len(HOTEL)))
    table = find_themes(HOTEL, model=encoded, rows=rows).table
    assert sorted(table["rows"].explode()) == rows
    assert table["text"].tolist() == HOTEL
    assert table["nearest"].ne(table["text"]).all()
    assert table["score"].between(-1, 1).all()


def test_a_text_that_fits_nowhere_is_apart(encoded):
    themes = find_themes([*HOTEL, "Taxes are due in April."], model=encoded)
    assert themes.apart["text"].tolist() == ["Taxes are due in April."]


def test_unrelated_sentences_have_no_themes(encoded):
    themes = find_themes(UNRELATED, model=encoded)
    assert themes.themes == ()
    assert len(themes.apart) == len(UNRELATED)
    assert themes.describe().startswith("No steady themes in 14 different texts")


@pytest.mark.parametrize("texts", [["-"], ["One text."], HOTEL[:11], [f"{HOTEL[0]}!"] * 20])
def test_few_texts_have_no_themes(encoded, texts):
    themes = find_themes(texts, model=encoded)
    assert themes.themes == ()
    assert "It takes 12." in themes.describe()


def test_a_mark_before_a_formula_is_written_once(letters, tmp_path):
    (tmp_path / "my.csv").write_text("text,plan\n'=1+1 is two,'=A1\nGood stay.,x\n")
    read = read_sentences(tmp_path / "my.csv")
    table = row_table(read, find_themes(read.texts, model=letters, rows=read.rows))
    assert table[["text", "plan"]].to_numpy().tolist() == [
        ["=1+1 is two", "=A1"],
        ["Good stay.", "x"],
    ]


def test_texts_that_are_all_alike_to_the_model_have_no_themes():
    class Constant:
        def encode(self, inputs: list[str], /) -> np.ndarray:
            return np.ones((len(inputs), 3))

    assert find_themes(HOTEL, model=Constant()).themes == ()


def test_the_same_list_has_the_same_themes(encoded):
    first, second = (find_themes(HOTEL, model=encoded) for _ in range(2))
    assert first.themes == second.themes
    assert first.table.equals(second.table)


def test_wrong_arguments_are_named(letters):
    with pytest.raises(InputError, match="resolution=0: expected more than 0"):
        find_themes(HOTEL, model=letters, resolution=0)
    with pytest.raises(InputError, match="rows: 1 numbers for 12 texts"):
        find_themes(HOTEL, model=letters, rows=[1])
    with pytest.raises(InputError, match=r"texts\[1\] is blank"):
        find_themes(["a", " "], model=letters)


# Parts


def test_repeats_differ_in_capitals_spaces_and_final_punctuation_only():
    assert repeat_key(" Too   BIG?! ") == repeat_key("too big")
    assert repeat_key("no. 1") != repeat_key("no 1")
    assert repeat_key("...") == "..."
    assert positions_of_repeats(["A.", "a", "b", "a"]) == {"a": [0, 1, 3], "b": [2]}


def test_neighbors_of_a_part_are_its_own():
    """What a resample leaves out is replaced by the next nearest, as if the rest were the list."""
    vectors = center_embeddings(np.random.default_rng(0).normal(size=(60, 8)))
    neighbors = nearest_neighbors(vectors)
    takes_part = np.arange(60) % 12 > 0
    links = link_neighbors(neighbors, takes_part)
    alone = link_neighbors(nearest_neighbors(vectors[takes_part]), np.ones(55, dtype=bool))
    places = np.flatnonzero(takes_part)
    assert links.first.tolist() == places[alone.first].tolist()
    assert links.second.tolist() == places[alone.second].tolist()
    assert links.weight.tolist() == alone.weight.tolist()


def test_every_two_of_a_group_say_nearly_the_same():
    """Each text of a chain is like the next: the ends are not."""
    angles = np.array([0, 0.5, 1.0, 3.0])
    chain = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    assert nearly_the_same(chain, 0.8) == [[0, 1]]


def test_names_hold_no_numbers_variants_or_words_of_all():
    texts = [f"{noun} {number} shop" for noun in ("late parcel", "rude clerk") for number in "1234"]
    names = name_themes(texts, [[0, 1, 2, 3], [4, 5, 6, 7]])
    assert [name for name, _ in names] == ["late, parcel", "clerk, rude"]
    refunds = ["refund please", "refund, refunded", "refunded slowly", "a cat", "a dog", "a cow"]
    assert name_themes(refunds, [[0, 1, 2]]) == [("refund", (("refund", 2 / 3),))]


def test_themes_that_share_no_word_are_named_by_a_text_and_no_two_alike():
    names = [name for name, _ in name_themes(["one sun", "two moon"] * 2, [[0, 1], [2, 3], [1]])]
    assert names == ["one sun", "one sun (2)", "two moon"]


def test_words_in_any_script_and_negations_stay():
    assert words_of("It's never THE 2nd day of Wi-Fi, l’été") == {"never", "day", "wi-fi", "été"}
    assert words_of("学习中文") == {"学习", "习中", "中文"}
    assert "हिन्दी" in words_of("हिन्दी भाषा")


SHORT_TEXTS = st.text(alphabet="abcd e", min_size=2, max_size=12).filter(str.strip)


@settings(max_examples=25, deadline=None)
@given(st.lists(SHORT_TEXTS, min_size=12, max_size=60))
def test_a_word_of_a_name_is_in_two_texts_and_a_fifth_of_them(texts):
    themes = find_themes(texts, model=Subjects())
    names = [theme.name for theme in themes.themes]
    assert len(set(names)) == len(names)
    for theme in themes.themes:
        for word, share in theme.words:
            holders = sum(word in words_of(text) for text in theme.texts)
            assert holders >= max(2, 0.2 * len(theme.texts))
            assert share == holders / len(theme.texts)
    counts = [theme.count for theme in themes.themes]
    assert counts == sorted(counts, reverse=True)


# Any model


def test_a_model_with_high_scores_finds_the_same_themes(encoded, labeled):
    for texts in (HOTEL, read_orders(labeled)[0]):
        themes = find_themes(texts, model=encoded)
        raised = find_themes(texts, model=Raised(encoded))
        assert member_sets(raised) == member_sets(themes)


# Against labels


def test_answers_to_a_shop(encoded, labeled):
    texts, labels = read_orders(labeled)
    themes = find_themes(texts, model=encoded)
    assert 8 <= len(themes.themes) <= 20
    assert agreement(themes, labels, unused=("non", "blank")) >= 0.40
    in_themes = themes.table[themes.table["theme"] > 0]
    expected = labels[in_themes["rows"].str[0] - 1]
    for label in ("late", "app", "refund", "price", "quality", "packaging"):
        numbers = in_themes.loc[expected == label, "theme"]
        assert numbers.value_counts(normalize=True).max() >= 0.5, label
    for theme in themes.themes:
        assert not any(map(str.isdigit, theme.name)), theme.name


@pytest.mark.thorough
def test_questions_of_other_intents_are_set_apart(encoded, labeled):
    shares = []
    for draw in range(10):
        texts, labels = draw_intents(labeled, [20] * 12, 300 + draw, strangers=40)
        shares.append(shares_apart(find_themes(texts, model=encoded), labels))
    strange, usual = np.mean(shares, axis=0)
    assert strange >= 0.40
    assert usual <= 0.10


@pytest.mark.thorough
@pytest.mark.parametrize(("sizes", "seed", "least"), [("uneven", 100, 0.76), ("25", 200, 0.63)])
def test_intents_of_a_bank(encoded, labeled, sizes, seed, least):
    agreements = []
    for draw in range(10):
        counts = [20] * 25
        if sizes == "uneven":
            counts = np.random.default_rng(draw).integers(8, 41, 12).tolist()
        texts, labels = draw_intents(labeled, counts, seed + draw)
        themes = find_themes(texts, model=encoded)
        assert len(counts) / 3 <= len(themes.themes) <= 1.5 * len(counts)
        agreements.append(agreement(themes, labels))
    assert np.mean(agreements) >= least


@pytest.mark.thorough
def test_steady_themes_come_back(encoded, labeled):
    texts, _ = draw_intents(labeled, [20] * 12, 5)
    for list_of_texts in (texts, read_orders(labeled)[0]):
        table = measure_returns(list_of_texts, encoded, draws=20)
        returned = table.loc[table["steadiness"] >= 0.9, "returned"]
        assert len(returned) > 0
        assert returned.mean() >= 0.8
