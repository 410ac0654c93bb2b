"""Numbers as English texts write them: "$1.5k" and "1,500 dollars" are one and the same.

What is ambiguous is read the English way: "1.500" is one and a half, "1,500" a thousand times
that. Fractions, sums and Roman numerals are not read.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

ONES, TEENS, TENS, FIRSTS, MONTHS = map(
    str.split,
    (
        "one two three four five six seven eight nine",
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "first second third fourth fifth sixth seventh eighth ninth",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    ),
)
TENTHS = ["tenth", "eleventh", "twelfth", *(f"{word}th" for word in TEENS[3:])]
TWENTIETHS = [f"{word[:-1]}ieth" for word in TENS]
VALUES = {word: value for value, word in enumerate(["zero", *ONES, *TEENS])}
VALUES |= {word: value for value, word in enumerate([*FIRSTS, *TENTHS], 1)}
VALUES |= {word: 10 * value for words in (TENS, TWENTIETHS) for value, word in enumerate(words, 2)}
SCALES = {"dozen": 12, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
SCALES |= {"trillion": 1e12, "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
NAMES = {*VALUES, *SCALES}
DIGIT, LETTERS = re.compile(r"\d"), re.compile("[a-z]+")
NEAR = 0.01  # 30 miles are 48 km: what is converted is rounded, too
WIDTH = 24  # characters before a number that are looked at


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(words)})"


_month = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_hundredth = f"(?:{_any(TENS)}(?:[ -]{_any(ONES)})?|{_any(['zero', *TEENS, *ONES])})"
_hundreds = f"(?:(?:a|{_hundredth})[ -]hundred(?:(?: and |[ -]){_hundredth})?|{_hundredth})"
_scales = "(?:[ -](?:dozen|thousand|million|billion|trillion))"
_words = f"(?:a|{_hundreds}){_scales}+(?:(?: and)? {_hundreds}{_scales}*)*|{_hundreds}"
_ordinals = f"(?:{_any(TENS)}-)?{_any(FIRSTS)}|{_any([*TENTHS, *TWENTIETHS])}"
NUMBER = re.compile(
    r"(?=[\d.])(?:(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?!\d)"
    r"|(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))? ?(?P<half>[ap])\.?m\b"
    r"|(?P<hour24>\d{1,2})(?::(?P<minute24>[0-5]\d)(?![\d:]|\.\d)| ?o['’]clock)"
    r"|(?P<digits>(?<!\w)[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?!\d|[.,:]\d)"
    r"|\d+(?:[.,:]\d+)*|(?<![\w.])\.\d+))"
    rf"|(?<![\w-])(?=[aefnostz])(?:(?P<ordinal>{_ordinals})|(?P<words>{_words}))(?!\w)",
    re.IGNORECASE,
)
# What belongs to a number and stands before it. A dash after a digit makes a range, not a sign.
BEFORE = re.compile(
    rf"(?:\b(?P<month>{_month})\.?\s(?:the\s)?)?"
    r"(?P<minus>(?<![\w).%])(?<!\d\s)[-−]|\bminus\s)?(?P<half>\bhalf\s)?"
    r"(?P<currency>(?:\b(?:us|nz|[ac]))?\$\s?|[€£¥₹]\s?|\b(?:usd|eur|gbp|jpy|inr|cny)\s?)?$",
    re.IGNORECASE,
)


class Quantity(NamedTuple):
    """A number in a text; one without a unit may be of any."""

    value: float | str
    unit: str
    kind: str  # of unit
    size: float | str  # the value in the kind's first unit
    number: str  # as written
    whole: str  # as written, with what belongs to it

    def is_near(self, other: Quantity) -> bool:
        """Whether two numbers of one kind but different units measure about the same."""
        if self.kind != other.kind or self.unit == other.unit:
            return False
        if isinstance(self.size, str) or isinstance(other.size, str):
            return False
        return math.isclose(self.size, other.size, rel_tol=NEAR)


def number_difference(a: str, b: str) -> str | None:
    """Name the numbers that only one of two texts has, if each has any: "3 / 5"."""
    if not (first := quantities(a)) or not (second := quantities(b)):
        return None
    one, other = _only(first, second), _only(second, first)
    if not (one and other):
        return None
    numbers = [", ".join(dict.fromkeys(each.number for each in side)) for side in (one, other)]
    if numbers[0] == numbers[1]:  # their units differ
        numbers = [", ".join(dict.fromkeys(each.whole for each in side)) for side in (one, other)]
    return " / ".join(numbers)


def _only(here: Sequence[Quantity], there: Sequence[Quantity]) -> list[Quantity]:
    """Find the numbers that stand for none of those there. One without a unit may be of any."""
    values = {each.value for each in there}
    plain = {each.value for each in there if not each.unit}
    sizes = {(each.kind, each.size) for each in there}
    return [
        each
        for each in here
        if (each.value not in plain if each.unit else each.value not in values)
        and not (each.unit and (each.kind, each.size) in sizes)
        and not (each.unit and any(map(each.is_near, there)))
    ]


@functools.lru_cache(1000)  # one text is in many pairs
def quantities(text: str) -> tuple[Quantity, ...]:
    """Find the numbers in a text."""
    if not DIGIT.search(text) and NAMES.isdisjoint(LETTERS.findall(text.lower())):
        return ()  # most texts; and this is quick
    return tuple(_quantities(text))


def _quantities(text: str) -> Iterator[Quantity]:
    at = 0
    while match := NUMBER.search(text, at):
        start, at, found, whole = at, match.end(), match.groupdict(), match[0].lower()
        if found["year"]:
            month, day = MONTHS[int(found["month"]) - 1], float(found["day"])
            yield Quantity(float(found["year"]), "", "", 0.0, found["year"], whole)
            yield Quantity(day, month, month, day, whole, whole)
        elif hour := found["hour"] or found["hour24"]:
            minute = int(found["minute"] or found["minute24"] or 0)
            half = (found["half"] or "").lower()
            hours = int(hour) % 12 + 12 * (half == "p") if half else int(hour)
            value = whole if minute else float(hour)
            yield Quantity(value, "clock", "clock", 60.0 * hours + minute, whole, whole)
        else:
            quantity, at = _with_its_unit(text, max(start, match.start() - WIDTH), match)
            yield quantity


def _with_its_unit(text: str, start: int, match: re.Match[str]) -> tuple[Quantity, int]:
    """Read a number with what belongs to it, from start on, and say where that ends."""
    before = BEFORE.search(text, start, match.start())
    after = after_number().match(text, match.end())
    assert before is not None  # both may be empty
    assert after is not None
    money, scale, unit = before["currency"], after["scale"], after["unit"]
    end = after.end("scale")
    if scale in ("m", "-m", "b") and not (money or unit):  # "5m" are meters, "5b" may be a door
        scale, unit, end = "", scale.removeprefix("-"), match.end()
    value = _value(match)
    if isinstance(value, float):
        value += 0.5 if after["half"] else 0.0
        value *= (0.5 if before["half"] else 1.0) * (-1.0 if before["minus"] else 1.0)
        for name in LETTERS.findall(scale.lower()):
            value *= SCALES.get(name.removesuffix("s"), 1.0)
    elif scale:
        value += scale
    unit, kind, factor = _unit(money, unit)
    month = (after["month"] or before["month"] or "")[:3].lower()
    if month and isinstance(value, float) and (1 <= value <= 31 or 1000 <= value < 3000):
        unit, kind, factor = month, month, 1.0
    elif match["ordinal"] or after["ordinal"]:
        unit, kind, factor = "rank", "rank", 1.0
    size = value * factor if isinstance(value, float) else value
    start = min(s for s in (before.start("minus"), before.start("half"), match.start()) if s >= 0)
    number, whole = text[start:end].lower(), text[before.start() : after.end()].lower()
    return Quantity(value, unit, kind, size, number, whole), after.end()


def _value(match: re.Match[str]) -> float | str:
    """Read a number's own digits or words; what is a version or the like stays as it is."""
    if digits := match["digits"]:
        plain = re.sub(r"\s|,(?=\d{3}(?!\d))", "", digits)
        plain = re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", plain)
        try:
            return float(plain)
        except ValueError:
            return plain
    total = current = 0.0
    for word in LETTERS.findall(match[0].lower()):
        if word in SCALES:
            current = max(current, 1.0) * SCALES[word]
            if SCALES[word] >= 1e3:
                total, current = total + current, 0.0
        else:
            current += VALUES.get(word, 0)  # "a", "and"
    return total + current


