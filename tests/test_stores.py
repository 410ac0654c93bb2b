"""Every store finds what `stslab.search` finds, and keeps what it was given.

Pinecone is a stub of its documented wire format on loopback: none of this ran against the service.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinecone_stub import KEY, PineconeStub
from store_places import IN_FOLDERS, KINDS, ChromaServer, numbers

from stslab import InputError, encode, search
from stslab.stores import Store, open_store, search_store

pytestmark = pytest.mark.thorough

CORPUS = [
    "Machine learning models learn patterns from data.",
    "Deep neural networks have many hidden layers.",
    "Paris is the capital and largest city of France.",
    "The Eiffel Tower was built in 1889.",
    "Convolutional networks excel at image recognition tasks.",
    "Transfer learning reuses knowledge from pre-trained models.",
    "French cuisine is famous around the world.",
    "Recurrent networks are designed for sequential data.",
]
QUERY = "What neural network architecture works well for images?"


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory) -> Iterator[ChromaServer]:
    pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    yield server
    server.kill()


@pytest.fixture
def store_url(request, tmp_path, monkeypatch) -> Iterator[str]:
    """Name a new store of the kind that a test is run for."""
    kind = request.param
    name = f"texts{next(numbers)}"
    if kind in ("flat", "hnsw", "ivf"):
        pytest.importorskip("faiss", reason="needs the extra 'faiss'")
    if kind == "pinecone":
        pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
        monkeypatch.setenv("PINECONE_API_KEY", KEY)
        with PineconeStub() as stub:
            yield KINDS[kind].format(stub=stub.host)
    elif kind == "server":
        server = request.getfixturevalue("chroma_server")
        yield KINDS[kind].format(server=server.url, name=name)
    else:
        if kind == "chroma":
            pytest.importorskip("chromadb", reason="needs the extra 'chroma'")
        yield KINDS[kind].format(folder=tmp_path / name)


def of(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("store_url", kinds, indirect=True)


everywhere = of(*KINDS)
where_it_stays = of(*[kind for kind in KINDS if kind != "temporary"])


def filled(url: str, texts: list[str], model: Any, **more: Any) -> Store:
    store = open_store(url, model=model)
    store.add(texts, encode(texts, model=model, task="document"), **more)
    return store


# The tutorial


@pytest.fixture(scope="module")
def tutorial(model) -> tuple[pd.DataFrame, Any]:
    """Search as the tutorial does, and give the corpus's vectors."""
    return search(QUERY, CORPUS, model=model), encode(CORPUS, model=model, task="document")


@everywhere
def test_the_tutorials_search_is_the_same_from_every_store(store_url, model, tutorial) -> None:
    """Three hits, four decimals, the same table."""
    expected, vectors = tutorial
    assert expected["score"].round(4).tolist() == [0.4764, 0.4165, 0.3095]
    with open_store(store_url, model=model) as store:
        store.add(CORPUS, vectors)
        found = search_store(QUERY, store, model=model)
    pd.testing.assert_frame_equal(found.round(4), expected.round(4))


def test_an_index_of_pinecone_is_found_by_its_name(letters, monkeypatch) -> None:
    """The client asks the control plane for the index's host."""
    pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    with PineconeStub(3) as stub:
        monkeypatch.setenv("PINECONE_CONTROLLER_HOST", stub.host)
        with filled("pinecone:papers", ["ab", "cc"], letters) as store:
            assert store.nearest([[0, 0, 1]], 1)[1].tolist() == [[1]]
    assert ("/indexes/papers", 15) in stub.requests


# Keeping


@everywhere
def test_ids_and_metadata_are_carried(store_url, letters) -> None:
    about = [{"year": 1889, "in": "Paris", "old": True}, {"share": 0.5}, {}]
    with filled(store_url, ["a", "b", "c"], letters, ids=[30, 7, 2**40], metadata=about) as store:
        found = store.search([[0, 1, 0], [1, 0, 0]], 1)
        assert store.count() == 3
        assert store.get([2**40, 5]).keys() == {2**40}
    assert found.columns[:5].tolist() == ["query", "rank", "score", "corpus_id", "text"]
    assert {*found.columns[5:]} == {"share", "year", "in", "old"}
    assert found["corpus_id"].tolist() == [7, 30]
    assert found.loc[0, "share"] == 0.5
    assert (found.loc[1, ["year", "in", "old"]] == [1889, "Paris", True]).all()


