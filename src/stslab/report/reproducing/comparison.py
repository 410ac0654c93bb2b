"""Find where a page differs from the one that this checkout makes.

Our own page is the reference, and only its text is read as HTML. The other page may have been
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

from ..page.assets import name_set
from ..request.values import printable

DECIMALS = 5e-5  # numbers that agree at 4 decimals
SHARE_OF_WIDTH = 1e-4  # of a drawing
LISTED = 10  # differences that are listed one by one

DIGIT = re.compile("[0-9]")
# Fewer decimals would have to be equal anyway. An exponent has to be the same, so numbers with one
# are no such numbers.
TEXT_NUMBER = re.compile(r"(?<![0-9A-Za-z.])-?[0-9]+\.[0-9]{5,}(?![0-9A-Za-z])(?!\.[0-9])")
# Not the angle of a rotation: a small change of it moves far what is far from the center.
COORDINATE = re.compile(r"(?<![0-9.])(?<!rotate\()(?<!rotate\(-)-?[0-9]+\.[0-9]+(?![0-9.])")
COORDINATES = name_set("cx cy d height points r rx ry width x x1 x2 y y1 y2")
# Elements whose coordinates count in units of the drawing. Others, such as gradients and markers,
# have units of their own, and so has what stands inside them.
IN_DRAWING_UNITS = name_set(
    "circle clipPath defs ellipse g image line path polygon polyline rect text tspan use"
)
MOVES = re.compile(r"(?:(?:translate|rotate)\([-0-9., ]*\)\s*)+")  # no scale, no exponent
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
        """Where it ends in our page."""
        return self.start + len(self.text)

    def admits(self, other: str) -> bool:
        """Tell whether the same place of another page may hold `other`."""
        if other == self.text:
            return True
        if len(other) != len(self.text):
            return False
        position = 0
        for start, end in self.numbers:
            if other[position:start] != self.text[position:start]:
                return False
            if not _close(other[start:end], self.text[start:end], self.tolerance):
                return False
            position = end
        return other[position:] == self.text[position:]


def compare(page: str, here: str) -> list[str]:
    """Find where a page differs from ours.

    Parameters
    ----------
    page : str
        The text of a page that anybody may have written.
    here : str
        The page that this checkout makes; what may differ is read from this one alone.

    Returns
    -------
    list of str
        A printable line for each difference, the first ten one by one; empty if there is none. If
        the two are not equally long, one line: what stands between their equal beginnings and
        their equal ends.
    """
    if page.replace("\r\n", "\n") == here != page:
        return ["its lines end as on Windows (CR LF), perhaps by mail; all else is the same"]
    pieces = list(split_into_pieces(here))
    if len(page) == len(here):
        return _differences(page, pieces)
    return [_different_middle(page, here, pieces)]


def compare_claims(page: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """List the claims of a page's record that are not what this checkout finds."""
    differences = []
    for name in dict.fromkeys([*page, *here]):
        claimed, actual = page.get(name), here.get(name)
        # As JSON, because to Python 1, 1.0 and True are equal.
        if _as_json(claimed) == _as_json(actual) and (name in page) == (name in here):
            continue
        if isinstance(claimed, Mapping) and isinstance(actual, Mapping):
            nested = compare_claims(claimed, actual)
            differences += [f"{printable(name)}, {line}" for line in nested]
        else:
            differences.append(f"{printable(name)}: {_versus(str(claimed), str(actual))}")
    return differences


