"""Executed notebooks → slides in one file, with what to say in the speaker's notes.

reveal.js stands in the file itself, so it opens from a stick without a network. A slide shows what
a cell shows (a value with its call, a figure, a table, a finding) and a question from the prose
before it. The prose itself is for the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from ...mime_types import MATRIX
from ..page import heatmap
from ..page.assets import TEMPLATE, read_style, replace_surrogates, templates
from ..page.forms import forms_of, info_of
from ..page.prose import Prose, highlight
from ..page.svg import inline_svg
from ..page.tables import data_table
from .exercises import Exercise

EDITIONS_FOLDER = Path(__file__).parent
# What the last row of a room can read: rows of a table or lines of a value, and characters.
ROWS = 6
LINE = 96
TABLE_CELL = 70
SKIPPED = ("Parameters", "Setup", "Sanity check")  # sections without a slide
SKIPPED_TAGS = {"parameters", "solution", "check"}


@dataclass(frozen=True)
class Deck:
    """A part of a talk: an executed notebook with its exercises, or one slide of text."""

    title: str
    minutes: int  # without the exercises
    notebook: Mapping[str, Any] | None = None
    exercises: Sequence[Exercise] = ()
    text: str = ""  # Markdown, if there is no notebook
    notes: str = ""


@dataclass(frozen=True)
class _Slide:
    heading: Markup
    body: Markup
    notes: Markup
    seconds: int = 0


def write_slides(decks: Sequence[Deck], title: str) -> str:
    """Return slides as one page.

    Parameters
    ----------
    decks : sequence of Deck
        The parts of the talk, in order.
    title : str
        The title on the first slide.

    Returns
    -------
    str
        HTML that needs no other file: reveal.js with its notes and their pacing timer is in it.
    """
    prose = Prose(lambda address: None)  # a slide leads nowhere
    parts = [list(_slides(deck, prose, f"d{number}")) for number, deck in enumerate(decks)]
    sheets = [TEMPLATE / "colors.css", TEMPLATE / "heatmap.css", EDITIONS_FOLDER / "slides.css"]
    reveal_css = (EDITIONS_FOLDER / "reveal" / "reveal.css").read_text(encoding="utf-8")
    scripts = [
        (EDITIONS_FOLDER / file).read_text(encoding="utf-8")
        for file in ("reveal/reveal.js", "reveal/notes.js", "slides.js")
    ]
    exercises = [exercise for deck in decks for exercise in deck.exercises]
    minutes = sum(deck.minutes for deck in decks) + sum(e.minutes for e in exercises)
    html = (
        templates(EDITIONS_FOLDER)
        .get_template("slides.html.j2")
        .render(
            title=title,
            parts=parts,
            minutes=minutes,
            css=Markup(reveal_css + read_style(sheets)),
            scripts=[_inside_element(script) for script in scripts],
        )
    )
    return replace_surrogates(html)


def _inside_element(script: str) -> Markup:
    """Return a script that can stand in a script element: it does not hold the end of one."""
    return Markup(re.sub(r"</(script)", r"<\\/\1", script, flags=re.I))


def _slides(deck: Deck, prose: Prose, prefix: str) -> Iterator[_Slide]:
    """Yield a deck's slides, which share its minutes; an exercise has minutes of its own."""
    notes = prose.markdown(deck.notes, contents=False)
    if deck.notebook is None:
        body = prose.markdown(deck.text, contents=False)
        yield _Slide(escape(deck.title), body, notes, 60 * deck.minutes)
        return
    opening = "".join(deck.notebook["cells"][0]["source"]).splitlines()
    goals = [line for line in opening if line.startswith("**You will")]
    body = prose.markdown("\n\n".join(goals), contents=False)
    slides = [_Slide(escape(deck.title), body, notes)]
    slides += _slides_of_cells(deck.notebook, prose, prefix)
    seconds = 60 * deck.minutes // len(slides)
    slides = [replace(slide, seconds=seconds) for slide in slides]
    # The exercises come before the recap, which is the last section of a lesson.
    yield from slides[:-1]
    for number, exercise in enumerate(deck.exercises, start=1):
        heading = f"Your turn: {exercise.minutes} minutes"
        if len(deck.exercises) > 1:
            heading = f"Your turn ({number} of {len(deck.exercises)}): {exercise.minutes} minutes"
        yield _exercise_slide(exercise, prose, heading)
    yield slides[-1]


