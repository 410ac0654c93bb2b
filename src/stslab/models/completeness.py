"""Check that a model's folder is complete, as far as its files can show it without PyTorch.

The libraries load many incomplete folders with no more than a warning: tensors that are missing
from the weights become random numbers, a missing pooling becomes a default one, a missing tokenizer
an empty one. The embeddings then look like embeddings, so such a folder is refused before it is
used.

Not every gap can be seen here. `tensor_names` lists the names that common architectures need; for
other architectures only clear gaps count, and loading compares the names itself (see `loading`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .model_files import IncompleteModel, check_content, read_header, read_json

WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"  # which tensor is in which of several files
OTHER_WEIGHTS = "pytorch_model.bin"  # read without running code, and only for small modules

# What a tokenizer is read from; a sentencepiece vocabulary ends in ".model".
VOCABULARIES = ("tokenizer.json", "vocab*", "*.model", "*.tiktoken", "tekken.json")
# Tokenizers that read bytes or characters as they are.
WITHOUT_VOCABULARY = ("ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer")

# Modules of sentence-transformers whose settings are in a file beside their weights, if any.
# Normalize is not among them: its folder is empty, and git keeps no empty folders.
WITH_SETTINGS = {
    "Pooling": "config.json",
    "Dense": "config.json",
    "LayerNorm": "config.json",
    "WeightedLayerPooling": "config.json",
    "WordWeights": "config.json",
    "BoW": "config.json",
    "CNN": "cnn_config.json",
    "LSTM": "lstm_config.json",
    "WordEmbeddings": "wordembedding_config.json",
}
WITH_WEIGHTS = ("Dense", "LayerNorm", "WeightedLayerPooling", "CNN", "LSTM", "WordEmbeddings")
NEEDS_NOTHING = ("Normalize", "Dropout")

# Architectures by the names of their tensors; `tests/test_completeness.py` compares them with
# transformers' own.
LIKE_BERT = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
BERT_LAYER = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
MPNET_LAYER = (
    "attention.attn.q",
    "attention.attn.k",
    "attention.attn.v",
    "attention.attn.o",
    "attention.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
DISTILBERT_LAYER = (
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
)
MOST_LAYERS = 1000
# Checkpoints of a model with a head name the parts of the model inside it.
HEAD_PREFIXES = ("", "bert.", "roberta.", "electra.", "mpnet.", "distilbert.")
# The outermost stack of layers that a tensor is in.
NUMBERED = re.compile(
    r"(?P<stack>(?:.*?\.)?(?:layers?|blocks?|h))\.(?P<layer>\d{1,4})\.(?P<tensor>.+)"
)


def check_complete(folder: Path) -> None:
    """Refuse a folder that is not a whole sentence-transformers model.

    Parameters
    ----------
    folder : Path
        With ``modules.json``, or a plain transformers model without one.

    Raises
    ------
    IncompleteModel
        What is missing or damaged, in which file, and how to get it.
    """
    if not (folder / "modules.json").is_file():
        _check_transformer(folder, "")
        return
    for kind, path in _modules(folder):
        if kind in NEEDS_NOTHING:
            continue
        if not (folder / path).is_dir():
            raise IncompleteModel(f"the folder {path} is not there; modules.json names it ({kind})")
        if kind == "Transformer":
            _check_transformer(folder, path)
        elif kind == "StaticEmbedding":
            _check_static(folder, path)
        else:
            _check_module(folder, path, kind)


def tensor_names(config: dict[str, Any]) -> set[str] | None:
    """Return the tensors that a model needs, by its settings.

    Parameters
    ----------
    config : dict
        A model's ``config.json``.

    Returns
    -------
    set of str, or None
        Names without the prefix of a head; without the pooler, which no embedding is made of.
        None for an architecture that is not known here.
    """
    kind = config.get("model_type")
    if kind in LIKE_BERT:
        stack, tensors, count = "encoder.layer", BERT_LAYER, config.get("num_hidden_layers", 12)
        embeddings = ["word_embeddings", "position_embeddings", "token_type_embeddings"]
    elif kind == "mpnet":
        stack, tensors, count = "encoder.layer", MPNET_LAYER, config.get("num_hidden_layers", 12)
        embeddings = ["word_embeddings", "position_embeddings"]
    elif kind == "distilbert":
        stack, tensors, count = "transformer.layer", DISTILBERT_LAYER, config.get("n_layers", 6)
        embeddings = ["word_embeddings", "position_embeddings"]
    else:
        return None
    if not isinstance(count, int) or count > MOST_LAYERS:
        return None  # loading says what is wrong with it
    names = {f"embeddings.{name}.weight" for name in embeddings}
    with_bias = ["embeddings.LayerNorm"]
    with_bias += [f"{stack}.{layer}.{tensor}" for layer in range(count) for tensor in tensors]
    if kind == "mpnet":
        names.add("encoder.relative_attention_bias.weight")
    if kind == "electra" and config.get("embedding_size", 128) != config.get("hidden_size", 256):
        with_bias.append("embeddings_project")
    for name in with_bias:
        names |= {f"{name}.weight", f"{name}.bias"}
    return names


# Modules


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Read the kind and the path of each module."""
    modules = []
    for module in read_json(folder, "modules.json", expected=list):
        try:
            kind, path = module["type"], module["path"]
        except (TypeError, KeyError):
            kind = path = None
        if not isinstance(kind, str) or not isinstance(path, str):
            raise IncompleteModel("modules.json does not name the type and path of each module")
        modules.append((kind.rpartition(".")[2], path))
    return modules


