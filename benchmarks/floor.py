"""The floor: one process that imports once, runs the notebooks' code and renders each.

    python benchmarks/floor.py OUTPUT_FOLDER NOTEBOOK…

It has no kernels, no parameters, no isolation: what a builder can hope to come close to.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.update(MPLBACKEND="module://matplotlib_inline.backend_inline", TQDM_DISABLE="1")

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbconvert.exporters import get_exporter


def main(folder: Path, notebooks: list[Path]) -> None:
    exporter = get_exporter("stslab")()
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        shell = InteractiveShell()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                with capture_output() as captured:
                    shell.run_cell(cell.source).raise_error()
                cell.outputs = [
                    nbformat.v4.new_output("display_data", each.data, metadata=each.metadata)
                    for each in map(_as_text, captured.outputs)
                ]
        page, _ = exporter.from_notebook_node(notebook)
        (folder / f"{path.stem}.html").write_text(page, "utf-8")


def _as_text(output):
    """Do what the Jupyter protocol does to bytes."""
    import base64

    for kind, data in output.data.items():
        if isinstance(data, bytes):
            output.data[kind] = base64.b64encode(data).decode()
    return output


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
