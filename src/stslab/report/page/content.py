"""What a page says: an executed notebook → the data that the page's template shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from ..messages import RequestError
from ..request.parameters import read_cell
from .assets import page_assets
from .cell_outputs import CellOutputs
from .forms import has_tag, info_of
from .headline import read_headline
from .origin import citation, own_record
from .prose import Prose, highlight
from .record import embed
from .sections import (
    NOTHING,
    SETUP,
    PageCell,
    contents_of_filled,
    is_empty,
    join_setup_cells,
    split_into_sections,
)
from .tables import folded
from .thumbnail import main_picture


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
        sections = split_into_sections(
            join_setup_cells([cell for cell in cells if cell is not failing_cell])
        )
        code_cells = [cell for section in sections for cell in section if cell.kind == "code"]
        contents = self.prose.contents
        if self.is_report:
            contents = contents_of_filled(contents, sections)
            sections = [section for section in sections if not is_empty(section)]
        if self.has_failed:
            contents = []
        heading, title = self._heading_and_title()
        kicker = ""
        if heading != title:
            kicker = heading
        record = self.report_info.get("record") or own_record(
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
            "cite": citation(title, self.name, record),
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
