"""Commands about models and their embeddings."""

from __future__ import annotations

import click


@click.command()
def models() -> None:
    """List the models that load without a network."""
    from ..models.finding import available_models, find_model

    for name in available_models():
        model_files = find_model(name, download=False)
        digest = model_files.weights_sha256[:12]
        click.echo(f"{name}  ({model_files.source}, weights {digest})")


@click.command()
@click.option("--clear", is_flag=True, help="Forget all embeddings.")
def cache(clear: bool) -> None:
    """Show the cache of embeddings, or clear it."""
    from ..models.cache import cache_file, clear_cache
    from ..report.cached import cache_size, check_cache

    if clear:
        clear_cache()
    if trouble := check_cache():
        click.echo(f"stslab: {trouble}", err=True)
    file = cache_file()
    count, size = cache_size()
    click.echo(f"{file or 'off'}: {count} embeddings, {size / 2**20:.1f} MB")
