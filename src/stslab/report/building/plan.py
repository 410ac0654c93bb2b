"""What is to be done for each page of a preset, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from ..identity import changes
from ..page.render import heading
from ..request.jobs import Job
from ..request.presets import Preset
from ..request.source import is_report
from .folder import ReportFolder
from .freshness import Dependencies

Action = Literal["run", "render", "keep"]


@dataclass(frozen=True)
class Step:
    """What is to be done for one page; "render" puts a new page around outputs that are right.

    `record` is what the page is made from, `depends` and `renders` what its outputs, and the page
    around them, depend on.
    """

    job: Job
    action: Action
    why: list[str]
    title: str
    notebook: dict[str, Any]
    record: dict[str, Any]
    depends: dict[str, str]
    renders: dict[str, str]


def plan(
    preset: Preset,
    folder: ReportFolder,
    root: Path,
    *,
    force: bool = False,
    embed_inputs: bool = False,
) -> list[Step]:
    """Decide for each page asked for whether to run it, to render it again, or to keep it."""
    now = Dependencies(root)
    # A page links to those that are there or come with it: with ONLY, that is not the whole preset.
    # One that failed and was never there is linked to once it is.
    missing = {name for name, page in folder.pages.items() if not page.outputs}
    asked = {job.name for job in preset.jobs}
    titles = _titles({n: p for n, p in preset.pages.items() if n in asked | {*folder.pages}}, now)
    # A report stands by itself: what else is in the folder changes nothing on it.
    reports = {name for name in titles if is_report(now.notebook(preset.pages[name]))}
    steps = []
    for job in preset.jobs:
        there = {
            name: title
            for name, title in titles.items()
            if name not in reports and (name == job.name or name not in missing)
        }
        around = _around(job.name, preset, {} if job.name in reports else there)
        depends, renders = now.to_run(job), now.to_render(job, around, embed_inputs)
        action, why = _decide(job.name, folder, depends, renders, force)
        title, notebook = titles[job.name], now.notebook(job.notebook)
        record = now.record(job, depends, around, embed_inputs)
        steps.append(Step(job, action, why, title, notebook, record, depends, renders))
    return steps


def _decide(
    name: str,
    folder: ReportFolder,
    depends: Mapping[str, str],
    renders: Mapping[str, str],
    force: bool,
) -> tuple[Action, list[str]]:
    page = folder.pages.get(name)
    if page is None:
        return "run", ["never built"]
    changed = changes(page.depends, depends) if page.outputs else []
    if page.status != "built":
        return "run", ["the last run failed", *changed]
    if force or changed:
        return "run", ["forced"] if force else changed
    damage = folder.damage(page)
    if why := [*changes(page.renders, renders), *damage]:
        executed_is_whole = not any(each.startswith(f"{name}.ipynb ") for each in damage)
        return ("render" if executed_is_whole else "run"), why
    return "keep", ["nothing changed"]


def _around(name: str, preset: Preset, titles: Mapping[str, str]) -> dict[str, Any]:
    names = list(titles)
    around: dict[str, Any] = {
        "preset": {"name": preset.name, "title": preset.title},
        "index_href": "index.html",
        "pages": names,
    }
    if name not in titles:
        return around
    here = names.index(name)
    for key, other in (("prev", here - 1), ("next", here + 1)):
        if 0 <= other < len(names):
            href = quote(f"{names[other]}.html")
            around[key] = {"title": titles[names[other]], "href": href}
    return around


def _titles(pages: Mapping[str, Path], now: Dependencies) -> dict[str, str]:
    """Title each page; runs of one notebook differ by their names."""
    titles = {name: heading(now.notebook(path)) or name for name, path in pages.items()}
    times = Counter(titles.values())
    return {
        name: f"{title} · {name}" if times[title] > 1 else title for name, title in titles.items()
    }
