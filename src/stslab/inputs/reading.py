r"""Lists and files → checked sentences, pairs and corpora.

An `Input` is the table, and how many rows were read and used. Formats, by the file's ending:

- ``.txt``: one text a line; a line ends at ``\n``, ``\r\n`` or ``\r``, and nowhere else.
- ``.csv``: quoted as in RFC 4180; the header tells whether commas, semicolons or tabs part the
  cells. An apostrophe before ``=``, ``+``, ``-``, ``@``, a tab or a line break is left out, as
  spreadsheets do: it says that the cell is no formula. stslab writes it so, see `stslab.csv_text`.
- ``.tsv``: split at tabs; a quote is an ordinary character, as in the STS Benchmark.
- ``.jsonl``, ``.json``: strings or objects, one a line or in one list; pairs also as lists.
- ``.xlsx``, ``.parquet``: the first sheet with a header, or the one named; the table (extras
  ``excel`` and ``parquet``).

Text files are UTF-8, UTF-16, or else Windows-1252, and `Input.notes` says which. A cell of a csv or
tsv file is text: "NA" is a word. A number where text belongs is refused elsewhere. Blank rows are
left out and counted, repeated ones kept and counted, other columns carried along.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

import numpy as np
import pandas as pd

from ..csv_text import unmark
from ..wording import counted
from .checks import PAIR, InputError

Source = str | Path | Sequence[Any] | pd.DataFrame

# How each format names a row's place in messages.
FORMATS = {"list": "[%d]", **dict.fromkeys([".txt", ".csv", ".tsv", ".jsonl"], ", line %d")}
FORMATS |= {".json": ", item %d", ".xlsx": ", row %d", ".parquet": ", row %d"}
EXTRAS = {".xlsx": ("openpyxl", "excel"), ".parquet": ("pyarrow", "parquet")}
# Column names found by themselves, in any case: `sentence` and `text` whatever else is there; of
# the others the one that is there, if there is just one. Likewise for pairs.
TEXTS = "sentences, texts, question, query, title, content, body, message, comment, description"
TEXTS += ", document, passage, answer"
PAIRS = "sentence1 sentence2, sentence_1 sentence_2, s1 s2, text_a text_b, text1 text2"
PAIRS += ", question1 question2, premise hypothesis"
# Not `score`, `similarity` or `label`: these hold a model's score or a class as often as what
# people said (stslab's own tables call a cosine `score`). Name them with columns={…}.
GOLD = "gold_score, gold, human_score"
NAMED = "columns=['…', '…']"
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UNUSABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of a character, which JSON can hold
BLOCK = 2**20  # bytes read at a time


# A byte that is no text is read as one of these halves, which tells its place, and which byte.
codecs.register_error("stslab.mark", lambda e: (chr(0xDC00 + e.object[e.start]), e.end))  # type: ignore[attr-defined]


class ColumnError(InputError):
    """The columns of a table that hold the texts cannot be told by their names."""


@dataclass(frozen=True)
class Input:
    """A table of texts and where it came from."""

    table: pd.DataFrame  # the rows used, texts exactly as written
    columns: Sequence[str]  # those of the table that hold the texts
    source: str  # the file's name; empty for a list
    rows_read: int
    blank: int  # rows skipped because a text was blank
    duplicates: int  # rows that repeat an earlier one; they are kept
    renamed: Mapping[str, str]  # the source's column names → the table's, where they differ
    rows: Sequence[int]  # of each row used, its line or row in the file; in a list, from 1
    how: Sequence[str] = ()  # sentences on its encoding and its sheet, where one cannot know

    @property
    def texts(self) -> list[str]:
        """All texts; of pairs the first sentences, then the second ones."""
        return [text for name in self.columns for text in self.table[name]]

    def describe(self) -> str:
        """Say how many rows were read and used, and what `notes` says."""
        notes = [f"{counted(self.blank, 'blank row')} skipped"] * bool(self.blank)
        notes += [f"{counted(self.duplicates, 'duplicate')} kept"] * bool(self.duplicates)
        source = f" from {self.source}" if self.source else ""
        text = f"Read {counted(self.rows_read, 'row')}{source}, used {len(self.table):,}"
        text += f" ({'; '.join(notes)})." if notes else "."
        return " ".join([text, *self.notes()])

    def notes(self) -> list[str]:
        """Say as which encoding, from which sheet and under which names the texts were read."""
        names = ", ".join(f"{old!r} as {new!r}" for old, new in self.renamed.items())
        return [*self.how, *[f"Columns read: {names}."] * bool(names)]


class Opened(NamedTuple):
    """A file that is open for reading, or a list."""

    stream: Any  # a stream of text, or of bytes where the format is no text
    kind: str  # its ending
    name: str
    how: list[str]  # as for an `Input`


class Rows(NamedTuple):
    """A source's rows, numbered as messages number them."""

    frame: pd.DataFrame
    file: Opened

    def at(self, row: int) -> str:
        """Name the place of a row."""
        return f"{self.file.name}{FORMATS[self.file.kind] % self.frame.index[row]}"

    def check_columns(self, names: Iterable[str], remedy: str) -> None:
        """Refuse the name of a column that is not there."""
        for name in names:
            if name not in self.frame:
                raise self.refused(f"none is called {name!r}", remedy)

    def refused(self, why: str, remedy: str) -> ColumnError:
        """Explain what is wrong with the columns."""
        said = [f"{self.file.name}, columns {list(self.frame)}: {why}.", *self.file.how]
        return ColumnError(
            f"{' '.join(said)} Rename the text columns in the header row, or pass {remedy}."
        )


