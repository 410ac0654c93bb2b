"""An explanation drawn: words against words, and two sentences with their words shaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..figures.drawing import LABELED, Drawing, new_axes
from ..wording import LABEL, counted, quoted, short_label
from .explain import ORDINAL, Explanation

WORD = 16  # characters of a word on an axis
ANNOTATED = 12  # most words a side with a number in each cell
LINE = 60  # characters in a line of shaded words
SHADED = 120  # most words of a sentence that are drawn shaded
# The pale half of the scale: black text has a contrast of 4.5:1 or more on all of it, and still
# has it where a dark page inverts the drawing. No color of text has on the whole scale.
PALE = (0.25, 0.75)


def draw_word_pairs(
    explanation: Explanation, *, title: str = "Which words carry the score?"
) -> Drawing:
    """Draw what each pair of words contributes, words of the first sentence downwards.

    Of more than 40 words the 39 that contribute most are drawn, and the others added up in a row
    of their own, so that the cells still add up to the score.

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
    values, (height, width) = table.to_numpy(), table.shape
    ax: Any = new_axes(
        float(np.clip(3 + 0.5 * width, 5, 11)), float(np.clip(2 + 0.4 * height, 3.5, 11))
    )
    ax.set_title(title, loc="left", fontsize=11, pad=10, parse_math=False)
    most = float(np.abs(values).max(initial=0)) or 1.0
    few = max(values.shape) <= ANNOTATED
    cells: Any = {"annot": few, "fmt": ".3f", "annot_kws": {"fontsize": 7, "color": "black"}}
    cells |= {"linewidths": 0.5 * few, "xticklabels": False, "yticklabels": False}
    beside = {"label": "contribution to the score", "shrink": 0.8}
    colors = sns.color_palette("vlag", as_cmap=True)(np.linspace(*PALE, 256))
    scale: Any = {"vmin": -most, "vmax": most, "cmap": ListedColormap(colors)}
    if values.size:
        sns.heatmap(values, **scale, **cells, cbar_kws=beside, ax=ax)
    for axis, labels in (("x", table.columns), ("y", table.index)):
        ticks, names = np.arange(len(labels)) + 0.5, [short_label(word, WORD) for word in labels]
        turned: Any = {"rotation": 45, "ha": "right"} if axis == "x" else {"rotation": 0}
        getattr(ax, f"set_{axis}ticks")(ticks, names, **turned, fontsize=8, parse_math=False)
    return Drawing(ax, _describe(table, explanation), table)


def _reduced(table: pd.DataFrame, words: int) -> pd.DataFrame:
    """Keep the rows that contribute most, in reading order, and add up the others in one."""
    if words <= LABELED:
        return table
    sums = np.abs(table.to_numpy()[:words].sum(axis=1))
    kept = np.sort(np.argsort(-sums, kind="stable")[: LABELED - 1])
    rest = np.setdiff1d(np.arange(words), kept)
    others = pd.DataFrame([table.iloc[rest].to_numpy().sum(axis=0)], [f"{len(rest)} other words"])
    others.columns = table.columns
    both = pd.concat([table.iloc[kept], others, table.iloc[words:]])
    both.index.name = table.index.name
    return both


def _describe(table: pd.DataFrame, explanation: Explanation) -> str:
    values = table.to_numpy()
    size = f"{len(table)} × {len(table.columns)} contributions"
    said = f"{size}, which add up to the score, {explanation.score:.4f}"
    if not values.size:
        return f"{said}."
    ends = {"highest": values.argmax(), "lowest": values.argmin()}
    for end, place in ends.items():
        i, j = map(int, np.unravel_index(place, values.shape))
        pair = f"{quoted(table.index[i], LABEL)} with {quoted(table.columns[j], LABEL)}"
        said += f"; {end} {round(values[i, j], 3) + 0.0:.3f} for {pair}"
    return f"{said}."


def draw_words(
    explanation: Explanation, *, title: str = "What does each word contribute?"
) -> Drawing:
    """Draw the two sentences, each word shaded by its contribution.

    Red adds to the score and blue, with a dashed edge, takes from it. Without a table the shades
    show how far the score falls when the word is taken out.

    Parameters
    ----------
    explanation : Explanation
    title : str

    Returns
    -------
    Drawing
        Its data is ``explanation.words``.
    """
    column = "change" if explanation.table is None else "contribution"
    sides = [_chips(explanation, side, column) for side in "ab"]
    most = max((abs(value) for chips in sides for _, value in chips), default=0.0) or 1.0
    lines = [_wrapped(chips) for chips in sides]
    ax = new_axes(5.6, 0.9 + 0.32 * (sum(map(len, lines)) + 1), title)
    ax.axis("off")
    y = 0.0
    for line in [*lines[0], [], *lines[1]]:
        _draw_line(ax, line, y, most)
        y -= 1 if line else 0.6
    ax.set(xlim=(0, LINE * 1.08), ylim=(y, 0.9))
    return Drawing(ax, _describe_words(explanation, column), explanation.words)


def _chips(explanation: Explanation, side: str, column: str) -> list[tuple[str, float]]:
    """List what is shaded in a sentence with its value, the special tokens at the end."""
    words = explanation.words[explanation.words["sentence"] == side]
    values = words[column].fillna(0.0).tolist()
    chips = [(short_label(w, LABEL), v) for w, v in zip(words["word"], values, strict=True)]
    if len(chips) > SHADED:
        more = f"… {counted(len(chips) - SHADED, 'more word')}"
        chips = [*chips[:SHADED], (more, sum(values[SHADED:]))]
    special = explanation.special["ab".index(side)]
    if explanation.table is not None and special:
        table = explanation.table if side == "a" else explanation.table.T
        chips.append((special, float(table.to_numpy()[-1].sum())))
    return chips


def _wrapped(chips: list[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    lines: list[list[tuple[str, float]]] = [[]]
    for chip in chips:
        if lines[-1] and sum(len(text) + 1 for text, _ in lines[-1]) + len(chip[0]) > LINE:
            lines.append([])
        lines[-1].append(chip)
    return lines


def _draw_line(ax: Any, chips: list[tuple[str, float]], y: float, most: float) -> None:
    import seaborn as sns
    from matplotlib.patches import Rectangle

    blue, red = sns.color_palette("vlag", as_cmap=True)(np.array(PALE))[:, :3]
    x = 0.0
    for text, value in chips:
        width = len(text) + 0.8
        shade = 1 - abs(value) / most * (1 - (red if value >= 0 else blue))
        edge: Any = {"linestyle": "--", "edgecolor": "black"} if value < 0 else {"edgecolor": "0.8"}
        ax.add_patch(Rectangle((x, y - 0.4), width, 0.8, facecolor=shade, linewidth=0.6, **edge))
        middle: Any = {"ha": "center", "va": "center", "fontsize": 9, "color": "black"}
        ax.text(x + width / 2, y, text, parse_math=False, **middle)
        x += width + 0.25


def _describe_words(explanation: Explanation, column: str) -> str:
    what = {"contribution": "contributions to", "change": "what each word adds to"}[column]
    said = f"Two sentences with their words shaded by {what} the score, {explanation.score:.4f}"
    words = explanation.words.dropna(subset=column)
    if len(words):
        for end, row in (("most", words[column].argmax()), ("least", words[column].argmin())):
            word = words.iloc[int(row)]
            which = f"{quoted(word['word'], LABEL)} in the {ORDINAL[word['sentence']]}"
            said += f"; {end} {round(word[column], 3) + 0.0:.3f} for {which}"
    return f"{said}."
