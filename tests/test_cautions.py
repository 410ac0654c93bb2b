"""Cautions: each is raised by what it is for, and by nothing in the tutorial."""

from __future__ import annotations

import ast
import itertools
import time
from importlib import resources
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from stslab import read_pairs, read_sentences, score_pairs
from stslab.examples import Letters
from stslab.studies import (
    count_opposites,
    describe_data,
    has_content,
    pair_cautions,
    show_pair_cautions,
    show_text_cautions,
    text_cautions,
    with_differences,
)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
FRENCH = [
    "Le chien joue dans le parc.",
    "Comment puis-je changer mon mot de passe ?",
    "Elle adore lire des romans policiers.",
    "Les chats aiment dormir au soleil.",
]


def defaults(stem: str) -> dict[str, Any]:
    """Read the values in a notebook's parameters cell."""
    notebook = nbformat.read(next(NOTEBOOKS.glob(f"{stem}_*.ipynb")), as_version=4)
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    assigned = [node for node in ast.parse(cell.source).body if isinstance(node, ast.AnnAssign)]
    return {ast.unparse(node.target): ast.literal_eval(node.value) for node in assigned}


def scored(a: str, b: str, score: float = 0.9) -> pd.DataFrame:
    return pd.DataFrame([(a, b, score)], columns=["sentence_a", "sentence_b", "score"])


def raised(a: str, b: str) -> dict[str, str]:
    """Caution → detail, whichever sentence comes first."""
    found = pair_cautions(scored(a, b)).table
    assert set(found["caution"]) == set(pair_cautions(scored(b, a)).table["caution"])
    return dict(zip(found["caution"], found["detail"], strict=True))


# Texts


@pytest.mark.parametrize("stem", [f"{number:02}" for number in range(1, 10)])
def test_the_tutorials_sentences_raise_none(stem: str, model: Any) -> None:
    values = [
        value for name, value in defaults(stem).items() if name not in ("model_name", "store")
    ]
    texts = [str(node.value) for node in ast.walk(ast.parse(repr(values))) if is_text(node)]
    if not texts:
        pytest.skip("no sentences")
    found = text_cautions(texts, model=model)
    assert found.table.empty
    none = "was found to be cut at 256 tokens, without content or likely not in English."
    none = none.replace("was", "was not") if len(texts) == 1 else f"None {none}"
    assert found.describe().endswith(none)
    assert found.headlines() == []


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_the_tutorials_pairs_raise_none(model: Any) -> None:
    pairs = read_pairs(defaults("05")["pairs"]).table
    found = pair_cautions(score_pairs(pairs, model=model))
    assert found.table.empty
    assert found.describe() == (
        "1 of 4 pairs scores 0.7 or more. It was not found to differ in a negation, numbers, "
        f"one of the {count_opposites():,} opposites known here or the order of words. "
        "These checks read "
        "English; other differences, such as names, are not looked for."
    )
    assert found.headlines() == []


@pytest.mark.parametrize(
    "text",
    [
        "Samsung Galaxy S21 Ultra 5G 128GB Phantom Silver",
        "LEGO Star Wars Millennium Falcon 75192",
        "Angela Merkel meets Emmanuel Macron",
        "He said c'est la vie and left.",
        "Where is José's café?",
        "SELECT * FROM users WHERE id = 1",
        "cant login since tuesday 😀",
        "Bonjour",
    ],
)
def test_english_with_foreign_names_codes_and_single_words_raises_none(
    text: str, model: Any
) -> None:
    assert text_cautions([text], model=model).table.empty


def test_a_list_in_french_raises_its_caution(model: Any) -> None:
    cautions = text_cautions([*FRENCH, "A dog is playing in the park."], model=model)
    found = cautions.table
    assert set(found["caution"]) == {"likely not in English"}
    assert (found["count"].tolist(), found["share"].tolist()) == ([4] * 3, [0.8] * 3)
    assert found["example"].tolist() == FRENCH[:3]
    assert set(found["detail"]) == {"nearest language: fr"}
    assert cautions.describe().startswith(
        "5 texts checked. 4 are likely not in English. None was found to be cut at "
        "256 tokens or without content."
    )
    assert cautions.headlines() == [
        "4 of 5 texts are likely not in English, the language that the model was made for: such "
        "texts may score as alike for their language alone. "
        "Try MODEL=paraphrase-multilingual-MiniLM-L12-v2, which needs a download."
    ]


