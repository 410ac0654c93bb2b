"""What the tokenizer makes of each character, as a table that JavaScript reads.

BERT's tokenizer cleans, decomposes, lower-cases and splits a text one character at a time, by
Unicode tables of its own. A browser has tables of another version. So the page asks no browser:
it gets every answer of Python's own tokenizer.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Stands between characters while they are normalised: a letter to which no other is turned.
MARKER = "\u0294"
SURROGATES = range(0xD800, 0xE000)  # half characters: Python has no text with them
EMPTY = range(0x40000, 0xE0000)  # planes 4 to 13 have no characters: left alone, unasked
HANGUL = range(0xAC00, 0xD7A4)  # syllables: every browser decomposes them alike

# First code point, how many, what they become, which character "*" is there (its distance), and
# the step from one code point to the next.
Range = tuple[int, int, str, int, int]


def character_table(tokenizer: Tokenizer) -> list[Range]:
    """Say what a tokenizer makes of each character that it does not leave alone.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        With BERT's normalizer and pre-tokenizer, which treat each character by itself.

    Returns
    -------
    list of tuple
        Ranges ``(start, count, text, distance, step)`` in ascending order, without overlap: the
        code points ``start``, ``start + step`` … (``count`` of them) become ``text``, in which
        ``*`` stands for the character ``distance`` further and a space ends a word. Half
        characters (surrogates) are dropped; Hangul syllables are left out, they become their
        canonical decomposition.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    >>> tokenizer.normalizer = normalizers.BertNormalizer()
    >>> tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    >>> character_table(tokenizer)[6:8]  # from ":" to "@", then A to Z
    [(58, 7, ' * ', 0, 1), (65, 26, '*', 32, 1)]
    """
    changed = ((code, *_template(code, text)) for code, text in _replacements(tokenizer))
    return list(_ranges(changed))


def _replacements(tokenizer: Tokenizer) -> Iterator[tuple[int, str]]:
    """Give each code point that changes, with its replacement; spaces in it end words."""
    every = [code for code in range(sys.maxunicode + 1) if code not in SURROGATES]
    every = [code for code in every if code not in EMPTY]
    every.remove(ord(MARKER))
    for at in range(0, len(every), 4096):
        codes = every[at : at + 4096]
        marked = MARKER + "".join(chr(code) + MARKER for code in codes)
        texts = tokenizer.normalizer.normalize_str(marked).split(MARKER)[1:-1]
        if len(texts) != len(codes):
            raise ValueError(f"a character from {codes[0]:#x} on becomes the marker {MARKER!r}")
        alone = _alone(tokenizer, set().union(*texts))
        for code, text in zip(codes, texts, strict=True):
            if code == SURROGATES.stop:
                yield from ((half, "") for half in SURROGATES)
            if text == chr(code) and text not in alone:
                continue
            split = "".join(f" {each} " if each in alone else each for each in text)
            if not (code in HANGUL and split == unicodedata.normalize("NFD", chr(code))):
                yield code, re.sub(" +", " ", split)


def _alone(tokenizer: Tokenizer, characters: set[str]) -> set[str]:
    """Find those that are words of their own wherever they stand: punctuation."""
    marked = "".join(MARKER + each for each in sorted(characters))
    words = tokenizer.pre_tokenizer.pre_tokenize_str(marked)
    return {word for word, _ in words if len(word) == 1 and word != MARKER}


def _template(code: int, text: str) -> tuple[str, int]:
    """Write a replacement so that neighbors share it: "*" for a single character."""
    bare = text.strip()
    return (text.replace(bare, "*"), ord(bare) - code) if len(bare) == 1 else (text, 0)


def _ranges(changed: Iterator[tuple[int, str, int]]) -> Iterator[Range]:
    """Join neighbors that change alike; capital letters often stand at every other place."""
    start, count, alike, step, last = 0, 0, ("", 0), 1, 0
    for code, text, distance in changed:
        gap = code - last
        if count and alike == (text, distance) and gap in ((1, 2) if count == 1 else (step,)):
            count, step, last = count + 1, gap, code
            continue
        if count:
            yield start, count, *alike, step
        start, count, alike, step, last = code, 1, (text, distance), 1, code
    if count:
        yield start, count, *alike, step
