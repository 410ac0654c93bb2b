"""What cells show → HTML: figures, tables, texts and errors, this project's or a stranger's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from . import chart, heatmap
from .chart import MAP
from .forms import forms, info_of, joined, mapping
from .heatmap import MATRIX
from .prose import Prose
from .svg import inline_svg
from .tables import csv_link, data_table, folded

_Data = Mapping[str, Any]
FIGURE = {MATRIX, MAP, "image/svg+xml", "image/png", "text/plain"}  # forms of it, the last in words


class CellOutputs:
    """The outputs of one page: figures and tables are numbered, no two figures described alike."""

    def __init__(self, prose: Prose, name: str, *, published: bool) -> None:
        self.prose, self.name = prose, name
        self.published = published  # whether the files in data/ stand beside the page
        self.figures = self.tables = 0
        self.kinds: set[str] = set()
        self.alternatives: set[str] = set()

    def html(self, output: NotebookNode) -> Markup:
        """Render one output; empty if there is nothing to see."""
        if output.output_type == "stream":
            stream = "stderr" if output.get("name") == "stderr" else "out"
            return _text(joined(output.get("text")) or "", stream)
        if output.output_type == "error":
            return _error(output)
        about, data = info_of(output), forms(output)
        described = map(mapping, mapping(output.get("metadata")).values())
        alt = next((str(each["alt"]) for each in described if each.get("alt")), "")
        kind = about.get("kind")
        if kind in ("text", "finding") and "text/plain" in data:
            return Markup('<div class="says">{}</div>').format(folded(data["text/plain"]))
        if kind == "table" and "text/html" in data:
            ident = self.prose.anchor(f"table-{about.get('name')}")
            tools = self._tools(about, data, str(about.get("caption", "table")))
            self.tables += 1
            table = data_table(data["text/html"], self.tables)
            return Markup('<div class="table" id="{}">{}{}</div>').format(ident, table, tools)
        if kind == "figure" and data.keys() & FIGURE:
            return self._figure(about, data, alt or data.get("text/plain", ""))
        return self._foreign(data, alt)

    def sheets(self) -> list[str]:
        """Name the styles and scripts that the outputs so far need."""
        known = dict.fromkeys(("figures", "pictures"), self.figures)
        known |= {"colors": "heatmap" in self.kinds}
        known |= {kind: kind in self.kinds for kind in ("heatmap", "map")}
        return [name for name, needed in known.items() if needed]

    def _figure(self, about: _Data, data: _Data, alt: str) -> Markup:
        title = str(about.get("title") or "")
        ident = self.prose.anchor(f"figure-{about.get('name')}")
        tools = self._tools(about, data, title or "the figure")
        if not heatmap.valid(data.get(MATRIX)):
            return self._picture(data, alt, ident, "plot ours", title, tools)
        self.figures += 1
        self.kinds.add("heatmap")
        caption = f"Figure {self.figures}. {title}"
        drawn = heatmap.instrument(data[MATRIX], ident=ident, caption=caption, alt=alt)
        return Markup('<div class="figure">{}{}</div>').format(drawn, tools)

    def _picture(
        self, data: _Data, alt: str, ident: str, look: str, title: str = "", tools: str = ""
    ) -> Markup:
        self.figures += 1
        if not alt.strip() or alt in self.alternatives:
            alt = f"{alt or 'A drawing without a description'} (figure {self.figures})"
        self.alternatives.add(alt)
        # The drawing carries its title already; the caption repeats it for readers of the page.
        caption = f"Figure {self.figures}. {title}" if title else f"Figure {self.figures}"
        if chart.valid(data.get(MAP)):
            self.kinds.add("map")
            points = chart.instrument(data[MAP], ident=ident, alt=alt)
            form = '<figure id="{}"><figcaption>{}</figcaption>{}{}</figure>'
            return Markup(form).format(ident, caption, points, tools)
        drawn = inline_svg(data.get("image/svg+xml", ""), prefix=ident, label=alt)
        if drawn is None:
            kind = next((k for k in ("image/png", "image/jpeg") if k in data), None)
            if not kind:
                return Markup('<div class="says">{}</div>').format(alt)
            content = re.sub(r"[^\w+/=]", "", data[kind])
            drawn = Markup('<img alt="{}" src="data:{};base64,{}">').format(alt, kind, content)
        return Markup(
            '<figure id="{}"><div class="{}">{}</div><figcaption>{}</figcaption>{}</figure>'
        ).format(ident, look, drawn, caption, tools)

    def _tools(self, about: _Data, data: _Data, what: str) -> Markup:
        if "text/csv" not in data:
            return Markup("")
        file = f"{self.name}-{about.get('name')}.csv"
        link = csv_link(data["text/csv"], file, published=self.published, what=what)
        return Markup('<p class="tools">{}</p>').format(link) if link else Markup("")

    def _foreign(self, data: _Data, alt: str) -> Markup:
        """Show an output of a notebook that does not use this project's helper."""
        if "text/html" in data:
            html = self.prose.clean(data["text/html"])
            if html.striptags().strip() or "<img" in html:
                return Markup('<div class="out">{}</div>').format(html)
        if "text/markdown" in data:
            return self.prose.markdown(data["text/markdown"], contents=False)
        if data.keys() & {"image/svg+xml", "image/png", "image/jpeg"}:
            ident = self.prose.anchor(f"figure-{self.figures + 1}")
            return self._picture(data, alt, ident, "plot")
        if "text/latex" in data:
            return self.prose.markdown(data["text/latex"], contents=False)
        if "text/plain" in data:
            return _text(data["text/plain"], "out")
        return Markup("")


def _text(text: str, kind: str) -> Markup:
    # A progress bar rewrites its line; what a terminal would show last is what counts.
    lines = strip_ansi(text).replace("\r\n", "\n").split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).rstrip()
    if len(text) > 20_000:
        return Markup('<div class="{}">{}</div>').format(kind, folded(text))
    return Markup('<pre class="{}">{}</pre>').format(kind, text) if text else Markup("")


def _error(output: NotebookNode) -> Markup:
    trace = strip_ansi("\n".join(output.get("traceback") or ())).strip()
    message = strip_ansi(f"{output.get('ename', 'Error')}: {output.get('evalue', '')}").rstrip(": ")
    if trace in ("", message):
        trace = ""
    else:
        fold = Markup("<details open><summary>Traceback</summary><pre>{}</pre></details>")
        trace = fold.format(trace)
    return Markup('<div class="error"><strong>{}</strong>{}</div>').format(folded(message), trace)
