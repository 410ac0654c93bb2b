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
    state = " ".join(code) or write_code(state_of(lines))
    wrong = sum(not line.ok for line in lines if line.name in CHECKS)
    verdict = (
        f"NOT READY: {wrong} to mend" if wrong else click.style("READY", fg="green", bold=True)
    )
    click.echo(f"{verdict}  (code {state})")
    sys.exit(1 if wrong else 0)


class Bedside(click.Group):
    """What is left of ``stslab`` where it cannot start: the doctor, who says why."""

    trouble = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the doctor; of any other command, say what keeps it from starting."""
        if cmd_name == doctor.name:
            return doctor
        raise click.ClickException(
            f"stslab cannot start ({self.trouble}). What to mend: stslab doctor"
        )
