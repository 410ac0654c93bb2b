"""Agreement with people, and what a score is worth.

On the STS Benchmark where it is found: by STSLAB_STSB, else beside the project.
"""

import runpy
import socket

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import stslab
from stslab import studies
from stslab.studies.headlines import STSB_SPEARMAN

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def scored(stsb, model, tmp_path_factory):
    """The benchmark's test pairs with all three measures; encoded once for all tests here."""
    pairs = studies.read_stsb("test", folder=stsb)
    by_words = stslab.score_words(pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STSLAB_CACHE", str(tmp_path_factory.mktemp("embeddings")))
        table = stslab.score_pairs(pairs, model=model)
        yield table.assign(jaccard=by_words["jaccard"], tfidf=by_words["tfidf"])


def pairs_with(scores, gold):
    return pd.DataFrame({"score": scores, "gold_score": np.asarray(gold, dtype=float)})


# On the STS Benchmark


def test_agreement_is_the_published_one(scored):
    """The bundled model, Jaccard and TF-IDF agree with people as published and measured."""
    spearman = studies.agreement(scored).set_index("measure")["spearman"]
    assert round(spearman["score"], 4) == STSB_SPEARMAN
    assert spearman["jaccard"] == pytest.approx(0.565, abs=0.001)
    assert spearman["tfidf"] == pytest.approx(0.693, abs=0.001)


def test_the_interval_of_a_thousand_pairs_holds_the_value(scored):
    table = studies.agreement(scored[["score", "gold_score"]]).iloc[0]
    assert 0.79 < table["spearman_low"] < table["spearman"] < table["spearman_high"] < 0.85


def test_bands_order_averages_and_label_single_pairs_badly(scored):
    table = studies.bands_against_gold(scored)
    assert table["pairs"].tolist() == [148, 474, 321, 225, 211]
    assert table["mean_gold"].round(2).tolist() == [4.44, 3.52, 2.59, 1.45, 0.53]
    assert round(np.average(table["same_band"], weights=table["pairs"]), 2) == 0.46
    pd.testing.assert_frame_equal(table, studies.bands_on_stsb(), atol=1e-5)


def test_the_range_holds_what_it_promises_on_pairs_it_has_not_seen(scored, model):
    """Of test's six sources one is a kind that the fit has not seen, which the table names."""
    expected, gold = studies.expected_gold(scored["score"], model=model), scored["gold_score"]
    assert np.sqrt(np.mean((expected["expected_gold"] - gold) ** 2)) <= 0.86
    held = gold.between(expected["low"] - 1e-9, expected["high"] + 1e-9)
    assert 0.78 <= held.mean() <= 0.90
    by_source = held.groupby(scored["source"]).mean()
    assert (by_source >= 0.72).sum() == 5
    assert by_source.idxmin() == "answer-answer"
    shipped = studies.calibration_coverage().set_index("source")
    shares = shipped["coverage_test"].dropna().round(2)
    pd.testing.assert_series_equal(by_source.round(2), shares.sort_index(), check_names=False)


def test_paired_intervals_are_those_of_a_reference_bootstrap(scored):
    """scipy's percentile bootstrap over pairs, on the same resamples."""
    from scipy.stats import bootstrap, spearmanr

    few = scored.head(60)
    table = studies.agreement_differences(few, against="score", seed=7).set_index("measure")

    def difference(rows):
        a, b, gold = (few[name].to_numpy()[rows] for name in ("jaccard", "score", "gold_score"))
        return spearmanr(a, gold)[0] - spearmanr(b, gold)[0]

    reference = bootstrap(
        (np.arange(60),), difference, vectorized=False, n_resamples=1000, method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval  # fmt: skip
    assert table.loc["jaccard", ["low", "high"]].tolist() == pytest.approx(
        list(reference), abs=1e-9
    )


def test_a_pair_of_models_is_told_apart_by_enough_pairs_only(scored, model):
    """MiniLM and its own first 128 numbers: on the test pairs, and on 26 of them."""
    short = studies.Reduced(model, dimension=128)
    both = scored.assign(short=stslab.score_pairs(scored, model=short)["score"])
    row = studies.agreement_differences(both, ["score", "short"], against="score").iloc[0]
    assert row["high"] < 0
    assert row["verdict"] == "lower"
    alone = studies.agreement(both, ["score", "short"]).set_index("measure")
    overlap = alone.loc["short", "spearman_high"] > alone.loc["score", "spearman_low"]
    assert overlap, "the single intervals would have said that they cannot be told apart"
    few = both.iloc[:: len(both) // 26].head(26)
    row = studies.agreement_differences(few, ["score", "short"], against="score").iloc[0]
    assert row["low"] < 0 < row["high"]
    assert row["verdict"] == "too few pairs to say"


@pytest.mark.slow
def test_shipped_calibration_is_what_its_script_makes(stsb, model):
    """And each source left out is held as stated: eight of nine as promised, one named."""
    script = runpy.run_path(str(ROOT / "benchmarks/calibrate.py"))
    scored = script["benchmark"](stsb, model)
    rebuilt = script["calibration"](scored[scored["split"] != "test"]).drop(columns="pairs")
    at = studies.expected_gold(rebuilt["score"], model=model)
    pd.testing.assert_frame_equal(at, rebuilt, atol=0.011, check_like=True)
    coverage, shipped = script["coverage"](scored), studies.calibration_coverage()
    pd.testing.assert_frame_equal(coverage.reset_index(drop=True), shipped, atol=0.002)
    left_out = coverage["coverage_left_out"]
    assert (left_out >= 0.8).sum() == 8
    assert left_out.median() > 0.9
    assert round(left_out.min(), 2) == 0.59


def test_benchmark_is_read_whole(stsb):
    """No quote swallows a row, and the genre comes along as the group."""
    dev = studies.read_stsb("dev", folder=stsb)
    assert len(dev) == 1500
    assert dev.columns.tolist() == [
        "sentence_a", "sentence_b", "gold_score", "group", "source",
    ]  # fmt: skip
    assert sorted(dev["group"].unique()) == ["main-captions", "main-forums", "main-news"]


# By eye


def test_perfect_order_is_a_spearman_of_one_and_the_interval_is_one():
    table = studies.agreement(pairs_with(np.arange(20) / 20, np.arange(20) ** 2 / 80)).iloc[0]
    assert table[["spearman", "spearman_low", "spearman_high"]].tolist() == pytest.approx([1] * 3)
    assert table["pearson"] < 1


def test_intervals_are_the_same_each_time():
    pairs = pairs_with(np.arange(12) / 12, [0, 2, 1, 3, 2, 4, 3, 5, 4, 5, 5, 3])
    pd.testing.assert_frame_equal(studies.agreement(pairs), studies.agreement(pairs))


def test_no_interval_is_claimed_below_ten_pairs():
    table = studies.agreement(pairs_with([0.1, 0.9], [1, 4])).iloc[0]
    assert table["spearman"] == 1
    assert np.isnan(table["spearman_low"])


def test_constant_scores_agree_with_nothing():
    table = studies.agreement(pairs_with([1.0] * 12, np.arange(12) / 3)).iloc[0]
    assert table[["spearman", "spearman_low", "pearson"]].isna().all()


def test_agreement_within_groups_is_each_groups_own():
    pairs = pairs_with([0.1, 0.2, 0.1, 0.2], [1, 2, 2, 1]).assign(group=list("aabb"))
    table = studies.agreement(pairs, by="group")
    assert table[["group", "pairs", "spearman"]].values.tolist() == [["a", 2, 1], ["b", 2, -1]]


def test_largest_disagreement_comes_first_and_residuals_balance():
    pairs = pairs_with([0.0, 0.5, 1.0, 0.5], [0, 5, 5, 2.5])
    table = studies.residuals(pairs)
    assert table["residual"].sum() == pytest.approx(0)
    assert studies.largest_disagreements(pairs, 2).index.tolist() == [1, 0]


def test_residuals_of_constant_scores_are_distances_from_the_mean():
    assert studies.residuals(pairs_with([1.0, 1.0], [1, 3]))["residual"].tolist() == [-1, 1]


def test_thresholds_count_what_they_find():
    table = studies.thresholds(pairs_with([0.2, 0.6, 0.9], [4, 2, 5]), levels=[0.0, 0.5, 0.95])
    assert table["found"].tolist() == [3, 2, 0]
    assert table["precision"].tolist()[:2] == pytest.approx([2 / 3, 1 / 2])
    assert np.isnan(table["precision"].iloc[2])
    assert table["recall"].tolist() == [1, 0.5, 0]
    assert table["f1"].tolist() == pytest.approx([0.8, 0.5, 0])


def test_recall_is_unknown_where_people_call_nothing_the_same():
    assert studies.thresholds(pairs_with([0.2, 0.6], [1, 2]))["recall"].isna().all()


def test_empty_bands_are_listed():
    table = studies.bands_against_gold(pairs_with([0.95], [5]))
    assert table["pairs"].tolist() == [1, 0, 0, 0, 0]
    assert table["mean_gold"].isna().sum() == 4


def test_expected_gold_rises_with_the_score_within_its_range(model):
    table = studies.expected_gold(np.linspace(-1, 1, 41), model=model)
    assert table["expected_gold"].is_monotonic_increasing
    assert table["expected_gold"].between(table["low"], table["high"]).all()
    assert table[["low", "high"]].stack().between(0, 5).all()
    said = studies.describe_calibration(model)
    assert "English pairs of the STS Benchmark" in said
    assert "59% at worst: short answers to one question" in said


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["Wo ist meine Bestellung geblieben?", "Where is my order?"], "likely not in English"),
        (["A dog barks.", "word " * 41], "shorter than 3 words or longer than 40"),
        (["Hello", "A dog barks."], "1 of 2 texts is shorter than 3 words"),
    ],
)
def test_nothing_is_expected_of_texts_that_were_not_measured(model, texts, why):
    assert studies.expected_gold([0.5], model=model, texts=texts)["low"].isna().all()
    assert why in studies.describe_calibration(model, texts)
    many = [*texts, *(f"A dog barks at {number} cats." for number in range(20))]
    assert studies.expected_gold([0.5], model=model, texts=many)["low"].notna().all()


