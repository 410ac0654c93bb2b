"""Which of stslab's files a notebook depends on: the core, and the studies where it names them."""

from __future__ import annotations

from pathlib import Path

import stslab

PACKAGE = Path(stslab.__file__).parent
# What a notebook's outputs cannot depend on: the builder has digests of its own.
APART = ("report", "live")


def helper_files(code: str) -> list[str]:
    """List the package's files that a notebook's code may use.

    Parameters
    ----------
    code : str

    Returns
    -------
    list of str
        Paths in the package, sorted; empty where the code does not name it. The studies are among
        them only where the code names these, or imports by names put together at run time.

    Examples
    --------
    >>> files = helper_files("from stslab import rank")
    >>> "scores/cosine.py" in files, "studies/map.py" in files
    (True, False)
    """
    by_any_name = "importlib" in code or "__import__" in code
    if PACKAGE.name not in code and not by_any_name:
        return []
    apart = APART if by_any_name or "studies" in code else (*APART, "studies")
    files = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file())
    return sorted(
        path.as_posix() for path in files if path.parts[0] not in apart and path.suffix != ".pyc"
    )
