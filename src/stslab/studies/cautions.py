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
from .languages import WORD, is_short, other_language_together, why_not_english
from .quantities import number_difference

EXAMPLES = 3  # shown for each caution
SHOWN = 120  # characters of an example
BLOCK = 1000  # texts whose tokens are held at a time

TWO = re.compile(r"[^\W_].*?[^\W_]", re.DOTALL)
NEGATIONS = re.compile(  # "no-frills" and "do-not-call" deny nothing
    r"(?<!-)\b(?:not?(?!-\w)|no-one|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|cant|"
    r"\w+n['’]t|(?:do|does|did|is|are|was|were|wo|would|could|should|has|have|had)nt)\b",
    re.IGNORECASE,
)
# Words that may say the same as a negation: "failed to attend", "has yet to attend".
DENIALS = re.compile(
    r"\b(?:fail|refus|den(?=y|ie)|declin|reject|lack|unable|avoid|prohibit|forbid|forbad|oppose[ds]?\b|"
    r"rather than|instead of|other than|yet to|far from|hardly|barely|rarely|seldom)",
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
    notes: tuple[str, ...] = ()  # sentences to follow: what was not checked, and why

    def describe(self) -> str:
        """Say what was checked, how often each caution was found, and what was not checked."""
        one, more = self.verbs
        found = self.counts.items()
        parts = [f"{n:,} {one if n == 1 else more} {caution}" for caution, n in found if n]
        none = [caution for caution, n in found if not n]
        if none and not self.checked.startswith("0 "):
            parts.append(f"none {one} {' or '.join(none)}{self.limits}")
        return " ".join([f"{self.checked}{': ' * bool(parts)}{'; '.join(parts)}.", *self.notes])


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
        What cannot be known of it is not checked, and `describe` says so: its maximum length
        needs a SentenceTransformer, its language a model card (`load_model` keeps it) that names
        English alone.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, example, detail``: for each caution at
        most three texts, shortened, with how many texts it concerns.

    Notes
    -----
    A text is *cut* where it has more tokens than the model reads (prompts not counted);
    *near-empty* with fewer than two letters or digits; *likely not in English* where most of its
    letters are not Latin, or py3langid finds another language at least 150 times likelier, 100,000
    times in a text of one or two words. Where it finds none, such a text is *too short to tell*:
    `describe` counts these, and says if they are likely not in English when read as one text.

    Examples
    --------
    >>> found = text_cautions(["A dog barks.", "?!", "So be it."], model=Letters())
    >>> found.table[["caution", "count", "example", "detail"]].to_numpy().tolist()
    [['near-empty', 1, '?!', 'fewer than two letters or digits']]
    >>> found.describe()
    '3 texts checked: 1 is near-empty. Not checked: the length (the model does not say how \
much it reads), the language (the model has no card).'
    """
    texts = check_texts(texts, "texts")
    unique = list(dict.fromkeys(texts))
    details: dict[str, dict[str, str]] = {}  # caution → text → detail
    unchecked: list[str] = []
    notes: list[str] = []
    limit = _max_length(model)
    if isinstance(limit, str):
        unchecked.append(f"the length ({limit})")
    elif limit:
        counts = zip(_token_counts(unique, model), unique, strict=True)
        details[f"cut at {limit} tokens"] = {
            text: f"the last {count - limit:,} of {count:,} tokens are not read"
            for count, text in sorted(counts, key=lambda pair: -pair[0])
            if count > limit
        }
    empty = {text: "fewer than two letters or digits" for text in unique if not TWO.search(text)}
    details["near-empty"] = empty
    repeats = Counter(texts)
    if why := _why_any_language(model):
        unchecked.append(f"the language ({why})")
    else:
        foreign = {text: why for text in unique if (why := why_not_english(text))}
        short = [t for t in unique if t not in foreign and t not in empty and is_short(t)]
        together = other_language_together(short) if len(short) > 1 else None
        if foreign or not (together or len(short) + len(empty) == len(unique)):
            details["likely not in English"] = foreign
        notes += _too_short(sum(repeats[text] for text in short), together)
    hits = {
        caution: [
            (_shortened(text), why) for text, why in found.items() for _ in range(repeats[text])
        ]
        for caution, found in details.items()
    }
    checked = f"{counted(len(texts), 'text')} checked"
    notes += [f"Not checked: {', '.join(unchecked)}."] if unchecked else []
    return _tabulate(hits, ["example", "detail"], len(texts), checked, ("is", "are"), notes=notes)


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
    sentence with one that the other lacks; exactly the same words in another order; words of a
    small list of opposites, one in each sentence. Whether the meaning differs is for the reader
    to say. Notebook 12 says how often each is right.

    Examples
    --------
    >>> pairs = [("A man bites a dog", "A dog bites a man", 0.97), ("Pay 5", "Pay 7", 0.9)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> found = pair_cautions(scored)
    >>> found.table[["caution", "count", "detail"]].to_numpy().tolist()
    [['numbers that differ', 1, '5 / 7'], ['exactly the same words in another order', 1, '5 words']]
    >>> found.describe().split(": ")[0]
    '2 of 2 pairs score at least 0.7'
    """
    pairs = check_pairs(scored)
    pairs = pairs[pairs["score"] >= threshold].sort_values("score", ascending=False, kind="stable")
    hits: dict[str, list[tuple[Any, ...]]] = {caution: [] for caution in OVERLOOKED}
    for score, a, b in zip(pairs["score"], pairs["sentence_a"], pairs["sentence_b"], strict=True):
        for caution, detail in cautions_of(a, b).items():
            hits[caution].append((score, _shortened(a), _shortened(b), detail))
    verb = "scores" if len(pairs) == 1 or len(scored) == 1 else "score"
    checked = f"{len(pairs):,} of {counted(len(scored), 'pair')} {verb} at least {threshold:g}"
    columns = ["score", "sentence_a", "sentence_b", "detail"]
    limits = ", as far as short lists of English words tell"
    return _tabulate(hits, columns, len(pairs), checked, ("has", "have"), limits)


def cautions_of(sentence_a: str, sentence_b: str) -> dict[str, str]:
    """Find what may set the meanings of two sentences apart: `pair_cautions` for one pair.

    Parameters
    ----------
    sentence_a, sentence_b : str

    Returns
    -------
    dict of str to str
        Each caution that the pair raises → its detail, as in the table of `pair_cautions`.

    Examples
    --------
    >>> cautions_of("It costs $1.5k.", "It costs 1,500 dollars."), cautions_of("Pay 5", "Pay 7")
    ({}, {'numbers that differ': '5 / 7'})
    """
    a, b = sentence_a, sentence_b
    found = ((caution, difference(a, b)) for caution, difference in OVERLOOKED.items())
    return {caution: detail for caution, detail in found if detail is not None}


def caution_rates() -> pd.DataFrame:
    """Read how often cautions were raised where they should be, and where they should not.

    Returns
    -------
    pandas.DataFrame
        Columns ``caution, measured_on, should_raise, checked, raised``, from a shipped table that
        ``benchmarks/measure_cautions.py`` makes. ``should_raise`` is whether the caution is
        right there: where it is, ``raised`` counts hits, elsewhere false alarms.

    Notes
    -----
    Near-empty texts and texts that are cut are counted, not guessed, and so have no such rates.
    The words that excuse a negation were chosen after reading the benchmark's false alarms; on
    other texts there may be more.

    Examples
    --------
    >>> rates = caution_rates()
    >>> rates.loc[rates["caution"] == "numbers that differ", "should_raise"].tolist()
    [False, False, True]
    """
    file = resources.files(__package__) / "data" / "caution-rates.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#", true_values=["yes"], false_values=["no"])


