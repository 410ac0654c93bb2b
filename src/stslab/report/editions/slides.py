"""Executed notebooks → slides in one file, with what to say in the speaker's notes.

reveal.js stands in the file itself, so it opens from a stick without a network. What is on a slide
follows from the cells: a question, a call with its value, a figure, a table, a finding. The prose
around them is for the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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

HERE = Path(__file__).parent
ROWS = 6  # of a table, and lines of a value: what the last row of a room can read
SKIPPED = ("Parameters", "Setup", "Sanity check")


@dataclass(frozen=True)
class Deck:
    """A part of a talk: an executed notebook and its exercises, or slides of its own words."""

    title: str
    minutes: int  # without the exercises
    notebook: Mapping[str, Any] | None = None
    exercises: Sequence[Exercise] = ()
    text: str = ""  # Markdown, where there is no notebook
    notes: str = ""


@dataclass(frozen=True)
class _Slide:
    heading: Markup
    body: Markup
    notes: Markup
    seconds: int = 0


def write_slides(decks: Sequence[Deck], title: str) -> str:
    """Make one page of slides.

    Parameters
    ----------
    decks : sequence of Deck
        Its parts, in the order of the talk.
    title : str
        What stands on the first slide.

    Returns
    -------
    str
        HTML that asks for nothing: reveal.js with its notes and their pacing timer is in it.
    """
    prose = Prose(lambda address: None)  # a slide leads nowhere
    parts = [list(_slides(deck, prose, f"d{number}")) for number, deck in enumerate(decks)]
    folder = HERE / "reveal"
    sheets = [TEMPLATE / f"{name}.css" for name in ("colors", "heatmap")] + [HERE / "slides.css"]
    reveal_css = (folder / "reveal.css").read_text(encoding="utf-8")
    scripts = [(folder / f"{name}.js").read_text("utf-8") for name in ("reveal", "notes")]
    scripts.append((HERE / "slides.js").read_text(encoding="utf-8"))
    html = (
        templates(HERE)
        .get_template("slides.html.j2")
        .render(
            title=title,
            parts=parts,
            minutes=sum(deck.minutes + sum(e.minutes for e in deck.exercises) for deck in decks),
            css=Markup(reveal_css + read_style(sheets)),
            # A script in a page must not hold the end of one.
            scripts=[
                Markup(re.sub(r"</(script)", r"<\\/\1", each, flags=re.I)) for each in scripts
            ],
        )
    )
    return replace_surrogates(html)


def _slides(deck: Deck, prose: Prose, prefix: str) -> Iterator[_Slide]:
    """Share a deck's minutes among its slides; an exercise has its own."""
    notes = prose.markdown(deck.notes, contents=False)
    if deck.notebook is None:
        body = prose.markdown(deck.text, contents=False)
        yield _Slide(escape(deck.title), body, notes, 60 * deck.minutes)
        return
    opening = "".join(deck.notebook["cells"][0]["source"]).splitlines()
    said = [line for line in opening if line.startswith("**You will")]
    first = prose.markdown("\n\n".join(said), contents=False)
    slides = [_Slide(escape(deck.title), first, notes), *_of_cells(deck.notebook, prose, prefix)]
    *before, recap = slides
    seconds = 60 * deck.minutes // len(slides)
    for slide in before:
        yield replace(slide, seconds=seconds)
    for number, exercise in enumerate(deck.exercises, 1):
        yield _exercise_slide(exercise, prose, number, len(deck.exercises))
    yield replace(recap, seconds=seconds)


def _exercise_slide(exercise: Exercise, prose: Prose, number: int, of: int) -> _Slide:
    task = re.sub(r"^## .*\n+", "", exercise.task)
    said = f"{task}\n\n**Predict first.** {exercise.guess}"
    hints = "\n".join(f"- {wrong.hint}" for wrong in exercise.wrong)
    solution = f"A solution:\n\n```python\n{exercise.solution}\n```"
    notes = f"{solution}\n\nHints that the check gives:\n\n{hints}"
    counted = f" ({number} of {of})" if of > 1 else ""
    heading = escape(f"Your turn{counted}: {exercise.minutes} minutes")
    body, spoken = (prose.markdown(each, contents=False) for each in (said, notes))
    return _Slide(heading, body, spoken, 60 * exercise.minutes)