@pytest.mark.parametrize(
    "text",
    ["狗在公园里玩。", "Собака играет в парке.", "Der Hund spielt im Park.", "पार्क में कुत्ता है।"],
)
def test_other_languages_raise_the_caution(text: str, model: Any) -> None:
    assert text_cautions([text], model=model).table["caution"].tolist() == ["likely not in English"]


def test_no_language_is_claimed_for_a_model_whose_card_is_unknown() -> None:
    found = text_cautions(FRENCH, model=Letters())
    assert found.table.empty
    assert found.describe() == (
        "4 texts checked. None was found to be without content. Not checked: the length (the "
        "model does not say how much it reads), the language (the model has no card)."
    )


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("language: fr", "the model's card names fr"),
        ("language: [en, fr]", "the model's card names en, fr"),
        ("language: [en, fr, de, es, it, pt]", "the model's card names 6 languages"),
        ("language: no", "the model's card names no"),  # Norwegian, and false in YAML
        ("license: mit", "the model's card names none"),
    ],
)
def test_a_language_that_is_not_checked_is_said(metadata: str, why: str, tmp_path: Path) -> None:
    class Carded(Letters):
        source = type("Source", (), {"folder": tmp_path})

    (tmp_path / "README.md").write_text(f"---\n{metadata}\n---\n# A model\n")
    assert text_cautions(FRENCH, model=Carded()).describe().endswith(f"the language ({why}).")


def test_a_length_that_is_not_checked_is_said_and_no_limit_needs_no_word() -> None:
    class Tokenizing(Letters):
        max_seq_length: float = 128
        tokenizer = None

    said = text_cautions(["A dog."], model=Tokenizing()).describe()
    assert "Not checked: the length (the model's tokenizer does not count), the" in said
    Tokenizing.max_seq_length = float("inf")
    assert "length" not in text_cautions(["A dog."], model=Tokenizing()).describe()


def test_a_card_of_two_languages_makes_no_claim(tmp_path: Path) -> None:
    class Carded(Letters):
        source = type("Source", (), {"folder": tmp_path})

    for language, claimed in [("en", True), ("[en]", True), ("[en, fr]", False), ("fr", False)]:
        (tmp_path / "README.md").write_text(f"---\nlanguage: {language}\n---\n# A model\n")
        assert text_cautions(FRENCH, model=Carded()).table.empty is not claimed
    (tmp_path / "README.md").write_text("No metadata.")
    assert text_cautions(FRENCH, model=Carded()).table.empty


def test_a_text_that_is_cut_says_how_many_tokens_are_lost(model: Any) -> None:
    # [CLS] and [SEP] are tokens too: 254 words fit.
    texts = ["dog " * 254, "dog " * 300, "dog " * 255, "dog " * 300, "A dog."]
    cautions = text_cautions(texts, model=model)
    found = cautions.table
    assert cautions.counts["cut at 256 tokens"] == 3
    assert found["caution"].unique().tolist() == ["cut at 256 tokens"]
    assert found["count"].tolist() == [3, 3]
    assert found["detail"].tolist() == [
        "the last 46 of 302 tokens are not read",
        "the last 1 of 257 tokens are not read",
    ]
    assert found["example"].str.len().max() == 120
    assert cautions.describe().startswith(
        "5 texts checked. 3 are cut at 256 tokens. None was found to be"
    )
    assert cautions.headlines() == [
        "3 of 5 texts are cut at 256 tokens: the model does not read the rest."
    ]


def test_checking_does_not_change_how_the_model_cuts(model: Any) -> None:
    text = "dog " * 300
    before = model.encode(text)
    text_cautions([text], model=model)
    assert (model.encode(text) == before).all()


@pytest.mark.parametrize(
    "text",
    [
        *("?!", "5", "a", "x", "😀", "\u200b", "___", "-", "--", ".", "?", "…", "–"),
        *("n/a", "N/A", "N.A.", "n. a.", "na", "none", "None.", "NONE", "(none)", "nothing"),
        *("Nothing!", "no comment", "No comments.", "ok", "OK", "Okay", "nil", "tbd", "TBD."),
        *("don't know", "Don’t know.", "I don't know", "not applicable", "Nothing to add."),
        *("keine", "Keine.", "nichts", "k.A.", "k. A.", "weiß nicht", "WEISS NICHT", "nada"),
        *("rien", "Néant", "ne\u0301ant", "ＯＫ", "No", "No.", "Non", "42", "4711", "10/10", "nan"),
        *("#REF!", "#DIV/0!", "[deleted]", "(blank)", "Null", "No, thanks!", "Nothing, sorry."),
        *("Cant think of anything", "Can't think of anything", "nein danke", "Nada, gracias."),
        *("geen opmerkingen", "Niente da dire, grazie", "Não sei"),
    ],
)
def test_answers_without_content_raise_their_caution(text: str) -> None:
    assert not has_content(text)
    cautions = text_cautions([text, "The bread was good."], model=Letters())
    assert cautions.table["caution"].tolist() == ["without content"]
    assert cautions.headlines() == []  # the line on the data says it


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Good",
            "Yes",
            "Gut",
            "好",
            "4 of 5",
            "No comment on the bread.",
        ),
        *("None of the staff helped me", "Nothing works", "It was ok", "I don't know the owner"),
        *("Not applicable to my order, which was late", "Nada Surf", "TBD by Anna", "Na also"),
    ],
)
def test_answers_with_content_raise_none(text: str) -> None:
    assert has_content(text)
    assert text_cautions([text], model=Letters()).table.empty


