"""Texts → embeddings.

A text's embedding depends on the text alone: neither on its neighbours in a batch nor on the
number of threads. All batches of one padded length have one shape, because the libraries below
PyTorch add in another order for another shape, which moves the last digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..inputs.checks import check_texts
from .cache import EmbeddingCache
from .tokens import count_tokens, tokenizer_input

Embeddings = npt.NDArray[np.float32]
Task = Literal["query", "document"]

# Of a batch: texts are padded to a multiple of so many tokens; most texts and, where a text has
# less itself, tokens in it. Another shape may move an embedding's last digits.
SHAPE = (16, 32, 2048)
LONG_WORK = 3.0  # seconds of encoding before a progress bar appears


class Encoder(Protocol):
    """Anything with ``encode``: a SentenceTransformer, or your own, as this one counts letters.

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
        As the model gives them (not normalised). A progress bar appears after three seconds.

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
    known = cache.read(texts)
    for row, vector in known.items():
        embeddings[row] = vector
    if not (unknown := [row for row in range(len(texts)) if row not in known]):
        return embeddings
    # TQDM_DISABLE=1 silences the bar where it would land in a page.
    with tqdm(total=len(unknown), desc="Encoding", unit="text", delay=LONG_WORK) as bar:
        for positions, vectors in encoded_batches([texts[row] for row in unknown], model, task):
            rows = [unknown[position] for position in positions]
            embeddings[rows] = vectors
            cache.write([texts[row] for row in rows], embeddings[rows])
            bar.update(len(rows))
    return embeddings


def encoded_batches(texts: list[str], model: Any, task: Any, shape: Any = SHAPE) -> Iterator[Any]:
    """Encode texts batch by batch; give the rows of each, and their embeddings."""
    texts = [tokenizer_input(text, model) for text in texts]
    call = {None: model.encode, "query": model.encode_query, "document": model.encode_document}
    padding: Any = {"processing_kwargs": {"text": {"pad_to_multiple_of": shape[0]}}}
    for rows, size in _equal_batches(texts, model, task, shape):
        batch = [texts[row] for row in rows]
        batch += [batch[-1]] * (size - len(batch))
        vectors = call[task](batch, batch_size=size, show_progress_bar=False, **padding)
        yield rows, vectors[: len(rows)]


def _equal_batches(texts: list[str], model: Any, task: Any, shape: Any) -> list[Any]:
    """Group rows by padded length, shortest first, with the size each batch shall have."""
    (pad, most, tokens), groups = shape, dict[int, list[int]]()
    for row, length in enumerate(token_counts(texts, model=model, task=task)):
        groups.setdefault(max(1, -(-length // pad)) * pad, []).append(row)
    return [
        (rows[start : start + size], size)
        for padded, rows in sorted(groups.items())
        for size in [min(most, max(1, tokens // padded))]
        for start in range(0, len(rows), size)
    ]


def token_counts(texts: Sequence[str], *, model: Any, task: Task | None = None) -> list[int]:
    """Count the tokens that the model reads of each text, with a task's prompt and special ones."""
    prompt = _prompt(model, task)
    return count_tokens([prompt + text for text in texts], model, truncated=True)


def _prompt(model: Any, task: Task | None) -> str:
    """Give what sentence-transformers puts before each text for a task."""
    named = {"query": ["query"], "document": ["document", "passage", "corpus"]}
    names = named[task] if task else [model.default_prompt_name]
    return next((model.prompts[name] for name in names if name in model.prompts), "") or ""
