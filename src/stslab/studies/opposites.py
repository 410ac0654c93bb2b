"""English words with opposite meanings: WordNet's direct antonyms, in any of their forms."""

from __future__ import annotations

import functools
from importlib import resources

# What is taken off the end of a word, and put there instead; what is irregular, WordNet lists.
ENDINGS = (
    *(("s", ""), ("es", ""), ("ies", "y")),
    *(("d", ""), ("ed", ""), ("ied", "y"), ("ing", ""), ("ing", "e")),
    *(("er", ""), ("er", "e"), ("est", ""), ("est", "e")),
    *(("ly", ""), ("ily", "y")),
)


def count_opposites() -> int:
    """Count the pairs of opposite words that cautions know.

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
    return sum(map(len, known_opposites()[0].values())) // 2


def opposite_words(first: set[str], second: set[str]) -> list[str]:
    """Name the opposites among the words that only one of two texts has: "stale / fresh"."""
    against = {word: known for word in sorted(first - second) if (known := _opposites(word))}
    if not against:
        return []
    there = {base: word for word in sorted(second - first) for base in _bases(word)}
    found = (
        f"{word} / {there[opposite]}"
        for word, known in against.items()
        for opposite in known
        if opposite in there
    )
    return list(dict.fromkeys(found))


@functools.lru_cache(100_000)
def _opposites(word: str) -> tuple[str, ...]:
    pairs = known_opposites()[0]
    return tuple(sorted({opposite for base in _bases(word) for opposite in pairs.get(base, ())}))


@functools.lru_cache(100_000)
def _bases(word: str) -> list[str]:
    """Find what a word may be a form of, itself first: "approved" of "approve" or of "approv"."""
    irregular = known_opposites()[1].get(word)
    return [word, *(irregular or regular_bases(word))]


def regular_bases(word: str) -> list[str]:
    """Take regular endings off a word."""
    return [word.removesuffix(cut) + add for cut, add in ENDINGS if word.endswith(cut)]


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
            case [one, other]:
                opposites.setdefault(one, set()).add(other)
                opposites.setdefault(other, set()).add(one)
    return opposites, irregular
