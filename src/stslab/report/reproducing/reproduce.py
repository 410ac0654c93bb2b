"""Make a page again from what it claims, by this checkout's notebook and rules, and compare."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stslab.models.finding import (
    DEFAULT_MODEL,
    ModelError,
    available_models,
    find_model,
    model_folder,
)

from .. import identity
from ..building.freshness import Dependencies
from ..page.record import split_page
from ..request.jobs import MODELS, Job, model_names
from ..request.parameters import read_parameters
from ..request.source import read_source
from ..request.values import RequestError, check_values, printable, shown
from ..running.kernels import KernelKind
from ..running.scratch import scratch_folder
from .claims import Claims, read_claims
from .comparison import compare, compare_claims

LARGEST = 2**28  # bytes of a page; the largest that was ever built here has 3 MB


@dataclass
class Outcome:
    """What came of making a page again."""

    # "identical": the same bytes; "equal": the same but for numbers that agree at 4 decimals and
    # for what `environment` lists; or "different".
    verdict: str
    environment: list[str]  # what this environment has otherwise than the page's
    unchecked: list[str]  # what the page says that cannot be found out here
    differences: list[str] = field(default_factory=list)  # where the two pages differ


def reproduce(
    page: Path,
    *,
    notebooks: Path,
    inputs: Mapping[str, Path],
    kernel: KernelKind,
    may_run: Callable[[str], bool],
    notify: Callable[[str], None],
) -> Outcome:
    """Make a page again from what it holds, and compare the whole of it.

    What the page holds is data from a stranger. Its notebook is looked for among this checkout's,
    whose parameters cell checks its values; other code is run only if `may_run` agrees. `inputs`
    are files, by parameter, that the page does not hold, and folders of models that it names
    ``model_name/…``.
    """
    name = printable(page.name)
    old = _read(page, name)
    claims = read_claims(old, name)
    try:
        with scratch_folder() as scratch:
            notebook, foreign = _ours(claims, notebooks), False
            if notebook is None:
                notebook, foreign = scratch / claims.notebook_name, True
                notebook.write_text(json.dumps(claims.notebook), encoding="utf-8")
            job = _job(name, claims, notebook, inputs, scratch)
            question = (
                "holds code that is not in this checkout. It can do whatever you can. Run it?"
            )
            if foreign and not may_run(f"{name} {question}"):
                raise RequestError(f"{name}: not run.")
            _check_models(name, claims, job)
            render, record = _made_again(claims, job, notebooks, kernel)
    except OSError as error:
        where = f"{printable(str(error.filename))}: " if error.filename else ""
        raise RequestError(f"{name}: {where}{error.strerror or error}.") from None
    environment = _differences_here(claims, record)
    for line in environment:
        notify(f"differs here: {line}")
    unchecked = _unchecked(claims, record, foreign)
    # The page as it would be if it had been made from the same in the environment that it names:
    # what `_differences_here` tells is taken from its record, and all else from here.
    code = {part: was for part, was in claims.sha256.items() if part in identity.CODE}
    as_claimed = record | {"model": claims.model, "versions": claims.versions}
    as_claimed["sha256"] = record["sha256"] | code
    new = render(as_claimed)
    if old == new:
        return Outcome("equal" if environment else "identical", environment, unchecked)
    differences = [
        f"what it claims to be made from: {each}"
        for each in compare_claims(claims.model_dump(exclude_unset=True), as_claimed)
    ]
    differences += compare(split_page(old).rest, split_page(new).rest)
    return Outcome("different" if differences else "equal", environment, unchecked, differences)


def _read(page: Path, name: str) -> str:
    try:
        with page.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise RequestError(f"{name}: larger than {LARGEST >> 20} MB, so not a page of stslab.")
        return content.decode("utf-8")
    except FileNotFoundError:
        raise RequestError(f"{printable(str(page))}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{name}: cannot be read as a page ({printable(str(error))}).") from None


def _ours(claims: Claims, notebooks: Path) -> Path | None:
    """Find the notebook of this checkout whose cells are the page's."""
    wanted = claims.notebook.get("cells")
    found = sorted(notebooks.glob("*.ipynb"), key=lambda path: path.name != claims.notebook_name)
    for path in found:
        with suppress(RequestError):
            if read_source(path)["cells"] == wanted:
                return path
    return None


def _job(
    name: str, claims: Claims, notebook: Path, inputs: Mapping[str, Path], scratch: Path
) -> Job:
    """Check what the page was given as if it were given to `stslab report`."""
    parameters = read_parameters(notebook)
    takers = [each for each, parameter in parameters.items() if parameter.takes_file]
    for parameter, value in claims.parameters.items():
        if parameter in claims.files or (parameter in takers and isinstance(value, str)):
            raise RequestError(
                f"{name}: its parameter {shown(parameter)} names a file of the machine that it "
                f"was made on. A page of stslab lists such a file among its input files."
            )
    checked = check_values(parameters, claims.parameters, where=name, notebook=notebook.stem)
    files = {}
    for parameter, file in claims.files.items():
        if parameter not in takers:
            raise RequestError(f"{name}: its notebook takes no file {shown(parameter)}.")
        path = files[parameter] = scratch / "inputs" / parameter / file.name
        path.parent.mkdir(parents=True)
        path.write_bytes(_content(name, parameter, claims, inputs))
    if stray := inputs.keys() - files.keys() - claims.model.keys():
        raise RequestError(f"{name}: was made without an input {shown(min(stray))}.")
    return Job(
        name=claims.page,
        notebook=notebook,
        parameters={each: checked[each] for each in parameters if each in checked},
        inputs={each: files[each] for each in parameters if each in files},
        models={each: path.absolute() for each, path in inputs.items() if each in claims.model},
    )


