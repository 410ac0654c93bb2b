"""Exercises alone, as a booklet to print: with room to write, or with solutions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..page.assets import (
    TEMPLATE,
    read_script,
    read_style,
    replace_surrogates,
    templates,
    with_policy,
)
from ..page.prose import Prose, highlight
from .exercises import Exercise

BOOKLET = Path(__file__).parent / "booklet.html.j2"


def write_booklet(
    chapters: Iterable[tuple[str, Mapping[str, Exercise]]], *, solutions: bool
) -> str:
    """Return a page of exercises.

    Parameters
    ----------
    chapters : iterable of (str, mapping of str to Exercise)
        The title and the exercises of each notebook.
    solutions : bool
        Whether each exercise is followed by its solution instead of room to write.

    Returns
    -------
    str
        HTML, self-contained, made to be printed.
    """
    return render_sheet(BOOKLET, chapters=list(chapters), solutions=solutions)


def render_sheet(template: Path, **values: Any) -> str:
    """Return a page to be read on paper, in the look of the other pages.

    Parameters
    ----------
    template : Path
        It may use the filters ``markdown`` and ``python``.
    **values
        What the template shows, by the names that it has there.
    """
    environment = templates(template.parent)
    prose = Prose(lambda address: None)  # on paper, no link leads anywhere
    environment.filters["markdown"] = lambda text: prose.markdown(text, contents=False)
    environment.filters["python"] = lambda code: highlight(code.strip(), "python")
    sheets = [TEMPLATE / "page.css", TEMPLATE / "sheet.css"]
    look = with_policy(read_style(sheets), read_script([]))
    html = environment.get_template(template.name).render(**values, look=look)
    return replace_surrogates(html)
