"""Which texts have content, and which are answers such as "n/a", "No comment." and "-"."""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from importlib import resources

from ..inputs.checks import InputError
from ..inputs.tables import Input
from ..wording import counted, plural

SIGNS = re.compile(r"[^\W_]+")  # letters and digits


def has_content(text: str) -> bool:
    """Check whether a text says anything that a model could read.

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
        # "Lo": letters of scripts without case, where one character may be a whole word.
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
    positions = [position for position, text in enumerate(read.texts) if has_content(text)]
    if not positions:
        raise InputError(
            f"{read.source or 'sentences'}: no text has content. Keep them: empty=keep."
        )
    table = read.table.iloc[positions].reset_index(drop=True)
    dropped_count = len(read.table) - len(positions)
    notes = [*read.how]
    if dropped_count:
        it_has = plural(dropped_count, "it has", "they have")
        notes.append(f"Left out because {it_has} no content: {counted(dropped_count, 'row')}.")
    return dataclasses.replace(
        read,
        table=table,
        rows=[read.rows[position] for position in positions],
        duplicates=int(table.duplicated(read.columns).sum()),
        how=notes,
    )


def _plain(text: str) -> str:
    """Reduce a text to its words in lowercase, without punctuation."""
    return " ".join(SIGNS.findall(unicodedata.normalize("NFKC", text).casefold()))


@functools.cache
def empty_answers() -> frozenset[str]:
    """Return the answers without content, as `_plain` reduces them."""
    lines = (resources.files(__package__) / "data" / "no-content.txt").read_text("utf-8")
    answers: set[str] = set()
    for line in lines.splitlines():
        if not line.startswith("#"):
            answers.update(_plain(answer) for answer in line.split("|"))
    return frozenset(answers)
