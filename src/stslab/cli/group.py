"""The command's errors and exit codes, and its answer to signals."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from ..report.request.values import RequestError
from ..report.streams import kept_streams

FAILED, WRONG_REQUEST, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Group(click.Group):
    """Turn what goes wrong into one message and the documented exit code."""

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
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            leave(f"stopped: {what}. Pages built before it stay.", FAILED)
        sys.exit(0)


class Terminated(BaseException):
    pass


def _terminated(*_: object) -> NoReturn:
    raise Terminated


def _ignore_signals() -> None:
    """Let no signal change the outcome once it is decided; Python's own end would die of one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        ignored = False
        while not ignored:
            # One that has just come is raised here, before the next are ignored.
            with suppress(KeyboardInterrupt, Terminated):
                signal.signal(number, signal.SIG_IGN)
                ignored = True


def leave(message: str, code: int) -> NoReturn:
    click.echo(f"stslab: {message}", err=True)
    sys.exit(code)
