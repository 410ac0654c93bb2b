"""English words with opposite meanings: WordNet's direct antonyms, in any of their forms."""

from __future__ import annotations

import functools
from importlib import resources

# An ending that is taken off a word, and what replaces it. Irregular forms are in the data file.
ENDINGS = (
    # plurals
    ("s", ""),
    ("es", ""),
    ("ies", "y"),
    # verbs
    ("d", ""),
    ("ed", ""),
    ("ied", "y"),
    ("ing", ""),
    ("ing", "e"),
    # comparison
    ("er", ""),
    ("er", "e"),
    ("est", ""),
    ("est", "e"),
    # adverbs
    ("ly", ""),
    ("ily", "y"),
)


def count_opposites() -> int:
    """Count the pairs of opposite words that cautions look for.

    Returns
    -------
    int
        Most are the direct antonyms of WordNet; the file ``data/opposites-en.txt`` says which are
        not. Forms of a word, such as "approved", are not counted.

    Examples
    --------
    >>> count_opposites() > 3000
    True
    """
    opposites, _ = known_opposites()
    return sum(map(len, opposites.values())) // 2  # each pair is in there from both sides


def opposite_words(first: set[str], second: set[str]) -> list[str]:
    """Return the opposites among the words that only one of two texts has: "stale / fresh"."""
    opposites_of_first = {word: _opposites(word) for word in sorted(first - second)}
    if not any(opposites_of_first.values()):
        return []
    second_by_base = {base: word for word in sorted(second - first) for base in _bases(word)}
    pairs = []
    for word, opposites in opposites_of_first.items():
        for opposite in opposites:
            if opposite in second_by_base:
                pairs.append(f"{word} / {second_by_base[opposite]}")
    return list(dict.fromkeys(pairs))


@functools.lru_cache(100_000)
def _opposites(word: str) -> tuple[str, ...]:
    """Return the opposites of all words that a word may be a form of, by alphabet."""
    opposites, _ = known_opposites()
    opposites_of_word: set[str] = set()
    for base in _bases(word):
        opposites_of_word |= opposites.get(base, set())
    return tuple(sorted(opposites_of_word))


@functools.lru_cache(100_000)
def _bases(word: str) -> list[str]:
    """Return what a word may be a form of, itself first: "approved" of "approve" or of "approv"."""
    _, irregular = known_opposites()
    if word in irregular:
        return [word, *irregular[word]]
    return [word, *regular_bases(word)]


def regular_bases(word: str) -> list[str]:
    """Return a word with each regular ending that it has taken off."""
    return [
        word.removesuffix(ending) + replacement
        for ending, replacement in ENDINGS
        if word.endswith(ending)
    ]


@functools.cache
def known_opposites() -> tuple[dict[str, set[str]], dict[str, list[str]]]:
    """Read each word's opposites, and the bases of each irregular form."""
    opposites: dict[str, set[str]] = {}
    irregular: dict[str, list[str]] = {}
    file = resources.files(__package__) / "data" / "opposites-en.txt"
    for line in file.read_text("utf-8").splitlines():
        match line.split():
            case ["#", *_]:
                continue
            case [form, "=", base]:
                irregular.setdefault(form, []).append(base)
            case [word, opposite]:
                opposites.setdefault(word, set()).add(opposite)
                opposites.setdefault(opposite, set()).add(word)
    return opposites, irregular
