"""Texts that are likely not in English: by their script, or by py3langid."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

WORD = re.compile(r"\w+(?:['’]\w+)*")
READ = 1000  # characters of a text that are looked at
SHORT = 3  # words from which on a text can be judged alone
# How many times likelier than English another language must be, for texts of three words or more
# and for shorter ones, which py3langid often gets wrong, be they read alone or as one.
LIKELIER, LIKELIER_SHORT = 150, 1e5


def why_not_english(text: str) -> str | None:
    """Return why a text is likely not in English; None if it may be."""
    text = text[:READ]
    if not text.isascii():
        # Styled letters, as in 𝗯𝗼𝗹𝗱 and ｗｉｄｅ, become plain ones.
        text = unicodedata.normalize("NFKC", text)
        if script := _other_script(text):
            return f"not in Latin script: {script}"
    code, times_likelier = _likeliest_language(text)
    limit: float = LIKELIER
    if _has_few_words(text):
        limit = LIKELIER_SHORT
    if times_likelier <= limit:
        return None
    return f"nearest language: {code}"


def is_short(text: str) -> bool:
    """Check whether a text has words, but too few of them to tell its language."""
    return _has_few_words(text[:READ]) and any(map(str.isalpha, text[:READ]))


def _has_few_words(text: str) -> bool:
    # Counting stops at SHORT: most texts have many more words.
    return sum(1 for _ in islice(WORD.finditer(text), SHORT)) < SHORT


def other_language_together(texts: Iterable[str]) -> str | None:
    """Return the ISO 639 code of short texts read as one; None if they may be English."""
    code, times_likelier = _likeliest_language(" ".join(texts)[:READ].lower())
    if times_likelier <= LIKELIER_SHORT:
        return None
    return code


# The cautions and the share of equal meanings on a page ask this of the same texts.
@functools.lru_cache(maxsize=2**15)
def _likeliest_language(text: str) -> tuple[str, float]:
    """Return the likeliest language's code, and how many times likelier than English it is."""
    ranked = _identifier().rank(text)
    code, probability = ranked[0]
    return code, probability / max(dict(ranked)["en"], 1e-300)


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _other_script(text: str) -> str | None:
    """Return the script that most letters of a text are in; None if most are Latin."""
    # A letter's Unicode name begins with its script, as in "CYRILLIC SMALL LETTER A".
    names = (unicodedata.name(letter, "unknown") for letter in text if letter.isalpha())
    scripts = Counter(name.split()[0] for name in names)
    if scripts.pop("LATIN", 0) >= scripts.total():
        return None
    script = scripts.most_common(1)[0][0]
    if script == "CJK":
        return "Chinese characters"
    return script.capitalize()
