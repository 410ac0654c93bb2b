"""What every page shares: one stylesheet, one script, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import rjsmin
from markupsafe import Markup

TEMPLATE = Path(__file__).parent / "template"
WASM = "'wasm-unsafe-eval'"


class Assets(NamedTuple):
    """The text of the style and script elements, and a policy that names both by hash."""

    css: Markup
    js: Markup
    policy: str


@lru_cache
def page_assets(*parts: str, folder: Path = TEMPLATE, wasm: bool = False) -> Assets:
    """Read the look of a page: what all have, and what each part adds, such as "heatmap".

    Parts are looked for in `folder`, too. Only a page that computes may compile WebAssembly.
    """
    found = [(folder if any(folder.glob(f"{part}.[cj]s*")) else TEMPLATE) / part for part in parts]
    css = "".join(map(_read, [TEMPLATE / "style.css", *_with(found, ".css")]))
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    css = re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", css).replace(";}", "}").strip()
    scripts = "".join(map(_read, _with(found, ".js")))
    js = rjsmin.jsmin(_read(TEMPLATE / "script.js").replace("  // PARTS\n", scripts))
    policy = (
        f"default-src 'none'; img-src data:; style-src {hashed(css)}; script-src {hashed(js)}"
        f"{' ' * wasm}{WASM * wasm}; base-uri 'none'; form-action 'none'"
    )
    return Assets(Markup(css), Markup(js), policy)


def name_set(text: str) -> set[str]:
    """Split a list of names written as one text."""
    return set(text.split())


def replace_surrogates(text: str) -> str:
    """Replace halves of characters (unpaired surrogates), which UTF-8 cannot hold, by �."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def hashed(text: str) -> str:
    """Return what a policy calls a style or script: its sha256."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _with(parts: Sequence[Path], ending: str) -> list[Path]:
    return [part.with_suffix(ending) for part in parts]


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
