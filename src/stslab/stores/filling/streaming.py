"""A file of any size → its texts with what else a row holds, a chunk at a time.

Rows are read as `stslab.read_corpus` reads them, by the same functions; what is kept in memory is
one chunk. Only ``.json`` and ``.xlsx`` are read whole, because their formats ask for it.
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
from ..store import Found, Metadata

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
            self._stamp = self._seen()
            is_whole = file.kind in (".json", ".xlsx")
            self._whole = list(numbered(file, sheet)) if is_whole else None
            names = rows_from([(1, dict.fromkeys(self._names(), ""))], file, ["text"])
            self._column = text_column(names, "text", column)
            self.count = sum(map(len, self.chunks()))  # texts in it
            if not self.count:
                raise InputError(f"{self.name}: no texts in it. Give at least one.")
        except BaseException:
            self._open.close()
            raise

    def chunks(self) -> Iterator[list[Found]]:
        """Give the texts in their order, a chunk at a time; none is empty."""
        rows, size = list[tuple[int, Any]](), 0
        for row in self._numbered():
            rows.append(row)
            size += _size(row[1])
            if len(rows) == ROWS or size >= SIZE:
                yield from self._found(rows)
                rows, size = [], 0
        yield from self._found(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def check_unchanged(self) -> None:
        """Refuse a file that was written to since it was checked."""
        if self._seen() != self._stamp:
            raise InputError(
                f"{self.name}: the file was changed while it was read. Run this again; texts that "
                f"have not changed are not encoded again."
            )

    def _seen(self) -> tuple[int, int]:
        about = os.fstat(self._file.stream.fileno())
        return about.st_size, about.st_mtime_ns

    def _names(self) -> dict[str, None]:
        """Name the columns; of JSON every row may bring others."""
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
        if self._whole is not None:
            return iter(self._whole)
        return (
            _from_parquet(self._file) if self._file.kind == ".parquet" else numbered(self._file, "")
        )

    def _found(self, rows: list[tuple[int, Any]]) -> Iterator[list[Found]]:
        if any(item for _, item in rows):
            table = rows_from(rows, self._file, ["text"])
            texts = table.frame.get(self._column, [None] * len(rows))
            there = [not _is_blank(text) for text in texts]
            if any(there):
                table = table._replace(frame=table.frame[there])
                records = used_rows(table, {self._column: "text"}, ["text"]).table.to_dict(
                    "records"
                )
                yield [Found(each.pop("text"), _metadata(each)) for each in records]


def _from_parquet(file: Opened) -> Iterator[tuple[int, Any]]:
    try:
        from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

        parquet = ParquetFile(file.stream)
    except Exception:
        yield from numbered(file, None)  # says what is wrong
        return
    about = parquet.metadata
    groups = [about.row_group(group) for group in range(about.num_row_groups)]
    each = max([1, *(group.total_byte_size // max(1, group.num_rows) for group in groups)])
    number = count(1)
    for batch in parquet.iter_batches(max(1, min(ROWS, SIZE // each))):
        frame = batch.to_pandas(integer_object_nulls=True)
        frame = (frame.reset_index() if frame.index.names[0] else frame).astype(object)
        yield from zip(number, frame.to_dict("records"), strict=False)


def _size(item: Any) -> int:
    texts = item.values() if isinstance(item, Mapping) else [item]
    return sum(
        len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        for text in texts
        if isinstance(text, str)
    )


def _is_blank(text: Any) -> bool:
    if isinstance(text, str):
        return not text.strip()
    return text is None or (isinstance(text, float) and math.isnan(text))


def _metadata(row: Mapping[Any, Any]) -> Metadata:
    """Keep what all stores take: text, numbers, truth values; dates and the like as text."""
    about: dict[str, str | int | float | bool] = {}
    for name, value in row.items():
        if isinstance(value, str):
            about[name] = UNUSABLE.sub("\ufffd", value)
        elif hasattr(value, "isoformat") and value == value:  # a date that is one
            about[name] = value.isoformat()
        elif isinstance(value, int) and abs(value) >= 2**63:
            about[name] = str(value)
        elif isinstance(value, int | float) and math.isfinite(value):
            about[name] = value
    return about
