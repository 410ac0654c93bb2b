"""The pages that lead to pages: one per preset, and one for all presets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from .assets import page_assets, replace_surrogates, templates
from .tables import folded

# A word and a sign for each status: never a color alone.
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

_TEMPLATES = templates()


def render_index(
    preset_title: str,
    pages: Sequence[Mapping[str, Any]],
    *,
    root_href: str | None = "../index.html",
    description: str = "",
) -> str:
    """Return the index of one preset.

    Parameters
    ----------
    preset_title : str
    pages : sequence of mapping
        A page has a ``title`` and an ``href`` (None if it was never built), and optionally
        ``about``, ``finding``, ``cautions``, ``status``, ``reason`` (why it is not up to date),
        ``failed_href`` (the page of the notebook that failed) and ``thumbnail``.
    root_href : str or None, default "../index.html"
        The index of all presets; None if there is none.
    description : str, default ""
        Of the preset, in its own words.
    """
    html = _TEMPLATES.get_template("entries.html.j2").render(
        title=preset_title,
        entries=[_entry(page) for page in pages],
        look=page_assets("page", "colors", "entries"),
        root_href=root_href,
        description=description,
    )
    return replace_surrogates(html)


def _entry(page: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template needs of a page."""
    status = str(page.get("status") or "built")
    state, sign = STATES.get(status, (status, "•"))
    drawing = str(page.get("thumbnail") or "")
    thumbnail = None
    if DRAWING.fullmatch(drawing):
        thumbnail = Markup(drawing)
    return {
        **page,
        "finding": folded(str(page.get("finding") or "")),
        "reason": folded(str(page.get("reason") or "")),
        "href": _marked_href(page.get("href")),
        "failed_href": _marked_href(page.get("failed_href")),
        "thumbnail": thumbnail,
        "state": state,
        "sign": sign,
    }


def _marked_href(href: str | None) -> str | None:
    """Return an address that tells a page that its reader comes from the index beside it.

    The page then shows its links to the other pages, which are there, too. The index of another
    preset needs no such mark.
    """
    path, hash_sign, fragment = (href or "").partition("#")
    if not path or path.endswith("/index.html"):
        return href
    return f"{path}?in=report{hash_sign}{fragment}"


def render_root_index(presets: Sequence[Mapping[str, Any]]) -> str:
    """Return the index of all presets; a ``finding`` may say how many pages a preset has."""
    return render_index("Reports", presets, root_href=None)
