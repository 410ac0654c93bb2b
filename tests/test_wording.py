"""wording.py: counted nouns, quoted texts and labels, as sentences and drawings need them."""

from __future__ import annotations

import pytest

from stslab.wording import counted, quoted, short_label, short_labels

PYTHON = "Python is a popular programming language."


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 pair"), (0, "0 pairs"), (2, "2 pairs"), (1200, "1,200 pairs")]
)
def test_a_noun_is_as_its_number_wants_it(count: int, words: str) -> None:
    assert counted(count, "pair") == words


def test_a_text_is_shortened_with_an_ellipsis_where_it_is_cut() -> None:
    assert short_label(PYTHON) == "Python is a popular program…"
    assert quoted(PYTHON, 20) == "“Python is a popular…”"
    assert short_label("Short.") == "Short."


def test_labels_that_would_look_the_same_are_numbered() -> None:
    """From the first on, in the order given; others stay as they are."""
    texts = [f"The very same beginning, then {end}." for end in ("this", "that")]
    assert short_labels([*texts, "Other."]) == [
        "The very same beginni… (1)",
        "The very same beginni… (2)",
        "Other.",
    ]
