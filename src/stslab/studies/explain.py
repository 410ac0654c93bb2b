"""Why two texts have their score: a sum over their words, and the score without each word.

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
from ..models.tokens import tokenizer_input
from ..scores.cosine import clip, unit_rows
from ..scores.words import WORD
from ..wording import LABEL, listed, quoted

Span = tuple[int, int]
ORDINAL = {"a": "first", "b": "second"}
CELLS = 4_000_000  # of the largest table: 2,000 words against 2,000
MISREAD = "The score is not split over words: the tokenizer's tokens are not those the model reads."
TOO_MANY = "The score is not split over words: the two sentences have too many of them."


@dataclass(frozen=True)
class Explanation:
    """A score split into what the words of two sentences contribute: see `explain_score`."""

    sentence_a: str
    sentence_b: str
    score: float
    # What each word of a adds to the score with each word of b; None if the score is no such sum
    table: pd.DataFrame | None
    words: pd.DataFrame
    spans: tuple[list[Span], list[Span]]  # where the words begin and end in the two sentences
    special: tuple[str, str] = ("", "")  # the special tokens of the two; "" for none
    why_no_table: str = ""
    cut: tuple[bool, bool] = (False, False)  # whether words follow the last one that is read

    def describe(self) -> str:
        """Describe what adds up, which words add most, and where the two views disagree most.

        Returns
        -------
        str
            A contribution is a share of a sum and no cause: in a transformer the embedding of a
            token also depends on its neighbors.
        """
        sentences = []
        if self.table is not None:
            sentences.append("The contributions of all pairs add up to the score.")
        sentences += [self.headline(), self._describe_special(), self._describe_change()]
        for ordinal, is_cut in zip(ORDINAL.values(), self.cut, strict=True):
            if is_cut:
                sentences.append(
                    f"Of the {ordinal} sentence the model reads only the beginning, up to its "
                    f"maximum length."
                )
        return " ".join(filter(None, sentences))

    def headline(self) -> str:
        """Describe which two words add most, or why that is not known.

        Returns
        -------
        str
            Empty if the model reads no word of one of the sentences.
        """
        if self.table is None:
            return self.why_no_table
        contributions = self._contributions_of_words(self.table)
        if not contributions.size:
            return ""
        i, j = map(int, np.unravel_index(contributions.argmax(), contributions.shape))
        word_a = quoted(self.table.index[i], LABEL)
        word_b = quoted(self.table.columns[j], LABEL)
        return (
            f"Of all pairs of words, {word_a} with {word_b} contributes most, "
            f"{contributions[i, j]:.4f} to a score of {self.score:.4f}."
        )

    def _contributions_of_words(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the table's values without the row and the column of special tokens."""
        n, m = map(len, self.spans)
        return np.asarray(table.to_numpy()[:n, :m])

    def _describe_special(self) -> str:
        names = listed([*dict.fromkeys(filter(None, self.special))])
        if self.table is None or not names:
            return ""
        words = self._contributions_of_words(self.table)
        remainder = self.table.to_numpy().sum() - words.sum()
        return f"The special tokens ({names}) are in pairs that add {remainder:.4f}."

    def _describe_change(self) -> str:
        words = self.words.dropna(subset="change")
        if words.empty:
            return ""
        disagreement = words["change"] - words["contribution"].fillna(0)
        word = words.iloc[int(disagreement.abs().argmax())]
        name = f"{quoted(word['word'], LABEL)} in the {ORDINAL[word['sentence']]} sentence"
        effect = f"without it the model gives {word['score_without']:.4f} ({-word['change']:+.4f})"
        if self.table is None:
            return f"The score changes most with {name}: {effect}."
        return (
            f"The two views differ most on {name}: it contributes {word['contribution']:.4f}, but "
            f"{effect}."
        )


