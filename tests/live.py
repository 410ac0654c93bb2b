"""A page that holds the model and no more than what computes, for tests in a real browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from stslab import encode, similarity_matrix
from stslab.live.lexicon import lexicon
from stslab.live.weights import pack_model
from stslab.models.finding import find_model
from stslab.scores.groups import group_tree, leaves
from stslab.studies import has_content
from stslab.studies.repeats import positions_of_repeats
from stslab.studies.themes.members import nearly_the_same

PARTS = ("weights", "tokenizer", "engine", "explain")
LISTS = ("engine", "explain", "show", "lists", "quantities", "differences", "worth")
NAMES = "unpack, decodeBase64, makeTokenizer, makeEngine, explain, leaveOut, dot"
EXTRA = {"heard": "<é>"}
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'"
START = """async () => {
  const of = (id) => document.getElementById(id);
  const started = performance.now();
  const { model, extra } = await live.unpack(of("model"));
  const wasm = live.decodeBase64(of("encoder").textContent);
  live.engine = await live.makeEngine(wasm, model);
  live.tokenizer = live.makeTokenizer(model);
  live.embed = (texts) => live.engine.embed(texts.map((text) => live.tokenizer(text).ids));
  live.scores = (pairs) => {
    const embeddings = live.embed(pairs.flat());
    return pairs.map((_, i) => live.dot(embeddings[2 * i], embeddings[2 * i + 1]));
  };
  return { extra, milliseconds: performance.now() - started };
}"""


def script(*parts: str, names: str) -> str:
    """Give an expression whose value has the named things of the page's sources."""
    files = resources.files("stslab.live") / "page"
    sources = [(files / f"{part}.js").read_text("utf-8") for part in parts]
    return '(() => { "use strict";\n' + "\n".join(sources) + f"\nreturn {{ {names} }};\n}})()"


def write_page(folder: Path, *, compact: bool = False) -> Path:
    """Write the page; `page.evaluate(START)` fills its `live`."""
    wasm = (resources.files("stslab.live") / "engine/encoder.wasm").read_bytes()
    model = pack_model(find_model(), compact=compact, extra=EXTRA)
    file = folder / f"live-{'compact' if compact else 'exact'}.html"
    file.write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>engine</title>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<script type="text/plain" id="model">{base64.b64encode(model).decode()}</script>
<script type="text/plain" id="encoder">{base64.b64encode(wasm).decode()}</script>
<script>const live = {script(*PARTS, names=NAMES)};</script></html>""",
        "utf-8",
    )
    return file


NAMES_OF_LISTS = (
    "differentTexts, similarities, alikeTogether, nearlyTheSame, closestPairs, byTypicality, rank, "
    "repeatKey, judge, differences, words, quantities, hasContent, worth, percentile, band"
)
DESCRIBE_LIST = """([lines, vectors, thresholds]) => {
  const texts = lists.differentTexts(lines, lists.lexicon), n = texts.length;
  const matrix = lists.similarities(vectors.map((vector) => Float32Array.from(vector)));
  const pairs = (threshold) => {
    const found = lists.closestPairs(texts, matrix, threshold);
    return found.map(({ score, a, b }) => [score, a.text, b.text]);
  };
  const groups = (threshold) => lists.nearlyTheSame(texts, matrix, threshold);
  return { texts, matrix: [...matrix], order: lists.alikeTogether(matrix, n),
    groups: thresholds.map(groups), pairs: thresholds.map(pairs) };
}"""
MOST_PAIRS = 10_000


def check_list(page: Any, model: Any, lines: list[str], thresholds: list[float]) -> None:
    """Compare what the page finds in a list with what Python finds; scores to what 32 bits hold."""
    rows = positions_of_repeats(lines)
    texts = list(rows)
    vectors = encode(texts, model=model)
    found = page.evaluate(DESCRIBE_LIST, [lines, vectors.tolist(), thresholds])
    assert [text["text"] for text in found["texts"]] == texts
    assert [text["rows"] for text in found["texts"]] == [
        [position + 1 for position in positions] for positions in rows.values()
    ]
    assert [text["hasContent"] for text in found["texts"]] == [has_content(t) for t in texts]
    if len(texts) < 2:
        return
    matrix = similarity_matrix(texts, model=model)
    # The same 32 bits, or their neighbors where a sum in another order rounds otherwise.
    np.testing.assert_allclose(found["matrix"], matrix.to_numpy().ravel(), rtol=0, atol=6e-8)
    assert found["order"] == leaves(group_tree(matrix))
    with_content = np.flatnonzero([has_content(text) for text in texts])
    unit = vectors[with_content] / np.linalg.norm(vectors[with_content], axis=1, keepdims=True)
    scores = matrix.to_numpy()[np.ix_(with_content, with_content)]
    for threshold, groups, pairs in zip(thresholds, found["groups"], found["pairs"], strict=True):
        expected_groups = []
        if len(unit):
            expected_groups = nearly_the_same(unit.astype(np.float32), threshold)
        assert groups == [with_content[group].tolist() for group in expected_groups]
        expected_pairs = [
            [texts[position] for position in with_content[pair]]
            for pair in closest_pairs(scores, threshold)
        ]
        assert [pair[1:] for pair in pairs] == expected_pairs


def closest_pairs(scores: Any, threshold: float) -> list[list[int]]:
    """Return the pairs of rows that reach a threshold, else the closest, from all of them."""
    a, b = np.triu_indices(len(scores), k=1)
    of_pairs = scores[a, b]
    order = np.argsort(-of_pairs, kind="stable")
    reached = order[of_pairs[order] >= min(threshold, of_pairs.max(initial=-2))]
    return np.column_stack([a, b])[reached[:MOST_PAIRS]].tolist()


def page_of_lists(chromium: Any, model: Any) -> Iterator[Any]:
    """Open a page whose `lists` has what concerns lists, and the model's lexicon."""
    page = chromium.new_context(offline=True).new_page()
    page.evaluate(f"() => {{ window.lists = {script(*LISTS, names=NAMES_OF_LISTS)} }}")
    page.evaluate("words => { lists.lexicon = words }", json.loads(json.dumps(lexicon(model))))
    yield page
    page.context.close()