def test_answers_without_content_are_counted_with_their_repeats_and_quoted_once(model: Any) -> None:
    texts = ["The bread was good.", "n/a", "n/a", "-", "ok", "Ok", "keine"]
    cautions = text_cautions(texts, model=model)
    assert cautions.counts == {
        "cut at 256 tokens": 0,
        "without content": 6,
        "likely not in English": 0,
    }
    assert describe_data(read_sentences(texts), "answer", cautions=cautions) == (
        "7 answers: 2 repeated, 6 without content (such as “n/a”, “-” and “ok”)."
    )


def test_a_multilingual_model_is_named_where_more_than_a_tenth_needs_one(model: Any) -> None:
    """Not for one stray sentence in a list in English."""
    english = [f"The dog number {number} plays in the park." for number in range(9)]
    few = text_cautions([*english, FRENCH[0]], model=model)
    assert few.headlines() == [
        "1 of 10 texts is likely not in English, the language that the model was made for: such "
        "texts may score as alike for their language alone."
    ]
    assert "MODEL=" not in few.describe()
    advice = "Try MODEL=paraphrase-multilingual-MiniLM-L12-v2, which needs a download."
    more = text_cautions([*english, *FRENCH[:2]], model=model)
    assert more.headlines()[0].endswith(f"language alone. {advice}")
    assert more.describe().endswith(advice)
    greetings = ["Guten Morgen", "Gute Nacht", "Auf Wiedersehen", "Vielen Dank", "Bitte schön"]
    short = text_cautions(greetings, model=model)
    assert len(short.headlines()) == 1
    assert "likely not in English (nearest language: de). Try MODEL=" in short.headlines()[0]


def test_a_text_of_a_megabyte_is_checked(model: Any) -> None:
    found = text_cautions(["dog " * 250_000], model=model).table
    assert found["detail"].tolist() == ["the last 249,746 of 250,002 tokens are not read"]


# Pairs


@pytest.mark.parametrize(
    ("a", "b", "detail"),
    [
        ("The dog is playing.", "The dog is not playing.", "not"),
        ("It doesn’t work.", "It works.", "doesn’t"),
        ("We ship abroad.", "We NEVER ship abroad.", "never"),
        ("I cannot log in.", "I can log in.", "cannot"),
        ("it isnt here", "it is here", "isnt"),
        ("He denied it.", "He did not deny it.", "not"),
        ("I can hear you.", "I can hardly hear you.", "hardly"),
        ("It works without wifi.", "It doesn't work without wifi.", "doesn't"),
        ("He never said it, never.", "He said it.", "never"),
    ],
)
def test_a_negation_in_one_sentence_raises_its_caution(a: str, b: str, detail: str) -> None:
    assert raised(a, b) == {"a negation": detail}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("She failed to pay.", "She did not pay."),
        ("He plays for fun rather than money.", "He plays for fun, not money."),
        ("A no-frills hotel", "A simple hotel"),
        ("No, that is not true.", "That is not true."),
    ],
)
def test_a_negation_in_other_words_raises_none(a: str, b: str) -> None:
    assert "a negation" not in raised(a, b)


