"""The lock fits every Python that is promised, on Linux, macOS and Windows.

uv resolves it from what the package index says of each version, without downloading packages. It
needs the index, so CI does it, and `make check-lock`.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
# PyTorch has wheels for no older system, and for no Mac with an Intel processor.
SYSTEMS = {
    "Linux": "x86_64-manylinux_2_28",
    "macOS 14": "aarch64-apple-darwin",
    "Windows": "x86_64-pc-windows-msvc",
}
# Linux's PyTorch names its own, unless it is the build without CUDA.
OF_CUDA = ("nvidia-", "cuda-", "triton")


def read_pins(text: str) -> dict[str, str]:
    """Read name → version from a list of pins."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    pins = map(Requirement, filter(None, lines))
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}


def test_the_promised_pythons_are_the_same_wherever_they_are_named():
    """In the metadata, in the Makefile, which refuses others, and in README.md."""
    oldest, newest = PYTHONS[0], PYTHONS[-1]
    after = f"3.{int(newest.partition('.')[2]) + 1}"
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(f">={oldest},<{after}")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"PYTHONS := {' '.join(PYTHONS)}\n" in makefile
    assert f"Python {oldest} to {newest}" in (ROOT / "README.md").read_text("utf-8")


def resolve(python: str, system: str) -> subprocess.CompletedProcess[str]:
    """Resolve the lock for the first release of a Python."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [shutil.which("uv", path=places) or "uv"]
    command += ["pip", "compile", "-q", "pyproject.toml", "--all-extras", "-c", "requirements.lock"]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate"]
    command += ["--python-version", f"{python}.0", "--python-platform", SYSTEMS[system]]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def resolutions() -> Iterator[dict[tuple[str, str], Future[Any]]]:
    """Start all resolutions side by side: they mostly wait for the index."""
    with ThreadPoolExecutor(6) as pool:
        cases = itertools.product(PYTHONS, SYSTEMS)
        yield {(python, system): pool.submit(resolve, python, system) for python, system in cases}


@pytest.mark.thorough
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_resolves(resolutions, python, system):
    """Every package has a wheel, admits the first release of this Python, and is in the lock."""
    done = resolutions[python, system].result()
    assert done.returncode == 0, done.stderr
    resolved = read_pins(done.stdout)
    locked = read_pins((ROOT / "requirements.lock").read_text("utf-8"))
    unlocked = {
        name: version
        for name, version in resolved.items()
        if locked.get(name) != version and not name.startswith(OF_CUDA)
    }
    assert unlocked == {}
    assert len(resolved) > 200
