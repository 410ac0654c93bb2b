"""What is given to make arrives in the command as typed; what a shell happens to export does not.

A stand-in for the command says what reached it, so make's own part is quick to test.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from conftest import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from projects import COMMAND, Project

from stslab.cli import main

SAY = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
PRINTABLE = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), min_size=1)
EXPORTED = {
    **dict.fromkeys(["PRESET", "MODEL", "ONLY", "QUERY", "REFERENCE", "TITLE"], "gpt-4"),
    **dict.fromkeys(["SENTENCES", "PAIRS", "RATED_PAIRS", "CORPUS", "CANDIDATES"], "none.txt"),
    "JOBS": "many",
}


def installed(folder: Path, code: str) -> Path:
    """Make an environment for make, whose command `stslab` is the code."""
    venv = folder / "venv"
    (venv / "bin").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", "venv/.torch", "venv/.report"):
        (folder / name).touch()
    command = venv / "bin" / "stslab"
    words = [sys.executable, *(["-IS"] if code == SAY else []), "-c", code]
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return venv


def make(folder: Path, *words: str, **options: Any) -> str:
    given = {**os.environ, **options.pop("env", {})}  # make's own would steer this one
    environment = {name: given[name] for name in given if "MAKE" not in name and name != "ARGS"}
    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), f"VENV={folder / 'venv'}", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=180,
        **options,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def understood(command: str, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Return what a command takes from its arguments and its environment, all by name."""
    params = params_of(command, arguments, environment)
    return {**params, **params["inputs"]}


