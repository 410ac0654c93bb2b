"""Test data that is honest, and what the stores find in it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from stslab import InputError, encode
from stslab.stores import docstrings, open_store, recall, similar_vectors
from stslab.studies import read_stsb

pytestmark = pytest.mark.thorough

# Recall


def test_recall_is_the_share_of_true_neighbors_found() -> None:
    assert recall([[1, 2, 3, 9]], [[1, 2, 3, 4]]).tolist() == [0.75]


def test_order_does_not_count() -> None:
    assert recall([[3, 1, 2]], [[1, 2, 3]]).tolist() == [1.0]


def test_a_neighbor_returned_twice_counts_once() -> None:
    assert recall([[1, 1, 1, 1]], [[1, 2, 3, 4]]).tolist() == [0.25]


def test_a_tie_returned_twice_counts_once() -> None:
    scores = {"found_scores": [[0.9, 0.5, 0.5]], "true_scores": [[0.9, 0.8, 0.5]]}
    assert recall([[1, 7, 7]], [[1, 2, 3]], **scores).round(3).tolist() == [0.667]


def test_any_text_that_scores_as_the_last_one_counts() -> None:
    scores = {"found_scores": [[0.9, 0.5]], "true_scores": [[0.9, 0.5]]}
    assert recall([[1, 7]], [[1, 2]], **scores).tolist() == [1.0]
    assert recall([[1, 7]], [[1, 2]]).tolist() == [0.5]


def test_a_text_that_scores_less_does_not() -> None:
    scores = {"found_scores": [[0.9, 0.49]], "true_scores": [[0.9, 0.5]]}
    assert recall([[1, 7]], [[1, 2]], **scores).tolist() == [0.5]


def test_what_was_not_found_does_not_count() -> None:
    scores = {"found_scores": [[0.9, np.nan]], "true_scores": [[0.9, np.nan]]}
    assert recall([[1, -1]], [[1, 2]]).tolist() == [0.5]
    assert recall([[1, -1]], [[1, -1]], **scores).tolist() == [1.0]


def test_more_than_k_found_count_as_the_first_k() -> None:
    assert recall([[9, 1, 2]], [[1, 2]]).tolist() == [0.5]


def test_recall_asks_for_one_row_per_query() -> None:
    with pytest.raises(InputError, match=r"shape \(1, 2\), true_ids: \(2, 2\)"):
        recall([[1, 2]], [[1, 2], [3, 4]])


# Sentences


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return docstrings()


def test_there_are_enough_sentences_for_a_corpus_and_queries(sentences) -> None:
    assert len(sentences) >= 5_200
    assert len(set(sentences)) == len(sentences)


def test_sentences_read_as_sentences(sentences) -> None:
    wrong = [
        text
        for text in sentences
        if not (20 <= len(text) <= 200 and text[0].isupper() and text.endswith("."))
        or any(mark in text for mark in ("`", ">>>", "\n", ":", "  "))
    ]
    assert wrong == []


def test_fewer_sentences_are_the_first_of_more(sentences) -> None:
    assert docstrings(500) == sentences[:500]


def test_more_sentences_than_there_are_is_refused(sentences) -> None:
    with pytest.raises(InputError, match=rf"10,000,000 asked for.*have {len(sentences):,} such"):
        docstrings(10_000_000)


# Vectors


@pytest.fixture(scope="module")
def embedded(stsb, model) -> tuple[np.ndarray, np.ndarray]:
    """Encode 5,000 sentences of the STS Benchmark and 200 others as queries."""
    pairs = [read_stsb(split, folder=stsb) for split in ("test", "dev")]
    columns = [pair[name] for pair in pairs for name in ("sentence_a", "sentence_b")]
    texts = list(dict.fromkeys(text for column in columns for text in column))
    chosen = np.random.default_rng(0).permutation(len(texts))[:5_200]
    vectors = encode([texts[row] for row in chosen], model=model)
    return vectors[:5_000], vectors[5_000:]


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    """Draw clustered vectors of a falling spectrum, as embeddings have."""
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(50, 32))
    return (centers[rng.integers(50, size=2_000)] + 0.5 * rng.normal(size=(2_000, 32))) / np.sqrt(
        np.arange(1, 33)
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_similar_vectors_come_in_blocks_of_float32_and_length_1(real) -> None:
    blocks = list(similar_vectors(real, 40_000))
    assert [len(block) for block in blocks] == [16_384, 16_384, 7_232]
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.linalg.norm(np.vstack(blocks), axis=1), 1, atol=1e-6)


def test_a_seed_gives_the_same_vectors_and_another_others(real) -> None:
    first, again, other = (
        np.vstack(list(similar_vectors(real, 20_000, seed=seed))) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.isclose(first, other).all(axis=1).any()


def test_similar_vectors_keep_mean_and_spectrum(real) -> None:
    made, units = np.vstack(list(similar_vectors(real, 30_000))), unit(real)
    np.testing.assert_allclose(made.mean(axis=0), units.mean(axis=0), atol=0.02)
    spectra = [np.linalg.eigvalsh(np.cov(each.T))[::-1] for each in (made, units)]
    np.testing.assert_allclose(spectra[0], spectra[1], rtol=0.1)


def test_similar_vectors_are_new_but_near(real) -> None:
    made, units = next(similar_vectors(real, 1_000)), unit(real)
    nearest = (made @ units.T).max(axis=1)
    assert np.quantile(nearest, 0.05) > 0.7
    assert (nearest < 1 - 1e-4).all()


def test_similar_vectors_need_real_ones() -> None:
    with pytest.raises(InputError, match="real: 1 vectors"):
        next(similar_vectors([[1.0, 0.0]], 10))


def test_neighbors_of_real_queries_lie_as_far_as_real_ones(embedded) -> None:
    """5,000 made from 2,500 real ones, against 5,000 real ones; random ones lie far off."""
    corpus, queries = (unit(each) for each in embedded)
    made = np.vstack(list(similar_vectors(corpus[:2_500], 5_000)))
    random = unit(np.random.default_rng(0).normal(size=(5_000, 384)))
    tenth = [
        np.median(np.sort(queries @ each.T, axis=1)[:, -10]) for each in (corpus, made, random)
    ]
    assert abs(tenth[1] - tenth[0]) < 0.05
    assert tenth[2] < tenth[0] - 0.2


def test_exact_search_in_many_steps_is_as_in_one(real, monkeypatch, tmp_path) -> None:
    """Steps of 5 queries and 40 vectors, holes among them, against all at once."""
    model = SimpleNamespace(get_embedding_dimension=lambda: 32)
    with open_store(f"exact:{tmp_path}", model=model) as store:
        store.add([f"text {row}" for row in range(2_000)], real)
        store.delete(range(0, 2_000, 3))
        scores, ids = store.nearest(real[:12], 7)
        monkeypatch.setattr("stslab.stores.clients.exact.QUERIES", 5)
        monkeypatch.setattr("stslab.stores.clients.exact.SCORES", 200)
        again, same = store.nearest(real[:12], 7)
    assert np.array_equal(ids, same)
    np.testing.assert_allclose(scores, again, atol=1e-6)
    assert not (ids % 3 == 0).any()


@pytest.mark.parametrize("url", ["exact:{}", "faiss:{}"])
def test_what_another_process_deleted_is_counted_anew(url, real, tmp_path) -> None:
    if url.startswith("faiss"):
        pytest.importorskip("faiss")
    url, model = url.format(tmp_path), SimpleNamespace(get_embedding_dimension=lambda: 32)
    with open_store(url, model=model) as store:
        store.add([f"text {row}" for row in range(20)], real[:20])
    with open_store(url) as reader, open_store(url) as writer:
        assert reader.nearest(real[:2], 10)[1].shape == (2, 10)
        writer.delete(range(10, 20))
        assert reader.nearest(real[:2], 10)[1].max() == 9


# Must hold: what default settings find among real texts


# Chroma warns of how it writes down that it is given no embedding function.
@pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")
@pytest.mark.parametrize(
    ("url", "client", "mean", "low"),
    [
        ("exact", "numpy", 1.0, 1.0),
        ("faiss:{}?index=Flat", "faiss", 1.0, 1.0),
        ("faiss:{}?index=HNSW32", "faiss", 0.99, 0.9),
        ("faiss:{}?index=IVF", "faiss", 0.99, 0.9),
        ("chroma:{}", "chromadb", 0.99, 0.9),
    ],
)
def test_stores_find_the_true_neighbors_of_real_texts(
    url, client, mean, low, embedded, model, tmp_path
) -> None:
    """Recall@10 over 5,000 texts, its mean and 5th percentile over 200 held-out queries."""
    pytest.importorskip(client)
    corpus, queries = embedded
    scores = unit(queries.astype(np.float64)) @ unit(corpus.astype(np.float64)).T
    true = np.argsort(-scores, axis=1)[:, :10]
    with open_store(url.format(tmp_path / "store"), model=model) as store:
        store.add([f"text {row}" for row in range(len(corpus))], corpus)
        found_scores, found = store.nearest(queries, 10)
    shares = recall(
        found,
        true,
        found_scores=found_scores,
        true_scores=np.take_along_axis(scores, true, axis=1),
    )
    assert shares.mean() >= mean
    assert np.percentile(shares, 5) >= low
