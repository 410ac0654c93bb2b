"""The pages that lead to pages: one per preset, and one for all presets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from .assets import jinja_environment, page_assets, replace_surrogates
from .tables import folded

# A word and a sign for each state: never a colour alone.
STATES = {
    "built": ("built", "✓"),
    "unchanged": ("built", "✓"),
    "fresh": ("built", "✓"),
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


def render_index(
    preset_title: str,
    pages: Sequence[Mapping[str, Any]],
    *,
    root_href: str | None = "../index.html",
    about: str = "",
) -> str:
    """Render the index of one preset.

    Parameters
    ----------
    preset_title : str
    pages : sequence of mappings
        Each with `title`, `href` (None where no page was ever built), and optionally `finding`,
        `status` (built, unchanged, stale, failed), `reason` (why a page is not up to date),
        `failed_href` (the failed notebook's page), and `thumbnail` (shown if
        it is as `thumbnail` draws it).
    root_href : str or None
        Where the index of all presets is.
    about : str
        A sentence on the preset.
    """
    return _render("entries.html.j2", preset_title, pages, root_href=root_href, about=about)


def render_root_index(presets: Sequence[Mapping[str, Any]]) -> str:
    """Render the index of all presets.

    Parameters
    ----------
    presets : sequence of mappings
        As the pages of `render_index`; `finding` may say how many pages a preset has.
    """
    return _render("entries.html.j2", "Reports", presets, root_href=None, about="")


def _render(template: str, title: str, entries: Sequence[Mapping[str, Any]], **kw: Any) -> str:
    shown = []
    for entry in entries:
        status = str(entry.get("status") or "built")
        state, sign = STATES.get(status, (status, "•"))
        shown.append(
            {
                **entry,
                "thumbnail": Markup(drawing)
                if DRAWING.fullmatch(drawing := str(entry.get("thumbnail") or ""))
                else None,
                "finding": folded(str(entry.get("finding") or "")),
                "reason": folded(str(entry.get("reason") or "")),
                "state": state,
                "sign": sign,
            }
        )
    html = (
        jinja_environment()
        .get_template(template)
        .render(title=title, entries=shown, look=page_assets("heatmap", "entries"), **kw)
    )
    return replace_surrogates(html)
