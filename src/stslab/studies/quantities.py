"""Numbers as English texts write them: "$1.5k" and "1,500 dollars" are the same.

What is ambiguous is read the English way: "1.500" is one and a half, "1,500" a thousand times
that. Fractions, sums and Roman numerals are not read.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import NamedTuple

ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FIRSTS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
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


def _either(words: list[str]) -> str:
    """Return a regular expression that matches any of some words."""
    return f"(?:{'|'.join(words)})"


_month = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_hundredth = f"(?:{_either(TENS)}(?:[ -]{_either(ONES)})?|{_either(['zero', *TEENS, *ONES])})"
_hundreds = f"(?:(?:a|{_hundredth})[ -]hundred(?:(?: and |[ -]){_hundredth})?|{_hundredth})"
_scales = "(?:[ -](?:dozen|thousand|million|billion|trillion))"
_words = f"(?:a|{_hundreds}){_scales}+(?:(?: and)? {_hundreds}{_scales}*)*|{_hundreds}"
_ordinals = f"(?:{_either(TENS)}-)?{_either(FIRSTS)}|{_either([*TENTHS, *TWENTIETHS])}"
NUMBER = re.compile(
    r"(?=[\d.])(?:(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?!\d)"
    r"|(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))? ?(?P<half>[ap])\.?m\b"
    r"|(?P<hour24>\d{1,2})(?::(?P<minute24>[0-5]\d)(?![\d:]|\.\d)| ?o['’]clock)"
    r"|(?P<digits>(?<!\w)[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?!\d|[.,:]\d)"
    r"|\d+(?:[.,:]\d+)*|(?<![\w.])\.\d+))"
    rf"|(?<![\w-])(?=[aefnostz])(?:(?P<ordinal>{_ordinals})|(?P<words>{_words}))(?!\w)",
    re.IGNORECASE,
)
# The sign, currency or month in front of a number. A dash after a digit makes a range, not a sign.
PREFIX = re.compile(
    rf"(?:\b(?P<month>{_month})\.?\s(?:the\s)?)?"
    r"(?P<minus>(?<![\w).%])(?<!\d\s)[-−]|\bminus\s)?(?P<half>\bhalf\s)?"
    r"(?P<currency>(?:\b(?:us|nz|[ac]))?\$\s?|[€£¥₹]\s?|\b(?:usd|eur|gbp|jpy|inr|cny)\s?)?$",
    re.IGNORECASE,
)


class Quantity(NamedTuple):
    """A number in a text; one without a unit may be of any."""

    value: float | str
    unit: str
    kind: str  # of the unit, such as length; two numbers of one kind can be compared
    size: float | str  # the value in the kind's first unit
    number: str  # as written, without its unit
    full_text: str  # as written, with its currency, unit or month

    def is_near(self, quantity: Quantity) -> bool:
        """Check whether two numbers of one kind but different units measure about the same."""
        if self.kind != quantity.kind or self.unit == quantity.unit:
            return False
        if isinstance(self.size, str) or isinstance(quantity.size, str):
            return False
        return math.isclose(self.size, quantity.size, rel_tol=NEAR)


def number_difference(a: str, b: str) -> str | None:
    """Return the numbers that only one of two texts has, if each has any: "3 / 5"."""
    quantities_a = quantities(a)
    if not quantities_a:
        return None
    quantities_b = quantities(b)
    if not quantities_b:
        return None
    only_a, only_b = _unmatched(quantities_a, quantities_b), _unmatched(quantities_b, quantities_a)
    if not (only_a and only_b):
        return None
    numbers_a = _joined(quantity.number for quantity in only_a)
    numbers_b = _joined(quantity.number for quantity in only_b)
    if numbers_a == numbers_b:  # the units differ
        numbers_a = _joined(quantity.full_text for quantity in only_a)
        numbers_b = _joined(quantity.full_text for quantity in only_b)
    return f"{numbers_a} / {numbers_b}"


def _joined(numbers: Iterable[str]) -> str:
    """Join the different numbers, in their order."""
    return ", ".join(dict.fromkeys(numbers))


def _unmatched(candidates: Sequence[Quantity], references: Sequence[Quantity]) -> list[Quantity]:
    """Return the candidates that stand for none of the references.

    A number without a unit may be of any unit, so it is matched by its value alone.
    """
    values = {reference.value for reference in references}
    values_without_unit = {reference.value for reference in references if not reference.unit}
    sizes = {(reference.kind, reference.size) for reference in references}
    unmatched = []
    for candidate in candidates:
        if candidate.unit:
            is_matched = (
                candidate.value in values_without_unit
                or (candidate.kind, candidate.size) in sizes
                or any(map(candidate.is_near, references))
            )
        else:
            is_matched = candidate.value in values
        if not is_matched:
            unmatched.append(candidate)
    return unmatched


@functools.lru_cache(1000)  # one text is in many pairs
def quantities(text: str) -> tuple[Quantity, ...]:
    """Find the numbers in a text."""
    # Most texts have no number, and this check is quick.
    if not DIGIT.search(text) and NAMES.isdisjoint(LETTERS.findall(text.lower())):
        return ()
    return tuple(_find_quantities(text))


def _find_quantities(text: str) -> Iterator[Quantity]:
    position = 0
    while match := NUMBER.search(text, position):
        if match["year"]:
            yield from _date(match)
            position = match.end()
        elif match["hour"] or match["hour24"]:
            yield _time(match)
            position = match.end()
        else:
            start = max(position, match.start() - WIDTH)
            quantity, position = _with_its_unit(text, start, match)
            yield quantity


def _date(match: re.Match[str]) -> Iterator[Quantity]:
    """Read a date such as 2026-11-24: its year, and its day as a number of that month."""
    full_text = match[0].lower()
    yield Quantity(float(match["year"]), "", "", 0.0, match["year"], full_text)
    month, day = MONTHS[int(match["month"]) - 1], float(match["day"])
    yield Quantity(day, month, month, day, full_text, full_text)


def _time(match: re.Match[str]) -> Quantity:
    """Read a time of day such as 6:30, 6 pm or 6 o'clock; its size is in minutes."""
    full_text = match[0].lower()
    hour = match["hour"] or match["hour24"]
    hours = int(hour)
    half_of_day = (match["half"] or "").lower()
    if half_of_day:
        hours %= 12
    if half_of_day == "p":
        hours += 12
    minutes = int(match["minute"] or match["minute24"] or 0)
    value: float | str = float(hour)  # "at 6" may be any 6, "6:30" is nothing but a time
    if minutes:
        value = full_text
    return Quantity(value, "clock", "clock", 60.0 * hours + minutes, full_text, full_text)


