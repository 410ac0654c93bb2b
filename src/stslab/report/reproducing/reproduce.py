"""Make a page again from what it claims, by this checkout's notebook and rules, and compare."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stslab.models.finding import ModelError, available_models, find_published

from .. import identity
from ..building.freshness import Dependencies
from ..messages import RequestError, printable, short_repr
from ..page.record import split_page
from ..request.jobs import Job, model_names
from ..request.known_parameters import MODELS
from ..request.parameters import read_parameters
from ..request.source import read_source
from ..request.values import check_values
from ..running.kernels import KernelKind
from ..running.scratch import scratch_folder
from .claims import Claims, read_claims
from .comparison import compare, compare_claims

LARGEST = 2**28  # bytes of a page; the largest that was ever built here has 3 MB


@dataclass
class Outcome:
    """The result of making a page again."""

    # "identical": the same bytes; "equal": the same but for numbers that agree at 4 decimals and
    # for what `environment` lists; or "different".
    verdict: str
    environment: list[str]  # how models, code and versions here differ from the page's
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
    """Make a page again from what it holds, and compare all of it.

    Anybody may have written what a page holds. So its code is not run: the notebook with the same
    cells is looked for in this checkout, and its parameters cell checks the page's values.

    Parameters
    ----------
    page : Path
    notebooks : Path
        The folder of this checkout's notebooks.
    inputs : mapping of str to Path
        Files by parameter that the page does not hold, and folders of models by the name
        ``model_name/…`` that the page gives them.
    kernel : "warm" or "fresh"
    may_run : callable
        Asks whether to run code that is not in this checkout.
    notify : callable
        Gets a line for each difference between the page's environment and this one.

    Raises
    ------
    RequestError
        If the page cannot be read, or not made again here.
    """
    name = printable(page.name)
    html = _read(page, name)
    claims = read_claims(html, name)
    try:
        with scratch_folder() as scratch:
            notebook = _find_notebook(claims, notebooks)
            is_foreign = notebook is None
            if notebook is None:
                notebook = scratch / claims.notebook_name
                notebook.write_text(json.dumps(claims.notebook), encoding="utf-8")
            job = _job(name, claims, notebook, inputs, scratch)
            question = (
                f"{name} holds code that is not in this checkout. It can do whatever you can. "
                "Run it?"
            )
            if is_foreign and not may_run(question):
                raise RequestError(f"{name}: not run.")
            _check_models(name, claims, job)
            render, record = _run(claims, job, notebooks, kernel)
    except OSError as error:
        location = ""
        if error.filename:
            location = f"{printable(str(error.filename))}: "
        raise RequestError(f"{name}: {location}{error.strerror or error}.") from None
    environment = _compare_environments(claims, record)
    for difference in environment:
        notify(f"differs here: {difference}")
    record_as_claimed = _with_environment_of(claims, record)
    outcome = Outcome("identical", environment, _unchecked(claims, record, is_foreign))
    our_html = render(record_as_claimed)
    if html != our_html:
        outcome.differences = _differences(html, our_html, claims, record_as_claimed)
    if outcome.differences:
        outcome.verdict = "different"
    elif environment or html != our_html:
        outcome.verdict = "equal"
    return outcome


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


def _find_notebook(claims: Claims, notebooks: Path) -> Path | None:
    """Return this checkout's notebook that has the page's cells; None if there is none."""
    cells = claims.notebook.get("cells")
    # That of the page's name first, as another may have the same cells.
    paths = sorted(notebooks.glob("*.ipynb"), key=lambda path: path.name != claims.notebook_name)
    for path in paths:
        with suppress(RequestError):
            if read_source(path)["cells"] == cells:
                return path
    return None


def _job(
    name: str, claims: Claims, notebook: Path, inputs: Mapping[str, Path], scratch: Path
) -> Job:
    """Return the page's job, checked as `stslab report` checks a request."""
    parameters = read_parameters(notebook)
    file_parameters = {key for key, parameter in parameters.items() if parameter.takes_file}
    for key, value in claims.parameters.items():
        if key in claims.files or (key in file_parameters and isinstance(value, str)):
            raise RequestError(
                f"{name}: its parameter {short_repr(key)} names a file of the machine that it "
                f"was made on. A page of stslab lists such a file among its input files."
            )
    values = check_values(parameters, claims.parameters, place=name, notebook=notebook.stem)
    files = {}
    for key, file in claims.files.items():
        if key not in file_parameters:
            raise RequestError(f"{name}: its notebook takes no file {short_repr(key)}.")
        path = files[key] = scratch / "inputs" / key / file.name
        path.parent.mkdir(parents=True)
        path.write_bytes(_content(name, key, claims, inputs))
    unknown_inputs = inputs.keys() - files.keys() - claims.model.keys()
    if unknown_inputs:
        raise RequestError(f"{name}: was made without an input {short_repr(min(unknown_inputs))}.")
    return Job(
        name=claims.page,
        notebook=notebook,
        parameters={key: values[key] for key in parameters if key in values},
        inputs={key: files[key] for key in parameters if key in files},
        models={key: path.absolute() for key, path in inputs.items() if key in claims.model},
    )


