"""A model and somebody's texts → one page that computes by itself."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from ..inputs.checks import InputError
from ..inputs.tables import Input, read_corpus, read_pairs, read_sentences
from ..models.finding import DEFAULT_MODEL, ModelSource, find_model
from ..report.page.assets import (
    TEMPLATE,
    Assets,
    read_style,
    replace_surrogates,
    templates,
    with_policy,
)
from ..report.writing import naming_file
from ..wording import counted
from .lexicon import lexicon
from .support import check_supported
from .weights import pack_model

LIVE_FOLDER = Path(__file__).parent
LARGEST_LIST = 1000  # lines that the page compares
# The largest difference from Python over the 1,379 test pairs of the STS Benchmark, in Chromium on
# 2026-11-26 (tests/test_live_engine.py), for the bundled model.
MEASURED_DIFFERENCE = {"exact": "0.0000007", "compact": "0.000065"}
# The largest that the page accepts when it checks itself.
ALLOWED_DIFFERENCE = {"exact": 1e-6, "compact": 5e-4}
# What a page starts with if no file is given: sentences of the tutorial.
SENTENCES = [
    "I love machine learning.",
    "Deep learning is a branch of AI.",
    "Neural networks mimic the human brain.",
    "I enjoy cooking Italian food.",
    "Pasta and pizza are Italian dishes.",
    "Cats and dogs are popular pets.",
]
PAIRS = [
    ("A dog is playing in the park.", "A puppy is running outside."),
    ("The stock market crashed today.", "Investors lost billions overnight."),
    ("She loves reading mystery novels.", "The weather forecast shows heavy rain."),
    ("Python is a popular programming language.", "Many developers use Python for data science."),
]
QUERY = "Which animals do people like?"


def build_live(
    model_name: str = DEFAULT_MODEL,
    *,
    folder: Path,
    compact: bool = False,
    title: str | None = None,
    sentences: str | None = None,
    corpus: str | None = None,
    query: str | None = None,
    pairs: str | None = None,
    column: str | None = None,
    sheet: str | None = None,
) -> Path:
    """Write a page that holds a model and scores what is typed into it.

    Parameters
    ----------
    model_name : str
        A name or folder, as for `load_model`.
    folder : Path
        The folder of the page, which is ``live.html`` or has the name of the first file.
    compact : bool, default False
        Round the weights: about half the size, and scores that differ in the fourth decimal.
    title : str or None, default None
        None takes the name of the first file.
    sentences, corpus, pairs : str or None, default None
        A file to start with: a list, a list to search, or pairs to look at.
    query : str or None, default None
        The first sentence to search the list with.
    column, sheet : str or None, default None
        The column and the sheet of the file with the texts.

    Returns
    -------
    Path
        The page; equal inputs give equal bytes.

    Raises
    ------
    ModelError
        If the page's engine cannot run the model.
    InputError
        If a file cannot be read, or holds more than 1,000 texts.
    """
    source = find_model(model_name)
    check_supported(source.folder)
    start = _read_start(_files(sentences, corpus, pairs), query, column, sheet)
    kind = "exact"
    if compact:
        kind = "compact"
    start_data, page_data = _compute(model_name, start, ALLOWED_DIFFERENCE[kind])
    weights = pack_model(source, compact=compact, extra=page_data)
    html = (
        templates(LIVE_FOLDER / "page")
        .get_template("live.html.j2")
        .render(
            title=title or start.name or "Sentence similarity, live",
            model=source.name,
            about=_describe_model(source, kind),
            look=_look(),
            start=Markup(json.dumps(start_data).replace("<", r"\u003c")),
            weights=Markup(base64.b64encode(weights).decode()),
        )
    )
    page_name = start.name or "live"
    if compact:
        page_name = f"{page_name}-compact"
    return _write(folder / f"{page_name}.html", replace_surrogates(html))


class _Start(NamedTuple):
    """The texts that the page starts with."""

    name: str  # of the first file; empty if there is none
    lines: list[str]
    query: str
    pairs: list[tuple[str, str]]


def _files(sentences: str | None, corpus: str | None, pairs: str | None) -> dict[str, str]:
    """Return the files that were given, by their kind."""
    if sentences and corpus:
        raise InputError(
            "SENTENCES and CORPUS (or --sentences and --corpus): the page holds one list, to "
            "compare and to search. Give one of them."
        )
    files = {"sentences": sentences, "corpus": corpus, "pairs": pairs}
    return {kind: file for kind, file in files.items() if file}


def _read_start(
    files: dict[str, str], query: str | None, column: str | None, sheet: str | None
) -> _Start:
    """Read what the page starts with; without any file, it is the tutorial's."""
    lines, pairs, name = SENTENCES, list[tuple[str, str]](), ""
    for kind, file in files.items():
        path = Path(file)
        name = name or path.stem
        if kind == "pairs":
            input_table = read_pairs(path, columns=column, sheet=sheet)
            table = input_table.table
            pairs = list(zip(table["sentence_a"], table["sentence_b"], strict=True))
        elif kind == "corpus":
            input_table = read_corpus(path, column=column, sheet=sheet)
            lines = _one_line_each(input_table.texts)
        else:
            input_table = read_sentences(path, column=column, sheet=sheet)
            lines = _one_line_each(input_table.texts)
        _check_size(input_table)
    if not query:
        query = ""
        if not files:
            query = QUERY
    return _Start(name, lines, query, pairs)


