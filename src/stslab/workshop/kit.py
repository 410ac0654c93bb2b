"""Everything that an instructor needs for a workshop, from the notebooks, in one folder and zip."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..inputs.reading import read_pairs
from ..models.finding import DEFAULT_MODEL
from ..report.archive import write_zip
from ..report.editions.booklet import render_sheet, write_booklet
from ..report.editions.cells import solved_edition, student_edition
from ..report.editions.exercises import read_lessons
from ..report.editions.slides import Deck, write_slides
from ..report.messages import RequestError
from ..report.running.kernels import default_kind, warm_up
from ..report.running.pool import LocalPool
from ..report.running.run import Work
from ..report.writing import naming_file
from .checking import seal
from .path import WORDS, Part, plan
from .rating import build_rating_page

PAGE = Path(__file__).parent / "page"
TO_RATE = Path("exercises") / "pairs-to-rate.csv"  # in the folder of notebooks


def build_workshop(
    minutes: int,
    *,
    notebooks: Path,
    reports: Path,
    pairs: Path | None = None,
    notify: Callable[[str], None] = print,
) -> Path:
    """Write the editions of a workshop's notebooks, slides, sheets and the page to rate in.

    Parameters
    ----------
    minutes : int
        How long the workshop takes: 45, 90 or 180.
    notebooks : Path
        The folder of lessons.
    reports : Path
        Where the folder ``workshop`` is written, and its zip.
    pairs : Path or None, default None
        Pairs to rate instead of the twenty that are shipped.
    notify : callable
        Is told what is being done.

    Returns
    -------
    Path
        The folder. Its files are the same bytes each time; others in it are left alone.

    Raises
    ------
    RequestError
        If there is no path of so many minutes, or a notebook failed.
    """
    parts = plan(minutes, notebooks)
    to_rate = pairs or notebooks / TO_RATE
    read_pairs(to_rate)  # what is wrong with it is said before anything runs
    folder, fresh = reports / "workshop", reports / ".workshop"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        executed = _executed(parts, notify)
        with naming_file(folder):
            write_editions(notebooks, fresh)
            _write_pages(parts, executed, minutes, fresh)
            write_handouts(to_rate, fresh)
        write_zip(reports / "workshop.zip", _files_in(fresh))
        # File by file: what somebody put beside them stays.
        shutil.copytree(fresh, folder, dirs_exist_ok=True, copy_function=shutil.move)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def write_editions(notebooks: Path, folder: Path) -> None:
    """Write student and solution editions of all lessons, each folder with what checks need."""
    for stem, (source, lesson) in read_lessons(notebooks).items():
        for name, made in (("student", student_edition), ("solutions", solved_edition)):
            seal(folder / name, stem, lesson)
            text = json.dumps(made(source, stem, lesson.exercises), indent=1, ensure_ascii=False)
            (folder / name / f"{stem}.ipynb").write_text(text + "\n", encoding="utf-8")


def write_handouts(to_rate: Path, folder: Path) -> None:
    """Write what everybody gets: the page to rate pairs in, and the cheat sheet."""
    from .. import load_model, score_pairs
    from ..studies import bands_on_stsb

    pairs = read_pairs(to_rate).table[["sentence_a", "sentence_b"]]
    scores = score_pairs(pairs, model=load_model(DEFAULT_MODEL))["score"]
    build_rating_page([*pairs.itertuples(index=False, name=None)], [*scores], folder)
    bands = bands_on_stsb()
    share = (bands["same_band"] * bands["pairs"]).sum() / bands["pairs"].sum()
    html = render_sheet(
        PAGE / "cheat-sheet.html.j2",
        bands=bands.to_dict("records"),
        share=f"{share:.0%}",
        pairs=f"{bands['pairs'].sum():,}",
    )
    (folder / "cheat-sheet.html").write_text(html, encoding="utf-8")


def _executed(parts: Sequence[Part], notify: Callable[[str], None]) -> dict[str, Any]:
    """Run the lessons, two at a time."""
    lessons = [part for part in parts if part.source]
    notify(f"running {len(lessons)} notebooks for the slides …")
    if default_kind() == "warm":
        warm_up()
    with closing(LocalPool(2)) as pool:
        running = {
            part.name: pool.submit(
                Work(part.name, json.dumps(part.source), kernel=default_kind()), lambda index: None
            )
            for part in lessons
        }
        done = {name: each.result() for name, each in running.items()}
    for name, each in done.items():
        if each.error:
            raise RequestError(f"{name} failed: {each.error}. Try it: make report ONLY={name[:2]}")
    return {name: json.loads(each.notebook) for name, each in done.items()}


def _write_pages(
    parts: Sequence[Part], executed: Mapping[str, Any], minutes: int, folder: Path
) -> None:
    title = f"Sentence similarity in {minutes} minutes"
    chapters = [(part.title, part.exercises) for part in parts if part.lesson]
    pages = {
        "slides": write_slides([_deck(part, executed) for part in parts], title),
        "run-sheet": render_sheet(
            PAGE / "run-sheet.html.j2", title=title, parts=parts, words=WORDS, minutes=minutes
        ),
        "exercises": write_booklet(chapters, solutions=False),
        "exercises-with-solutions": write_booklet(chapters, solutions=True),
    }
    pages["index"] = render_sheet(
        PAGE / "workshop.html.j2", title=title, lessons=[part for part in parts if part.lesson]
    )
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")


def _deck(part: Part, executed: Mapping[str, Any]) -> Deck:
    if not part.lesson:
        words = WORDS[part.kind]
        text = words.text or f"{part.minutes} minutes"
        return Deck(part.title, part.minutes, text=text, notes=words.notes)
    teach = part.lesson.teach
    asked = "\n\n".join(f"**Ask:** {q.ask}\n\n**Expect:** {q.expect}" for q in teach.questions)
    notes = f"Show {teach.show}\n\n{asked}\n\nPeople get stuck: {teach.stuck}\n\nCut: {teach.cut}"
    exercises = [*part.exercises.values()]
    return Deck(part.title, part.lesson.minutes, executed[part.name], exercises, notes=notes)


def _files_in(folder: Path) -> dict[str, bytes]:
    """Return a folder's files by their path in the zip."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[f"workshop/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return files
