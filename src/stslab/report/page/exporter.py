"""An executed notebook → one page that needs nothing: no network, no script, no other file.

`StslabExporter` is an nbconvert exporter: ``jupyter nbconvert --to stslab NOTEBOOK`` makes a page
of any executed notebook. It gathers what a page says here and leaves how it looks to template/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup
from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode
from traitlets import default

from ..identity import digest
from ..request.parameters import read_cell
from ..request.source import as_source
from ..request.values import RequestError
from .assets import TEMPLATE, page_assets, replace_surrogates
from .cell_outputs import CellOutputs
from .forms import forms, info_of
from .prose import Prose, highlight
from .record import embed
from .tables import folded
from .thumbnail import main_picture

SETUP = "Setup"


class StslabExporter(HTMLExporter):  # type: ignore[misc]
    """Export a notebook as a self-contained page.

    ``resources["stslab"]`` may hold what the report's builder knows: `record` (what the page was
    made from), `preset` (``name``, ``title``), `index_href`, `prev` and `next` (``title``,
    ``href``), and `pages` (names of the preset's pages, to which links then lead). Without it the
    page says what the notebook itself tells.
    """

    export_from_notebook = "HTML page (stslab)"

    @default("template_paths")
    def _own_template(self) -> list[str]:
        return [str(TEMPLATE)]

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Add the filter that the template starts with."""
        yield from super().default_filters()
        yield ("stslab_page", lambda nb, resources: _Page(nb, resources).content())

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert a notebook; see `HTMLExporter.from_notebook_node`."""
        # Past HTMLExporter's own method: it parses the finished page again to invent text
        # alternatives, which takes longer than making the page.
        page, resources = super(HTMLExporter, self).from_notebook_node(nb, resources, **kw)
        return replace_surrogates(page), resources

    def _create_environment(self) -> jinja2.Environment:
        environment: jinja2.Environment = super()._create_environment()
        environment.autoescape = True  # a text is data, never markup
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment


class Headline(NamedTuple):
    """What a notebook showed with `show_finding`: it stands above all else."""

    finding: str | None
    about: str
    cautions: list[str]


def headline(nb: NotebookNode) -> Headline:
    """Read the finding of a notebook, the line on its data, and the cautions that bear on it."""
    for output in (output for cell in nb.cells for output in cell.get("outputs", ())):
        if (info := info_of(output)).get("kind") == "finding":
            cautions = info.get("cautions")
            listed = cautions if isinstance(cautions, list) else []
            text = forms(output).get("text/plain") or None
            return Headline(text, str(info.get("about") or ""), list(map(str, listed)))
    return Headline(None, "", [])


class _Page:
    """What a page says: the data that its template renders."""

    def __init__(self, nb: NotebookNode, resources: Mapping[str, Any]) -> None:
        self.nb = nb
        self.extra: Mapping[str, Any] = resources.get("stslab") or {}
        about = resources.get("metadata") or {}
        self.name = str(about.get("name") or "notebook")
        link = self._link if self.extra else None
        self.prose = Prose(link, path=str(about.get("path") or ""))
        self.filter = resources.get("global_content_filter") or {}
        language = nb.metadata.get("language_info", {}).get("name") or "python"
        self.language = "python" if language.startswith("ipython") else language
        self.outputs = CellOutputs(self.prose, self.name, published=bool(self.extra))
        outputs = [output for cell in nb.cells for output in cell.get("outputs", ())]
        self.failed = any(output.output_type == "error" for output in outputs)
        # A report speaks of somebody's texts; how it was made is folded away.
        self.report = any(_tags(cell, "report") for cell in nb.cells)
        self.main = main_picture(outputs) if self.report and not self.failed else None

    def content(self) -> dict[str, Any]:
        injected = next((c.source for c in self.nb.cells if _tags(c, "injected-parameters")), "")
        picture = self.outputs.html(self.main) if self.main is not None else ""
        cells = [shown for cell in self.nb.cells if (shown := self._cell(cell, injected))]
        failing = next((cell for cell in cells if cell.get("failing")), None)
        parts = _parts(_joined_setup([cell for cell in cells if cell is not failing]))
        contents = self.prose.contents
        if self.report:
            empty = [part for part in parts if _is_empty(part)]
            heads = {name for part in empty for name in re.findall(r' id="(.*?)"', part[0]["html"])}
            contents = [each for each in contents if each[1] not in heads]
        preset = self.extra.get("preset") or {}
        own = self.prose.title or self.nb.metadata.get("title") or self.name
        title = preset.get("title") or own if self.report else own
        record = self.extra.get("record") or _own_record(self.nb, self.name, injected)
        return {
            "title": title,
            "kicker": own if self.report and own != title else "",
            "headline": headline(self.nb),
            "picture": picture,
            "report": self.report,
            "folded": folded,
            "parts": [part for part in parts if not (self.report and _is_empty(part))],
            "code": [cell for part in parts for cell in part if cell["kind"] == "code"],
            "contents": [] if self.failed else contents,
            "failing": failing,
            "look": page_assets("page", *["report"] * self.report, *self.outputs.sheets()),
            "record": record,
            "cite": _cite(title, self.name, record),
            "embedded": embed(record),
            "has_code": not self.report and any(cell.get("code") for cell in cells),
            "preset": preset,
            **{key: self.extra.get(key) for key in ("index_href", "prev", "next")},
        }

    def _link(self, address: str) -> str | None:
        if not self.extra:
            return address
        found = re.fullmatch(r"([\w.-]+)\.ipynb(#.*)?", address)
        pages = self.extra.get("pages")
        if not found or (pages is not None and found[1] not in pages):
            return None
        return f"{found[1]}.html{found[2] or ''}"

    def _cell(self, cell: NotebookNode, injected: str) -> dict[str, Any] | None:
        if cell.cell_type == "markdown" and self.filter.get("include_markdown", True):
            if self.failed and _tags(cell, "papermill-error-cell-tag"):
                return None  # papermill's banners: the page says it better
            html = self.prose.markdown(cell.source, cell.get("attachments"))
            return {"kind": "prose", "html": html} if html.strip() else None
        hidden = cell.cell_type != "code" or not self.filter.get("include_code", True)
        if hidden or _tags(cell, "injected-parameters"):
            return None
        shown: dict[str, Any] = {"kind": "code", "label": "Code", "outputs": []}
        shown["solution"] = _tags(cell, "solution")
        if _tags(cell, "parameters"):
            shown["parameters"] = _parameter_rows(cell.source, injected)
            shown["label"] = "Parameters as code"
            if shown["parameters"]:
                cell = NotebookNode(cell, source=f"{cell.source}\n\n{injected}".strip())
        elif _is_setup(cell):
            shown["label"] = SETUP
        if cell.source.strip() and self.filter.get("include_input", True):
            shown["code"] = highlight(cell.source, self.language)
            shown["preview"] = _preview(cell.source)
        if self.filter.get("include_output", True):
            shown["outputs"] = list(filter(None, map(self._output, cell.get("outputs", ()))))
        shown["failing"] = any(each.output_type == "error" for each in cell.get("outputs", ()))
        return shown if shown.get("code") or shown["outputs"] or shown.get("parameters") else None

    def _output(self, output: NotebookNode) -> Markup:
        """Render an output, but what a report's head shows already."""
        finding = self.report and info_of(output).get("kind") == "finding"
        return Markup("") if finding or output is self.main else self.outputs.html(output)


def _joined_setup(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put cells that only import, or set up, and show nothing, into one fold with the next such."""
    joined: list[dict[str, Any]] = []
    for cell in cells:
        last = joined[-1] if joined else {}
        if {cell.get("label"), last.get("label")} == {SETUP} and not last["outputs"]:
            cell["code"] = Markup("\n\n").join([last["code"], cell["code"]])
            joined.pop()
        joined.append(cell)
    return joined


def _parts(cells: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Part a page at its section headings, so that what is out of sight can be drawn later."""
    parts: list[list[dict[str, Any]]] = [[]]
    for cell in cells:
        if cell["kind"] == "prose" and cell["html"].startswith("<h2"):
            parts.append([])
        parts[-1].append(cell)
    return parts


def _is_empty(part: list[dict[str, Any]]) -> bool:
    """Find a heading under which a report, which folds its code, shows nothing."""
    shown = [cell for cell in part if cell["kind"] == "prose" or cell["outputs"]]
    return len(shown) == 1 and bool(re.fullmatch(r"<h2[^\n]*</h2>\s*", str(shown[0].get("html"))))


def _cite(title: str, name: str, record: Mapping[str, Any]) -> str:
    """Say what to name when a page is quoted; no date, as the same inputs give the same page."""
    files, digests = record.get("files"), record.get("sha256") or {}
    files = list(files.values()) if isinstance(files, Mapping) else files or []
    sources = [f"{each['name']} (SHA-256 {each['sha256'][:12]}…)" for each in files]
    sources = sources or [f"{record.get('notebook_name')} (SHA-256 {digests['notebook'][:12]}…)"]
    end = "" if title.endswith(tuple(".?!…")) else "."
    made = f"{name}.html, made with stslab {version('stslab')} from {', '.join(sources)}."
    return f"{title[:200]}{end} {made}"


def _tags(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", ())


def _is_setup(cell: NotebookNode) -> bool:
    if _tags(cell, "setup") or cell.get("id") == "setup":
        return True
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return bool(lines) and all(re.match(r"(import|from)\s|\s|#|\)", line) for line in lines)


def _preview(source: str) -> str:
    """Choose the line that says what a cell does: the first that is no import and no comment."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(r"#|import\s|from\s|%", line)]
    return (telling or lines)[0][:90]


def _parameter_rows(source: str, injected: str) -> list[dict[str, Any]]:
    """Read the parameters cell and what was injected below it, as rows of a table."""
    try:
        defaults = read_cell(source, "parameters cell")
        given = read_cell(injected, "injected cell")
    except RequestError:
        return []  # not a cell of literals: it is shown as code
    return [
        {
            "name": name,
            "value": parameter.default,
            "help": defaults[name].help if name in defaults else "",
            "changed": name not in defaults or defaults[name].default != parameter.default,
        }
        for name, parameter in {**defaults, **given}.items()
    ]


def _own_record(nb: NotebookNode, name: str, injected: str) -> dict[str, Any]:
    """Say what can be had from the notebook itself: its cells without outputs, and a digest."""
    # nbformat gives an old notebook's cells ids by chance; a position is not.
    cells = [
        {**cell, "id": f"cell-{index}"}
        for index, cell in enumerate(nb.cells)
        if not _tags(cell, "injected-parameters") and not _tags(cell, "papermill-error-cell-tag")
    ]
    source = as_source({"cells": cells, "metadata": nb.metadata})
    record: dict[str, Any] = {"notebook_name": PurePosixPath(name).name, "notebook": source}
    if version := nb.metadata.get("language_info", {}).get("version"):
        record["versions"] = {nb.metadata.language_info.get("name", "language"): version}
    if injected:
        record["injected_parameters"] = injected
    return record | {"sha256": {"notebook": digest(source)}}
