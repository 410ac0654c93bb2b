"""What every page shares: one stylesheet, one script, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

TEMPLATE = Path(__file__).parent / "template"


class Assets(NamedTuple):
    """The text of the style and script elements, and a policy that names both by hash."""

    css: Markup
    js: Markup
    policy: str


@lru_cache
def page_assets(*sheets: str) -> Assets:
    """Read the look of a page: what all have, and what each sheet adds, such as "heatmap"."""
    css = "".join(_read(f"{sheet}.css") for sheet in ("style", *sheets))
    parts = "".join(_read(f"{sheet}.js") for sheet in sheets)
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    css = re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", css).replace(";}", "}").strip()
    # The script has whole-line comments only, so that shortening it needs no parser.
    js = _read("script.js").replace("  // PARTS\n", parts)
    js = re.sub(r"^\s*(//.*)?\n|^\s+", "", js, flags=re.MULTILINE)
    policy = (
        f"default-src 'none'; img-src data:; style-src {hashed(css)}; script-src {hashed(js)}; "
        "base-uri 'none'; form-action 'none'"
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


def _read(name: str) -> str:
    path = TEMPLATE / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
