"""Running a learner's code so that nothing it raises ends the kernel or the cell."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

LONGEST_MESSAGE = 120  # characters of an error's message that are shown


class Exited(Exception):
    """An answer's own method raised what would end the kernel or the cell."""


@contextmanager
def contain_exits() -> Iterator[None]:
    """Turn exceptions that end a kernel or a cell, such as SystemExit, into `Exited`.

    A KeyboardInterrupt may come from an answer, too, or from a learner who presses Ctrl-C (in
    JupyterLab, the square). Only the latter is a signal, and it is raised again.
    """
    signals = []
    former_handler: Any = None
    # Signals reach the main thread alone, and only there can a handler be set.
    watched = threading.current_thread() is threading.main_thread()
    if watched:
        former_handler = signal.getsignal(signal.SIGINT)
        watched = callable(former_handler)

    def record_signal(number: int, frame: Any) -> None:
        signals.append(number)
        former_handler(number, frame)

    if watched:
        signal.signal(signal.SIGINT, record_signal)
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if signals:
            raise KeyboardInterrupt from None
        raise Exited(short_message(error)) from None
    finally:
        if watched:
            signal.signal(signal.SIGINT, former_handler)


def short_message(error: BaseException) -> str:
    """Return an error's message on one line, with the error's name if it would end a cell."""
    try:
        message = shorten(str(error), LONGEST_MESSAGE, placeholder=" …")
    except BaseException:  # its own __str__ is the learner's
        message = "an error without a message"
    message = message.encode("utf-8", "backslashreplace").decode()
    if isinstance(error, Exception):
        return message
    return f"{type_name(error)}: {message}".rstrip(": ")


def type_name(value: Any) -> str:
    """Return the name of a value's type."""
    # Not `type(value).__name__`: a learner's metaclass may raise there.
    name: str = type.__getattribute__(type(value), "__name__")
    return name
