"""A page alone → the same page again, or what differs."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from . import freshness
from .page.record import read_record
from .request.parameters import RequestError
from .running.kernels import KernelKind

NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")


@dataclass
class Outcome:
    """What came of making a page again.

    Attributes
    ----------
    verdict : {"identical", "equal", "different"}
        The same bytes; the same text and the same numbers at 4 decimals; or neither.
    environment : list of str
        What this environment has otherwise than the page's.
    differences : list of str
        Where the two pages differ.
    """

    verdict: str
    environment: list[str]
    differences: list[str] = field(default_factory=list)


def reproduce(
    page: Path,
    *,
    notebooks: Path,
    inputs: Mapping[str, Path],
    kernel: KernelKind,
    may_run: Callable[[str], bool],
    said: Callable[[str], None],
) -> Outcome:
    """Make a page again from what it holds, and compare.

    Parameters
    ----------
    page : Path
    notebooks : Path
        This checkout's notebooks; code that is not among them is run only if `may_run` agrees.
    inputs : mapping of parameter to Path
        The input files, where the page does not hold them.
    kernel : {"warm", "fresh"}
    may_run : callable
        Asked with a sentence before unknown code runs.
    said : callable
        Told, line by line, what happens.

    Returns
    -------
    Outcome

    Raises
    ------
    RequestError
        If the page cannot be used; nothing was run.
    """
    old = _read(page)
    record = _record(page, old)
    files = _input_files(page, record, inputs)
    environment = _differences_here(page, record)
    for line in environment:
        said(f"differs here: {line}")
    if not _is_ours(record, notebooks) and not may_run(
        f"{page.name} holds code that is not in this checkout. It can do whatever you can. Run it?"
    ):
        raise RequestError(f"{page.name}: not run.")
    new = _made_again(record, files, kernel)
    if new == old:
        return Outcome("identical", environment)
    differences = _compare(_words(old), _words(new))
    return Outcome("different" if differences else "equal", environment, differences)


def _read(page: Path) -> str:
    try:
        return page.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RequestError(f"{page}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{page}: cannot be read as a page ({error}).") from None


def _record(page: Path, html: str) -> dict[str, Any]:
    try:
        record = read_record(html)
    except ValueError as error:
        raise RequestError(f"{page.name}: {error}") from None
    needed = {"notebook", "parameters", "around", "page", "sha256", "versions", "model", "files"}
    if missing := needed - record.keys():
        raise RequestError(
            f"{page.name}: its record lacks {', '.join(sorted(missing))}. It was made by nbconvert "
            f"alone; only a page of `stslab report` can be reproduced."
        )
    return record


def _input_files(
    page: Path, record: Mapping[str, Any], given: Mapping[str, Path]
) -> dict[str, tuple[str, bytes]]:
    files = {}
    for parameter, told in record["files"].items():
        if parameter in given:
            content = given[parameter].read_bytes()
        elif parameter in record.get("inputs", {}):
            content = base64.b64decode(record["inputs"][parameter])
        else:
            raise RequestError(
                f"{page.name}: was made from {told['name']}, which is not inside it. Give the file "
                f"with --input {parameter}=PATH, or ask for a page made with --embed-inputs."
            )
        if freshness.bytes_digest(content) != told["sha256"]:
            raise RequestError(
                f"{page.name}: the file for {parameter!r} is not the {told['name']} that the page "
                f"was made from: its sha256 is another."
            )
        files[parameter] = (Path(told["name"]).name, content)
    return files


def _differences_here(page: Path, record: Mapping[str, Any]) -> list[str]:
    """Compare models, versions and the helper with those that the page was made with."""
    try:
        models = {name: freshness.model_digest(name) for name in record["model"]}
    except RequestError as error:
        raise RequestError(f"{page.name}: {error}") from None
    said = [
        f"model {name} has other weights: {was[:12]}… → {models[name][:12]}…"
        for name, was in record["model"].items()
        if models[name] != was
    ]
    helper = freshness.helper_digest(_code(record["notebook"]))
    if helper != record["sha256"].get("helper"):
        said.append("the helper's source changed")
    return said + freshness.changes(record["versions"], freshness.versions())


def _is_ours(record: Mapping[str, Any], notebooks: Path) -> bool:
    wanted = record["notebook"]["cells"]
    for path in notebooks.glob("*.ipynb"):
        try:
            if freshness.read_source(path)["cells"] == wanted:
                return True
        except (OSError, ValueError, KeyError):
            continue
    return False


def _made_again(
    record: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]], kernel: KernelKind
) -> str:
    import nbformat

    from .page.render import export, titled
    from .running.run import Work, run

    work = Work(
        name=record["page"],
        notebook=json.dumps(record["notebook"]),
        parameters=record["parameters"],
        inputs=files,
        kernel=kernel,
    )
    done = run(work)
    if done.error:
        raise RequestError(f"{record['page']}: its notebook fails here: {done.error}")
    notebook = titled(
        nbformat.reads(done.notebook, as_version=4), record["notebook"], record["page"]
    )
    return export(notebook, record["page"], _made_here(record))


def _made_here(record: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the new page is made from: the same, with this environment's versions."""
    models = {name: freshness.model_digest(name) for name in record["model"]}
    digests = {**record["sha256"], "helper": freshness.helper_digest(_code(record["notebook"]))}
    return {**record, "versions": freshness.versions(), "model": models, "sha256": digests}


def _code(notebook: Mapping[str, Any]) -> str:
    cells = notebook["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


class _Words(HTMLParser):
    """The words of a page that say something: not its looks, and not what it was made from.

    What is said to those who cannot see, and the tables to download, stand in attributes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self._over |= ("id", "made-from") in attrs
        for name, value in attrs:
            if name in ("alt", "aria-label", "title"):
                self.handle_data(value or "")
            elif name == "href" and (value or "").startswith("data:text/csv"):
                self.handle_data(unquote(value or "").replace(",", " , "))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._over:
            self.words += data.split()


def _words(html: str) -> list[str]:
    parser = _Words()
    parser.feed(html)
    return parser.words


def _compare(old: list[str], new: list[str]) -> list[str]:
    said = []
    for index, (was, now) in enumerate(zip_longest(old, new)):
        if was is not None and now is not None and _same(was, now):
            continue
        before = " ".join(old[max(0, index - 6) : index])
        said.append(f"after “{before}”: {was or 'nothing'} in the page, {now or 'nothing'} here")
        if len(said) == 10 or was is None or now is None:
            return said
    return said


def _same(was: str, now: str) -> bool:
    if was == now:
        return True
    if NUMBER.sub("#", was) != NUMBER.sub("#", now):
        return False
    pairs = zip(NUMBER.findall(was), NUMBER.findall(now), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=0, abs_tol=5e-5) for a, b in pairs)
