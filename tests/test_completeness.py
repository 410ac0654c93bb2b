"""A broken model is refused before anything runs, and a whole one is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import ROOT
from model_folders import (
    BREAKS,
    LFS_POINTER,
    copy_bundled_model,
    keep_tensors,
    save_tiny_transformer,
    tiny_config,
)
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from stslab import encode, load_model
from stslab.cli import main
from stslab.models.cache import cache_file
from stslab.models.completeness import LIKE_BERT, check_complete, tensor_names
from stslab.models.finding import ModelError, find_model

KINDS = [*LIKE_BERT, "mpnet", "distilbert"]


@pytest.fixture(scope="module")
def broken_models(tmp_path_factory) -> dict[str, Path]:
    """Break copies of the bundled model, one in each way."""
    home = tmp_path_factory.mktemp("broken")
    folders = {}
    for number, (kind, (break_folder, _)) in enumerate(BREAKS.items()):
        folders[kind] = copy_bundled_model(home / f"model-{number}")
        break_folder(folders[kind])
    return folders


@pytest.fixture
def bundled_copy(tmp_path) -> Path:
    return copy_bundled_model(tmp_path / "copy")


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory) -> Path:
    return save_tiny_transformer(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(tiny_bert, tmp_path) -> Path:
    """Copy a small whole model, to be changed."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    """Fill a store with the bundled model."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "texts.txt").write_text("A dog.\nA cat.\n")
    url = f"exact:{folder / 'store'}"
    done = CliRunner().invoke(main, ["embed", str(folder / "texts.txt"), "--store", url])
    assert done.exit_code == 0, done.output
    return url


# Broken folders, where people meet them


@pytest.mark.parametrize("kind", BREAKS)
def test_load_model_refuses_a_broken_folder(broken_models, kind):
    """The message names the model, what is wrong with it, and what to do."""
    with pytest.raises(ModelError) as refused:
        load_model(str(broken_models[kind]), device="cpu")
    message = str(refused.value)
    assert message.startswith(f"model {broken_models[kind].name!r}: ")
    assert BREAKS[kind][1] in message
    assert "hf download ORGANIZATION/NAME" in message


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("command", ["report", "embed", "search", "live"])
def test_a_command_refuses_a_broken_folder_before_anything_runs(
    broken_models, kind, command, store, tmp_path, monkeypatch
):
    """It exits with 2, starts no kernel, and leaves nothing behind."""
    (tmp_path / "texts.txt").write_text("A dog.\nA cat.\nA house.\n")
    texts, reports = str(tmp_path / "texts.txt"), str(tmp_path / "reports")
    words = {
        "report": ["--sentences", texts, "--reports", reports],
        "embed": [texts, "--store", f"exact:{tmp_path / 'store'}"],
        "search": [store, "a puppy"],
        "live": ["--sentences", texts, "--reports", reports],
    }
    for starts_kernels in ("LocalPool", "warm_up"):
        monkeypatch.delattr(f"stslab.report.building.build.{starts_kernels}")
    monkeypatch.chdir(ROOT)
    arguments = [command, *words[command], "--model", str(broken_models[kind])]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2, done.output
    assert BREAKS[kind][1] in done.output
    assert list(tmp_path.rglob("*.html")) == []
    assert not (tmp_path / "store").exists()


# What else may be missing


@pytest.mark.parametrize(
    "tensor",
    [
        "embeddings.word_embeddings.weight",
        "embeddings.LayerNorm.bias",
        "encoder.layer.0.attention.self.query.bias",
        "encoder.layer.3.output.dense.weight",
        "encoder.layer.5.output.LayerNorm.weight",
    ],
)
def test_one_missing_tensor_is_named(bundled_copy, tensor):
    keep_tensors(bundled_copy / "model.safetensors", lambda name: name != tensor)
    with pytest.raises(ModelError, match=rf"lacks 1 of the 101 tensors .* \({tensor}\)"):
        find_model(str(bundled_copy))


def test_the_last_layers_may_not_be_missing(bundled_copy):
    keep_tensors(bundled_copy / "model.safetensors", lambda name: "layer.5." not in name)
    with pytest.raises(ModelError, match="lacks 16 of the 101 tensors"):
        find_model(str(bundled_copy))


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "modules.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LFS_POINTER, "is a Git LFS pointer"),
        ("", "is empty"),
        ('{"cut": [1, 2', "is cut off or damaged"),
        ('"text"', "is cut off or damaged"),
    ],
    ids=["pointer", "empty", "cut", "no object"],
)
def test_a_damaged_settings_file_is_named(bundled_copy, name, content, words):
    (bundled_copy / name).write_text(content)
    with pytest.raises(ModelError, match=f"{name} {words}"):
        find_model(str(bundled_copy))


