"""Standard streams that are closed, or whose reader leaves, end no command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


@contextmanager
def kept_streams() -> Iterator[None]:
    """Let what cannot be written to standard output or error be lost, and nothing else.

    Errors of standard output count, but for a reader who left: its file may be what is wanted.
    """
    # A file opened later would get a closed stream's number, and what other code prints to it.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    before = sys.stdout, sys.stderr
    sys.stdout = cast(TextIO, _Kept(1, sys.stdout, BrokenPipeError))
    sys.stderr = cast(TextIO, _Kept(2, sys.stderr, OSError))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Kept:
    def __init__(self, number: int, stream: TextIO | None, lost: type[OSError]) -> None:
        self._stream = stream or open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        self._try(self._stream.write, text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, work: Callable[..., object], *arguments: str) -> None:
        try:
            work(*arguments)
        except self._lost:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # and what still waits in its buffer
            os.close(nowhere)
