"""What a page was made from, as data inside the page.

The digest beside it tells an edited or damaged record from a whole one. It is integrity, not
authenticity: whoever edits the record on purpose can write a new digest.
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
_PLACE = re.compile(
    r"(?:(?<=</main>\n)|(?<=</main>\r\n))"  # mail may have changed the page's line ends
    rf'{_START}(?P<digest>[0-9a-f]{{64}})">(?P<text>[^<]*)</script>'
    r"(?=\r?\n</body>\r?\n</html>\s*\Z)"
)


class SplitPage(NamedTuple):
    """A page, taken apart at its record."""

    record: dict[str, Any]
    rest: str  # the page without the record's element


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
    return Markup(f'{_START}{digest(json.loads(text))}">{text}</script>')


def read_record(html: str) -> dict[str, Any]:
    """Return a page's record, see `split_page`."""
    return split_page(html).record


def split_page(html: str) -> SplitPage:
    """Take a page's record out of it, if it is whole; nobody vouches for who wrote it.

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
        number = "no record" if count == 0 else f"{count} records"
        raise ValueError(
            f"this page holds {number} of what it was made from: it was not made by stslab, or it "
            "was edited."
        )
    place = _PLACE.search(html, max(0, html.rfind(_START)))
    if not place:
        raise ValueError(
            "the record in this page is not at the end of the page, where stslab writes it: the "
            "page was edited."
        )
    try:
        record: dict[str, Any] = json.loads(place["text"])
        is_whole = isinstance(record, dict) and digest(record) == place["digest"]
        is_canonical = is_whole and embed(record) == place[0]
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
    return SplitPage(record, html[: place.start()] + html[place.end() :])
