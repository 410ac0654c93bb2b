"""Word-overlap baselines: what similarity looked like before embeddings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..inputs.checks import PAIR, check_pairs, check_texts

WORD = re.compile(r"\w+")


def jaccard(sentence_a: str, sentence_b: str) -> float:
    r"""Return the share of two sentences' words that both have.

    Parameters
    ----------
    sentence_a, sentence_b : str

    Returns
    -------
    float
        \|A ∩ B\| / \|A ∪ B\| of the sets of lower-case ``\w+`` tokens; 0 if both are empty.

    Notes
    -----
    Jaccard, P. (1912). The distribution of the flora in the alpine zone.

    Examples
    --------
    >>> jaccard("The dog barks", "the dog sleeps")
    0.5
    """
    a = set(WORD.findall(sentence_a.lower()))
    b = set(WORD.findall(sentence_b.lower()))
    if not a | b:
        return 0.0
    return len(a & b) / len(a | b)


def score_words(
    pairs: pd.DataFrame | Iterable[tuple[str, str]], *, fitted_on: Sequence[str] | None = None
) -> pd.DataFrame:
    """Score pairs by word overlap: Jaccard, and the cosine of TF-IDF vectors.

    Parameters
    ----------
    pairs : DataFrame or iterable of (str, str), length n
    fitted_on : sequence of str or None, default None
        Texts that TF-IDF learns its word weights from; None takes the sentences of the pairs.
        The choice changes the scores, so state it beside them.

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, jaccard, tfidf``, both in [0, 1], in the order given.

    Notes
    -----
    The defaults of scikit-learn's TfidfVectorizer: lower case, words of two or more letters,
    smoothed idf.

    Examples
    --------
    >>> scores = score_words([("A dog barks", "A dog sleeps")])
    >>> scores[["jaccard", "tfidf"]].round(4).to_numpy().tolist()
    [[0.5, 0.3361]]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = check_pairs(pairs)
    sentences_a, sentences_b = table["sentence_a"].tolist(), table["sentence_b"].tolist()
    texts = sentences_a + sentences_b
    if fitted_on is not None:
        texts = check_texts(fitted_on, "fitted_on")
    vectorizer = TfidfVectorizer()
    try:
        vectorizer.fit(texts)
    except ValueError:  # "empty vocabulary": no text holds a word of two letters
        tfidf = np.zeros(len(table)).tolist()
    else:
        a, b = vectorizer.transform(sentences_a), vectorizer.transform(sentences_b)
        tfidf = a.multiply(b).sum(axis=1).A1.tolist()  # rows have length 1: this is the cosine
    overlaps = [jaccard(a, b) for a, b in zip(sentences_a, sentences_b, strict=True)]
    return table[PAIR].assign(jaccard=overlaps, tfidf=tfidf)
