"""What every page shares: one stylesheet, one script, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

TEMPLATE = Path(__file__).parent / "template"
WASM = " 'wasm-unsafe-eval'"


class Assets(NamedTuple):
    """The text of the style and script elements, and a policy that names both by hash."""

    css: Markup
    js: Markup
    policy: str


@lru_cache
def page_assets(*parts: str) -> Assets:
    """Read the look of a page: what all have, and what each part adds, such as "heatmap"."""
    sheets, scripts = (
        [TEMPLATE / f"{part}{ending}" for part in parts] for ending in (".css", ".js")
    )
    # Scripts have whole-line comments only, so that shortening them needs no parser.
    js = re.sub(r"^\s*(//.*)?\n|^\s+", "", read_script(scripts), flags=re.MULTILINE)
    return with_policy(read_style(sheets), js)


def read_style(sheets: Iterable[Path]) -> str:
    """Join the sheet that all pages have with others, shortened."""
    css = _joined([TEMPLATE / "style.css", *sheets])
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", css).replace(";}", "}").strip()


def read_script(scripts: Iterable[Path]) -> str:
    """Put scripts into the one that all pages have."""
    return _joined([TEMPLATE / "script.js"]).replace("  // PARTS\n", _joined(scripts))


def with_policy(css: str, js: str, *, wasm: bool = False) -> Assets:
    """Write the policy for a style and a script; only a page that computes compiles WebAssembly."""
    policy = (
        f"default-src 'none'; img-src data:; style-src {hashed(css)}; script-src {hashed(js)}"
        f"{WASM if wasm else ''}; base-uri 'none'; form-action 'none'"
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


def _joined(files: Iterable[Path]) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
