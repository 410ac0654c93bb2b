"""A model and somebody's texts → one page that needs nothing else."""

from __future__ import annotations

import base64
import itertools
import json
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ..inputs.checks import InputError
from ..inputs.reading import Input, read_corpus, read_pairs, read_sentences
from ..models.finding import DEFAULT_MODEL, ModelSource, find_model
from ..report.page.assets import TEMPLATE, Assets, read_style, replace_surrogates, with_policy
from ..report.writing import naming_file
from ..wording import counted
from .lexicon import lexicon
from .support import check_supported
from .weights import pack_model

HERE = Path(__file__).parent
MOST = 1000  # lines that the page compares
# The largest difference from Python over the 1,379 test pairs of the STS Benchmark, in Chromium on
# 2026-11-26 (tests/test_live_engine.py), for the bundled model; and what the page allows itself.
MEASURED = {"exact": "0.0000007", "compact": "0.000065"}
ALLOWED = {"exact": 1e-6, "compact": 5e-4}
# What a page starts with: sentences of the tutorial.
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
        Where the page is written: as ``live.html``, or under the name of the file it starts with.
    compact : bool, default False
        Round the weights: about half the size, and scores that differ in the fourth decimal.
    title : str or None, default None
        None takes the file's name.
    sentences, corpus, pairs : str or None, default None
        A file to start with: a list, a list to search, or pairs to look at.
    query : str or None, default None
        The first sentence to search the list with.
    column, sheet : str or None, default None
        Where in the file the texts are.

    Returns
    -------
    Path
        The page: the same bytes each time.

    Raises
    ------
    ModelError
        If the page's engine cannot run the model.
    InputError
        If a file cannot be read, or holds more than 1,000 texts.
    """
    found = find_model(model_name)
    check_supported(found.folder)
    files = {name: file for name, file in _files(sentences, corpus, pairs).items() if file}
    texts, of_pairs, name = _texts(files, column, sheet)
    # PyTorch takes seconds to import, and what is wrong is said before.
    from .. import load_model, score_pairs

    model = load_model(model_name)
    check = score_pairs(PAIRS, model=model)
    kind = "compact" if compact else "exact"
    start = {
        "pair": (of_pairs or PAIRS)[0],
        "lines": texts,
        "query": query or ("" if files else QUERY),
        "pairs": of_pairs,
        "check": check.round(9).to_numpy().tolist(),
        "bound": ALLOWED[kind],
    }
    extra = {
        **lexicon(model),
        "engine": base64.b64encode((HERE / "engine" / "encoder.wasm").read_bytes()).decode(),
        "licences": _licences(),
    }
    weights = pack_model(found, compact=compact, extra=extra)
    html = _template().render(
        title=title or (name or "Sentence similarity, live"),
        model=found.name,
        about=_about(found, kind),
        look=_look(),
        start=Markup(json.dumps(start).replace("<", r"\u003c")),
        weights=Markup(base64.b64encode(weights).decode()),
    )
    page = folder / f"{name or 'live'}{'-compact' * compact}.html"
    folder.mkdir(parents=True, exist_ok=True)
    partial = page.with_suffix(".partial")
    try:
        with naming_file(page):
            partial.write_text(replace_surrogates(html), encoding="utf-8")
        return partial.replace(page)
    finally:
        partial.unlink(missing_ok=True)


def _files(sentences: str | None, corpus: str | None, pairs: str | None) -> dict[str, str | None]:
    if sentences and corpus:
        raise InputError(
            "SENTENCES and CORPUS (or --sentences and --corpus): the page holds one list, to "
            "compare and to search. Give one of them."
        )
    return {"sentences": sentences, "corpus": corpus, "pairs": pairs}


def _texts(
    files: dict[str, str], column: str | None, sheet: str | None
) -> tuple[list[str], list[tuple[str, str]], str]:
    """Read what the page starts with: a list, pairs, and the name of the first file."""
    readers = {"sentences": read_sentences, "corpus": read_corpus}
    texts, pairs = SENTENCES, list[tuple[str, str]]()
    for kind, file in files.items():
        if kind == "pairs":
            read = read_pairs(Path(file), columns=column, sheet=sheet)
            pairs = list(zip(read.table["sentence_a"], read.table["sentence_b"], strict=True))
        else:
            read = readers[kind](Path(file), column=column, sheet=sheet)
            texts = [" ".join(text.splitlines()) for text in read.texts]  # one a line
        _check_size(read)
    return texts, pairs, Path(next(iter(files.values()), "")).stem


def _check_size(read: Input) -> None:
    if len(read.table) > MOST:
        raise InputError(
            f"{read.source}: {counted(len(read.table), 'row')}, and the page takes {MOST:,}. For "
            f"more, make a report: make report SENTENCES={read.source}."
        )


def _about(found: ModelSource, kind: str) -> str:
    """Say whose weights these are, and how far scores may be from Python's."""
    known = found.source == "bundled"
    licence = ", Apache License 2.0" if known else ""
    said = f"Model {found.name}, {kind} weights (SHA-256 {found.weights_sha256}{licence})."
    if not known:
        return f"{said} How far its scores are from Python's was measured on the pairs below only."
    return (
        f"{said} Over the 1,379 test pairs of the STS Benchmark its scores were at most "
        f"{MEASURED[kind]} from Python's."
    )


def _licences() -> str:
    """Give the notices that go with the weights and with the list of opposites."""
    apache = metadata.distribution("sentence-transformers").read_text("licenses/LICENSE") or ""
    opposites = resources.files("stslab.studies") / "data" / "opposites-en.txt"
    lines = opposites.read_text("utf-8").splitlines()
    header = itertools.takewhile(lambda line: line.startswith("#"), lines)
    notice = "\n".join(line.removeprefix("#").removeprefix(" ") for line in header)
    weights = f"The model {DEFAULT_MODEL}: Apache License 2.0."
    return f"{weights}\n\n{apache.strip()}\n\n{notice}"


def _look() -> Assets:
    sheets = [TEMPLATE / f"{name}.css" for name in ("colors", "figures", "heatmap")]
    script = (HERE / "engine" / "page.js").read_text(encoding="utf-8")
    return with_policy(read_style([*sheets, HERE / "page" / "live.css"]), script, wasm=True)


def _template() -> Any:
    folders = jinja2.FileSystemLoader([HERE / "page", TEMPLATE])
    made = jinja2.Environment(loader=folders, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("live.html.j2")
