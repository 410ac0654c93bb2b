"""Tables of a list's themes: for a page, and one row for each row of the source."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ...inputs.tables import Input
from ...models.encoding import Encoder
from ...wording import counted, listed, plural
from ..differences import words
from ..duplicates import near_duplicates
from ..opposites import opposite_words
from .results import APART, Themes

EXAMPLES = 3
# Of "switched on" and "on the table" these say little.
PARTICLES = {"on", "off", "in", "out", "up", "down", "over", "under"}
MOST_ROWS = 10  # numbers of rows that are listed beside a text
RESULTS = ("left_out", "theme", "group", "nearest", "score")  # columns that are ours


def theme_table(themes: Themes) -> pd.DataFrame:
    """List the themes, the largest first.

    Parameters
    ----------
    themes : Themes

    Returns
    -------
    pandas.DataFrame
        Columns ``theme, rows, share, steady_share, words, typical, unlike``: the share of the rows
        with content; the share of trials without a tenth of the texts in which the theme came back;
        the words of its name with the share of its different texts that hold each; its three most
        typical texts, one a line; and the text that is least like the others.
    """
    total = themes.row_count
    records = []
    for theme in themes.themes:
        words = ", ".join(f"{word} {share:.0%}" for word, share in theme.words)
        records.append(
            {
                "theme": theme.title,
                "rows": theme.count,
                "share": theme.count / total,
                "steady_share": theme.steadiness,
                "words": words,
                "typical": "\n".join(theme.typical),
                "unlike": theme.unlike,
            }
        )
    columns = ["theme", "rows", "share", "steady_share", "words", "typical", "unlike"]
    return pd.DataFrame(records, columns=columns)


def group_table(themes: Themes) -> pd.DataFrame:
    """List the groups of different texts that say nearly the same, the most often said first.

    Parameters
    ----------
    themes : Themes

    Returns
    -------
    pandas.DataFrame
        Columns ``theme, rows, texts``: the theme's name, empty where there are no themes; how many
        rows of the list say it; and its different texts, one a line, each with its rows.
    """
    table = themes.table[themes.table["group"] > 0]
    records = []
    for _, members in table.groupby(["theme", "group"], sort=True):
        texts = [
            f"{text} ({_describe_rows(rows)})"
            for text, rows in zip(members["text"], members["rows"], strict=True)
        ]
        name = themes.name_of(members["theme"].iloc[0])
        records.append((name, int(members["times"].sum()), "\n".join(texts)))
    groups = pd.DataFrame(records, columns=["theme", "rows", "texts"])
    return groups.sort_values("rows", ascending=False, kind="stable").reset_index(drop=True)


def repeat_table(themes: Themes) -> pd.DataFrame:
    """List the texts that are said more than once, the most frequent first.

    Parameters
    ----------
    themes : Themes

    Returns
    -------
    pandas.DataFrame
        Columns ``times, text, rows``. Capitals, spaces and final punctuation do not count, and the
        text is in its most frequent spelling.
    """
    table = themes.table[themes.table["times"] > 1]
    table = table.sort_values("times", ascending=False, kind="stable")
    rows = [", ".join(map(str, numbers)) for numbers in table["rows"]]
    return table.assign(rows=rows)[["times", "text", "rows"]].reset_index(drop=True)


def close_pairs(themes: Themes, *, model: Encoder) -> pd.DataFrame:
    """List pairs of different texts with content that say nearly the same, the closest first.

    Parameters
    ----------
    themes : Themes
    model : Encoder

    Returns
    -------
    pandas.DataFrame
        Columns ``score, sentence_a, sentence_b, row_a, row_b``, each row being the text's first.
        Of more than 10,000 pairs, the best.
    """
    texts = themes.table[themes.table["theme"] >= APART].reset_index(drop=True)
    columns = ["score", "sentence_a", "sentence_b", "row_a", "row_b"]
    if len(texts) < 2:
        return pd.DataFrame(columns=columns)
    pairs = near_duplicates(texts["text"].tolist(), model=model, threshold=themes.threshold)
    first_rows = texts["rows"].str[0]
    pairs["row_a"] = first_rows[pairs["id_a"]].to_numpy()
    pairs["row_b"] = first_rows[pairs["id_b"]].to_numpy()
    return pairs[columns]


def opposite_table(themes: Themes) -> pd.DataFrame:
    """List pairs of texts of one theme that hold opposites, such as "too hot" and "too cold".

    Parameters
    ----------
    themes : Themes

    Returns
    -------
    pandas.DataFrame
        Columns ``theme, sentence_a, sentence_b, opposites, score``, the closest pairs first. Each
        text is compared with the five texts of its theme that are nearest to it.
    """
    records = []
    for text_a, text_b, score, number in themes.pairs.to_numpy().tolist():
        opposites = opposite_words({*words(text_a)} - PARTICLES, {*words(text_b)} - PARTICLES)
        if opposites:
            name = themes.name_of(number)
            records.append((name, text_a, text_b, ", ".join(opposites), score))
    columns = ["theme", "sentence_a", "sentence_b", "opposites", "score"]
    table = pd.DataFrame(records, columns=columns)
    return table.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)


def describe_opposites(themes: Themes) -> str:
    """Describe in which themes texts may contradict each other; empty where none was found.

    Parameters
    ----------
    themes : Themes

    Returns
    -------
    str
    """
    table = opposite_table(themes)
    if table.empty:
        return ""
    pairs = counted(len(table), "pair")
    hold = plural(len(table), "holds", "hold")
    # "slow / fast" and "fast / slow" are one example.
    examples = {
        tuple(sorted(opposites.split(" / "))): opposites for opposites in table["opposites"]
    }
    listed_examples = listed(list(examples.values())[:EXAMPLES])
    return (
        f"At least {pairs} of texts in one theme {hold} opposites, such as {listed_examples}: "
        f"such texts may be about the same and say the opposite of it."
    )


def row_table(read: Input, themes: Themes) -> pd.DataFrame:
    """List all rows of the source as they were, each with its theme, or why it was left out.

    Parameters
    ----------
    read : Input
        Of sentences, on whose texts and rows the themes were found.
    themes : Themes

    Returns
    -------
    pandas.DataFrame
        ``row``, the source's columns, then ``left_out``, ``theme``, ``group``, ``nearest`` and
        ``score``.
    """
    source = read.source_cells
    result_by_row: dict[int, dict[str, Any]] = {}
    for text in themes.table.to_dict("records"):
        result = {"nearest": text["nearest"], "score": text["score"]}
        result["theme"] = themes.name_of(text["theme"])
        if text["theme"] < APART:
            result["left_out"] = "without content"
        if text["group"]:
            result["group"] = text["group"]
        result_by_row |= dict.fromkeys(text["rows"], result)
    records = []
    for number, cells, reason in source.all_rows():
        result = result_by_row.get(number, {"left_out": reason or "blank"})
        records.append([number, *cells, *(result.get(name) for name in RESULTS)])
    ours = [f"{name} (stslab)" if name in source.header else name for name in ("row", *RESULTS)]
    return pd.DataFrame(records, columns=[ours[0], *source.header, *ours[1:]], dtype=object)


def _describe_rows(rows: list[int]) -> str:
    """Return the numbers of the rows that say a text."""
    numbers = ", ".join(map(str, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        numbers += ", …"
    return f"{plural(len(rows), 'row', 'rows')} {numbers}"
