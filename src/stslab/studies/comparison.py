"""Models side by side: the same pairs scored by each, and what each one costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..inputs.checks import check_pairs, check_texts
from ..models.encoding import Embeddings, Encoder, encode, token_counts
from ..scores.cosine import score_pairs
from ..scores.words import score_words

Precision = Literal["float32", "int8", "binary"]
BITS = {"float32": 32, "int8": 8, "binary": 1}  # for each number of an embedding
WORD_MEASURES = ["jaccard", "tfidf"]  # scored beside every model


@dataclass(frozen=True)
class Reduced:
    """A model whose embeddings are made smaller after encoding; an `Encoder`.

    Parameters
    ----------
    model : Encoder
    dimension : int or None, default None
        Keep only the first numbers, as ``truncate_dim`` does; None keeps all.
    precision : {"float32", "int8", "binary"}, default "float32"
        For "int8", whole numbers from -128 to 127, which span plus and minus the largest number
        among the texts that are encoded together, so that a score depends on them a little; for
        "binary", signs only.

    Notes
    -----
    `encode` returns the values that the stored numbers stand for. Embeddings are scaled to length
    1 before they are rounded, so that scores are cosines again. Only storing and comparing get
    cheaper, not encoding.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> Reduced(Letters(), dimension=2).encode(["abbc"])
    array([[1., 2.]], dtype=float32)
    >>> Reduced(Letters(), precision="binary").encode(["abbc", "c"])
    array([[ 1.,  1.,  1.],
           [-1., -1.,  1.]], dtype=float32)
    """

    model: Encoder
    dimension: int | None = None
    precision: Precision = "float32"

    def encode(self, inputs: list[str], /) -> Embeddings:
        """Map n texts to an array of shape (n, dimension)."""
        if self.precision not in BITS:
            raise ValueError(f"precision={self.precision!r}: expected one of {', '.join(BITS)}.")
        embeddings = encode(inputs, model=self.model)
        full_dimension = embeddings.shape[1]
        if self.dimension is not None and not 1 <= self.dimension <= full_dimension:
            raise ValueError(
                f"dimension={self.dimension}: expected 1 to {full_dimension}, the model's own "
                f"dimension."
            )
        embeddings = embeddings[:, : self.dimension]
        if self.precision == "float32":
            return embeddings
        return _rounded(embeddings, self.precision)


def _rounded(embeddings: Embeddings, precision: Literal["int8", "binary"]) -> Embeddings:
    from sentence_transformers.util.quantization import quantize_embeddings
    from sklearn.preprocessing import normalize

    dimension = embeddings.shape[1]
    if precision == "binary":
        bits = quantize_embeddings(embeddings, "ubinary")
        signs = np.unpackbits(np.asarray(bits), axis=1, count=dimension) * np.float32(2) - 1
        # A text of which the model knows no word is a row of zeros: it is similar to nothing, and
        # must not become a row of signs.
        has_direction = embeddings.any(axis=1, keepdims=True)
        return np.where(has_direction, signs, np.float32(0))
    unit = normalize(embeddings)
    # One range for all dimensions keeps angles; one for each would stretch them.
    largest = float(np.abs(unit).max()) or 1.0
    ranges = np.array([[-largest] * dimension, [largest] * dimension])
    integers = np.asarray(quantize_embeddings(unit, "int8", ranges=ranges), np.float32)
    return integers + 1  # 0 lies in the middle of the step that is stored as -1


def compare_models(
    pairs: pd.DataFrame | Sequence[tuple[str, str]], models: Mapping[str, Encoder]
) -> pd.DataFrame:
    """Score the same pairs with several models, and by shared words.

    Parameters
    ----------
    pairs : DataFrame or sequence of (str, str), length n
    models : mapping of str to Encoder
        The name of each model's column → the model, or a `Reduced` one.

    Returns
    -------
    pandas.DataFrame, length n
        ``sentence_a, sentence_b``, ``gold_score`` if the pairs have it, one column of cosines for
        each model, ``jaccard, tfidf``; TF-IDF is fitted on these pairs.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> from stslab.studies import Reduced
    >>> models = {"whole": Letters(), "2 numbers": Reduced(Letters(), 2)}
    >>> compare_models([("ab", "abcc")], models).iloc[0, 2:].astype(float).round(2).to_dict()
    {'whole': 0.58, '2 numbers': 1.0, 'jaccard': 0.0, 'tfidf': 0.0}
    """
    table = check_pairs(pairs)
    by_words = score_words(table)
    first_columns = ["sentence_a", "sentence_b"]
    if "gold_score" in table:
        first_columns.append("gold_score")
    clashes = sorted({*first_columns, *WORD_MEASURES} & set(models))
    if clashes:
        raise ValueError(f"models: {clashes[0]!r} is the name of another column. Choose another.")
    scores = {name: score_pairs(table, model=model)["score"] for name, model in models.items()}
    return pd.concat([table[first_columns], pd.DataFrame(scores), by_words[WORD_MEASURES]], axis=1)


def model_costs(models: Mapping[str, Encoder], texts: Sequence[str]) -> pd.DataFrame:
    """Count what each model costs, in figures that are the same on every machine.

    Parameters
    ----------
    models : mapping of str to Encoder
        SentenceTransformers, `Reduced` ones, or other encoders, of which less is known.
    texts : sequence of str

    Returns
    -------
    pandas.DataFrame
        Columns ``model, dimension, bytes_per_text`` (of a stored embedding), ``parameters,
        tokens_per_text`` (on average, as cut by the model) and ``work_per_text``: multiply-adds,
        in millions. NaN where it cannot be known.

    Notes
    -----
    Work counts the weights of linear layers, which every token passes, times the tokens. Left out
    are attention between tokens (small in short texts) and table look-ups, so it is 0 for a
    static embedding model. Work is not time: measure that where it matters.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> from stslab.studies import Reduced
    >>> costs = model_costs({"signs": Reduced(Letters(), precision="binary")}, ["ab"])
    >>> costs[["dimension", "bytes_per_text"]].to_numpy().tolist()
    [[3, 1]]
    """
    texts = check_texts(texts, "texts")
    work_by_model: dict[int, tuple[float, float, float]] = {}  # Reduced ones may share a model
    rows = []
    for name, encoder in models.items():
        model: Any = encoder
        bits = BITS["float32"]
        if isinstance(encoder, Reduced):
            model = encoder.model
            bits = BITS[encoder.precision]
        dimension = np.shape(encoder.encode(texts[:1]))[1]
        if id(model) not in work_by_model:
            work_by_model[id(model)] = _work(model, texts)
        rows.append((name, dimension, math.ceil(dimension * bits / 8), *work_by_model[id(model)]))
    columns = ["model", "dimension", "bytes_per_text"]
    return pd.DataFrame(rows, columns=[*columns, "parameters", "tokens_per_text", "work_per_text"])


def _work(model: Any, texts: list[str]) -> tuple[float, float, float]:
    """Return a model's parameters, its tokens per text and its work per text, or NaN."""
    if not hasattr(model, "named_modules"):
        return np.nan, np.nan, np.nan
    # A pooler reads one token of a text; sentence-transformers does not even use its answer.
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if type(module).__name__ == "Linear" and "pooler" not in name
    )
    tokens = float(np.mean(token_counts(texts, model=model)))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return parameters, tokens, linear * tokens / 1e6
