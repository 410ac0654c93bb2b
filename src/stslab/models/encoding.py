"""Texts → embeddings.

A text's embedding depends on the text alone: neither on the other texts of its batch nor on the
number of threads. All batches of one padded length have one shape, because the libraries below
PyTorch add in another order for another shape, which changes the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..inputs.checks import check_texts
from .cache import EmbeddingCache
from .tokens import count_tokens, maximum_length, tokenizer_input

Embeddings = npt.NDArray[np.float32]
Task = Literal["query", "document"]

# Of a batch: the number of tokens to a multiple of which texts are padded; the most texts; the most
# tokens (a single longer text is a batch by itself). Another shape may change an embedding's last
# digits.
SHAPE = (16, 32, 2048)
LONG_WORK = 3.0  # seconds of encoding before a progress bar appears
# As in sentence-transformers' `encode_query` and `encode_document`: the first that a model has.
PROMPT_NAMES: dict[str, list[str | None]] = {
    "query": ["query"],
    "document": ["document", "passage", "corpus"],
}


class Encoder(Protocol):
    """Anything with ``encode``: a SentenceTransformer, or your own class.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, texts):
    ...         return [[text.count(letter) for letter in "abc"] for text in texts]
    >>> Letters().encode(["abba"])
    [[2, 2, 0]]
    """

    def encode(self, inputs: list[str], /) -> Any:
        """Map n texts to an array of shape (n, dim)."""


def encode(texts: Sequence[str], *, model: Encoder, task: Task | None = None) -> Embeddings:
    """Map texts to embeddings, one row each.

    Parameters
    ----------
    texts : sequence of str, length n
        Repeated texts are encoded once.
    model : Encoder
        ``encode`` maps n texts to an array of shape (n, dim).
    task : {"query", "document"} or None, default None
        For search: a model trained with prompts puts its own before each text.

    Returns
    -------
    numpy.ndarray of float32, shape (n, dim)
        As the model returns them (not normalized). A progress bar appears after three seconds.

    Raises
    ------
    ValueError
        If there are no texts, or one is blank or not a string.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> encode(["abba", "cab"], model=Letters())
    array([[2., 2., 0.],
           [1., 1., 1.]], dtype=float32)
    """
    texts = check_texts(texts, "texts")
    unique = list(dict.fromkeys(texts))
    if hasattr(model, "preprocess"):
        embeddings = _encode_in_equal_batches(unique, model, task)
    else:
        embeddings = np.asarray(model.encode(unique), dtype=np.float32)
    row = {text: index for index, text in enumerate(unique)}
    return embeddings[[row[text] for text in texts]]


def _encode_in_equal_batches(texts: list[str], model: Any, task: Task | None) -> Embeddings:
    from tqdm import tqdm

    embeddings: Embeddings = np.empty((len(texts), model.get_embedding_dimension()), np.float32)
    cache = EmbeddingCache(model, _prompt(model, task), shape=SHAPE)
    cached = cache.read(texts)
    for row, vector in cached.items():
        embeddings[row] = vector
    uncached = [row for row in range(len(texts)) if row not in cached]
    if not uncached:
        return embeddings
    # TQDM_DISABLE=1 silences the bar where it would become part of a page.
    with tqdm(total=len(uncached), desc="Encoding", unit="text", delay=LONG_WORK) as bar:
        for positions, vectors in encoded_batches([texts[row] for row in uncached], model, task):
            rows = [uncached[position] for position in positions]
            embeddings[rows] = vectors
            cache.write([texts[row] for row in rows], embeddings[rows])
            bar.update(len(rows))
    return embeddings


def encoded_batches(texts: list[str], model: Any, task: Any, shape: Any = SHAPE) -> Iterator[Any]:
    """Encode texts batch by batch; yield the rows of each batch and their embeddings."""
    texts = [tokenizer_input(text, model) for text in texts]
    functions = {None: model.encode, "query": model.encode_query, "document": model.encode_document}
    padding = _padding(model, shape[0])
    options: Any = {"processing_kwargs": {"text": {"pad_to_multiple_of": padding}}}
    for rows, size in _equal_batches(texts, model, task, (padding, *shape[1:])):
        batch = [texts[row] for row in rows]
        # Fill the last batch of a length with copies: it must have the shape of the others.
        batch += [batch[-1]] * (size - len(batch))
        vectors = functions[task](batch, batch_size=size, show_progress_bar=False, **options)
        yield rows, vectors[: len(rows)]


def _padding(model: Any, multiple: int) -> int:
    """Return the number of tokens to a multiple of which texts are padded.

    transformers refuses to truncate to a length that is not a multiple of the padding, so it is the
    largest number that divides both.
    """
    limit = maximum_length(model)
    if limit is None:
        return multiple
    return math.gcd(multiple, limit)


def _equal_batches(texts: list[str], model: Any, task: Any, shape: Any) -> list[Any]:
    """Return batches of rows of one padded length, shortest first, with their size when full."""
    padding, most_texts, most_tokens = shape
    rows_by_length: dict[int, list[int]] = {}
    for row, length in enumerate(token_counts(texts, model=model, task=task)):
        padded_length = max(1, math.ceil(length / padding)) * padding
        rows_by_length.setdefault(padded_length, []).append(row)
    batches = []
    for padded_length, rows in sorted(rows_by_length.items()):
        size = min(most_texts, max(1, most_tokens // padded_length))
        for start in range(0, len(rows), size):
            batches.append((rows[start : start + size], size))
    return batches


def token_counts(texts: Sequence[str], *, model: Any, task: Task | None = None) -> list[int]:
    """Count the tokens that the model reads of each text, with its prompt and special tokens.

    Parameters
    ----------
    texts : sequence of str, length n
    model : SentenceTransformer
    task : {"query", "document"} or None, default None
        As for `encode`.

    Returns
    -------
    list of int, length n
        At most the model's maximum length.
    """
    prompt = _prompt(model, task)
    return count_tokens([prompt + text for text in texts], model, truncated=True)


def _prompt(model: Any, task: Task | None) -> str:
    """Return the prompt that sentence-transformers puts before each text for a task."""
    names = [model.default_prompt_name]
    if task is not None:
        names = PROMPT_NAMES[task]
    for name in names:
        if name in model.prompts:
            return model.prompts[name] or ""
    return ""
