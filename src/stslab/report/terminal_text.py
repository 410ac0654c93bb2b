"""Text as a terminal shows it."""

from __future__ import annotations


def drop_overwritten(text: str) -> str:
    """Keep of each line what a terminal shows last: a progress bar overwrites its line.

    Examples
    --------
    >>> drop_overwritten("10 %\\r50 %\\rdone\\nnext\\r\\n")
    'done\\nnext\\n'
    """
    lines = []
    for line in text.split("\n"):
        # A carriage return at the end belongs to a line end of Windows and overwrites nothing.
        _, _, last_version = line.rstrip("\r").rpartition("\r")
        lines.append(last_version)
    return "\n".join(lines)