def split_into_pieces(html: str) -> Iterator[Piece]:
    """Split our page into pieces, which together are the whole of it."""
    drawing = _Drawing()
    position = 0
    while position < len(html):
        token = TOKEN.match(html, position)
        assert token  # the last two alternatives match whatever the others do not
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
    """Follow the elements of a drawing, to know in which units its coordinates count."""

    def __init__(self) -> None:
        self.width = 0.0
        # For each open element of the drawing: its name, and whether its units are the drawing's.
        self.open: list[tuple[str, bool]] = []

    def read_tag(self, tag: str) -> tuple[tuple[tuple[int, int], ...], float]:
        """Return where a tag holds coordinates that may differ, and by how much."""
        matched_name = TAG_NAME.match(tag)
        name = matched_name[1] if matched_name else ""
        if tag.startswith("</"):
            if self.open and self.open[-1][0] == name:
                self.open.pop()
            return (), 0.0
        if not self.open and name != "svg":
            return (), 0.0
        matches = ATTRIBUTE.finditer(tag)
        attributes = {match[1]: match for match in matches if match[2] is not None}
        moves = "transform" not in attributes or MOVES.fullmatch(attributes["transform"][2])
        if not self.open:
            box = VIEW_BOX.fullmatch(attributes["viewBox"][2]) if "viewBox" in attributes else None
            self.width = float(box[1]) if box else 0.0
            in_drawing_units = bool(moves) and "preserveAspectRatio" not in attributes
        else:
            parent_in_drawing_units = self.open[-1][1]
            in_drawing_units = (
                parent_in_drawing_units
                and bool(moves)
                and name in IN_DRAWING_UNITS
                and "clipPathUnits" not in attributes
            )
        if not tag.endswith("/>"):
            self.open.append((name, in_drawing_units))
        if not in_drawing_units:
            return (), 0.0
        return tuple(_coordinates(attributes)), self.width * SHARE_OF_WIDTH


def _coordinates(attributes: Mapping[str, re.Match[str]]) -> Iterator[tuple[int, int]]:
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
    matched_name = TAG_NAME.match(tag)
    if not matched_name or tag.startswith("</") or matched_name[1] not in NO_TEXT:
        return ""
    return html[start : html.find(f"</{matched_name[1]}", start)]


def _close(number: str, ours: str, tolerance: float) -> bool:
    """Tell whether a number has the form of ours and is not further from it than allowed."""
    if DIGIT.sub("0", number) != DIGIT.sub("0", ours):
        return False
    return abs(float(number) - float(ours)) <= tolerance


def _differences(page: str, pieces: Sequence[Piece]) -> list[str]:
    """Compare pages of one length piece by piece."""
    different = [
        index
        for index, piece in enumerate(pieces)
        if not piece.admits(page[piece.start : piece.end])
    ]
    lines = []
    for index in different[:LISTED]:
        piece = pieces[index]
        there = page[piece.start : piece.end]
        lines.append(f"{_place(pieces[:index])}: {_versus(there, piece.text)}")
    if len(different) > LISTED:
        lines.append(f"and in {len(different) - LISTED:,} more places")
    return lines


def _different_middle(page: str, here: str, pieces: Sequence[Piece]) -> str:
    """Say what stands between the equal beginnings and the equal ends of two pages."""
    count = _count_equal(page, pieces, shift=0)
    start = pieces[count].start if count < len(pieces) else len(here)
    # The ends may not reach into the equal beginnings, so both are cut off first.
    shift = len(page) - len(here)
    later = [piece for piece in pieces[count:] if piece.start + shift >= start]
    later.reverse()
    equal_at_end = _count_equal(page, later, shift=shift)
    end = later[equal_at_end - 1].start if equal_at_end else len(here)
    return f"{_place(pieces[:count])}: {_versus(page[start : end + shift], here[start:end])}"


def _count_equal(page: str, pieces: Iterable[Piece], shift: int) -> int:
    """Count how many pieces, from the first on, a page has `shift` characters further on."""
    equal = takewhile(
        lambda piece: piece.admits(page[piece.start + shift : piece.end + shift]), pieces
    )
    return sum(1 for _ in equal)


def _place(before: Sequence[Piece]) -> str:
    """Name a place of a page by the words before it."""
    words = [piece.text for piece in before[-60:] if piece.is_word]
    text = printable("".join(words[-6:]).strip())[:120]
    if text:
        return f"after “{text}”"
    for piece in reversed(before):
        if piece.text.startswith("<"):
            return f"behind the tag {printable(piece.text)[:120]}"
    return "at the very beginning"


def _versus(there: str, here: str) -> str:
    """Show two texts from where they part."""
    pairs = zip(there, here, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    start = max(0, shared - 20)
    return f"{_excerpt(there, start)} in the page, {_excerpt(here, start)} here"


def _excerpt(text: str, start: int) -> str:
    shown = printable(text[start : start + 121].strip())[:120]
    if not shown:
        return "nothing"
    before = "…" if start else ""
    after = "…" if len(text) - start > 120 else ""
    return f"{before}{shown}{after}"


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
