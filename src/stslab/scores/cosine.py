"""Scores: pairs, ranking, search, matrix. Every score is a cosine similarity in [-1, 1]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..inputs.checks import check_pairs, check_texts, check_top_k
from ..models.encoding import Embeddings, Encoder, encode

BLOCK = 1024  # rows of a matrix computed at a time
LARGEST = 30_000  # most sentences of a matrix, which then takes 3.4 GiB


def score_pairs(pairs: pd.DataFrame | Iterable[tuple[str, str]], *, model: Encoder) -> pd.DataFrame:
    """Score sentence pairs.

    Parameters
    ----------
    pairs : DataFrame with ``sentence_a, sentence_b``, or iterable of (str, str)
    model : Encoder

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, score``, then the other columns of `pairs`. Rows keep
        their order.

    Raises
    ------
    ValueError
        If there are no pairs, or a sentence is blank.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> score_pairs([("ab", "ba"), ("aa", "cc")], model=Letters())["score"].tolist()
    [1.0, 0.0]
    """
    table = check_pairs(pairs)
    embeddings = encode([*table["sentence_a"], *table["sentence_b"]], model=model)
    a, b = unit_rows(embeddings[: len(table)]), unit_rows(embeddings[len(table) :])
    scored_pairs = table.drop(columns="score", errors="ignore")
    scored_pairs.insert(2, "score", clip(np.einsum("ij,ij->i", a, b)))
    return scored_pairs


def rank(
    reference: str, candidates: Sequence[str], *, model: Encoder, top_k: int | None = None
) -> pd.DataFrame:
    """Order candidate sentences by cosine similarity to one reference.

    Parameters
    ----------
    reference : str
    candidates : sequence of str, length n
    model : Encoder
    top_k : int or None, default None
        How many to keep, from 1 to n; None keeps all.

    Returns
    -------
    pandas.DataFrame
        Columns ``rank, score, sentence``, best first; ties keep input order.

    Raises
    ------
    ValueError
        If a sentence is blank, or `top_k` is out of range.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> rank("aab", ["c", "ab", "aabb"], model=Letters(), top_k=2)
       rank     score sentence
    0     1  0.948683       ab
    1     2  0.948683     aabb
    """
    (reference,) = check_texts([reference], "reference")
    candidates = check_texts(candidates, "candidates")
    if top_k is None:
        top_k = len(candidates)
    top_k = check_top_k(top_k, len(candidates), "candidates")
    unit = unit_rows(encode([reference, *candidates], model=model))
    best = _best(clip(unit[1:] @ unit[0]), candidates, top_k)
    return best.rename(columns={"text": "sentence"})[["rank", "score", "sentence"]]


def search(
    queries: str | Sequence[str], corpus: Sequence[str], *, model: Encoder, top_k: int = 3
) -> pd.DataFrame:
    """Find the texts of a corpus nearest to each query, exactly.

    A model that was trained with prompts for queries and documents uses them.

    Parameters
    ----------
    queries : str or sequence of str
    corpus : sequence of str, length n
    model : Encoder
    top_k : int, default 3
        Hits per query, from 1 to n.

    Returns
    -------
    pandas.DataFrame
        Columns ``query, rank, score, corpus_id, text``: query by query, best first; ties keep
        corpus order; ``corpus_id`` is the text's position in `corpus`, from 0.

    Raises
    ------
    ValueError
        If a text is blank, or `top_k` is out of range.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> search("a", ["b", "ab", "aa"], model=Letters(), top_k=1)["corpus_id"].tolist()
    [2]
    """
    if isinstance(queries, str):
        queries = [queries]
    queries = check_texts(queries, "queries")
    corpus = check_texts(corpus, "corpus")
    top_k = check_top_k(top_k, len(corpus), "corpus")
    query_vectors = unit_rows(encode(queries, model=model, task="query"))
    corpus_vectors = unit_rows(encode(corpus, model=model, task="document"))
    tables = [_best(clip(corpus_vectors @ vector), corpus, top_k) for vector in query_vectors]
    hits = pd.concat(tables, ignore_index=True)
    hits.insert(0, "query", [query for query in queries for _ in range(top_k)])
    return hits


def similarity_matrix(sentences: Sequence[str], *, model: Encoder) -> pd.DataFrame:
    """Score every sentence with every other.

    Parameters
    ----------
    sentences : sequence of str, length n, from 2 to 30,000 (then 3.4 GiB)
    model : Encoder

    Returns
    -------
    pandas.DataFrame of float32, shape (n, n)
        Symmetric; index (named ``sentence``) and columns are the sentences.

    Raises
    ------
    ValueError
        If there are fewer than two sentences, or too many, or one is blank.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> similarity_matrix(["a", "ab", "c"], model=Letters()).round(2).to_numpy().tolist()[0]
    [1.0, 0.7099999785423279, 0.0]
    """
    sentences = check_texts(sentences, "sentences")
    if len(sentences) < 2:
        raise ValueError(
            "sentences: a similarity matrix compares sentences with each other and needs at least "
            f"2, got {len(sentences)}. Add one, or use rank() for one reference."
        )
    if len(sentences) > LARGEST:
        raise ValueError(
            f"sentences: a similarity matrix of {len(sentences):,} sentences needs "
            f"{4 * len(sentences) ** 2 / 2**30:.1f} GiB of memory; the limit is {LARGEST:,} "
            "sentences. Use near_duplicates() to find the pairs above a threshold (notebook 11), "
            "best_matches() to find each sentence's nearest one, or pass a sample."
        )
    unit = unit_rows(encode(sentences, model=model))
    matrix = np.empty((len(unit), len(unit)), dtype=np.float32)
    for start in range(0, len(unit), BLOCK):
        matrix[start : start + BLOCK] = clip(unit[start : start + BLOCK] @ unit.T)
    labels = pd.Index(sentences, dtype=object)
    return pd.DataFrame(matrix, index=labels.rename("sentence"), columns=labels)


def closest_pairs(matrix: pd.DataFrame, top_k: int = 10) -> pd.DataFrame:
    """Return the pairs with the highest scores of a matrix, each pair once.

    Parameters
    ----------
    matrix : DataFrame, shape (n, n), as from `similarity_matrix`
    top_k : int, default 10
        Most pairs; a small matrix has fewer.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, score``, best first; ties keep input order.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["pasta", "pizza", "cat"]
    >>> matrix = pd.DataFrame([[1, 0.7, 0.1], [0.7, 1, 0], [0.1, 0, 1]], names, names)
    >>> closest_pairs(matrix, 1).to_numpy().tolist()
    [['pasta', 'pizza', 0.7]]
    """
    top_k = check_top_k(top_k)
    values, texts = matrix.to_numpy(), list(matrix.index)
    closest: list[tuple[float, int, int]] = []  # score, row and column
    for row in range(len(texts) - 1):  # row by row: a large matrix is not copied
        scores = values[row, row + 1 :]
        # Only the best of a row are sorted: to sort all takes a large matrix a minute, not seconds.
        count = min(top_k, len(scores))
        lowest_of_best = np.partition(scores, -count)[-count]
        best = np.flatnonzero(scores >= lowest_of_best)  # more than `count` if scores are equal
        columns = best[np.argsort(-scores[best], kind="stable")][:count].tolist()
        closest += [(float(scores[column]), row, row + 1 + column) for column in columns]
        # The sort is stable, so of equal scores those of earlier rows stay.
        closest = sorted(closest, key=lambda pair: -pair[0])[:top_k]
    pairs = [(texts[a], texts[b], score) for score, a, b in closest]
    return pd.DataFrame(pairs, columns=["sentence_a", "sentence_b", "score"])


def unit_rows(embeddings: Embeddings) -> npt.NDArray[np.float64]:
    """Return rows scaled to length 1, in double precision.

    Sums of them differ by their order only in digits that `clip` rounds away. A row of zeros stays
    so and is similar to nothing: the model knows no word of the text.
    """
    vectors = embeddings.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1.0, lengths)


def clip(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return scores rounded to 12 decimals, in [-1, 1]: equal texts tie exactly on any CPU."""
    return np.clip(np.round(scores, 12), -1.0, 1.0) + 0.0  # + 0.0 turns -0.0 into 0.0


def _best(scores: npt.NDArray[np.float64], texts: list[str], top_k: int) -> pd.DataFrame:
    """Return the texts with the highest scores, best first."""
    # Stable sort: learners compare runs, so equal scores must not swap places.
    best = np.argsort(-scores, kind="stable")[:top_k]
    table = pd.DataFrame({"rank": np.arange(1, top_k + 1), "score": scores[best]})
    return table.assign(corpus_id=best, text=[texts[index] for index in best])