@pytest.mark.parametrize(
    ("a", "b", "detail"),
    [
        ("Ready in 3 days.", "Ready in 5 days.", "3 / 5"),
        ("Two dogs run.", "Three dogs run.", "two / three"),
        ("It costs 2 million.", "It costs 3 million.", "2 million / 3 million"),
        ("It is -5 degrees.", "It is 5 degrees.", "-5 / 5"),
        ("Galaxy S21", "Galaxy S22", "21 / 22"),
        ("At 14:05", "At 14:50", "14:05 / 14:50"),
        ("1,000 of 7 seats", "1,500 of 7 seats", "1,000 / 1,500"),
        ("Version 1.2.3", "Version 1.2.4", "1.2.3 / 1.2.4"),
    ],
)
def test_numbers_that_differ_raise_their_caution(a: str, b: str, detail: str) -> None:
    assert raised(a, b) == {"numbers": detail}
    assert raised(b, a) == {"numbers": " / ".join(reversed(detail.split(" / ")))}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Two dogs run.", "2 dogs run."),
        ("It costs 2,000,000.", "It costs 2 million."),
        ("$70-million deal", "US$70 million deal"),
        ("It costs 5.0 euros.", "It costs 5 euros."),
        ("One dog runs.", "A dog runs."),
        ("Founded in 1889 with 5 people.", "Founded in 1889."),
    ],
)
def test_the_same_number_written_otherwise_raises_none(a: str, b: str) -> None:
    assert raised(a, b) == {}


def test_the_same_words_in_another_order_raise_their_caution() -> None:
    order = {"the order of words": "the same 5 words"}
    assert raised("A man bites a dog", "A dog bites a man.") == order
    assert raised("A dog barks.", "a dog  barks") == {}


def test_a_phrase_moved_to_the_front_raises_none() -> None:
    assert raised("It rains a lot in spring.", "In spring, it rains a lot.") == {}


@pytest.mark.parametrize(
    ("a", "b", "detail"),
    [
        ("The loan was approved.", "The loan was rejected.", "approved / rejected"),
        ("Prices are rising.", "Prices are falling.", "rising / falling"),
        ("The rent rose.", "The rent fell.", "rose / fell"),
        ("The shop opens at nine.", "The shop closes at nine.", "opens / closes"),
        ("A cheap hotel", "An expensive hotel", "cheap / expensive"),
        ("Cheaper than ours", "More expensive than ours", "Cheaper / expensive"),
        ("The coffee was stale.", "The coffee was fresh.", "stale / fresh"),
        ("Friendly staff", "Rude staff", "friendly / rude"),
        ("A lovely place", "An awful place", "lovely / awful"),
        ("My account is locked.", "Unlock my account.", "locked / unlock"),
        ("I need access to the wiki.", "Remove access to the wiki.", "need / remove"),
        ("They served us politely.", "They served us rudely.", "politely / rudely"),
        ("He was permitted to stay.", "He was forbidden to stay.", "permitted / forbidden"),
        ("The noisiest room", "The quietest room", "noisiest / quietest"),
        ("I carried it.", "I dropped it.", None),
        ("What you offer", "What you work on", None),  # no form of "off"
    ],
)
def test_opposites_raise_their_caution_in_any_form(a: str, b: str, detail: str | None) -> None:
    assert raised(a, b) == ({"opposites": detail.lower()} if detail else {})


def test_opposites_are_few_thousand_pairs_with_the_notice_that_their_licence_asks_for() -> None:
    file = resources.files("stslab.studies") / "data" / "opposites-en.txt"
    lines = file.read_text("utf-8").splitlines()
    pairs = [line for line in lines if not line.startswith("#") and "=" not in line]
    assert len(set(pairs)) == len(pairs) == count_opposites() > 3000
    assert all(one < other for one, other in map(str.split, pairs))
    notice = "".join(line for line in lines if line.startswith("#"))
    assert "WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved." in notice
    assert "and that the same appear on ALL copies" in notice
    assert "Title to copyright in this software, database and" in notice


def test_opposites_within_both_sentences_raise_none() -> None:
    assert raised("Open or close the door.", "Close the door, or open it.") == {}


def test_pairs_below_the_threshold_are_not_checked() -> None:
    low = scored("The loan was approved.", "The loan was rejected.", 0.69)
    found = pair_cautions(low)
    assert found.table.empty
    assert found.describe() == "The pair scores less than 0.7."
    assert pair_cautions(pd.concat([low] * 2)).describe() == "Neither pair scores 0.7 or more."
    none = pair_cautions(pd.concat([low] * 3))
    assert (none.describe(), none.headlines()) == ("None of the 3 pairs scores 0.7 or more.", [])
    assert len(pair_cautions(low, threshold=0.5).table) == 1


def test_a_table_shows_at_most_three_examples_highest_score_first() -> None:
    pairs = pd.concat([scored(f"Room {i}", f"Room {i + 1}", 0.7 + i / 100) for i in range(9)])
    cautions = pair_cautions(pairs)
    found = cautions.table
    assert found["score"].round(2).tolist() == [0.78, 0.77, 0.76]
    assert found["count"].tolist() == [9, 9, 9]


