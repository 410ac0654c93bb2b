"""Commands about vector stores: fill one from a file, and ask it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import click

from ..report.messages import RequestError, printable
from .group import FAILED, INTERRUPTED, TERMINATED, Terminated, leave
from .options import COLUMN, SHEET

if TYPE_CHECKING:
    from ..models.encoding import Encoder
    from ..stores.filling.embedding import Progress as EmbeddingProgress

STORE = "Such as exact:FOLDER, faiss:FOLDER?index=HNSW32, chroma:FOLDER or pinecone:INDEX."
# Characters that a terminal obeys, such as those that turn the direction of writing round; JSON
# may hold them as escapes.
INVISIBLE = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
MAX_LENGTH = 300  # characters of a text in a table of hits


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a store or a model refuses into the command's message and exit code."""
    from ..stores import StoreError

    resumption = "what was embedded is kept, and the same command goes on where it stopped."
    try:
        yield
    except StoreError as error:
        leave(str(error), FAILED)
    except ValueError as error:  # of input, a model or a number
        raise RequestError(str(error)) from error
    except (MemoryError, OSError) as error:
        leave(f"stopped: {str(error) or 'out of memory'}; {resumption}", FAILED)
    except KeyboardInterrupt:
        leave(f"interrupted: {resumption}", INTERRUPTED)
    except Terminated:
        leave(f"terminated: {resumption}", TERMINATED)


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
    file: str,
    url: str,
    model: str | None,
    column: str | None,
    sheet: str | None,
    processes: int,
    scheduler: str | None,
    replace: bool,
    quiet: bool,
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

            def show(state: EmbeddingProgress) -> None:
                rate = state.encoded / (perf_counter() - started)
                description = (
                    f"{state.done:,} of {state.total:,} texts, {rate:,.0f} encoded a second"
                )
                bar.update(task, completed=state.done, total=state.total, description=description)

            embedded = embed_file(
                file,
                store,
                model=loaded,
                column=column,
                sheet=sheet,
                processes=processes,
                scheduler=scheduler,
                replace=replace,
                listener=show,
            )
            unused_bytes = store.unused_bytes()
        texts_before = embedded.texts - embedded.encoded
        facts = [f"{counted(embedded.texts, 'text')} in {url}", f"{embedded.encoded:,} encoded now"]
        if texts_before:
            facts.append(f"{texts_before:,} there already")
        if embedded.removed:
            facts.append(f"{embedded.removed:,} removed")
        click.echo(", ".join(facts) + ".")
        if unused_bytes:
            click.echo(
                f"Texts that were removed or replaced leave {unused_bytes / 1000:,.1f} KB unused; "
                "it is given back when it is more than a tenth of the vectors."
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

        def load() -> Encoder:
            from .. import load_model

            return load_model(model or local_model(opened_store))

        with open_store(store) as opened_store:
            # A model that was asked for is checked; else it is loaded if a query is new.
            encoder: Encoder | Callable[[], Encoder] = load
            if model:
                encoder = load()
            # As many as there are; `search_store` refuses a number below 1 itself.
            if top_k > 0:
                top_k = max(1, min(top_k, opened_store.count()))
            hits = search_store(queries, opened_store, model=encoder, top_k=top_k)
    if as_json:
        lines = hits.to_json(orient="records", lines=True, force_ascii=False)
        click.echo(INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", lines), nl=False)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    for query, hits_of_query in hits.groupby("query", sort=False):
        title = printable(textwrap.shorten(str(query), MAX_LENGTH, placeholder="…"))
        table = Table("rank", "score", "corpus_id", "text", box=box.SIMPLE, title=Text(title))
        for hit in hits_of_query.to_dict("records"):
            text = printable(textwrap.shorten(hit["text"], MAX_LENGTH, placeholder="…"))
            table.add_row(str(hit["rank"]), f"{hit['score']:.4f}", str(hit["corpus_id"]), text)
        Console().print(table, markup=False)
