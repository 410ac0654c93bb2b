"""What to know before trusting a score: texts a model reads badly, pairs it cannot tell apart.

Each caution is computed from the texts, says how often it happens and shows examples. The checks
of pairs read English: a pair without a caution may still differ in meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from ..figures.show import show_table, show_text
from ..inputs.checks import check_pairs, check_texts
from ..models.encoding import Encoder
from ..wording import counted, listed, quoted
from .content import has_content
from .differences import OVERLOOKED, cautions_of
from .languages import is_short, other_language_together, why_not_english
from .opposites import count_opposites

EXAMPLES = 3  # shown for each caution
SHOWN = 120  # characters of an example
BLOCK = 1000  # texts whose tokens are held at a time
EMPTY, FOREIGN = "without content", "likely not in English"
MANY = 0.1  # share of texts in other languages above which another model is named
ADVICE = "Try MODEL=paraphrase-multilingual-MiniLM-L12-v2, which needs a download."
LIMITS = "These checks read English; other differences, such as names, are not looked for."


@dataclass(frozen=True)
class Cautions:
    """What was checked and what was found."""

    table: pd.DataFrame  # caution, count, share, then at most three examples of each
    counts: Mapping[str, int]  # each caution that was looked for → how often it was found
    sentences: tuple[str, ...]  # what was checked, found and not found, and what was not checked
    bearing: tuple[str, ...]  # what was found, in sentences that stand alone
    name: str  # of the table, where it is shown
    caption: str

    def describe(self) -> str:
        """Say what was checked, how often each caution was found, and what was not checked."""
        return " ".join(self.sentences)

    def headlines(self) -> list[str]:
        """Say what was found, in short sentences to stand beside a finding; none if nothing was."""
        return list(self.bearing)

    def show(self) -> None:
        """Show what `describe` says, and the table where there is anything."""
        show_text(self.describe())
        if len(self.table):
            show_table(self.table, self.name, caption=self.caption)


def show_text_cautions(texts: Iterable[str], *, model: Encoder) -> None:
    """Show what `text_cautions` finds: a sentence, and a table where there is anything."""
    text_cautions(texts, model=model).show()


def show_pair_cautions(scored: pd.DataFrame, *, threshold: float = 0.7) -> None:
    """Show what `pair_cautions` finds: a sentence, and a table where there is anything.

    Parameters
    ----------
    scored, threshold
        As for `pair_cautions`.
    """
    pair_cautions(scored, threshold=threshold).show()


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
    A text is *cut* where it has more tokens than the model reads (prompts not counted); *without
    content* where `has_content` says so; *likely not in English* where most of its letters are
    not Latin, or py3langid finds another language at least 150 times likelier, 100,000 times in a
    text of one or two words. Where it finds none, such a text is *too short to tell*: `describe`
    counts these, and says if they are likely not in English when read as one text. A
    multilingual model is named where they are, or where more than a tenth of all texts is.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = text_cautions(["A dog barks.", "?!", "So be it."], model=Letters())
    >>> found.table[["caution", "count", "example", "detail"]].to_numpy().tolist()
    [['without content', 1, '?!', 'says nothing that a model could read']]
    >>> found.describe()
    '3 texts checked. 1 is without content. Not checked: the length (the model does not say how \
much it reads), the language (the model has no card).'
    >>> found.headlines()
    ['1 of 3 texts has no content: “?!”.']
    """
    texts = check_texts(texts, "texts")
    repeats = Counter(texts)
    details: dict[str, dict[str, str]] = {}  # caution → text → detail
    unchecked: list[str] = []
    notes: list[str] = []
    as_one: list[str] = []
    advised = False
    limit = _max_length(model)
    if isinstance(limit, str):
        unchecked.append(f"the length ({limit})")
    elif limit:
        details[f"cut at {limit} tokens"] = _cut(list(repeats), model, limit)
    empty = [text for text in repeats if not has_content(text)]
    details[EMPTY] = dict.fromkeys(empty, "says nothing that a model could read")
    if why := _why_any_language(model):
        unchecked.append(f"the language ({why})")
    else:
        telling = [text for text in repeats if text not in details[EMPTY]]
        foreign = {text: why for text in telling if (why := why_not_english(text))}
        short = [text for text in telling if text not in foreign and is_short(text)]
        together = other_language_together(short) if len(short) > 1 else None
        if foreign or not (together or len(short) == len(telling)):
            details[FOREIGN] = foreign
        if count := sum(repeats[text] for text in short):
            some = f"{counted(count, 'text')} of one or two words"
            notes.append(f"{some} {_is(count)} too short to tell the language.")
        if together:
            one = f"Read as one text, those of one or two words are {FOREIGN} (nearest language: "
            as_one.append(f"{one}{together}).")
        advised = bool(together) or sum(repeats[text] for text in foreign) > MANY * len(texts)
    hits = {
        caution: [
            (_shortened(text), why) for text, why in found.items() for _ in range(repeats[text])
        ]
        for caution, found in details.items()
    }
    table, counts = _tabulate(hits, ["example", "detail"], len(texts))
    sentences = [f"{counted(len(texts), 'text')} checked.", *_found(counts, len(texts))]
    notes += [*as_one, *[ADVICE] * advised]
    notes += [f"Not checked: {', '.join(unchecked)}."] * bool(unchecked)
    bearing = [*_bearing_on_texts(counts, len(texts), empty), *as_one]
    if advised:  # the last is about the language
        bearing[-1] += f" {ADVICE}"
    named = ("text-cautions", "Texts to read with caution")
    return Cautions(table, counts, (*sentences, *notes), tuple(bearing), *named)


