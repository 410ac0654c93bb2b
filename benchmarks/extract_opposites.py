"""Write the opposites that stslab ships, from the files of WordNet's database.

    apt-get download wordnet-base && dpkg -x wordnet-base_*.deb wordnet
    .venv/bin/python benchmarks/extract_opposites.py wordnet/usr/share/wordnet

Taken are the direct antonyms of all parts of speech where both are single words, with the
irregular forms of these words. Antonyms by way of similar words were tried and left out: of the
pairs of STS Benchmark's train split with such words, one in seven was rated 4 or more, "national"
and "worldwide" among them; with direct antonyms, one in 216.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from stslab.studies.opposites import regular_bases

FILE = Path(__file__).resolve().parents[1] / "src/stslab/studies/data/opposites-en.txt"
SINGLE = re.compile("[a-z]{2,}")  # as cautions find them: without hyphens
PARTS = ("adj", "adv", "noun", "verb")
# What WordNet does not call antonyms, and surveys and tickets are full of.
BY_HAND = """
    accept decline · activate deactivate · add remove · after before · allow forbid ·
    allow prohibit · allowed banned · always never · approve deny · approve reject · arrive depart ·
    awful excellent · awful good · awful great · awful lovely · awful wonderful · bad excellent ·
    bad great · bad lovely · bad wonderful · blunt sharp · boring interesting · break fix ·
    calm nervous · cancel renew · clean messy · cold warm · confirm deny · correct wrong ·
    create delete · create destroy · cut increase · cut raise · delicious disgusting ·
    delete restore · dissatisfied satisfied · enter leave · end start · excellent poor ·
    excellent terrible · fail work · fake real · friendly rude · gain lose · good horrible ·
    good poor · good terrible · grant revoke · great horrible · great poor · great terrible ·
    happy sad · healthy sick · helpful useless · horrible lovely · install uninstall ·
    login logout · loss profit · lovely terrible · need remove · oppose support ·
    optional required · over under · polite rude · quick slow · quiet loud · receive send ·
    safe unsafe · stop resume · subscribe unsubscribe · terrible wonderful
"""
# Words that only look like a form of another, as WordNet's own lists of exceptions have them.
NO_FORMS = "easter forest offer"


def antonyms(folder: Path) -> Iterator[tuple[str, str]]:
    """Read the direct antonyms, in lower case, each pair in the order of the alphabet."""
    words: dict[tuple[str, str], list[str]] = {}
    found: list[tuple[tuple[str, str], int, tuple[str, str], int]] = []
    for part in PARTS:
        for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
            if line.startswith(" "):
                continue  # the licence
            offset, _, kind, count, *rest = line.split(" | ")[0].split()
            here, many = ("a" if kind == "s" else kind, offset), int(count, 16)
            words[here] = [word.split("(")[0].lower() for word in rest[: 2 * many : 2]]
            pointers = rest[2 * many + 1 :]
            for symbol, there, kind_there, which in zip(*[iter(pointers)] * 4, strict=False):
                if symbol == "!":
                    target = ("a" if kind_there == "s" else kind_there, there)
                    found.append((here, int(which[:2], 16), target, int(which[2:], 16)))
    for here, one, there, other in found:
        first, second = sorted((words[here][one - 1], words[there][other - 1]))
        if first != second:  # one sense of "kern" is the opposite of another
            yield first, second


def irregular_forms(folder: Path, lexicon: set[str]) -> Iterator[tuple[str, str]]:
    """Read the forms of these words, or of none, that endings alone would not tell."""
    for part in PARTS:
        for line in (folder / f"{part}.exc").read_text("utf-8").splitlines():
            form, *bases = line.split()
            regular = lexicon.intersection(regular_bases(form)) - {form}
            for base in bases:
                if SINGLE.fullmatch(form) and (
                    (base == form and regular) or (base in lexicon and base not in regular)
                ):
                    yield form, base
    yield from ((word, word) for word in NO_FORMS.split())


def main(folder: Path) -> None:
    pairs = {pair for pair in antonyms(folder) if all(map(SINGLE.fullmatch, pair))}
    first, *rest = (pair.split() for pair in BY_HAND.split("·"))
    by_hand = {(min(pair), max(pair)) for pair in [first, *rest]}
    if known := by_hand & pairs:
        raise SystemExit(f"by hand, but in WordNet: {sorted(known)}")
    lexicon = {word for pair in pairs | by_hand for word in pair}
    forms = {(a, b) for a, b in irregular_forms(folder, lexicon) if a != b or a not in lexicon}
    with (folder / "data.adj").open(encoding="utf-8") as stream:
        licence = [re.sub(r"^ +\d+ ", "", line).rstrip() for line in stream if line[0] == " "]
    notes = [
        "English words with opposite meanings, a pair a line: the direct antonyms of WordNet 3.0",
        "(Debian's wordnet-base), extracted by benchmarks/extract_opposites.py. WordNet's notice:",
        "",
        *licence,
    ]
    lines = [f"# {note}".rstrip() for note in notes]
    lines += [" ".join(pair) for pair in sorted(pairs)]
    lines += ["# Not in WordNet; added by hand:", *(" ".join(pair) for pair in sorted(by_hand))]
    lines += ["# Irregular forms, and words that only look like forms:"]
    lines += [" = ".join(form) for form in sorted(forms)]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