def _of_cells(notebook: Mapping[str, Any], prose: Prose, prefix: str) -> Iterator[_Slide]:
    heading, text = "", ""
    for cell in notebook["cells"][1:]:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", ())
        if cell["cell_type"] == "markdown":
            found = re.match(r"## (.+)\n*", source)
            heading = found[1] if found else heading
            text = source[found.end() :] if found else source
            if heading == "Recap":
                body = "\n".join(line for line in text.splitlines() if line.startswith("-"))
                yield _Slide(escape(heading), prose.markdown(body, contents=False), Markup(""))
        elif heading not in SKIPPED and not {*tags} & {"parameters", "solution", "check"}:
            shown = [each for each in map(_shown(prefix), cell["outputs"]) if each]
            for kind, html in shown:
                head = escape("What came out" if kind == "finding" else heading)
                asked = "" if kind == "finding" else _asked(text)
                code = highlight(source, "python") if kind == "value" else ""
                body = Markup("{}{}{}").format(
                    prose.markdown(asked, contents=False),
                    Markup("<pre class=code>{}</pre>").format(code) if code else "",
                    html,
                )
                yield _Slide(head, body, prose.markdown(text, contents=False))
                text = ""


def _asked(text: str) -> str:
    """Choose what a slide says of its prose: what it asks, else how it begins."""
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    sentences = re.split(r"(?<=[.?:])\s+(?=[A-Z`“*])", " ".join(text.split()))
    asked = [each for each in sentences if each.endswith("?")]
    return " ".join((asked or sentences)[: 2 if asked else 1])


def _shown(prefix: str) -> Callable[[Mapping[str, Any]], tuple[str, Markup] | None]:
    def shown(output: Mapping[str, Any]) -> tuple[str, Markup] | None:
        data, about = forms_of(output), info_of(output)
        kind = str(about.get("kind") or "")
        if kind == "finding":
            return kind, Markup('<p class="finding">{}</p>').format(data["text/plain"])
        if kind == "figure" and "image/svg+xml" in data:
            return _figure(data, f"{prefix}-{about.get('name')}", str(about.get("title") or ""))
        if kind == "table" and "text/html" in data:
            return kind, data_table(_first_rows(data["text/html"]))
        if not kind and output["output_type"] == "execute_result":
            lines = data.get("text/plain", "").splitlines()
            more = ["…"] if len(lines) > ROWS else []
            text = "\n".join(line[:96] for line in [*lines[:ROWS], *more])
            return "value", Markup('<pre class="out fragment">{}</pre>').format(text)
        return None

    return shown


def _figure(data: Mapping[str, Any], ident: str, title: str) -> tuple[str, Markup] | None:
    """Show a matrix as a table, whose texts are larger than those of a drawing."""
    matrix: Any = data.get(MATRIX)
    if heatmap.is_matrix(matrix) and len(matrix["sentences"]) <= heatmap.NAMED:
        return "figure", heatmap.render_heatmap(matrix, ident=ident, caption=title, alt=title)
    drawn = inline_svg(data["image/svg+xml"], prefix=ident, label=title)
    return ("figure", Markup('<div class="plot ours">{}</div>').format(drawn)) if drawn else None


def _first_rows(html: str) -> str:
    """Keep the first rows of a table, and of a long text its beginning."""
    head, body, tail = re.split(r"(?<=<tbody>)|(?=</tbody>)", html, maxsplit=2)
    rows = re.findall(r"<tr>.*?</tr>", body, re.S)
    kept = "".join(rows[:ROWS])
    kept = re.sub(r"(?<=<td>)([^<]{70})[^<]{3,}(?=</td>)", r"\1…", kept)
    more = f" (the first {ROWS} of {len(rows)} rows)" if len(rows) > ROWS else ""
    return head.replace("</caption>", f"{more}</caption>") + kept + tail
