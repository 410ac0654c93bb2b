"""The command that writes the page that computes."""

from __future__ import annotations

from pathlib import Path

import click

from ..report.messages import RequestError
from .options import COLUMN, FROM_MAKE, REPORTS, SHEET, TakesVariables


@click.command(cls=TakesVariables, context_settings=FROM_MAKE)
@click.option("--sentences", metavar="FILE", help="A list to start with.")
@click.option("--corpus", metavar="FILE", help="A list to search.")
@click.option("--query", metavar="TEXT", help="What to search it with first.")
@click.option("--pairs", metavar="FILE", help="Pairs to look at, or to guess.")
@COLUMN
@SHEET
@click.option("--model", metavar="NAME", help="A model's name or folder.")
@click.option("--compact", is_flag=True, help="Smaller, and good to 4 decimals, or nearly.")
@click.option("--title", metavar="TEXT", help="The page's title.")
@REPORTS
def live(
    sentences: str | None,
    corpus: str | None,
    query: str | None,
    pairs: str | None,
    column: str | None,
    sheet: str | None,
    model: str | None,
    compact: bool,
    title: str | None,
    reports: Path,
) -> None:
    """Write one file that holds the model, and scores what is typed, without a network.

    \b
    stslab live                          reports/live/live.html
    stslab live --sentences my.txt       reports/live/my.html, with your list in it
    """
    from ..live.build import build_live
    from ..models.finding import DEFAULT_MODEL

    try:
        page = build_live(
            model or DEFAULT_MODEL,
            folder=reports / "live",
            compact=compact,
            title=title,
            sentences=sentences,
            corpus=corpus,
            query=query,
            pairs=pairs,
            column=column,
            sheet=sheet,
        )
    except ValueError as error:  # of input or a model
        raise RequestError(str(error)) from error
    click.echo(f"{page}  ({page.stat().st_size / 1e6:.0f} MB)")
