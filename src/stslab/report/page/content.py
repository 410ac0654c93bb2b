"""What a page says: an executed notebook → the data that the page's template shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any, Literal

from markupsafe import Markup
from nbformat import NotebookNode

from ..identity import digest
from ..request.parameters import read_cell
from ..request.source import as_source
from ..request.values import RequestError
from .assets import page_assets
from .cell_outputs import CellOutputs
from .forms import info_of
from .headline import read_headline
from .prose import Prose, highlight
from .record import embed
from .tables import folded
from .thumbnail import main_picture

SETUP = "Setup"  # the label of cells that only prepare what follows
NOTHING = Markup("")


@dataclass
class PageCell:
    """A cell as the template shows it."""

    kind: Literal["prose", "code"]
    html: Markup = NOTHING
    label: str = "Code"
    preview: str = ""  # a line that says what the code does
    code: Markup = NOTHING
    outputs: list[Markup] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)  # rows of a table
    solution: bool = False
    failing: bool = False


Section = list[PageCell]


class PageContent:
    """Gathers what a page says from a notebook and what the report's builder knows of it."""

    def __init__(self, notebook: NotebookNode, resources: Mapping[str, Any]) -> None:
        self.notebook = notebook
        self.report_info: Mapping[str, Any] = resources.get("stslab") or {}
        self.filter = resources.get("global_content_filter") or {}  # options of nbconvert
        metadata = resources.get("metadata") or {}
        self.name = str(metadata.get("name") or "notebook")
        link = None
        if self.report_info:
            link = self._page_link
        self.prose = Prose(link, path=str(metadata.get("path") or ""))
        self.outputs = CellOutputs(self.prose, self.name, published=bool(self.report_info))
        self.language = _language(notebook)
        self.injected = _injected_source(notebook)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        self.has_failed = any(output.output_type == "error" for output in outputs)
        # A report speaks of somebody's texts; how it was made is folded away.
        self.is_report = any(has_tag(cell, "report") for cell in notebook.cells)
        self.main_picture = None
        if self.is_report and not self.has_failed:
            self.main_picture = main_picture(outputs)

    def as_dict(self) -> dict[str, Any]:
        """Return what the template shows, by the names that it has there."""
        # Rendered in the order of the page, because figures are numbered as they come.
        picture = NOTHING
        if self.main_picture is not None:
            picture = self.outputs.html(self.main_picture)
        cells = self._cells()
        failing_cell = next((cell for cell in cells if cell.failing), None)
        sections = _split_into_sections(
            _join_setup_cells([cell for cell in cells if cell is not failing_cell])
        )
        code_cells = [cell for section in sections for cell in section if cell.kind == "code"]
        contents = self.prose.contents
        if self.is_report:
            contents = _contents_of_filled(contents, sections)
            sections = [section for section in sections if not _is_empty(section)]
        if self.has_failed:
            contents = []
        heading, title = self._heading_and_title()
        kicker = ""
        if heading != title:
            kicker = heading
        record = self.report_info.get("record") or _own_record(
            self.notebook, self.name, self.injected
        )
        return {
            "title": title,
            "kicker": kicker,
            "headline": read_headline(self.notebook),
            "picture": picture,
            "report": self.is_report,
            "folded": folded,
            "sections": sections,
            "code_cells": code_cells,
            "contents": contents,
            "failing": failing_cell,
            "look": page_assets(*self._asset_names()),
            "record": record,
            "cite": _citation(title, self.name, record),
            "embedded": embed(record),
            "has_code": not self.is_report and any(cell.code for cell in cells),
            "preset": self.report_info.get("preset") or {},
            "index_href": self.report_info.get("index_href"),
            "prev": self.report_info.get("prev"),
            "next": self.report_info.get("next"),
        }

    def _heading_and_title(self) -> tuple[str, str]:
        """Return the notebook's heading, and the page's title: a report has its preset's."""
        heading = self.prose.title or self.notebook.metadata.get("title") or self.name
        preset = self.report_info.get("preset") or {}
        if self.is_report and preset.get("title"):
            return heading, preset["title"]
        return heading, heading

    def _asset_names(self) -> list[str]:
        names = ["page"]
        if self.is_report:
            names.append("report")
        return names + self.outputs.asset_names()

    def _page_link(self, address: str) -> str | None:
        """Return the page of a notebook that a text links to; None if it has no page beside it."""
        notebook_link = re.fullmatch(r"([\w.-]+)\.ipynb(#.*)?", address)
        if not notebook_link:
            return None
        page, fragment = notebook_link.groups(default="")
        pages = self.report_info.get("pages")
        if pages is not None and page not in pages:
            return None
        return f"{page}.html{fragment}"

    def _cells(self) -> list[PageCell]:
        """Return the cells that show something."""
        cells = []
        for cell in self.notebook.cells:
            page_cell = None
            if cell.cell_type == "markdown" and self.filter.get("include_markdown", True):
                page_cell = self._prose_cell(cell)
            elif cell.cell_type == "code" and self.filter.get("include_code", True):
                page_cell = self._code_cell(cell)
            if page_cell:
                cells.append(page_cell)
        return cells

    def _prose_cell(self, cell: NotebookNode) -> PageCell | None:
        if self.has_failed and has_tag(cell, "papermill-error-cell-tag"):
            return None  # papermill's banners: the page says it better
        html = self.prose.markdown(cell.source, cell.get("attachments"))
        if not html.strip():
            return None
        return PageCell("prose", html=html)

    def _code_cell(self, cell: NotebookNode) -> PageCell | None:
        if has_tag(cell, "injected-parameters"):
            return None
        page_cell = PageCell("code", solution=has_tag(cell, "solution"))
        source = cell.source
        if has_tag(cell, "parameters"):
            page_cell.parameters = _parameter_rows(source, self.injected)
            page_cell.label = "Parameters as code"
            if page_cell.parameters:
                source = f"{source}\n\n{self.injected}".strip()
        elif _is_setup(cell):
            page_cell.label = SETUP
        if source.strip() and self.filter.get("include_input", True):
            page_cell.code = highlight(source, self.language)
            page_cell.preview = _preview(source)
        outputs = cell.get("outputs", ())
        if self.filter.get("include_output", True):
            page_cell.outputs = [html for output in outputs if (html := self._output(output))]
        page_cell.failing = any(output.output_type == "error" for output in outputs)
        if not (page_cell.code or page_cell.outputs or page_cell.parameters):
            return None
        return page_cell

    def _output(self, output: NotebookNode) -> Markup:
        """Return an output as HTML; empty if the head of a report shows it already."""
        is_headline = self.is_report and info_of(output).get("kind") == "finding"
        if is_headline or output is self.main_picture:
            return NOTHING
        return self.outputs.html(output)


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Check that a cell has a tag."""
    return tag in cell.metadata.get("tags", ())


def _language(notebook: NotebookNode) -> str:
    """Return the name of the language that a notebook's code is highlighted as."""
    name = str(notebook.metadata.get("language_info", {}).get("name") or "python")
    if name.startswith("ipython"):
        return "python"
    return name