def test_all_pairs_from_the_threshold_up_are_examined_and_each_is_counted_once() -> None:
    """Not the ten closest, and a pair with two differences is one pair."""
    pairs = pd.concat(
        [
            *(scored(f"Bread {i}", "Bread", 0.95) for i in range(30)),
            scored("Room 5 is not cold", "Room 6 is cold", 0.8),
            *(scored("Stale bread", "Fresh bread", 0.71) for _ in range(20)),
            scored("Room 1", "Room 2", 0.69),
        ]
    )
    found = pair_cautions(pairs)
    kinds = "1 in a negation, 1 in numbers, 20 in opposites"
    assert found.headlines() == [f"21 of 51 pairs at 0.7 or more may differ in meaning: {kinds}."]
    assert found.describe() == (
        f"51 of 52 pairs score 0.7 or more. 21 of them may differ in meaning: {kinds}. None "
        "was found to differ in the order of words. These checks read English; other "
        "differences, such as "
        "names, are not looked for."
    )


def test_no_pairs_raise_none() -> None:
    """As where none of a list's texts are close."""
    none = scored("a", "b").iloc[:0]
    found = pair_cautions(none)
    assert (found.describe(), found.headlines()) == ("There are no pairs to check.", [])
    assert found.table.empty
    assert with_differences(none)["differ_in"].tolist() == []


def test_what_one_pair_differs_in_is_said_of_it() -> None:
    said = pair_cautions(scored("Room 5 is not cold", "Room 6 is cold")).describe()
    assert said.startswith("The pair scores 0.7 or more. It may differ in meaning: it differs in ")
    assert (
        "it differs in a negation and numbers. It was not found to differ in one of the 3," in said
    )


@pytest.mark.slow
def test_ten_thousand_pairs_are_examined_in_seconds() -> None:
    texts = [f"Ticket {i}: the printer next to my office does not print" for i in range(142)]
    rows = [(a, b, 0.9) for a, b in itertools.combinations(texts, 2)][:10_000]
    pairs = pd.DataFrame(rows, columns=["sentence_a", "sentence_b", "score"])
    started = time.process_time()
    assert pair_cautions(pairs).counts["numbers"] == len(pairs) == 10_000
    assert time.process_time() - started < 5


def test_each_pair_of_a_table_says_in_what_it_differs() -> None:
    pairs = pd.concat(
        [
            scored("The coffee is not stale", "The coffee is fresh"),
            scored("Room 5", "Room 7"),
            scored("A man bites a dog", "A dog bites a man"),
            scored("Good bread", "Nice bread"),
        ]
    )
    given = with_differences(pairs)
    assert given["differ_in"].tolist() == [
        "a negation (not) and opposites (stale / fresh)",
        "numbers (5 / 7)",
        "the order of words (the same 5 words)",
        "",
    ]
    pd.testing.assert_frame_equal(given.drop(columns="differ_in"), pairs)


def test_the_models_own_blind_spots_raise_their_cautions(model: Any) -> None:
    """FACTS: the bundled model scores these .970 and .763."""
    pairs = [
        ("A man bites a dog", "A dog bites a man"),
        ("The application was approved.", "The application was rejected."),
        ("The dog is playing in the park.", "The dog is not playing in the park."),
        ("The parcel arrives in 3 days.", "The parcel arrives in 5 days."),
    ]
    found = pair_cautions(score_pairs(pairs, model=model)).table
    assert len(found) == found["caution"].nunique() == 4


# Shown


def test_what_is_found_is_shown_in_a_sentence_and_a_table_and_nothing_in_a_sentence_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One call makes the cell that many notebooks need."""
    shown: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, *, metadata, raw: shown.append((data["text/plain"], metadata["stslab"])),
    )
    show_text_cautions(["?!", "A dog."], model=Letters())
    show_pair_cautions(scored("Room 1", "Room 2", 0.6), threshold=0.5)
    show_pair_cautions(scored("Room 1", "Room 2", 0.6))
    assert [told.get("name", told["kind"]) for _, told in shown] == [
        "text",
        "text-cautions",
        "text",
        "pair-cautions",
        "text",
    ]
    assert shown[0][0].startswith("2 texts checked. 1 is without content. Not checked: the length")
    assert shown[2][0].startswith("The pair scores 0.5 or more. It may differ in meaning: it")
    assert shown[4][0] == "The pair scores less than 0.7."
