"""An executed notebook → one page that needs nothing: no network, no script, no other file.

`StslabExporter` is an nbconvert exporter: ``jupyter nbconvert --to stslab NOTEBOOK`` makes a page
of any executed notebook. `PageContent` gathers what the page says; template/ has how it looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from nbconvert.exporters.html import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode
from traitlets import default

from .assets import TEMPLATE, replace_surrogates
from .content import PageContent


class StslabExporter(HTMLExporter):  # type: ignore[misc]
    """Export a notebook as a self-contained page.

    ``resources["stslab"]`` may hold what the report's builder knows: ``record`` (what the page was
    made from), ``preset`` (``name``, ``title``), ``index_href``, ``prev`` and ``next`` (``title``,
    ``href``), and ``pages`` (names of the preset's pages, to which links then lead). Without it the
    page says what the notebook itself tells.
    """

    export_from_notebook = "HTML page (stslab)"

    @default("template_paths")
    def _page_template(self) -> list[str]:
        return [str(TEMPLATE)]

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Yield nbconvert's filters, and the one that the template starts with."""
        yield from super().default_filters()
        yield "stslab_page", _page_content

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert a notebook; see `TemplateExporter.from_notebook_node`."""
        # HTMLExporter's own method is left out: it parses the finished page again to invent text
        # alternatives, which takes longer than making the page.
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return replace_surrogates(page), resources

    @property
    def environment(self) -> jinja2.Environment:
        """nbconvert's environment for templates, which escapes every text: it is never markup."""
        environment: jinja2.Environment = super().environment
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment


def _page_content(notebook: NotebookNode, resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows of a notebook."""
    return PageContent(notebook, resources).as_dict()