def _check_module(folder: Path, path: str, kind: str) -> None:
    """Check a module that is neither a transformer nor a static embedding."""
    settings: dict[str, Any] = {}
    if kind in WITH_SETTINGS:
        settings = read_json(folder, _inside(path, WITH_SETTINGS[kind]))
    if kind not in WITH_WEIGHTS:
        return
    if _has_only_other_weights(folder, path):
        check_content(folder, _inside(path, OTHER_WEIGHTS))
        return
    names = _stored_names(folder, path)
    if kind == "Dense":
        needed = {"linear.weight"}
        if settings.get("bias", True):
            needed.add("linear.bias")
        _check_names(names, needed, _inside(path, WEIGHTS))


def _check_static(folder: Path, path: str) -> None:
    read_json(folder, _inside(path, "tokenizer.json"))
    if _has_only_other_weights(folder, path):
        check_content(folder, _inside(path, OTHER_WEIGHTS))
        return
    if not {"embedding.weight", "embeddings"} & _stored_names(folder, path):
        raise IncompleteModel(f"{_inside(path, WEIGHTS)} has no tensor of embeddings")


def _check_transformer(folder: Path, path: str) -> None:
    if (folder / path / "adapter_config.json").is_file():
        return  # weights that go on top of another model's, which the loader finds
    config = read_json(folder, _inside(path, "config.json"))
    names = _stored_names(folder, path)
    needed = None
    if "quantization_config" not in config:  # quantized weights have names of their own
        needed = tensor_names(config)
    if needed is None:
        _check_layers(names, config, _inside(path, WEIGHTS))
    else:
        _check_names(_without_head_prefix(names, needed), needed, _inside(path, WEIGHTS))
    _check_tokenizer(folder, path)


def _without_head_prefix(names: Iterable[str], needed: set[str]) -> set[str]:
    """Return the names without the prefix that leaves the fewest needed names missing."""
    current_names = {_current_name(name) for name in names}
    candidates = []
    for prefix in HEAD_PREFIXES:
        candidates.append({name.removeprefix(prefix) for name in current_names})
    return min(candidates, key=lambda candidate: len(needed - candidate))


def _current_name(name: str) -> str:
    """Return the present name of a tensor that an old checkpoint names otherwise."""
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def _check_names(names: set[str], needed: set[str], file: str) -> None:
    """Raise IncompleteModel if a needed tensor is missing."""
    missing = sorted(needed - names)
    if not missing:
        return
    examples = ", ".join(missing[:3])
    if len(missing) > 3:
        examples += ", …"
    raise IncompleteModel(
        f"{file} lacks {len(missing)} of the {len(needed)} tensors that the model needs "
        f"({examples}), which would be filled with random numbers"
    )


