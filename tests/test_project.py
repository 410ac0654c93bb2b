"""The project's own promises: one list of packages, one lock, documented names."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

import stslab
import stslab.studies
from stslab.report.running.scratch import scratch_folder

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def name_of(requirement):
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_the_conda_environment_lists_the_same_packages():
    """environment.yml and pyproject.toml cannot drift apart."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"]
    assert sorted(pip) == sorted([*wanted, "--editable ."])
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_the_lock_pins_every_package_and_names_no_address():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)(?: ;.*)?$", lock, re.MULTILINE))
    pinned = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    extras = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    wanted = {name_of(each) for each in PROJECT["dependencies"] + extras}
    assert wanted - set(pinned) == set()
    assert pinned["torch"] == "2.13.0"
    assert not re.search(r"://|^-|@ ", lock, re.MULTILINE)


def test_no_lock_file_is_opened_through_a_link(tmp_path, monkeypatch):
    """Another user's link in the folder for temporary files leads to no file of ours.

    Versions of filelock before 3.20.3 may follow it and empty what it leads to.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    os.utime(victim, (0, 0))
    (tmp_path / "stslab-x").mkdir()
    (tmp_path / "stslab-x" / ".in-use").symlink_to(victim)
    with scratch_folder():
        assert victim.read_text() == "precious"
    (floor,) = [each for each in PROJECT["dependencies"] if name_of(each) == "filelock"]
    assert not Requirement(floor).specifier.contains("3.20.2")


def parameters_of(thing):
    """List what a function takes; nothing for a class, whose attributes are documented instead."""
    return [] if inspect.isclass(thing) else list(inspect.signature(thing).parameters)


def undocumented(thing, others):
    """List parameters that a function's docstring does not name.

    It may lead to another function that takes the same: "as `read_sentences` does".
    """
    doc = inspect.getdoc(thing) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    named = re.findall(r"^(\w+(?:, \w+)*)(?: :|$)", section, re.MULTILINE)
    missing = {*parameters_of(thing)} - {each for names in named for each in names.split(", ")}
    leads_to = [others[name] for name in re.findall(r"`(\w+)`", doc) if name in others]
    same = [each for each in leads_to if parameters_of(each) == parameters_of(thing)]
    return [] if any(undocumented(each, {}) == [] for each in same) else sorted(missing)


@pytest.mark.parametrize("door", [stslab, stslab.studies], ids=lambda door: door.__name__)
def test_every_public_name_is_documented_in_numpydoc(door):
    """What it is, and each of its parameters by name."""
    public = {name: getattr(door, name) for name in door.__all__}
    assert [name for name, thing in public.items() if not inspect.getdoc(thing)] == []
    missing = {name: undocumented(thing, public) for name, thing in public.items()}
    assert {name: names for name, names in missing.items() if names} == {}


def test_a_parameter_without_a_word_would_be_found():
    def documented(a, b):
        """Do as `nothing` does.

        Parameters
        ----------
        a : int
        """

    assert undocumented(documented, {}) == ["b"]
    assert undocumented(documented, {"nothing": lambda a, b: None}) == ["b"]


def test_importing_the_package_is_instant():
    """Notebooks and the command pay for a library when they use it."""
    code = (
        "import stslab, sys; print([m for m in ('torch', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_make_alone_explains_itself():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^  make (\w+)", done.stdout, re.MULTILINE)
    assert {"report", "lab", "test", "lint", "lock", "help"} <= set(targets)


def test_no_tracked_file_names_a_machine():
    """No absolute path of a machine, no address of a package index."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    places = re.compile("|".join([re.escape(str(ROOT)), "/ro" + "ot/", "py" + "pi.org"]))
    found = []
    for name in listed.stdout.splitlines():
        path = Path(ROOT / name)
        if path.suffix in {".png", ".parquet", ".xlsx", ".wasm"} or not path.is_file():
            continue
        if places.search(path.read_text("utf-8")):
            found.append(name)
    assert found == []