def _with_its_unit(text: str, start: int, match: re.Match[str]) -> tuple[Quantity, int]:
    """Read a number with its sign, scale and unit; return it and the position after it.

    What stands before the number is looked for from `start` on.
    """
    prefix = PREFIX.search(text, start, match.start())
    suffix = after_number().match(text, match.end())
    assert prefix is not None  # both may be empty
    assert suffix is not None
    currency, scale, spelled_unit = prefix["currency"], suffix["scale"], suffix["unit"]
    end = suffix.end("scale")
    # "5m" is five meters unless a currency or a unit says millions; "5b" may be a door.
    if scale in ("m", "-m", "b") and not (currency or spelled_unit):
        scale, spelled_unit, end = "", scale.removeprefix("-"), match.end()
    value = _scaled_value(match, prefix, suffix, scale)
    unit, kind, factor = _unit(currency, spelled_unit)
    month = (suffix["month"] or prefix["month"] or "")[:3].lower()
    if month and isinstance(value, float) and (1 <= value <= 31 or 1000 <= value < 3000):
        unit, kind, factor = month, month, 1.0
    elif match["ordinal"] or suffix["ordinal"]:
        unit, kind, factor = "rank", "rank", 1.0
    size = value
    if isinstance(value, float):
        size = value * factor
    # Where a group of the prefix did not match, its start is -1.
    starts = [prefix.start("minus"), prefix.start("half"), match.start()]
    number = text[min(start for start in starts if start >= 0) : end].lower()
    full_text = text[prefix.start() : suffix.end()].lower()
    return Quantity(value, unit, kind, size, number, full_text), suffix.end()