def _content(name: str, parameter: str, claims: Claims, inputs: Mapping[str, Path]) -> bytes:
    """Return an input file's content, from the reader or from the page."""
    file = claims.files[parameter]
    if parameter in inputs:
        content = inputs[parameter].read_bytes()
    elif parameter in claims.inputs:
        try:
            content = base64.b64decode(claims.inputs[parameter], validate=True)
        except ValueError:
            raise RequestError(
                f"{name}: the file {short_repr(file.name)} in it is damaged."
            ) from None
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
    """Raise RequestError if a model is not a published one on this machine, nor from the reader.

    A name that the page chose must not make anything be downloaded, or a folder be read.
    """
    names = model_names(job)
    if set(names) != claims.model.keys():
        raise RequestError(
            f"{name}: it claims the models {short_repr(sorted(claims.model))}, but its parameters "
            f"name {short_repr(sorted(names))}."
        )
    for model in names:
        if model in job.models:
            continue
        parameter, slash, folder = model.partition("/")
        if slash and parameter in MODELS:
            raise RequestError(
                f"{name}: was made with the model in a folder {short_repr(folder)}, "
                f"which is not inside it. Give the folder with --input {printable(model)}=PATH."
            )
        try:
            source = find_published(model)
        except ModelError as error:
            raise RequestError(f"{name}: {printable(str(error))}") from None
        if source is None:
            raise RequestError(
                f"{name}: was made with the model {short_repr(model)}, which is not on this "
                f"machine. Here: {', '.join(available_models())}."
            )


def _run(
    claims: Claims, job: Job, notebooks: Path, kernel: KernelKind
) -> tuple[Callable[[Mapping[str, Any]], str], dict[str, Any]]:
    """Run the notebook; return a function that makes its page with a record, and our record."""
    import nbformat

    from ..page.render import export, set_title
    from ..running.pool import check_limits
    from ..running.run import Work, run

    dependencies = Dependencies(notebooks.resolve().parent)
    check_limits(1)
    source, depends = dependencies.notebook(job.notebook), dependencies.to_run(job)
    around = claims.around.model_dump(exclude_unset=True)
    record = dependencies.record(job, depends, around, embed_inputs=bool(claims.inputs))
    result = run(
        Work(
            name=job.name,
            notebook=json.dumps(source),
            parameters=job.parameters,
            inputs={name: (path.name, path) for name, path in job.inputs.items()},
            models=job.models,
            kernel=kernel,
        )
    )
    if result.error:
        raise RequestError(f"{job.name}: its notebook fails here: {printable(result.error)}")

    def render(record: Mapping[str, Any]) -> str:
        notebook = nbformat.reads(result.notebook, as_version=4)
        return export(set_title(notebook, source, job.name), job.name, record)

    return render, record


def _compare_environments(claims: Claims, record: Mapping[str, Any]) -> list[str]:
    """List how models, code and versions here differ from those that the page claims."""
    differences = []
    for name, claimed_digest in claims.model.items():
        our_digest = record["model"][name]
        if our_digest != claimed_digest:
            differences.append(
                f"model {printable(name)} has other files: "
                f"{claimed_digest[:12]}… → {our_digest[:12]}…"
            )
    for code, description in identity.CODE.items():
        is_in_both = code in claims.sha256 and code in record["sha256"]
        if is_in_both and claims.sha256[code] != record["sha256"][code]:
            differences.append(f"{description} changed")
    versions = {
        printable(name): printable(version)[:40] for name, version in claims.versions.items()
    }
    return differences + identity.changes(versions, record["versions"])


def _with_environment_of(claims: Claims, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return our record with the models, code and versions that the page claims.

    These `_compare_environments` lists by themselves. All else in the record is from here, so that
    the page differs if it claims anything else.
    """
    code_digests = {name: sha256 for name, sha256 in claims.sha256.items() if name in identity.CODE}
    return {
        **record,
        "model": claims.model,
        "versions": claims.versions,
        "sha256": record["sha256"] | code_digests,
    }


def _differences(html: str, our_html: str, claims: Claims, record: Mapping[str, Any]) -> list[str]:
    """List how a page and its record differ from ours."""
    claimed = compare_claims(claims.model_dump(exclude_unset=True), record)
    differences = [f"what it claims to be made from: {difference}" for difference in claimed]
    return differences + compare(split_page(html).html, split_page(our_html).html)


def _unchecked(claims: Claims, record: Mapping[str, Any], is_foreign: bool) -> list[str]:
    """List what a page says that cannot be found out here."""
    around = claims.around
    titles = [around.preset.title]
    titles += [neighbor.title for neighbor in (around.prev, around.next) if neighbor]
    quoted_titles = ", ".join(f"“{printable(title)[:80]}”" for title in titles)
    unchecked = [f"the titles of its report and of the pages beside it: {quoted_titles}"]
    if is_foreign:
        unchecked.append("whether its code does what its text says: it is not this checkout's")
    for code, description in identity.CODE.items():
        if code in claims.sha256 and code not in record["sha256"]:
            unchecked.append(f"the SHA-256 of {description}: there is none here")
    return unchecked
