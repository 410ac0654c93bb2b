"""The command ``stslab``."""

import click

from .classroom import classroom
from .group import Group
from .lab import lab
from .live import live
from .models import cache, models
from .report import new, params, report, reproduce, share, watch
from .stores import embed, search


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stslab")
def main() -> None:
    """Reproducible notebooks and reports for semantic text similarity."""


WORK = (report, watch, reproduce, share, params, new, live, lab, classroom)
KEEPING = (embed, search, models, cache)
for command in (*WORK, *KEEPING):
    main.add_command(command)
