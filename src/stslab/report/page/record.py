"""What a page was made from, as data inside the page.

The digest beside it tells an edited or damaged record from a whole one. It is integrity, not
authenticity: whoever edits the record on purpose can write a new digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ..identity import digest

_ELEMENT = re.compile(
    r'<script type="application/json" id="stslab-record" data-sha256="([0-9a-f]{64})">'
    r"(.*?)</script>",
    re.DOTALL,
)


def embed(record: Mapping[str, Any]) -> Markup:
    """Write a record as a data block, which no browser runs and no text in it can end."""
    # In the order given: a page made again from its record says things in the same order.
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    # Invisible characters and halves of characters would not survive editors and UTF-8.
    text = re.sub(
        "[<>&\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]",
        lambda m: f"\\u{ord(m[0]):04x}",
        text,
    )
    return Markup(
        '<script type="application/json" id="stslab-record" '
        f'data-sha256="{digest(json.loads(text))}">{text}</script>'
    )


def read_record(html: str) -> dict[str, Any]:
    """Read a page's record if it is whole: nobody vouches for who wrote it, so ask before a run."""
    if not html.rstrip().endswith("</html>"):
        raise ValueError(
            "this page is cut off: it does not end in </html>. Ask for it again, or copy it again."
        )
    found = _ELEMENT.findall(html)
    if len(found) != 1:
        raise ValueError(
            f"this page holds {len(found) or 'no'} record{'s' if len(found) > 1 else ''} of what "
            "it was made from: it was not made by stslab, or it was edited."
        )
    written, text = found[0]
    try:
        record: dict[str, Any] = json.loads(text)
        whole = isinstance(record, dict) and digest(record) == written
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the record in this page is damaged: {error}.") from None
    if not whole:
        raise ValueError(
            "the record in this page was edited after the page was made: its sha256 is not the "
            "one written beside it."
        )
    return record


def without_record(html: str) -> str:
    """Return a page without its record."""
    return _ELEMENT.sub("", html)
