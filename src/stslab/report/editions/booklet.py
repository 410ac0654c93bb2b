"""Exercises alone, as a booklet to print: with room to write, or with solutions."""

from __future__ import annotations

import re
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

HERE = Path(__file__).parent


def write_booklet(
    chapters: Iterable[tuple[str, Mapping[str, Exercise]]], *, solutions: bool
) -> str:
    """Make a page of exercises.

    Parameters
    ----------
    chapters : iterable of (str, mapping of str to Exercise)
        Each notebook's title and exercises.
    solutions : bool
        Whether a solution follows each, instead of room to write.

    Returns
    -------
    str
        HTML, self-contained, made to be printed.
    """
    return render_sheet(
        HERE / "booklet.html.j2", chapters=list(chapters), solutions=solutions, task=_task
    )


def render_sheet(template: Path, **about: Any) -> str:
    """Render a page that is read on paper, in the look of the others."""
    made = templates(template.parent)
    prose = Prose(lambda address: None)  # on paper, no link leads anywhere
    made.filters["markdown"] = lambda text: prose.markdown(text, contents=False)
    made.filters["python"] = lambda code: highlight(code.strip(), "python")
    sheets = [TEMPLATE / "page.css", TEMPLATE / "sheet.css"]
    about |= {"look": with_policy(read_style(sheets), read_script([]))}
    return replace_surrogates(made.get_template(template.name).render(**about))


def _task(exercise: Exercise) -> str:
    return re.sub(r"^## .*\n+", "", exercise.task)
