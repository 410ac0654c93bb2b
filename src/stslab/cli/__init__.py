"""The command ``stslab``."""

import click

from .doctor import FallbackGroup, doctor

group_class: type[click.Group]
try:
    from .classroom import classroom
    from .group import Group
    from .lab import lab
    from .live import live
    from .models import cache, models
    from .offline import workshop_offline
    from .report import new, params, report, reproduce, share, watch
    from .stores import embed, search
    from .workshop import workshop

    group_class = Group
    commands = [report, watch, reproduce, share, params, new, live, embed, search]
    commands += [lab, workshop, classroom, workshop_offline, doctor, models, cache]
except Exception as error:  # a package that they need is missing or broken
    group_class = FallbackGroup
    commands = [doctor]
    FallbackGroup.problem = f"{type(error).__name__}: {error}"


@click.group(cls=group_class, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stslab")
def main() -> None:
    """Reproducible notebooks and reports for semantic text similarity."""


for command in commands:
    main.add_command(command)
