"""Which texts have content, and which are answers such as "n/a", "No, thanks." and "-"."""

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
APOSTROPHES = re.compile("['’‘`´]")
# What spreadsheets, forums and exporters write into a cell that holds nothing.
PLACEHOLDER = re.compile(
    r"#(?:REF!|DIV/0!|N/A|NAME\?|VALUE!|NUM!|NULL!|SPILL!|CALC!|BEZUG!|WERT!|ZAHL!|NV)"
    r"|[\[(<](?:deleted|removed|blank|empty|leer|vide|vacío|vuoto|vazio|leeg)[\])>]",
    re.IGNORECASE,
)


def has_content(text: str) -> bool:
    """Check whether a text says anything that a model could read.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        False for a text without letters, such as "-", "?", "10" or an emoji; for one letter, such
        as "x", unless its script has no case, as in 好; for what stands for an empty cell, such
        as "#REF!" and "[deleted]"; and for an answer such as "n/a", "no", "nothing, thanks" or
        "ok" in one of seven languages, whatever its case, apostrophes and punctuation.

    Examples
    --------
    >>> [has_content(text) for text in ["N.A.", "No, thank you!", "10", "None of you came."]]
    [False, False, False, True]
    """
    if PLACEHOLDER.fullmatch(text.strip()):
        return False
    plain = _plain(text)
    letters = [sign for sign in plain if unicodedata.category(sign).startswith("L")]
    if len(letters) < 2:
        # "Lo": letters of scripts without case, where one character may be a whole word.
        return bool(letters) and unicodedata.category(letters[0]) == "Lo"
    return _without_polite_words(plain) not in empty_answers()


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
        raise InputError(f"{read.source or 'sentences'}: no text has content.")
    table = read.table.iloc[positions].reset_index(drop=True)
    dropped_count = len(read.table) - len(positions)
    notes = [*read.source_notes]
    if dropped_count:
        it_has = plural(dropped_count, "it has", "they have")
        notes.append(f"Left out because {it_has} no content: {counted(dropped_count, 'row')}.")
    return dataclasses.replace(
        read,
        table=table,
        rows=[read.rows[position] for position in positions],
        source_notes=notes,
    )


@functools.cache
def empty_answers() -> frozenset[str]:
    """Return the answers without content, in lowercase and without punctuation."""
    return _listed("")


@functools.cache
def polite_words() -> tuple[str, ...]:
    """Return the polite words that may stand beside such an answer, the longest first."""
    return tuple(sorted(_listed("+"), key=lambda words: (-len(words), words)))


def _listed(mark: str) -> frozenset[str]:
    """Return what the lines of the list hold that begin with a mark; "" is no mark."""
    lines = (resources.files(__package__) / "data" / "no-content.txt").read_text("utf-8")
    answers: set[str] = set()
    for line in lines.splitlines():
        if line.startswith("#") or line.startswith("+") != bool(mark):
            continue
        answers.update(_plain(answer) for answer in line.removeprefix("+").split("|"))
    return frozenset(answers)


def _plain(text: str) -> str:
    """Reduce a text to its words in lowercase, without punctuation and apostrophes."""
    without_apostrophes = APOSTROPHES.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(SIGNS.findall(without_apostrophes.casefold()))


def _without_polite_words(plain: str) -> str:
    """Return a plain text without polite words at its ends, unless it holds nothing else."""
    for words in polite_words():
        shorter = plain.removesuffix(f" {words}").removeprefix(f"{words} ")
        if shorter != plain:
            return _without_polite_words(shorter)
    return plain