def _check_layers(names: Iterable[str], config: dict[str, Any], file: str) -> None:
    """Raise IncompleteModel for a gap in any architecture: a missing layer, or missing tensors.

    Layers may differ: some models alternate two kinds, and the first and the last one are often
    special. So an inner layer counts as damaged only if all the other inner layers have the same
    tensors and it has some of these and no others.
    """
    stacks: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        match = NUMBERED.fullmatch(name)
        if match:
            stacks[match["stack"]][int(match["layer"])].add(match["tensor"])
    # Architectures have different names for the number of layers.
    counts = [config.get(key) for key in ("num_hidden_layers", "num_layers", "n_layers", "n_layer")]
    for stack, layers in stacks.items():
        gaps = set(range(max(layers))) - layers.keys()
        # A stack of another length may be a sequence in which only some members have weights.
        if gaps and max(layers) + 1 in counts:
            raise IncompleteModel(f"{file} has no tensors of {stack}.{min(gaps)}")
        inner_layers = {number: layers[number] for number in sorted(layers)[1:-1]}
        tensor_sets = Counter(map(frozenset, inner_layers.values())).most_common(2)
        if len(inner_layers) < 3 or len(tensor_sets) != 2:
            continue
        (usual, usual_count), (unusual, _) = tensor_sets
        if usual_count != len(inner_layers) - 1 or not unusual < usual:
            continue
        for number, tensors in inner_layers.items():
            if tensors == unusual:
                missing = min(usual - unusual)
                raise IncompleteModel(
                    f"{file} lacks {stack}.{number}.{missing}, which the other layers have"
                )


def _check_tokenizer(folder: Path, path: str) -> None:
    settings = folder / path / "sentence_bert_config.json"
    if settings.is_file() and "tokenizer_name_or_path" in read_json(
        folder, _inside(path, settings.name)
    ):
        return  # it lies elsewhere
    if (folder / path / "tokenizer.json").is_file():
        read_json(folder, _inside(path, "tokenizer.json"))
        return
    files = [
        file
        for pattern in VOCABULARIES
        for file in sorted((folder / path).glob(pattern))
        if file.is_file()
    ]
    for file in files:
        check_content(folder, _inside(path, file.name))
    config = folder / path / "tokenizer_config.json"
    tokenizer_class = None
    if config.is_file():
        tokenizer_class = read_json(folder, _inside(path, config.name)).get("tokenizer_class")
    if not files and tokenizer_class not in WITHOUT_VOCABULARY:
        raise IncompleteModel(
            f"there is no tokenizer: neither {_inside(path, 'tokenizer.json')} nor a vocabulary "
            "(vocab.txt, vocab.json or *.model)"
        )


# Weights


def _stored_names(folder: Path, path: str) -> set[str]:
    """Return the names of the tensors in a folder's weights, which may be in several files."""
    index = _inside(path, SHARDS)
    if (folder / path / WEIGHTS).is_file() or not (folder / index).is_file():
        return set(read_header(folder, _inside(path, WEIGHTS)))
    file_of_tensor = read_json(folder, index).get("weight_map")
    if not isinstance(file_of_tensor, dict) or not file_of_tensor:
        raise IncompleteModel(f"{index} does not say which file a tensor is in")
    for shard in sorted({str(file) for file in file_of_tensor.values()}):
        tensors = [name for name, file in file_of_tensor.items() if file == shard]
        _check_shard(folder, path, shard, tensors)
    return set(file_of_tensor)


def _has_only_other_weights(folder: Path, path: str) -> bool:
    """Return whether a module's weights are in PyTorch's own format only."""
    has_safetensors = (folder / path / WEIGHTS).is_file()
    return (folder / path / OTHER_WEIGHTS).is_file() and not has_safetensors


def _check_shard(folder: Path, path: str, shard: str, tensors: Sequence[str]) -> None:
    header = read_header(folder, _inside(path, shard))
    missing = [name for name in tensors if name not in header]
    if missing:
        raise IncompleteModel(
            f"{_inside(path, shard)} lacks {missing[0]}, which {_inside(path, SHARDS)} promises"
        )


def _inside(path: str, name: str) -> str:
    """Name a file as seen from the model's folder."""
    if path in ("", "."):
        return name
    return f"{path.rstrip('/')}/{name}"
