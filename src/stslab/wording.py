"""Small pieces of computed sentences: counted nouns, quoted texts, labels.

Text is data: control characters and line breaks never get into a sentence or a drawing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

LABEL = 28  # characters of a sentence on an axis
QUOTED = 60  # characters of a sentence in a sentence


def counted(count: int, noun: str) -> str:
    """Say how many, of what only takes an s: "1 pair", "1,200 pairs"."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def quoted(text: str, width: int = QUOTED) -> str:
    """Quote a text in a sentence, shortened as `short_label` does."""
    return f"“{short_label(text, width)}”"


def short_label(text: str, width: int = LABEL) -> str:
    """Shorten a text to one line of at most `width` characters, with an ellipsis where cut.

    Characters that no drawing can hold (control characters, unpaired surrogates) become �.
    """
    line = " ".join(text[: 20 * width].split())
    line = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in line)
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def short_labels(texts: Sequence[str], width: int = LABEL) -> list[str]:
    """Shorten texts as `short_label` does and number those that would look the same."""
    labels = [short_label(text, width) for text in texts]
    count, seen = Counter(labels), Counter[str]()
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if count[label] > 1:
            seen[label] += 1
            number = f" ({seen[label]})"
            labels[index] = short_label(text, width - len(number) - 2) + number
    return labels