def read_sentences(source: Source, *, column: str | None = None, sheet: str | None = None) -> Input:
    """Read sentences from a list or a file.

    Parameters
    ----------
    source : sequence of str, DataFrame, or path
        Formats are listed in `stslab.inputs`. Every format but ``.txt`` may have more columns.
    column : str or None, default None
        None takes ``sentence``, else ``text``, else the only one with a usual name (``title``, …).
    sheet : str or None, default None
        Of a spreadsheet; None takes the first that has a header.

    Returns
    -------
    Input
        Its table has the column ``sentence``, exactly as written, then the others.

    Raises
    ------
    InputError
        If the file or column is missing, or something is not text; the message says where.

    Examples
    --------
    >>> read_sentences(["One.", " ", "Two.", "One."]).texts
    ['One.', 'Two.', 'One.']
    """
    return _read_column(source, "sentence", column, sheet)


def read_corpus(source: Source, *, column: str | None = None, sheet: str | None = None) -> Input:
    """Read a corpus from a list or a file, as `read_sentences` does.

    Returns
    -------
    Input
        Its table has the column ``text``, then the others; a row's position is its ``corpus_id``.
    """
    return _read_column(source, "text", column, sheet)


def read_pairs(
    source: Source,
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    sheet: str | None = None,
) -> Input:
    """Read sentence pairs, with or without a human score, from a list or a file.

    Parameters
    ----------
    source : sequence of (str, str) or (str, str, float), DataFrame, or path
    columns : mapping, sequence of str, str or None, default None
        The source's column names → ``sentence_a``, ``sentence_b``, ``gold_score``; or the names in
        that order, also as one text with commas. Found without it: ``sentence1``, ``s1``,
        ``text_a``, ``text1``, ``question1`` with their partners; ``premise`` and ``hypothesis``;
        ``gold`` and ``human_score``. A column ``score``, ``similarity`` or ``label`` is not taken
        for a human score unless named here.
    sheet : str or None, default None
        As for `read_sentences`.

    Returns
    -------
    Input
        Columns ``sentence_a, sentence_b``, then ``gold_score`` (float, NaN where empty) where
        given, then others. A pair with a blank sentence is left out and counted.

    Raises
    ------
    InputError
        As `read_sentences`; or a human score is not a number.

    Examples
    --------
    >>> read_pairs([("One.", "Two.", 3.5)]).table.columns.tolist()
    ['sentence_a', 'sentence_b', 'gold_score']
    """
    rows = read_rows(source, [*PAIR, "gold_score"], "pairs", sheet)
    if not isinstance(columns, Mapping):
        names = columns or []
        if isinstance(columns, str):  # a name that holds a comma stands in quotes
            names = next(csv.reader([columns], skipinitialspace=True), [])
        if len(names) not in (0, 2, 3):
            raise rows.refused(f"expected two names, or three, got {list(names)}", NAMED)
        columns = dict(zip(map(str.strip, names), [*PAIR, "gold_score"], strict=False))
    rows.check_columns(columns, NAMED)
    frame = _renamed(rows.frame, columns)
    rows = rows._replace(frame=frame)
    found = _find(rows, f"{' '.join(PAIR)}, {PAIRS}", certain=1, remedy=NAMED)
    chosen = dict(zip(found, PAIR, strict=True))
    for name in _find(rows, GOLD, certain=3):
        given = frame[name].mask(frame[name] == "")
        frame[name] = pd.to_numeric(given, errors="coerce").astype(float)
        for row in np.flatnonzero(given.notna() & ~np.isfinite(frame[name])).tolist():
            why = f"expected a number such as 3.5, got {given.iloc[row]!r:.60}."
            raise InputError(f"{rows.at(row)}, column {name!r}: {why}")
        chosen[name] = "gold_score"
    used = used_rows(rows, chosen, PAIR)
    return replace(used, renamed={**columns, **used.renamed})