def explain_score(
    sentence_a: str, sentence_b: str, *, model: Encoder, leave_out: bool = True
) -> Explanation:
    """Split a score into what the words of two sentences contribute, and score without each word.

    Parameters
    ----------
    sentence_a, sentence_b : str
    model : Encoder
        The sum needs a SentenceTransformer that pools by the mean; the words are then those of its
        tokenizer, with their pieces joined. For other models there are only the scores without
        each word.
    leave_out : bool, default True
        Whether to also score the sentences without each word, which takes most of the time.

    Returns
    -------
    Explanation
        ``score`` is that of `score_pairs`. ``table`` has a row for each word of `sentence_a` that
        the model reads, in reading order, and a column for each of `sentence_b`; the last row and
        column are the special tokens and those of a prompt, if the model has any. It adds up to
        the score within 1e-6. None if the score is no such sum, if the tokenizer does not separate
        words, or if there are over 4,000,000 pairs of words; ``why_no_table`` has the reason.

        ``words`` has the columns ``sentence`` ("a" or "b"), ``word``, ``contribution`` (the sum of
        its row or column; NaN without a table), ``score_without`` (the model's score when the word
        is taken out of its sentence; NaN if no text is left, or without `leave_out`) and
        ``change`` (score minus ``score_without``).

    Raises
    ------
    ValueError
        If a sentence is blank or not a string.

    Notes
    -----
    Each word that is left out makes another text to encode: twenty for two sentences of ten words.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> found = explain_score("a b", "a", model=Letters())
    >>> found.words[["word", "score_without", "change"]].round(2).dropna().to_numpy().tolist()
    [['a', 0.0, 0.71], ['b', 1.0, -0.29]]
    """
    texts = check_texts([sentence_a, sentence_b], "sentences")
    a, b = (_tokenize(text, model) for text in texts)
    table, why_no_table = _contribution_table(a, b, model)
    spans = [a.spans, b.spans]
    if not leave_out:
        spans = [[], []]
    score, scores_without = _score_without_words(texts, spans, model)
    words = _word_table(a, b, table)
    words["score_without"] = np.nan
    if leave_out:
        words["score_without"] = scores_without
    words["change"] = score - words["score_without"]
    return Explanation(
        a.text,
        b.text,
        score,
        table,
        words,
        spans=(a.spans, b.spans),
        special=(a.special, b.special),
        why_no_table=why_no_table,
        cut=(a.is_cut, b.is_cut),
    )


@dataclass(frozen=True)
class _Tokenized:
    """The words of a text that a model reads, and the row of the table each token belongs to."""

    text: str
    spans: list[Span]  # of the words
    rows: Sequence[int] = ()  # the word of each token; special tokens have the row after the words
    ids: Sequence[int] = ()  # of the tokens
    special: str = ""  # the names of the special tokens
    is_cut: bool = False
    why_no_tokens: str = ""

    @property
    def words(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]


def _tokenize(text: str, model: Any) -> _Tokenized:
    """Find the words of a text: those of the model's tokenizer, or else of a regular expression."""
    encoding, prompt_length = _encoding(text, model)
    if encoding is None:
        matches = list(WORD.finditer(text)) or list(re.finditer(r"\S+", text))
        reason = "The score is not split over words: this model tells nothing of its tokens."
        return _Tokenized(text, [match.span() for match in matches], why_no_tokens=reason)
    spans: dict[int, Span] = {}  # the tokenizer's number of a word → where it begins and ends
    word_of_tokens: list[int | None] = []  # None for special tokens and those of a prompt
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        start, end = max(start - prompt_length, 0), end - prompt_length
        if word is None or end <= 0:
            word_of_tokens.append(None)
            continue
        word_of_tokens.append(word)
        first, last = spans.get(word, (start, end))
        spans[word] = min(first, start), max(last, end)
    row_of_word: dict[int | None, int] = {word: row for row, word in enumerate(spans)}
    row_of_word[None] = len(spans)
    return _Tokenized(
        text,
        [_without_spaces(text, span) for span in spans.values()],
        rows=[row_of_word[word] for word in word_of_tokens],
        ids=encoding.ids,
        special=_special_names(encoding, prompt_length),
        is_cut=bool(encoding.overflowing),
    )


def _special_names(encoding: Any, prompt_length: int) -> str:
    """Return the names of the special tokens, and "prompt" if there is one."""
    tokens = zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
    special_tokens = dict.fromkeys(token for token, is_special in tokens if is_special)
    names = []
    if special_tokens:
        names.append(" ".join(special_tokens))
    if prompt_length:
        names.append("prompt")
    return " + ".join(names)


def _encoding(text: str, model: Any) -> tuple[Any, int]:
    """Return the tokens of a text as the model reads them, and the length of its prompt."""
    tokenizer = getattr(model, "tokenizer", None)
    if not hasattr(model, "preprocess") or tokenizer is None:
        return None, 0
    prompt = model.prompts.get(model.default_prompt_name) or ""
    text = prompt + tokenizer_input(text, model)
    if hasattr(tokenizer, "encode_batch"):  # a static embedding's own tokenizer
        return tokenizer.encode_batch([text], add_special_tokens=False)[0], len(prompt)
    if not getattr(tokenizer, "is_fast", False):  # only fast ones know the position of a token
        return None, 0
    limit = model.max_seq_length
    options: Any = {"truncation": limit is not None, "max_length": limit, "verbose": False}
    return tokenizer([text], **options).encodings[0], len(prompt)


def _without_spaces(text: str, span: Span) -> Span:
    """Leave out the spaces that some tokenizers count as part of a word."""
    start, end = span
    word = text[start:end]
    if not word.strip():
        return span
    start += len(word) - len(word.lstrip())
    return start, start + len(word.strip())