def _tabulate(
    hits: dict[str, list[tuple[Any, ...]]],
    columns: list[str],
    total: int,
    checked: str,
    verbs: tuple[str, str],
    limits: str = "",
    notes: Iterable[str] = (),
) -> Cautions:
    rows = [
        (caution, len(found), len(found) / total, *hit)
        for caution, found in hits.items()
        for hit in list(dict.fromkeys(found))[:EXAMPLES]
    ]
    frame = pd.DataFrame(rows, columns=["caution", "count", "share", *columns])
    counts = {caution: len(found) for caution, found in hits.items()}
    return Cautions(frame, checked, counts, verbs, limits, tuple(notes))


def _too_short(count: int, together: str | None) -> Iterator[str]:
    """Say how many texts are too short to tell their language, and what they are as one."""
    if count:
        are = "is" if count == 1 else "are"
        yield f"{counted(count, 'text')} of one or two words {are} too short to tell the language."
    if together:
        yield (f"Read as one text, they are likely not in English (nearest language: {together}).")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _max_length(model: Any) -> int | str | None:
    """Find how many tokens a model reads, or say why that is not known; None: no limit."""
    limit = getattr(model, "max_seq_length", None)
    if not limit:
        return "the model does not say how much it reads"
    if limit >= 1e9:
        return None
    if not hasattr(model.tokenizer, "backend_tokenizer"):
        return "the model's tokenizer does not count"
    return int(limit)


