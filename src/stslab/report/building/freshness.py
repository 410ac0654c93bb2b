"""What a page depends on, by content, so that it is made again when that changed and only then."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stslab.models.finding import ModelError, find_model

from ..identity import (
    bytes_digest,
    digest,
    helper_digests,
    runner_digest,
    template_digest,
    versions,
    versions_named_in,
)
from ..messages import RequestError
from ..request.jobs import Job, model_names
from ..request.source import read_source


class Dependencies:
    """The present state of what pages depend on; a request reads each file and notebook once."""

    def __init__(self, root: Path) -> None:
        self.lock = root / "requirements.lock"
        self.notebook = functools.cache(read_source)
        self._describe_file = functools.cache(_describe_file)
        self._of_notebook = functools.cache(self._depends_of_notebook)

    def to_run(self, job: Job) -> dict[str, str]:
        """Return what outputs depend on: a name to show a person → a digest, value or version."""
        depends = dict(self._of_notebook(job.notebook))
        for name, value in job.parameters.items():
            depends[f"parameter {name}"] = json.dumps(value, sort_keys=True, ensure_ascii=False)
        for name, path in job.inputs.items():
            depends[f"input {name} ({path.name})"] = self._describe_file(path)["sha256"]
        for name in model_names(job):
            try:
                depends[f"model {name}"] = find_model(str(job.models.get(name, name))).sha256
            except ModelError as error:
                raise RequestError(str(error)) from error
        return depends

    def to_render(self, job: Job, around: Mapping[str, Any], embed_inputs: bool) -> dict[str, str]:
        """Return what a page depends on beside its outputs; `around` is what it says of others."""
        return {
            "text": digest(self.notebook(job.notebook)),
            "preset and neighbors": digest(around),
            "embedded inputs": "yes" if embed_inputs else "no",
            "page template": template_digest(),
        }

    def record(
        self, job: Job, depends: Mapping[str, str], around: Mapping[str, Any], embed_inputs: bool
    ) -> dict[str, Any]:
        """Return a page's record: what its closing section says, and the data inside it."""
        notebook = self.notebook(job.notebook)
        helper = {name: sha for name, sha in depends.items() if name.startswith("helper ")}
        record: dict[str, Any] = {
            "notebook_name": job.notebook.name,
            "preset": around["preset"]["name"],
            "page": job.name,
            "command": f"stslab reproduce {job.name}.html",
            "model": {name: depends[f"model {name}"] for name in model_names(job)},
            "parameters": dict(job.parameters),
            "files": {name: self._describe_file(path) for name, path in job.inputs.items()},
            "versions": versions(),
            "sha256": {
                "notebook": digest(notebook["cells"]),
                "helper": digest(helper),
                "template": template_digest(),
            },
            "around": dict(around),
            "notebook": dict(notebook),
        }
        if "lock" in depends:
            record["sha256"]["lock"] = depends["lock"]
        if embed_inputs and job.inputs:
            record["inputs"] = {
                name: base64.b64encode(path.read_bytes()).decode()
                for name, path in job.inputs.items()
            }
        return record

    def _depends_of_notebook(self, path: Path) -> dict[str, str]:
        cells = [cell for cell in self.notebook(path)["cells"] if cell["cell_type"] == "code"]
        tags = [cell["metadata"].get("tags", []) for cell in cells]
        sources = [cell["source"] for cell in cells]
        depends = {"code": digest([sources, tags])}
        depends |= helper_digests(sources) | versions_named_in("\n".join(sources))
        if self.lock.is_file():
            depends["lock"] = self._describe_file(self.lock)["sha256"]
        return depends | {"way of running": runner_digest()} | versions()


def _describe_file(path: Path) -> dict[str, Any]:
    """Return a file's name, digest and size, and its number of lines if it is plain text."""
    content = path.read_bytes()
    properties = {"name": path.name, "sha256": bytes_digest(content), "bytes": len(content)}
    if b"\0" not in content:  # neither a spreadsheet nor UTF-16, which have no lines of bytes
        properties["lines"] = len(content.splitlines())
    return properties
