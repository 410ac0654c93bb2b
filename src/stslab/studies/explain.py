"""Why two texts score what they score: a sum over their words, and the words taken out.

With mean pooling the cosine of two texts is exactly a sum over pairs of tokens:
cos = Σᵢⱼ tᵢ·uⱼ / (n·m·|t̄|·|ū|), for n tokens t of one text and m tokens u of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import check_texts
from ..models.encoding import Encoder, encode
from ..scores.cosine import clip, unit_rows
from ..scores.words import WORD
from ..wording import LABEL, listed, quoted

Span = tuple[int, int]
ORDINAL = {"a": "first", "b": "second"}
READ = 8192  # of a model without a limit, the most tokens that `encode` cuts a text for
CELLS = 4_000_000  # of the largest table: 2,000 words against 2,000
MISREAD = "The score is not split over words: the tokenizer's tokens are not those the model reads."
TOO_MANY = "The score is not split over words: the two sentences have too many of them."


@dataclass(frozen=True)
class Explanation:
    """What `explain_score` returns."""

    sentence_a: str
    sentence_b: str
    score: float
    # What each word of a and each word of b add to the score together; None where it is no sum
    table: pd.DataFrame | None
    words: pd.DataFrame
    spans: tuple[list[Span], list[Span]]  # where the words begin and end in the two sentences
    special: tuple[str, str] = ("", "")  # the special tokens of the two, "" where there are none
    why_no_table: str = ""
    cut: tuple[bool, bool] = (False, False)  # whether words come after the last one that is read

    def describe(self) -> str:
        """Say what adds up, which words add most, and where the two views disagree most.

        Returns
        -------
        str
            A contribution is a share of a sum and no cause: in a transformer the embedding of a
            token also holds what its neighbors say.
        """
        said = [self.headline(), self._describe_special(), self._describe_change()]
        if self.table is not None:
            said.insert(0, "The contributions of all pairs add up to the score.")
        said += [
            f"Of the {which} sentence the model reads only the beginning, up to its maximum length."
            for which, is_cut in zip(ORDINAL.values(), self.cut, strict=True)
            if is_cut
        ]
        return " ".join(filter(None, said))

    def headline(self) -> str:
        """Say which two words add most, or why that is not known.

        Returns
        -------
        str
            Empty if the model reads no word of one of the sentences.
        """
        if self.table is None:
            return self.why_no_table
        between = self._between(self.table)
        if not between.size:
            return ""
        i, j = map(int, np.unravel_index(between.argmax(), between.shape))
        a, b = quoted(self.table.index[i], LABEL), quoted(self.table.columns[j], LABEL)
        most = f"{a} with {b} contributes most, {between[i, j]:.4f} to a score of {self.score:.4f}"
        return f"Of all pairs of words, {most}."

    def _between(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        n, m = map(len, self.spans)
        return np.asarray(table.to_numpy()[:n, :m])

    def _describe_special(self) -> str:
        names = listed([*dict.fromkeys(filter(None, self.special))])
        if self.table is None or not names:
            return ""
        rest = self.table.to_numpy().sum() - self._between(self.table).sum()
        return f"The special tokens ({names}) are in pairs that add {rest:.4f}."

    def _describe_change(self) -> str:
        words = self.words.dropna(subset="change")
        if words.empty:
            return ""
        apart = words["change"] - words["contribution"].fillna(0)
        word = words.iloc[int(apart.abs().argmax())]
        without = f"without it the model gives {word['score_without']:.4f} ({-word['change']:+.4f})"
        which = f"{quoted(word['word'], LABEL)} in the {ORDINAL[word['sentence']]} sentence"
        if self.table is None:
            return f"The score changes most with {which}: {without}."
        own = f"it contributes {word['contribution']:.4f}, but {without}"
        return f"The two views differ most on {which}: {own}."


def explain_score(
    sentence_a: str, sentence_b: str, *, model: Encoder, leave_out: bool = True
) -> Explanation:
    """Split the score of two sentences into what their words contribute, and take each word out.

    Parameters
    ----------
    sentence_a, sentence_b : str
    model : Encoder
        The sum needs a SentenceTransformer that pools by the mean; the words are then those of its
        tokenizer, pieces joined. Others get the second view alone.
    leave_out : bool, default True
        Whether to score the sentences without each word, too, which takes most of the time.

    Returns
    -------
    Explanation
        ``score`` is that of `score_pairs`. ``table`` has a row for each word of `sentence_a` that
        the model reads, in reading order, and a column for each of `sentence_b`; the last row and
        column are the special tokens, with a prompt's, where the model has any. It adds up to the
        score within 1e-6. None where the score is no such sum, the tokenizer does not tell the
        words apart, or there are over 4,000,000 pairs of words; ``why_no_table`` says why.

        ``words`` has the columns ``sentence`` ("a" or "b"), ``word``, ``contribution`` (the sum of
        its row or column; NaN without a table), ``score_without`` (the model's score when the word
        is taken out of its sentence; NaN where no text is left or not `leave_out`) and
        ``change`` (score less ``score_without``).

    Raises
    ------
    ValueError
        If a sentence is blank or not a string.

    Notes
    -----
    Every word taken out is another text to encode: two sentences of ten words make twenty.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = explain_score("a b", "a", model=Letters())
    >>> found.words[["word", "score_without", "change"]].round(2).dropna().to_numpy().tolist()
    [['a', 0.0, 0.71], ['b', 1.0, -0.29]]
    """
    texts = check_texts([sentence_a, sentence_b], "sentences")
    read = [_read(text, model) for text in texts]
    why_not = _why_no_sum(model) or next((each.why_not for each in read if each.why_not), "")
    if not why_not and len(read[0].spans) * len(read[1].spans) > CELLS:
        why_not = TOO_MANY
    table = None if why_not else _table(read[0], read[1], model)
    if table is None:
        why_not = why_not or MISREAD
    words = [each.text[start:end] for each in read for start, end in each.spans]
    left_out = [each.spans if leave_out else [] for each in read]
    score, without = _score_without(texts, left_out, model)
    if not leave_out:
        without = np.full(len(words), np.nan)
    parts = np.full(len(words), np.nan)
    if table is not None:
        n, m = (len(each.spans) for each in read)
        values = table.to_numpy()
        parts = np.concatenate([values.sum(axis=1)[:n], values.sum(axis=0)[:m]])
    side = [name for name, each in zip("ab", read, strict=True) for _ in each.spans]
    columns = {"sentence": side, "word": words, "contribution": parts, "score_without": without}
    found = pd.DataFrame(columns).astype({"sentence": object, "word": object})
    found["change"] = score - found["score_without"]
    a, b = read
    spans, special, cut = (a.spans, b.spans), (a.special, b.special), (a.is_cut, b.is_cut)
    return Explanation(a.text, b.text, score, table, found, spans, special, why_not, cut)


@dataclass(frozen=True)
class _Read:
    """The words of a text that a model reads, and the row of the table each token belongs to."""

    text: str
    spans: list[Span]
    rows: Sequence[int] = ()
    ids: Sequence[int] = ()
    special: str = ""
    is_cut: bool = False
    why_not: str = ""


def _read(text: str, model: Any) -> _Read:
    encoding, prompt = _encoding(text, model)
    if encoding is None:
        found = list(WORD.finditer(text)) or list(re.finditer(r"\S+", text))
        why = "The score is not split over words: this model tells nothing of its tokens."
        return _Read(text, [each.span() for each in found], why_not=why)
    spans: dict[int, Span] = {}
    of_tokens: list[int | None] = []
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        start, end = max(start - prompt, 0), end - prompt
        of_tokens.append(word if end > 0 else None)
        if of_tokens[-1] is not None:
            first, last = spans.get(word, (start, end))
            spans[word] = min(first, start), max(last, end)
    row = {word: number for number, word in enumerate(spans)}
    rows = [len(row) if word is None else row[word] for word in of_tokens]
    marks = zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
    special = " ".join(dict.fromkeys(token for token, is_special in marks if is_special))
    special = " + ".join(filter(None, [special, "prompt" * bool(prompt)]))
    trimmed = [_trimmed(text, span) for span in spans.values()]
    return _Read(text, trimmed, rows, encoding.ids, special, bool(encoding.overflowing))


def _encoding(text: str, model: Any) -> tuple[Any, int]:
    """Give the tokens of a text as the model reads them, and how long its prompt is."""
    tokenizer = getattr(model, "tokenizer", None)
    if not hasattr(model, "preprocess") or tokenizer is None:
        return None, 0
    prompt = model.prompts.get(model.default_prompt_name) or ""
    limit = model.max_seq_length
    text = prompt + _beginning(text, model)
    if hasattr(tokenizer, "encode_batch"):  # a static embedding's own tokenizer
        return tokenizer.encode_batch([text], add_special_tokens=False)[0], len(prompt)
    if not getattr(tokenizer, "is_fast", False):  # only the fast ones know where a token stands
        return None, 0
    cut: Any = {"truncation": limit is not None, "max_length": limit, "verbose": False}
    return tokenizer([text], **cut).encodings[0], len(prompt)


def _beginning(text: str, model: Any) -> str:
    """Cut a text where `encode` does, before it is split into tokens."""
    return text[: int(min(model.max_seq_length or READ, READ)) * 1000]


def _trimmed(text: str, span: Span) -> Span:
    """Leave out the spaces that some tokenizers count to a word."""
    word = text[slice(*span)]
    start = span[0] + len(word) - len(word.lstrip())
    return (start, start + len(word.strip())) if word.strip() else span


def _why_no_sum(model: Any) -> str:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Normalize,
        Pooling,
        StaticEmbedding,
        Transformer,
    )

    no = "The score is no sum over pairs of words: this model"
    if not isinstance(model, SentenceTransformer):
        return f"{no} tells nothing of its tokens."
    modules = [module for module in model if not isinstance(module, Normalize)]
    if [type(module) for module in modules] == [StaticEmbedding]:
        return ""
    pooling = next((module for module in modules if isinstance(module, Pooling)), None)
    if pooling is not None and pooling.pooling_mode != "mean":
        mode = pooling.pooling_mode
        mode = mode if isinstance(mode, str) else " and ".join(mode)
        return f"{no} pools by {mode}, not by the mean alone."
    if [type(module) for module in modules] != [Transformer, Pooling]:
        return f"{no} does more than take the mean of its tokens."
    return ""


def _table(a: _Read, b: _Read, model: Any) -> pd.DataFrame | None:
    first, second = (_shares(each, model) for each in (a, b))
    if first is None or second is None:
        return None
    labels = [
        [*(each.text[start:end] for start, end in each.spans), *[each.special] * bool(each.special)]
        for each in (a, b)
    ]
    index, columns = (pd.Index(each, dtype=object) for each in labels)
    return pd.DataFrame(first @ second.T, index.rename("word"), columns)


def _shares(read: _Read, model: Any) -> npt.NDArray[np.float64] | None:
    """Add up the tokens of each word, scaled so that all together have length 1."""
    vectors = _token_embeddings(read, model)
    if vectors is None:
        return None
    sums = np.zeros((len(read.spans) + bool(read.special), vectors.shape[1]))
    np.add.at(sums, np.asarray(read.rows, dtype=int), vectors)
    length = np.linalg.norm(sums.sum(axis=0))
    return np.asarray(sums / (length or 1.0))


def _token_embeddings(read: _Read, model: Any) -> npt.NDArray[np.float64] | None:
    """Give the model's own embeddings; None if they are of other tokens than the tokenizer's."""
    dim = model.truncate_dim
    if hasattr(model.tokenizer, "encode_batch"):
        weights = model[0].embedding.weight.detach().cpu().numpy()
        return np.asarray(weights[np.asarray(read.ids, dtype=int), :dim], dtype=np.float64)
    given = model.encode(_beginning(read.text, model), output_value=None, show_progress_bar=False)
    if given["input_ids"].tolist() != list(read.ids):
        return None
    tokens = given["token_embeddings"].detach().float().cpu().numpy()
    vectors = np.array(tokens[:, :dim], dtype=np.float64)
    if not next(each for each in model if hasattr(each, "include_prompt")).include_prompt:
        vectors[: int(given.get("prompt_length") or 0)] = 0.0  # the mean leaves them out
    return vectors


def _score_without(
    texts: list[str], spans: list[list[Span]], model: Encoder
) -> tuple[float, npt.NDArray[np.float64]]:
    """Score the two texts, and again without each word; all are encoded together."""
    pairs = [texts, *_without_each(texts, spans)]
    kept = [place for place, pair in enumerate(pairs) if all(text.strip() for text in pair)]
    unit = unit_rows(encode([text for place in kept for text in pairs[place]], model=model))
    scores = np.full(len(pairs), np.nan)
    scores[kept] = clip(np.einsum("ij,ij->i", unit[::2], unit[1::2]))
    return float(scores[0]), scores[1:]


def _without_each(texts: list[str], spans: list[list[Span]]) -> Iterator[list[str]]:
    for side, (text, places) in enumerate(zip(texts, spans, strict=True)):
        for start, end in places:
            pair = list(texts)
            pair[side] = text[:start] + text[end:]
            yield pair
