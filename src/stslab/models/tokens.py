"""The tokens that a model reads of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONGEST = 8192  # the most tokens that are expected of a model, or of one without a limit
# The maximum length of a tokenizer without one; transformers then has 1e30, others a round number.
UNLIMITED = 1e9
CHARACTERS = 1000  # that a token may have on average, spaces included; far more than any text needs


def maximum_length(model: Any) -> int | None:
    """Return the most tokens that a model reads of a text; None for a model without a limit."""
    limit = model.max_seq_length
    if not limit or limit >= UNLIMITED:
        return None
    return int(limit)


def tokenizer_input(text: str, model: Any) -> str:
    """Return the beginning of a text that holds all the tokens which a model reads.

    A tokenizer splits the whole of a text before it truncates it; of megabytes that takes half a
    minute.
    """
    limit = int(min(model.max_seq_length or LONGEST, LONGEST))
    return text[: limit * CHARACTERS]


def count_tokens(texts: Sequence[str], model: Any, *, truncated: bool) -> list[int]:
    """Count the tokens of each text, special ones included.

    Parameters
    ----------
    texts : sequence of str
        With a prompt, if the model puts one before them.
    model : SentenceTransformer
    truncated : bool
        Whether to count only the tokens that the model reads, up to its maximum length.
    """
    tokenizer = model.tokenizer
    if not hasattr(tokenizer, "backend_tokenizer"):  # a static embedding's own tokenizer
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]
    options: dict[str, Any] = {"truncation": False}
    limit = maximum_length(model)
    if truncated and limit is not None:
        options = {"truncation": True, "max_length": limit}
    encoded = tokenizer(list(texts), return_attention_mask=False, verbose=False, **options)
    return [len(ids) for ids in encoded["input_ids"]]
