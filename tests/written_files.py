"""Tables written to files, as other programs write them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pandas as pd

ALL = [".txt", ".csv", ".tsv", ".jsonl", ".json", ".xlsx", ".parquet"]
TABLES = ALL[1:]


def quoted(table: list[list[str]], path: Path, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)


def sheet(table: list[list[object]], path: Path) -> None:
    book = openpyxl.Workbook()
    for row in table:
        book.worksheets[0].append(row)
    book.save(path)


def write(table: list[list[str]], path: Path) -> Path:
    """Write a table with its header by somebody else's code where there is any."""
    header, *rows = table
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    match path.suffix:
        case ".txt":
            text = "".join(f"{row[0]}\n" for row in rows)
            path.write_text(text, encoding="utf-8-sig", newline="")
        case ".csv":
            quoted(table, path)
        case ".tsv":
            text = "".join("\t".join(row) + "\n" for row in table)
            path.write_text(text, encoding="utf-8", newline="")
        case ".jsonl":
            path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
        case ".json":
            path.write_text(json.dumps(objects, ensure_ascii=False), encoding="utf-8")
        case ".xlsx":
            sheet([list(row) for row in table], path)
        case ".parquet":
            pd.DataFrame(rows, columns=header).to_parquet(path)
    return path


def book_of(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path
