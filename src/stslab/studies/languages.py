"""Is a text in English? Its script tells, or py3langid does, given three words or a whole list."""

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
    """Say why a text is likely not in English, if it is."""
    text = text[:READ]
    if not text.isascii():  # styled letters, as in 𝗯𝗼𝗹𝗱 and ｗｉｄｅ, become plain ones
        text = unicodedata.normalize("NFKC", text)
        if script := _other_script(text):
            return f"not in Latin script: {script}"
    code, likelier = _nearest(text)
    needed = LIKELIER_SHORT if _has_few_words(text) else LIKELIER
    return f"nearest language: {code}" if likelier > needed else None


def is_short(text: str) -> bool:
    """Whether a text has words, but too few of them to tell its language."""
    return _has_few_words(text[:READ]) and any(map(str.isalpha, text[:READ]))


def _has_few_words(text: str) -> bool:
    return sum(1 for _ in islice(WORD.finditer(text), SHORT)) < SHORT


def other_language_together(texts: Iterable[str]) -> str | None:
    """Name the language (ISO 639 code) of short texts, read as one, if likely not English."""
    code, likelier = _nearest(" ".join(texts)[:READ].lower())
    return code if likelier > LIKELIER_SHORT else None


def _nearest(text: str) -> tuple[str, float]:
    """Find the likeliest language, and how many times likelier than English it is."""
    ranked = _identifier().rank(text)
    code, probability = ranked[0]
    return code, probability / max(dict(ranked)["en"], 1e-300)


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _other_script(text: str) -> str | None:
    """Name the script that most letters of a text are in, unless most are Latin."""
    names = (unicodedata.name(letter, "unknown") for letter in text if letter.isalpha())
    scripts = Counter(name.split()[0] for name in names)
    if scripts.pop("LATIN", 0) >= scripts.total():
        return None
    script = scripts.most_common(1)[0][0]
    return "Chinese characters" if script == "CJK" else script.capitalize()
