"""Markdown and foreign HTML → HTML that is safe, in order, and free of scripts.

nh3 (ammonia) decides what stays: a list of elements and attributes, no style, no id, no event
handler, no address but http, https, mailto and places in this report.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from html import unescape
from itertools import groupby
from operator import itemgetter
from typing import Any

import nh3
from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .assets import name_set, replace_surrogates

MATH = name_set(
    """
    math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover
    """
)
TAGS = MATH | name_set(
    """
    a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em
    figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp
    small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr
    """
)
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "reversed"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "details": {"open"},
    # papermill marks the place where it stopped; its banner links there.
    "span": {"id"},
    **{tag: {"stretchy", "fence", "accent", "columnalign", "linethickness"} for tag in MATH},
    "math": {"display"},
}
SAFE = {
    "id": re.compile(r"papermill-error-cell\Z"),
    "src": re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]"),
}
CODE = {"k", "s", "c", "n"}  # keyword, string, comment, number: enough to read code by
COLOURED = 100_000  # characters
_HEAD = re.compile(r"<thead>.*?</thead>", re.S)
_NO_SCOPE = re.compile(r"<th(?![^>]*scope=)(?=[ >])")
_LOCAL = re.compile(r'<a href="(?!#|https?:|mailto:)([^"]*)"', re.I)
_UNLINKED = re.compile(r"<a(?: (?:title|dir|lang)=\"[^\"]*\")*>(.*?)</a>", re.S)
_NEXT = re.compile(r"<(p|li)>Next: <a>[^<]*</a>[^<]*</\1>\n?")
EMPTY = re.compile(r"\n\s{500}")  # over such a place Pygments takes the square of its length


def highlight(code: str, language: str) -> Markup:
    """Mark keywords, strings, comments and numbers; anything more is weight."""
    from pygments import lex
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Number, Operator, String
    from pygments.util import ClassNotFound

    if len(code) > COLOURED or EMPTY.search(code):
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    kinds = {Keyword: "k", Operator.Word: "k", String: "s", Comment: "c", Number: "n"}
    tokens = (
        (next((name for parent, name in kinds.items() if token in parent), ""), text)
        for token, text in lex(code, lexer)
    )
    parts = []
    for kind, run in groupby(tokens, key=itemgetter(0)):
        text = escape("".join(map(itemgetter(1), run)))
        parts.append(f"<i class={kind}>{text}</i>" if kind else text)
    return Markup("".join(parts).rstrip("\n"))


def mathml(formula: str, *, block: bool = False) -> str:
    """Turn a LaTeX formula into MathML; one that cannot be read stays as it is written."""
    from latex2mathml.converter import convert

    try:
        return str(convert(formula.strip(), display="block" if block else "inline"))
    except Exception:  # the library raises many types, IndexError among them
        return f"<code>{escape(formula)}</code>"


class Renderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's Markdown, with formulas as MathML and without scripts for diagrams."""

    def block_math(self, body: str) -> str:
        return mathml(body, block=True)

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{highlight(code, (info or 'text').split()[0])}</code></pre>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("attachment:") and url.partition(":")[2] not in self.attachments:
            return f"[{text}]"
        return str(super().image(text, url, title))


class Prose:
    """All prose of one page: headings get ids, a place in the contents, and levels in order.

    `link` says where a relative address leads, None to keep only its text; `path` is the
    notebook's folder, for the images that its text names.
    """

    def __init__(self, link: Callable[[str], str | None] | None = None, path: str = "") -> None:
        self.contents: list[tuple[int, str, str]] = []  # level, id, text
        self.title = ""
        self._link = link
        self._path = path
        self._level = 1
        self._ids = {"main", "contents", "made-from", "failing-cell", "stslab-record"}
        self._again: Counter[str] = Counter()  # how often a text needed another id
        self._cleaner = nh3.Cleaner(
            tags=TAGS,
            clean_content_tags={"script", "style", "template", "noscript", "iframe", "svg"},
            attributes=ATTRIBUTES,
            attribute_filter=self._attribute,
            allowed_classes={"i": CODE},
            url_schemes={"http", "https", "mailto", "data"},
            link_rel=None,
        )

    def markdown(
        self, source: str, attachments: dict[str, Any] | None = None, *, contents: bool = True
    ) -> Markup:
        """Render Markdown; a cell's headings belong to the contents, an output's do not."""
        renderer = Renderer(
            escape=False,
            attachments=attachments or {},
            embed_images=bool(self._path),
            exclude_anchor_links=True,
            path=self._path,
        )
        return self.clean(MarkdownWithMath(renderer=renderer).render(source), contents=contents)

    def clean(self, html: str, *, contents: bool = False) -> Markup:
        """Make HTML safe and its headings and tables accessible."""
        html = self._cleaner.clean(replace_surrogates(html))
        html = self._linked(html)
        html = re.sub(r'<img(?![^>]* src=)(?:[^>]* alt="([^"]*)")?[^>]*>', r"[image: \1]", html)
        html = re.sub(r"<img(?![^>]* alt=)", '<img alt="An image without a description"', html)
        html = re.sub(
            r"<h([1-6])([^>]*)>(.*?)</h\1>", lambda m: self._heading(m, contents), html, flags=re.S
        )
        return Markup(_tables(html))

    def _linked(self, html: str) -> str:
        """Leave no link that leads nowhere: the script leads to other pages, if they are there.

        A link whose target is none of them is plain text, and a line that only names it goes.
        """
        if self._link:
            html = _LOCAL.sub(r'<a data-page="\1"', html)
        return _UNLINKED.sub(r"\1", _NEXT.sub("", html))

    def anchor(self, text: str) -> str:
        """Make an id from a text; no two on a page are equal, none depends on chance."""
        plain = unicodedata.normalize("NFKD", text.lower())
        stem = "-".join(re.findall(r"[^\W_]+", plain, flags=re.ASCII))[:60] or "section"
        name = stem
        while name in self._ids:
            self._again[stem] += 1
            name = f"{stem}-{self._again[stem] + 1}"
        self._ids.add(name)
        return name

    def _heading(self, match: re.Match[str], contents: bool) -> str:
        level, attributes, html = int(match[1]), match[2], match[3]
        text = " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
        if not text:
            return html
        if contents and level == 1 and not self.title:
            self.title = text
            return ""
        # One h1 a page, and no level skipped: a screen reader's outline is the contents list.
        level = min(max(level, 2), self._level + 1)
        self._level = level
        name = self.anchor(text)
        if contents:
            self.contents.append((level, name, text))
        return f'<h{level} id="{name}"{attributes}>{html}</h{level}>'

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name == "href" and not re.match(r"#|(https?|mailto):", value, re.I):
            if re.match(r"[a-z][\w+.-]*:|//", value, re.I):
                return None
            return self._link(value) if self._link else value
        kept = SAFE.get(name)
        return value if kept is None or kept.match(value) else None


def _tables(html: str) -> str:
    """Say what each header cell heads, and let a wide table scroll by itself."""
    if "<table" not in html:
        return html
    html = re.sub(r"<th([^>]*)>\s*</th>", r"<td\1></td>", html)
    html = _HEAD.sub(lambda head: _NO_SCOPE.sub('<th scope="col"', head[0]), html)
    html = _NO_SCOPE.sub('<th scope="row"', html)
    return html.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")
