"""The STS Benchmark, from a folder or from the hub. Nothing of it comes with stslab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ..inputs.checks import InputError
from ..inputs.tables import read_pairs
from .gold import with_gold

ON_HUB = "sentence-transformers/stsb"
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read_stsb(
    split: Literal["train", "dev", "test"] = "test", *, folder: str | Path | None = None
) -> pd.DataFrame:
    """Read the STS Benchmark: English pairs that several people each scored from 0 to 5.

    Parameters
    ----------
    split : {"train", "dev", "test"}, default "test"
        5,749, 1,500 or 1,379 pairs.
    folder : path or None, default None
        Holds ``sts-train.csv``, ``sts-dev.csv`` and ``sts-test.csv`` as published. None takes
        the environment variable ``STSLAB_STSB``, else the hub's local cache, else the hub (with
        the extra ``parquet``).

    Returns
    -------
    pandas.DataFrame
        Columns ``sentence_a, sentence_b, gold_score`` and, from a folder, ``group`` (the genre)
        and ``source`` (the data set that the pair was taken from).

    Raises
    ------
    InputError
        If there is no such folder, or the hub cannot be reached.

    Notes
    -----
    Cer et al. (2017), SemEval-2017 task 1. Licences differ by genre, see its LICENSE.txt.
    """
    folder = folder or os.environ.get("STSLAB_STSB")
    if folder:
        return _read_from_folder(Path(folder), split)
    return _read_from_hub(split)


def _read_from_folder(folder: Path, split: str) -> pd.DataFrame:
    file = folder / f"sts-{split}.csv"
    if not file.is_file():
        raise InputError(f"{file}: no such file. Expected the STS Benchmark's folder there.")
    # Tab-separated and unquoted: a quote is part of its sentence. Some rows have more columns.
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").split("\n") if line]
    names = ["group", "source", "gold_score", "sentence_a", "sentence_b"]
    pairs = [(*row[:2], float(row[4]), *row[5:7]) for row in rows]
    return read_pairs(pd.DataFrame(pairs, columns=names), as_written=True).table


def _read_from_hub(split: str) -> pd.DataFrame:
    from huggingface_hub import HfApi, snapshot_download

    parquet_files: Any = {"repo_type": "dataset", "allow_patterns": ["*.parquet"]}
    try:
        folder = snapshot_download(ON_HUB, local_files_only=True, **parquet_files)
    except Exception:  # not in the cache
        try:
            HfApi().dataset_info(ON_HUB, timeout=3)  # fails within seconds, not after retries
            folder = snapshot_download(ON_HUB, **parquet_files)
        except Exception as error:  # any transport's own error
            raise InputError(
                f"STS Benchmark: not on this machine, and the hub did not answer "
                f"({type(error).__name__}). Connect, or set STSLAB_STSB to a folder that holds "
                f"sts-dev.csv and sts-test.csv."
            ) from error
    files = sorted(Path(folder).rglob(f"*{HUB_SPLITS[split]}*.parquet"))
    if not files:
        raise InputError(f"STS Benchmark: {ON_HUB} holds no parquet file of its {split} pairs.")
    columns = {"sentence1": "sentence_a", "sentence2": "sentence_b", "score": "gold_score"}
    return with_gold(
        read_pairs(files[0], columns=columns, as_written=True).table, gold_max=1
    )  # 0 to 1 on the hub
