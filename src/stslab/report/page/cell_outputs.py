"""What cells show → HTML: figures, tables, texts and errors, this project's or a stranger's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from ...mime_types import MAP, MATRIX
from ..terminal_text import drop_overwritten
from .forms import as_mapping, forms_of, info_of, join_lines
from .heatmap import is_matrix, render_heatmap
from .prose import Prose
from .sentence_map import is_map, render_map
from .svg import inline_svg
from .tables import csv_link, data_table, folded

_Data = Mapping[str, Any]
# Forms of a figure, the last in words.
FIGURE = {MATRIX, MAP, "image/svg+xml", "image/png", "text/plain"}
LONG_TEXT = 20_000  # characters of a printed text that is folded
NOTHING = Markup("")


class CellOutputs:
    """The outputs of one page.

    Figures and tables are numbered as they come, and no two figures have the same description.
    """

    def __init__(self, prose: Prose, page_name: str, *, published: bool) -> None:
        self.prose = prose
        self.page_name = page_name
        self.published = published  # whether the files in data/ stand beside the page
        self.figure_count = 0
        self.table_count = 0
        self.has_heatmap = False
        self.has_outlines = False
        self.has_map = False
        self.descriptions: set[str] = set()

    def html(self, output: NotebookNode) -> Markup:
        """Return an output as HTML; empty if there is nothing to see."""
        if output.output_type == "stream":
            return _stream(output)
        if output.output_type == "error":
            return _error(output)
        info, forms = info_of(output), forms_of(output)
        kind = info.get("kind")
        if kind in ("text", "finding") and "text/plain" in forms:
            return Markup('<div class="says">{}</div>').format(folded(forms["text/plain"]))
        if kind == "table" and "text/html" in forms:
            return self._table(info, forms)
        alt = _alternative(output)
        if kind == "figure" and forms.keys() & FIGURE:
            return self._figure(info, forms, alt or forms.get("text/plain", ""))
        return self._foreign(forms, alt)

    def asset_names(self) -> list[str]:
        """Return the names of the styles and scripts that the outputs so far need."""
        names = []
        if self.figure_count:
            names += ["figures", "pictures"]
        if self.has_heatmap:
            names += ["colors", "heatmap"]
        if self.has_outlines:
            names.append("outlines")
        if self.has_map:
            names.append("map")
        return names

    def _table(self, info: _Data, forms: _Data) -> Markup:
        ident = self.prose.anchor(f"table-{info.get('name')}")
        tools = self._tools(info, forms, subject=str(info.get("caption", "table")))
        self.table_count += 1
        table = data_table(forms["text/html"], self.table_count)
        return Markup('<div class="table" id="{}">{}{}</div>').format(ident, table, tools)

    def _figure(self, info: _Data, forms: _Data, alt: str) -> Markup:
        title = str(info.get("title") or "")
        ident = self.prose.anchor(f"figure-{info.get('name')}")
        tools = self._tools(info, forms, subject=title or "the figure")
        matrix = forms.get(MATRIX)
        if not is_matrix(matrix):
            return self._picture(forms, alt, ident, "plot ours", title, tools)
        self.figure_count += 1
        self.has_heatmap = True
        self.has_outlines = self.has_outlines or "outlines" in forms[MATRIX]
        caption = f"Figure {self.figure_count}. {title}"
        table = render_heatmap(forms[MATRIX], ident=ident, caption=caption, alt=alt)
        return Markup('<div class="figure">{}{}</div>').format(table, tools)

    def _picture(
        self,
        forms: _Data,
        alt: str,
        ident: str,
        css_class: str,
        title: str = "",
        tools: Markup = NOTHING,
    ) -> Markup:
        """Return a map or a drawing with its caption; what cannot be drawn is shown in words."""
        self.figure_count += 1
        alt = self._distinct_description(alt)
        # The drawing carries its title already; the caption repeats it for readers of the page.
        caption = f"Figure {self.figure_count}"
        if title:
            caption = f"{caption}. {title}"
        if is_map(forms.get(MAP)):
            self.has_map = True
            points = render_map(forms[MAP], ident=ident, alt=alt)
            return Markup('<figure id="{}"><figcaption>{}</figcaption>{}{}</figure>').format(
                ident, caption, points, tools
            )
        drawing = inline_svg(forms.get("image/svg+xml", ""), prefix=ident, label=alt)
        if drawing is None:
            drawing = _image(forms, alt)
        if drawing is None:
            return Markup('<div class="says">{}</div>').format(alt)
        return Markup(
            '<figure id="{}"><div class="{}">{}</div><figcaption>{}</figcaption>{}</figure>'
        ).format(ident, css_class, drawing, caption, tools)

    def _distinct_description(self, alt: str) -> str:
        """Return a description that no other figure of the page has."""
        if not alt.strip() or alt in self.descriptions:
            alt = f"{alt or 'A drawing without a description'} (figure {self.figure_count})"
        self.descriptions.add(alt)
        return alt

    def _tools(self, info: _Data, forms: _Data, subject: str) -> Markup:
        """Return the link to the numbers of a figure or table."""
        if "text/csv" not in forms:
            return NOTHING
        file = f"{self.page_name}-{info.get('name')}.csv"
        link = csv_link(forms["text/csv"], file, published=self.published, subject=subject)
        if not link:
            return NOTHING
        return Markup('<p class="tools">{}</p>').format(link)

    def _foreign(self, forms: _Data, alt: str) -> Markup:
        """Return an output of a notebook that does not use this project's helper."""
        if "text/html" in forms:
            html = self.prose.clean(forms["text/html"])
            if html.striptags().strip() or "<img" in html:
                return Markup('<div class="out">{}</div>').format(html)
        if "text/markdown" in forms:
            return self.prose.markdown(forms["text/markdown"], contents=False)
        if forms.keys() & {"image/svg+xml", "image/png", "image/jpeg"}:
            ident = self.prose.anchor(f"figure-{self.figure_count + 1}")
            return self._picture(forms, alt, ident, "plot")
        if "text/latex" in forms:
            return self.prose.markdown(forms["text/latex"], contents=False)
        if "text/plain" in forms:
            return _text(forms["text/plain"], "out")
        return NOTHING


