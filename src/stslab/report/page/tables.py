"""Tables of a page: those of `show_table`, with score bars, long texts folded, and their CSV."""

from __future__ import annotations

import re
from urllib.parse import quote

import nh3
from markupsafe import Markup, escape

from .assets import replace_surrogates

LONG = 1_200  # characters of the longest text that is not folded
FOLD = 240  # characters of a folded text that can be seen
EMBEDDED = 200_000  # characters of CSV that a page carries itself

# The one style that a cell may have. `figures.show` writes it, and here it becomes a drawn bar.
_SCORE = r"--score:\s*(-?\d{1,9}(?:\.\d{1,9})?)"
_LONG_CELL = re.compile(rf"(?<=<td>)([^<]{{{LONG},}})(?=</td>)")


def _safe_attribute(_tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute; None for a style that is no score."""
    if name == "style" and not re.fullmatch(_SCORE, value):
        return None
    return value


_cleaner = nh3.Cleaner(
    tags={"table", "caption", "thead", "tbody", "tr", "th", "td", "br"},
    clean_content_tags={"script", "style"},
    attributes={"th": {"scope"}, "td": {"style", "colspan"}},
    attribute_filter=_safe_attribute,
    allowed_classes={"table": {"stslab"}, "td": {"number", "score"}},
)


def data_table(html: str, number: int = 0) -> Markup:
    """Return a table of `show_table` as safe HTML, with score bars and long texts folded.

    All bars of a table share one scale that holds 0 and 1, so that their lengths compare.

    Parameters
    ----------
    html : str
    number : int, default 0
        The table's number in its caption; 0 for none.
    """
    html = _cleaner.clean(replace_surrogates(html))
    low = min(0.0, *bar_scores(html), 0.0)  # the second 0.0 stands for a table without scores

    def draw_bar(cell: re.Match[str]) -> str:
        return f'<td class="number score">{_bar(float(cell[1]), low)}'

    def fold(cell: re.Match[str]) -> str:
        return folded(Markup(cell[1]).unescape())

    html = re.sub(rf'<td class="number score" style="{_SCORE}">', draw_bar, html)
    html = _LONG_CELL.sub(fold, html)
    if number:
        html = html.replace("<caption>", f"<caption>Table {number}. ", 1)
    return Markup(f'<div class="wide">{html}</div>')


def bar_scores(html: str) -> list[float]:
    """Return the scores that a table's bars show."""
    return [float(score) for score in re.findall(f'style="{_SCORE}"', html)]


def folded(text: str) -> Markup:
    """Return a text as HTML; a very long one shows its beginning, and the rest by a click."""
    if len(text) <= LONG:
        return escape(text)
    size = f"{len(text):,} characters"
    return Markup(
        '<details class="long"><summary>{}… <small>({})</small></summary>{}</details>'
    ).format(text[:FOLD], size, text)


def csv_link(csv: str, name: str, *, published: bool, subject: str) -> Markup:
    """Return a link to a table's numbers.

    Parameters
    ----------
    csv : str
        Stands in the link itself, unless it is large.
    name : str
        Of the file.
    published : bool
        Whether a large one is in ``data/`` beside the page. The script shows the link only where
        the file is there, because a page may have been sent alone. Without the file there is none.
    subject : str
        What the numbers belong to, for those who hear a list of links.
    """
    if len(csv) < EMBEDDED:
        content = quote(csv, safe=" ,;:/?@!$()*'+=|[]{}", errors="replace")
        target = Markup('href="data:text/csv;charset=utf-8,{}"').format(content)
    elif published:
        target = Markup('hidden data-page="data/{}"').format(quote(name))
    else:
        return Markup("")
    return Markup('<a download="{}" {}>Download CSV<span class="vh"> of {}</span></a>').format(
        name, target, subject
    )


def _bar(score: float, low: float) -> str:
    """Return a score's bar on a scale from `low` to 1, beginning at 0."""
    value = max(min(score, 1.0), -1.0)
    span = 1.0 - low
    x = f"{100 * (min(value, 0.0) - low) / span:.1f}"
    width = f"{100 * abs(value) / span:.1f}"
    sign_class = ""
    if value < 0:
        sign_class = " class=neg"
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect{sign_class} x="{x}" width="{width}" height="1"/></svg>'
    )
