"""What is known of a list's themes, and of the texts that are in none."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ...wording import counted, plural
from .communities import RESAMPLES
from .names import Words

FEWEST_TEXTS = 12  # different ones with content, below which no themes are looked for
NAMED = 3  # largest themes in the finding
APART, WITHOUT_CONTENT = 0, -1  # in the column `theme`


@dataclass(frozen=True)
class Theme:
    """A theme of a list of texts.

    `words` are those of its name, each with the share of the theme's different texts that hold it;
    `texts` its different texts, the most typical first; `groups` those of them that say nearly the
    same, the largest group first.
    """

    name: str
    words: Words
    texts: tuple[str, ...]
    count: int  # rows of the list: repeats count fully
    steadiness: float  # share of resamples, each without a tenth of the texts, that it came back in
    groups: tuple[tuple[str, ...], ...]

    @property
    def typical(self) -> tuple[str, ...]:
        """Return the three most typical texts that do not say nearly the same."""
        group_of = {text: number for number, group in enumerate(self.groups) for text in group}
        typical: list[str] = []
        groups_used = set()
        for text in self.texts:
            group = group_of.get(text)
            if group is None or group not in groups_used:
                typical.append(text)
                groups_used.add(group)
        return tuple(typical[:3])

    @property
    def unlike(self) -> str:
        """Return the text that is least like the others."""
        return self.texts[-1]

    @property
    def title(self) -> str:
        """Return the name for a sentence: ``Late (delivery, days)``, or ``Like “Log in fails”``.

        A name that is a text is not what all texts of the theme say.
        """
        if not self.words:
            return f"Like “{self.name}”"
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
    pairs: pd.DataFrame  # text_a, text_b, score, theme: each text with the nearest of its theme

    @property
    def row_count(self) -> int:
        """Count the rows with content."""
        return int(self.table.loc[self.table["theme"] != WITHOUT_CONTENT, "times"].sum())

    def name_of(self, number: int) -> str:
        """Return the name of a theme by its number; empty for texts in none."""
        if number <= APART:
            return ""
        return self.themes[number - 1].title

    def row_names(self) -> list[str]:
        """Return the name of each row's theme, in the order of the rows; "" for a row in none."""
        name_by_row: dict[int, str] = {}
        for rows, number in zip(self.table["rows"], self.table["theme"], strict=True):
            name_by_row |= dict.fromkeys(rows, self.name_of(number))
        return [name_by_row[row] for row in sorted(name_by_row)]

    def in_order(self) -> pd.DataFrame:
        """List the texts with content, theme by theme, the most typical first, then those apart.

        Returns
        -------
        pandas.DataFrame
            Columns ``text, row, name``: its first row, and the name of its theme, or "".
        """
        place_of = {text: place for theme in self.themes for place, text in enumerate(theme.texts)}
        table = self.table[self.table["theme"] != WITHOUT_CONTENT].assign(
            is_apart=self.table["theme"] == APART,
            place=self.table["text"].map(place_of).fillna(0),
            row=self.table["rows"].str[0],
            name=self.table["theme"].map(self.name_of),
        )
        table = table.sort_values(["is_apart", "theme", "place"], kind="stable")
        return table[["text", "row", "name"]].reset_index(drop=True)

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
                f"No steady themes in {len(with_content):,} different texts: few are nearer to "
                f"others than chance brings them, or what goes together changes when a tenth of "
                f"them is left out."
            )
        largest = [
            f"{theme.title}, {theme.count:,} ({theme.count / total:.0%})"
            for theme in self.themes[:NAMED]
        ]
        counted_themes = counted(len(self.themes), "theme")
        if len(self.themes) > NAMED:
            counted_themes = f"The largest of {counted_themes}"
        texts = "texts"
        if total < self.table["times"].sum():
            texts = "texts with content"
        return (
            f"{counted_themes} in {total:,} {texts}: {'; '.join(largest)}. "
            f"{self._describe_rest(total)}{self._describe_steadiness()}"
        )

    def _describe_rest(self, total: int) -> str:
        apart_count = total - sum(theme.count for theme in self.themes)
        if not apart_count:
            return ""
        fit = plural(apart_count, "fits", "fit")
        return f"{apart_count:,} ({apart_count / total:.0%}) {fit} no theme. "

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