def _scaled_value(
    match: re.Match[str], prefix: re.Match[str], suffix: re.Match[str], scale: str
) -> float | str:
    """Return a number's value with its sign, its half and its scale, such as "million"."""
    value = _value(match)
    if isinstance(value, str):
        return value + scale
    if suffix["half"]:  # "two and a half"
        value += 0.5
    if prefix["half"]:  # "half a million"
        value *= 0.5
    if prefix["minus"]:
        value *= -1.0
    for name in LETTERS.findall(scale.lower()):
        value *= SCALES.get(name.removesuffix("s"), 1.0)
    return value


def _value(match: re.Match[str]) -> float | str:
    """Read a number's own digits or words; a version such as 1.2.3 stays as it is written."""
    if digits := match["digits"]:
        # A comma before three digits separates thousands; one before one or two is decimal.
        plain = re.sub(r"\s|,(?=\d{3}(?!\d))", "", digits)
        plain = re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", plain)
        try:
            return float(plain)
        except ValueError:
            return plain
    # "two hundred" multiplies what came before; "thousand" also closes a block of three digits.
    total = current = 0.0
    for word in LETTERS.findall(match[0].lower()):
        if word in SCALES:
            current = max(current, 1.0) * SCALES[word]
            if SCALES[word] >= 1e3:
                total, current = total + current, 0.0
        else:
            current += VALUES.get(word, 0)  # 0 for "a" and "and"
    return total + current


def _unit(currency: str | None, spelled_unit: str | None) -> tuple[str, str, float]:
    """Return a unit's name, its kind, and its size in the first unit of that kind."""
    spelling = spelled_unit or ""
    if currency:
        spelling = currency.strip().lower()
    if currency and "$" in currency:  # "US$", "NZ$": which dollars is not compared
        spelling = "$"
    return known_units().get(_unit_key(spelling), ("", "", 1.0))


def _unit_key(spelling: str) -> str:
    """Return a unit's spelling in lowercase, but for one letter: "M" is not "m"."""
    if len(spelling) == 1:
        return spelling
    return spelling.lower()


@functools.cache
def known_units() -> dict[str, tuple[str, str, float]]:
    """Return each unit's name, kind and size by its spellings, as `_unit_key` makes them."""
    table = {}
    lines = (resources.files(__package__) / "data" / "units-en.txt").read_text("utf-8")
    for line in lines.splitlines():
        if not line.startswith("#"):
            kind, size, spellings = line.split("; ")
            names = spellings.split(" | ")
            for name in names:
                table[_unit_key(name)] = (names[0], kind, float(size))
    return table


@functools.cache
def after_number() -> re.Pattern[str]:
    """Return the pattern of the ordinal ending, scale, unit or month behind a number."""
    units = "|".join(map(re.escape, sorted(known_units(), key=len, reverse=True)))
    return re.compile(
        r"(?:(?P<ordinal>st|nd|rd|th)\b)?(?P<half> and a half)?"
        r"(?P<scale>(?:(?:-?[kmb]|[ -]?(?:[mb]n|(?:dozen|hundred|thousand|(?:m|b|tr)illion)s?))"
        r"(?![^\W_]))*)"
        rf"(?:[ \u00a0-]?(?P<unit>{units})(?!\w))?(?:\s(?:of\s)?(?P<month>{_month})\b)?",
        re.IGNORECASE,
    )