@everywhere
def test_what_has_the_same_id_is_replaced_with_its_metadata(store_url, letters) -> None:
    """Chroma's own upsert would keep the metadata that the new text does not have."""
    with filled(store_url, ["a", "b"], letters, metadata=[{"x": 1, "y": 1}, {"x": 2}]) as store:
        store.add(["c", "cc"], [[0, 0, 1], [0, 0, 2]], ids=[0, 5], metadata=[{"y": 3}, {}])
        store.add(["cb"], [[0, 1, 1]], ids=[5])
        assert store.count() == 3
        texts = {
            key: (each.text, dict(each.metadata)) for key, each in store.get([0, 1, 5]).items()
        }
        assert texts == {0: ("c", {"y": 3}), 1: ("b", {"x": 2}), 5: ("cb", {})}
        np.testing.assert_allclose(store.nearest([[1, 0, 0]], 3)[0], 0.0, atol=1e-6)


@where_it_stays
def test_a_reopened_store_holds_everything(store_url, letters) -> None:
    with filled(store_url, ["a", "b", "ab", "abc"], letters, metadata=[{"n": 1}, {}, {}, {}]) as it:
        it.delete([1])
        before = it.search([[2, 1, 0]], 3)
    with open_store(store_url) as again:
        assert again.count() == 3
        pd.testing.assert_frame_equal(again.search([[2, 1, 0]], 3), before)
        assert again.identity == it.identity
        again.add(["c"], [[0, 0, 1]], ids=[1])
    with open_store(store_url, model=letters) as again:
        assert again.nearest([[0, 0, 1]], 1)[1].tolist() == [[1]]


# Order


@everywhere
def test_of_equal_scores_the_lower_id_comes_first(store_url, letters) -> None:
    """Whatever the order in which they came; which of them are hits is up to the client."""
    ids = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    with filled(store_url, ["ab"] * 10, letters, ids=ids) as store:
        store.add(["a", "c"], [[1, 0, 0], [0, 0, 1]], ids=[0, 1])
        scores, hits = store.nearest([[1, 1, 0]], 3)
        assert hits.tolist() == [sorted(hits[0].tolist())]
        assert {*hits[0].tolist()} <= {*ids}
        assert scores.tolist() == [[scores[0, 0]] * 3]
        np.testing.assert_allclose(scores, 1.0, atol=1e-6)
        assert store.nearest([[2, 1, 0]], 12)[1].tolist() == [[*range(2, 12), 0, 1]]


@of("temporary")
def test_exact_search_returns_the_lower_ids_of_equal_scores(
    store_url, letters, monkeypatch
) -> None:
    """Also where the last hit has the score of texts that are none, and block by block."""
    monkeypatch.setattr("stslab.stores.clients.exact.SCORES", 4)
    ids = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    with filled(store_url, ["ab"] * 10, letters, ids=ids) as store:
        store.add(["a", "c"], [[1, 0, 0], [0, 0, 1]], ids=[0, 1])
        assert store.nearest([[1, 1, 0]], 3)[1].tolist() == [[2, 3, 4]]
        assert store.nearest([[2, 1, 0]], 4)[1].tolist() == [[2, 3, 4, 5]]


@everywhere
def test_queries_at_once_are_as_one_by_one(store_url, letters) -> None:
    rng = np.random.default_rng(5)
    vectors, queries = rng.normal(size=(60, 3)), rng.normal(size=(8, 3))
    with open_store(store_url, model=letters) as store:
        store.add([f"text {n}" for n in range(60)], vectors)
        scores, ids = store.nearest(queries, 4)
        for row, query in enumerate(queries):
            one_score, one_id = store.nearest(query, 4)
            assert one_id[0].tolist() == ids[row].tolist()
            np.testing.assert_allclose(one_score[0], scores[row], atol=1.1e-6)


VECTORS = st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=1, max_size=30)


