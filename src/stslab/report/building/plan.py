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
    """The plan for one page; "render" makes the page again from outputs that are current.

    `record` is what the page is made from, `depends` and `renders` what its outputs, and the page
    around them, depend on.
    """

    job: Job
    action: Action
    reasons: list[str]
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
    """Decide for each requested page whether to run it, to render it again, or to keep it."""
    dependencies = Dependencies(root)
    # A page links to those that exist or are built with it: with ONLY, that is not the whole
    # preset. One that failed and never existed is linked to once it exists.
    missing = {name for name, page in folder.pages.items() if not page.outputs}
    linkable = {job.name for job in preset.jobs} | {*folder.pages}
    notebooks = {name: path for name, path in preset.pages.items() if name in linkable}
    titles = _titles(notebooks, dependencies)
    # A report has no links to other pages, so that no other page changes anything on it.
    reports = {name for name in titles if is_report(dependencies.notebook(preset.pages[name]))}
    steps = []
    for job in preset.jobs:
        linked: dict[str, str] = {}
        if job.name not in reports:
            for name, title in titles.items():
                if name not in reports and (name == job.name or name not in missing):
                    linked[name] = title
        around = _around(job.name, preset, linked)
        depends = dependencies.to_run(job)
        renders = dependencies.to_render(job, around, embed_inputs)
        action, reasons = _decide(job.name, folder, depends, renders, force)
        notebook = dependencies.notebook(job.notebook)
        record = dependencies.record(job, depends, around, embed_inputs)
        steps.append(
            Step(job, action, reasons, titles[job.name], notebook, record, depends, renders)
        )
    return steps


def _decide(
    name: str,
    folder: ReportFolder,
    depends: Mapping[str, str],
    renders: Mapping[str, str],
    force: bool,
) -> tuple[Action, list[str]]:
    """Return what to do for a page, and the reasons for it."""
    page = folder.pages.get(name)
    if page is None:
        return "run", ["never built"]
    changed = []
    if page.outputs:
        changed = changes(page.depends, depends)
    if page.status != "built":
        return "run", ["the last run failed", *changed]
    if force:
        return "run", ["forced"]
    if changed:
        return "run", changed
    damage = folder.damage(page)
    reasons = [*changes(page.renders, renders), *damage]
    if not reasons:
        return "keep", ["nothing changed"]
    if any(problem.startswith(f"{name}.ipynb ") for problem in damage):
        return "run", reasons  # the outputs of the last run are in that file
    return "render", reasons


def _around(name: str, preset: Preset, titles: Mapping[str, str]) -> dict[str, Any]:
    names = list(titles)
    around: dict[str, Any] = {
        "preset": {"name": preset.name, "title": preset.title},
        "index_href": "index.html",
        "pages": names,
    }
    if name not in titles:
        return around
    position = names.index(name)
    for key, neighbor in (("prev", position - 1), ("next", position + 1)):
        if 0 <= neighbor < len(names):
            href = quote(f"{names[neighbor]}.html")
            around[key] = {"title": titles[names[neighbor]], "href": href}
    return around


def _titles(notebooks: Mapping[str, Path], dependencies: Dependencies) -> dict[str, str]:
    """Return each page's title; runs of one notebook differ by their names."""
    titles = {}
    for name, path in notebooks.items():
        titles[name] = heading(dependencies.notebook(path)) or name
    uses = Counter(titles.values())
    for name, title in titles.items():
        if uses[title] > 1:
            titles[name] = f"{title} · {name}"
    return titles
