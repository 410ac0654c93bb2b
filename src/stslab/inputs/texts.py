"""What a text shows: without markup, with its entities and damaged characters read."""

from __future__ import annotations

import html
import re
import unicodedata

# The elements that an editor, a form or a mail program writes: those inside a line, and others.
_INLINE = "a|abbr|b|cite|code|del|em|font|i|ins|label|mark|q|s|small|span|strike|strong|sub|sup"
_INLINE += "|time|tt|u|wbr"
_BLOCK = "article|blockquote|br|center|dd|div|dl|dt|figure|footer|h[1-6]|header|hr|iframe|img|li"
_BLOCK += "|link|main|meta|nav|ol|p|pre|section|script|style|table|tbody|td|tfoot|th|thead|tr|ul"
_TAG = re.compile(
    rf"</?(?:(?P<inline>{_INLINE})|{_BLOCK})(?:\s[^<>]*)?/?>|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
# With the semicolon only: without it, "&copy=2" in an address would be one, too.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
FINAL_MARKS = " .!?,;:…。！？\"'”’»)]"


def without_markup(text: str) -> str:
    """Return a text as a browser shows it, without tags and with its entities read.

    Examples
    --------
    >>> without_markup("It wasn&#39;t <b>clean</b>.<br /><br />Never again, if a < b!")
    "It wasn't clean. Never again, if a < b!"
    """
    if "<" in text:
        without_tags = _TAG.sub(_tag_as_space, _HIDDEN.sub(" ", text))
        if without_tags != text:
            # As in a browser, a line break or several spaces are one space.
            text = " ".join(without_tags.split())
    if "&" in text:
        read_once = _ENTITY.sub(_read_entity, text)
        # Exporters escape twice now and then: &amp;#39;
        read_twice = _ENTITY.sub(_read_entity, read_once)
        if read_twice != text:
            text = read_twice.replace("\N{NO-BREAK SPACE}", " ")
    return text


def with_repaired_characters(text: str) -> str:
    """Return a text whose UTF-8 was once read as another encoding, as it was written.

    Examples
    --------
    >>> with_repaired_characters("The cafÃ© wasnâ€™t open.")
    'The café wasn’t open.'
    """
    if text.isascii():
        return text
    import ftfy

    repaired = ftfy.fix_encoding(text)
    # UTF-8 that was read as another encoding is longer than what was written. Of "À\x80" the
    # library makes a NUL.
    if len(repaired) < len(text) and "\0" not in repaired:
        return repaired
    return text


def repeat_key(text: str) -> str:
    """Return what texts share that differ in capitals, spaces or final punctuation only.

    Examples
    --------
    >>> repeat_key("  Great  breakfast! ") == repeat_key("great breakfast.")
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    words = " ".join(text.casefold().split())
    # A text of signs alone, such as "?!", is its own key.
    return words.rstrip(FINAL_MARKS) or words


def _tag_as_space(tag: re.Match[str]) -> str:
    """Return a space for a tag that begins a line, and nothing for one inside a line."""
    if tag["inline"]:
        return ""
    return " "


def _read_entity(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    # A text may hold neither NUL nor halves of a character.
    if character.isprintable() or character.isspace():
        return character
    return entity[0]