@given(vectors=VECTORS, query=st.tuples(*[st.integers(-2, 2)] * 3), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_hits_of_an_exact_store_are_those_of_search(vectors, query, data) -> None:
    """Small whole numbers, so that many score the same."""

    class Listed:
        def encode(self, texts):
            known = dict(enumerate(vectors))
            return [known[int(text)] if text.isdigit() else query for text in texts]

    texts = [str(number) for number in range(len(vectors))]
    top_k = data.draw(st.integers(1, len(texts)))
    expected = search("query", texts, model=Listed(), top_k=top_k)
    with open_store("exact", model=Listed()) as store:
        store.add(texts, vectors)
        found = search_store("query", store, model=Listed(), top_k=top_k)
    pd.testing.assert_frame_equal(found, expected, atol=1e-6, rtol=0)


# Vectors


@everywhere
def test_vectors_of_any_length_are_compared_by_angle(store_url, letters) -> None:
    with open_store(store_url, model=letters) as store:
        store.add(["far", "near"], [[300, 400, 0], [0.001, 0, 0]])
        scores, ids = store.nearest([[50, 0, 0], [0, -3, 0]], 2)
    assert ids.tolist() == [[1, 0], [1, 0]]
    np.testing.assert_allclose(scores, [[1.0, 0.6], [0.0, -0.8]], atol=1e-6)


@of(*[kind for kind in KINDS if kind != "pinecone"])
def test_a_text_of_which_the_model_knows_no_word_is_similar_to_nothing(store_url, letters) -> None:
    with filled(store_url, ["zzz", "a", "b"], letters) as store:
        scores, ids = store.nearest([[1, 0, 0], [0, 0, 0]], 3)
    assert ids.tolist() == [[1, 0, 2], [0, 1, 2]]
    np.testing.assert_allclose(scores, [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], atol=1e-6)


@of("temporary")
def test_prompts_for_queries_are_used(store_url, model, monkeypatch) -> None:
    monkeypatch.setattr(model, "prompts", {"query": "query: ", "document": "passage: "})
    expected = search(QUERY, CORPUS, model=model, top_k=8)
    assert expected["score"].round(4).tolist()[:3] != [0.4764, 0.4165, 0.3095]
    with filled(store_url, CORPUS, model) as store:
        found = search_store([QUERY], store, model=model, top_k=8)
    pd.testing.assert_frame_equal(found.round(4), expected.round(4))


# Deleting


@everywhere
def test_what_was_deleted_is_not_found(store_url, letters) -> None:
    texts = [("ab" * n)[:n] + "c" for n in range(1, 41)]
    with filled(store_url, texts, letters) as store:
        gone = list(range(0, 40, 2))
        store.delete([*gone, 999])
        store.delete([])
        assert store.count() == 20
        scores, ids = store.nearest([[1, 1, 0]], 20)
        assert sorted(ids[0].tolist()) == list(range(1, 40, 2))
        assert np.isfinite(scores).all()
        assert store.get(gone) == {}
        store.delete(range(40))
        assert store.count() == 0
        with pytest.raises(ValueError, match="holds no texts yet"):
            store.nearest([[1, 1, 0]], 1)


@everywhere
def test_texts_without_ids_replace_none_after_a_deletion(store_url, letters) -> None:
    with filled(store_url, ["a", "b", "c"], letters) as store:
        store.delete([0])
        with pytest.raises(InputError) as refused:
            store.add(["ab"], [[1, 1, 0]])
        assert str(refused.value) == (
            f"ids: {store_url} holds 2 texts, one of them as 2. Texts were deleted, or added with "
            f"ids: give ids here, too."
        )
        assert store.get([2])[2].text == "c"
        store.add(["ab"], [[1, 1, 0]], ids=[3])
        assert store.count() == 3


@of("temporary")
def test_metadata_named_as_a_column_of_hits(store_url, letters) -> None:
    with filled(store_url, ["a"], letters, metadata=[{"score": 7, "year": 1}]) as store:
        found = store.search([[1, 0, 0]], 1)
    assert found.columns[-2:].tolist() == ["score (other)", "year"]
    assert found.loc[0, ["score", "score (other)"]].tolist() == [1.0, 7]


# Refusing


@everywhere
def test_an_empty_store_has_nothing_to_find(store_url, letters) -> None:
    with open_store(store_url, model=letters) as store:
        assert store.count() == 0
        assert store.get([0]) == {}
        with pytest.raises(ValueError, match="it holds no texts yet"):
            store.nearest([[1, 0, 0]])


@everywhere
def test_what_cannot_be_used_is_refused_and_nothing_is_added(store_url, letters) -> None:
    one, two = [[1, 0, 0]], [[1, 0, 0], [0, 1, 0]]
    with filled(store_url, ["ab"], letters) as store:
        wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
            (["a"], [[1, 0]], {}, r"vectors: shape \(1, 2\), expected \(1, 3\): .* holds vectors"),
            (["a"], two, {}, r"vectors: shape \(2, 3\), expected \(1, 3\)"),
            (["a"], [[1, np.nan, 0]], {}, "some are not finite numbers. Leave these texts out."),
            (["a"], [[1, np.inf, 0]], {}, "some are not finite numbers"),
            (["a", "b"], two, {"ids": [4, 4]}, "ids: one is given twice. Give each text its own."),
            (["a"], one, {"ids": [-1]}, r"whole numbers from 0, got \[-1\]. Keep a key of your"),
            (["a"], one, {"ids": ["x"]}, r"ids: expected whole numbers from 0, got \['x'\]"),
            (["a"], one, {"ids": [1.5]}, r"ids: expected whole numbers from 0, got \[1.5\]"),
            (["a"], one, {"ids": [2**63]}, r"whole numbers from 0, got \[9223372036854775808\]"),
            (["a"], one, {"ids": [1, 2]}, "ids: 2 for 1 texts. Give one for each."),
            (["a", "b"], two, {"metadata": [{}]}, "metadata: 1 for 2 texts. Give one for each."),
            (["a", " "], two, {}, r"texts\[1\] is blank"),
            ([], np.empty((0, 3)), {}, "texts: no texts"),
            ("a", one, {}, "expected a list of texts"),
        ]
        for texts, vectors, more, message in wrong:
            with pytest.raises(InputError, match=message):
                store.add(texts, vectors, **more)
        assert store.count() == 1
        with pytest.raises(ValueError, match=r"top_k=2: expected 1 to 1, the number of texts in "):
            store.nearest(one, 2)
        with pytest.raises(InputError, match=r"vectors: shape \(1, 2\), expected \(1, 3\)"):
            store.nearest([[1, 0]], 1)


