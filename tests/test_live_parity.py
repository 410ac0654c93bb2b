"""Lists and pairs in page and Python where people seldom go: all characters, odd numbers, ties."""

from __future__ import annotations

import random
import re
import unicodedata
from importlib import resources

import numpy as np
import pytest
from live import page_of_lists

from stslab import encode, search
from stslab.studies import cautions_of, group_sentences, has_content, read_stsb
from stslab.studies.differences import words
from stslab.studies.quantities import quantities
from stslab.studies.terms import _terms

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NAMES = "groupSentences, closestPairs, rank, differences, hasContent, words, termsOf, quantities"


@pytest.fixture(scope="module")
def page(chromium, model):
    yield from page_of_lists(chromium, model, NAMES)


def each(page, expression, values):
    """Evaluate a JavaScript expression of `x` for each value."""
    return page.evaluate(f"values => values.map((x) => {expression})", values)


READ = """lists.quantities(x, lists.lexicon).map((found) => {
  return ["value", "unit", "kind", "size", "number", "whole"].map((name) => found[name]);
})"""


def read(text):
    return [list(found) for found in quantities(text)]


def rounded(found):
    """Make a whole number a double again, which comes from the browser as its shortest digits."""
    return [[float(x) if isinstance(x, int) else x for x in row] for row in found]


READINGS = {
    "content": (lambda c: c, has_content, "lists.hasContent(x, lists.lexicon)"),
    "no content": (lambda c: f"{c}Ok{c}", has_content, "lists.hasContent(x, lists.lexicon)"),
    "words": (lambda c: f"a{c}b {c} x’{c}", lambda text: list(words(text)), "lists.words(x)"),
    "terms": (lambda c: f"ax{c}bx {c}{c}", _terms, "lists.termsOf(x, lists.lexicon)"),
    "numbers": (lambda c: f"5{c}kg, {c}7 {c}9", read, READ),
}
# Letters that have a case since Unicode 15 or 16: Python 3.11 knows Unicode 14.
NEWER = {"content": "\u0295\u02e4"}


def check_characters(page, what, characters):
    make, python, javascript = READINGS[what]
    kept = [c for c in characters if unicodedata.category(c) not in ("Cn", "Co", "Cs")]
    kept = [c for c in kept if c not in NEWER.get(what, "")]
    got = each(page, javascript, [make(c) for c in kept])
    wrong = [c for c, found in zip(kept, got, strict=True) if found != python(make(c))]
    assert wrong == []


@pytest.mark.parametrize("what", READINGS)
def test_characters_of_common_scripts(page, what):
    check_characters(page, what, [*map(chr, range(0x600)), *map(chr, range(0x1F00, 0x3100))])


@pytest.mark.slow
@pytest.mark.parametrize("what", READINGS)
def test_all_characters(page, what):
    check_characters(page, what, map(chr, range(0x110000)))


def pieces_of(text):
    return text.split(" ")


DIGITS = pieces_of(
    "5 7 05 13 31 100 1999 2020 1,500 1.500 1,50 1.5.2 1:30 13:45 13:45:10 25:61 .5 0.5 00 1e5 "
    "10\u00a0000 10\u202f000 ٣ ٣٫٥ ٥٠٠ １２ 1２ 𝟗 ² ½ 5½ 2020-05-05 2020-13-05 3pm 3.30p.m. 12am "
    f"3o’clock 999999999999999999999 100,000,000 1,00,000 -5 −5 {'1' * 400} {'2' * 400}"
)
SPELLED = pieces_of(
    "zero one two nine ten eleven nineteen twenty ninety first third ninth tenth twelfth "
    "twentieth hundred thousand million billion trillion dozen dozens a and half k m b bn mn K M"
)
AROUND = pieces_of(
    "st nd rd th k m b bn mn % - – ' ’ . , : ; / $ € £ ¥ ₹ us$ US$ nz$ usd EUR gbp minus half and "
    "of a the may March jan. sept December \u00a0 \u202f \u3000 \t \n \x1c \x85 \ufeff K ſ _ é "
    "ß ok not no n't No, no-one without fails refused rather dogs in at about hot cold better worse"
)
UNITS = (resources.files("stslab.studies") / "data/units-en.txt").read_text("utf-8").splitlines()
UNITS = [name for u in UNITS if u[0] != "#" for name in u.split("; ")[2].split(" | ")]


