"""The pages that lead to pages: one per preset, and one for all presets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from .assets import TEMPLATE, page_assets, replace_surrogates
from .tables import folded

# A word and a sign for each state: never a colour alone.
STATES = {
    **dict.fromkeys(("built", "unchanged", "fresh"), ("built", "✓")),
    "stale": ("out of date", "!"),
    "failed": ("failed", "✕"),
}

# What `thumbnail` draws, and nothing else: it comes here by way of a manifest, which is a file.
DRAWING = re.compile(
    r'<svg viewBox="0 0 \d+ \d+" aria-hidden="true">'
    r'(<path d="[MHV\d ]+"/>)?'
    r'(<rect class="h\d+" x="-?\d+" y="-?\d+" width="-?\d+" height="-?\d+"/>)*'
    r'(<image class="ours" width="\d+" height="\d+" '
    r'href="data:image/png;base64,[A-Za-z0-9+/]+=*"/>)?</svg>',
    re.ASCII,
)

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATE), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def render_index(
    preset_title: str,
    pages: Sequence[Mapping[str, Any]],
    *,
    root_href: str | None = "../index.html",
    about: str = "",
) -> str:
    """Render the index of one preset.

    A page has a `title` and an `href` (None where none was ever built), and optionally `about`,
    `finding`, `cautions`, `status`, `reason` (why it is not up to date), `failed_href` (the failed
    notebook's page), and `thumbnail`.
    """
    entries = []
    for page in pages:
        status = str(page.get("status") or "built")
        state, sign = STATES.get(status, (status, "•"))
        drawing = str(page.get("thumbnail") or "")
        texts = {name: folded(str(page.get(name) or "")) for name in ("finding", "reason")}
        shown: dict[str, Any] = {name: _inside(page.get(name)) for name in ("href", "failed_href")}
        shown["thumbnail"] = Markup(drawing) if DRAWING.fullmatch(drawing) else None
        entries.append({**page, **texts, **shown, "state": state, "sign": sign})
    html = _TEMPLATES.get_template("entries.html.j2").render(
        title=preset_title,
        entries=entries,
        look=page_assets("page", "colors", "entries"),
        root_href=root_href,
        about=about,
    )
    return replace_surrogates(html)


def _inside(href: str | None) -> str | None:
    """Tell a page that its reader comes from here, so that the pages beside it are there, too."""
    path, mark, place = (href or "").partition("#")
    beside = path and not path.endswith("/index.html")  # a list of pages needs no telling
    return f"{path}?in=report{mark}{place}" if beside else href


def render_root_index(presets: Sequence[Mapping[str, Any]]) -> str:
    """Render the index of all presets; `finding` may say how many pages each has."""
    return render_index("Reports", presets, root_href=None)
