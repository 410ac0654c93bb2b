"""One zip of a preset's report, whose links work wherever it is unpacked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from .publish import MANIFEST, index_of
from .request.parameters import RequestError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: equal reports, equal zips


def share(reports: Path, preset: str) -> Path:
    """Zip a built report.

    Parameters
    ----------
    reports : Path
        The folder of all reports.
    preset : str

    Returns
    -------
    Path
        ``reports/<preset>.zip``; it unpacks into a folder of the preset's name.

    Raises
    ------
    RequestError
        If the preset was never built.
    """
    home = reports / preset
    if not (home / MANIFEST).is_file():
        raise RequestError(f"no report {preset!r} to share. Build it: make report PRESET={preset}")
    manifest = json.loads((home / MANIFEST).read_text("utf-8"))
    names = sorted(path for page in manifest["pages"].values() for path in page.get("outputs", ()))
    target = reports / f"{preset}.zip"
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        # Its own index: there is no list of all reports above it where it goes.
        _add(archive, f"{preset}/index.html", index_of(manifest, home, root_href=None).encode())
        for name in names:
            _add(archive, f"{preset}/{name}", (home / name).read_bytes())
    return partial.replace(target)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