def _exercise_slide(exercise: Exercise, prose: Prose, heading: str) -> _Slide:
    task = f"{exercise.task_without_heading}\n\n**Predict first.** {exercise.guess}"
    hints = "\n".join(f"- {wrong.hint}" for wrong in exercise.wrong)
    solution = f"A solution:\n\n```python\n{exercise.solution}\n```"
    notes = f"{solution}\n\nHints that the check gives:\n\n{hints}"
    return _Slide(
        escape(heading),
        prose.markdown(task, contents=False),
        prose.markdown(notes, contents=False),
        seconds=60 * exercise.minutes,
    )


def _slides_of_cells(notebook: Mapping[str, Any], prose: Prose, prefix: str) -> Iterator[_Slide]:
    """Yield a slide for each output, and one for the recap."""
    heading, text = "", ""  # of the section, and the prose since the last slide
    for cell in notebook["cells"][1:]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = source
            section = re.match(r"## (.+)\n*", source)
            if section:
                heading = section[1]
                text = source[section.end() :]
            if heading == "Recap":
                points = [line for line in text.splitlines() if line.startswith("-")]
                body = prose.markdown("\n".join(points), contents=False)
                yield _Slide(escape(heading), body, Markup(""))
            continue
        if heading in SKIPPED or SKIPPED_TAGS.intersection(cell["metadata"].get("tags", ())):
            continue
        for output in cell["outputs"]:
            rendered = _render_output(output, prefix)
            if rendered is None:
                continue
            kind, html = rendered
            yield _output_slide(kind, html, heading, text, source, prose)
            text = ""  # for the first of its slides alone


def _output_slide(
    kind: str, html: Markup, heading: str, text: str, source: str, prose: Prose
) -> _Slide:
    """Return the slide of an output: a question, the code of a value, and what was shown."""
    question, code = _question(text), Markup("")
    if kind == "value":
        code = Markup("<pre class=code>{}</pre>").format(highlight(source, "python"))
    if kind == "finding":
        heading, question = "What came out", ""
    body = Markup("{}{}{}").format(prose.markdown(question, contents=False), code, html)
    return _Slide(escape(heading), body, prose.markdown(text, contents=False))


def _question(text: str) -> str:
    """Return the first two questions of a text, else the sentence that it begins with."""
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    sentences = re.split(r"(?<=[.?:])\s+(?=[A-Z`“*])", " ".join(text.split()))
    questions = [sentence for sentence in sentences if sentence.endswith("?")]
    if questions:
        return " ".join(questions[:2])
    return sentences[0]


def _render_output(output: Mapping[str, Any], prefix: str) -> tuple[str, Markup] | None:
    """Return an output's kind and HTML; None if a slide does not show it."""
    forms, info = forms_of(output), info_of(output)
    kind = str(info.get("kind") or "")
    if kind == "finding":
        return kind, Markup('<p class="finding">{}</p>').format(forms["text/plain"])
    if kind == "figure" and "image/svg+xml" in forms:
        ident = f"{prefix}-{info.get('name')}"
        figure = _figure(forms, ident, title=str(info.get("title") or ""))
        if figure is None:
            return None
        return kind, figure
    if kind == "table" and "text/html" in forms:
        return kind, data_table(_first_rows(forms["text/html"]))
    if not kind and output["output_type"] == "execute_result":
        lines = forms.get("text/plain", "").splitlines()
        text = "\n".join(line[:LINE] for line in lines[:ROWS])
        if len(lines) > ROWS:
            text = f"{text}\n…"
        return "value", Markup('<pre class="out fragment">{}</pre>').format(text)
    return None


def _figure(forms: Mapping[str, Any], ident: str, title: str) -> Markup | None:
    """Return a drawing, but a small matrix as a table, whose texts are larger."""
    matrix: Any = forms.get(MATRIX)
    if heatmap.is_matrix(matrix) and len(matrix["sentences"]) <= heatmap.NAMED:
        return heatmap.render_heatmap(matrix, ident=ident, caption=title, alt=title)
    drawing = inline_svg(forms["image/svg+xml"], prefix=ident, label=title)
    if drawing is None:
        return None
    return Markup('<div class="plot ours">{}</div>').format(drawing)


def _first_rows(html: str) -> str:
    """Return a table with its first rows alone, and with the beginning of long texts."""
    head, body, tail = re.split(r"(?<=<tbody>)|(?=</tbody>)", html, maxsplit=2)
    rows = re.findall(r"<tr>.*?</tr>", body, re.S)
    if len(rows) > ROWS:
        note = f" (the first {ROWS} of {len(rows)} rows)"
        head = head.replace("</caption>", f"{note}</caption>")
    # A text is cut only if that makes it shorter: the ellipsis stands for three characters or more.
    long_cell = rf"(?<=<td>)([^<]{{{TABLE_CELL}}})[^<]{{3,}}(?=</td>)"
    first_rows = re.sub(long_cell, r"\1…", "".join(rows[:ROWS]))
    return head + first_rows + tail
