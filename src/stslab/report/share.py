"""One zip of a preset's report, whose links work wherever it is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from .building.folder import index_of
from .building.manifest import MANIFEST, own_file, read_manifest
from .request.names import name_problem
from .request.values import RequestError, shown

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: equal reports, equal zips


def share(reports: Path, preset: str) -> Path:
    """Zip a built report, to unpack into a folder of its name: ``reports/<preset>.zip``."""
    if problem := name_problem(preset):
        raise RequestError(f"no report {shown(preset)} to share: the name {problem}.")
    home = reports / preset
    if not (home / MANIFEST).is_file():
        raise RequestError(f"no report {preset!r} to share. Build it: make report PRESET={preset}")
    manifest = read_manifest(home)
    names = sorted(path for page in manifest.pages.values() for path in page.outputs)
    problem = manifest.problem
    if not problem and (missing := [name for name in names if not own_file(home, name)]):
        problem = f"{home / missing[0]} is missing or is a link"
    if problem:
        raise RequestError(f"{problem}. Nothing was zipped. Build the report again.")
    target = reports / f"{preset}.zip"
    if target.is_dir():
        raise RequestError(f"{target} is in the way of the zip. Rename or remove it.")
    # No report has a name that starts with a dot.
    partial = reports / f".{target.name}"
    try:
        # Its own index: there is no list of all reports above it where it goes.
        index = index_of(manifest, home, root_href=None).encode()
        with zipfile.ZipFile(partial, "w") as archive:
            for name in ["index.html", *names]:
                entry = zipfile.ZipInfo(f"{preset}/{name}", EPOCH)
                entry.external_attr = 0o644 << 16
                content = index if name == "index.html" else (home / name).read_bytes()
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        return partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
