"""A theme's members: which texts fit it, which are typical of it, which say nearly the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .neighbors import (
    BLOCK,
    DECIMALS,
    TINY,
    Flags,
    Neighbors,
    Rows,
    Vectors,
    pair_scores,
    random_pairs,
)

# A text fits its theme if it is nearer to the three members nearest to it, on average, than a text
# that fits nowhere is by chance. In a list of n texts such a text has n - 1 others to be near to,
# so it reaches about the highest 1 / n of the scores of texts of different themes.
NEAREST_MEMBERS = 3
BY_CHANCE = 1.1
MOST_OTHERS = 500  # in longer lists, few of the others are about anything near
# In a short list chance makes groups, too. There, texts must be nearer to their nearest than
# normally distributed scores would bring them, by so many standard deviations. Of ten lists of 12
# random captions one passes, of ten of 20 one, of ten of 40 six.
SHORT = 100  # texts
EXCESS = 2.0
NEAREST_INSIDE = 5  # texts of its theme that a text is compared with
SAME_SCORE = 0.8  # texts that score this with the bundled model say nearly the same
# For other models, the score of the nearest 0.5 % of the list's pairs: of nine samples of 264 to
# 3,080 questions and answers, a median 0.5 % scored 0.8 or more with the bundled model.
SAME_QUANTILE = 0.995


def fits(centered: Vectors, labels: Rows) -> Flags:
    """Check which texts fit the theme that they are in, by the list's own scores.

    Parameters
    ----------
    centered : array, shape (n, dim)
    labels : array of int, shape (n,)

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        False for a text that is alone in its theme. True for all others if there is one theme only,
        as nothing tells then how near texts of different themes are.
    """
    closeness = np.full(len(centered), -1.0)
    for label in np.flatnonzero(np.bincount(labels) > 1):
        members = np.flatnonzero(labels == label)
        for rows, scores in _score_blocks(centered[members]):
            scores[rows - rows[0], rows] = -2
            nearest = -np.sort(-scores, axis=1)[:, : min(NEAREST_MEMBERS, len(members) - 1)]
            closeness[members[rows]] = nearest.mean(axis=1)
    has_company = np.bincount(labels)[labels] > 1
    first, second = random_pairs(len(centered))
    in_two_themes = labels[first] != labels[second]
    if not in_two_themes.any():
        return has_company
    across = pair_scores(centered, first[in_two_themes], second[in_two_themes])
    limit = np.quantile(across, 1 - BY_CHANCE / min(len(centered), MOST_OTHERS))
    return has_company & (closeness >= limit)


def is_more_than_chance(centered: Vectors, neighbors: Neighbors) -> bool:
    """Check whether the texts of a short list are nearer to each other than chance brings them.

    The scores of unrelated texts are about normal. The lower half of a list's scores gives the mean
    and the standard deviation, because related texts are in the upper half.

    Parameters
    ----------
    centered : array, shape (n, dim)
    neighbors : Neighbors
        Of the n texts.
    """
    from scipy.stats import norm

    count = len(centered)
    if count >= SHORT:
        return True
    scores = pair_scores(centered, *random_pairs(count))
    one_below, middle = np.quantile(scores, [norm.cdf(-1), 0.5])
    by_chance = norm.ppf(1 - 1 / count)
    excess = (neighbors.scores[:, 0].mean() - middle) / max(middle - one_below, TINY) - by_chance
    return bool(excess >= EXCESS)


def by_typicality(centered: Vectors) -> Rows:
    """Order a theme's texts, the nearest to all others first; ties keep their order."""
    scores = centered @ centered.sum(axis=0)
    return np.argsort(-scores.round(DECIMALS), kind="stable")


def same_threshold(unit: Vectors, *, calibrated: bool) -> float:
    """Return the cosine similarity from which on two texts of a list say nearly the same.

    Parameters
    ----------
    unit : array, shape (n, dim)
        Embeddings of length 1, not centered.
    calibrated : bool
        Whether they are the bundled model's.
    """
    if calibrated:
        return SAME_SCORE
    return float(np.quantile(pair_scores(unit, *random_pairs(len(unit))), SAME_QUANTILE))


def nearly_the_same(unit: Vectors, threshold: float) -> list[list[int]]:
    """Return groups of a theme's texts in which every two score at least a threshold.

    Parameters
    ----------
    unit : array, shape (n, dim)
        The theme's embeddings, of length 1.
    threshold : float

    Returns
    -------
    list of list of int
        Positions in the theme, of groups of two or more, the largest first. By complete linkage: a
        chain of texts, each like the next, is not a group.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = []
    for rows, scores in _score_blocks(unit):
        row, column = np.nonzero(scores >= threshold)
        links.append(np.column_stack([rows[row], column]))
    first, second = np.concatenate(links).T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(unit), len(unit)))
    _, chains = connected_components(graph, directed=False)
    groups = []
    for chain in np.flatnonzero(np.bincount(chains) > 1):
        members = np.flatnonzero(chains == chain)
        a, b = np.triu_indices(len(members), k=1)
        distances = 1 - pair_scores(unit[members], a, b)
        tree = linkage(np.clip(distances, 0, None), "complete")
        numbers = fcluster(tree, t=1 - threshold + 1e-9, criterion="distance")
        for number in range(1, numbers.max() + 1):
            groups.append(members[numbers == number].tolist())
    groups = [group for group in groups if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def nearest_pairs(unit: Vectors) -> list[tuple[int, int, float]]:
    """Return each text of a theme with the five nearest to it, each pair once, and its score.

    Parameters
    ----------
    unit : array, shape (n, dim)
        The theme's embeddings, of length 1.
    """
    count = min(NEAREST_INSIDE, len(unit) - 1)
    score_by_pair: dict[tuple[int, int], float] = {}
    for rows, scores in _score_blocks(unit):
        scores[rows - rows[0], rows] = -2
        nearest = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        for row, columns in zip(rows.tolist(), nearest.tolist(), strict=True):
            for column in columns:
                pair = min(row, column), max(row, column)
                score_by_pair[pair] = float(scores[row - rows[0], column])
    return [(first, second, score) for (first, second), score in score_by_pair.items()]


def _score_blocks(vectors: Vectors) -> Iterator[tuple[Rows, Vectors]]:
    """Yield some rows at a time, and their rounded scores with all rows."""
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        yield rows, (vectors[rows] @ vectors.T).round(DECIMALS)
