"""The parameters that reports know by name. A notebook's others are values without a meaning here.

A file that goes by another name is checked by its notebook itself.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class KnownFile(NamedTuple):
    """The way in which a notebook reads a parameter's file, so that a request can read it first."""

    holds: Literal["sentences", "pairs", "corpus"]
    has_columns: bool = True  # the columns and the sheet that a request names are this file's
    has_scores: bool = False  # of people, one beside each pair


COLUMNS = "columns"  # those of a file that hold the texts, or scores
SHEET = "sheet"  # of a spreadsheet
HIDDEN = "hidden"  # whether to read its hidden rows, too
GOLD_MIN, GOLD_MAX = "gold_min", "gold_max"  # the lowest and the highest score of people
READING = (COLUMNS, SHEET)  # every notebook of a request has to have them: they say how to read

MODEL = "model_name"  # the model that a notebook encodes with; --model sets it
MODELS = (MODEL, "model_names")  # those to compare; a folder among them is found by every kernel

FILES = {
    "sentences": KnownFile("sentences"),  # to report on
    "candidates": KnownFile("sentences"),  # to order by similarity to a reference
    "others": KnownFile("sentences"),  # to compare the sentences with
    "queries": KnownFile("sentences", has_columns=False),  # to search for in the corpus
    "corpus": KnownFile("corpus"),  # to search in
    "pairs": KnownFile("pairs"),  # to score
    "rated_pairs": KnownFile("pairs", has_scores=True),  # to compare scores with people's
    "own_pairs": KnownFile("pairs"),  # a learner's, beside those of a lesson
}
