"""Notebooks that cannot be used: each is named once a command, and stops no other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import click

from ..report.messages import RequestError, printable

MOST_NAMED = 10


@contextmanager
def naming_unusable(problems: Collection[str]) -> Iterator[None]:
    """Name the notebooks that cannot be used, when the request was checked inside.

    A request that asks for one of them is refused with what is wrong with it, so that one is not
    named a second time.

    Parameters
    ----------
    problems : collection of str
        What is wrong with each, from `Notebooks.unusable`.
    """
    try:
        yield
    except (RequestError, click.UsageError) as error:
        message = str(error)
        name_unusable([problem for problem in problems if problem not in message])
        raise
    name_unusable(list(problems))


def name_unusable(problems: list[str]) -> None:
    """Write a line on standard error for each notebook that cannot be used."""
    for problem in problems[:MOST_NAMED]:
        click.echo(f"stslab: skipped {printable(problem)}", err=True)
    if len(problems) > MOST_NAMED:
        click.echo(f"stslab: skipped {len(problems) - MOST_NAMED} more notebooks", err=True)
