"""Does an answer say anything? "n/a", "No comment." and "-" do not."""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from importlib import resources

from ..inputs.checks import InputError
from ..inputs.reading import Input
from ..wording import counted

SIGNS = re.compile(r"[^\W_]+")  # letters and digits


def has_content(text: str) -> bool:
    """Tell whether a text says anything that a model could read.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        False where a text has fewer than two letters or digits, such as "-", "?", "x" or an emoji
        alone, and where all of it is an answer such as "n/a", "none", "no comment" or "ok", in
        one of seven languages, whatever its case and punctuation. "Yes" and "No" are answers; one
        letter of a script without case, such as 好, may be a word.

    Examples
    --------
    >>> [has_content(text) for text in ["N.A.", "(none)", "?", "No", "None of the staff helped."]]
    [False, False, False, True, True]
    """
    plain = _plain(text)
    if len(plain) < 2:
        return bool(plain) and unicodedata.category(plain) == "Lo"
    return plain not in empty_answers()


def drop_empty(read: Input) -> Input:
    """Leave out the rows whose text has no content, and note how many.

    Parameters
    ----------
    read : Input
        Of sentences or a corpus.

    Returns
    -------
    Input

    Raises
    ------
    InputError
        If no row is left.

    Examples
    --------
    >>> from stslab import read_sentences
    >>> left = drop_empty(read_sentences(["n/a", "Good.", "Good."]))
    >>> left.texts, list(left.rows), left.notes()
    (['Good.', 'Good.'], [2, 3], ['Left out because it has no content: 1 row.'])
    """
    kept = [row for row, text in enumerate(read.texts) if has_content(text)]
    if not kept:
        raise InputError(
            f"{read.source or 'sentences'}: no text has content. Keep them: empty=keep."
        )
    table = read.table.iloc[kept].reset_index(drop=True)
    dropped = len(read.table) - len(kept)
    has = "it has" if dropped == 1 else "they have"
    note = f"Left out because {has} no content: {counted(dropped, 'row')}."
    return dataclasses.replace(
        read,
        table=table,
        rows=[read.rows[row] for row in kept],
        duplicates=int(table.duplicated(read.columns).sum()),
        how=[*read.how, *[note] * bool(dropped)],
    )


def _plain(text: str) -> str:
    """Reduce a text to its letters and digits, in words."""
    return " ".join(SIGNS.findall(unicodedata.normalize("NFKC", text).casefold()))


@functools.cache
def empty_answers() -> frozenset[str]:
    lines = (resources.files(__package__) / "data" / "no-content.txt").read_text("utf-8")
    answers = (line.split("|") for line in lines.splitlines() if not line.startswith("#"))
    return frozenset(_plain(answer) for line in answers for answer in line)