def _injected_source(notebook: NotebookNode) -> str:
    """Return the source of the cell that sets parameters; empty if none was injected."""
    for cell in notebook.cells:
        if has_tag(cell, "injected-parameters"):
            return str(cell.source)
    return ""


def _join_setup_cells(cells: list[PageCell]) -> list[PageCell]:
    """Join setup cells that follow each other, as long as they show nothing, into one fold."""
    joined: list[PageCell] = []
    for cell in cells:
        previous = None
        if joined:
            previous = joined[-1]
        if previous and previous.label == cell.label == SETUP and not previous.outputs:
            cell.code = Markup("\n\n").join([previous.code, cell.code])
            joined.pop()
        joined.append(cell)
    return joined


def _split_into_sections(cells: list[PageCell]) -> list[Section]:
    """Split a page at its section headings: a browser draws a section once it comes into sight."""
    sections: list[Section] = [[]]
    for cell in cells:
        if cell.html.startswith("<h2"):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _is_empty(section: Section) -> bool:
    """Check that a section shows nothing in a report, which folds its code, but its heading."""
    visible_cells = [cell for cell in section if cell.kind == "prose" or cell.outputs]
    if len(visible_cells) != 1:
        return False
    return bool(re.fullmatch(r"<h2[^\n]*</h2>\s*", visible_cells[0].html))