def test_a_scale_from_1_to_5_is_not_taken_for_one_from_0():
    read = stslab.read_pairs([("a", "b", 1), ("c", "d", 3), ("e", "f", 5)]).table
    assert studies.with_gold(read, gold_min=1)["gold_score"].tolist() == [0, 2.5, 5]
    with pytest.raises(stslab.InputError, match="gold_score 1 of “a”: expected 2 to 5"):
        studies.with_gold(read, gold_min=2)
    with pytest.raises(stslab.InputError, match="expected a lowest score below the highest"):
        studies.with_gold(read, gold_min=5)


def test_a_threshold_comes_with_what_people_say_of_such_pairs(model, scored):
    said = studies.describe_precision(0.8, model=model)
    assert said == (
        "Of the STS Benchmark's pairs that score at least 0.8, people call 57% the same "
        "(4 or more of 5): 44% to 89%, source by source."
    )
    own = studies.describe_precision(0.8, model=model, rated=scored)
    share = scored.loc[scored["score"] >= 0.8, "gold_score"].ge(4).mean()
    assert f"people call {share:.0%} the same" in own
    few = scored[scored["score"] < 0.8].head(5)
    few = studies.describe_precision(0.8, model=model, rated=few)
    assert few == f"You have no rated pairs that score at least 0.8: too few to say. {said}"
    assert "not measured" in studies.describe_precision(0.8, model=object())
    foreign = ["Wo ist meine Bestellung geblieben?"]
    assert "likely not in English" in studies.describe_precision(0.8, model=model, texts=foreign)