def _found(counts: Mapping[str, int], total: int) -> Iterator[str]:
    """Say how many texts raise each caution, and which cautions none raises."""
    raised = [caution for caution, count in counts.items() if count]
    none = [caution for caution in counts if caution not in raised]
    if raised and total == 1:
        yield f"It is {listed(raised)}."
    elif raised:
        parts = (f"{counts[caution]:,} {_is(counts[caution])} {caution}" for caution in raised)
        yield f"{', '.join(parts)}."
    if none:
        found = "It was not found" if total == 1 else "None was found"
        yield f"{found} to be {listed(none, 'or')}."


def _bearing_on_texts(counts: Mapping[str, int], total: int, empty: Sequence[str]) -> Iterator[str]:
    for caution, count in counts.items():
        some = _of(count, total, "text")
        if not count:
            continue
        if caution == EMPTY:
            examples = [*(quoted(text, 20) for text in empty[:EXAMPLES]), "…"]
            has = "has" if count == 1 else "have"
            yield f"{some} {has} no content: {', '.join(examples[: len(empty)])}."
        elif caution == FOREIGN:
            yield f"{some} {_is(count)} {caution}, the language that the model was made for."
        else:
            yield f"{some} {_is(count)} {caution}: the model does not read the rest."


def pair_cautions(
    scored: pd.DataFrame, *, threshold: float = 0.7, total: int | None = None
) -> Cautions:
    """Find high-scoring pairs with a difference that embedding models are known to overlook.

    Parameters
    ----------
    scored : DataFrame with ``sentence_a, sentence_b, score``, as from `score_pairs`
    threshold : float, default 0.7
        Pairs that score less are not checked; all others are. There may be none.
    total : int or None, default None
        How many pairs reach the threshold, where `scored` holds only these or the closest of them.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, score, sentence_a, sentence_b, detail``:
        for each caution at most three pairs, highest scores first, and how many it concerns.

    Notes
    -----
    Looked for, in English: a negation in one sentence only; numbers, in digits or words, each
    sentence with one that the other lacks; opposites, one in each sentence, of those that
    `count_opposites` counts; exactly the same words in another order. Whether the meaning differs
    is for the reader to say. Notebook 12 says how often each is right.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = [("A man bites a dog", "A dog bites a man", 0.97), ("Pay 5", "Pay 7", 0.9)]
    >>> scored = pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])
    >>> found = pair_cautions(scored)
    >>> found.table[["caution", "count", "detail"]].to_numpy().tolist()
    [['numbers', 1, '5 / 7'], ['the order of words', 1, 'the same 5 words']]
    >>> found.headlines()
    ['Both pairs at 0.7 or more may differ in meaning: 1 in numbers, 1 in the order of words.']
    """
    pairs = check_pairs(scored) if len(scored) else scored
    pairs = pairs[pairs["score"] >= threshold].sort_values("score", ascending=False, kind="stable")
    hits: dict[str, list[tuple[Any, ...]]] = {caution: [] for caution in OVERLOOKED}
    differing = 0
    for score, a, b in zip(pairs["score"], pairs["sentence_a"], pairs["sentence_b"], strict=True):
        differences = cautions_of(a, b)
        differing += bool(differences)
        for caution, detail in differences.items():
            hits[caution].append((score, _shortened(a), _shortened(b), detail))
    columns = ["score", "sentence_a", "sentence_b", "detail"]
    table, counts = _tabulate(hits, columns, len(pairs))
    part = total is not None and total > len(pairs)
    sentences = [_reach(len(pairs), len(scored), threshold)]
    if total:  # said so that it stays true without the table, which holds no other pairs
        reach = (
            f"{counted(total, 'pair')} {'scores' if total == 1 else 'score'} {threshold:g} or more"
        )
        sentences = [f"{reach}; checked: the closest of them." if part else f"{reach}."]
    bearing = []
    if differing:
        kinds = [caution for caution, count in counts.items() if count]
        each = ", ".join(f"{counts[caution]:,} in {caution}" for caution in kinds)
        each = f"it differs in {listed(kinds)}" if differing == 1 else each
        some = _of(differing, len(pairs), "pair")
        some = f"{differing:,} of the closest {len(pairs):,} pairs" if part else some
        bearing = [f"{some} at {threshold:g} or more may differ in meaning: {each}."]
        subject = "It" if len(pairs) == 1 else f"{differing:,} of them"
        sentences.append(f"{subject} may differ in meaning: {each}.")
    known = {"opposites": f"one of the {count_opposites():,} opposites known here"}
    none = [known.get(caution, caution) for caution, count in counts.items() if not count]
    if len(pairs):
        subject = "It was not found" if len(pairs) == 1 else "None was found"
        sentences += [*[f"{subject} to differ in {listed(none, 'or')}."] * bool(none), LIMITS]
    named = ("pair-cautions", "Close pairs that may differ in meaning")
    return Cautions(table, counts, tuple(sentences), tuple(bearing), *named)