def _why_no_sum(model: Any) -> str:
    """Return why a model's score is no sum over pairs of words; empty if it is one."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Normalize,
        Pooling,
        StaticEmbedding,
        Transformer,
    )

    start = "The score is no sum over pairs of words: this model"
    if not isinstance(model, SentenceTransformer):
        return f"{start} tells nothing of its tokens."
    modules = [module for module in model if not isinstance(module, Normalize)]
    if [type(module) for module in modules] == [StaticEmbedding]:
        return ""
    pooling = next((module for module in modules if isinstance(module, Pooling)), None)
    if pooling is not None and pooling.pooling_mode != "mean":
        modes = pooling.pooling_mode
        if isinstance(modes, str):
            modes = [modes]
        return f"{start} pools by {' and '.join(modes)}, not by the mean alone."
    if [type(module) for module in modules] != [Transformer, Pooling]:
        return f"{start} does more than take the mean of its tokens."
    return ""


def _contribution_table(
    a: _Tokenized, b: _Tokenized, model: Any
) -> tuple[pd.DataFrame | None, str]:
    """Return what each pair of words contributes, or None and the reason."""
    reason = _why_no_sum(model) or a.why_no_tokens or b.why_no_tokens
    if reason:
        return None, reason
    if len(a.spans) * len(b.spans) > CELLS:
        return None, TOO_MANY
    shares_a, shares_b = _shares(a, model), _shares(b, model)
    if shares_a is None or shares_b is None:
        return None, MISREAD
    index = pd.Index(_row_names(a), dtype=object, name="word")
    columns = pd.Index(_row_names(b), dtype=object)
    return pd.DataFrame(shares_a @ shares_b.T, index, columns), ""


def _row_names(tokenized: _Tokenized) -> list[str]:
    """Name the rows that a text has in the table: its words, then its special tokens."""
    names = tokenized.words
    if tokenized.special:
        names.append(tokenized.special)
    return names


def _shares(tokenized: _Tokenized, model: Any) -> npt.NDArray[np.float64] | None:
    """Add up the tokens of each word, scaled so that all together have length 1."""
    vectors = _token_embeddings(tokenized, model)
    if vectors is None:
        return None
    sums = np.zeros((len(_row_names(tokenized)), vectors.shape[1]))
    np.add.at(sums, np.asarray(tokenized.rows, dtype=int), vectors)
    length = np.linalg.norm(sums.sum(axis=0))
    return np.asarray(sums / (length or 1.0))


def _token_embeddings(tokenized: _Tokenized, model: Any) -> npt.NDArray[np.float64] | None:
    """Return the model's embeddings of the tokens; None if it reads other tokens than these."""
    dimension = model.truncate_dim
    if hasattr(model.tokenizer, "encode_batch"):
        weights = model[0].embedding.weight.detach().cpu().numpy()
        rows = np.asarray(tokenized.ids, dtype=int)
        return np.asarray(weights[rows, :dimension], dtype=np.float64)
    text = tokenizer_input(tokenized.text, model)
    features = model.encode(text, output_value=None, show_progress_bar=False)
    if features["input_ids"].tolist() != list(tokenized.ids):
        return None
    embeddings = features["token_embeddings"].detach().float().cpu().numpy()
    vectors = np.array(embeddings[:, :dimension], dtype=np.float64)
    pooling = next(module for module in model if hasattr(module, "include_prompt"))
    if not pooling.include_prompt:  # the mean leaves the prompt's tokens out
        vectors[: int(features.get("prompt_length") or 0)] = 0.0
    return vectors


def _word_table(a: _Tokenized, b: _Tokenized, table: pd.DataFrame | None) -> pd.DataFrame:
    """List the words of both texts with the sum of each word's row or column."""
    words = pd.DataFrame(
        {
            "sentence": ["a"] * len(a.spans) + ["b"] * len(b.spans),
            "word": [*a.words, *b.words],
            "contribution": np.nan,
        }
    ).astype({"sentence": object, "word": object})
    if table is not None:
        values = table.to_numpy()
        of_rows, of_columns = values.sum(axis=1), values.sum(axis=0)
        words["contribution"] = np.concatenate(
            [of_rows[: len(a.spans)], of_columns[: len(b.spans)]]
        )
    return words


def _score_without_words(
    texts: list[str], spans: list[list[Span]], model: Encoder
) -> tuple[float, npt.NDArray[np.float64]]:
    """Score the two texts, and again without each word; all are encoded together."""
    pairs = [texts, *_pairs_without_words(texts, spans)]
    numbers = [number for number, pair in enumerate(pairs) if all(text.strip() for text in pair)]
    unit = unit_rows(encode([text for number in numbers for text in pairs[number]], model=model))
    scores = np.full(len(pairs), np.nan)
    scores[numbers] = clip(np.einsum("ij,ij->i", unit[::2], unit[1::2]))
    return float(scores[0]), scores[1:]


def _pairs_without_words(texts: list[str], spans: list[list[Span]]) -> Iterator[list[str]]:
    """Yield the two texts without one word after the other."""
    for side, text in enumerate(texts):
        for start, end in spans[side]:
            pair = list(texts)
            pair[side] = text[:start] + text[end:]
            yield pair
