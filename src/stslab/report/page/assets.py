"""What every page shares: its templates, one stylesheet, one script, and the policy for both."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup

TEMPLATE = Path(__file__).parent / "template"


class Assets(NamedTuple):
    """The text of the style and script elements, and a policy that names both by hash."""

    css: Markup
    js: Markup
    policy: str


def templates(*folders: Path) -> jinja2.Environment:
    """Return an environment for the templates in `folders` and for those of all pages.

    A value that a template shows is escaped, unless it is markup already.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATE]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache
def page_assets(*names: str) -> Assets:
    """Return the assets of a page: those of all pages, and those of parts such as "heatmap"."""
    sheets = [TEMPLATE / f"{name}.css" for name in names]
    scripts = [TEMPLATE / f"{name}.js" for name in names]
    # Scripts have whole-line comments only, so that shortening them needs no parser.
    js = re.sub(r"^\s*(//.*)?\n|^\s+", "", read_script(scripts), flags=re.MULTILINE)
    return with_policy(read_style(sheets), js)


def read_style(sheets: Iterable[Path]) -> str:
    """Return the stylesheet of all pages joined with others, without comments and spaces."""
    css = _joined([TEMPLATE / "style.css", *sheets])
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", css)
    return css.replace(";}", "}").strip()


def read_script(scripts: Iterable[Path]) -> str:
    """Return the script of all pages with others put into it."""
    return _joined([TEMPLATE / "script.js"]).replace("  // PARTS\n", _joined(scripts))


def with_policy(css: str, js: str, *, wasm: bool = False) -> Assets:
    """Return a style and a script with the policy that allows these two alone.

    `wasm` allows WebAssembly, too, which only the page that computes needs.
    """
    script_sources = hashed(js)
    if wasm:
        script_sources += " 'wasm-unsafe-eval'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {hashed(css)}; script-src {script_sources}"
        "; base-uri 'none'; form-action 'none'"
    )
    return Assets(Markup(css), Markup(js), policy)


def name_set(text: str) -> set[str]:
    """Return the names in a text that lists them with spaces between."""
    return set(text.split())


def replace_surrogates(text: str) -> str:
    """Replace unpaired surrogates, which UTF-8 cannot hold, by �."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def hashed(text: str) -> str:
    """Return the hash by which a policy names a style or script."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _joined(files: Iterable[Path]) -> str:
    """Return the content of those files that exist: few parts have both a style and a script."""
    return "".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
