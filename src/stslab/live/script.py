"""The script of the page that computes: its parts, in the order in which they are joined."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..report.page.assets import TEMPLATE, read_script

LIVE_FOLDER = Path(__file__).parent
SHARED_PARTS = ("figures", "heatmap")  # as on other pages
LIVE_PARTS = (
    *("weights", "tokenizer", "engine", "explain"),
    *("lists", "quantities", "differences", "worth"),
    *("show", "encode", "pair", "list", "start"),
)


def live_script() -> str:
    """Return the script's parts joined, before they are compiled."""
    parts = [TEMPLATE / f"{name}.js" for name in SHARED_PARTS]
    parts += [LIVE_FOLDER / "page" / f"{name}.js" for name in LIVE_PARTS]
    return read_script(parts)


def stamp(script: str) -> str:
    """Return the first line of the compiled script, which says what it was compiled from."""
    return f"// {hashlib.sha256(script.encode()).hexdigest()}"