def _one_line_each(texts: Iterable[str]) -> list[str]:
    """Return texts without line breaks, as the page's list has one in each line."""
    return [" ".join(text.splitlines()) for text in texts]


def _check_size(input_table: Input) -> None:
    """Raise InputError if there are more rows than the page takes."""
    row_count = len(input_table.table)
    if row_count > LARGEST_LIST:
        raise InputError(
            f"{input_table.source}: {counted(row_count, 'row')}, and the page takes "
            f"{LARGEST_LIST:,}. For more, make a report: make report "
            f"SENTENCES={input_table.source}."
        )


def _compute(
    model_name: str, start: _Start, allowed_difference: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data that the page starts with, and the data that is packed with the weights."""
    # Imported only here, as PyTorch takes seconds: an unusable request has been refused by now.
    from .. import load_model, score_pairs

    model = load_model(model_name)
    check = score_pairs(PAIRS, model=model)
    start_data = {
        "pair": (start.pairs or PAIRS)[0],
        "lines": start.lines,
        "query": start.query,
        "pairs": start.pairs,
        "check": check.round(9).to_numpy().tolist(),
        "bound": allowed_difference,
    }
    engine = (LIVE_FOLDER / "engine" / "encoder.wasm").read_bytes()
    page_data = {
        **lexicon(model),
        "engine": base64.b64encode(engine).decode(),
        "licences": _license_notices(),
    }
    return start_data, page_data


def _describe_model(source: ModelSource, kind: str) -> str:
    """Return whose weights these are, and how far the page's scores may be from Python's."""
    weights = f"{kind} weights (SHA-256 {source.weights_sha256}"
    if source.source != "bundled":
        return (
            f"Model {source.name}, {weights}). How far its scores are from Python's was measured "
            "on the pairs below only."
        )
    return (
        f"Model {source.name}, {weights}, Apache License 2.0). Over the 1,379 test pairs of the "
        f"STS Benchmark its scores were at most {MEASURED_DIFFERENCE[kind]} from Python's."
    )


def _license_notices() -> str:
    """Return the notices that go with the weights and with the list of opposites."""
    apache = metadata.distribution("sentence-transformers").read_text("licenses/LICENSE") or ""
    opposites = resources.files("stslab.studies") / "data" / "opposites-en.txt"
    lines = opposites.read_text("utf-8").splitlines()
    header = itertools.takewhile(lambda line: line.startswith("#"), lines)
    notice = "\n".join(line.removeprefix("#").removeprefix(" ") for line in header)
    weights = f"The model {DEFAULT_MODEL}: Apache License 2.0."
    return f"{weights}\n\n{apache.strip()}\n\n{notice}"


def _look() -> Assets:
    sheets = [TEMPLATE / f"{name}.css" for name in ("colors", "figures", "heatmap")]
    script = (LIVE_FOLDER / "engine" / "page.js").read_text(encoding="utf-8")
    return with_policy(read_style([*sheets, LIVE_FOLDER / "page" / "live.css"]), script, wasm=True)


def _write(page: Path, html: str) -> Path:
    """Write a page, which appears once it is complete."""
    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_suffix(".partial")
    try:
        with naming_file(page):
            partial.write_text(html, encoding="utf-8")
        return partial.replace(page)
    finally:
        partial.unlink(missing_ok=True)