class Texts:
    """Random texts of what numbers are written with, and pairs that differ in a piece."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def piece(self):
        choice = self.random.choice
        whole = self.random.randint(0, 10 ** self.random.randint(1, 8))
        spelled = choice([" ", "-", " and "]).join(choice(SPELLED) for _ in range(3))
        kinds = [choice(DIGITS), f"{whole}", f"{whole:,}", f"{whole / 100:.2f}"]
        made = choice([*kinds, spelled, choice(SPELLED), choice(UNITS), choice(AROUND)])
        return choice([made] * 8 + [made.upper(), made.title()])

    def text(self):
        pieces = range(self.random.randint(1, 6))
        return "".join(self.piece() + self.random.choice(["", " ", " ", "-", ", "]) for _ in pieces)

    def pair(self):
        text = self.text()
        pieces = re.split(r"(\s)", text)
        pieces[self.random.randrange(len(pieces))] = self.piece()
        return [text, self.random.choice(["".join(pieces), self.text()])]


def check_pairs(page, count, seed):
    made = Texts(seed)
    pairs = [made.pair() for _ in range(count)]
    firsts = [a for a, _ in pairs]
    read_there = [rounded(found) for found in each(page, READ, firsts)]
    wrong = [a for a, found in zip(firsts, read_there, strict=True) if found != read(a)]
    assert wrong == []
    got = each(page, "lists.differences(...x, lists.lexicon)", pairs)
    wrong = [pair for pair, found in zip(pairs, got, strict=True) if found != cautions_of(*pair)]
    assert wrong == []


def test_numbers_in_random_texts(page):
    check_pairs(page, 5000, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_numbers_in_many_random_texts(page, seed):
    check_pairs(page, 50_000, seed)


GROUPED = """([lines, vectors, thresholds]) => {
  const of = new Map(lines.map((line, i) => [line, Float32Array.from(vectors[i])]));
  const found = lists.groupSentences(lines, of, lists.lexicon);
  const pairs = (threshold) => lists.closestPairs(found, threshold).map((pair) => {
    return [pair.score, pair.sentence_a, pair.sentence_b, pair.row_a, pair.row_b];
  });
  return { order: found.table.map(({ row }) => row), cut: found.cut, terms: found.terms,
    matrix: [...found.matrix], pairs: thresholds.map(pairs) };
}"""


def check_group(page, model, texts, thresholds):
    vectors = encode(texts, model=model).tolist()
    got = page.evaluate(GROUPED, [texts, vectors, thresholds])
    want = group_sentences(texts, model=model)
    assert got["order"] == want.table["row"].tolist()
    assert (got["cut"], got["terms"]) == (want.threshold, list(want.terms))
    # The same 32 bits, or their neighbours where a sum in another order rounds otherwise.
    np.testing.assert_allclose(got["matrix"], want.matrix.to_numpy().ravel(), rtol=0, atol=6e-8)
    for threshold, pairs in zip(thresholds, got["pairs"], strict=True):
        named = want.pairs(threshold).astype(object).to_numpy().tolist()
        assert [pair[1:] for pair in pairs] == [pair[1:] for pair in named]


class Plane:
    """A model in two dimensions: "0.7 b" scores 0.7 with "1 a"."""

    def encode(self, texts, **_):
        return np.array([[*at_score(float(text.split()[0])), *[0] * 382] for text in texts])


def at_score(score):
    """Find 32-bit coordinates whose cosine with (1, 0) is a score, to 32 bits."""
    first = np.float32(score)
    seconds = np.float32(
        (1 - score**2) ** 0.5 + np.array(sorted(range(-50, 50), key=abs)) * 2.0**-25
    )
    cosines = np.float32(first / np.hypot(float(first), seconds.astype(float)))
    return first, seconds[cosines == first][0]


def test_texts_that_score_the_same(page, model):
    """Texts that a model cannot tell apart tie at exactly 1, in rows and in pairs."""
    texts = ["It RAINS.", "It rains.", "it rains.", "IT RAINS", "It rains", "A cat", "a CAT", "-?"]
    check_group(page, model, texts, [0.5, 0.8, 1, 2])
    query, *vectors = encode(["it Rains.", *texts], model=model).tolist()
    got = page.evaluate(
        "([q, all]) => lists.rank(q, all).map((hit) => [hit.index, hit.score])", [query, vectors]
    )
    want = search("it Rains.", texts, model=model, top_k=len(texts))
    assert [hit[0] for hit in got] == want["corpus_id"].tolist()
    np.testing.assert_allclose([hit[1] for hit in got], want["score"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.7, 0.8, 0.9, 0.95])
def test_a_score_that_is_the_threshold_reaches_it(page, threshold):
    texts = ["1 to it", f"{threshold} one", f"{threshold} twin"]
    got = page.evaluate(GROUPED, [texts, Plane().encode(texts).tolist(), [threshold]])
    want = group_sentences(texts, model=Plane()).pairs(threshold)
    assert want[["row_a", "row_b"]].to_numpy().tolist() == [[2, 3], [1, 2], [1, 3]]
    assert [pair[3:] for pair in got["pairs"][0]] == want[["row_a", "row_b"]].to_numpy().tolist()


def test_terms_tie_by_alphabet_beyond_16_bits(page, model):
    """A letter in plane 1 comes after one at the end of plane 0, other than in UTF-16."""
    texts = ["ﾊﾊ 𐐨𐐨 rain", "ﾊﾊ 𐐨𐐨 rain falls", "The dog barks at me.", "A dog barks at me."]
    check_group(page, model, texts, [0.8])


@pytest.mark.slow
def test_more_pairs_than_are_listed(page, model, stsb):
    texts = list(dict.fromkeys(read_stsb("dev", folder=stsb)["sentence_a"]))[:160]
    check_group(page, model, texts, [0.7, 0.1, -1])


@pytest.mark.slow
def test_a_thousand_sentences_take_seconds(page, model, stsb):
    texts = list(dict.fromkeys(read_stsb("train", folder=stsb)["sentence_a"]))[:1000]
    check_group(page, model, texts, [0.5, 0.8])
    milliseconds = page.evaluate(
        """([lines, vectors]) => {
          const of = new Map(lines.map((line, i) => [line, Float32Array.from(vectors[i])]));
          const started = performance.now();
          lists.groupSentences(lines, of, lists.lexicon);
          return performance.now() - started;
        }""",
        [texts, encode(texts, model=model).tolist()],
    )
    assert milliseconds < 4000
