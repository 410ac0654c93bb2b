"""A class's answers in sentences, each of which is true without the others around it."""

from __future__ import annotations

import pandas as pd

from ..studies import agreement
from ..wording import counted, plural, quoted
from .answers import Gathered
from .gathering import pair_ids
from .statistics import FEWEST

FEW = 5  # learners below which a mean over them says little


def describe_files(gathered: Gathered, pairs: pd.DataFrame) -> str:
    """Describe in one line how many learners and files there are, and what was left out.

    >>> from .answers import Learner
    >>> pairs = pd.DataFrame({"sentence_a": ["A."], "sentence_b": ["B."]})
    >>> describe_files(Gathered(files=2, learners=[Learner(ratings={"0" * 12: 1})]), pairs)
    '1 learner from 2 files: 1 rating of other pairs left out.'
    """
    ids = set(pair_ids(pairs))
    other_ratings = sum(len(learner.ratings.keys() - ids) for learner in gathered.learners)
    exceptions = []
    if gathered.broken:
        exceptions.append(f"{len(gathered.broken):,} broken")
    if gathered.doubled:
        exceptions.append(f"{len(gathered.doubled):,} doubled")
    if other_ratings:
        exceptions.append(f"{counted(other_ratings, 'rating')} of other pairs left out")
    if gathered.other_checks:
        checks = counted(gathered.other_checks, "check")
        exceptions.append(f"{checks} of unknown exercises left out")
    sentence = counted(len(gathered.learners), "learner")
    if gathered.files:
        sentence += f" from {counted(gathered.files, 'file')}"
    if exceptions:
        sentence += f": {', '.join(exceptions)}"
    return f"{sentence}."


def describe_people(correlations: pd.Series[float], rated: pd.DataFrame) -> str:
    """Describe how far people agree with each other; empty if nobody rated a pair.

    >>> correlations = pd.Series([0.7, 0.9])
    >>> describe_people(correlations, pd.DataFrame({"spread": [0.5, 1.5]}))
    'One learner’s ratings agree with the mean of the others at a Spearman correlation of 0.80 \
(mean over 2 learners, from 0.70 to 0.90).'
    """
    correlations = correlations.dropna()
    if rated.empty:
        return ""
    if correlations.empty:
        return (
            f"Too few ratings to say how far people agree: it takes two learners who rate "
            f"{FEWEST} pairs in common, and not all alike."
        )
    return (
        f"One learner’s ratings agree with the mean of the others at a Spearman correlation of "
        f"{_number(correlations.mean())} (mean over {counted(len(correlations), 'learner')}, from "
        f"{_number(correlations.min())} to {_number(correlations.max())})."
    )


def describe_spread_of_ratings(rated: pd.DataFrame) -> str:
    """Describe how far apart the ratings of one pair are; empty if no pair has two."""
    spread = rated["spread"].dropna()
    if spread.empty:
        return ""
    return (
        f"Ratings of the same pair have a standard deviation of {spread.mean():.2f} "
        f"(mean over {counted(len(spread), 'pair')}, on a scale from 0 to 5)."
    )


def describe_model(rated: pd.DataFrame, correlations: pd.Series[float]) -> str:
    """Describe how far the model agrees with the class, and where the ceiling is.

    Parameters
    ----------
    rated : DataFrame with ``score, gold_score``
        The model's score and the mean rating of each pair.
    correlations : Series
        As from `agreement_with_others`.

    Returns
    -------
    str
        Empty if nobody rated a pair.
    """
    if rated.empty:
        return ""
    row = agreement(rated, ["score"]).iloc[0]
    value, low, high = row["spearman"], row["spearman_low"], row["spearman_high"]
    pairs = counted(len(rated), "pair")
    if len(rated) < FEWEST or pd.isna(value):
        return f"Too few different ratings, of {pairs}, to set the model against the class."
    sentence = f"The model’s scores agree with the class mean at {_number(value)} over {pairs}"
    if pd.isna(low):
        return f"{sentence}, too few for an interval."
    sentence += f" (95 % interval {_number(low)} to {_number(high)})"
    ceiling = correlations.mean()
    if pd.isna(ceiling):
        return f"{sentence}."
    position = "inside"
    if ceiling > high:
        position = "above"
    elif ceiling < low:
        position = "below"
    return f"{sentence}; people’s own agreement lies {position} that interval."


def describe_guesses(errors: pd.DataFrame) -> str:
    """Describe the errors of guesses, at the start and the end; empty if nobody made two.

    >>> describe_guesses(pd.DataFrame({"first_half": [0.4], "last_half": [0.1]}))
    'Guesses were off by 0.40 in the first half of a learner’s guesses and by 0.10 in the last \
(means over 1 learner).'
    """
    errors = errors.dropna()
    if errors.empty:
        return ""
    return (
        f"Guesses were off by {errors['first_half'].mean():.2f} in the first half of a learner’s "
        f"guesses and by {errors['last_half'].mean():.2f} in the last (means over "
        f"{counted(len(errors), 'learner')})."
    )


def describe_checks(failures: pd.DataFrame) -> str:
    """Name the check that failed most often; empty without any checks."""
    if failures.empty:
        return ""
    first = failures.iloc[0]
    if not first["failed_tries"]:
        return "Every check passed at the first try."
    tries = counted(first["failed_tries"], "try", "tries")
    return (
        f"The check that failed most often is {quoted(first['exercise'])}, in {tries}; "
        f"{first['share_first_try']:.0%} of "
        f"{counted(first['people'], 'learner')} passed it at the first."
    )


def class_cautions(gathered: Gathered, rated: pd.DataFrame) -> list[str]:
    """Return the cautions that bear on findings about a class."""
    cautions = []
    learners = len(gathered.learners)
    if learners < FEW:
        verb = plural(learners, "is", "are")
        cautions.append(f"{counted(learners, 'learner')} {verb} too few for a class.")
    if gathered.broken:
        files = f"{len(gathered.broken):,} of {counted(gathered.files, 'file')}"
        cautions.append(f"{files} could not be used; they are named at the end.")
    if len(rated):
        cautions.append(f"Agreement is on {counted(len(rated), 'pair')}; on others it may differ.")
    return cautions


def _number(value: float) -> str:
    # -0.0 + 0.0 is 0.0, so zero is never written as -0.00.
    return f"{value + 0.0:.2f}"