def _unit(money: str | None, spelled: str | None) -> tuple[str, str, float]:
    """Find a unit's name, its kind, and its size in units of that kind."""
    if money:
        spelled = "$" if "$" in money else money.strip().lower()
    spelled = spelled or ""
    return known_units().get(spelled if len(spelled) == 1 else spelled.lower(), ("", "", 1.0))


@functools.cache
def known_units() -> dict[str, tuple[str, str, float]]:
    """Spelling → unit, kind, size. One letter is as it is given, a word in lowercase."""
    table = {}
    lines = (resources.files(__package__) / "data" / "units-en.txt").read_text("utf-8")
    for line in lines.splitlines():
        if not line.startswith("#"):
            kind, size, spellings = line.split("; ")
            names = spellings.split(" | ")
            for name in names:
                key = name if len(name) == 1 else name.lower()
                table[key] = (names[0], kind, float(size))
    return table


@functools.cache
def after_number() -> re.Pattern[str]:
    """Match what belongs to a number and stands after it."""
    units = "|".join(map(re.escape, sorted(known_units(), key=len, reverse=True)))
    return re.compile(
        r"(?:(?P<ordinal>st|nd|rd|th)\b)?(?P<half> and a half)?"
        r"(?P<scale>(?:(?:-?[kmb]|[ -]?(?:[mb]n|(?:dozen|hundred|thousand|(?:m|b|tr)illion)s?))"
        r"(?![^\W_]))*)"
        rf"(?:[ \u00a0-]?(?P<unit>{units})(?!\w))?(?:\s(?:of\s)?(?P<month>{_month})\b)?",
        re.IGNORECASE,
    )