def _token_counts(texts: list[str], model: Any) -> Iterator[int]:
    """Count the tokens of each text, those beyond the model's maximum length included."""
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        counted = model.tokenizer(
            block, truncation=False, return_attention_mask=False, verbose=False
        )
        yield from map(len, counted["input_ids"])


def _why_any_language(model: Any) -> str | None:
    """Say why a text in another language raises no caution: what the model's card names."""
    source = getattr(model, "found", None)
    if source is None or not (source.folder / "README.md").is_file():
        return "the model has no card"
    from huggingface_hub import ModelCard

    card = ModelCard.load(source.folder / "README.md", ignore_metadata_errors=True)
    named = card.data.language
    named = [] if named is None else named if isinstance(named, list) else [named]
    named = ["no" if each is False else str(each) for each in named]  # Norwegian, in YAML
    if named == ["en"]:
        return None
    if not named:
        return "the model's card names none"
    listed = ", ".join(named) if len(named) <= 5 else counted(len(named), "language")
    return f"the model's card names {listed}"


@functools.lru_cache(16)  # a pair's texts are read twice
def words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text.lower().replace("’", "'")))


def _negation(a: str, b: str) -> str | None:
    first, second = NEGATIONS.findall(a), NEGATIONS.findall(b)
    if bool(first) == bool(second):
        return None
    denies, other = (a, b) if first else (b, a)
    denied_otherwise = _denials(other) - _denials(denies)
    return None if denied_otherwise else " ".join(first + second)


def _denials(text: str) -> set[str]:
    return {found.lower() for found in DENIALS.findall(text)}


def _other_order(a: str, b: str) -> str | None:
    first, second = words(a), words(b)
    if len(first) != len(second) or first == second or sorted(first) != sorted(second):
        return None
    return f"{len(first)} words"


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
    only = sorted(first - second)
    against = {word: opposites for word in only if (opposites := _opposites_of(word))}
    if not against:
        return None
    there = {base: word for word in sorted(second - first) for base in _bases(word)}
    found = [
        f"{word} / {there[opposite]}"
        for word, opposites in against.items()
        for opposite in opposites
        if opposite in there
    ]
    return ", ".join(dict.fromkeys(found)) or None


@functools.lru_cache(10_000)
def _opposites_of(word: str) -> tuple[str, ...]:
    return tuple(
        opposite for base in _bases(word) for opposite in sorted(_opposites().get(base, set()))
    )


def _bases(word: str) -> list[str]:
    """Take regular endings off: "approved" may be a form of "approve" or of "approv"."""
    endings = (("", ""), ("s", ""), ("es", ""), ("d", ""), ("ed", ""), ("ing", ""), ("ing", "e"))
    return [word.removesuffix(cut) + add for cut, add in endings if word.endswith(cut)]


OVERLOOKED: dict[str, Callable[[str, str], str | None]] = {
    "a negation in one sentence only": _negation,
    "numbers that differ": number_difference,
    "exactly the same words in another order": _other_order,
    "opposite words": _opposite_words,
}
