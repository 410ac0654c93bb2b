"""Standard streams that do not end a command when they are closed, or their reader leaves.

click ends a command with exit code 1 at the first write to a pipe without a reader, and leaves a
closed stream or a full disk behind standard error to the command. Here a build goes on, because its
pages are what somebody wants, and its exit code says how it went.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


@contextmanager
def kept_streams() -> Iterator[None]:
    """Drop what cannot be written to standard error, or to a standard output without a reader.

    Any other error of standard output is raised: it may be the file that somebody wants.
    """
    # If a stream is closed, its number is free: a file opened later would get it, and with it what
    # other code prints. So the numbers up to 2 are filled first.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    original_streams = sys.stdout, sys.stderr
    sys.stdout = cast(TextIO, _LossyStream(1, sys.stdout, BrokenPipeError))
    sys.stderr = cast(TextIO, _LossyStream(2, sys.stderr, OSError))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = original_streams


class _LossyStream:
    """A stream that writes to nowhere after an error of one kind."""

    def __init__(self, number: int, stream: TextIO | None, ignored: type[OSError]) -> None:
        self._stream = stream or open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        self._ignored = ignored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        self._try(self._stream.write, text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, method: Callable[..., object], *arguments: str) -> None:
        try:
            method(*arguments)
        except self._ignored:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            # What still waits in the stream's buffer goes there, too.
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
