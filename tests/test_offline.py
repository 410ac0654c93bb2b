"""The kit for laptops without a network: what is in it, and that it starts there."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT

from stslab.cli import main
from stslab.report.messages import RequestError
from stslab.workshop.offline import (
    FOLDER,
    build_offline,
    oldest_python,
    pack,
    start_files,
    without_outputs,
)

VALUES = {"PYTHON": "3.99", "OLDEST": "3.99.0", "RELEASE": "Python 3.99 (not another)"}
VALUES |= {"SYSTEM": "Linux", "MACHINE": "x86_64", "NEEDS": "Linux x86_64"}
CELL = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1"}
RAN = {**CELL, "execution_count": 1, "outputs": [{"output_type": "stream", "text": "é"}]}
CLEAN = {**CELL, "execution_count": None, "outputs": []}


def notebook(cell: dict[str, object]) -> bytes:
    whole = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return f"{json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)}\n".encode()


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with one notebook that has run, a preset, and what stays at home."""
    made = tmp_path / "checkout"
    for name in ("presets/data", ".ipynb_checkpoints", "__pycache__"):
        (made / "notebooks" / name).mkdir(parents=True)
        (made / "notebooks" / name / "some.txt").write_text("One.\n")
    (made / "notebooks/01_what_is_sts.ipynb").write_bytes(notebook(RAN))
    (made / "pyproject.toml").touch()
    (made / "requirements.lock").write_text("click==8.5.1\n")
    return made


