"""One zip of a report's pages, whose links work wherever it is unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape

from .archive import write_zip
from .building.folder import index_of
from .building.manifest import MANIFEST, own_file, read_manifest
from .messages import RequestError, short_repr
from .request.names import name_problem


def share(reports: Path, preset: str, pages: Sequence[str] | None = None) -> Path:
    """Zip built pages of a report, to unpack into a folder of its name: ``reports/<preset>.zip``.

    One page is all there is to open. Of several there is a list, too: ``START.html``, and
    ``index.html``, to which the pages lead back. What a page holds is not there a second time: of
    other files, only those that a page links to.
    """
    if problem := name_problem(preset):
        raise RequestError(f"no report {short_repr(preset)} to share: the name {problem}.")
    home = reports / preset
    if not (home / MANIFEST).is_file():
        raise RequestError(f"no report {preset!r} to share. Build it: make report PRESET={preset}")
    manifest = read_manifest(home)
    selected = manifest.pages
    if pages is not None:
        selected = {name: page for name, page in manifest.pages.items() if name in pages}
    names = [f"{name}.html" for name, page in selected.items() if page.outputs]
    outputs = [path for page in selected.values() for path in page.outputs]
    problem = manifest.problem
    missing = [name for name in sorted(outputs) if not own_file(home, name)]
    if missing and not problem:
        problem = f"{home / missing[0]} is missing or is a link"
    if not names:
        problem = problem or f"no page of {preset!r} was ever built"
    if problem:
        raise RequestError(f"{problem}. Nothing was zipped. Build the report again.")
    target = reports / f"{preset}.zip"
    if target.is_dir():
        raise RequestError(f"{target} is in the way of the zip. Rename or remove it.")
    files = {name: (home / name).read_bytes() for name in names}
    html = b"".join(files.values())
    for path in sorted(outputs):
        # An attribute's value, as text or as an address.
        if f'="{escape(path)}"'.encode() in html or f'="{quote(path)}"'.encode() in html:
            files[path] = (home / path).read_bytes()
    if len(names) > 1:
        # Its own index: there is no list of all reports above it where it goes.
        index = index_of(manifest._replace(pages=selected), home, root_href=None).encode()
        files = {"START.html": index, "index.html": index, **files}
    # The zip is made under a name that starts with a dot, which no report has.
    return write_zip(target, {f"{preset}/{name}": content for name, content in files.items()})
