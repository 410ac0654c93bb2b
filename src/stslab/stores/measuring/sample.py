"""Test data for vector stores: real texts that lie on every machine, and vectors like real ones.

How often an index finds the true neighbors depends on how vectors lie. Random ones are all about
equally far from each other, so what is measured on them says nothing about texts.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sysconfig
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from ...inputs.checks import InputError
from ...models.encoding import Embeddings
from ...scores.cosine import unit_rows

# What stslab needs is installed with it; these of its needs have long docstrings.
LIBRARIES = ["matplotlib", "networkx", "numpy", "pandas", "scipy", "seaborn", "sklearn", "sympy"]
LIBRARIES += ["torch", "transformers"]
SKIPPED = {"__pycache__", "_vendor", "site-packages", "test", "testing", "tests"}
# What follows a colon and opens a docstring, up to the end of its first sentence.
FIRST_SENTENCE = re.compile(
    r':[ \t]*\n[ \t]+[rR]?"""\s*([A-Z](?:[^\n"\\]|\n(?![ \t]*\n))*?\.)(?=\s|""")'
)
SHORTEST, LONGEST = 20, 200  # characters
MARKUP = re.compile(r"[`*<>|{}_=\[\]\\@:]|\.\.|--|\b(e\.g|i\.e|cf|vs|etc)\.$")

NOISE = 0.5  # of a vector's standard deviation; see `similar_vectors`
BLOCK = 16_384  # vectors made at a time


def docstrings(limit: int | None = None) -> list[str]:
    """Collect real English sentences: how the docstrings of installed libraries begin.

    Sources are read, not imported: the standard library's, NumPy's, PyTorch's and others' that
    come with stslab. It takes a few seconds.

    Parameters
    ----------
    limit : int or None, default None
        How many; None gives all, some 25,000.

    Returns
    -------
    list of str
        Unique sentences of 20 to 200 characters and 4 or more words, without markup. They are
        mixed, in an order that depends on the texts alone: a smaller `limit` gives the first of
        a larger one, and the same versions of the libraries give the same texts on any machine.

    Raises
    ------
    InputError
        If there are fewer than `limit`.

    Examples
    --------
    >>> sentences = docstrings(5_200)
    >>> len(set(sentences)), min(map(len, sentences)) >= 20
    (5200, True)
    """
    folders = [Path(sysconfig.get_path("stdlib"))]
    for name in LIBRARIES:
        spec = importlib.util.find_spec(name)
        folders += [Path(place) for place in (spec and spec.submodule_search_locations) or []]
    texts = {
        sentence
        for folder in folders
        for source in _sources(folder)
        for sentence in _first_sentences(source.read_text("utf-8", "replace"))
    }
    if limit is not None and len(texts) < limit:
        raise InputError(
            f"limit: {limit:,} asked for, but the libraries installed here have {len(texts):,} "
            f"such sentences. Ask for fewer."
        )
    return sorted(texts, key=lambda text: blake2b(text.encode()).digest())[:limit]


def similar_vectors(real: Any, count: int, *, seed: int = 0) -> Iterator[Embeddings]:
    """Make more vectors that lie as real ones do, block by block.

    Each is a real vector, drawn at random and moved a little: ``m + c (x - m) + s e``, scaled to
    length 1, where m is the mean of the real ones, e is normal noise with their covariance,
    s = 0.5 and c² + s² = 1. So mean and covariance stay what they are, whatever the count.

    Parameters
    ----------
    real : array_like of float, shape (n, dim)
        Embeddings of real texts, some thousands.
    count : int
    seed : int, default 0
        The same seed gives the same vectors.

    Yields
    ------
    numpy.ndarray of float32, shape (at most 16,384, dim)
        Together `count` vectors of length 1.

    Raises
    ------
    InputError
        If there are fewer than 2 real vectors.

    Notes
    -----
    A query's nearest real text may be its paraphrase, which no noise invents: the nearest cosine
    falls short of that of as many real texts, the tenth less so. With s = 0.5 an index finds about
    as many of the neighbors as among real texts; with 0.3 fewer, because vectors then lie in
    clumps (0.922 instead of 0.952 in the last but one line). Measured on the STS Benchmark's
    sentences with 200 held out as queries, 10,000 vectors each; cosines as 10th, 50th, 90th
    percentile over queries, recall@10 of HNSW32 (efConstruction 40, efSearch 16 and 64) in the
    mean:

    ====================  ================  ================  =============
    10,000 vectors        nearest           tenth             recall@10
    ====================  ================  ================  =============
    real                  0.47, 0.72, 0.94  0.31, 0.46, 0.68  0.963, 0.991
    similar to 10,000     0.37, 0.59, 0.79  0.29, 0.41, 0.59  0.946, 0.992
    similar to 5,000      0.38, 0.58, 0.78  0.29, 0.41, 0.60  0.956, 0.996
    similar to 2,500      0.36, 0.55, 0.78  0.29, 0.41, 0.61  0.952, 0.995
    random directions     0.18, 0.19, 0.22  0.15, 0.16, 0.16  0.245, 0.583
    ====================  ================  ================  =============

    Examples
    --------
    >>> import numpy as np
    >>> real = np.random.default_rng(0).normal(size=(100, 8)) * range(1, 9)
    >>> [block.shape for block in similar_vectors(real, 20_000)]
    [(16384, 8), (3616, 8)]
    """
    units = unit_rows(np.asarray(real, dtype=np.float64))
    if len(units) < 2:
        raise InputError(f"real: {len(units)} vectors. Give some thousands, of real texts.")
    mean = units.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(units.T))
    spread = (NOISE * np.sqrt(variances.clip(0)) * axes).T.astype(np.float32)
    shrunk = (mean + np.sqrt(1 - NOISE**2) * (units - mean)).astype(np.float32)
    rng = np.random.default_rng(seed)
    for start in range(0, count, BLOCK):
        rows = rng.integers(len(shrunk), size=min(BLOCK, count - start))
        noise = rng.standard_normal((len(rows), shrunk.shape[1]), dtype=np.float32)
        yield unit_rows(shrunk[rows] + noise @ spread).astype(np.float32)


def _sources(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        yield from (Path(place, name) for name in files if name.endswith(".py"))


def _first_sentences(source: str) -> Iterator[str]:
    for match in FIRST_SENTENCE.finditer(source):
        sentence = " ".join(match[1].split())
        fits = SHORTEST <= len(sentence) <= LONGEST and sentence.count(" ") >= 3
        if fits and not MARKUP.search(sentence):
            yield sentence