def _reach(count: int, total: int, threshold: float) -> str:
    """Say how many pairs score that much."""
    if not total:
        return "There are no pairs to check."
    if not count and total == 1:
        return f"The pair scores less than {threshold:g}."
    none = "Neither pair" if total == 2 else f"None of the {total:,} pairs"
    some = _of(count, total, "pair") if count else none
    return f"{some} {'scores' if min(count, total) <= 1 else 'score'} {threshold:g} or more."


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
    Texts that are cut or without content are counted, not guessed, and so have no such rates.
    The words that excuse a negation were chosen after reading the benchmark's false alarms; on
    other texts there may be more.

    Examples
    --------
    >>> rates = caution_rates()
    >>> rates.loc[rates["caution"] == "numbers", "should_raise"].tolist()
    [False, False, False, True]
    """
    file = resources.files(__package__) / "data" / "caution-rates.csv"
    with file.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#", true_values=["yes"], false_values=["no"])


def _tabulate(
    hits: dict[str, list[tuple[Any, ...]]], columns: list[str], total: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give at most three examples of each caution, and count all."""
    rows = [
        (caution, len(found), len(found) / total, *hit)
        for caution, found in hits.items()
        for hit in list(dict.fromkeys(found))[:EXAMPLES]
    ]
    frame = pd.DataFrame(rows, columns=["caution", "count", "share", *columns])
    return frame, {caution: len(found) for caution, found in hits.items()}


def _of(count: int, total: int, noun: str) -> str:
    """Say how many of how many: "The text", "Both texts", "All 3 texts", "1 of 3 texts"."""
    if total == 1:
        return f"The {noun}"
    if count == total == 2:
        return f"Both {noun}s"
    return f"{f'All {total:,}' if count == total else f'{count:,} of {total:,}'} {noun}s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


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


def _cut(texts: list[str], model: Any, limit: int) -> dict[str, str]:
    """Find the texts that have more tokens than are read, the longest first."""
    counts = zip(_token_counts(texts, model), texts, strict=True)
    return {
        text: f"the last {count - limit:,} of {count:,} tokens are not read"
        for count, text in sorted(counts, key=lambda pair: -pair[0])
        if count > limit
    }


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
