"""Lists and files → checked sentences, pairs and corpora.

Each table's ``.attrs["input"]`` says where it came from, how many rows were read and used, and
why others were not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

Source = str | Path | Sequence[Any]

TABLES = {".csv": ",", ".tsv": "\t"}


class InputError(ValueError):
    """Input that cannot be used; the message says what, where and what next."""


def read_sentences(source: Source, *, column: str | None = None) -> pd.DataFrame:
    """Read sentences from a list or a file.

    Parameters
    ----------
    source : sequence of str, or path
        A ``.txt`` file holds one sentence a line; ``.csv`` and ``.tsv`` need a header.
    column : str or None, default None
        The column that holds the sentences; None takes ``sentence``, else ``text``, else the
        only column.

    Returns
    -------
    pandas.DataFrame
        Column ``sentence``, then the file's other columns. Blank rows are left out and counted.

    Raises
    ------
    InputError
        If the file is missing, empty, not text, or lacks the column.

    Examples
    --------
    >>> read_sentences(["One.", "Two."])["sentence"].tolist()
    ['One.', 'Two.']
    """
    return _read_column(source, "sentence", column)


def read_corpus(source: Source, *, column: str | None = None) -> pd.DataFrame:
    """Read a corpus from a list or a file, as `read_sentences` does.

    Returns
    -------
    pandas.DataFrame
        Column ``text``, then the file's other columns; a row's position is its ``corpus_id``.
    """
    return _read_column(source, "text", column)


def read_pairs(source: Source, *, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read sentence pairs from a list or a table file.

    Parameters
    ----------
    source : sequence of (str, str) or (str, str, float), or path
        A ``.csv`` or ``.tsv`` file needs a header with ``sentence_a`` and ``sentence_b``.
    columns : mapping or None, default None
        The file's column names → ``sentence_a``, ``sentence_b``, ``gold_score``.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b``, then ``gold_score`` where given, then others.

    Raises
    ------
    InputError
        If the file is missing, empty, not a table, or lacks the columns.

    Examples
    --------
    >>> read_pairs([("One.", "Two.")]).columns.tolist()
    ['sentence_a', 'sentence_b']
    """
    if not isinstance(source, str | Path):
        names = ["sentence_a", "sentence_b", "gold_score"]
        table = check_pairs(pd.DataFrame([dict(zip(names, row, strict=False)) for row in source]))
        return _told(table, "list", len(table), 0)
    path = Path(source)
    frame = _read_table(path).rename(columns=dict(columns or {}))
    missing = [name for name in ("sentence_a", "sentence_b") if name not in frame]
    if missing:
        raise InputError(
            f"{path.name}, columns {list(frame.columns)}: expected 'sentence_a' and 'sentence_b'. "
            f"Rename them, or pass columns={{...}}."
        )
    blank = (frame[["sentence_a", "sentence_b"]].map(str.strip) == "").any(axis=1)
    return _told(check_pairs(frame[~blank]), path.name, len(frame), int(blank.sum()))


def check_texts(texts: Iterable[str], argument: str) -> list[str]:
    """Refuse an empty list, a blank text, and anything that is not text.

    Parameters
    ----------
    texts : iterable of str
    argument : str
        The caller's name for it, used in messages.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
    """
    if isinstance(texts, str):
        raise InputError(f"{argument}: expected a list of texts, got one text. Put it in [ ].")
    texts = list(texts)
    if not texts:
        raise InputError(f"{argument}: no texts. Give at least one.")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InputError(f"{argument}[{index}]: expected text, got {text!r} ({kind}).")
        if not text.strip():
            raise InputError(
                f"{argument}[{index}] is blank ({text!r}). Remove it, or give it text: a model "
                f"scores blank text as if it meant something."
            )
    return texts


def check_pairs(pairs: pd.DataFrame | Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Bring pairs into a table with ``sentence_a`` and ``sentence_b`` first, texts checked."""
    if not isinstance(pairs, pd.DataFrame):
        pairs = pd.DataFrame(list(pairs), columns=["sentence_a", "sentence_b"])
    if pairs.empty:
        raise InputError("pairs: no pairs. Give at least one.")
    for name in ("sentence_a", "sentence_b"):
        check_texts(pairs[name], name)
    others = [name for name in pairs if name not in ("sentence_a", "sentence_b")]
    return pairs[["sentence_a", "sentence_b", *others]].reset_index(drop=True)


def _read_column(source: Source, target: str, column: str | None) -> pd.DataFrame:
    if not isinstance(source, str | Path):
        texts = check_texts(source, f"{target}s" if target == "sentence" else "corpus")
        return _told(pd.DataFrame({target: texts}), "list", len(texts), 0)
    path = Path(source)
    if path.suffix.lower() in TABLES:
        frame = _read_table(path)
        column = column or next((n for n in ("sentence", "text") if n in frame), None)
        column = column or (frame.columns[0] if len(frame.columns) == 1 else None)
        if column not in frame:
            raise InputError(
                f"{path.name}, columns {list(frame.columns)}: expected {target!r}. Rename the "
                f"column that holds the texts, or pass column=…"
            )
        frame = frame.rename(columns={column: target})
        frame = frame[[target, *[name for name in frame if name != target]]]
    else:
        frame = pd.DataFrame({target: _read_text(path).splitlines()}, dtype=object)
    blank = frame[target].map(str.strip) == ""
    used = frame[~blank].reset_index(drop=True)
    if used.empty:
        raise InputError(f"{path.name}: no text in it. Expected one text a line.")
    return _told(used, path.name, len(frame), int(blank.sum()))


def _read_table(path: Path) -> pd.DataFrame:
    # Every cell is text; "NA" and "null" are words, not missing values.
    rows = list(
        csv.reader(
            _read_text(path).splitlines(True), delimiter=TABLES.get(path.suffix.lower(), ",")
        )
    )
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def _read_text(path: Path) -> str:
    if not path.exists():
        raise InputError(f"{path}: no such file. Looked from the folder {Path.cwd().name}/.")
    if not path.is_file():
        raise InputError(f"{path}: a folder, expected a file with one text a line.")
    data = path.read_bytes()
    if not data.strip():
        raise InputError(f"{path.name}: the file is empty. Expected one text a line.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path.name}, line {line}: not UTF-8 text (byte 0x{data[error.start]:02x}). Save the "
            f"file as UTF-8 text."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path.name}, line {line}: a NUL byte. This is not a text file.")
    return text


def _told(frame: pd.DataFrame, source: str, read: int, blank: int) -> pd.DataFrame:
    frame.attrs["input"] = {
        "source": source,
        "rows_read": read,
        "rows_used": len(frame),
        "blank": blank,
    }
    return frame
