"""All files of a workshop, made from the notebooks: editions, slides, sheets and handouts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..inputs.tables import read_pairs
from ..models.finding import DEFAULT_MODEL
from ..report.archive import write_zip
from ..report.editions.booklet import render_sheet, write_booklet
from ..report.editions.cells import solved_edition, student_edition
from ..report.editions.exercises import exercises_of, read_lessons
from ..report.editions.slides import Deck, write_slides
from ..report.messages import RequestError
from ..report.running.kernels import default_kind, warm_up
from ..report.running.pool import LocalPool
from ..report.running.run import Work
from ..report.writing import naming_file
from .path import WORDS, Activity, plan_activities
from .rating import build_rating_page
from .results import seal

PAGE = Path(__file__).parent / "page"
TO_RATE = Path("exercises") / "pairs-to-rate.csv"  # in the folder of notebooks
KERNELS = 2  # lessons that run at the same time


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
        Pairs to rate instead of the twenty that come with stslab.
    notify : callable
        Called with a line on what is being done.

    Returns
    -------
    Path
        The folder. Its files are the same bytes each time; other files in it are left alone.

    Raises
    ------
    RequestError
        If there is no path of so many minutes, or a notebook failed.
    """
    activities = plan_activities(minutes, notebooks)
    to_rate = pairs or notebooks / TO_RATE
    read_pairs(to_rate)  # raises for a file that cannot be used, before anything runs
    folder = reports / "workshop"
    # Written elsewhere first: a run that fails leaves the former files as they were.
    fresh = reports / ".workshop"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        executed = _run_lessons(activities, notify)
        with naming_file(folder):
            write_editions(notebooks, fresh)
            _write_pages(activities, executed, minutes, fresh)
            write_handouts(to_rate, fresh)
        write_zip(reports / "workshop.zip", _files_in(fresh))
        # File by file: files that somebody put beside them stay.
        shutil.copytree(fresh, folder, dirs_exist_ok=True, copy_function=shutil.move)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def write_editions(notebooks: Path, folder: Path) -> None:
    """Write student and solution editions of all lessons, with the files that checks need."""
    for stem, (source, lesson) in read_lessons(notebooks).items():
        exercises = exercises_of(lesson)
        editions = {"student": student_edition(source, stem, exercises)}
        if lesson:
            editions["solutions"] = solved_edition(source, stem, exercises)
        for name, notebook in editions.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            if lesson:
                seal(folder / name, stem, lesson)
            text = json.dumps(notebook, indent=1, ensure_ascii=False)
            (folder / name / f"{stem}.ipynb").write_text(text + "\n", encoding="utf-8")


def write_handouts(to_rate: Path, folder: Path) -> None:
    """Write the pages for everybody: the page to rate pairs in, and the cheat sheet."""
    from .. import load_model, score_pairs
    from ..studies import bands_on_stsb

    pairs = read_pairs(to_rate).table[["sentence_a", "sentence_b"]]
    scores = score_pairs(pairs, model=load_model(DEFAULT_MODEL))["score"]
    build_rating_page(list(pairs.itertuples(index=False, name=None)), list(scores), folder)
    bands = bands_on_stsb()
    # Of all pairs, not the mean of the bands' shares: bands differ in size.
    share = (bands["same_band"] * bands["pairs"]).sum() / bands["pairs"].sum()
    html = render_sheet(
        PAGE / "cheat-sheet.html.j2",
        bands=bands.to_dict("records"),
        share=f"{share:.0%}",
        pairs=f"{bands['pairs'].sum():,}",
    )
    (folder / "cheat-sheet.html").write_text(html, encoding="utf-8")


def _run_lessons(activities: Sequence[Activity], notify: Callable[[str], None]) -> dict[str, Any]:
    """Return the executed notebooks of the lessons, by name; raise RequestError if one fails."""
    lessons = [activity for activity in activities if activity.source]
    notify(f"running {len(lessons)} notebooks for the slides …")
    if default_kind() == "warm":
        warm_up()
    futures = {}
    with closing(LocalPool(KERNELS)) as pool:
        for activity in lessons:
            work = Work(activity.name, json.dumps(activity.source), kernel=default_kind())
            futures[activity.name] = pool.submit(work, lambda index: None)
        results = {name: future.result() for name, future in futures.items()}
    notebooks = {}
    for name, result in results.items():
        if result.error:
            raise RequestError(
                f"{name} failed: {result.error}. Try it: make report ONLY={name[:2]}"
            )
        notebooks[name] = json.loads(result.notebook)
    return notebooks


def _write_pages(
    activities: Sequence[Activity], executed: Mapping[str, Any], minutes: int, folder: Path
) -> None:
    """Write the slides, the run sheet, the booklets and the page that links them."""
    title = f"Sentence similarity in {minutes} minutes"
    lessons = [activity for activity in activities if activity.lesson]
    chapters = [(activity.title, activity.exercises) for activity in lessons]
    pages = {
        "slides": write_slides([_deck(activity, executed) for activity in activities], title),
        "run-sheet": render_sheet(
            PAGE / "run-sheet.html.j2",
            title=title,
            activities=activities,
            words=WORDS,
            minutes=minutes,
        ),
        "exercises": write_booklet(chapters, solutions=False),
        "exercises-with-solutions": write_booklet(chapters, solutions=True),
    }
    pages["index"] = render_sheet(PAGE / "workshop.html.j2", title=title, lessons=lessons)
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")


def _deck(activity: Activity, executed: Mapping[str, Any]) -> Deck:
    """Return the slides of an activity, with the instructor's notes."""
    if not activity.lesson:
        words = WORDS[activity.kind]
        text = words.text or f"{activity.minutes} minutes"
        return Deck(activity.title, activity.minutes, text=text, notes=words.notes)
    teach = activity.lesson.teach
    paragraphs = [f"Show {teach.show}"]
    for question in teach.questions:
        paragraphs += [f"**Ask:** {question.ask}", f"**Expect:** {question.expect}"]
    paragraphs += [f"People get stuck: {teach.stuck}", f"Cut: {teach.cut}"]
    notes = "\n\n".join(paragraphs)
    exercises = list(activity.exercises.values())
    return Deck(
        activity.title, activity.lesson.minutes, executed[activity.name], exercises, notes=notes
    )


def _files_in(folder: Path) -> dict[str, bytes]:
    """Return a folder's files by their path in the zip."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[f"workshop/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return files