def _alternative(output: NotebookNode) -> str:
    """Return the text alternative that an output carries for one of its forms."""
    for form_info in as_mapping(output.get("metadata")).values():
        alt = as_mapping(form_info).get("alt")
        if alt:
            return str(alt)
    return ""


def _image(forms: _Data, alt: str) -> Markup | None:
    for mime_type in ("image/png", "image/jpeg"):
        if mime_type in forms:
            content = re.sub(r"[^\w+/=]", "", forms[mime_type])
            return Markup('<img alt="{}" src="data:{};base64,{}">').format(alt, mime_type, content)
    return None


def _stream(output: NotebookNode) -> Markup:
    css_class = "out"
    if output.get("name") == "stderr":
        css_class = "stderr"
    return _text(join_lines(output.get("text")) or "", css_class)


def _text(text: str, css_class: str) -> Markup:
    text = drop_overwritten(strip_ansi(text)).rstrip()
    if len(text) > LONG_TEXT:
        return Markup('<div class="{}">{}</div>').format(css_class, folded(text))
    if not text:
        return NOTHING
    return Markup('<pre class="{}">{}</pre>').format(css_class, text)


def _error(output: NotebookNode) -> Markup:
    traceback = strip_ansi("\n".join(output.get("traceback") or ())).strip()
    message = strip_ansi(f"{output.get('ename', 'Error')}: {output.get('evalue', '')}").rstrip(": ")
    details = NOTHING
    if traceback not in ("", message):
        details = Markup(
            "<details open><summary>Traceback</summary><pre>{}</pre></details>"
        ).format(traceback)
    return Markup('<div class="error"><strong>{}</strong>{}</div>').format(folded(message), details)