def test_where_evidence_is_thin_the_range_is_wide():
    """Nine pairs are the fewest that cut anything off; fewer leave the whole scale."""
    script = runpy.run_path(str(ROOT / "benchmarks/calibrate.py"))
    for n, width in ((8, 5), (9, 4), (200, 3.2)):
        gold = np.linspace(0.5, 4.5, n)
        few = pd.DataFrame({"score": 0.5, "gold_score": gold})
        at = script["local_range"](few).set_index("score").loc[0.5]
        assert at["high"] - at["low"] == pytest.approx(width, abs=0.1)


def test_other_model_and_shortened_vectors_have_no_calibration(model, monkeypatch):
    assert studies.expected_gold([0.5, 0.7], model=object())["expected_gold"].isna().all()
    monkeypatch.setattr(model, "truncate_dim", 128)
    table = studies.expected_gold(0.5, model=model)
    assert table["low"].isna().all()
    assert studies.describe_calibration(model).startswith("No calibration for this model")


def test_random_pairs_are_different_rows_and_the_same_each_time():
    texts = [f"text {n}" for n in range(600)]
    pairs = studies.random_pairs(texts)
    assert len(pairs) == 10_000
    assert (pairs["sentence_a"] != pairs["sentence_b"]).all()
    assert pairs.drop_duplicates().shape == pairs.shape
    pd.testing.assert_frame_equal(pairs, studies.random_pairs(texts))
    assert not pairs.equals(studies.random_pairs(texts, seed=1))