# What the clients answer, number by number


def test_chromas_folder_and_server_answer_the_same_numbers(chroma_server, tmp_path) -> None:
    """``1 - cosine`` in our space, from both; ``2 - 2 cosine`` in Chroma's default one."""
    import chromadb

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors[:20].astype(float) @ vectors.T.astype(float)
    quiet = chromadb.config.Settings(anonymized_telemetry=False)
    embedded = chromadb.PersistentClient(tmp_path / "chroma", quiet)
    server = chromadb.HttpClient("127.0.0.1", chroma_server.port, settings=quiet)
    answers: dict[str, list[Any]] = {"cosine": [], "l2": []}
    for client in (embedded, server):
        for space, found in answers.items():
            collection = client.create_collection(
                f"numbers-{space}",
                embedding_function=None,
                configuration={"hnsw": {"space": space, "ef_search": 300}},
            )
            collection.add(ids=[str(row) for row in range(300)], embeddings=vectors)
            found.append(collection.query(query_embeddings=vectors[:20], n_results=50))
        client.close()
    for space, factor in (("cosine", 1), ("l2", 2)):
        here, there = answers[space]
        assert here["ids"] == there["ids"]
        np.testing.assert_array_equal(np.float32(here["distances"]), np.float32(there["distances"]))
        for row, (ids, distances) in enumerate(zip(here["ids"], here["distances"], strict=True)):
            expected = factor * (1 - cosines[row, [int(key) for key in ids]])
            np.testing.assert_allclose(distances, expected, atol=2e-6)


