"""Two pages → where they differ, in anything that can be seen, heard, followed or run.

The texts of the two files are compared as they are, piece by piece, so that no reading of HTML
stands between: everything has to be the same, but for numbers. In texts, descriptions and downloads
these count as equal at 4 decimals; in a drawing, at a ten-thousandth of its width.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from ..request.values import printable

DECIMALS = 5e-5  # numbers that agree at 4 decimals
SHARE = 1e-4  # of a drawing's width
LISTED = 10  # differences that are listed one by one
# A number starts where no digit stands before it, or a long run of digits takes quadratic time.
NUMBER = re.compile(r"(?<!\d)-?\d+\.\d+(?:e[+-]?\d+)?")
LENGTH = re.compile(r"(?<![\d.])-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
PIECE = re.compile(r"<[^<>]*>?\s*|[^<\s]+\s*|\s+")
ACTS = re.compile(r"<(?:script|style)\b")  # what stands inside has to be the same
LEADS = re.compile(r"<(?:a|area|base|form|iframe|img|image|link|meta|use)\b")  # its address, too
VIEW_BOX = re.compile(r'viewBox="[-\d.e]+[ ,]+[-\d.e]+[ ,]+(\d+(?:\.\d+)?)')


class _Piece(NamedTuple):
    """A tag or a word, with the numbers in it that need not be the same to the last digit."""

    text: str
    number: re.Pattern[str] | None
    tolerance: float

    def equals(self, other: str) -> bool:
        """Compare with a piece of a page that nobody vouches for: the tolerance is this one's."""
        if self.text == other:
            return True
        if self.number is None or self.number.sub("#", self.text) != self.number.sub("#", other):
            return False
        pairs = zip(self.number.findall(self.text), self.number.findall(other), strict=True)
        return all(
            math.isclose(float(a), float(b), rel_tol=0, abs_tol=self.tolerance) for a, b in pairs
        )


def compare(page: str, here: str) -> list[str]:
    """Say where a page differs from what this checkout makes, in lines that can be printed."""
    old, new = PIECE.findall(page), list(_pieces(here))
    if len(old) == len(new):
        pairs = enumerate(zip(new, old, strict=True))
        different = [i for i, (here_, there) in pairs if not here_.equals(there)]
        found = [_difference(old, i, old[i], new[i].text) for i in different[:LISTED]]
        more = len(different) - LISTED
        return found + ([f"and in {more:,} more places"] if more > 0 else [])
    start = _equal_run(zip(new, old, strict=False))
    end = _equal_run(zip(reversed(new[start:]), reversed(old[start:]), strict=False))
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    return [_difference(old, start, "".join(was), "".join(piece.text for piece in now))]


def compare_claims(page: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Say which claims of a page's record are not what this checkout finds."""
    found = []
    for name in dict.fromkeys([*page, *here]):
        was, now = page.get(name), here.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += [f"{printable(name)}, {each}" for each in compare_claims(was, now)]
        else:
            found.append(f"{printable(name)}: {_versus(str(was), str(now))}")
    return found


def _pieces(html: str) -> Iterator[_Piece]:
    widths: list[float] = []
    acts = False
    for text in PIECE.findall(html):
        if text.startswith("<svg"):
            found = VIEW_BOX.search(text)
            widths.append(float(found[1]) if found else 0.0)
        if widths and text.startswith("<"):
            yield _Piece(text, LENGTH, widths[-1] * SHARE)
        elif acts or (LEADS.match(text) and 'href="data:text/csv' not in text):
            yield _Piece(text, None, 0.0)
        else:
            yield _Piece(text, NUMBER, DECIMALS)
        if text.startswith("</"):
            acts = False
            if text.startswith("</svg"):
                widths.pop()
        acts |= bool(ACTS.match(text))


def _equal_run(pairs: Iterable[tuple[_Piece, str]]) -> int:
    """Count how many pieces from the start are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0].equals(pair[1]), pairs))


def _difference(old: Sequence[str], index: int, was: str, now: str) -> str:
    before = [piece for piece in old[max(0, index - 60) : index] if not piece.startswith("<")]
    return f"after “{printable(''.join(before[-6:]).strip())[:120]}”: {_versus(was, now)}"


def _versus(was: str, now: str) -> str:
    """Show two texts from where they part."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, now, strict=False)))
    start = max(0, shared - 20)
    return f"{_brief(was, start)} in the page, {_brief(now, start)} here"


def _brief(text: str, start: int) -> str:
    shown = printable(text[start : start + 121].strip())
    full = f"{'…' * bool(start)}{shown[:120]}{'…' * (len(text) - start > 120)}"
    return full if shown else "nothing"
