"""What the tokenizer turns each character into, as a table that JavaScript reads.

BERT's tokenizer cleans, decomposes, lower-cases and splits a text one character at a time, by
Unicode tables of its own. A browser has tables of another version. So the page does not use them:
it has the result of Python's tokenizer for every character.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Stands between characters while they are normalized: a letter that no other is turned into.
MARKER = "\u0294"
SURROGATES = range(0xD800, 0xE000)  # the tokenizer takes no text with them
UNASSIGNED = range(0x40000, 0xE0000)  # planes 4 to 13 have no characters, so nothing changes there
HANGUL = range(0xAC00, 0xD7A4)  # syllables, which every browser decomposes in the same way
BATCH = 4096  # characters normalized at a time

# Start, count, text, distance and step; see `character_table`.
Range = tuple[int, int, str, int, int]


def character_table(tokenizer: Tokenizer) -> list[Range]:
    """Return what a tokenizer turns each character into that it changes.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        With BERT's normalizer and pre-tokenizer, which treat each character by itself.

    Returns
    -------
    list of tuple
        Ranges ``(start, count, text, distance, step)`` in ascending order, without overlap: the
        code points ``start``, ``start + step`` … (``count`` of them) become ``text``, in which
        ``*`` stands for the character ``distance`` further and a space ends a word. Surrogates
        become nothing. Hangul syllables are left out; they become their canonical decomposition.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    >>> tokenizer.normalizer = normalizers.BertNormalizer()
    >>> tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    >>> character_table(tokenizer)[6:8]  # from ":" to "@", then A to Z
    [(58, 7, ' * ', 0, 1), (65, 26, '*', 32, 1)]
    """
    changes = ((code, *_pattern(code, text)) for code, text in _replacements(tokenizer))
    return list(_ranges(changes))


def _replacements(tokenizer: Tokenizer) -> Iterator[tuple[int, str]]:
    """Yield each code point that changes, with its replacement; spaces in it end words."""
    codes = [
        code
        for code in range(sys.maxunicode + 1)
        if code not in SURROGATES and code not in UNASSIGNED and code != ord(MARKER)
    ]
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH]
        # One call for many characters; the marker shows where the result of each one ends.
        marked = MARKER + "".join(chr(code) + MARKER for code in batch)
        texts = tokenizer.normalizer.normalize_str(marked).split(MARKER)[1:-1]
        if len(texts) != len(batch):
            raise ValueError(f"a character from {batch[0]:#x} on becomes the marker {MARKER!r}")
        punctuation = _punctuation(tokenizer, set().union(*texts))
        for code, text in zip(batch, texts, strict=True):
            if code == SURROGATES.stop:  # code points come in ascending order
                yield from ((surrogate, "") for surrogate in SURROGATES)
            if text == chr(code) and text not in punctuation:
                continue
            split = _split_at(punctuation, text)
            if code in HANGUL and split == unicodedata.normalize("NFD", chr(code)):
                continue
            yield code, re.sub(" +", " ", split)


def _punctuation(tokenizer: Tokenizer, characters: set[str]) -> set[str]:
    """Return the characters that are words by themselves, whatever stands beside them."""
    marked = "".join(MARKER + character for character in sorted(characters))
    words = tokenizer.pre_tokenizer.pre_tokenize_str(marked)
    return {word for word, _ in words if len(word) == 1 and word != MARKER}


def _split_at(punctuation: set[str], text: str) -> str:
    """Return a text with spaces around its punctuation."""
    pieces = []
    for character in text:
        if character in punctuation:
            pieces.append(f" {character} ")
        else:
            pieces.append(character)
    return "".join(pieces)


def _pattern(code: int, text: str) -> tuple[str, int]:
    """Return a replacement in a form that neighbors share: "*" for a single character."""
    character = text.strip()
    if len(character) != 1:
        return text, 0
    return text.replace(character, "*"), ord(character) - code


def _ranges(changes: Iterator[tuple[int, str, int]]) -> Iterator[Range]:
    """Yield ranges of code points that change in the same way.

    The second code point of a range may follow the first directly or after one that is left out,
    as capital letters often do; that step then holds for the whole range.
    """
    start, count, replacement, step, last = 0, 0, ("", 0), 1, 0
    for code, text, distance in changes:
        gap = code - last
        fits = gap == step
        if count == 1:
            fits = gap in (1, 2)
        if count and replacement == (text, distance) and fits:
            count, step, last = count + 1, gap, code
            continue
        if count:
            yield start, count, *replacement, step
        start, count, replacement, step, last = code, 1, (text, distance), 1, code
    if count:
        yield start, count, *replacement, step
