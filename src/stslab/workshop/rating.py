"""Pairs and a model's scores → a page in which people rate the pairs first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from ..inputs.checks import InputError
from ..report.page.assets import (
    Assets,
    read_script,
    read_style,
    replace_surrogates,
    templates,
    with_policy,
)
from .answers import FORMAT, VERSION, pair_id

PAGE = Path(__file__).parent / "page"
MEANINGS = (
    "nothing in common",
    "the same topic",
    "some details in common",
    "roughly the same",
    "differs in details",
    "the same meaning",
)


def build_rating_page(
    pairs: Sequence[tuple[str, str]], scores: Sequence[float], folder: Path
) -> Path:
    """Write a page in which people rate pairs from 0 to 5, and see a model's scores afterwards.

    The page offers the ratings as a download, a file that `gather` reads.

    Parameters
    ----------
    pairs : sequence of (str, str), length n
        In the order in which the page shows them.
    scores : sequence of float, length n
        The model's, in [-1, 1]; the page shows them after the last rating only.
    folder : Path
        Where ``rate.html`` is written.

    Returns
    -------
    Path
        The page, the same bytes each time.

    Raises
    ------
    InputError
        If there is no pair, a pair comes twice, or the numbers of pairs and scores differ.
    """
    ids = [pair_id(sentence_a, sentence_b) for sentence_a, sentence_b in pairs]
    if not ids or len(ids) != len(scores):
        raise InputError(
            f"pairs and scores: expected as many scores as pairs, at least one, got {len(ids)} "
            f"pairs and {len(scores)} scores."
        )
    for index, pair in enumerate(pairs):
        if ids[index] in ids[:index]:
            raise InputError(f"pairs[{index}]: {pair!r:.80} is there twice. Rate each pair once.")
    start_data = {
        "format": FORMAT,
        "version": VERSION,
        "pairs": [[name, round(float(score), 6)] for name, score in zip(ids, scores, strict=True)],
    }
    template = templates(PAGE).get_template("rate.html.j2")
    html = template.render(
        pairs=pairs, meanings=MEANINGS, look=_assets(), start=Markup(json.dumps(start_data))
    )
    page = folder / "rate.html"
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text(replace_surrogates(html), encoding="utf-8")
    return page


def _assets() -> Assets:
    """Return the page's style and script, with the policy that admits no others."""
    return with_policy(read_style([PAGE / "rate.css"]), read_script([PAGE / "rate.js"]))