def _read_column(source: Source, target: str, column: str | None, sheet: str | None) -> Input:
    rows = read_rows(source, [target], "sentences" if target == "sentence" else "corpus", sheet)
    return used_rows(rows, {text_column(rows, target, column): target}, [target])


def text_column(rows: Rows, target: str, column: str | None) -> str:
    """Find the column that holds the texts, or check that it is there."""
    if not column:
        other = "text" if target == "sentence" else "sentence"
        (column,) = _find(rows, f"{target}, {other}, {TEXTS}", certain=2, remedy="column='…'")
    rows.check_columns([column], "column='…'")
    return column


def _find(rows: Rows, known: str, *, certain: int, remedy: str = "") -> list[str]:
    """Pick columns: the first of the `certain` groups of names, else the only group there is."""
    names = {name.lower().replace(" ", "_"): name for name in rows.frame.columns.tolist()}
    names |= {name: name for name in names.values()}
    groups = [group.split() for group in known.split(",")]
    found = [group for group in groups if names.keys() >= set(group)]
    if found and (len(found) == 1 or found[0] in groups[:certain]):
        return [names[name] for name in found[0]]
    if remedy:
        raise rows.refused(f"expected {' and '.join(map(repr, groups[0]))}", remedy)
    return []


def _renamed(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Rename columns; another one that bears the new name is carried along beside it."""
    others = {new: f"{new} (other)" for new in names.values() if new not in names}
    return frame.rename(columns={**others, **names})


def used_rows(rows: Rows, chosen: dict[str, str], texts: list[str]) -> Input:
    """Check the texts of the chosen columns, leave out blank rows, keep the tally."""
    frame = rows.frame
    keep = np.ones(len(frame), dtype=bool)
    for name in list(chosen)[: len(texts)]:
        values = frame[name].where(frame[name].notna(), "").tolist()
        for row, value in enumerate(values):
            if not isinstance(value, str) or UNUSABLE.search(value):
                got = f"{value!r:.60} ({type(value).__name__})"
                why = f"expected text, got {got}. Store it as text, without NUL or half characters."
                raise InputError(f"{rows.at(row)}, column {name!r}: {why}")
            keep[row] &= bool(value.strip())
    used = _renamed(frame[keep].reset_index(drop=True), chosen)
    if used.empty:
        raise InputError(f"{rows.file.name}: no texts in it. Give at least one.")
    first = list(chosen.values())
    return Input(
        table=used[[*first, *used.columns.drop(first)]],
        columns=texts,
        source=rows.file.name * (rows.file.kind != "list"),
        rows_read=len(frame),
        blank=len(frame) - len(used),
        duplicates=int(used.duplicated(texts).sum()),
        renamed={old: new for old, new in chosen.items() if old != new},
        rows=(frame.index[keep] + (rows.file.kind == "list")).tolist(),
        how=rows.file.how,
    )


def read_rows(source: Any, names: list[str], argument: str, sheet: str | None) -> Rows:
    """Read a table of objects whose index numbers the rows as messages do."""
    if isinstance(source, str | Path):
        with opened(source, names, sheet) as file:
            return rows_from(list(numbered(file, sheet)), file, names)
    items = source.to_dict("records") if isinstance(source, pd.DataFrame) else source
    return rows_from(list(enumerate(items)), Opened(None, "list", argument, []), names)


@contextmanager
def opened(source: str | Path, names: list[str], sheet: str | None) -> Iterator[Opened]:
    """Open a file of a known format; see that a text file is one."""
    path = Path(os.path.expanduser(source))  # noqa: PTH111 (Path's own raises without a home)
    kind, name, here = path.suffix.lower(), path.name, Path.cwd().name
    known = list(FORMATS)[len(names[:2]) :]
    try:
        file = path.open("rb")
    except OSError as error:
        why = (
            f"no such file. Looked from the folder {here}/. Texts themselves go into a list: ['…']"
        )
        if isinstance(error, PermissionError | IsADirectoryError):
            why = "a folder, expected a file" if path.is_dir() else "it may not be read"
        raise InputError(f"{path!s:.200}: {why}.") from None
    with file:
        if all(block.strip() in (b"", codecs.BOM_UTF8, *UTF16) for block in _blocks(file)):
            why = "the file is empty. Expected one text a line."
        elif kind not in known:  # a line of .txt is no pair
            why = f"expected a file that ends in {', '.join(known)}. Save it as one of them."
        elif sheet and kind != ".xlsx":
            why = f"it has no sheets, so none is called {sheet!r}. Leave that out."
        else:
            how: list[str] = []
            with file if kind in EXTRAS else _text(file, kind, name, how) as content:
                yield Opened(content, kind, name, how)
            return
        raise InputError(f"{name}: {why}")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(BLOCK), b"")


def _text(file: BinaryIO, kind: str, name: str, how: list[str]) -> TextIO:
    """Tell a text file's encoding, and see that all of it is text."""
    encoding = _encoding(file)
    read_as = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(encoding, "UTF-16")
    how += [f"Read as {read_as}."] * (encoding != "utf-8-sig")
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, "stslab.mark", "" if kind in (".csv", ".tsv") else None)
    for line, content in enumerate(text, start=1):
        if wrong := UNUSABLE.search(content):
            byte, why = bytes([ord(wrong[0]) % 256]), "a NUL byte"
            if wrong[0] != "\0":
                meant = byte.decode("cp1252", "replace")
                why = f"not {read_as} text (byte 0x{byte.hex()}, in Windows-1252 {meant!r})"
            place = f"line {line}, column {wrong.start() + 1}"
            raise InputError(f"{name}, {place}: {why}. Save the file as UTF-8 text.")
    return text


