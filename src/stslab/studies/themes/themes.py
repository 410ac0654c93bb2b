"""Find the themes of a list of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...inputs.checks import InputError, check_texts
from ...models.encoding import Embeddings, Encoder, encode
from ...scores.cosine import unit_rows
from ...wording import counted, plural
from ..calibration import is_calibrated
from ..content import has_content
from ..repeats import positions_of_repeats
from .communities import RESAMPLES, find_communities, steadiness
from .members import by_typicality, fits, nearly_the_same, same_threshold
from .names import Words, name_themes
from .neighbors import Rows, center_embeddings, nearest_neighbors, nearest_others

FEWEST_TEXTS = 12  # different ones with content, below which no themes are looked for
FEWEST_MEMBERS = 3  # different texts of a theme
LEAST_INSIDE = (
    0.5  # share of the different texts that fit a theme, below which chance may be at work
)
LEAST_STEADINESS = 0.5  # a theme that comes back in fewer of the resamples is not reported
NAMED = 3  # largest themes in the finding
APART, WITHOUT_CONTENT = 0, -1  # in the column `theme`


@dataclass(frozen=True)
class Theme:
    """A theme of a list of texts.

    `words` are those of its name, each with the share of the theme's different texts that hold it;
    `texts` its different texts, the most typical first; `groups` those of them that say nearly the
    same, the largest group first.
    """

    number: int  # 1 for the theme with most rows
    name: str
    words: Words
    texts: tuple[str, ...]
    count: int  # rows of the list: repeats count fully
    steadiness: float  # share of resamples, each without a tenth of the texts, that it came back in
    groups: tuple[tuple[str, ...], ...]

    @property
    def typical(self) -> tuple[str, ...]:
        """Return the three most typical texts."""
        return self.texts[:3]

    @property
    def unlike(self) -> str:
        """Return the text that is least like the others."""
        return self.texts[-1]

    @property
    def title(self) -> str:
        """Return the name for a sentence: ``Late (delivery, days)``."""
        if not self.words:
            return f"“{self.name}”"
        first, *further = (word for word, _ in self.words)
        title = first[:1].upper() + first[1:]
        if further:
            title += f" ({', '.join(further)})"
        return title


@dataclass(frozen=True)
class Themes:
    """The themes of a list of texts, and the texts that are in none.

    `table` has one row for each different text, in the order of the list: ``text``; ``rows``, the
    numbers of its rows; ``times``, how many they are; ``theme``, the number of its theme, 0 if it
    is apart, -1 if it has no content; ``group``, the number of the group of texts of its theme that
    say nearly the same, or 0; ``nearest``, the other text with content that scores highest with it,
    and the ``score``.
    """

    table: pd.DataFrame
    themes: tuple[Theme, ...]
    threshold: float  # any two texts of a group score at least this

    @property
    def apart(self) -> pd.DataFrame:
        """List the texts that fit no theme, those farthest from all others first.

        Returns
        -------
        pandas.DataFrame
            Columns ``text, rows, times, nearest, score``.
        """
        table = self.table[self.table["theme"] == APART].sort_values("score", kind="stable")
        return table[["text", "rows", "times", "nearest", "score"]].reset_index(drop=True)

    @property
    def without_content(self) -> pd.DataFrame:
        """List the texts without content, such as "n/a", the most frequent first.

        Returns
        -------
        pandas.DataFrame
            Columns ``text, rows, times``.
        """
        table = self.table[self.table["theme"] == WITHOUT_CONTENT]
        table = table.sort_values("times", ascending=False, kind="stable")
        return table[["text", "rows", "times"]].reset_index(drop=True)

    def describe(self) -> str:
        """Describe the largest themes, with counts and shares, and how steady the themes are."""
        with_content = self.table[self.table["theme"] != WITHOUT_CONTENT]
        total = int(with_content["times"].sum())
        if len(with_content) < FEWEST_TEXTS:
            return (
                f"No themes: {counted(len(with_content), 'different text')} with content "
                f"{plural(len(with_content), 'is', 'are')} too few. It takes {FEWEST_TEXTS}."
            )
        if not self.themes:
            return (
                f"No steady themes in {len(with_content):,} different texts: what goes together "
                f"changes when a tenth of them is left out."
            )
        largest = [
            f"{theme.title}: {theme.count:,} of {total:,}, {theme.count / total:.0%}"
            for theme in self.themes[:NAMED]
        ]
        sentence = "; ".join(largest)
        smaller_count = len(self.themes) - len(largest)
        if smaller_count:
            sentence += f"; and {counted(smaller_count, 'smaller theme')}"
        return f"{sentence}. {self._describe_rest(total)}{self._describe_steadiness()}"

    def _describe_rest(self, total: int) -> str:
        apart_count = total - sum(theme.count for theme in self.themes)
        if not apart_count:
            return ""
        fit = plural(apart_count, "fits", "fit")
        return f"{apart_count:,} of {total:,} {fit} no theme, {apart_count / total:.0%}. "

    def _describe_steadiness(self) -> str:
        lowest = min(theme.steadiness for theme in self.themes)
        highest = max(theme.steadiness for theme in self.themes)
        shares = f"{lowest:.0%} to {highest:.0%}"
        if lowest == highest:
            shares = "all"
            if lowest < 1:
                shares = f"{lowest:.0%}"
        it_comes = plural(len(self.themes), "The theme comes", "The themes come")
        return f"{it_comes} back in {shares} of {RESAMPLES} trials without a tenth of the texts."


def find_themes(
    texts: Sequence[str],
    *,
    model: Encoder,
    resolution: float = 1.0,
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
        return Themes(table, (), np.nan)
    embeddings = encode(table["text"].iloc[taking_part].tolist(), model=model)
    nearest, scores = nearest_others(embeddings)
    table.loc[taking_part, "nearest"] = table["text"].to_numpy()[taking_part[nearest]]
    table.loc[taking_part, "score"] = scores
    unit = unit_rows(embeddings).astype(np.float32)
    threshold = same_threshold(unit, calibrated=is_calibrated(model))
    if len(taking_part) < FEWEST_TEXTS:
        return Themes(table, (), threshold)
    member_lists = _find_members(embeddings, table["times"].to_numpy()[taking_part], resolution)
    different = table["text"].iloc[taking_part].tolist()
    groups_by_theme = [nearly_the_same(unit[members], threshold) for members, _ in member_lists]
    names = name_themes(
        different, [members.tolist() for members, _ in member_lists], groups_by_theme
    )
    themes = []
    for number, (members, steady) in enumerate(member_lists, start=1):
        rows_of_members = taking_part[members]
        table.loc[rows_of_members, "theme"] = number
        groups = groups_by_theme[number - 1]
        for group_number, group in enumerate(groups, start=1):
            table.loc[rows_of_members[group], "group"] = group_number
        theme_texts = [different[member] for member in members]
        name, words = names[number - 1]
        themes.append(
            Theme(
                number=number,
                name=name,
                words=words,
                texts=tuple(theme_texts),
                count=int(table.loc[rows_of_members, "times"].sum()),
                steadiness=steady,
                groups=tuple(tuple(theme_texts[place] for place in group) for group in groups),
            )
        )
    return Themes(table, tuple(themes), threshold)


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
    communities = find_communities(centered, nearest_neighbors(centered), resolution=resolution)
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