def _contents_of_filled(
    contents: list[tuple[int, str, str]], sections: list[Section]
) -> list[tuple[int, str, str]]:
    """Return the contents without the headings of empty sections."""
    empty_ids: set[str] = set()
    for section in sections:
        if _is_empty(section):
            empty_ids.update(re.findall(r' id="(.*?)"', section[0].html))
    return [entry for entry in contents if entry[1] not in empty_ids]


def _is_setup(cell: NotebookNode) -> bool:
    """Check that a cell is marked as setup, or holds nothing but imports and comments."""
    if has_tag(cell, "setup") or cell.get("id") == "setup":
        return True
    lines = [line for line in cell.source.splitlines() if line.strip()]
    # An import may go on in lines that are indented, up to a closing bracket.
    return bool(lines) and all(re.match(r"(import|from)\s|\s|#|\)", line) for line in lines)


def _preview(source: str) -> str:
    """Return the line that says what a cell does: the first that is no import and no comment."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    for line in lines:
        if not re.match(r"#|import\s|from\s|%", line):
            return line[:90]
    return lines[0][:90]


def _parameter_rows(source: str, injected: str) -> list[dict[str, Any]]:
    """Return the parameters cell and what was injected below it as rows of a table."""
    try:
        defaults = read_cell(source, "parameters cell")
        parameters = {**defaults, **read_cell(injected, "injected cell")}
    except RequestError:
        return []  # not a cell of literals: it is shown as code
    rows = []
    for name, parameter in parameters.items():
        row: dict[str, Any] = {
            "name": name,
            "value": parameter.default,
            "help": "",
            "changed": True,
        }
        if name in defaults:
            row["help"] = defaults[name].help
            row["changed"] = defaults[name].default != parameter.default
        rows.append(row)
    return rows


def _citation(title: str, name: str, record: Mapping[str, Any]) -> str:
    """Return what to name when a page is quoted, without a date: equal inputs give equal pages."""
    files = record.get("files") or []
    if isinstance(files, Mapping):
        files = list(files.values())
    sources = [f"{file['name']} (SHA-256 {file['sha256'][:12]}…)" for file in files]
    if not sources:
        notebook_digest = record["sha256"]["notebook"]
        sources = [f"{record.get('notebook_name')} (SHA-256 {notebook_digest[:12]}…)"]
    full_stop = "."
    if title.endswith((".", "?", "!", "…")):
        full_stop = ""
    origin = f"made with stslab {version('stslab')} from {', '.join(sources)}"
    return f"{title[:200]}{full_stop} {name}.html, {origin}."


def _own_record(notebook: NotebookNode, name: str, injected: str) -> dict[str, Any]:
    """Return what a notebook by itself can say it was made from: its cells, and their digest."""
    # nbformat gives the cells of an old notebook ids by chance; a position is always the same.
    cells = [
        {**cell, "id": f"cell-{index}"}
        for index, cell in enumerate(notebook.cells)
        if not has_tag(cell, "injected-parameters")
        and not has_tag(cell, "papermill-error-cell-tag")
    ]
    source = as_source({"cells": cells, "metadata": notebook.metadata})
    record: dict[str, Any] = {"notebook_name": PurePosixPath(name).name, "notebook": source}
    language_info = notebook.metadata.get("language_info", {})
    if language_info.get("version"):
        record["versions"] = {language_info.get("name", "language"): language_info["version"]}
    if injected:
        record["injected_parameters"] = injected
    record["sha256"] = {"notebook": digest(source)}
    return record
