"""From a data file to a commented preset."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .names import name_problem
from .notebooks import Notebooks
from .values import RequestError, shown


def new_preset(name: str, files: Mapping[str, Path], notebooks_dir: Path) -> Path:
    """Write a preset that runs every notebook which takes the files."""
    if problem := name_problem(name):
        raise RequestError(f"preset name {shown(name)} {problem}.")
    target = notebooks_dir / "presets" / f"{name}.yaml"
    if target.exists():
        raise RequestError(f"preset {name!r} exists: {target}. Edit it, or choose another name.")
    for parameter, path in files.items():
        if not path.is_file():
            raise RequestError(f"--{parameter} {path}: no such file.")
    books = Notebooks(notebooks_dir)
    takers = {stem: books.parameters(books.by_stem[stem]) for stem in books.takers(files)}
    if not takers:
        raise RequestError(f"no notebook accepts {' and '.join(files)} on its own.")
    lines = [
        f"# Built by: make report PRESET={name}   into reports/{name}/",
        f"title: {json.dumps(name.replace('_', ' ').capitalize(), ensure_ascii=False)}",
        "",
        "# For every notebook that has the parameter. Paths are relative to this file.",
        "parameters:",
    ]
    for parameter, path in files.items():
        relative = Path(os.path.relpath(path.resolve(), target.parent.resolve())).as_posix()
        lines.append(f"  {parameter}: {json.dumps(relative, ensure_ascii=False)}")
    lines += [
        "",
        '# Remove a line to leave a page out; take away "# " to change a parameter.',
        "notebooks:",
    ]
    for stem, parameters in takers.items():
        lines.append(f"  - notebook: {stem}")
        others = [each for each in parameters.values() if each.name not in files]
        if others:
            lines.append("    # parameters:")
        lines += [
            f"    #   {each.name}: {json.dumps(each.default, ensure_ascii=False)}  # {each.help}"
            for each in others
            if not each.takes_file
        ]
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target