def _encoding(file: BinaryIO) -> str:
    if next(_blocks(file)).startswith(UTF16):
        return "utf-16"
    zeros = [(block[::2].count(0), block[1::2].count(0)) for block in _blocks(file)]
    even, odd = map(sum, zip(*zeros, strict=True))
    if 4 * max(even, odd) > file.tell() and not min(even, odd):  # every other byte is 0
        return "utf-16-be" if even else "utf-16-le"
    text = codecs.iterdecode(_blocks(file), "utf-8", "ignore")
    if all(map(str.isascii, text)) and not all(map(bytes.isascii, _blocks(file))):
        return "cp1252"  # nothing but ASCII makes sense as UTF-8
    return "utf-8-sig"


def numbered(file: Opened, sheet: str | None) -> Iterator[tuple[int, Any]]:
    """Give a file's rows one after another, numbered as messages do."""
    stream, kind, name, how = file
    stream.seek(0)
    if kind in EXTRAS:
        frame = _from_binary(stream, kind, name, how, sheet)
        frame.columns = _labels(frame.columns.tolist(), name)
        yield from enumerate(frame.to_dict("records"), start=1 + (kind == ".xlsx"))
    elif kind in (".csv", ".tsv"):
        yield from _cells(stream, kind, name)
    elif kind == ".json":
        items = _parsed(stream.read(), 1, name)
        if not isinstance(items, list):
            why = f"expected one list of texts or objects, got {items!r:.40}. Put them in [ ]"
            raise InputError(f"{name}: {why}; a file with one a line ends in .jsonl.")
        yield from enumerate(items, start=1)
    else:  # not str.splitlines(), which also splits at U+2028, form feeds and others inside a text
        for line, row in enumerate(stream, start=1):
            row = row.removesuffix("\n")
            yield line, row if kind == ".txt" else _parsed(row, line, name)


