"""The sentences that lessons show hold for lists that are short, constant or without a result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stslab import score_pairs
from stslab.studies import (
    agreement,
    agreement_differences,
    best_matches,
    communities,
    describe_closest_pair,
    describe_communities,
    describe_intervals,
    describe_matches,
    describe_measures,
    describe_order,
    describe_random_pairs,
    describe_scale,
    near_duplicates,
    random_pairs,
)

GOLD = np.arange(12.0)


def rated(scores: list[float] | np.ndarray, gold: np.ndarray = GOLD) -> pd.DataFrame:
    constant = {"jaccard": 0.0, "tfidf": 0.0}
    return pd.DataFrame({"score": scores, "gold_score": gold}).assign(**constant)


@pytest.mark.parametrize(
    ("scored", "sentence"),
    [
        (rated(GOLD), "On 12 pairs the model agrees with people, beyond chance"),
        (rated(-GOLD), "On 12 pairs the model orders them against people, beyond chance"),
        (rated(GOLD * 0), "Equal scores throughout cannot say whether the model agrees"),
        (rated([0.1, 0.2], GOLD[:2]), "2 pairs are too few to say whether the model agrees"),
    ],
)
def test_the_model_agrees_only_where_its_interval_leaves_out_zero(scored, sentence) -> None:
    assert describe_order(agreement(scored)).startswith(sentence)


def test_a_winner_is_named_only_where_the_difference_leaves_out_zero() -> None:
    scored = rated(GOLD).assign(tfidf=-GOLD, jaccard=GOLD)
    differences = agreement_differences(scored, against="score")
    assert describe_measures(agreement(scored), differences).endswith(
        "(95%: 1.0000 to 1.0000), TF-IDF -1.0000, Jaccard 1.0000. The model agrees better than "
        "TF-IDF."
    )
    few = scored.head(5)
    said = describe_measures(agreement(few), agreement_differences(few, against="score"))
    assert said.endswith("The pairs are too few to tell the model from shared words.")


def test_measures_without_a_correlation_are_counted() -> None:
    assert describe_intervals(agreement(rated(GOLD))) == [
        "Measures without a correlation, because all values are equal: 2.",
        "The widest interval of a Spearman correlation spans 0.0000.",
    ]
    assert describe_intervals(agreement(rated(GOLD * 0)))[-1] == "No interval could be given."


def test_a_scale_that_nobody_used_to_its_end_is_pointed_out() -> None:
    *_, hint = describe_scale(rated(GOLD, GOLD + 1), gold_min=0, gold_max=12)
    assert hint == "If nobody could give less than 1, set gold_min to 1."
    assert len(describe_scale(rated(GOLD), gold_min=0, gold_max=12)) == 1


def test_without_near_duplicates_the_finding_says_so(letters) -> None:
    texts, options = ["a", "b"], {"model": letters, "threshold": 0.9}
    members, pairs = communities(texts, **options), near_duplicates(texts, **options)
    said = describe_communities(members, pairs, threshold=0.9, total=2)
    assert said == "None of 2 sentences has a near-duplicate (threshold 0.9)."
    matched = best_matches(["a"], ["b"], model=letters)
    assert describe_matches(matched, threshold=0.9) == "Mutual matches that reach 0.9: none of 1."


def test_pairs_that_may_differ_are_counted_in_the_finding(letters) -> None:
    texts, options = ["a 5", "a 6", "b"], {"model": letters, "threshold": 0.9}
    members, pairs = communities(texts, **options), near_duplicates(texts, **options)
    said = describe_communities(members, pairs, threshold=0.9, total=3)
    assert said.endswith("has 2; of 1 pair, 1 may differ in meaning (threshold 0.9).")


def test_a_list_of_repeats_has_no_closest_pair(letters) -> None:
    """What are drawn are then its repeats, which are no news."""
    among = score_pairs(random_pairs(["a", "a"]), model=letters)
    assert describe_closest_pair(among, total=1, model=letters) == (
        "In at least 99% of 1 pair, the score is at most 1.0000."
    )


def test_few_random_pairs_are_called_a_coarse_ruler(letters) -> None:
    texts = [f"{'a' * i} b" for i in range(1, 16)]
    among = score_pairs(random_pairs(texts), model=letters)
    said = describe_random_pairs(among, total=15)
    assert said.startswith("Mean of all 105 pairs of different sentences: ")
    assert "coarse" not in said
    few = describe_random_pairs(among.head(20), total=15)
    assert few.startswith("Mean of 20 random pairs: ")
    assert few.endswith("So few pairs make a coarse ruler.")