def test_settings_that_are_missing_are_named(bundled_copy):
    (bundled_copy / "1_Pooling" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"1_Pooling/config\.json is not there"):
        find_model(str(bundled_copy))
    (bundled_copy / "config.json").unlink()
    with pytest.raises(ModelError, match=r"model 'copy': config\.json is not there"):
        find_model(str(bundled_copy))


@pytest.mark.parametrize("modules", [[1], [{"type": "Pooling"}], [{"type": 1, "path": ""}]])
def test_modules_without_type_or_path_are_refused(bundled_copy, modules):
    (bundled_copy / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=r"modules\.json does not name the type and path"):
        find_model(str(bundled_copy))


@pytest.mark.parametrize("layers", ["6", None, 10**12, -1])
def test_an_odd_number_of_layers_is_left_to_loading(tiny, layers):
    config = json.loads((tiny / "config.json").read_text())
    (tiny / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}))
    check_complete(tiny)


def test_a_link_that_leads_nowhere_counts_as_missing(bundled_copy):
    """As in the hub's cache, where a download was broken off."""
    (bundled_copy / "model.safetensors").unlink()
    (bundled_copy / "model.safetensors").symlink_to(bundled_copy / "blob")
    with pytest.raises(ModelError, match=r"model\.safetensors is not there"):
        find_model(str(bundled_copy))


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 1000])
def test_weights_that_are_too_long_are_refused(tiny, extra):
    weights = tiny / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + extra)
    with pytest.raises(ModelError, match=r"model\.safetensors has [\d,]+ bytes instead of"):
        find_model(str(tiny))


def test_weights_cut_anywhere_are_refused(tiny):
    whole = (tiny / "model.safetensors").read_bytes()
    for length in (1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        (tiny / "model.safetensors").write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"model\.safetensors is cut off"):
            find_model(str(tiny))


def test_a_static_model_without_a_tokenizer_is_refused(static_folder, tmp_path):
    folder = shutil.copytree(static_folder, tmp_path / "letters")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"model 'letters': tokenizer\.json is not there"):
        load_model(str(folder), device="cpu")


def add_dense(folder: Path) -> Path:
    """Put a Dense module behind a model's pooling; return the module's folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(folder), device="cpu")
    SentenceTransformer(modules=[*model, Dense(32, 16)], device="cpu").save(str(folder))
    return folder / "2_Dense"


def test_a_dense_module_without_its_weights_is_refused(tiny):
    dense = add_dense(tiny)
    assert load_model(str(tiny), device="cpu").get_embedding_dimension() == 16
    keep_tensors(dense / "model.safetensors", lambda name: name != "linear.bias")
    with pytest.raises(ModelError, match=r"2_Dense/model\.safetensors lacks 1 .*linear\.bias"):
        find_model(str(tiny))
    (dense / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"2_Dense/model\.safetensors is not there"):
        find_model(str(tiny))


def test_a_missing_shard_is_named(tiny):
    transformer = AutoModel.from_pretrained(tiny)
    (tiny / "model.safetensors").unlink()
    transformer.save_pretrained(tiny, max_shard_size="30KB")
    shards = sorted(tiny.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert load_model(str(tiny), device="cpu").get_embedding_dimension() == 32
    keep_tensors(shards[1], lambda name: not name.endswith("query.weight"))
    with pytest.raises(ModelError, match=rf"{shards[1].name} lacks .*query\.weight"):
        find_model(str(tiny))
    shards[0].unlink()
    with pytest.raises(ModelError, match=f"{shards[0].name} is not there"):
        find_model(str(tiny))


# Models of all kinds that are whole


@pytest.mark.parametrize("kind", KINDS)
def test_the_tensors_that_a_model_needs_are_those_of_transformers(kind):
    """All but the pooler's, which no embedding is made of."""
    config = tiny_config(kind)
    with torch.device("meta"):
        names = {name for name, _ in AutoModel.from_config(config).named_parameters()}
    assert tensor_names(config.to_dict()) == {name for name in names if "pooler" not in name}


def test_a_folder_without_modules_may_be_a_plain_transformer(tiny):
    (tiny / "modules.json").unlink()
    assert load_model(str(tiny), device="cpu").get_embedding_dimension() == 32