def params_of(command: str, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Return the values with which a command is called."""
    with mock.patch.dict(os.environ, environment, clear=True):
        return main.commands[command].make_context(command, arguments).params


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("make")
    installed(made, SAY)
    return made


def handed_on(folder: Path, *words: str, **options: Any) -> list[dict[str, Any]]:
    """Run make; give what each command that it started understood."""
    runs = [json.loads(line) for line in make(folder, *words, **options).splitlines()]
    return [understood(command, rest, env) for (command, *rest), env in runs]


@settings(max_examples=40, deadline=None)
@given(PRINTABLE)
@example("Does it cost $500, $$5 or ${HOME}?")
@example("$(shell touch expanded) $(error no) `touch expanded` $(touch expanded); touch expanded")
@example('it\'s "quoted" and \\escaped\\ & 100 % | # * ~ ! <x> \\')
@example("--force")
@example("=+:?!= a := b")
@example("one line\nand another\n")
@example(" \u3000two words\u00a0 ")
@example("$")
def test_a_text_or_a_file_name_arrives_as_typed(folder, text):
    """Make itself leaves out the spaces before a value, and nothing else is changed or run."""
    words = [f"{name}={text}" for name in ("QUERY", "REFERENCE", "TITLE", "MODEL", "SENTENCES")]
    (params,) = handed_on(folder, "report", *words)
    expected = text.lstrip(" ") or None
    assert params["queries"] == ((expected,) if expected else ())
    for name in ("reference", "title", "model", "sentences"):
        assert params[name] == expected
    assert not (folder / "expanded").exists()


def test_every_name_that_make_takes_reaches_the_command(folder):
    given = {**EXPORTED, "JOBS": "2"}
    (params,) = handed_on(folder, "report", *(f"{name}={text}" for name, text in given.items()))
    expected = {name.lower(): text for name, text in given.items() if name != "QUERY"}
    assert params.items() >= {**expected, "jobs": 2, "queries": ("gpt-4",)}.items()


def test_watch_and_share_take_what_make_is_given(folder):
    (params,) = handed_on(folder, "watch", "PRESET=my $5 preset", "QUERY=$x")
    assert (params["preset"], params["queries"]) == ("my $5 preset", ("$x",))
    (params,) = handed_on(folder, "share", "SENTENCES=my $5.txt", "ONLY=8")
    assert (params["sentences"], params["only"]) == ("my $5.txt", "8")


def test_what_make_keeps_for_itself_reaches_no_command_and_all_else_does(folder):
    """So the command can refuse what nothing takes, and set what a notebook takes."""
    own = ["PYTHON=python3", "TORCH=2.13.0", "TORCH_INDEX=x", "SHELL=/bin/sh", "ARGS="]
    assert handed_on(folder, "-j2", "report", *own) == [understood("report", [], {})]
    ((_, environment),) = [json.loads(make(folder, "report", *own, "TOP_K=$5", "SENTENCE=x"))]
    handed = {
        name: text for name, text in environment.items() if name.startswith("STSLAB_REQUEST_")
    }
    assert handed == {"STSLAB_REQUEST_TOP_K": "$5", "STSLAB_REQUEST_SENTENCE": "x"}


@pytest.mark.parametrize("flags", [[], ["-e"]])
def test_a_shell_that_happens_to_export_such_names_steers_no_build(folder, flags):
    """Not even where make prefers the environment to the Makefile."""
    for target in ("report", "watch", "share"):
        for params in handed_on(folder, *flags, target, env=EXPORTED):
            assert "gpt-4" not in str(params)
            assert params["preset"] is None
    assert handed_on(folder, "report", env=EXPORTED) == [understood("report", [], {})]


def test_the_command_alone_takes_no_name_that_a_shell_happens_to_export():
    for command in ("report", "watch", "share"):
        assert understood(command, [], EXPORTED) == understood(command, [], {})


def test_an_empty_value_counts_as_not_given(folder):
    (params,) = handed_on(folder, "report", *(f"{name}=" for name in EXPORTED))
    assert params == understood("report", [], {})


def test_make_builds_the_page_of_a_file_and_a_title_with_dollars(tmp_path):
    """From end to end: the file is read, the title stands on the page and in the index."""
    project = Project(tmp_path / "project")
    project.notebook(
        "read",
        ["parameters: from pathlib import Path\ntexts: list[str] | Path = ['one']  # texts"],
    )
    project.edit("read", "texts", "sentences")
    installed(project.root, COMMAND)
    (project.root / "cost $(HOME) $5.txt").write_text("One.\n", "utf-8")
    words = ["SENTENCES=cost $(HOME) $5.txt", "TITLE=What $5 & `more` buy", "JOBS=1"]
    make(project.root, "report", *words, env=project.environment())
    home = project.reports / "cost $(HOME) $5"
    for page in ("read.html", "index.html"):
        assert "What $5 &amp; `more` buy" in (home / page).read_text("utf-8")


# Set-up, where it cannot


def stand_in(folder: Path, version: str, *, modules: str = "ensurepip venv") -> Path:
    """Make a python3 of a version, which has or lacks the modules that an environment needs."""
    code = f"""
import sys
code = sys.argv[2]  # after "-c", twice
sys.version_info = tuple(map(int, "{version}".split(".")))
for name in {{"ensurepip", "venv"}} - set("{modules}".split()):
    sys.modules[name] = None
exec(code)
"""
    command = folder / "python3"
    words = [sys.executable, "-IS", "-c", code]
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return command


def set_up(folder: Path, python: Path | str) -> str:
    """Run make's set-up in an empty folder, where it is refused; return what it says."""
    (folder / "requirements.lock").touch()
    (folder / "pyproject.toml").touch()
    command = ["make", "-f", str(ROOT / "Makefile"), "report", f"PYTHON={python}"]
    environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert not (folder / ".venv").exists()
    return done.stderr.decode()


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.15.0", "2.7.18"])
def test_a_python_that_does_not_fit_is_named_before_anything_is_set_up(tmp_path, version):
    said = set_up(tmp_path, stand_in(tmp_path, version))
    assert f"python3 is Python {version}. stslab needs Python 3.11 to 3.14." in said
    assert "make report PYTHON=python3.14" in said


def test_a_python_that_only_says_its_version_is_refused_too(tmp_path):
    (tmp_path / "python3").write_text('#!/bin/sh\necho "Python 3.9.2"\n')
    (tmp_path / "python3").chmod(0o755)
    assert "is Python 3.9.2. stslab needs" in set_up(tmp_path, tmp_path / "python3")


def test_a_python_that_is_not_there_is_named(tmp_path):
    assert "there is no nowhere that starts. stslab needs Python" in set_up(tmp_path, "nowhere")


def test_without_the_module_venv_make_says_what_to_install(tmp_path):
    """As on Debian, whose python3 comes without it."""
    said = set_up(tmp_path, stand_in(tmp_path, "3.11.2", modules="venv"))
    assert "(Python 3.11.2) lacks the modules venv and ensurepip" in said
    assert "sudo apt install python3.11-venv" in said
