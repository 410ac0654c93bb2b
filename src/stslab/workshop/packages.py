"""Which packages are installed here, and which versions stslab and its lock require."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def read_lock(lock: Path) -> dict[str, Requirement]:
    """Return the lock's requirements for this system, by canonical name."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins = {}
    for line in lock.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        pin = Requirement(text)
        # The lock is for other systems, too.
        if pin.marker is None or pin.marker.evaluate():
            pins[str(canonicalize_name(pin.name))] = pin
    return pins


def fits(name: str, requirements: Iterable[Requirement]) -> bool:
    """Return whether the installed version of a package meets all requirements."""
    version = installed_version(name)
    if not version:
        return False
    return all(
        requirement.specifier.contains(version, prereleases=True) for requirement in requirements
    )


def required_packages(root: str) -> dict[str, list[Requirement]]:
    """Return what a package requires on this system, directly and through others.

    Requirements are listed by canonical name.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    requirements: dict[str, list[Requirement]] = {}
    # Pairs of a package and one of its extras; the empty extra is the package itself.
    queue, visited = [(root, "")], set()
    while queue:
        name, extra = queue.pop()
        if (name, extra) in visited or not installed_version(name):
            continue
        visited.add((name, extra))
        for requirement in map(Requirement, importlib.metadata.requires(name) or []):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            required_name = canonicalize_name(requirement.name)
            requirements.setdefault(required_name, []).append(requirement)
            queue.append((required_name, ""))
            queue += [(required_name, required_extra) for required_extra in requirement.extras]
    return requirements


def installed_version(name: str) -> str | None:
    """Return the installed version of a package; None if it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
