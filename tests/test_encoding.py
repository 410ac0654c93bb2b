"""encoding.py: a text's embedding depends on the text alone."""

import numpy as np
import pytest

from stslab import InputError, encode, load_model, search
from stslab.models.encoding import token_counts
from stslab.studies import model_costs

TEXTS = [f"Sentence {n} speaks of {'very ' * (n % 9)}different things." for n in range(70)]
LENGTHS = [f"{'very ' * n}different" for n in (1, 14, 29, 61, 125, 253, 999)]  # padded: 16 … 256


def test_embeddings_agree_with_sentence_transformers(model):
    ours, theirs = encode(TEXTS, model=model), model.encode(TEXTS, show_progress_bar=False)
    assert ours.shape == (70, 384)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_an_embedding_does_not_change_with_the_texts_beside_it(model):
    """To the bit: order, subset and batch do not matter, so neither does a cache."""
    together = encode(TEXTS, model=model)
    backwards = encode(TEXTS[::-1], model=model)[::-1]
    alone = np.stack([encode([text], model=model)[0] for text in TEXTS[:9]])
    assert (together == backwards).all()
    assert (together[:9] == alone).all()


@pytest.fixture(scope="module")
def among(model):
    """Texts of all lengths, encoded together with others of about the same."""
    others = [f"{text} {n}" for text in LENGTHS for n in range(3)]
    return dict(zip(LENGTHS, encode([*LENGTHS, *TEXTS, *others], model=model), strict=False))


@pytest.mark.parametrize("text", LENGTHS, ids=len)
def test_a_text_of_any_length_is_embedded_alone_as_among_others(model, among, text):
    assert (encode([text], model=model)[0] == among[text]).all()


@pytest.mark.thorough
def test_an_embedding_does_not_change_with_the_number_of_threads(model):
    import torch

    texts, threads, found = [*TEXTS, *LENGTHS], torch.get_num_threads(), []
    try:
        for number in (1, 2, 4):
            torch.set_num_threads(number)
            found.append(encode(texts, model=model))
    finally:
        torch.set_num_threads(threads)
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


@pytest.mark.parametrize("limit", [75, 77, 250])
@pytest.mark.thorough
def test_a_maximum_length_need_not_be_a_multiple_of_the_padding(model, monkeypatch, limit):
    """The last texts are longer than the limit: they are cut where the library cuts them."""
    monkeypatch.setattr(model, "max_seq_length", limit)
    embeddings = encode(LENGTHS, model=model)
    expected = model.encode(LENGTHS, show_progress_bar=False)
    np.testing.assert_allclose(embeddings, expected, atol=1e-6)
    assert token_counts(LENGTHS[-1:], model=model) == [limit]
    alone = encode([LENGTHS[1]], model=model)[0]
    assert (alone == embeddings[1]).all()


def test_tokens_are_counted_and_padded_without_a_maximum_length(model, monkeypatch):
    """transformers writes 1e30 where a tokenizer has none, more than its own code can count to."""
    texts = ["dog", "dog " * 300]
    expected = encode(texts[:1], model=model)
    monkeypatch.setattr(model, "max_seq_length", int(1e30))
    assert token_counts(texts, model=model) == [3, 302]
    assert (encode(texts[:1], model=model) == expected).all()


def test_a_model_of_words_it_does_not_know_has_no_tokens_to_pad(tmp_path):
    """A static model: no padding, no maximum length, and a text without a known word."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(BPE({"d": 0, "o": 1}, []))
    tokenizer.pre_tokenizer = Whitespace()
    weights = np.eye(2, dtype=np.float32)
    static = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)])
    assert encode(["d", "犬"], model=static).tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_repeated_texts_are_encoded_once():
    class Counting:
        seen = 0

        def encode(self, texts):
            self.seen += len(texts)
            return [[float(len(text))] for text in texts]

    counting = Counting()
    assert encode(["a", "bb", "a"], model=counting).tolist() == [[1.0], [2.0], [1.0]]
    assert counting.seen == 2


def test_no_progress_bar_on_short_work(model, capfd):
    encode(["short"], model=model)
    assert capfd.readouterr().err == ""


def test_a_progress_bar_on_long_work(model, capfd, monkeypatch):
    monkeypatch.setattr("stslab.models.encoding.LONG_WORK", 0.0)
    encode(TEXTS, model=model)
    assert "Encoding" in capfd.readouterr().err


def test_prompts_of_a_model_are_used_in_search(model, monkeypatch):
    """A model trained with prompts puts its own before queries and documents."""
    monkeypatch.setattr(model, "prompts", {"query": "query: ", "document": "passage: "})
    found = search("What runs?", ["A dog runs.", "It rains."], model=model, top_k=2)
    asked = model.encode("query: What runs?")
    stored = model.encode(["passage: A dog runs.", "passage: It rains."])
    expected = np.sort(stored @ asked)[::-1]  # unit vectors: the product is the cosine
    np.testing.assert_allclose(found["score"], expected, atol=1e-6)


def test_tokens_are_counted_with_prompt_and_up_to_the_limit(model, monkeypatch):
    monkeypatch.setattr(model, "prompts", {"query": "query: "})
    assert token_counts(["dog"], model=model) == [3]  # with the two special tokens
    assert token_counts(["dog"], model=model, task="query") == [5]
    assert token_counts(["dog " * 1000], model=model) == [256]


def test_tokens_of_a_static_model_are_those_it_looks_up(static_folder):
    """Its tokenizer could add two marks; the model never asks it to."""
    static, text = load_model(str(static_folder), device="cpu"), "a dog"
    assert len(static.tokenizer.encode(text).ids) == 7
    assert token_counts([text], model=static) == [len(static.preprocess([text])["input_ids"])]
    assert model_costs({"static": static}, [text])["tokens_per_text"].tolist() == [5]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], r"texts: no texts"),
        (["a", " \t"], r"texts\[1\] is blank"),
        (["a", 3.5], r"texts\[1\]: expected text, got 3\.5 \(float\)"),
        ("one text", r"expected a list of texts, got one text"),
    ],
)
def test_what_is_no_text_is_refused(texts, message, letters):
    with pytest.raises(InputError, match=message):
        encode(texts, model=letters)
