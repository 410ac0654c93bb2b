"""What an executed notebook's outputs carry: texts, and the figures and tables to publish.

A notebook may display anything: what is not of its type is left out here, for all who read on.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

# They become file names: a text is never a path.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAGIC = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}


def published_files(notebook: NotebookNode, name: str) -> dict[str, bytes]:
    """List the files to publish beside a page: its named figures and data.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    name : str
        The page's name.

    Returns
    -------
    dict of str to bytes
        Path in the report's folder → content.

    Raises
    ------
    ValueError
        If two outputs have one name, or a name cannot be a file's.
    """
    files: dict[str, bytes] = {}
    shown_by: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", ()):
            label = told(output).get("name")
            if not label:
                continue
            if not NAME.fullmatch(str(label)):
                raise ValueError(
                    f"cell {index} shows something under the name {label!r}. Use lower-case words "
                    f"joined by hyphens."
                )
            if label in shown_by:
                raise ValueError(
                    f"cells {shown_by[label]} and {index} both show {label!r}: their files would "
                    f"overwrite each other. Give one another name."
                )
            shown_by[label] = index
            files |= _files(forms(output), f"{name}-{label}")
    return files


def is_output(path: str, page: str) -> bool:
    """Whether a page of this name can have published a file of this path.

    >>> is_output("figures/08-map.png", "08"), is_output("../08.html", "08")
    (True, False)
    """
    page, name = re.escape(page), NAME.pattern
    kinds = (
        rf"{page}\.(html|ipynb)",
        rf"figures/{page}-{name}\.(svg|png)",
        rf"data/{page}-{name}\.csv",
    )
    return any(re.fullmatch(kind, path) for kind in kinds)


def told(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the helper said of an output: its kind, its name, its title."""
    about = _mapping(output, "metadata").get("stslab")
    return about if isinstance(about, Mapping) else {}


def forms(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of an output that can be shown.

    Parameters
    ----------
    output : mapping

    Returns
    -------
    dict
        MIME type → text; for JSON, whatever it holds. A PNG or JPEG is one, in base64.
    """
    found = {}
    for kind, value in _mapping(output, "data").items():
        if kind.endswith("json"):
            found[kind] = value
        elif (text := joined(value)) is not None and _is_image(text, _MAGIC.get(kind, b"")):
            found[kind] = text
    return found


def joined(text: Any) -> str | None:
    """Join a text that a notebook may keep as its lines; None if it is no text."""
    lines = text if isinstance(text, list) else [text]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else None


def joined_streams(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join what a cell printed, which arrives in pieces as chance will have it.

    nbclient can do so, too, in a time that grows with the square of a line's length.

    Parameters
    ----------
    outputs : iterable of NotebookNode
        Of one cell.

    Returns
    -------
    list of NotebookNode
        One output for each stream, where its first piece was; standard output before errors
        where one follows the other.
    """
    joined: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            joined.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
            joined.append(output)
    for stream in streams.values():
        stream.text = _as_shown(stream.text)
    for index, (one, next_one) in enumerate(pairwise(joined)):
        if (one.get("name"), next_one.get("name")) == ("stderr", "stdout"):
            joined[index : index + 2] = [next_one, one]
    return joined


def _as_shown(text: str) -> str:
    """Keep of each line what a terminal would show last: a progress bar rewrites its line.

    >>> _as_shown("10 %\\r50 %\\rdone\\nnext\\r\\n")
    'done\\nnext\\n'
    """
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def _is_image(text: str, magic: bytes) -> bool:
    try:
        return not magic or base64.b64decode(text).startswith(magic)
    except ValueError:
        return False


def _mapping(output: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = output.get(key)
    return value if isinstance(value, Mapping) else {}


def _files(data: Mapping[str, Any], stem: str) -> dict[str, bytes]:
    from .page.svg import standalone_svg

    files = {}
    if drawing := standalone_svg(data.get("image/svg+xml", "")):
        files[f"figures/{stem}.svg"] = drawing.encode()
    if "image/png" in data:
        files[f"figures/{stem}.png"] = base64.b64decode(data["image/png"])
    if "text/csv" in data:
        files[f"data/{stem}.csv"] = data["text/csv"].encode()
    return files
