"""What a page claims it was made from, which anybody may have written.

A record is accepted only in this form, so that it cannot name more than it may: a file by a plain
name, a page beside it. Whether what it claims is true is found out by making the page again.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ..messages import RequestError, printable, short_repr
from ..page.record import read_record
from ..request.names import name_problem


def _page_name(name: str) -> str:
    if problem := name_problem(name):
        raise ValueError(f"the name {problem}")
    return name


def _file_name(name: str) -> str:
    if not name.strip(".") or re.search("[/\\\\\0\ud800-\udfff]", name) or len(name) > 255:
        raise ValueError("not the name of a file")
    return name


def _notebook_name(name: str) -> str:
    if PurePosixPath(_file_name(name)).suffix != ".ipynb":
        raise ValueError("not the name of a notebook")
    _page_name(PurePosixPath(name).stem)
    return name


PageName = Annotated[str, AfterValidator(_page_name)]
FileName = Annotated[str, AfterValidator(_file_name)]
NotebookName = Annotated[str, AfterValidator(_notebook_name)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class File(_Model):
    """An input file."""

    name: FileName
    sha256: Digest
    bytes: int
    lines: int | None = None


class _Preset(_Model):
    name: str
    title: str


class _Neighbor(_Model):
    title: str
    href: str


class Around(_Model):
    """The report that a page belongs to. This part alone cannot be made again here."""

    preset: _Preset
    index_href: Literal["index.html"]
    pages: list[PageName]
    prev: _Neighbor | None = None
    next: _Neighbor | None = None

    @model_validator(mode="after")
    def _links_lead_to_pages(self) -> Around:
        pages = {quote(f"{page}.html") for page in self.pages}
        for neighbor in (self.prev, self.next):
            if neighbor and neighbor.href not in pages:
                raise ValueError(f"{neighbor.href!r:.80} leads to no page of its report")
        return self


class Claims(_Model):
    """A page's record; see `Dependencies.record`."""

    notebook_name: NotebookName
    preset: str
    page: PageName
    command: str
    model: dict[str, Digest]
    parameters: dict[str, JsonValue]
    files: dict[str, File]
    versions: dict[Name, str]
    sha256: dict[Name, Digest]
    around: Around
    notebook: dict[str, JsonValue]
    inputs: dict[str, str] = {}


def read_claims(html: str, page: str) -> Claims:
    """Return what a page claims.

    Parameters
    ----------
    html : str
    page : str
        Its name, for messages.

    Raises
    ------
    RequestError
        If the page has no record, a damaged one, or one of another form.
    """
    try:
        record = read_record(html)
        if "injected_parameters" in record or "around" not in record:
            raise ValueError(
                "it was made by nbconvert alone; only a page of `stslab report` can be reproduced."
            )
        return Claims.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        location = " → ".join(printable(str(step))[:40] for step in first["loc"][:6])
        raise RequestError(
            f"{page}: its record of what it was made from is not one that stslab writes: "
            f"{location or 'the whole'}: {printable(first['msg'])[:200]}, "
            f"got {short_repr(first['input'])}. Nothing was run."
        ) from None
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{page}: {printable(str(error))}") from None
