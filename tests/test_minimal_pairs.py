"""Minimal pairs: the shipped pairs are sane, and misjudging is counted as stated."""

from importlib import resources

import pandas as pd
import pytest

from stslab import InputError
from stslab.studies import blind_spots, read_minimal_pairs

KINDS = {
    "paraphrase",
    "related",
    "unrelated",
    "negation",
    "antonyms",
    "numbers",
    "names",
    "word order",
    "long text",
    "other languages",
    "typos",
    "emoji",
}


@pytest.fixture(scope="module")
def shipped():
    return read_minimal_pairs()


def test_every_kind_has_at_least_eight_pairs(shipped):
    assert set(shipped["kind"]) == KINDS
    assert shipped["kind"].value_counts().min() >= 8
    assert shipped["same_meaning"].notna().all()


def test_no_pair_occurs_twice_and_no_sentence_pairs_with_itself(shipped):
    both = [frozenset(pair) for pair in shipped[["sentence_a", "sentence_b"]].to_numpy()]
    assert len(set(both)) == len(both)
    assert min(map(len, both)) == 2


def test_texts_are_clean_lines(shipped):
    """No stray space, no line break, composed characters: one way to write each text."""
    import unicodedata

    texts = pd.concat([shipped["sentence_a"], shipped["sentence_b"]])
    assert [text for text in texts if text != " ".join(text.split())] == []
    assert [text for text in texts if text != unicodedata.normalize("NFC", text)] == []
    file = resources.files("stslab.studies") / "data" / "minimal_pairs.csv"
    assert file.read_bytes().endswith(b"\n")
    assert b"\r" not in file.read_bytes()


def test_the_yardstick_holds_one_meaning_each(shipped):
    same = shipped.groupby("kind")["same_meaning"].agg(["min", "max"])
    assert same.loc["paraphrase"].tolist() == [True, True]
    assert same.loc["related"].tolist() == same.loc["unrelated"].tolist() == [False, False]


def test_long_texts_differ_only_behind_the_models_maximum_length(shipped, model):
    for pair in shipped[shipped["kind"] == "long text"].itertuples():
        together = zip(pair.sentence_a, pair.sentence_b, strict=False)
        first = next(i for i, (a, b) in enumerate(together) if a != b)
        prefix = pair.sentence_a[:first]
        tokens = model.tokenizer(prefix, truncation=False, verbose=False)["input_ids"]
        assert len(tokens) - 1 > model.max_seq_length  # all but the closing special token


def test_own_pairs_come_behind_and_may_say_what_they_are(shipped, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(
        "sentence_a,sentence_b,kind,same_meaning,id\n"
        "A.,B.,politeness,Yes,1\nC.,D.,,0,2\nE.,F.,politeness,,3\n"
    )
    mine = read_minimal_pairs(file).iloc[len(shipped) :]
    assert mine.columns.tolist() == ["kind", "sentence_a", "sentence_b", "same_meaning"]
    assert mine["kind"].tolist() == ["politeness", "your own", "politeness"]
    assert mine["same_meaning"].tolist() == [True, False, pd.NA]


def test_own_pairs_in_a_list_need_nothing_but_the_sentences(shipped):
    last = read_minimal_pairs([("One.", "Two.")]).iloc[-1]
    assert last["kind"] == "your own"
    assert pd.isna(last["same_meaning"])


def test_a_meaning_that_is_neither_true_nor_false_is_refused():
    own = pd.DataFrame({"sentence_a": ["A."], "sentence_b": ["B."], "same_meaning": ["maybe"]})
    with pytest.raises(InputError, match=r"same_meaning of “A\.”: expected true, false or nothing"):
        read_minimal_pairs(own)


def test_misjudged_is_the_share_of_comparisons_that_come_out_wrong():
    rows = [
        ("paraphrase", True, 0.5),
        ("paraphrase", True, 0.9),
        ("related", False, 0.4),
        ("numbers", False, 0.7),  # above one of two paraphrases
        ("numbers", False, 0.9),  # above one, level with the other
        ("typos", True, 0.3),  # below the related pair
        ("typos", True, 0.8),
        ("mine", None, 0.8),
    ]
    scored = pd.DataFrame(rows, columns=["kind", "same_meaning", "score"])
    scored["same_meaning"] = scored["same_meaning"].astype("boolean")
    summary = blind_spots(scored, measures=["score"]).set_index("kind")
    assert summary["pairs"].to_dict()["typos"] == 2
    assert summary.loc["numbers", "score"] == pytest.approx(0.8)
    assert summary.loc["numbers", "score_misjudged"] == pytest.approx((1 + 1 + 0.5) / 4)
    assert summary.loc["typos", "score_misjudged"] == 0.5
    assert summary.loc["paraphrase", "score_misjudged"] == 0
    assert pd.isna(summary.loc["mine", "score_misjudged"])
