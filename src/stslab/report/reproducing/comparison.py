"""Find where a page differs from the one that this checkout makes.

Our page is the reference, and only its text is read as HTML. The other page may have been
written by anybody: it has to equal ours character by character, except that a digit may stand for
another digit in these numbers:

* in a text, a number with five decimals or more, if both agree at four;
* in a drawing, a coordinate with decimals, if both agree to a ten-thousandth of its width. These
  are the attributes in `COORDINATES`, and what `translate` and `rotate` move by.

Digits take the place of digits, so wherever nothing else differs both pages have the same markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ..messages import printable
from ..page.assets import name_set
from ..page.svg import COORDINATES, MOVES

DECIMALS = 5e-5  # numbers that agree at 4 decimals
SHARE_OF_WIDTH = 1e-4  # of a drawing
LISTED = 10  # differences that are listed one by one

DIGIT = re.compile("[0-9]")
# Fewer decimals would have to be equal anyway. An exponent has to be the same, so numbers with one
# are no such numbers.
TEXT_NUMBER = re.compile(r"(?<![0-9A-Za-z.])-?[0-9]+\.[0-9]{5,}(?![0-9A-Za-z])(?!\.[0-9])")
# Not the angle of a rotation: a small change of it moves far what is far from the center.
COORDINATE = re.compile(r"(?<![0-9.])(?<!rotate\()(?<!rotate\(-)-?[0-9]+\.[0-9]+(?![0-9.])")
# Elements whose coordinates count in units of the drawing. Others, such as gradients and markers,
# have units of their own, and so has what stands inside them.
IN_DRAWING_UNITS = name_set(
    "circle clipPath defs ellipse g image line path polygon polyline rect text tspan use"
)
ATTRIBUTE = re.compile(r"""\s([A-Za-z_:][-\w:.]*)=(?:"([^"]*)"|'[^']*')""")
VIEW_BOX = re.compile(r"[-0-9.]+[ ,]+[-0-9.]+[ ,]+([0-9]+(?:\.[0-9]+)?)[ ,]+[0-9.]+")

# A tag, a word with the space behind it, or space. Quotes may hold any character.
TOKEN = re.compile(r"""<(?:[^<>"']|"[^"]*"|'[^']*')*+>|[^<\s]+\s*|\s+|<""")
TAG_NAME = re.compile(r"</?([A-Za-z][-\w:]*)")
NO_TEXT = {"script", "style", "title"}  # elements whose content has to be the same to the letter


@dataclass(frozen=True)
class Piece:
    """A tag, a word, or the content of a script of our page."""

    start: int  # where it begins in our page
    text: str
    is_word: bool
    numbers: tuple[tuple[int, int], ...] = ()  # where in `text` digits may differ
    tolerance: float = 0.0  # how far these numbers may be apart

    @property
    def end(self) -> int:
        """The position in our page at which it ends."""
        return self.start + len(self.text)

    def admits(self, text: str) -> bool:
        """Check that another page may hold `text` in the same place."""
        if text == self.text:
            return True
        if len(text) != len(self.text):
            return False
        position = 0
        for start, end in self.numbers:
            if text[position:start] != self.text[position:start]:
                return False
            if not _is_close(text[start:end], self.text[start:end], self.tolerance):
                return False
            position = end
        return text[position:] == self.text[position:]


def compare(page: str, our_page: str) -> list[str]:
    """List where a page differs from ours.

    Parameters
    ----------
    page : str
        The text of a page that anybody may have written.
    our_page : str
        The page that this checkout makes; what may differ is read from this one alone.

    Returns
    -------
    list of str
        A printable line for each difference, the first ten one by one; empty if there is none. If
        the two are not equally long, one line: what stands between their equal beginnings and
        their equal ends.
    """
    if page != our_page and page.replace("\r\n", "\n") == our_page:
        return ["its lines end as on Windows (CR LF), perhaps by mail; all else is the same"]
    pieces = list(split_into_pieces(our_page))
    if len(page) == len(our_page):
        return _differences(page, pieces)
    return [_different_middle(page, our_page, pieces)]


