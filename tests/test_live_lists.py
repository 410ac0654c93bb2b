"""What the page says of lists and pairs is what Python says: the same groups, ranks, cautions."""

from __future__ import annotations

import csv
import itertools
import json

import numpy as np
import page_fixtures as fixtures
import pytest
from conftest import ROOT
from live import check_list, page_of_lists

from stslab import encode, interpret, read_sentences, search
from stslab.examples import Letters
from stslab.live.build import PAIRS, SENTENCES
from stslab.live.lexicon import lexicon
from stslab.studies import (
    cautions_of,
    describe_calibration,
    expected_gold,
    has_content,
    judge_hits,
    random_share,
    read_minimal_pairs,
    read_stsb,
)

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

# Without half characters, which JSON and Python's tokenizer do not take alike.
HOSTILE = [text for text in fixtures.HOSTILE if len(text) < 2000 and "\ud83d" not in text]


@pytest.fixture(scope="module")
def page(chromium, model):
    yield from page_of_lists(chromium, model)


def lists_not_written_for_it() -> dict[str, list[str]]:
    """Twenty lists: the project's other ones, and the benchmark's where it is at hand."""
    found = {
        "tutorial": SENTENCES,
        "two": ["A dog barks.", "A cat meows."],
        "pairs": [text for pair in PAIRS for text in pair],
        "support": read_sentences(ROOT / "notebooks/presets/support.csv").texts,
        "hostile": [t for t in HOSTILE if t.strip()],
        "odd": ["n/a", "-", "n/a", "It rains.", "Rain falls.", "none", "it rains."],
        "same": ["Good.", "good.", "GOOD.", "Good"],
        "scripts": ["学习很好。", "学习。", "Ich lerne gern.", "J'apprends.", "Учусь."],
        "minimal": [*read_minimal_pairs()["sentence_a"][:60]],
        "opposites": [*read_minimal_pairs()["sentence_b"][-80:]],
        "questions": read_sentences(ROOT / "tests/search/questions.csv").texts,
    }
    for file in sorted((ROOT / "tests/search").glob("*.txt")):
        found[file.stem] = file.read_text("utf-8").splitlines()
    return {name: [t for t in texts if t.strip()] for name, texts in found.items()}


LISTS = lists_not_written_for_it()


@pytest.mark.parametrize("name", LISTS)
def test_repeats_order_groups_and_closest_pairs(page, model, name):
    check_list(page, model, LISTS[name], [0.8, 0.6, 0.4])


def stsb_lists(folder):
    """The benchmark's sentences by kind, as far as a page takes them."""
    table = read_stsb("test", folder=folder)
    for source, part in table.groupby("source"):
        for side in ("sentence_a", "sentence_b"):
            yield f"{source}, {side}", part[side].tolist()


def test_groups_of_the_benchmarks_kinds_of_text(page, model, stsb):
    kinds = dict(stsb_lists(stsb))
    assert len(LISTS) + len(kinds) >= 20
    for texts in kinds.values():
        check_list(page, model, texts[:40], [0.8, 0.5])


@pytest.mark.slow
def test_groups_of_long_lists(page, model, stsb):
    kinds = dict(stsb_lists(stsb))
    for texts in kinds.values():
        check_list(page, model, texts[:1000], [0.8])
    everything = list(dict.fromkeys(itertools.chain(*kinds.values())))
    check_list(page, model, everything[::2][:1000], [0.8])


@pytest.mark.parametrize("name", LISTS)
def test_ranks_hits_and_verdicts(page, model, name):
    texts = list(dict.fromkeys(LISTS[name]))
    queries = ["How do I return an order?", texts[0], "Cats and dogs"]
    vectors = encode([*queries, *texts], model=model)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).tolist()
    hits = search(queries, texts, model=model, top_k=len(texts))
    verdicts = judge_hits(hits, model=model).set_index("query")["verdict"]
    for place, query in enumerate(queries):
        got = page.evaluate(
            """([query, vectors]) => lists.rank(query, vectors).map(({ index, score }) => {
                return [index, score, lists.judge(score, lists.lexicon)];
            })""",
            [unit[place], unit[len(queries) :]],
        )
        want = hits[place * len(texts) : (place + 1) * len(texts)]
        assert [hit[0] for hit in got] == want["corpus_id"].tolist()
        np.testing.assert_allclose([hit[1] for hit in got], want["score"], atol=2e-7)
        assert got[0][2] == verdicts[query]


def check_cautions(page, pairs):
    got = page.evaluate(
        "pairs => pairs.map(([a, b]) => lists.differences(a, b, lists.lexicon))", pairs
    )
    want = [cautions_of(a, b) for a, b in pairs]
    wrong = [(pair, g, w) for pair, g, w in zip(pairs, got, want, strict=True) if g != w]
    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
def test_cautions_of_all_pairs_of_a_list(page, name):
    check_cautions(page, [list(pair) for pair in itertools.combinations(LISTS[name][:60], 2)])


def test_cautions_of_pairs_that_differ_in_one_thing(page):
    table = read_minimal_pairs()
    check_cautions(page, table[["sentence_a", "sentence_b"]].to_numpy().tolist())
    for file in sorted((ROOT / "tests/cautions").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(line for line in stream if not line.startswith("#")))
        pairs = [row[:2] for row in rows if len(row) >= 2]
        check_cautions(page, pairs)
        check_cautions(page, [[b, a] for a, b in pairs])


