r"""Files and lists → rows of cells, each with the number that a spreadsheet or an editor shows.

Formats, by the file's ending:

- ``.txt``: one text a line; a line ends at ``\n``, ``\r\n`` or ``\r``, and nowhere else.
- ``.csv``, ``.tsv``: see `stslab.inputs.delimited`.
- ``.jsonl``, ``.json``: strings or objects, one a line or in one list; pairs also as lists.
- ``.xlsx``, ``.xls``, ``.ods``: see `stslab.inputs.spreadsheets`.
- ``.parquet``: the table (extra ``parquet``).

Text files are UTF-8, UTF-16 or Windows-1252. Windows-1252 bytes in a UTF-8 file are read as such,
because files are often joined from both; `RowSource.notes` says so.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pandas as pd

from ..wording import counted
from .checks import InputError
from .delimited import DelimitedRows
from .sources import (
    PLACES,
    UNUSABLE,
    Items,
    ListRows,
    Row,
    RowSource,
    damaged_file,
    missing_library,
    unique_labels,
)
from .spreadsheets import open_spreadsheet

FILE_KINDS = [kind for kind in PLACES if kind != "list"]
SPREADSHEETS = (".xlsx", ".xls", ".ods")
BLOCK_SIZE = 2**20  # bytes read at a time
PARQUET_ROWS = 4096  # rows of a Parquet file in memory at a time, or fewer if they are long
PARQUET_SIZE = 2**22  # bytes


FEW_LETTERS = 20  # letters outside ASCII, up to which they may outnumber the others
_LETTER = re.compile(r"[^\W\d_]")
_ASCII_LETTER = re.compile("[A-Za-z]")
# In Windows-1250 ³ and ¹ are ł and ą, in Mac Roman Ÿ is ü. Behind m³ or a word with a footnote, no
# letter follows.
_UNLIKELY = re.compile(r"\w*(?:[a-z]Ÿ|[a-z][³¹]|\b[³¹][a-z])[a-z]\w*")
_WORD = re.compile(r"\w*[À-ÿ]\w*")


class _JsonLines(Items):
    """A file with one JSON value a line."""

    def __init__(self, stream: TextIO, names: Sequence[str], name: str, notes: list[str]) -> None:
        self._stream = stream
        self._file_name = name
        super().__init__(names, name, ".jsonl", notes)

    def items(self) -> Iterator[tuple[int, Any]]:
        self._stream.seek(0)
        for number, line in enumerate(self._stream, start=1):
            yield number, _parse_json(line, number, self._file_name)


class _TextLines(RowSource):
    """A file with one text a line."""

    has_header = False

    def __init__(self, stream: TextIO, names: Sequence[str], name: str, notes: list[str]) -> None:
        super().__init__(name, ".txt", notes)
        self._stream = stream
        self.header = list(names[:1])
        self._check_tabs()

    def rows(self) -> Iterator[Row]:
        self._stream.seek(0)
        # Not str.splitlines(), which also splits at U+2028, form feeds and others inside a text.
        for number, line in enumerate(self._stream, start=1):
            # Files that were joined have a byte order mark each.
            yield number, [line.removesuffix("\n").removeprefix("\ufeff")]

    def _check_tabs(self) -> None:
        """Raise InputError if every line has the same number of tabs, as in a table."""
        tab_counts = set()
        line_count = 0
        for _, (line,) in self.rows():
            if line.strip():
                tab_counts.add(line.strip().count("\t"))
                line_count += 1
            if len(tab_counts) > 1:
                return
        if line_count > 1 and tab_counts and (tab_count := tab_counts.pop()):
            raise InputError(
                f"{self.name}: each of its {line_count:,} lines holds {counted(tab_count, 'tab')}, "
                f"as in a table. If it is one, give its first line the columns' names and call "
                f"the file {Path(self.name).stem}.tsv; if not, replace the tabs by spaces."
            )


class _ParquetRows(RowSource):
    """The rows of a Parquet file, a batch at a time."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        super().__init__(name, ".parquet")
        try:
            from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]
        except ImportError:
            raise missing_library(name, ".parquet", "pyarrow", "parquet") from None
        try:
            self._file = ParquetFile(stream)
            self.header = unique_labels(self._batch_frame(self._file.schema_arrow.empty_table()))
        except Exception as error:
            raise damaged_file(name, ".parquet", error) from error

    def rows(self) -> Iterator[Row]:
        row_size = 1  # bytes of a row, in the row group with the longest rows
        metadata = self._file.metadata
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            row_size = max(row_size, group.total_byte_size // max(1, group.num_rows))
        batch_length = max(1, min(PARQUET_ROWS, PARQUET_SIZE // row_size))
        numbers = count(1)
        try:
            for batch in self._file.iter_batches(batch_length):
                frame = self._batch_frame(batch).astype(object)
                yield from zip(numbers, frame.to_numpy(), strict=False)
        except OSError as error:
            raise damaged_file(self.name, ".parquet", error) from error

    def _batch_frame(self, batch: Any) -> pd.DataFrame:
        frame: pd.DataFrame = batch.to_pandas(integer_object_nulls=True)
        # A named range is no column of the file: pandas makes it up.
        if frame.index.names[0] and not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        return frame


@contextmanager
def open_rows(
    path: str | Path, names: Sequence[str], *, sheet: str | None = None, hidden: bool = False
) -> Iterator[RowSource]:
    """Open a file, and check that it is one of the formats.

    Parameters
    ----------
    path : str or Path
    names : sequence of str
        What the columns are called where the file does not say: one name for texts; three for
        pairs, whose third is the score.
    sheet : str or None, default None
        Of a spreadsheet; None takes the first visible one that holds a table.
    hidden : bool, default False
        Whether to take the hidden rows of a spreadsheet, too.

    Raises
    ------
    InputError
        If there is no such file, it is empty, damaged, or of another format.
    """
    full_path = Path(os.path.expanduser(path))  # noqa: PTH111 (Path's own raises without a home)
    kind, name = full_path.suffix.lower(), full_path.name
    with _open_bytes(full_path) as stream:
        _check_kind(kind, name, stream, names, sheet)
        stream.seek(0)
        if kind in SPREADSHEETS:
            yield open_spreadsheet(stream, name, kind, sheet=sheet, hidden=hidden)
        elif kind == ".parquet":
            yield _ParquetRows(stream, name)
        else:
            notes: list[str] = []
            with _open_text(stream, kind, name, notes) as text:
                yield _rows_of_text(text, kind, name, names, notes)


def _rows_of_text(
    text: TextIO, kind: str, name: str, names: Sequence[str], notes: list[str]
) -> RowSource:
    if kind in (".csv", ".tsv"):
        return DelimitedRows(text, name, kind, notes)
    if kind == ".jsonl":
        return _JsonLines(text, names, name, notes)
    if kind == ".json":
        if _has_a_value_a_line(text):
            return _JsonLines(text, names, name, notes)
        items = _parse_json(text.read(), 1, name)
        if not isinstance(items, list):
            raise _no_list(items, name)
        source = ListRows(items, names, name, kind)
        source.notes = notes
        return source
    return _TextLines(text, names, name, notes)


def _has_a_value_a_line(text: TextIO) -> bool:
    """Check whether the first line is one JSON value, and another line follows it."""
    text.seek(0)
    first_line, second_line = text.readline(), text.readline()
    text.seek(0)
    try:
        json.loads(first_line)
    except json.JSONDecodeError:
        return False
    return bool(second_line.strip())


def _no_list(value: Any, name: str) -> InputError:
    advice = "Put them in [ ]; a file with one a line ends in .jsonl."
    if isinstance(value, dict):
        lists = [key for key, items in value.items() if isinstance(items, list)]
        if lists:
            advice = f"Keep only the list under {lists[0]!r}."
        elif any(isinstance(items, dict) for items in value.values()):
            advice = "pandas writes one with to_json(orient='records')."
    return InputError(f"{name}: expected one list of texts or objects, got {value!r:.40}. {advice}")


def _open_bytes(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except IsADirectoryError:
        problem = "a folder, expected a file"
    except PermissionError:
        problem = "it may not be read"
        if path.is_dir():  # as Windows says it
            problem = "a folder, expected a file"
    except OSError:
        problem = (
            f"no such file. Looked from the folder {Path.cwd().name}/. Texts themselves go into "
            f"a list: ['…']"
        )
    raise InputError(f"{path!s:.200}: {problem}.")


def _check_kind(
    kind: str, name: str, stream: BinaryIO, names: Sequence[str], sheet: str | None
) -> None:
    kinds = FILE_KINDS
    if len(names) > 1:
        kinds = FILE_KINDS[1:]  # a line of .txt is no pair
    if _is_empty(stream):
        raise InputError(f"{name}: the file is empty. Expected one text a line.")
    if kind not in kinds:
        expected = ", ".join(kinds)
        advice = "Save it as one of them."
        if kind == ".txt" and b"\t" in next(_blocks(stream)).partition(b"\n")[0]:
            advice = f"Its first line holds tabs: call it {Path(name).stem}.tsv."
        raise InputError(f"{name}: expected a file that ends in {expected}. {advice}")
    if sheet and kind not in SPREADSHEETS:
        raise InputError(f"{name}: it has no sheets, so none is called {sheet!r}. Leave that out.")


def _is_empty(stream: BinaryIO) -> bool:
    byte_order_marks = (b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return all(block.strip() in byte_order_marks for block in _blocks(stream))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    return iter(lambda: stream.read(BLOCK_SIZE), b"")


# Text


def _windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read a byte that is no UTF-8 as Windows-1252; five bytes have no character there, either."""
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start : error.start + 1]
    try:
        return byte.decode("cp1252"), error.start + 1
    except UnicodeDecodeError:
        # Half a character, which no text holds: it tells the place, and which byte it was.
        return chr(0xDC00 + byte[0]), error.start + 1


codecs.register_error("stslab.windows-1252", _windows_1252)


def _open_text(stream: BinaryIO, kind: str, name: str, notes: list[str]) -> TextIO:
    """Find a text file's encoding, and check that all of it is text."""
    encoding = _utf16_encoding(stream)
    if encoding:
        notes.append("Read as UTF-16.")
    else:
        encoding = "utf-8-sig"
        byte_count, has_utf8 = _bytes_outside_utf8(stream)
        if byte_count and has_utf8:
            bytes_read = counted(byte_count, "byte")
            notes.append(f"Read as UTF-8, but {bytes_read} as Windows-1252.")
        elif byte_count:
            encoding = "cp1252"
            notes.append("Read as Windows-1252.")
    stream.seek(0)
    newline = None
    if kind in (".csv", ".tsv"):
        newline = ""  # the csv module tells line ends inside cells itself
    errors = "stslab.windows-1252"
    if encoding.startswith("utf-16"):
        errors = "strict"
    text = io.TextIOWrapper(stream, encoding, errors, newline)
    try:
        _check_characters(text, name)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not UTF-16 to its end ({error.reason}). Save the file as UTF-8 text."
        ) from None
    text.seek(0)
    if encoding == "cp1252":
        _check_letters(text, name)
    return text


def _utf16_encoding(stream: BinaryIO) -> str | None:
    if next(_blocks(stream)).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even_zeros = odd_zeros = 0
    for block in _blocks(stream):
        even_zeros += block[::2].count(0)
        odd_zeros += block[1::2].count(0)
    # In UTF-16 of mostly Latin letters every other byte is 0.
    if 4 * max(even_zeros, odd_zeros) > stream.tell() and not min(even_zeros, odd_zeros):
        if even_zeros:
            return "utf-16-be"
        return "utf-16-le"
    return None


def _bytes_outside_utf8(stream: BinaryIO) -> tuple[int, bool]:
    """Count bytes that are not UTF-8, and tell whether others are UTF-8 of several bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    byte_count = 0
    has_utf8 = False
    for block in _blocks(stream):
        if block.isascii() and decoder.getstate()[0] == b"":
            continue
        pending = len(decoder.getstate()[0])
        text = decoder.decode(block)
        still_pending = len(decoder.getstate()[0])
        byte_count += pending + len(block) - still_pending - len(text.encode())
        has_utf8 = has_utf8 or not text.removeprefix("\ufeff").isascii()
    byte_count += len(decoder.getstate()[0])
    return byte_count, has_utf8


def _check_characters(text: TextIO, name: str) -> None:
    """Raise InputError for NUL bytes, and for bytes that no encoding explains."""
    while block := text.read(BLOCK_SIZE):
        if "\0" in block or (not block.isascii() and UNUSABLE.search(block)):
            text.seek(0)
            raise _unusable_character(text, name)


def _check_letters(text: TextIO, name: str) -> None:
    """Raise InputError if bytes read as Windows-1252 make words that no language has."""
    other_count = ascii_count = 0
    while block := text.read(BLOCK_SIZE):
        ascii_letters = len(_ASCII_LETTER.findall(block))
        ascii_count += ascii_letters
        other_count += len(_LETTER.findall(block)) - ascii_letters
        word = _UNLIKELY.search(block)
        if other_count > max(ascii_count, FEW_LETTERS):
            word = word or _WORD.search(block)
        if word:
            raise InputError(
                f"{name}: neither UTF-8 nor Windows-1252, in which a word would be "
                f"{word[0]!r:.40}. Save the file as UTF-8 text."
            )
    text.seek(0)


def _unusable_character(text: TextIO, name: str) -> InputError:
    for number, line in enumerate(text, start=1):
        if unusable := UNUSABLE.search(line):
            problem = "a NUL byte"
            if unusable[0] != "\0":
                problem = f"byte 0x{ord(unusable[0]) % 256:02x} is neither UTF-8 nor Windows-1252"
            place = f"line {number}, column {unusable.start() + 1}"
            return InputError(f"{name}, {place}: {problem}. Save the file as UTF-8 text.")
    raise AssertionError(f"{name} holds no unusable character, although a block of it does")


def _parse_json(text: str, line: int, name: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise InputError(f"{name}, {place}: not JSON ({error.msg}).") from None
