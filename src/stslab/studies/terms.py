"""What a group of texts is about: its most typical terms, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..inputs.checks import check_texts, check_top_k
from ..wording import short_label
from .themes.names import UNSPACED

TERM = 20  # characters of a term that are shown


def cluster_terms(
    sentences: Sequence[str], clusters: Sequence[int], *, top_k: int = 3
) -> pd.DataFrame:
    """Name each cluster by the terms that set it apart from the others.

    Parameters
    ----------
    sentences : sequence of str, length n
    clusters : sequence of int, length n
    top_k : int, default 3

    Returns
    -------
    pandas.DataFrame
        One row per cluster, by its number: ``cluster, sentences`` (how many), ``terms``, best
        first, ties by alphabet; empty where no sentence holds a term.

    Notes
    -----
    Class-based TF-IDF (Grootendorst, 2022), where a term counts once per sentence. Terms are
    lower-case words without scikit-learn's English stop words; in scripts that put no spaces
    between words, such as Chinese, pairs of characters.

    Examples
    --------
    >>> named = cluster_terms(["A dog barks", "The dog", "Rain, rain", "学习。"], [1, 1, 2, 3])
    >>> named["terms"].tolist()
    ['dog · barks', 'rain', '学习']
    """
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import CountVectorizer

    texts, top_k = check_texts(sentences, "sentences"), check_top_k(top_k)
    numbers, row = np.unique(np.asarray(clusters), return_inverse=True)
    named = pd.DataFrame({"cluster": numbers, "sentences": np.bincount(row), "terms": ""})
    vectorizer = CountVectorizer(analyzer=_terms, binary=True)
    try:
        occurs = vectorizer.fit_transform(texts)
    except ValueError:  # "empty vocabulary": no text holds a term
        return named
    member = csr_array((np.ones(len(row)), (row, np.arange(len(row)))))
    counts = (member @ occurs).toarray()
    weights = counts * np.log1p(counts.sum() / len(numbers) / counts.sum(axis=0))
    vocabulary = vectorizer.get_feature_names_out()  # by alphabet
    best = np.argsort(-weights.round(9), axis=1, kind="stable")[:, :top_k]
    named["terms"] = [
        " · ".join(short_label(vocabulary[i], TERM) for i in order if weight[i] > 0)
        for order, weight in zip(best, weights, strict=True)
    ]
    return named


def _terms(text: str) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    # Not \w, which takes no combining marks and so cuts Hindi and Thai words to pieces.
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in re.sub("['’]", "", text))
    terms: list[str] = []
    for word in "".join(kept).lower().split():
        if UNSPACED.search(word):
            terms += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        elif len(word) > 1 and word not in ENGLISH_STOP_WORDS:
            terms.append(word)
    return terms
