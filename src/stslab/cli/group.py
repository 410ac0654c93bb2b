"""The command's errors and exit codes, and its answer to signals."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from ..report.messages import RequestError
from .streams import kept_streams

FAILED, WRONG_REQUEST, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Group(click.Group):
    """A group whose errors end in one message and the documented exit code."""

    @kept_streams()
    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        signal.signal(signal.SIGTERM, _terminated)
        # Where JupyterLab is installed, nbformat's import compiles a grammar of web addresses for
        # more than a second, though no notebook's schema asks for it; jsonschema does without.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
        try:
            Path.home()
        except RuntimeError:  # a user without one, as in a container; Jupyter's libraries raise
            os.environ["HOME"] = f"{os.devnull}/home"  # where nothing can be kept
        try:
            try:
                super().main(*args, **{**kwargs, "standalone_mode": False})
            finally:
                _ignore_signals()
        except RequestError as error:
            leave(str(error), WRONG_REQUEST)
        except click.ClickException as error:
            error.show()
            sys.exit(WRONG_REQUEST)
        except (click.Abort, KeyboardInterrupt) as error:  # or a second Ctrl-C, on the way here
            _ignore_signals()
            # Abort is click's word for Ctrl-C, and for a question not answered.
            if KeyboardInterrupt not in (type(error), type(error.__cause__)):
                leave("nothing was run.", WRONG_REQUEST)
            leave("interrupted: no page is half-written, no kernel is left.", INTERRUPTED)
        except Terminated:
            _ignore_signals()
            leave("terminated: no page is half-written, no kernel is left.", TERMINATED)
        except MemoryError:
            leave("stopped: out of memory. Pages built before it stay.", FAILED)
        except OSError as error:
            problem = str(error)
            if error.filename:
                problem = f"{error.filename}: {error.strerror}"
            leave(f"stopped: {problem}. Pages built before it stay.", FAILED)
        sys.exit(0)


class Terminated(BaseException):
    """SIGTERM arrived; a base exception, so that no handler of errors takes it for one."""


def _terminated(*_: object) -> NoReturn:
    raise Terminated


def _ignore_signals() -> None:
    """Ignore signals from now on, so that none changes the outcome while Python shuts down."""
    for number in (signal.SIGINT, signal.SIGTERM):
        ignored = False
        while not ignored:
            # A signal that has just come is raised here, so it takes a second try.
            with suppress(KeyboardInterrupt, Terminated):
                signal.signal(number, signal.SIG_IGN)
                ignored = True


def leave(message: str, code: int) -> NoReturn:
    """Write a message on standard error, and end with an exit code."""
    click.echo(f"stslab: {message}", err=True)
    sys.exit(code)
