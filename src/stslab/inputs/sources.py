"""Sources of rows: lists and tables in memory, and what files have in common with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from .checks import InputError

# How messages name a row's place in each format.
PLACES = {
    "list": "[%d]",
    ".txt": ", line %d",
    ".csv": ", row %d",
    ".tsv": ", row %d",
    ".jsonl": ", line %d",
    ".json": ", item %d",
    ".xlsx": ", row %d",
    ".xls": ", row %d",
    ".ods": ", row %d",
    ".parquet": ", row %d",
}
UNUSABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of a character, which JSON can hold

Row = tuple[int, Sequence[Any]]


class RowSource:
    """Rows of a file or a list; `rows` gives them anew each time that it is called.

    Attributes
    ----------
    name : str
        The file's name, or the argument's.
    kind : str
        The file's ending, or "list".
    header : list of str
        The columns' names. No two are equal.
    has_header : bool
        False where the names are ours, as for a file with one text a line.
    raw_header : sequence
        The header's cells as they stand in the file; empty where it has none.
    notes : list of str
        Sentences on how the file was read, where one cannot know.
    """

    header: Sequence[str]
    has_header = True
    raw_header: Sequence[Any] = ()

    def __init__(self, name: str, kind: str, notes: list[str] | None = None) -> None:
        self.name = name
        self.kind = kind
        if notes is None:
            notes = []
        self.notes = notes

    def rows(self) -> Iterator[Row]:
        """Yield each row's number and its cells, as many as the header has."""
        raise NotImplementedError

    def place(self, number: int) -> str:
        """Name the place of a row in a message."""
        return self.name + PLACES[self.kind] % number

    def shown_text(self, number: int, column: int, value: Any) -> str | None:
        """Return how the file shows a value that is no text; None if it shows no such values."""
        return None


class Items(RowSource):
    """Texts, pairs or mappings, one a row."""

    def __init__(
        self, names: Sequence[str], name: str, kind: str, notes: list[str] | None = None
    ) -> None:
        super().__init__(name, kind, notes)
        self._names = list(names)
        keys: dict[Any, None] = {}
        self.has_header = False
        most_cells = 0
        for _, item in self.items():
            if isinstance(item, Mapping):
                keys |= dict.fromkeys(item)
                self.has_header = True
            elif isinstance(item, list | tuple):
                most_cells = max(most_cells, len(item))
            elif item is not None:
                most_cells = max(most_cells, 1)
        self._keys = [*(keys | dict.fromkeys(self._names[:most_cells]))]
        self.header = unique_labels(self._keys)

    def items(self) -> Iterator[tuple[int, Any]]:
        """Yield each item with its number."""
        raise NotImplementedError

    def rows(self) -> Iterator[Row]:
        for number, item in self.items():
            cells = self._cells_by_key(number, item)
            yield number, [cells.get(key) for key in self._keys]

    def _cells_by_key(self, number: int, item: Any) -> Mapping[Any, Any]:
        is_list = isinstance(item, list | tuple)
        if item is None:
            return {}
        if isinstance(item, Mapping):
            return item
        if len(self._names) == 1 and not is_list:
            return {self._names[0]: item}
        if len(self._names) > 1 and is_list and len(item) in (2, 3):
            return dict(zip(self._names, item, strict=False))
        expected = "text"
        if len(self._names) > 1:
            expected = "two texts, or two and a number"
        raise InputError(f"{self.place(number)}: expected {expected}, got {item!r:.60}.")


class ListRows(Items):
    """A list of texts, of pairs or of mappings, in Python or in a JSON file."""

    def __init__(
        self, items: Sequence[Any], names: Sequence[str], name: str, kind: str = "list"
    ) -> None:
        self._list = items
        self._first_number = int(kind != "list")  # Python counts from 0
        super().__init__(names, name, kind)

    def items(self) -> Iterator[tuple[int, Any]]:
        return enumerate(self._list, start=self._first_number)


class FrameRows(RowSource):
    """The rows of a DataFrame, numbered like those of a list."""

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        super().__init__(name, "list")
        self._frame = frame.astype(object)
        self.header = unique_labels(frame.columns)

    def rows(self) -> Iterator[Row]:
        return enumerate(self._frame.to_numpy())


def unique_labels(header: Any) -> list[str]:
    """Return the columns' names without outer spaces; a second one of a name gets a number."""
    labels: list[str] = []
    for position, label in enumerate(header, start=1):
        text = ""
        if not pd.isna(label):
            text = str(label).strip()
        text = text or f"column {position}"
        candidate, occurrence = text, 1
        while candidate in labels:
            occurrence += 1
            candidate = f"{text} ({occurrence})"
        labels.append(candidate)
    return labels


def check_header(name: str, header: Sequence[str]) -> None:
    """Raise InputError if a header seems to be the first row: a sentence, and numbers beside it."""
    sentences = [label for label in header if label[-1] in ".!" and len(label.split()) > 1]
    number_count = sum(label.isdecimal() for label in header)
    if len(sentences) == 1 and number_count == len(header) - 1:
        advice = "Put the column's name above it, such as text, or save the file as .txt."
        if number_count:
            advice = "Put the columns' names above it, such as text."
        raise InputError(
            f"{name}: its first row, {sentences[0]!r:.60}, seems to be a text. {advice}"
        )


def missing_library(name: str, kind: str, module: str, extra: str) -> InputError:
    """Return the error for a format whose library is not installed."""
    return InputError(
        f"{name}: {kind} files need {module}. Install it: pip install 'stslab[{extra}]'"
    )


def damaged_file(name: str, kind: str, error: Exception) -> InputError:
    """Return the error for a file that its library cannot read."""
    return InputError(
        f"{name}: not a {kind} file, or a damaged one ({type(error).__name__}). Save it again."
    )


def is_blank(cell: Any) -> bool:
    """Check whether a cell holds nothing but spaces."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))
