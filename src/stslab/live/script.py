"""The script of the page that computes: its parts, in the order in which they are joined."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..report.page.assets import TEMPLATE, read_script

HERE = Path(__file__).parent
SHARED = ("figures", "heatmap")  # as on other pages
OWN = (
    *("weights", "tokenizer", "engine", "explain"),
    *("lists", "quantities", "differences", "worth"),
    *("show", "encode", "pair", "list", "start"),
)


def live_script() -> str:
    """Join the script's parts, as they are written."""
    shared = [TEMPLATE / f"{part}.js" for part in SHARED]
    return read_script([*shared, *(HERE / "page" / f"{part}.js" for part in OWN)])


def stamp(script: str) -> str:
    """Return the first line of the compiled script, which says what it was compiled from."""
    return f"// {hashlib.sha256(script.encode()).hexdigest()}"
