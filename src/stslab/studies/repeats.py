"""Which texts are one text said several times, whatever its capitals, spaces and full stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..inputs.texts import repeat_key


def positions_of_repeats(texts: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions of each different text, under its most frequent spelling.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    dict of str to list of int
        In the order in which the texts first occur; of spellings that are equally frequent, the
        first.

    Examples
    --------
    >>> positions_of_repeats(["late.", "Late", "rude", "Late"])
    {'Late': [0, 1, 3], 'rude': [2]}
    """
    positions_by_key: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        positions_by_key.setdefault(repeat_key(text), []).append(position)
    positions_by_spelling = {}
    for positions in positions_by_key.values():
        spellings = Counter(texts[position] for position in positions)
        positions_by_spelling[spellings.most_common(1)[0][0]] = positions
    return positions_by_spelling
