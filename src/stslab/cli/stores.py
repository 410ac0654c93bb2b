"""Commands about vector stores: fill one from a file, and ask it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import click

from ..report.request.values import RequestError, printable
from .group import FAILED, INTERRUPTED, TERMINATED, Terminated, leave
from .request import COLUMN, SHEET

STORE = "Such as exact:FOLDER, faiss:FOLDER?index=HNSW32, chroma:FOLDER or pinecone:INDEX."
# Characters that a terminal obeys, such as those that turn the direction of writing round; JSON
# may hold them as escapes.
INVISIBLE = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
LONGEST = 300  # characters of a text in a table of hits


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a store or a model refuses into the command's message and exit code."""
    from ..stores import StoreError

    kept = "what was embedded is kept, and the same command goes on where it stopped."
    try:
        yield
    except StoreError as error:
        leave(str(error), FAILED)
    except ValueError as error:  # of input, a model or a number
        raise RequestError(str(error)) from error
    except (MemoryError, OSError) as error:
        leave(f"stopped: {str(error) or 'out of memory'}; {kept}", FAILED)
    except KeyboardInterrupt:
        leave(f"interrupted: {kept}", INTERRUPTED)
    except Terminated:
        leave(f"terminated: {kept}", TERMINATED)


@click.command()
@click.argument("file")
@click.option("--store", "url", required=True, metavar="STORE", help=STORE)
@click.option("--model", metavar="NAME", help="A model's name or folder.")
@COLUMN
@SHEET
@click.option(
    "--processes", default=1, type=click.IntRange(1), show_default=True, help="That encode."
)
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler whose workers encode.")
@click.option("--replace", is_flag=True, help="Replace texts of another file.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def embed(
    file: str, url: str, model: str | None, column: str | None, quiet: bool, **how: Any
) -> None:
    """Encode the texts of a FILE of any size into a store.

    \b
    stslab embed faq.csv --store "faiss:faq?index=HNSW32"

    A build that was interrupted goes on where it stopped. A text that is in the store already is
    not encoded again, wherever it stands in the file now; those that the file no longer has are
    deleted.
    """
    with explained():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        from .. import load_model
        from ..models.finding import DEFAULT_MODEL
        from ..stores import embed_file, open_store
        from ..wording import counted

        loaded = load_model(model or DEFAULT_MODEL)
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        with (
            open_store(url, model=loaded) as store,
            Progress(*columns, console=Console(stderr=True), disable=quiet) as bar,
        ):
            task = bar.add_task("reading", total=None)
            started = perf_counter()

            def show(now: Any) -> None:
                rate = now.encoded / (perf_counter() - started)
                said = f"{now.done:,} of {now.total:,} texts, {rate:,.0f} encoded a second"
                bar.update(task, completed=now.done, total=now.total, description=said)

            done = embed_file(file, store, model=loaded, column=column, listener=show, **how)
            unused = store.unused_bytes()
        there = done.texts - done.encoded
        parts = [f"{counted(done.texts, 'text')} in {url}", f"{done.encoded:,} encoded now"]
        parts += [f"{there:,} there already"] * bool(there)
        parts += [f"{done.removed:,} removed"] * bool(done.removed)
        click.echo(", ".join(parts) + ".")
        if unused:
            click.echo(
                f"Texts that were removed or replaced leave {unused / 1000:,.1f} KB unused; it is "
                f"given back when it is more than a tenth of the vectors."
            )


@click.command()
@click.argument("store")
@click.argument("queries", nargs=-1, required=True, metavar="QUERY…")
@click.option("--top-k", default=3, show_default=True, help="Hits for each query.")
@click.option(
    "--model",
    metavar="NAME",
    help="Default: the one that the store was built with, if it is on this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each hit.")
def search(
    store: str, queries: tuple[str, ...], top_k: int, model: str | None, as_json: bool
) -> None:
    """Find the texts of a STORE that are nearest to each QUERY.

    \b
    stslab search faiss:faq "How do I return an order?"

    A query that was asked before is answered without loading the model.
    """
    with explained():
        from ..stores import open_store, search_store
        from ..stores.search import local_model

        def load() -> Any:
            from .. import load_model

            return load_model(model or local_model(opened))

        with open_store(store) as opened:
            most = max(1, min(top_k, opened.count())) if top_k > 0 else top_k
            hits = search_store(queries, opened, model=load() if model else load, top_k=most)
    if as_json:
        lines = hits.to_json(orient="records", lines=True, force_ascii=False)
        click.echo(INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", lines), nl=False)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    for query, found in hits.groupby("query", sort=False):
        title = printable(textwrap.shorten(str(query), LONGEST, placeholder="…"))
        table = Table("rank", "score", "corpus_id", "text", box=box.SIMPLE, title=Text(title))
        for hit in found.to_dict("records"):
            text = printable(textwrap.shorten(hit["text"], LONGEST, placeholder="…"))
            table.add_row(str(hit["rank"]), f"{hit['score']:.4f}", str(hit["corpus_id"]), text)
        Console().print(table, markup=False)
