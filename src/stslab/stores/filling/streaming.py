"""A file of any size → its texts and their metadata, a chunk at a time.

Rows are read as `stslab.read_corpus` reads them, by the same functions, with one chunk in memory.
Only ``.json`` and ``.xlsx`` are read at once, because their formats require it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Self

from ...inputs.checks import InputError
from ...inputs.reading import (
    UNUSABLE,
    Opened,
    numbered,
    opened,
    rows_from,
    text_column,
    used_rows,
)
from ..store import Metadata, StoredText

ROWS, SIZE = 4096, 2**22  # a chunk ends at so many rows, or bytes of text, whichever comes first


class TextFile:
    """A file of texts, open, and checked once from beginning to end.

    Parameters
    ----------
    path : str or Path
        A file that `stslab.read_corpus` takes.
    column, sheet : str or None, default None
        As for `stslab.read_corpus`.

    Raises
    ------
    InputError
        As `stslab.read_corpus`, also when only the last row is wrong.
    """

    def __init__(
        self, path: str | Path, *, column: str | None = None, sheet: str | None = None
    ) -> None:
        self._open = ExitStack()
        self._file = file = self._open.enter_context(opened(path, ["text"], sheet))
        self.name = file.name
        try:
            self._stamp = self._size_and_time()
            self._all_rows = None
            if file.kind in (".json", ".xlsx"):
                self._all_rows = list(numbered(file, sheet))
            names = rows_from([(1, dict.fromkeys(self._names(), ""))], file, ["text"])
            self._column = text_column(names, "text", column)
            self.count = sum(map(len, self.chunks()))  # texts in it
            if not self.count:
                raise InputError(f"{self.name}: no texts in it. Give at least one.")
        except BaseException:
            self._open.close()
            raise

    def chunks(self) -> Iterator[list[StoredText]]:
        """Yield the texts in their order, a chunk at a time; no chunk is empty."""
        rows, size = list[tuple[int, Any]](), 0
        for row in self._numbered():
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
        status = os.fstat(self._file.stream.fileno())
        return status.st_size, status.st_mtime_ns

    def _names(self) -> dict[str, None]:
        """Return the names of the columns; in JSON, every row may have further ones."""
        names: dict[str, None] = {}
        for _, item in self._numbered():
            if isinstance(item, Mapping):
                names |= dict.fromkeys(item)
            elif item is not None:
                names["text"] = None
            if self._file.kind not in (".json", ".jsonl"):
                break
        return names

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        if self._all_rows is not None:
            return iter(self._all_rows)
        if self._file.kind == ".parquet":
            return _from_parquet(self._file)
        return numbered(self._file, "")

    def _texts_of(self, rows: list[tuple[int, Any]]) -> Iterator[list[StoredText]]:
        """Yield the texts of some rows as one chunk, or nothing if they are all blank."""
        if not any(item for _, item in rows):
            return
        table = rows_from(rows, self._file, ["text"])
        texts = table.frame.get(self._column, [None] * len(rows))
        has_text = [not _is_blank(text) for text in texts]
        if any(has_text):
            table = table._replace(frame=table.frame[has_text])
            used = used_rows(table, {self._column: "text"}, ["text"])
            records = used.table.to_dict("records")
            yield [StoredText(record.pop("text"), _metadata(record)) for record in records]


def _from_parquet(file: Opened) -> Iterator[tuple[int, Any]]:
    try:
        from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

        parquet = ParquetFile(file.stream)
    except Exception:
        yield from numbered(file, None)  # raises the error that names the problem
        return
    row_bytes = 1  # of the row group with the longest rows
    for index in range(parquet.metadata.num_row_groups):
        group = parquet.metadata.row_group(index)
        row_bytes = max(row_bytes, group.total_byte_size // max(1, group.num_rows))
    number = count(1)
    for batch in parquet.iter_batches(max(1, min(ROWS, SIZE // row_bytes))):
        frame = batch.to_pandas(integer_object_nulls=True)
        if frame.index.names[0]:
            frame = frame.reset_index()
        yield from zip(number, frame.astype(object).to_dict("records"), strict=False)


def _size(item: Any) -> int:
    """Return the number of bytes of text in a row."""
    values = [item]
    if isinstance(item, Mapping):
        values = list(item.values())
    size = 0
    for value in values:
        if isinstance(value, str):
            size += len(value.encode("utf-8", "surrogatepass"))
    return size


def _is_blank(text: Any) -> bool:
    if isinstance(text, str):
        return not text.strip()
    return text is None or (isinstance(text, float) and math.isnan(text))


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
