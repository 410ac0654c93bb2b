"""Drawings of an explanation: words against words, and sentences with their words shaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..figures.drawing import LABELED, Drawing, new_axes
from ..wording import LABEL, counted, quoted, short_label
from .explain import ORDINAL, Explanation

WORD_WIDTH = 16  # characters of a word on an axis
ANNOTATED = 12  # most words a side with a number in each cell
LINE = 60  # characters in a line of shaded words
SHADED = 120  # most words of a sentence that are drawn shaded
# The pale half of the scale: black text has a contrast of 4.5:1 or more on all of it, and still
# has it where a dark page inverts the drawing. No color of text has on the whole scale.
PALE = (0.25, 0.75)
EDGE_OF_POSITIVE: Any = {"edgecolor": "0.8"}
EDGE_OF_NEGATIVE: Any = {"linestyle": "--", "edgecolor": "black"}
GAP: list[tuple[str, float]] = []  # an empty line between the sentences


def draw_word_pairs(
    explanation: Explanation, *, title: str = "Which words carry the score?"
) -> Drawing:
    """Draw what each pair of words contributes, with the first sentence's words as rows.

    Of more than 40 words the 39 that contribute most are drawn, and the others are added up in a
    row of their own, so that the cells still add up to the score.

    Parameters
    ----------
    explanation : Explanation
    title : str

    Returns
    -------
    Drawing
        Its data is the table as drawn.

    Raises
    ------
    ValueError
        If the explanation has no table.
    """
    import seaborn as sns
    from matplotlib.colors import ListedColormap

    if explanation.table is None:
        raise ValueError(f"no table to draw. {explanation.why_no_table} Use draw_words().")
    n, m = map(len, explanation.spans)
    table = _reduced(_reduced(explanation.table, n).T, m).T
    values = table.to_numpy()
    row_count, column_count = table.shape
    width = float(np.clip(3 + 0.5 * column_count, 5, 11))
    height = float(np.clip(2 + 0.4 * row_count, 3.5, 11))
    ax: Any = new_axes(width, height)
    ax.set_title(title, loc="left", fontsize=11, pad=10, parse_math=False)
    colors = sns.color_palette("vlag", as_cmap=True)(np.linspace(*PALE, 256))
    largest = float(np.abs(values).max(initial=0)) or 1.0
    is_annotated = max(values.shape) <= ANNOTATED
    if values.size:
        sns.heatmap(
            values,
            vmin=-largest,
            vmax=largest,
            cmap=ListedColormap(colors),
            annot=is_annotated,
            fmt=".3f",
            annot_kws={"fontsize": 7, "color": "black"},
            linewidths=0.5 * is_annotated,
            xticklabels=False,
            yticklabels=False,
            cbar_kws={"label": "contribution to the score", "shrink": 0.8},
            ax=ax,
        )
    names = [short_label(word, WORD_WIDTH) for word in table.columns]
    text: Any = {"fontsize": 8, "parse_math": False}
    ax.set_xticks(np.arange(column_count) + 0.5, names, rotation=45, ha="right", **text)
    names = [short_label(word, WORD_WIDTH) for word in table.index]
    ax.set_yticks(np.arange(row_count) + 0.5, names, rotation=0, **text)
    return Drawing(ax, _describe(table, explanation), table)


def _reduced(table: pd.DataFrame, words: int) -> pd.DataFrame:
    """Return the rows that contribute most, in reading order, and the sum of the other words."""
    if words <= LABELED:
        return table
    sums = np.abs(table.to_numpy()[:words].sum(axis=1))
    largest = np.sort(np.argsort(-sums, kind="stable")[: LABELED - 1])
    smaller = np.setdiff1d(np.arange(words), largest)
    sum_of_smaller = pd.DataFrame(
        [table.iloc[smaller].to_numpy().sum(axis=0)],
        index=[f"{len(smaller)} other words"],
        columns=table.columns,
    )
    special = table.iloc[words:]
    reduced = pd.concat([table.iloc[largest], sum_of_smaller, special])
    reduced.index.name = table.index.name
    return reduced


def _describe(table: pd.DataFrame, explanation: Explanation) -> str:
    """Describe the drawn table in words: its size, its highest and its lowest cell."""
    values = table.to_numpy()
    size = f"{len(table)} × {len(table.columns)} contributions"
    phrases = [f"{size}, which add up to the score, {explanation.score:.4f}"]
    if values.size:
        extremes = {"highest": values.argmax(), "lowest": values.argmin()}
        for name, position in extremes.items():
            i, j = map(int, np.unravel_index(position, values.shape))
            pair = f"{quoted(table.index[i], LABEL)} with {quoted(table.columns[j], LABEL)}"
            phrases.append(f"{name} {_rounded(values[i, j])} for {pair}")
    return f"{'; '.join(phrases)}."


def _rounded(value: float) -> str:
    """Return a number with three decimals, and 0 without a minus sign."""
    return f"{round(value, 3) + 0.0:.3f}"


def draw_words(
    explanation: Explanation, *, title: str = "What does each word contribute?"
) -> Drawing:
    """Draw the two sentences, each word shaded by its contribution.

    Red words add to the score; blue words, with a dashed edge, lower it. Without a table the
    shades show how far the score falls without the word.

    Parameters
    ----------
    explanation : Explanation
    title : str

    Returns
    -------
    Drawing
        Its data is ``explanation.words``.
    """
    column = "contribution"
    if explanation.table is None:
        column = "change"
    chips_a, chips_b = (_chips(explanation, side, column) for side in "ab")
    largest = max((abs(value) for _, value in [*chips_a, *chips_b]), default=0.0) or 1.0
    lines_a, lines_b = _wrapped(chips_a), _wrapped(chips_b)
    ax = new_axes(5.6, 0.9 + 0.32 * (len(lines_a) + len(lines_b) + 1), title)
    ax.axis("off")
    y = 0.0
    for line in [*lines_a, GAP, *lines_b]:
        _draw_line(ax, line, y, largest)
        if line == GAP:
            y -= 0.6
        else:
            y -= 1
    ax.set(xlim=(0, LINE * 1.08), ylim=(y, 0.9))
    return Drawing(ax, _describe_words(explanation, column), explanation.words)


def _chips(explanation: Explanation, side: str, column: str) -> list[tuple[str, float]]:
    """List the shaded texts of a sentence and their values, the special tokens at the end."""
    words = explanation.words[explanation.words["sentence"] == side]
    labels = [short_label(word, LABEL) for word in words["word"]]
    values = words[column].fillna(0.0).tolist()
    chips = list(zip(labels, values, strict=True))
    if len(chips) > SHADED:
        label = f"… {counted(len(chips) - SHADED, 'more word')}"
        chips = [*chips[:SHADED], (label, sum(values[SHADED:]))]
    special = explanation.special["ab".index(side)]
    if explanation.table is not None and special:
        contributions = explanation.table.to_numpy()
        if side == "b":
            contributions = contributions.T
        chips.append((special, float(contributions[-1].sum())))
    return chips


def _wrapped(chips: list[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    """Break the shaded texts of a sentence into lines."""
    lines: list[list[tuple[str, float]]] = [[]]
    for label, value in chips:
        width = sum(len(text) + 1 for text, _ in lines[-1])
        if lines[-1] and width + len(label) > LINE:
            lines.append([])
        lines[-1].append((label, value))
    return lines


def _draw_line(ax: Any, chips: list[tuple[str, float]], y: float, largest: float) -> None:
    """Draw a line of shaded texts; the largest value has the full color."""
    import seaborn as sns
    from matplotlib.patches import Rectangle

    blue, red = sns.color_palette("vlag", as_cmap=True)(np.array(PALE))[:, :3]
    x = 0.0
    for text, value in chips:
        width = len(text) + 0.8
        color, edge = red, EDGE_OF_POSITIVE
        if value < 0:
            color, edge = blue, EDGE_OF_NEGATIVE
        shade = 1 - abs(value) / largest * (1 - color)
        ax.add_patch(Rectangle((x, y - 0.4), width, 0.8, facecolor=shade, linewidth=0.6, **edge))
        middle: Any = {"ha": "center", "va": "center", "fontsize": 9, "color": "black"}
        ax.text(x + width / 2, y, text, parse_math=False, **middle)
        x += width + 0.25


def _describe_words(explanation: Explanation, column: str) -> str:
    """Describe the drawn sentences in words: the highest and the lowest value."""
    meaning = {"contribution": "contributions to", "change": "what each word adds to"}[column]
    score = f"the score, {explanation.score:.4f}"
    phrases = [f"Two sentences with their words shaded by {meaning} {score}"]
    words = explanation.words.dropna(subset=column)
    if len(words):
        extremes = {"most": words[column].argmax(), "least": words[column].argmin()}
        for name, row in extremes.items():
            word = words.iloc[int(row)]
            place = f"{quoted(word['word'], LABEL)} in the {ORDINAL[word['sentence']]}"
            phrases.append(f"{name} {_rounded(word[column])} for {place}")
    return f"{'; '.join(phrases)}."
