"""Check from a model's files that the page's engine can run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stslab.models.finding import ModelError

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 384,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
}
DEFAULTS: dict[str, Any] = {
    "position_embedding_type": "absolute",
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}
MAX_POSITIONS = 512
MODULES = ("Transformer", "Pooling", "Normalize")
CAN = (
    "The page runs models like all-MiniLM-L6-v2: BERT of 384 dimensions with an uncased WordPiece "
    "tokenizer and mean pooling. Give such a model, or make a report, which runs any."
)


def check_supported(folder: Path) -> None:
    """Raise ModelError if the page's engine cannot run a model.

    Parameters
    ----------
    folder : Path
        A sentence-transformers model.

    Raises
    ------
    stslab.models.finding.ModelError
        Names the file and the setting that the engine cannot run, and what it can.
    """
    for fault in (_config(folder), _modules(folder), _tokenizer(folder), _prompts(folder)):
        if fault:
            raise ModelError(f"model folder {folder.name!r}: {fault}. {CAN}")


def max_tokens(folder: Path) -> int:
    """Return how many tokens of a text the model reads, with [CLS] and [SEP]."""
    positions = _read(folder, "config.json")["max_position_embeddings"]
    # sentence-transformers looks at the tokenizer's limit only if it has none of its own.
    limit = _read(folder, "sentence_bert_config.json").get("max_seq_length")
    if not limit:
        limit = _read(folder, "tokenizer_config.json").get("model_max_length")
    return int(min(limit or MAX_POSITIONS, positions))


# Each of the following returns what the engine cannot run of some files, None if it can run all.


def _config(folder: Path) -> str | None:
    config = DEFAULTS | _read(folder, "config.json")
    for key, expected in CONFIG.items():
        if config.get(key) != expected:
            return f"config.json has {key} {config.get(key)!r}, the engine only {expected!r}"
    positions = config.get("max_position_embeddings", MAX_POSITIONS)
    if positions > MAX_POSITIONS:
        return f"config.json has {positions} positions, the engine at most {MAX_POSITIONS}"
    if not (folder / "model.safetensors").is_file():
        return "there is no model.safetensors in it"
    return None


def _modules(folder: Path) -> str | None:
    if not (folder / "modules.json").is_file():
        return "there is no modules.json in it, which says how embeddings are pooled"
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    if tuple(kinds) not in (MODULES, MODULES[:2]):
        return f"modules.json has the modules {', '.join(kinds)}; the engine {', '.join(MODULES)}"
    if modules[0]["path"]:
        return f"modules.json has its Transformer in {modules[0]['path']!r}, not beside it"
    path = f"{modules[1]['path']}/config.json"
    pooling = _read(folder, path)
    # Written as a switch for each mode by older versions, and as a name by newer ones.
    switches = [
        key for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True
    ]
    name = pooling.get("pooling_mode", "mean")
    if switches not in ([], ["pooling_mode_mean_tokens"]) or name not in ("mean", ["mean"]):
        return f"{path} pools by {', '.join(switches) or name}, not by mean"
    return None


def _tokenizer(folder: Path) -> str | None:
    tokenizer = _read(folder, "tokenizer.json")
    normalizer = tokenizer.get("normalizer") or {}
    pre_tokenizer = tokenizer.get("pre_tokenizer") or {}
    model = tokenizer.get("model", {})
    settings = {
        "model.type": (model.get("type"), "WordPiece"),
        "model.unk_token": (model.get("unk_token"), "[UNK]"),
        "model.continuing_subword_prefix": (model.get("continuing_subword_prefix"), "##"),
        "model.max_input_chars_per_word": (model.get("max_input_chars_per_word"), 100),
        "normalizer.type": (normalizer.get("type"), "BertNormalizer"),
        "normalizer.lowercase": (normalizer.get("lowercase"), True),
        "pre_tokenizer.type": (pre_tokenizer.get("type"), "BertPreTokenizer"),
    }
    for key, (value, expected) in settings.items():
        if value != expected:
            return f"tokenizer.json has {key} {value!r}, the engine only {expected!r}"
    for token in tokenizer.get("added_tokens", []):
        if token["lstrip"] or token["rstrip"] or token["single_word"] or token["normalized"]:
            return f"tokenizer.json adds a token {token['content']!r} with rules of its own"
    return None


def _prompts(folder: Path) -> str | None:
    settings = _read(folder, "config_sentence_transformers.json")
    if settings.get("default_prompt_name"):
        return f"it puts the prompt {settings['default_prompt_name']!r} before each text"
    if settings.get("truncate_dim"):
        return f"it keeps only {settings['truncate_dim']} dimensions of each embedding"
    return None


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Return the settings in a JSON file; none if there is no such file."""
    file = folder / name
    if not file.is_file():
        return {}
    settings: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return settings