@pytest.fixture
def wheels(tmp_path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("b-1-py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("some.py", "x = 1\n")
    return folder


@pytest.fixture
def handouts(tmp_path) -> Path:
    folder = tmp_path / "handouts"
    folder.mkdir()
    (folder / "live.html").write_text("A page.")
    return folder


def start(folder: Path, *words: str, path: str = os.environ["PATH"]) -> tuple[int, str]:
    environment = {"PATH": path, "HOME": str(folder)}
    command = [shutil.which("sh"), "start.sh", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


# What is in it


def test_the_zip_holds_wheels_notebooks_and_starts_and_is_the_same_each_time(
    checkout, wheels, handouts, tmp_path
):
    (tmp_path / "out").mkdir()
    file = pack(checkout, wheels, tmp_path / "out", handouts)
    assert re.fullmatch(r"stslab-offline-\w+-\w+-py3\d+\.zip", file.name)
    with zipfile.ZipFile(file) as archive:
        entries = {each.filename.removeprefix(f"{FOLDER}/"): each for each in archive.infolist()}
        assert list(entries) == [
            "START.txt",
            "start.sh",
            "start.bat",
            "start.command",
            "requirements.lock",
            "requirements.txt",
            "notebooks/01_what_is_sts.ipynb",
            "notebooks/presets/data/some.txt",
            "live.html",
            "wheels/a-1-cp311-cp311-manylinux_2_17_x86_64.whl",
            "wheels/b-1-py3-none-any.whl",
        ]
        runs = {name for name, each in entries.items() if each.external_attr >> 16 & 0o111}
        assert runs == {"start.sh", "start.command"}
        assert archive.read(entries["notebooks/01_what_is_sts.ipynb"]) == notebook(CLEAN)
        assert archive.testzip() is None
    first = file.read_bytes()
    assert pack(checkout, wheels, tmp_path / "out", handouts).read_bytes() == first
    assert [each.name for each in (tmp_path / "out").iterdir()] == [file.name]


def test_a_notebook_without_outputs_stays_as_it_is():
    odd = json.dumps(json.loads(notebook(CLEAN)), indent=4).encode()
    assert without_outputs(odd) == odd


def test_each_start_file_names_the_python_and_no_path_of_a_machine():
    for name, content in start_files(VALUES):
        text = content.decode()
        assert "Python 3.99 (not another) on Linux x86_64" in text or name == "START.txt"
        assert "Python 3.99" in text
        assert not re.search(r"@[A-Z]+@", text)
        paths = set(re.findall(r"(?<![\w.*])/[a-z]\w*(?:/\w+)*", text.replace(" /s /q", "")))
        assert paths <= {"/bin/sh", "/dev/null", "/lab/tree/01_what_is_sts", "/d", "/b"}, name
        assert not re.search(r"\b[A-Z]:[\\/]", text)
        assert (text.count("\r\n") == text.count("\n")) is (name == "start.bat")


def test_start_files_say_what_was_not_tried():
    text = dict(start_files(VALUES))["START.txt"].decode()
    assert "start.command and start.bat were not tried on macOS and Windows" in text


# Starting, where it cannot


@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
def test_a_computer_without_the_right_python_is_told_which(tmp_path):
    (tmp_path / "start.sh").write_bytes(dict(start_files(VALUES))["start.sh"])
    for path in (os.environ["PATH"], str(tmp_path)):  # others only; none at all
        (tmp_path / "dirname").unlink(missing_ok=True)
        (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
        status, said = start(tmp_path, path=path)
        assert status == 1
        assert said.startswith(
            "stslab: this kit needs Python 3.99 (not another) on Linux x86_64, and found none"
        )
        assert "Install Python 3.99, or ask for the kit of your system." in said
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
def test_a_python_of_too_old_a_release_is_named_before_anything_is_set_up(tmp_path):
    """As Debian 12's 3.11.2, where a package needs 3.11.5."""
    major, minor, patch = sys.version_info[:3]
    version, newer = f"{major}.{minor}", f"{major}.{minor}.{patch + 1}"
    release = f"Python {version} (not another), {newer} or newer,"
    values = VALUES | {"PYTHON": version, "OLDEST": newer, "RELEASE": release}
    values |= {"SYSTEM": platform.system(), "MACHINE": platform.machine()}
    (tmp_path / "start.sh").write_bytes(dict(start_files(values))["start.sh"])
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    status, said = start(tmp_path, path=str(tmp_path))
    assert status == 1
    assert f"this kit needs {release} on Linux x86_64" in said
    assert f"found none (python3 is {version}.{patch})" in said
    assert not (tmp_path / ".venv").exists()


def test_the_oldest_release_is_the_one_that_all_wheels_admit(tmp_path):
    for number, requires in enumerate([">=3.8", f">={sys.version_info[0]}.{sys.version_info[1]}"]):
        with zipfile.ZipFile(tmp_path / f"p{number}-1-py3-none-any.whl", "w") as archive:
            archive.writestr(f"p{number}-1.dist-info/METADATA", f"Requires-Python: {requires}\n")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert oldest_python(tmp_path, version) == f"{version}.0"
    with zipfile.ZipFile(tmp_path / "q-1-py3-none-any.whl", "w") as archive:
        metadata = f"Name: q\nRequires-Python: >={platform.python_version()}\n"
        archive.writestr("q-1.dist-info/METADATA", metadata)
    assert oldest_python(tmp_path, version) == platform.python_version()


@pytest.fixture
def anywhere(tmp_path) -> Path:
    """A folder with kits in folders of odd names, and a Python that notes where it was called."""
    tools = tmp_path / "tools"
    tools.mkdir()
    python = tools / "python3.99"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\npwd >>"{tmp_path}/called"\nexit 1\n')
    python.chmod(0o755)
    for folder in ("kit", "-kit", "-", "my kit's", "a:b", "other/kit"):
        (tmp_path / folder / ".venv").mkdir(parents=True)
        (tmp_path / folder / "start.sh").write_bytes(dict(start_files(VALUES))["start.sh"])
    (tmp_path / ".venv").mkdir()
    return tmp_path


def started(folder: Path, script: str) -> str:
    path = f"{folder / 'tools'}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "CDPATH": str(folder / "other"), "OLDPWD": str(folder / "other")}
    done = subprocess.run(
        [shutil.which("sh"), "--", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
@pytest.mark.parametrize("name", ["kit", "-kit", "-", "my kit's"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_kit_is_set_up_in_its_own_folder(anywhere, name, absolute):
    """With CDPATH exported, and in a folder like an option; no other .venv is removed."""
    script = f"{anywhere / name}/start.sh" if absolute else f"{name}/start.sh"
    assert "made no environment" in started(anywhere, script)
    assert (anywhere / "called").read_text() == f"{anywhere / name}\n"
    left = {path.parent.name for path in anywhere.glob("**/.venv")}
    assert left == {"kit", "-kit", "-", "my kit's", "a:b", anywhere.name} - {name} | {"kit"}
    assert (anywhere / "other" / "kit" / ".venv").is_dir()


@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
def test_a_colon_in_the_path_is_named_before_anything_is_made(anywhere):
    said = started(anywhere, "a:b/start.sh")
    assert f"in a folder with a colon in its path: {anywhere}/a:b. Move or rename it." in said
    assert (anywhere / "a:b" / ".venv").is_dir()


@pytest.mark.thorough
@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
def test_a_failed_set_up_says_so_and_is_begun_anew(checkout, wheels, handouts, tmp_path):
    """The wheels of this kit are not those that stslab needs."""
    with zipfile.ZipFile(pack(checkout, wheels, tmp_path, handouts)) as archive:
        archive.extractall(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for _ in range(2):
        status, said = start(tmp_path / FOLDER, "check", path=path)
        assert status == 1
        assert "Setting up .venv (once" in said
        assert "stslab: the packages were not installed (see above). They are for" in said


# Making it


def test_it_is_made_in_a_checkout_only(tmp_path):
    with pytest.raises(RequestError, match=r"no pyproject\.toml here\. Run it in a checkout"):
        build_offline(tmp_path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("false"), reason="no command that fails")
def test_wheels_that_pip_does_not_find_are_one_sentence(checkout, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RequestError, match=r"pip could not gather .* If it misses torch==.*INDEX"):
        build_offline(checkout, tmp_path / "out", torch_index="nowhere")
    assert list((tmp_path / "out").iterdir()) == []


def test_make_hands_on_where_pytorch_came_from(tmp_path):
    command = ["make", "-n", "-f", str(ROOT / "Makefile"), "workshop-offline"]
    given = ["VENV=here", "TORCH_INDEX=of torch", "ARGS=--reports out"]
    environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    done = subprocess.run(
        [*command, *given], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    last = done.stdout.splitlines()[-1]
    assert last == 'here/bin/stslab workshop-offline --torch-index "of torch" --reports out'


# All of it


def without_network() -> tuple[list[str], dict[str, str]]:
    """Give what keeps a command from the network: a name space, or else a proxy that is dead."""
    apart = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and not subprocess.run([*apart, "true"]).returncode:
        return apart, {}
    dead = "http://127.0.0.1:9"
    return [], {"PIP_NO_INDEX": "1", "HTTP_PROXY": dead, "HTTPS_PROXY": dead, "ALL_PROXY": dead}


@pytest.fixture
def roomy(tmp_path) -> Iterator[Path]:
    """A folder that is removed at once: a kit takes 3 GB."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="start.sh is for Linux and macOS")
def test_the_kit_gets_a_bare_folder_to_notebook_01_without_a_network(roomy):
    """Nothing of this environment helps: not its modules, nor its settings, nor a home."""
    done = CliRunner().invoke(main, ["workshop-offline", "--reports", str(roomy)])
    assert done.exit_code == 0, done.output
    (file,) = roomy.iterdir()
    assert f"{file}  ({file.stat().st_size / 1e6:.0f} MB)" in done.output
    with zipfile.ZipFile(file) as archive:
        archive.extractall(roomy / "stick")
        names = {each.removeprefix(f"{FOLDER}/") for each in archive.namelist()}
        assert {"live.html", "rate.html", "cheat-sheet.html"} < names
        for entry in archive.infolist():  # as unzip does
            (roomy / "stick" / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    apart, dead = without_network()
    (roomy / "chromium").touch(0o755)
    path = os.pathsep.join([str(roomy), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*apart, str(roomy / "stick" / FOLDER / "start.sh"), "check"],
        cwd=roomy,
        env={"PATH": path, "HOME": str(roomy), "PYTHONPATH": "src", **dead},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    assert "READY  (code " in lines[-1]
    assert last == "check passed: the doctor is content, and notebook 01 ran to its end."