def _cells(text: TextIO, kind: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a table of text; unlike pandas' reader this knows each row's line, and counts cells."""
    csv.field_size_limit(2**31 - 1)  # Python's own limit is 128 KB a cell
    delimiter = "\t" if kind == ".tsv" else max(",;\t", key=text.readline(100_000).count)
    quoting: Any = csv.QUOTE_NONE if kind == ".tsv" else csv.QUOTE_MINIMAL
    text.seek(0)
    reader = csv.reader(text, strict=True, delimiter=delimiter, quoting=quoting)
    header, line = list[str](), 1
    try:
        for row in reader:
            cells = [unmark(cell) for cell in row] if kind == ".csv" else row
            if cells in ([], [""]):
                cells = [""] * max(1, len(header))
            if not header:
                header = _labels(cells, name)
            elif len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            else:
                why = f"{counted(len(cells), 'cell')}, but the header has {len(header)}: {header}."
                quote = f"Quote a text with {delimiter!r} in it."
                quote = quote if kind == ".csv" else "A tab ends a cell."
                raise InputError(f"{name}, line {line}: {why} {quote}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name}, line {line}: {error}. A text with quotes in it stands between quotes, "
            f'and those inside are doubled: "say ""yes""".'
        ) from None


def _parsed(text: str, line: int, name: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise InputError(f"{name}, {place}: not JSON ({error.msg}).") from None


def rows_from(rows: list[tuple[int, Any]], file: Opened, names: list[str]) -> Rows:
    """Make a table of `numbered` rows."""
    table: list[Mapping[str, Any]] = []
    for row, item in rows:
        if item is None or isinstance(item, Mapping):
            table.append(item or {})
        elif len(names) == 1 and not isinstance(item, list | tuple):
            table.append({names[0]: item})
        elif len(names) > 1 and isinstance(item, list | tuple) and len(item) in (2, 3):
            table.append(dict(zip(names, item, strict=False)))
        else:
            wanted = "text" if len(names) == 1 else "two texts, or two and a number"
            at = file.name + FORMATS[file.kind] % row
            raise InputError(f"{at}: expected {wanted}, got {item!r:.60}.")
    if not any(table):
        raise InputError(f"{file.name}: no texts in it. Give at least one.")
    frame = pd.DataFrame(table, index=[number for number, _ in rows], dtype=object)
    frame.columns = _labels(frame.columns.tolist(), file.name)
    return Rows(frame, file)


def _labels(header: Sequence[Any], name: str) -> list[str]:
    labels = ["" if pd.isna(label) else str(label).strip() for label in header]
    labels = [label or f"column {i}" for i, label in enumerate(labels, start=1)]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InputError(f"{name}: two columns are called {twice[0]!r}. Rename one.")
    return labels


def _from_binary(file: BinaryIO, kind: str, name: str, how: list[str], wanted: Any) -> pd.DataFrame:
    try:
        if kind == ".parquet":
            frame = pd.read_parquet(file, engine="pyarrow")
            return (frame.reset_index() if frame.index.names[0] else frame).astype(object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which hold no text
            settings: Any = {"engine": "openpyxl", "engine_kwargs": {"read_only": False}}
            sheets = pd.ExcelFile(file, **settings).book.worksheets
    except ImportError:
        module, extra = EXTRAS[kind]
        remedy = f"pip install 'stslab[{extra}]'"
        raise InputError(f"{name}: {kind} files need {module}. Install it: {remedy}") from None
    except Exception as error:  # each library has its own for a damaged file
        why = f"not a {kind} file, or a damaged one ({type(error).__name__})"
        raise InputError(f"{name}: {why}. Save it again.") from error
    titles = ", ".join(repr(each.title) for each in sheets)
    if wanted and not (sheets := [each for each in sheets if each.title == wanted]):
        raise InputError(f"{name}: no sheet is called {wanted!r}. Its sheets: {titles}.")
    headed = (each for each in sheets if any(cell.value is not None for cell in each[1]))
    sheet = next(headed, sheets[0])
    if len(sheets) > 1:
        how.append(f"Read sheet {sheet.title!r} of {titles}; SHEET or --sheet takes another.")
    if merged := sorted(map(str, sheet.merged_cells.ranges)):
        raise InputError(
            f"{name}, sheet {sheet.title!r}: cells {merged[0]} are merged, so it is unclear "
            f"which row the text belongs to. Unmerge the cells ({len(merged)} in all)."
        )
    table = pd.DataFrame(sheet.iter_rows(values_only=True), dtype=object).dropna(axis=1, how="all")
    filled = np.flatnonzero(table.notna().any(axis=1))
    if not len(filled) or filled[0]:
        raise InputError(f"{name}, sheet {sheet.title!r}, row 1: expected a header row.")
    return table.iloc[1 : filled[-1] + 1].set_axis(table.iloc[0].tolist(), axis=1)
