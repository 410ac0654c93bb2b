"""Lists and pairs in page and Python where people seldom go: all characters, odd numbers, ties."""

from __future__ import annotations

import random
import re
import unicodedata
from importlib import resources

import numpy as np
import pytest
from live import DESCRIBE_LIST, check_list, page_of_lists

from stslab import encode, search
from stslab.inputs.texts import repeat_key
from stslab.studies import cautions_of, has_content, read_stsb
from stslab.studies.differences import words
from stslab.studies.quantities import quantities
from stslab.studies.repeats import positions_of_repeats

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
def page(chromium, model):
    yield from page_of_lists(chromium, model)


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
    texts = [
        "A café opens.",
        "A cafe opens",
        "A càfè\u200d opens",
        "It rains",
        "It ráins",
        "-?",
        "-",
    ]
    check_list(page, model, texts, [0.5, 0.8, 1, 2])
    query, *vectors = encode(["it Rains", *texts], model=model).tolist()
    got = page.evaluate(
        "([q, all]) => lists.rank(q, all).map((hit) => [hit.index, hit.score])", [query, vectors]
    )
    want = search("it Rains", texts, model=model, top_k=len(texts))
    assert [hit[0] for hit in got] == want["corpus_id"].tolist()
    np.testing.assert_allclose([hit[1] for hit in got], want["score"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.7, 0.8, 0.9, 0.95])
def test_a_score_that_is_the_threshold_reaches_it(page, threshold):
    texts = ["1 to it", f"{threshold} one", f"{threshold} twin"]
    check_list(page, Plane(), texts, [threshold])
    found = page.evaluate(DESCRIBE_LIST, [texts, Plane().encode(texts).tolist(), [threshold]])
    assert [pair[1:] for pair in found["pairs"][0]] == [texts[1:], texts[:2], texts[::2]]


class Scattered:
    """A model whose vectors are small whole numbers, so that many pairs score the same."""

    def encode(self, texts, **_):
        vectors = np.zeros((len(texts), 384))
        for row, text in enumerate(texts):
            vectors[row, :4] = np.random.default_rng(int(text.split()[1])).integers(0, 3, 4)
            vectors[row, 4] = 1
        return vectors


@pytest.mark.parametrize("seed", range(12))
def test_groups_among_equal_scores(page, seed):
    """Chains of texts, each like the next, in which the order of joins decides on groups."""
    numbers = np.random.default_rng(seed).permutation(1000)[: 20 + 5 * seed]
    check_list(page, Scattered(), [f"text {n}" for n in numbers], [0.5, 0.7, 0.8, 0.85, 0.9, 0.95])


def test_a_group_begins_with_its_most_typical_text(page):
    """The one nearest to all others; of equally near ones, the first."""
    scores = [[1, 0.8, 0.9, 0.1], [0.8, 1, 0.95, 0], [0.9, 0.95, 1, 0.2], [0.1, 0, 0.2, 1]]
    for group, expected in (([0, 1, 2], [2, 1, 0]), ([0, 1], [0, 1]), ([1, 3], [1, 3])):
        found = page.evaluate(
            "([group, scores]) => lists.byTypicality(group, scores.flat(), 4)", [group, scores]
        )
        assert found == expected


def first_places(keys):
    """Return for each key the place where it first occurs."""
    places = {}
    return [places.setdefault(key, place) for place, key in enumerate(keys)]


def check_repeats(page, texts):
    keys = each(page, "lists.repeatKey(x, lists.lexicon)", texts)
    places, expected = first_places(keys), first_places(map(repeat_key, texts))
    assert [t for t, a, b in zip(texts, places, expected, strict=True) if a != b] == []


def texts_with(characters):
    """Write characters alone, inside a word, after one and before a full stop."""
    assigned = [c for c in characters if unicodedata.category(c) not in ("Cn", "Co", "Cs")]
    return [text for c in assigned for text in (c, f"a{c}b", f"a {c}", f"{c} .", f"{c}{c}")]


def test_texts_that_are_one_text(page):
    """Capitals, widths, spaces and final punctuation make no difference, in any script."""
    said = [
        "Straße",
        "STRASSE",
        "strasse.",
        "ＳＴＲＡＳＳＥ！",
        "ﬁne",
        "FINE",
        "fine :)",
        "Σίσυφος",
        "ΣΊΣΥΦΟΣ",
    ]
    said += [
        "İ",
        "i̇",
        "ı",
        "i",
        "I",
        "?!",
        "!?",
        "?",
        ".",
        " . ",
        "a\x1cb",
        "a b",
        "a\x85b",
        "a\ufeffb",
        "a\u3000b",
    ]
    said += [
        "late",
        "Late…",
        "LATE...",
        "“Late.”",
        "late»",
        "late)",
        "late]",
        "late]]",
        "(late)",
        "late;",
        "l ate",
    ]
    check_repeats(page, said)
    check_repeats(page, texts_with([*map(chr, range(0x600)), *map(chr, range(0x1F00, 0x3100))]))


@pytest.mark.slow
def test_texts_of_all_characters_that_are_one_text(page):
    check_repeats(page, texts_with(map(chr, range(0x110000))))


def test_the_most_frequent_spelling_is_shown(page, model):
    """Of equally frequent ones, the first."""
    check_list(
        page, model, ["late.", "Late", "rude!", "Late", "RUDE", "  late  ", "n/a", "N/A"], [0.8]
    )


@pytest.mark.slow
def test_more_pairs_than_are_listed(page, model, stsb):
    texts = list(dict.fromkeys(read_stsb("dev", folder=stsb)["sentence_a"]))[:160]
    check_list(page, model, texts, [0.7, 0.1, -1])


@pytest.mark.slow
def test_a_thousand_sentences_take_seconds(page, model, stsb):
    texts = list(positions_of_repeats(read_stsb("train", folder=stsb)["sentence_a"]))[:1000]
    check_list(page, model, texts, [0.5, 0.8])
    milliseconds = page.evaluate(
        """([lines, vectors]) => {
          const embeddings = vectors.map((vector) => Float32Array.from(vector));
          const started = performance.now(), texts = lists.differentTexts(lines, lists.lexicon);
          const matrix = lists.similarities(embeddings);
          lists.alikeTogether(matrix, texts.length);
          lists.nearlyTheSame(texts, matrix, 0.8);
          lists.closestPairs(texts, matrix, 0.8);
          return performance.now() - started;
        }""",
        [texts, encode(texts, model=model).tolist()],
    )
    assert milliseconds < 4000