def _content(name: str, parameter: str, claims: Claims, inputs: Mapping[str, Path]) -> bytes:
    file = claims.files[parameter]
    if parameter in inputs:
        content = inputs[parameter].read_bytes()
    elif parameter in claims.inputs:
        try:
            content = base64.b64decode(claims.inputs[parameter], validate=True)
        except ValueError:
            raise RequestError(f"{name}: the file {shown(file.name)} in it is damaged.") from None
    else:
        raise RequestError(
            f"{name}: was made from {printable(file.name)}, which is not inside it. Give the file "
            f"with --input {parameter}=PATH, or ask for a page made with --embed-inputs."
        )
    if identity.bytes_digest(content) != file.sha256:
        raise RequestError(
            f"{name}: the file for {parameter!r} is not the {printable(file.name)} that the page "
            f"was made from: its SHA-256 does not match."
        )
    return content


def _check_models(name: str, claims: Claims, job: Job) -> None:
    """Take models that are on this machine by a published name, or that the reader gave."""
    names = model_names(job)
    if set(names) != claims.model.keys():
        raise RequestError(
            f"{name}: it claims the models {shown(sorted(claims.model))}, but its parameters name "
            f"{shown(sorted(names))}."
        )
    known = [DEFAULT_MODEL, *available_models()]
    published = {*known, f"sentence-transformers/{DEFAULT_MODEL}"}
    for model in (each for each in names if each not in job.models):
        parameter, slash, folder = model.partition("/")
        if slash and parameter in MODELS:
            raise RequestError(
                f"{name}: was made with the model in a folder {shown(folder)}, "
                f"which is not inside it. Give the folder with --input {printable(model)}=PATH."
            )
        foreign = published.isdisjoint({model, f"sentence-transformers/{model}"})
        if foreign or model_folder(model, Path.cwd()):
            raise RequestError(
                f"{name}: was made with the model {shown(model)}, which is not on this machine. "
                f"Here: {', '.join(known)}."
            )
        try:
            find_model(model, download=False)
        except ModelError as error:
            raise RequestError(f"{name}: {printable(str(error))}") from None


def _made_again(
    claims: Claims, job: Job, notebooks: Path, kernel: KernelKind
) -> tuple[Callable[[Mapping[str, Any]], str], dict[str, Any]]:
    """Run the notebook; give how its page is rendered with a record, and the record found here."""
    import nbformat

    from ..page.render import export, set_title
    from ..running.pool import check_limits
    from ..running.run import Work, run

    here = Dependencies(notebooks.resolve().parent)
    check_limits(1)
    source, depends = here.notebook(job.notebook), here.to_run(job)
    around = claims.around.model_dump(exclude_unset=True)
    record = here.record(job, depends, around, embed_inputs=bool(claims.inputs))
    done = run(
        Work(
            name=job.name,
            notebook=json.dumps(source),
            parameters=job.parameters,
            inputs={name: (path.name, path) for name, path in job.inputs.items()},
            models=job.models,
            kernel=kernel,
        )
    )
    if done.error:
        raise RequestError(f"{job.name}: its notebook fails here: {printable(done.error)}")

    def page(record: Mapping[str, Any]) -> str:
        notebook = nbformat.reads(done.notebook, as_version=4)
        return export(set_title(notebook, source, job.name), job.name, record)

    return page, record


def _differences_here(claims: Claims, record: Mapping[str, Any]) -> list[str]:
    """Compare models, versions and code with those that the page claims."""
    found = [
        f"model {printable(name)} has other files: {was[:12]}… → {record['model'][name][:12]}…"
        for name, was in claims.model.items()
        if record["model"][name] != was
    ]
    found += [
        f"{what} changed"
        for part, what in identity.CODE.items()
        if part in claims.sha256.keys() & record["sha256"].keys()
        and claims.sha256[part] != record["sha256"][part]
    ]
    versions = {printable(name): printable(was)[:40] for name, was in claims.versions.items()}
    return found + identity.changes(versions, record["versions"])


def _unchecked(claims: Claims, record: Mapping[str, Any], foreign: bool) -> list[str]:
    around = claims.around
    titles = [around.preset.title, *(each.title for each in (around.prev, around.next) if each)]
    listed = ", ".join(f"“{printable(title)[:80]}”" for title in titles)
    found = [f"the titles of its report and of the pages beside it: {listed}"]
    if foreign:
        found.append("whether its code does what its text says: it is not this checkout's")
    for part in claims.sha256.keys() & identity.CODE.keys() - record["sha256"].keys():
        found.append(f"the SHA-256 of {identity.CODE[part]}: there is none here")
    return found
