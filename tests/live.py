"""A page that holds the model and no more than what computes, for tests in a real browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from stslab.live.lexicon import lexicon
from stslab.live.weights import pack_model
from stslab.models.finding import find_model

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


def page_of_lists(chromium: Any, model: Any, names: str) -> Iterator[Any]:
    """Open a page whose `lists` has the named functions, and the model's lexicon."""
    page = chromium.new_context(offline=True).new_page()
    page.evaluate(f"() => {{ window.lists = {script(*LISTS, names=names)} }}")
    page.evaluate("words => { lists.lexicon = words }", json.loads(json.dumps(lexicon(model))))
    yield page
    page.context.close()
