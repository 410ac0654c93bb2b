"""The command that looks whether this computer is ready; it needs nothing but click."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..workshop.code import CHECKS, read_code, state_of, write_code
from ..workshop.doctor import examine, find_lock


@click.command()
@click.argument("code", nargs=-1)
def doctor(code: tuple[str, ...]) -> None:
    """Check this computer, or read the code that the doctor gave on another.

    \b
    stslab doctor                        a line each, how to mend it, and a code to send in
    stslab doctor CAFQ-OACM-74KE-LXJJ    what the code says
    """
    lines = []
    if code:
        try:
            lines = read_code("".join(code)).lines()
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        click.echo("\n".join(map(str, lines)))
    else:
        for line in examine(lock=find_lock(Path())):
            click.echo(line)
            lines.append(line)
    shown_code = " ".join(code) or write_code(state_of(lines))
    failed_checks = [line for line in lines if line.name in CHECKS and not line.ok]
    if failed_checks:
        click.echo(f"NOT READY: {len(failed_checks)} to mend  (code {shown_code})")
        sys.exit(1)
    verdict = click.style("READY", fg="green", bold=True)
    click.echo(f"{verdict}  (code {shown_code})")


class FallbackGroup(click.Group):
    """The command ``stslab`` where a package that it needs is missing: it has the doctor only."""

    problem = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the doctor; raise ClickException with the problem for any other command."""
        if cmd_name == doctor.name:
            return doctor
        raise click.ClickException(
            f"stslab cannot start ({self.problem}). What to mend: stslab doctor"
        )
