"""A file of any size → its texts and their metadata, a chunk at a time.

Rows are read as `stslab.read_corpus` reads them, by the same functions, with one chunk in memory.
Only ``.json`` and ``.xlsx`` are read at once, because their formats require it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from ...inputs.checks import InputError
from ...inputs.columns import SAMPLE_ROWS, Column, describe_columns
from ...inputs.files import open_rows
from ...inputs.left_out import rows_left_out
from ...inputs.sources import UNUSABLE, Row, is_blank
from ...inputs.tables import Rows, make_table, text_column
from ..store import Metadata, StoredText

ROWS, SIZE = 4096, 2**22  # a chunk ends at so many rows, or bytes of text, whichever comes first
SAMPLE_SIZE = 2**22  # bytes of text that the columns are described by, at most


class TextFile:
    """A file of texts, open, and checked once from beginning to end.

    Parameters
    ----------
    path : str or Path
        A file that `stslab.read_corpus` takes.
    column, sheet, hidden
        As for `stslab.read_corpus`.

    Raises
    ------
    InputError
        As `stslab.read_corpus`, also when only the last row is wrong.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        column: str | None = None,
        sheet: str | None = None,
        hidden: bool = False,
    ) -> None:
        self._open = ExitStack()
        self._source = self._open.enter_context(
            open_rows(path, ["text"], sheet=sheet, hidden=hidden)
        )
        self.name = self._source.name
        try:
            full_path = os.path.expanduser(path)  # noqa: PTH111 (as `open_rows` does)
            handle = Path(full_path).open("rb")  # noqa: SIM115 (`close` closes it)
            self._handle = self._open.enter_context(handle)
            self._stamp = self._size_and_time()
            self._left_out: dict[int, str] = {}
            if self._source.raw_header:
                self._left_out = rows_left_out(self._source.raw_header, self._source.rows())
            self._rows = Rows(self._source, self._describe_columns(), {}, [], [])
            self._column = text_column(self._rows, column)
            self.count = sum(map(len, self.chunks()))  # texts in it
            if not self.count:
                raise InputError(f"{self.name}: no texts in it. Give at least one.")
        except BaseException:
            self._open.close()
            raise

    def chunks(self) -> Iterator[list[StoredText]]:
        """Yield the texts in their order, a chunk at a time; no chunk is empty."""
        rows, size = list[Row](), 0
        for row in self._source.rows():
            if row[0] in self._left_out:
                continue
            rows.append(row)
            size += _size(row[1])
            if len(rows) == ROWS or size >= SIZE:
                yield from self._texts_of(rows)
                rows, size = [], 0
        yield from self._texts_of(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def check_unchanged(self) -> None:
        """Raise InputError if the file was changed since it was checked."""
        if self._size_and_time() != self._stamp:
            raise InputError(
                f"{self.name}: the file was changed while it was read. Run this again; texts that "
                f"have not changed are not encoded again."
            )

    def _size_and_time(self) -> tuple[int, int]:
        status = os.fstat(self._handle.fileno())
        return status.st_size, status.st_mtime_ns

    def _describe_columns(self) -> list[Column]:
        """Describe the columns by the first rows, by fewer of them where texts are very long."""
        sample: list[Sequence[Any]] = []
        size = 0
        for number, cells in self._source.rows():
            if number not in self._left_out:
                sample.append(cells)
                size += _size(cells)
            if len(sample) == SAMPLE_ROWS or size >= SAMPLE_SIZE:
                break
        return describe_columns(self._source.header, sample)

    def _texts_of(self, rows: Sequence[Row]) -> Iterator[list[StoredText]]:
        """Yield the texts of some rows as one chunk, or nothing if they are all blank."""
        position = self._rows.header.index(self._column)
        filled = [row for row in rows if not is_blank(row[1][position])]
        if filled:
            numbers = [number for number, _ in filled]
            cells = [cells for _, cells in filled]
            chunk = self._rows._replace(numbers=numbers, cells=cells)
            table = make_table(chunk, {self._column: "text"}, ["text"])
            records = table.to_dict("records")
            yield [StoredText(record.pop("text"), _metadata(record)) for record in records]


def _size(cells: Sequence[Any]) -> int:
    """Return the number of bytes of text in a row."""
    size = 0
    for cell in cells:
        if isinstance(cell, str):
            size += len(cell.encode("utf-8", "surrogatepass"))
    return size


def _metadata(row: Mapping[Any, Any]) -> Metadata:
    """Return what all stores take: text, numbers, truth values; dates and the like as text."""
    metadata: dict[str, str | int | float | bool] = {}
    for name, value in row.items():
        if isinstance(value, str):
            metadata[name] = UNUSABLE.sub("\ufffd", value)
        elif hasattr(value, "isoformat") and value == value:  # a date that is one
            metadata[name] = value.isoformat()
        elif isinstance(value, int) and abs(value) >= 2**63:
            metadata[name] = str(value)
        elif isinstance(value, int | float) and math.isfinite(value):
            metadata[name] = value
    return metadata
