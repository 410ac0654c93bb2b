"""What a class said, in sentences that stay true when someone repeats them."""

from __future__ import annotations

import pandas as pd

from ..studies import agreement
from ..wording import counted, quoted
from .answers import Gathered
from .gathering import pair_ids
from .statistics import FEWEST

FEW = 5  # learners below which a mean over them says little


def describe_files(gathered: Gathered, pairs: pd.DataFrame) -> str:
    """Say in one line how many learners and files there are, and what was left out.

    >>> from .answers import Learner
    >>> pairs = pd.DataFrame({"sentence_a": ["A."], "sentence_b": ["B."]})
    >>> describe_files(Gathered(files=2, learners=[Learner(ratings={"0" * 12: 1})]), pairs)
    '1 learner from 2 files: 1 rating of other pairs left out.'
    """
    known = set(pair_ids(pairs))
    other = sum(len(each.ratings.keys() - known) for each in gathered.learners)
    counts = {"broken": len(gathered.broken), "doubled": len(gathered.doubled)}
    odd = [f"{count:,} {what}" for what, count in counts.items() if count]
    odd += [f"{counted(other, 'rating')} of other pairs left out"] * bool(other)
    if gathered.other_checks:
        odd.append(f"{counted(gathered.other_checks, 'check')} of unknown exercises left out")
    files = f" from {counted(gathered.files, 'file')}" * bool(gathered.files)
    said = f"{counted(len(gathered.learners), 'learner')}{files}"
    return f"{said}: {', '.join(odd)}." if odd else f"{said}."


def describe_people(others: pd.Series[float], rated: pd.DataFrame) -> str:
    """Say how far people agree with each other; empty where nobody rated a pair.

    >>> others = pd.Series([0.7, 0.9])
    >>> describe_people(others, pd.DataFrame({"spread": [0.5, 1.5]}))
    'One learner’s ratings agree with the mean of the others at a Spearman correlation of 0.80 \
(mean over 2 learners, from 0.70 to 0.90).'
    """
    known = others.dropna()
    if rated.empty:
        return ""
    if known.empty:
        return (
            f"Too few ratings to say how far people agree: it takes two learners who rate "
            f"{FEWEST} pairs in common, and not all alike."
        )
    return (
        f"One learner’s ratings agree with the mean of the others at a Spearman correlation of "
        f"{_number(known.mean())} (mean over {counted(len(known), 'learner')}, from "
        f"{_number(known.min())} to {_number(known.max())})."
    )


def describe_spread_of_ratings(rated: pd.DataFrame) -> str:
    """Say how far apart the ratings of one pair are; empty where no pair has two."""
    spread = rated["spread"].dropna()
    if spread.empty:
        return ""
    return (
        f"Ratings of the same pair have a standard deviation of {spread.mean():.2f} "
        f"(mean over {counted(len(spread), 'pair')}, on a scale from 0 to 5)."
    )


def describe_model(rated: pd.DataFrame, others: pd.Series[float]) -> str:
    """Say how far the model agrees with the class, and where the ceiling is.

    Parameters
    ----------
    rated : DataFrame with ``score, gold_score``
        The model's score and the mean rating of each pair.
    others : Series
        As from `agreement_with_others`.

    Returns
    -------
    str
        Empty where nobody rated a pair.
    """
    if rated.empty:
        return ""
    found = agreement(rated, ["score"]).iloc[0]
    value, low, high = (found[f"spearman{end}"] for end in ("", "_low", "_high"))
    pairs = counted(len(rated), "pair")
    if len(rated) < FEWEST or pd.isna(value):
        return f"Too few different ratings, of {pairs}, to set the model against the class."
    said = f"The model’s scores agree with the class mean at {_number(value)} over {pairs}"
    if pd.isna(low):
        return f"{said}, too few for an interval."
    said += f" (95 % interval {_number(low)} to {_number(high)})"
    ceiling = others.mean()
    if pd.isna(ceiling):
        return f"{said}."
    place = "inside" if low <= ceiling <= high else "above" if ceiling > high else "below"
    return f"{said}; people’s own agreement lies {place} that interval."


def describe_guesses(errors: pd.DataFrame) -> str:
    """Say how far guesses were off at the start and at the end; empty without two of one learner.

    >>> describe_guesses(pd.DataFrame({"first_half": [0.4], "last_half": [0.1]}))
    'Guesses were off by 0.40 in the first half of a learner’s guesses and by 0.10 in the last \
(means over 1 learner).'
    """
    known = errors.dropna()
    if known.empty:
        return ""
    return (
        f"Guesses were off by {known['first_half'].mean():.2f} in the first half of a learner’s "
        f"guesses and by {known['last_half'].mean():.2f} in the last (means over "
        f"{counted(len(known), 'learner')})."
    )


def describe_checks(failures: pd.DataFrame) -> str:
    """Say which check failed most often; empty without any."""
    if failures.empty:
        return ""
    first = failures.iloc[0]
    if not first["failed_tries"]:
        return "Every check passed at the first try."
    tries = first["failed_tries"]
    return (
        f"The check that failed most often is {quoted(first['exercise'])}, in {tries:,} "
        f"{'try' if tries == 1 else 'tries'}; {first['share_first_try']:.0%} of "
        f"{counted(first['people'], 'learner')} passed it at the first."
    )


def class_cautions(gathered: Gathered, rated: pd.DataFrame) -> list[str]:
    """List what bears on what is said of a class."""
    found = []
    if len(gathered.learners) < FEW:
        few = counted(len(gathered.learners), "learner")
        found.append(f"{few} {'is' if len(gathered.learners) == 1 else 'are'} too few for a class.")
    if gathered.broken:
        files = f"{len(gathered.broken):,} of {counted(gathered.files, 'file')}"
        found.append(f"{files} could not be used; they are named at the end.")
    if len(rated):
        found.append(f"Agreement is on {counted(len(rated), 'pair')}; on others it may differ.")
    return found


def _number(value: float) -> str:
    return f"{value + 0.0:.2f}"
