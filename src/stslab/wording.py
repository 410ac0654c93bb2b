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
    """Say how many: the number, and the noun as the number wants it.

    Parameters
    ----------
    count : int
    noun : str
        In the singular, of those that only take an s.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "pair"), counted(0, "pair"), counted(1200, "pair")
    ('1 pair', '0 pairs', '1,200 pairs')
    """
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def quoted(text: str, width: int = QUOTED) -> str:
    """Quote a text in a sentence, shortened as `short_label` does.

    Parameters
    ----------
    text : str
    width : int, default 60
        Characters that are kept.

    Returns
    -------
    str

    Examples
    --------
    >>> quoted("Python is a popular programming language.", 20)
    '“Python is a popular…”'
    """
    return f"“{short_label(text, width)}”"


def short_label(text: str, width: int = LABEL) -> str:
    """Shorten a text to one line of at most `width` characters, with an ellipsis where cut.

    Characters that no drawing can hold (control characters, unpaired surrogates) become �.

    Parameters
    ----------
    text : str
    width : int, default 28

    Returns
    -------
    str

    Examples
    --------
    >>> short_label("Python is a popular programming language.")
    'Python is a popular program…'
    """
    line = " ".join(text[: 20 * width].split())
    line = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in line)
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def short_labels(texts: Sequence[str], width: int = LABEL) -> list[str]:
    """Shorten texts as `short_label` does and number those that would look the same.

    Parameters
    ----------
    texts : sequence of str
    width : int, default 28

    Returns
    -------
    list of str

    Examples
    --------
    >>> short_labels(["The very same beginning, then this.", "The very same beginning, then that."])
    ['The very same beginni… (1)', 'The very same beginni… (2)']
    """
    texts = list(texts)
    labels = [short_label(text, width) for text in texts]
    repeated = {label for label, count in Counter(labels).items() if count > 1}
    seen: Counter[str] = Counter()
    for index, label in enumerate(labels):
        if label in repeated:
            seen[label] += 1
            number = f" ({seen[label]})"
            labels[index] = short_label(texts[index], width - len(number) - 2) + number
    return labels
