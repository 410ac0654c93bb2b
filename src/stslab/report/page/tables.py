"""Tables of a page: `show_table`'s, with score bars, long texts folded, and their CSV."""

from __future__ import annotations

import re
from urllib.parse import quote

import nh3
from markupsafe import Markup, escape

from .assets import replace_surrogates

LONG = 1_200  # characters of a text shown before the rest is folded
EMBEDDED = 200_000  # characters of CSV that a page carries itself

_SCORE = r"--score:\s*(-?\d{1,9}(?:\.\d{1,9})?)"
_LONG_CELL = re.compile(rf"(?<=<td>)([^<]{{{LONG},}})(?=</td>)")

_cleaner = nh3.Cleaner(
    tags={"table", "caption", "thead", "tbody", "tr", "th", "td", "br"},
    clean_content_tags={"script", "style"},
    attributes={"th": {"scope"}, "td": {"style", "colspan"}},
    attribute_filter=lambda _tag, name, value: (
        value if name != "style" or re.fullmatch(_SCORE, value) else None
    ),
    allowed_classes={"table": {"stslab"}, "td": {"number", "score"}},
)


def data_table(html: str, number: int = 0) -> Markup:
    """Make `show_table`'s HTML safe, number it, draw its score bars, fold its long texts.

    All bars of a table share one scale that holds 0 and 1, so that lengths compare.
    """
    html = _cleaner.clean(replace_surrogates(html))
    low = min(0.0, *scores(html), 0.0)
    html = re.sub(
        rf'<td class="number score" style="{_SCORE}">',
        lambda m: f'<td class="number score">{_bar(float(m[1]), low)}',
        html,
    )
    html = _LONG_CELL.sub(lambda m: folded(Markup(m[1]).unescape()), html)
    if number:
        html = html.replace("<caption>", f"<caption>Table {number}. ", 1)
    return Markup(f'<div class="wide">{html}</div>')


def scores(html: str) -> list[float]:
    """Read the scores that a table's bars show."""
    return [float(score) for score in re.findall(f'style="{_SCORE}"', html)]


def folded(text: str) -> Markup:
    """Show a text; of a very long one its beginning, the whole one click away."""
    if len(text) <= LONG:
        return escape(text)
    size = f"{len(text):,} characters"
    return Markup(
        '<details class="long"><summary>{}… <small>({})</small></summary>{}</details>'
    ).format(text[:240], size, text)


def csv_link(csv: str, name: str, *, published: bool, what: str) -> Markup:
    """Offer a table's numbers: inside the page, or in the builder's file where they are many.

    `what` they are is for those who read links out of their place. The file is not there when a
    page was sent alone, so the script shows the link where it is.
    """
    if len(csv) < EMBEDDED:
        text = quote(csv, safe=" ,;:/?@!$()*'+=|[]{}", errors="replace")
        where = Markup('href="data:text/csv;charset=utf-8,{}"').format(text)
    elif published:
        where = Markup('hidden data-page="data/{}"').format(quote(name))
    else:
        return Markup("")
    return Markup('<a download="{}" {}>Download CSV<span class="vh"> of {}</span></a>').format(
        name, where, what
    )


def _bar(score: float, low: float) -> str:
    width = max(min(score, 1.0), -1.0)
    start, span = min(width, 0.0) - low, 1.0 - low
    kind = " class=neg" if width < 0 else ""
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect{kind} x="{100 * start / span:.1f}" width="{100 * abs(width) / span:.1f}" '
        'height="1"/></svg>'
    )