def test_cautions_of_the_benchmark(page, stsb):
    for split in ("test", "dev"):
        table = read_stsb(split, folder=stsb)
        check_cautions(page, table[["sentence_a", "sentence_b"]].to_numpy().tolist())


NUMBERS = [
    "$1.5k",
    "1,500 dollars",
    "1.500",
    "5m",
    "5 m",
    "5 miles",
    "8 km",
    "half a mile",
    "5½",
    "May 5, 2020",
    "2020-05-05",
    "5 May",
    "the 5th of May",
    "3:30 pm",
    "15:30",
    "3 o'clock",
    "3.30pm",
    "minus 5 °C",
    "-5 degrees",
    "5-7",
    "5 – 7",
    "twenty-two",
    "a hundred and five",
    "two and a half million",
    "1.2.3",
    ".5",
    "0.5",
    "50 %",
    "50 percent",
    "3rd",
    "third",
    "№ 5",
    "5b",
    "5 bn",
    "5k runners",
    "US$ 7",
    "€7",
    "7 euros",
    "7 EUR",
    "five dozen",
    "one",
    "zero",
    "ten thousand",
    "10 000",
    "10\xa0000",
    "1,5",
    "12 inches",
    "1 ft",
    "6'2\"",
    "5kg",
    "5 kilos",
    "10 lbs",
    "2 hours",
    "120 minutes",
    "half 5",
    "a dozen",
    "v2.0",
    "A4",
    "4K",
    "٣ cats",
    "²",
    "first of May",
    "June 3",
    "3 Jun 1999",
    "1999",
    "in the 1990s",
    "no. 7",
    "7th",
    "twentieth",
]


def test_numbers_as_people_write_them(page):
    """Every one against every other, in a sentence."""
    sides = [f"It is {each} for us, he said." for each in NUMBERS]
    check_cautions(page, [list(pair) for pair in itertools.permutations(sides, 2)])


@pytest.mark.slow
def test_cautions_of_random_pairs(page, stsb):
    table = read_stsb("train", folder=stsb)
    texts = [*table["sentence_a"], *table["sentence_b"]]
    drawn = np.random.default_rng(0).integers(len(texts), size=(20_000, 2))
    check_cautions(page, [[texts[a], texts[b]] for a, b in drawn])


def test_what_has_no_content(page):
    answers = (ROOT / "src/stslab/studies/data/no-content.txt").read_text("utf-8")
    lines = [line for line in answers.splitlines() if not line.startswith("#")]
    texts = [part for line in lines for part in line.split("|")]
    texts += [text.upper() + "!" for text in texts] + HOSTILE
    texts += ["", "好", "x", "Yes", "No", "ok then", "None of them", "ＯＫ", "k. A.", "weiß nicht"]
    texts += ["No, thanks!", "#REF!", " #ref!\x85", "\ufeff#REF!", "10", "[deleted]", "[ deleted ]"]
    texts += ["(blank)", "Cant think of anything", "nan", "4711", "Sorry, nothing.", "[BLAN\u212a]"]
    got = page.evaluate("ts => ts.map(t => lists.hasContent(t, lists.lexicon))", texts)
    wrong = [t for t, g in zip(texts, got, strict=True) if g != has_content(t)]
    assert wrong == []


def test_what_a_score_is_worth(page, model):
    """Expected human score, range, share of random pairs and band, and why there are none."""
    scores = [*np.linspace(-0.4, 1, 57).tolist(), 0.3, 0.5, 0.7, 0.9, -1, 1]
    pair = list(PAIRS[0])
    got = page.evaluate(
        """([scores, texts]) => scores.map((score) => ({
            ...lists.worth(score, texts, lists.lexicon),
            share: lists.percentile(score, lists.lexicon), band: lists.band(score, lists.lexicon),
        }))""",
        [scores, pair],
    )
    want = expected_gold(scores, model=model, texts=pair)
    for name, key in {"expected_gold": "expected", "low": "low", "high": "high"}.items():
        np.testing.assert_allclose([each[key] for each in got], want[name], atol=1e-9)
    share = random_share(scores, model=model)["share"]
    np.testing.assert_allclose([each["share"] for each in got], share, atol=1e-9)
    assert [each["band"] for each in got] == [interpret(score) for score in scores]
    for texts in (["Too short.", "Also this is."], ["word " * 41, "A dog barks here."]):
        found = page.evaluate("t => lists.worth(0.5, t, lists.lexicon)", texts)
        assert found == {"why": describe_calibration(model, texts)}
    (found,) = page.evaluate(
        "t => [lists.worth(0.5, t, lists.lexicon).why]", ["Она читает книгу.", "A dog barks here."]
    )
    assert found == describe_calibration(model, ["Она читает книгу.", "A dog barks here."])


def test_a_model_that_is_not_calibrated_has_no_worth(page):
    words = json.loads(json.dumps(lexicon(Letters())))
    found = page.evaluate(
        "words => [lists.worth(0.5, ['a', 'b'], words), lists.judge(0.5, words)]", words
    )
    assert found == [{"why": describe_calibration(Letters())}, "not known"]