def compare_claims(claims: Mapping[str, Any], findings: Mapping[str, Any]) -> list[str]:
    """List the claims of a page's record that are not what this checkout finds."""
    differences = []
    for name in dict.fromkeys([*claims, *findings]):
        claimed, actual = claims.get(name), findings.get(name)
        # As JSON, because to Python 1, 1.0 and True are equal.
        is_equal = _as_json(claimed) == _as_json(actual)
        if is_equal and (name in claims) == (name in findings):
            continue
        if isinstance(claimed, Mapping) and isinstance(actual, Mapping):
            nested = compare_claims(claimed, actual)
            differences += [f"{printable(name)}, {line}" for line in nested]
        else:
            differences.append(f"{printable(name)}: {_versus(str(claimed), str(actual))}")
    return differences


def split_into_pieces(html: str) -> Iterator[Piece]:
    """Yield the pieces of our page, which together are the whole of it."""
    drawing = _Drawing()
    position = 0
    while position < len(html):
        token = TOKEN.match(html, position)
        assert token  # the last two alternatives match what the others do not
        text = token[0]
        if not text.startswith("<"):
            numbers = tuple(number.span() for number in TEXT_NUMBER.finditer(text))
            yield Piece(position, text, True, numbers, DECIMALS)
        else:
            spans, tolerance = drawing.read_tag(text)
            yield Piece(position, text, False, spans, tolerance)
            if content := _raw_content(html, text, token.end()):
                yield Piece(token.end(), content, False)
                position += len(content)
        position += len(text)


class _Drawing:
    """Follows the elements of a drawing, to know in which units its coordinates count."""

    def __init__(self) -> None:
        self.width = 0.0
        # For each open element of the drawing: its name, and whether its units are the drawing's.
        self.open_elements: list[tuple[str, bool]] = []

    def read_tag(self, tag: str) -> tuple[tuple[tuple[int, int], ...], float]:
        """Return where a tag holds coordinates that may differ, and by how much."""
        name = _tag_name(tag)
        if tag.startswith("</"):
            if self.open_elements and self.open_elements[-1][0] == name:
                self.open_elements.pop()
            return (), 0.0
        if not self.open_elements and name != "svg":
            return (), 0.0
        matches = ATTRIBUTE.finditer(tag)
        attributes = {match[1]: match for match in matches if match[2] is not None}
        if not self.open_elements:
            self.width = _view_box_width(attributes)
        in_drawing_units = self._keeps_units(name, attributes)
        if not tag.endswith("/>"):
            self.open_elements.append((name, in_drawing_units))
        if not in_drawing_units:
            return (), 0.0
        return tuple(_coordinates(attributes)), self.width * SHARE_OF_WIDTH

    def _keeps_units(self, name: str, attributes: Mapping[str, re.Match[str]]) -> bool:
        """Check that coordinates in an element count in units of the drawing."""
        if "transform" in attributes and not MOVES.fullmatch(attributes["transform"][2]):
            return False
        if not self.open_elements:
            return "preserveAspectRatio" not in attributes
        _, parent_in_drawing_units = self.open_elements[-1]
        return (
            parent_in_drawing_units
            and name in IN_DRAWING_UNITS
            and "clipPathUnits" not in attributes
        )


def _tag_name(tag: str) -> str:
    match = TAG_NAME.match(tag)
    if not match:
        return ""
    return match[1]


def _view_box_width(attributes: Mapping[str, re.Match[str]]) -> float:
    """Return the width of a drawing in its units; 0, with which nothing may differ, if unknown."""
    if "viewBox" not in attributes:
        return 0.0
    view_box = VIEW_BOX.fullmatch(attributes["viewBox"][2])
    if not view_box:
        return 0.0
    return float(view_box[1])


