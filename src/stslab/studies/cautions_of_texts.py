"""Texts that a model reads badly: cut, without content, or likely not in English."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..inputs.checks import check_texts
from ..models.encoding import Encoder
from ..models.tokens import count_tokens
from ..wording import counted, listed, plural
from .cautions import Cautions, count_of_total, example, tabulate
from .content import has_content
from .languages import is_short, other_language_together, why_not_english

BLOCK = 1000  # texts whose tokens are in memory at a time
EMPTY, FOREIGN = "without content", "likely not in English"
MANY_FOREIGN = 0.1  # with a larger share of texts in other languages, another model is named
ADVICE = "Try MODEL=paraphrase-multilingual-MiniLM-L12-v2, which needs a download."
MOST_LANGUAGES = 5  # of a model's card, that are named


@dataclass(frozen=True)
class _Languages:
    """The languages of some texts, as far as they can be determined."""

    foreign: Mapping[str, str] = field(default_factory=dict)  # text → why it is likely not English
    is_conclusive: bool = False  # whether it can be said that some texts are foreign, or none
    short_count: int = 0  # texts that are too short to be judged alone
    nearest_together: str | None = None  # the language of the short ones, if not English

    def notes(self) -> list[str]:
        """Return notes on the texts that could not be judged alone."""
        if not self.short_count:
            return []
        texts = f"{counted(self.short_count, 'text')} of one or two words"
        return [f"{texts} {plural(self.short_count, 'is', 'are')} too short to tell the language."]

    def findings(self) -> list[str]:
        """Return what short texts are when they are read as one."""
        if not self.nearest_together:
            return []
        return [
            f"Read as one text, those of one or two words are {FOREIGN} (nearest language: "
            f"{self.nearest_together})."
        ]


def show_text_cautions(texts: Iterable[str], *, model: Encoder) -> None:
    """Show the result of `text_cautions`: a sentence, and a table if anything was found."""
    text_cautions(texts, model=model).show()


def text_cautions(texts: Iterable[str], *, model: Encoder) -> Cautions:
    """Find texts that the model does not read as they are meant.

    Parameters
    ----------
    texts : iterable of str
    model : Encoder
        The length of texts is checked only for a SentenceTransformer, their language only for a
        model whose card names English alone (`load_model` finds the card). `describe` tells what
        was not checked.

    Returns
    -------
    Cautions
        Its table has the columns ``caution, count, share, example, detail``: for each caution at
        most three texts, shortened, with how many texts it concerns.

    Notes
    -----
    A text is *cut* if it has more tokens than the model reads (prompts not counted); *without
    content* if `has_content` is false; *likely not in English* if most of its letters are not
    Latin, or if py3langid finds another language at least 150 times likelier, 100,000 times for a
    text of one or two words. Any other text of one or two words is *too short to tell*:
    `describe` counts these, and tells if they are likely not in English when read as one text. A
    multilingual model is named if they are, or if more than a tenth of all texts is.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = text_cautions(["A dog barks.", "?!", "So be it."], model=Letters())
    >>> found.table[["caution", "count", "example", "detail"]].to_numpy().tolist()
    [['without content', 1, '?!', 'says nothing that a model could read']]
    >>> found.describe()
    '3 texts checked. 1 is without content. Not checked: the length (the model does not say how \
much it reads), the language (the model has no card).'
    """
    texts = check_texts(texts, "texts")
    repeats = Counter(texts)  # each distinct text → how often it occurs
    details: dict[str, Mapping[str, str]] = {}  # caution → text → detail
    unchecked: list[str] = []

    limit = _max_length(model)
    if isinstance(limit, str):
        unchecked.append(f"the length ({limit})")
    elif limit:
        details[f"cut at {limit} tokens"] = _find_cut_texts(list(repeats), model, limit)

    empty = [text for text in repeats if not has_content(text)]
    details[EMPTY] = dict.fromkeys(empty, "says nothing that a model could read")

    languages = _Languages()
    why_any_language = _why_any_language(model)
    if why_any_language:
        unchecked.append(f"the language ({why_any_language})")
    else:
        languages = _check_languages(repeats, details[EMPTY])
    if languages.is_conclusive:
        details[FOREIGN] = languages.foreign
    foreign_count = sum(repeats[text] for text in languages.foreign)
    needs_other_model = foreign_count > MANY_FOREIGN * len(texts) or languages.nearest_together

    table, counts = tabulate(_hits(details, repeats), ["example", "detail"], len(texts))
    sentences = [f"{counted(len(texts), 'text')} checked.", *_describe_counts(counts, len(texts))]
    sentences += [*languages.notes(), *languages.findings()]
    findings = [*_describe_findings(counts, len(texts)), *languages.findings()]
    if needs_other_model:
        sentences.append(ADVICE)
        findings[-1] += f" {ADVICE}"  # the last one is about the language
    if unchecked:
        sentences.append(f"Not checked: {', '.join(unchecked)}.")
    name, caption = "text-cautions", "Texts to read with caution"
    return Cautions(table, counts, tuple(sentences), tuple(findings), name, caption)


def _hits(
    details: Mapping[str, Mapping[str, str]], repeats: Mapping[str, int]
) -> dict[str, list[tuple[Any, ...]]]:
    """List what the table shows of each text with a caution, as often as the text occurs."""
    hits: dict[str, list[tuple[Any, ...]]] = {}
    for caution, detail_of_text in details.items():
        hits[caution] = []
        for text, detail in detail_of_text.items():
            hits[caution] += [(example(text), detail)] * repeats[text]
    return hits


def _describe_counts(counts: Mapping[str, int], total: int) -> Iterator[str]:
    """Describe how many texts raise each caution, and which cautions none raises."""
    raised = [caution for caution, count in counts.items() if count]
    not_raised = [caution for caution, count in counts.items() if not count]
    if raised and total == 1:
        yield f"It is {listed(raised)}."
    elif raised:
        phrases = [
            f"{counts[caution]:,} {plural(counts[caution], 'is', 'are')} {caution}"
            for caution in raised
        ]
        yield f"{', '.join(phrases)}."
    if not_raised:
        subject = plural(total, "It was not found", "None was found")
        yield f"{subject} to be {listed(not_raised, 'or')}."


def _describe_findings(counts: Mapping[str, int], total: int) -> Iterator[str]:
    """Describe the cautions that were raised, in sentences that stand alone."""
    for caution, count in counts.items():
        if not count:
            continue
        subject = count_of_total(count, total, "text")
        is_or_are = plural(count, "is", "are")
        if caution == EMPTY:
            # A result, and no caution: `describe_data` says it.
            continue
        if caution == FOREIGN:
            yield (
                f"{subject} {is_or_are} {caution}, the language that the model was made for: such "
                f"texts may score as alike for their language alone."
            )
        else:
            yield f"{subject} {is_or_are} {caution}: the model does not read the rest."


def _max_length(model: Any) -> int | str | None:
    """Return how many tokens a model reads, or why that is not known; None for no limit."""
    limit = getattr(model, "max_seq_length", None)
    if not limit:
        return "the model does not say how much it reads"
    if limit >= 1e9:
        return None
    if not hasattr(model.tokenizer, "backend_tokenizer"):
        return "the model's tokenizer does not count"
    return int(limit)


def _find_cut_texts(texts: list[str], model: Any, limit: int) -> dict[str, str]:
    """Find the texts that have more tokens than the model reads, the longest first."""
    lengths: list[tuple[int, str]] = []
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        lengths += zip(count_tokens(block, model, truncated=False), block, strict=True)
    lengths.sort(key=lambda length_and_text: length_and_text[0], reverse=True)
    return {
        text: f"the last {length - limit:,} of {length:,} tokens are not read"
        for length, text in lengths
        if length > limit
    }


def _check_languages(repeats: Mapping[str, int], empty: Mapping[str, str]) -> _Languages:
    """Find the texts with content that are likely not in English."""
    texts = [text for text in repeats if text not in empty]
    foreign = {}
    short = []
    for text in texts:
        reason = why_not_english(text)
        if reason:
            foreign[text] = reason
        elif is_short(text):
            short.append(text)
    nearest_together = None
    if len(short) > 1:
        nearest_together = other_language_together(short)
    # "None was found" would claim too much where all texts are short, or foreign as one.
    is_conclusive = bool(foreign) or (not nearest_together and len(short) < len(texts))
    short_count = sum(repeats[text] for text in short)
    return _Languages(foreign, is_conclusive, short_count, nearest_together)


def _why_any_language(model: Any) -> str | None:
    """Return why a text in another language raises no caution; None if the card names English."""
    source = getattr(model, "source", None)
    if source is None or not (source.folder / "README.md").is_file():
        return "the model has no card"
    from huggingface_hub import ModelCard

    card = ModelCard.load(source.folder / "README.md", ignore_metadata_errors=True)
    languages = card.data.language
    if languages is None:
        return "the model's card names none"
    if not isinstance(languages, list):
        languages = [languages]
    # YAML reads the code of Norwegian, no, as False.
    codes = ["no" if code is False else str(code) for code in languages]
    if codes == ["en"]:
        return None
    if not codes:
        return "the model's card names none"
    names = counted(len(codes), "language")
    if len(codes) <= MOST_LANGUAGES:
        names = ", ".join(codes)
    return f"the model's card names {names}"
