"""Markdown and foreign HTML → HTML that is safe, in order, and free of scripts.

nh3 (ammonia) decides what stays: a list of elements and attributes. There is no style, no id and no
event handler among them, and no address but http, https, mailto and places in this report.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from html import unescape
from itertools import groupby
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
# Attributes whose values have to match.
SAFE_VALUES = {
    "id": re.compile(r"papermill-error-cell\Z"),
    "src": re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]"),
}
CODE_CLASSES = {"k", "s", "c", "n"}  # keyword, string, comment, number: enough to read code by
LONGEST_HIGHLIGHTED = 100_000  # characters of code
_NO_SOURCE = re.compile(r'<img(?![^>]* src=)(?:[^>]* alt="([^"]*)")?[^>]*>')
_NO_ALTERNATIVE = re.compile(r"<img(?![^>]* alt=)")
_HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.S)
_TABLE_HEAD = re.compile(r"<thead>.*?</thead>", re.S)
_NO_SCOPE = re.compile(r"<th(?![^>]*scope=)(?=[ >])")
_LOCAL = re.compile(r'<a href="(?!#|https?:|mailto:)([^"]*)"', re.I)
_UNLINKED = re.compile(r"<a(?: (?:title|dir|lang)=\"[^\"]*\")*>(.*?)</a>", re.S)
_NEXT = re.compile(r"<(p|li)>Next: <a>[^<]*</a>[^<]*</\1>\n?")
LONG_BLANK = re.compile(r"\n\s{500}")  # Pygments takes a time that grows with its square


def highlight(code: str, language: str) -> Markup:
    """Return code as HTML with keywords, strings, comments and numbers marked.

    More kinds than these would make a page larger and no easier to read.
    """
    from pygments import lex
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Number, Operator, String
    from pygments.util import ClassNotFound

    if len(code) > LONGEST_HIGHLIGHTED or LONG_BLANK.search(code):
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    classes = {Keyword: "k", Operator.Word: "k", String: "s", Comment: "c", Number: "n"}

    def css_class(token: tuple[Any, str]) -> str:
        for kind, name in classes.items():
            if token[0] in kind:  # as String.Doc is in String
                return name
        return ""

    pieces = []
    for name, tokens in groupby(lex(code, lexer), key=css_class):
        code = escape("".join(text for _, text in tokens))
        if name:
            pieces.append(f"<i class={name}>{code}</i>")
        else:
            pieces.append(code)
    return Markup("".join(pieces).rstrip("\n"))


def mathml(formula: str, *, block: bool = False) -> str:
    """Return a LaTeX formula as MathML; one that cannot be read stays as it is written."""
    from latex2mathml.converter import convert

    display = "inline"
    if block:
        display = "block"
    try:
        return str(convert(formula.strip(), display=display))
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
        language = (info or "text").split()[0]
        return f"<pre><code>{highlight(code, language)}</code></pre>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        # nbconvert's own raises an error for an attachment that the cell does not have.
        scheme, _, attachment = url.partition(":")
        if scheme == "attachment" and attachment not in self.attachments:
            return f"[{text}]"
        return str(super().image(text, url, title))


class Prose:
    """Renders the prose of one page, whose headings get ids, contents, and levels in order.

    Parameters
    ----------
    link : callable or None, default None
        Returns where a relative address leads, or None to keep only the text of its link.
        Without it, such addresses stay as they are.
    path : str, default ""
        The notebook's folder, for the images that its text names.
    """

    def __init__(self, link: Callable[[str], str | None] | None = None, path: str = "") -> None:
        self.contents: list[tuple[int, str, str]] = []  # level, id, text
        self.title = ""
        self._link = link
        self._path = path
        self._level = 1
        self._ids = {"main", "contents", "made-from", "failing-cell", "stslab-record"}
        self._repeats: Counter[str] = Counter()  # how often a text needed another id
        self._cleaner = nh3.Cleaner(
            tags=TAGS,
            clean_content_tags={"script", "style", "template", "noscript", "iframe", "svg"},
            attributes=ATTRIBUTES,
            attribute_filter=self._attribute,
            allowed_classes={"i": CODE_CLASSES},
            url_schemes={"http", "https", "mailto", "data"},
            link_rel=None,
        )

    def markdown(
        self, source: str, attachments: dict[str, Any] | None = None, *, contents: bool = True
    ) -> Markup:
        """Return Markdown as HTML; a cell's headings belong to the contents, an output's not."""
        renderer = Renderer(
            escape=False,
            attachments=attachments or {},
            embed_images=bool(self._path),
            exclude_anchor_links=True,
            path=self._path,
        )
        return self.clean(MarkdownWithMath(renderer=renderer).render(source), contents=contents)

    def clean(self, html: str, *, contents: bool = False) -> Markup:
        """Return HTML that is safe, with accessible headings, images and tables."""
        html = self._cleaner.clean(replace_surrogates(html))
        html = self._linked(html)
        html = _NO_SOURCE.sub(r"[image: \1]", html)
        html = _NO_ALTERNATIVE.sub('<img alt="An image without a description"', html)
        html = _HEADING.sub(lambda match: self._heading(match, contents), html)
        return Markup(_tables(html))

    def _linked(self, html: str) -> str:
        """Return HTML without links that lead nowhere.

        A link to another page leads there by the script, if that page stands beside this one. A
        link that the cleaner left without a target becomes plain text; a line "Next: …" that only
        named its target goes.
        """
        if self._link:
            html = _LOCAL.sub(r'<a data-page="\1"', html)
        return _UNLINKED.sub(r"\1", _NEXT.sub("", html))

    def anchor(self, text: str) -> str:
        """Return a new id made from a text: no other on the page is equal."""
        plain = unicodedata.normalize("NFKD", text.lower())
        stem = "-".join(re.findall(r"[^\W_]+", plain, flags=re.ASCII))[:60] or "section"
        name = stem
        while name in self._ids:
            self._repeats[stem] += 1
            name = f"{stem}-{self._repeats[stem] + 1}"
        self._ids.add(name)
        return name

    def _heading(self, match: re.Match[str], contents: bool) -> str:
        """Return a heading with an id; the first of level 1 is the page's title instead."""
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
        """Return what an attribute becomes; None to remove it."""
        if name == "href" and not re.match(r"#|(https?|mailto):", value, re.I):
            has_scheme_or_host = re.match(r"[a-z][\w+.-]*:|//", value, re.I)
            if has_scheme_or_host:
                return None
            if self._link:
                return self._link(value)
            return value
        pattern = SAFE_VALUES.get(name)
        if pattern and not pattern.match(value):
            return None
        return value


def _tables(html: str) -> str:
    """Return HTML whose header cells say what they head, and whose wide tables scroll."""
    if "<table" not in html:
        return html
    html = re.sub(r"<th([^>]*)>\s*</th>", r"<td\1></td>", html)
    html = _TABLE_HEAD.sub(lambda head: _NO_SCOPE.sub('<th scope="col"', head[0]), html)
    html = _NO_SCOPE.sub('<th scope="row"', html)  # those that are not in the head of a table
    return html.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")