def _coordinates(attributes: Mapping[str, re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Yield where in a tag the numbers of its coordinates start and end."""
    for name, attribute in attributes.items():
        value = attribute[2]
        # Arcs hold flags, which may be written as one number with what follows them.
        is_plain = name in COORDINATES and not re.search("[aAeE]", value)
        if is_plain or name == "transform":
            for number in COORDINATE.finditer(value):
                start = attribute.start(2)
                yield start + number.start(), start + number.end()


def _raw_content(html: str, tag: str, start: int) -> str:
    """Return what stands in a script, style or title, whose start tag ends at `start`."""
    name = _tag_name(tag)
    if tag.startswith("</") or name not in NO_TEXT:
        return ""
    return html[start : html.find(f"</{name}", start)]


def _is_close(number: str, our_number: str, tolerance: float) -> bool:
    """Check that a number has the form of ours and is not further from it than allowed."""
    if DIGIT.sub("0", number) != DIGIT.sub("0", our_number):
        return False
    return abs(float(number) - float(our_number)) <= tolerance


def _differences(page: str, pieces: Sequence[Piece]) -> list[str]:
    """List the pieces that are different in a page of the same length."""
    different = [
        index
        for index, piece in enumerate(pieces)
        if not piece.admits(page[piece.start : piece.end])
    ]
    lines = []
    for index in different[:LISTED]:
        piece = pieces[index]
        text = page[piece.start : piece.end]
        lines.append(f"{_place(pieces[:index])}: {_versus(text, piece.text)}")
    if len(different) > LISTED:
        lines.append(f"and in {len(different) - LISTED:,} more places")
    return lines


def _different_middle(page: str, our_page: str, pieces: Sequence[Piece]) -> str:
    """Describe what stands between the equal beginnings and the equal ends of two pages."""
    equal_at_start = _count_equal(page, pieces, shift=0)
    start = len(our_page)
    if equal_at_start < len(pieces):
        start = pieces[equal_at_start].start
    # The ends may not reach into the equal beginnings, so those pieces are left out first.
    shift = len(page) - len(our_page)
    from_the_end = [piece for piece in pieces[equal_at_start:] if piece.start + shift >= start]
    from_the_end.reverse()
    equal_at_end = _count_equal(page, from_the_end, shift=shift)
    end = len(our_page)
    if equal_at_end:
        end = from_the_end[equal_at_end - 1].start
    difference = _versus(page[start : end + shift], our_page[start:end])
    return f"{_place(pieces[:equal_at_start])}: {difference}"


def _count_equal(page: str, pieces: Iterable[Piece], shift: int) -> int:
    """Count how many pieces, from the first on, a page has `shift` characters further on."""
    equal = takewhile(
        lambda piece: piece.admits(page[piece.start + shift : piece.end + shift]), pieces
    )
    return sum(1 for _ in equal)


def _place(pieces_before: Sequence[Piece]) -> str:
    """Return a description of a place by the words before it."""
    words = [piece.text for piece in pieces_before[-60:] if piece.is_word]
    text = printable("".join(words[-6:]).strip())[:120]
    if text:
        return f"after “{text}”"
    for piece in reversed(pieces_before):
        if piece.text.startswith("<"):
            return f"behind the tag {printable(piece.text)[:120]}"
    return "at the very beginning"


def _versus(page_text: str, our_text: str) -> str:
    """Describe how two texts differ, from shortly before the first difference on."""
    pairs = zip(page_text, our_text, strict=False)
    equal_at_start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    start = max(0, equal_at_start - 20)
    return f"{_excerpt(page_text, start)} in the page, {_excerpt(our_text, start)} here"


def _excerpt(text: str, start: int) -> str:
    excerpt = printable(text[start : start + 120].strip())[:120]
    if not excerpt:
        return "nothing"
    if start:
        excerpt = f"…{excerpt}"
    if len(text) - start > 120:
        excerpt = f"{excerpt}…"
    return excerpt


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