# Chroma calls its own ``embedding_function=None`` so, when it reads back what it has modified.
@pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")
@of("chroma", "server")
def test_chromas_options(store_url, letters) -> None:
    """Given when the collection is made; those of a search may be changed later."""
    with open_store(f"{store_url}?ef_search=20&max_neighbors=8", model=letters) as store:
        made = store.collection.configuration_json["hnsw"]
        assert (made["space"], made["ef_search"], made["max_neighbors"]) == ("cosine", 20, 8)
    open_store(f"{store_url}?ef_search=50").close()
    with open_store(store_url) as store:
        assert store.collection.configuration_json["hnsw"] == {**made, "ef_search": 50}
    for options, message in (
        ("ef_search=many", "ef_search=many: expected ef_search, ef_construction, max_neighbors, "),
        ("ef_serch=9", "ef_serch=9: expected ef_search, ef_construction, max_neighbors, each with"),
        ("max_neighbors=9", "it was built with max_neighbors=8. Only ef_search can be changed: "),
    ):
        with pytest.raises(InputError, match=message):
            open_store(f"{store_url}?{options}")


def test_pinecones_namespaces_hold_texts_of_their_own(letters, monkeypatch) -> None:
    pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    with PineconeStub(3) as stub:
        url = f"pinecone:{stub.host}"
        filled(url, ["a"], letters).close()
        with filled(f"{url}?namespace=more", ["b", "c"], letters) as store:
            assert store.count() == 2
        with open_store(url) as store:
            assert store.search([[0, 1, 0]], 1)["text"].tolist() == ["a"]
        with pytest.raises(InputError, match="'namespase' is no option; 'namespace' is the only"):
            open_store(f"{url}?namespase=more", model=letters)


def test_a_request_to_pinecone_stays_below_its_limits(monkeypatch) -> None:
    """Of 3,072 dimensions and 30,000 letters each, a hundred vectors would have 9 MB."""
    pytest.importorskip("pinecone", reason="needs the extra 'pinecone'")
    monkeypatch.setenv("PINECONE_API_KEY", KEY)

    class Large:
        def encode(self, texts):
            return np.random.default_rng(1).normal(size=(len(texts), 3072))

    texts = [f"{number} " + "x" * 30_000 for number in range(60)]
    with PineconeStub(3072) as stub, filled(f"pinecone:{stub.host}", texts, Large()) as store:
        assert store.count() == 60
        assert store.get(range(60))[59].text == texts[59]
    sizes = [size for path, size in stub.requests if path == "/vectors/upsert"]
    assert len(sizes) == 1 + 4
    assert max(sizes) < 2_000_000


# Weight


def imported_by(code: str) -> set[str]:
    heavy = "{'torch', 'sentence_transformers', 'faiss', 'chromadb', 'pinecone'}"
    code = f"import sys\n{code}\nprint(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_no_client_is_imported_before_it_is_used() -> None:
    assert imported_by("import stslab") == set()
    opening = """
import numpy as np
from stslab.stores import Store, StoreError, open_store, search_store
from stslab.examples import Letters
with open_store("exact", model=Letters()) as store:
    store.add(["a"], [[1, 0, 0]])
    store.nearest([[1, 0, 0]], 1)
"""
    assert imported_by(opening) == set()


@of(*IN_FOLDERS)
def test_a_store_is_searched_without_the_model_stack(store_url, letters) -> None:
    filled(store_url, ["a", "b"], letters).close()
    found = imported_by(
        f"from stslab.stores import open_store\nwith open_store({store_url!r}) as store:\n"
        f"    assert store.search([[1, 0, 0]], 1)['text'].tolist() == ['a']"
    )
    assert found == ({"faiss"} if store_url.startswith("faiss") else set())


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("faiss:{}", "faiss", "faiss"),
        ("chroma:{}", "chromadb", "chroma"),
        ("pinecone:papers", "pinecone", "pinecone"),
    ],
)
def test_a_client_that_is_not_installed(url, module, extra, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as refused:
        open_store(url.format(tmp_path / "store"))
    assert f": {module} is not installed here" in str(refused.value)
    assert str(refused.value).endswith(f"Install it: pip install 'stslab[{extra}]'")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("url", ["exakt", "pinecone:", "exact:x?index=Flat", "", "C:/x"])
def test_a_name_of_no_store(url: str) -> None:
    with pytest.raises(InputError) as refused:
        open_store(url)
    assert str(refused.value) == (
        f"store {url!r}: expected exact, exact:FOLDER, faiss:FOLDER?index=HNSW32, chroma:FOLDER, "
        f"chroma:http://HOST:PORT/COLLECTION or pinecone:INDEX."
    )
