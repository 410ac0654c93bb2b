"""What a cell printed, in pieces → one output a stream."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from nbformat import NotebookNode


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