# What cannot be used


@pytest.mark.parametrize(
    ("gold", "says"),
    [
        ([1, 7], "human scores lie from 1 to 7, which fits no usual scale"),
        ([-1, 2], "human scores lie from -1 to 2, which fits no usual scale"),
        ([3, None], "gold_score: 1 pair with one; agreement needs at least 2"),
    ],
)
def test_gold_scores_that_cannot_be_used_are_named(gold, says):
    pairs = stslab.read_pairs([("a", "c", gold[0]), ("b", "d", gold[1])]).table
    with pytest.raises(stslab.InputError, match=says):
        studies.with_gold(pairs)


def test_a_gold_score_outside_its_scale_is_named():
    pairs = stslab.read_pairs([("a", "c", 1), ("b", "d", 7)]).table
    with pytest.raises(stslab.InputError, match="gold_score 7 of “b”: expected 0 to 5"):
        studies.with_gold(pairs, gold_min=0, gold_max=5)


def test_missing_gold_column_says_what_is_needed():
    pairs = stslab.read_pairs([("a", "b"), ("c", "d")]).table
    with pytest.raises(stslab.InputError, match=r"expected 'gold_score'.*third value"):
        studies.with_gold(pairs)


def test_pairs_without_gold_are_left_out():
    """What was read is not touched, so that both can be counted."""
    read = stslab.read_pairs([("a", "b", 1), ("c", "d", 4), ("e", "f")]).table
    assert studies.with_gold(read)["gold_score"].tolist() == [1, 4]
    assert len(read) == 3


def test_one_text_makes_no_random_pair():
    with pytest.raises(stslab.InputError, match="needs two texts, got 1"):
        studies.random_pairs(["alone"])


def test_benchmark_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(stslab.InputError, match=r"sts-test\.csv: no such file"):
        studies.read_stsb(folder=tmp_path)


def test_benchmark_offline_says_what_to_do(monkeypatch, tmp_path):
    """Without a network and without a copy the message names the way out, within seconds."""

    def refuse(*args, **kwargs):
        raise OSError("no network in this test")

    monkeypatch.delenv("STSLAB_STSB", raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(stslab.InputError, match=r"hub did not answer .*set STSLAB_STSB"):
        studies.read_stsb()


def test_hub_copy_is_brought_to_the_scale_from_0_to_5(monkeypatch, tmp_path):
    """The hub's parquet file, as documented, becomes the same table; the download is replaced."""
    hub = pd.DataFrame({"sentence1": ["a", "c"], "sentence2": ["b", "d"], "score": [0.5, 1]})
    hub.to_parquet(tmp_path / "test-00000-of-00001.parquet")
    monkeypatch.delenv("STSLAB_STSB", raising=False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *args, **kwargs: tmp_path)
    assert studies.read_stsb().values.tolist() == [["a", "b", 2.5], ["c", "d", 5]]
