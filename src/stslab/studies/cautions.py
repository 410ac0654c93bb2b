"""What to know before trusting a score: texts a model reads badly, pairs it cannot tell apart.

Each caution is computed from the texts, says how often it happens and shows examples. The word
lists are English and short: a pair without a caution may still differ in meaning.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from ..figures.show import show_table, show_text
from ..inputs.checks import check_pairs, check_texts
from ..models.encoding import Encoder
from ..wording import counted

EXAMPLES = 3  # shown for each caution
SHOWN = 120  # characters of an example
BLOCK = 1000  # texts whose tokens are held at a time

WORD = re.compile(r"\w+(?:['’]\w+)*")
TWO = re.compile(r"[^\W_].*?[^\W_]", re.DOTALL)
# How many times likelier than English another language must be, for texts of three words or more
# and for shorter ones, which py3langid often gets wrong. With these it takes none of the 5,385
# sentences of STS Benchmark dev and test for another language (20 times would do there).
LIKELIER, LIKELIER_SHORT = 150, 1e6
NEGATIONS = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|cant|\w+n['’]t|"
    r"(?:do|does|did|is|are|was|were|wo|would|could|should|has|have|had)nt)\b",
    re.IGNORECASE,
)
UNITS = "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
POWERS = {"": 1, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
NUMBER = re.compile(
    rf"((?:(?<!\w)[-−])?\d+(?:[.,:]\d+)*|(?<![\w-])(?:{UNITS})(?![\w-]))"
    rf"(?:[ -]({'|'.join(filter(None, POWERS))})\b)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Cautions:
    """What was checked and what was found."""

    table: pd.DataFrame  # caution, count, share, then at most three examples of each
    checked: str  # what was checked, in words
    counts: Mapping[str, int]  # each caution that was looked for → how often it was found
    verbs: tuple[str, str]  # what one, and what more of those checked "do": "is" and "are"
    limits: str = ""  # what the check does not cover

    def describe(self) -> str:
        """Say in one sentence what was checked and how often each caution was found."""
        one, more = self.verbs
        found = self.counts.items()
        parts = [f"{n:,} {one if n == 1 else more} {caution}" for caution, n in found if n]
        none = [caution for caution, n in found if not n]
        if none and not self.checked.startswith("0 "):
            parts.append(f"none {one} {' or '.join(none)}{self.limits}")
        return f"{self.checked}{': ' * bool(parts)}{'; '.join(parts)}."


def show_text_cautions(texts: Iterable[str], *, model: Encoder) -> None:
    """Show what `text_cautions` finds: a sentence, and a table where there is anything."""
    _show(text_cautions(texts, model=model), "text-cautions", "Texts to read with caution")


def show_pair_cautions(scored: pd.DataFrame, *, threshold: float = 0.7) -> None:
    """Show what `pair_cautions` finds: a sentence, and a table where there is anything."""
    found = pair_cautions(scored, threshold=threshold)
    _show(found, "pair-cautions", "Close pairs that may differ in meaning")


def _show(found: Cautions, name: str, caption: str) -> None:
    show_text(found.describe())
    if len(found.table):
        show_table(found.table, name, caption=caption)


def text_cautions(texts: Iterable[str], *, model: Encoder) -> Cautions:
    """Find texts that the model does not read as they are meant.

    Parameters
    ----------
    texts : iterable of str
    model : Encoder
        What cannot be known of it is not checked: its maximum length needs a
        SentenceTransformer, its language a model card (`load_model` keeps it) that says English.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, example, detail``: for each caution at
        most three texts, shortened, with how many texts it concerns.

    Notes
    -----
    A text is *cut* where it has more tokens than the model reads (prompts not counted);
    *near-empty* with fewer than two letters or digits; *likely not in English* where py3langid
    finds another language at least 150 times likelier, in a text of three words or more.

    Examples
    --------
    >>> found = text_cautions(["A dog barks.", "?!", "So be it."], model=Letters())
    >>> found.table[["caution", "count", "example", "detail"]].to_numpy().tolist()
    [['near-empty', 1, '?!', 'fewer than two letters or digits']]
    >>> found.describe()
    '3 texts checked: 1 is near-empty.'
    """
    texts = check_texts(texts, "texts")
    unique = list(dict.fromkeys(texts))
    details: dict[str, dict[str, str]] = {}  # caution → text → detail
    if limit := _max_length(model):
        counts = zip(_token_counts(unique, model), unique, strict=True)
        details[f"cut at {limit} tokens"] = {
            text: f"the last {count - limit:,} of {count:,} tokens are not read"
            for count, text in sorted(counts, key=lambda pair: -pair[0])
            if count > limit
        }
    details["near-empty"] = {
        text: "fewer than two letters or digits" for text in unique if not TWO.search(text)
    }
    if _reads_english_only(model):
        details["likely not in English"] = {
            text: f"nearest language: {code}" for text in unique if (code := other_language(text))
        }
    repeats = Counter(texts)
    hits = {
        caution: [
            (_shortened(text), why) for text, why in found.items() for _ in range(repeats[text])
        ]
        for caution, found in details.items()
    }
    checked = f"{counted(len(texts), 'text')} checked"
    return _tabulate(hits, ["example", "detail"], len(texts), checked, ("is", "are"))


def pair_cautions(scored: pd.DataFrame, *, threshold: float = 0.7) -> Cautions:
    """Find high-scoring pairs with a difference that embedding models are known to overlook.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``, as from `score_pairs`
    threshold : float, default 0.7
        Pairs that score less are not checked.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, score, sentence_a, sentence_b, detail``:
        for each caution at most three pairs, highest scores first, and how many it concerns.

    Notes
    -----
    Looked for, in English: a negation in one sentence only; numbers, in digits or words, each
    sentence with one that the other lacks; the same words in another order; words of a small list
    of opposites, one in each sentence. Whether the meaning differs is for the reader to say.

    Examples
    --------
    >>> pairs = [("A man bites a dog", "A dog bites a man", 0.97), ("Pay 5", "Pay 7", 0.9)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> found = pair_cautions(scored)
    >>> found.table[["caution", "count", "detail"]].to_numpy().tolist()
    [['numbers that differ', 1, '5 / 7'], ['the same words in another order', 1, '5 words']]
    >>> found.describe().split(": ")[0]
    '2 of 2 pairs score at least 0.7'
    """
    pairs = check_pairs(scored)
    pairs = pairs[pairs["score"] >= threshold].sort_values("score", ascending=False, kind="stable")
    hits: dict[str, list[tuple[Any, ...]]] = {caution: [] for caution in OVERLOOKED}
    for score, a, b in zip(pairs["score"], pairs["sentence_a"], pairs["sentence_b"], strict=True):
        for caution, difference in OVERLOOKED.items():
            if (detail := difference(a, b)) is not None:
                hits[caution].append((score, _shortened(a), _shortened(b), detail))
    verb = "scores" if len(pairs) == 1 or len(scored) == 1 else "score"
    checked = f"{len(pairs):,} of {counted(len(scored), 'pair')} {verb} at least {threshold:g}"
    columns = ["score", "sentence_a", "sentence_b", "detail"]
    limits = ", as far as English words tell"
    return _tabulate(hits, columns, len(pairs), checked, ("has", "have"), limits)


def _tabulate(
    hits: dict[str, list[tuple[Any, ...]]],
    columns: list[str],
    total: int,
    checked: str,
    verbs: tuple[str, str],
    limits: str = "",
) -> Cautions:
    rows = [
        (caution, len(found), len(found) / total, *hit)
        for caution, found in hits.items()
        for hit in list(dict.fromkeys(found))[:EXAMPLES]
    ]
    frame = pd.DataFrame(rows, columns=["caution", "count", "share", *columns])
    counts = {caution: len(found) for caution, found in hits.items()}
    return Cautions(frame, checked, counts, verbs, limits)


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _max_length(model: Any) -> int | None:
    limit = getattr(model, "max_seq_length", None)
    if not limit or limit >= 1e9 or not hasattr(model.tokenizer, "backend_tokenizer"):
        return None
    return int(limit)


def _token_counts(texts: list[str], model: Any) -> Iterator[int]:
    """Count the tokens of each text, those beyond the model's maximum length included."""
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        counted = model.tokenizer(
            block, truncation=False, return_attention_mask=False, verbose=False
        )
        yield from map(len, counted["input_ids"])


def _reads_english_only(model: Any) -> bool:
    """Whether the card that came with the model's weights names English and nothing else."""
    source = getattr(model, "found", None)
    if source is None or not (source.folder / "README.md").is_file():
        return False
    from huggingface_hub import ModelCard

    card = ModelCard.load(source.folder / "README.md", ignore_metadata_errors=True)
    return card.data.language in ("en", ["en"])


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def other_language(text: str) -> str | None:
    """Name the language (ISO 639 code) a text is in, if that is very likely not English."""
    ranked = _identifier().rank(text[:1000])
    nearest, probability = ranked[0]
    english = dict(ranked)["en"]
    needed = LIKELIER if len(WORD.findall(text[:1000])) >= 3 else LIKELIER_SHORT
    return nearest if probability > needed * english else None


def words(text: str) -> list[str]:
    return WORD.findall(text.lower().replace("’", "'"))


def _negation(a: str, b: str) -> str | None:
    first, second = NEGATIONS.findall(a), NEGATIONS.findall(b)
    return " ".join(first + second) if bool(first) != bool(second) else None


def _different_numbers(a: str, b: str) -> str | None:
    first, second = _numbers(a), _numbers(b)
    one, other = (
        ", ".join(numbers[value] for value in numbers if value not in others)
        for numbers, others in ((first, second), (second, first))
    )
    return f"{one} / {other}" if one and other else None


def _numbers(text: str) -> dict[str, str]:
    """Find the numbers in a text: value → as written. "2,000" is "two thousand"."""
    found = {}
    for match in NUMBER.finditer(text.lower()):
        number, power = match[1].replace("−", "-"), match[2] or ""
        if number.isalpha():
            number = str(UNITS.split("|").index(number))
        number = re.sub(r",(?=\d{3}(?!\d))", "", number)
        try:
            number = str(float(number) * POWERS[power])
        except ValueError:  # a time, a date, a version
            number += power
        found[number] = match[0]
    return found


def _other_order(a: str, b: str) -> str | None:
    first, second = words(a), words(b)
    return f"{len(first)} words" if first != second and sorted(first) == sorted(second) else None


@functools.cache
def _opposites() -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    words = resources.files(__package__) / "data" / "opposites-en.txt"
    for line in words.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            one, other = line.split()
            table.setdefault(one, set()).add(other)
            table.setdefault(other, set()).add(one)
    return table


def _opposite_words(a: str, b: str) -> str | None:
    first, second = set(words(a)), set(words(b))
    there = {base: word for word in sorted(second - first) for base in _bases(word)}
    found = [
        f"{word} / {there[opposite]}"
        for word in sorted(first - second)
        for base in _bases(word)
        for opposite in sorted(_opposites().get(base, set()) & there.keys())
    ]
    return ", ".join(dict.fromkeys(found)) or None


def _bases(word: str) -> list[str]:
    """Take regular endings off: "approved" may be a form of "approve" or of "approv"."""
    endings = (("", ""), ("s", ""), ("es", ""), ("d", ""), ("ed", ""), ("ing", ""), ("ing", "e"))
    return [word.removesuffix(cut) + add for cut, add in endings if word.endswith(cut)]


OVERLOOKED: dict[str, Callable[[str, str], str | None]] = {
    "a negation in one sentence only": _negation,
    "numbers that differ": _different_numbers,
    "the same words in another order": _other_order,
    "opposite words": _opposite_words,
}