def test_a_checkpoint_without_a_pooler_is_whole(tiny):
    """Many are saved so, and a module of its own does the pooling."""
    weights = load_file(tiny / "model.safetensors")
    pruned = {f"bert.{name}": weights[name] for name in weights if "pooler" not in name}
    assert len(pruned) == len(weights) - 2
    before = encode(["a dog"], model=load_model(str(tiny), device="cpu"))
    save_file(pruned, tiny / "model.safetensors", metadata={"format": "pt"})
    assert (encode(["a dog"], model=load_model(str(tiny), device="cpu")) == before).all()


@pytest.mark.parametrize("kind", ["albert", "t5", "modernbert", "deberta-v2"])
def test_other_architectures_are_whole(tmp_path, kind):
    """Also those in which all layers are one, or the first one is special."""
    folder = save_tiny_transformer(tmp_path, kind)
    assert encode(["a dog"], model=load_model(str(folder), device="cpu")).shape == (1, 32)


def test_a_static_model_is_whole(second_model):
    check_complete(second_model)


def test_a_snapshot_in_the_hubs_cache_is_whole(tiny, tmp_path, monkeypatch):
    """Its files are links."""
    repository = tmp_path / "models--some--tiny"
    snapshot = repository / "snapshots" / "abc"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    for file in tiny.rglob("*"):
        if file.is_file():
            link = snapshot / file.relative_to(tiny)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert find_model("some/tiny").source == "hub cache"
    (tiny / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model 'some/tiny': .*hf download"):
        find_model("some/tiny")


# What only loading can see


@pytest.mark.parametrize(
    ("kind", "tensor"),
    [
        ("albert", "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"),
        ("modernbert", "layers.0.mlp.Wi.weight"),
        ("deberta-v2", "encoder.rel_embeddings.weight"),
    ],
)
def test_random_weights_never_reach_the_cache(kind, tensor, tmp_path, monkeypatch, capfd):
    """Loading compares all names, and refuses the model without a word on the streams."""
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    settings = {"relative_attention": True} if kind == "deberta-v2" else {}
    folder = save_tiny_transformer(tmp_path, kind, **settings)
    weights = load_file(folder / "model.safetensors")
    del weights[tensor]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    find_model(str(folder))  # it looks whole
    with pytest.raises(ModelError, match=f"lack 1 tensor that the model needs, such as {tensor}"):
        encode(["a dog"], model=load_model(str(folder), device="cpu"))
    assert not cache_file().exists()


def test_an_inner_layer_with_fewer_tensors_is_seen_without_loading(tmp_path):
    folder = save_tiny_transformer(tmp_path, "modernbert")
    keep_tensors(folder / "model.safetensors", lambda name: name != "layers.2.mlp.Wi.weight")
    with pytest.raises(
        ModelError, match=r"lacks layers\.2\.mlp\.Wi\.weight, which the other layers have"
    ):
        find_model(str(folder))


def test_an_inner_layer_left_out_is_seen_without_loading(tmp_path):
    folder = save_tiny_transformer(tmp_path, "modernbert")
    keep_tensors(folder / "model.safetensors", lambda name: not name.startswith("layers.3."))
    with pytest.raises(ModelError, match=r"has no tensors of layers\.3\."):
        find_model(str(folder))


# Half precision


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single_precision_on_a_cpu(tiny, half):
    """The embeddings are those of the same numbers stored in single precision."""
    weights = load_file(tiny / "model.safetensors")
    rounded = {name: values.to(half) for name, values in weights.items()}
    save_file(rounded, tiny / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((tiny / "config.json").read_text())
    (tiny / "config.json").write_text(json.dumps(config | {"dtype": str(half).split(".")[1]}))
    model = load_model(str(tiny), device="cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    from_half = encode(["a dog ran", "a puppy"], model=model)

    widened = {name: values.float() for name, values in rounded.items()}
    save_file(widened, tiny / "model.safetensors", metadata={"format": "pt"})
    (tiny / "config.json").write_text(json.dumps(config | {"dtype": "float32"}))
    from_single = encode(["a dog ran", "a puppy"], model=load_model(str(tiny), device="cpu"))
    assert np.array_equal(from_half, from_single)


def test_a_static_model_in_half_precision_is_computed_in_single_precision(static_folder, tmp_path):
    folder = shutil.copytree(static_folder, tmp_path / "letters")
    weights = load_file(folder / "model.safetensors")
    save_file({name: weights[name].half() for name in weights}, folder / "model.safetensors")
    model = load_model(str(folder), device="cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
