"""Find the themes of a list of texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...inputs.checks import InputError, check_texts
from ...models.encoding import Embeddings, Encoder, encode
from ...scores.cosine import unit_rows
from ..calibration import is_calibrated
from ..content import has_content
from ..repeats import positions_of_repeats
from .communities import find_communities, steadiness
from .members import (
    by_typicality,
    fits,
    is_more_than_chance,
    nearest_pairs,
    nearly_the_same,
    same_threshold,
)
from .names import name_themes
from .neighbors import Rows, Vectors, center_embeddings, nearest_neighbors, nearest_others
from .results import APART, FEWEST_TEXTS, WITHOUT_CONTENT, Theme, Themes

FEWEST_MEMBERS = 2  # different texts of a theme
# share of the different texts that fit a theme, below which chance may be at work
LEAST_INSIDE = 0.5
LEAST_STEADINESS = 0.5  # a theme that comes back in fewer of the resamples is not reported


def find_themes(
    texts: Sequence[str],
    *,
    model: Encoder,
    resolution: float = 1.0,
    threshold: float | None = None,
    rows: Sequence[int] | None = None,
) -> Themes:
    """Find what a list of texts is about.

    Parameters
    ----------
    texts : sequence of str
        Texts that differ in capitals, spaces or final punctuation only are one text, said several
        times: it counts once for finding themes, and fully in their counts. Texts without content
        (see `has_content`) take no part.
    model : Encoder
        Any: nothing depends on the scale of its scores.
    resolution : float, default 1.0
        2 finds more and smaller themes, 0.5 fewer and larger ones.
    threshold : float or None, default None
        Any two texts of a group that says nearly the same score at least this. None takes 0.8 for
        the bundled model, and for others the score that 0.5 % of the list's pairs reach.
    rows : sequence of int or None, default None
        The number of each text for readers, such as its line in a file; None counts from 1.

    Returns
    -------
    Themes
        Without themes if there are fewer than 12 different texts with content, or if what goes
        together changes too much when a tenth of the texts is left out.

    Raises
    ------
    InputError
        If there are no texts, one is blank, or `resolution` is not above 0.

    Notes
    -----
    Embeddings are centered, each text is linked to its nearest others, and communities are found in
    that graph; see `find_communities`. A text that is hardly nearer to its theme than texts of
    different themes are to each other is then set apart; see `fits`.

    Examples
    --------
    >>> from stslab.examples import Letters
    >>> find_themes(["aab", "Aab!", "n/a", "cc"], model=Letters()).describe()
    'No themes: 2 different texts with content are too few. It takes 12.'
    """
    texts = check_texts(texts, "texts")
    if not resolution > 0:
        raise InputError(f"resolution={resolution!r}: expected more than 0, such as 0.5, 1 or 2.")
    if rows is None:
        rows = range(1, len(texts) + 1)
    numbers = list(rows)
    if len(numbers) != len(texts):
        raise InputError(f"rows: {len(numbers):,} numbers for {len(texts):,} texts. Give one each.")
    table = _table_of_texts(texts, numbers)
    taking_part = np.flatnonzero(table["theme"] == APART)
    if len(taking_part) < 2:
        return Themes(table, (), np.nan, _pairs_inside(table, [], np.empty((0, 0), np.float32)))
    embeddings = encode(table["text"].iloc[taking_part].tolist(), model=model)
    nearest, scores = nearest_others(embeddings)
    table.loc[taking_part, "nearest"] = table["text"].to_numpy()[taking_part[nearest]]
    table.loc[taking_part, "score"] = scores
    unit = unit_rows(embeddings).astype(np.float32)
    if threshold is None:
        threshold = same_threshold(unit, calibrated=is_calibrated(model))
    member_lists: list[tuple[Rows, float]] = []
    if len(taking_part) >= FEWEST_TEXTS:
        times = table["times"].to_numpy()[taking_part]
        member_lists = _find_members(embeddings, times, resolution)
    for number, (members, _) in enumerate(member_lists, start=1):
        table.loc[taking_part[members], "theme"] = number
    # Without themes, all texts are looked at together.
    parts = [members for members, _ in member_lists] or [np.arange(len(taking_part))]
    groups_by_part = [nearly_the_same(unit[members], threshold) for members in parts]
    for members, groups in zip(parts, groups_by_part, strict=True):
        for group_number, group in enumerate(groups, start=1):
            table.loc[taking_part[members[group]], "group"] = group_number
    pairs = _pairs_inside(table, [taking_part[members] for members, _ in member_lists], unit)
    themes = _make_themes(table, taking_part, member_lists, groups_by_part)
    return Themes(table, themes, threshold, pairs)


def _make_themes(
    table: pd.DataFrame,
    taking_part: Rows,
    member_lists: Sequence[tuple[Rows, float]],
    groups_by_theme: Sequence[list[list[int]]],
) -> tuple[Theme, ...]:
    """Name the themes, and gather what there is to know of each."""
    if not member_lists:
        return ()
    different = table["text"].iloc[taking_part].tolist()
    members_of_themes = [members.tolist() for members, _ in member_lists]
    names = name_themes(different, members_of_themes, groups_by_theme)
    themes = []
    for (members, steady), (name, words), groups in zip(
        member_lists, names, groups_by_theme, strict=True
    ):
        texts = [different[member] for member in members]
        themes.append(
            Theme(
                name=name,
                words=words,
                texts=tuple(texts),
                count=int(table["times"].iloc[taking_part[members]].sum()),
                steadiness=steady,
                groups=tuple(tuple(texts[place] for place in group) for group in groups),
            )
        )
    return tuple(themes)


def _pairs_inside(
    table: pd.DataFrame, members_of_themes: Sequence[Rows], unit: Vectors
) -> pd.DataFrame:
    """Return each text with the nearest ones of its theme, each pair once."""
    texts = table["text"].to_numpy()
    place_of = np.cumsum((table["theme"] != WITHOUT_CONTENT).to_numpy()) - 1
    records = []
    for number, members in enumerate(members_of_themes, start=1):
        for first, second, score in nearest_pairs(unit[place_of[members]]):
            a, b = sorted((members[first], members[second]))
            records.append((texts[a], texts[b], score, number))
    return pd.DataFrame(records, columns=["text_a", "text_b", "score", "theme"])


def _table_of_texts(texts: list[str], numbers: list[int]) -> pd.DataFrame:
    """Make the table of `Themes`, in which all texts with content are apart so far."""
    positions = positions_of_repeats(texts)
    table = pd.DataFrame({"text": pd.Series(list(positions), dtype=object)})
    table["rows"] = [[numbers[place] for place in places] for places in positions.values()]
    table["times"] = table["rows"].map(len)
    table["theme"] = APART
    table.loc[[not has_content(text) for text in positions], "theme"] = WITHOUT_CONTENT
    return table.assign(group=0, nearest="", score=np.nan)


def _find_members(
    embeddings: Embeddings, times: Rows, resolution: float
) -> list[tuple[Rows, float]]:
    """Return each steady theme's members, the most typical first, and how steady it is.

    The theme with most rows comes first; of equal ones, the one whose first text is earlier.
    """
    centered = center_embeddings(embeddings)
    neighbors = nearest_neighbors(centered)
    if not is_more_than_chance(centered, neighbors):
        return []
    communities = find_communities(centered, neighbors, resolution=resolution)
    labels = communities.labels
    fitting = fits(centered, labels)
    candidates = []
    for label in np.unique(labels[fitting]):
        member = fitting & (labels == label)
        steady = steadiness(member, fitting, communities.resampled)
        members = np.flatnonzero(member)
        if len(members) >= FEWEST_MEMBERS and steady >= LEAST_STEADINESS:
            candidates.append((members, steady))
    in_themes = sum(len(members) for members, _ in candidates)
    if in_themes < LEAST_INSIDE * len(labels):
        return []
    candidates.sort(key=lambda candidate: (-times[candidate[0]].sum(), candidate[0][0]))
    return [(members[by_typicality(centered[members])], steady) for members, steady in candidates]
