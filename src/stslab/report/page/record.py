"""What a page was made from, as data inside the page.

The digest beside it shows that a record was edited or damaged. It protects against accidents only:
whoever edits the record on purpose can write a new digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from ..identity import digest

_START = '<script type="application/json" id="stslab-record" data-sha256="'
# Where the template puts a record: the last thing in the body, behind the main part. Its text
# holds no "<" (see `embed`), so the element ends where it seems to end.
_RECORD = re.compile(
    r"(?:(?<=</main>\n)|(?<=</main>\r\n))"  # mail may have changed the page's line ends
    rf'{_START}(?P<digest>[0-9a-f]{{64}})">(?P<text>[^<]*)</script>'
    r"(?=\r?\n</body>\r?\n</html>\s*\Z)"
)


class SplitPage(NamedTuple):
    """A page's record, and the page without it."""

    record: dict[str, Any]
    html: str  # without the record's element


def embed(record: Mapping[str, Any]) -> Markup:
    """Return a record as a data block, which no browser runs and no text in it can end."""
    # Keys keep their order: a page made again from its record lists them in the same one.
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    # Editors may drop invisible characters, and UTF-8 holds no unpaired surrogates.
    text = re.sub(
        "[<>&\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]",
        lambda character: f"\\u{ord(character[0]):04x}",
        text,
    )
    return Markup(f'{_START}{digest(json.loads(text))}">{text}</script>')


def read_record(html: str) -> dict[str, Any]:
    """Return a page's record; see `split_page`."""
    return split_page(html).record


def split_page(html: str) -> SplitPage:
    """Return a page's record, if it is undamaged, and the rest of the page.

    Who wrote the record is not checked, and cannot be.

    Parameters
    ----------
    html : str

    Returns
    -------
    SplitPage

    Raises
    ------
    ValueError
        If the page is cut off; if it does not hold exactly one record, where the template puts it;
        or if the record was edited, or is not written as `embed` writes what it says. The same
        record in other words could hide markup from a comparison: in a key that stands twice, in
        escapes, or in a place where a browser reads it as something else.
    """
    if not html.rstrip().endswith("</html>"):
        raise ValueError(
            "this page is cut off: it does not end in </html>. Ask for it again, or copy it again."
        )
    count = html.count('id="stslab-record"')
    if count != 1:
        records = f"{count} records"
        if count == 0:
            records = "no record"
        raise ValueError(
            f"this page holds {records} of what it was made from: it was not made by stslab, or it "
            "was edited."
        )
    element = _RECORD.search(html, max(0, html.rfind(_START)))
    if not element:
        raise ValueError(
            "the record in this page is not at the end of the page, where stslab writes it: the "
            "page was edited."
        )
    try:
        record: dict[str, Any] = json.loads(element["text"])
        is_whole = isinstance(record, dict) and digest(record) == element["digest"]
        is_canonical = is_whole and embed(record) == element[0]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the record in this page is damaged: {error}.") from None
    if not is_whole:
        raise ValueError(
            "the record in this page was edited after the page was made: its sha256 is not the "
            "one written beside it."
        )
    if not is_canonical:
        raise ValueError(
            "the record in this page is not written as stslab writes it (a key may stand twice, "
            "or characters be escaped): the page was edited."
        )
    return SplitPage(record, html[: element.start()] + html[element.end() :])
