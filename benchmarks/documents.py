"""Put what was measured into the documentation, between two marks that name the benchmark."""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
PERFORMANCE_PAGE = DOCS / "performance.md"
STORES_PAGE = DOCS / "stores.md"


def write_table(document: Path, benchmark: str, text: str) -> None:
    """Replace what stands between ``<!-- benchmark -->`` and ``<!-- /benchmark -->``.

    Exits with a message if the document has no such marks.
    """
    start, end = f"<!-- {benchmark} -->\n", f"<!-- /{benchmark} -->"
    marked = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    # A function, because re would read a backslash in the text as an escape.
    content, places = marked.subn(lambda _: f"{start}{text}{end}", document.read_text("utf-8"))
    if places != 1:
        sys.exit(f"{document.name}: {places} places for the table. Write {start.strip()} and {end}")
    document.write_text(content, "utf-8")
