"""Make a page again from what it claims, by this checkout's notebook and rules, and compare."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
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
from ..page.record import without_record
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
    """What came of making a page again.

    Attributes
    ----------
    verdict : {"identical", "equal", "different"}
        The same bytes; the same but for numbers that agree at 4 decimals and for what
        `environment` lists; or neither.
    environment : list of str
        What this environment has otherwise than the page's.
    unchecked : list of str
        What the page says that cannot be found out here.
    differences : list of str
        Where the two pages differ.
    """

    verdict: str
    environment: list[str]
    unchecked: list[str]
    differences: list[str] = field(default_factory=list)


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
    whose parameters cell checks its values; its models are those of this machine.

    Parameters
    ----------
    page : Path
    notebooks : Path
        This checkout's notebooks; code that is not among them is run only if `may_run` agrees.
    inputs : mapping of name to Path
        The input files, by parameter, where the page does not hold them; the folders of models
        that the page names ``model_name/…``.
    kernel : {"warm", "fresh"}
    may_run : callable
        Asked with a sentence before unknown code runs.
    notify : callable
        Receives, line by line, what happens.

    Returns
    -------
    Outcome

    Raises
    ------
    RequestError
        If the page cannot be used; nothing was run, unless its notebook fails here.
    """
    name = printable(page.name)
    old = _read(page, name)
    claims = read_claims(old, name)
    try:
        with scratch_folder() as scratch:
            return _reproduced(
                name, old, claims, notebooks, inputs, kernel, may_run, notify, scratch
            )
    except OSError as error:
        where = f"{printable(str(error.filename))}: " if error.filename else ""
        raise RequestError(f"{name}: {where}{error.strerror or error}.") from None


def _reproduced(
    name: str,
    old: str,
    claims: Claims,
    notebooks: Path,
    inputs: Mapping[str, Path],
    kernel: KernelKind,
    may_run: Callable[[str], bool],
    notify: Callable[[str], None],
    scratch: Path,
) -> Outcome:
    notebook = _ours(claims, notebooks)
    foreign = notebook is None
    if notebook is None:
        notebook = scratch / claims.notebook_name
        notebook.write_text(json.dumps(claims.notebook), encoding="utf-8")
    job = _job(name, claims, notebook, inputs, scratch)
    if foreign and not may_run(
        f"{name} holds code that is not in this checkout. It can do whatever you can. Run it?"
    ):
        raise RequestError(f"{name}: not run.")
    _check_models(name, claims, job, inputs)
    page, record = _made_again(claims, job, notebooks, kernel)
    environment = _differences_here(claims, record)
    for line in environment:
        notify(f"differs here: {line}")
    unchecked = list(_unchecked(claims, record, foreign))
    # The page as it would be if it had been made from the same in the environment that it names.
    as_claimed = _in_the_environment_of(claims, record)
    if old == page(as_claimed):
        return Outcome("equal" if environment else "identical", environment, unchecked)
    differences = [
        f"what it claims to be made from: {each}"
        for each in compare_claims(claims.model_dump(exclude_unset=True), as_claimed)
    ]
    differences += compare(without_record(old), without_record(page(as_claimed)))
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
        try:
            if read_source(path)["cells"] == wanted:
                return path
        except RequestError:
            continue
    return None


def _job(
    name: str, claims: Claims, notebook: Path, inputs: Mapping[str, Path], scratch: Path
) -> Job:
    """Check what the page was given as if it were given to `stslab report`."""
    parameters = read_parameters(notebook)
    for parameter, value in claims.parameters.items():
        one = parameters.get(parameter)
        if parameter in claims.files or (one and one.takes_file and isinstance(value, str)):
            raise RequestError(
                f"{name}: its parameter {shown(parameter)} names a file of the machine that it "
                f"was made on. A page of stslab lists such a file among its input files."
            )
    checked = check_values(parameters, claims.parameters, where=name, notebook=notebook.stem)
    takers = [each for each, parameter in parameters.items() if parameter.takes_file]
    files = {}
    for parameter, file in claims.files.items():
        if parameter not in takers:
            raise RequestError(f"{name}: its notebook takes no file {shown(parameter)}.")
        folder = scratch / "inputs" / parameter
        folder.mkdir(parents=True)
        files[parameter] = folder / file.name
        files[parameter].write_bytes(_content(name, parameter, claims, inputs))
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
        except (binascii.Error, ValueError):
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


def _check_models(name: str, claims: Claims, job: Job, inputs: Mapping[str, Path]) -> None:
    """Take models that are on this machine by a published name, or that the reader gave."""
    names = model_names(job)
    if set(names) != claims.model.keys():
        raise RequestError(
            f"{name}: it claims the models {shown(sorted(claims.model))}, but its parameters name "
            f"{shown(sorted(names))}."
        )
    for model in names:
        if model in job.models:
            continue
        if "/" in model and model.partition("/")[0] in MODELS:
            raise RequestError(
                f"{name}: was made with the model in a folder {shown(model.partition('/')[2])}, "
                f"which is not inside it. Give the folder with --input {printable(model)}=PATH."
            )
        known = [DEFAULT_MODEL, *available_models()]
        if {model, f"sentence-transformers/{model}"}.isdisjoint(
            [*known, f"sentence-transformers/{DEFAULT_MODEL}"]
        ) or model_folder(model, Path.cwd()):
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

    from ..page.render import export, titled
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
        return export(titled(notebook, source, job.name), job.name, record)

    return page, record


def _differences_here(claims: Claims, record: Mapping[str, Any]) -> list[str]:
    """Compare models, versions and code with those that the page claims."""
    found = [
        f"model {printable(name)} has other files: {was[:12]}… → {record['model'][name][:12]}…"
        for name, was in claims.model.items()
        if record["model"][name] != was
    ]
    for part, what in identity.CODE.items():
        was, now = claims.sha256.get(part), record["sha256"].get(part)
        if was and now and was != now:
            found.append(f"{what} changed")
    versions = {printable(name): printable(was)[:40] for name, was in claims.versions.items()}
    return found + identity.changes(versions, record["versions"])


def _in_the_environment_of(claims: Claims, record: Mapping[str, Any]) -> dict[str, Any]:
    """Take what `_differences_here` tells from the page's record, and all else from here."""
    parts = {name: was for name, was in claims.sha256.items() if name in identity.CODE}
    return {
        **record,
        "model": claims.model,
        "versions": claims.versions,
        "sha256": {**record["sha256"], **parts},
    }


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
