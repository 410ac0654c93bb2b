"""Word-overlap baselines: what similarity looked like before embeddings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from ..inputs.checks import PAIR, check_pairs, check_texts

WORD = re.compile(r"\w+")


def jaccard(sentence_a: str, sentence_b: str) -> float:
    r"""Measure how many of two sentences' words they share.

    Parameters
    ----------
    sentence_a, sentence_b : str

    Returns
    -------
    float
        \|A ∩ B\| / \|A ∪ B\| of the sets of lower-case ``\w+`` tokens; 0 where neither holds one.

    Notes
    -----
    Jaccard, P. (1912). The distribution of the flora in the alpine zone.

    Examples
    --------
    >>> jaccard("The dog barks", "the dog sleeps")
    0.5
    """
    a, b = (set(WORD.findall(text.lower())) for text in (sentence_a, sentence_b))
    return len(a & b) / len(a | b) if a | b else 0.0


def score_words(
    pairs: pd.DataFrame | Iterable[tuple[str, str]], *, fitted_on: Sequence[str] | None = None
) -> pd.DataFrame:
    """Score pairs by word overlap: Jaccard, and the cosine of TF-IDF vectors.

    Parameters
    ----------
    pairs : DataFrame or iterable of (str, str), length n
    fitted_on : sequence of str or None, default None
        Texts that TF-IDF learns its word weights from; None takes the pairs' own sentences.
        The choice moves the scores, so state it beside them.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, jaccard, tfidf``, both in [0, 1], in the order given.

    Notes
    -----
    scikit-learn's TfidfVectorizer as it is: lower case, words of two or more letters, smoothed idf.

    Examples
    --------
    >>> scores = score_words([("A dog barks", "A dog sleeps")])
    >>> scores[["jaccard", "tfidf"]].round(4).to_numpy().tolist()
    [[0.5, 0.3361]]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = check_pairs(pairs)
    first, second = table["sentence_a"].tolist(), table["sentence_b"].tolist()
    texts = first + second if fitted_on is None else check_texts(fitted_on, "fitted_on")
    vectorizer = TfidfVectorizer()
    try:
        vectorizer.fit(texts)
        a, b = vectorizer.transform(first), vectorizer.transform(second)
        tfidf = a.multiply(b).sum(axis=1).A1.tolist()
    except ValueError:  # "empty vocabulary": no text holds a word of two letters
        tfidf = [0.0] * len(table)
    shared = [jaccard(a, b) for a, b in zip(first, second, strict=True)]
    return table[PAIR].assign(jaccard=shared, tfidf=tfidf)
