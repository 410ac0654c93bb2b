"""One zip from which a laptop without a network gets to a running notebook.

It holds wheels for this platform and this Python, the notebooks, and a script that starts them.
"""

from __future__ import annotations

import email
import importlib.metadata
import importlib.resources
import json
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet

from ..live.build import build_live
from ..report.archive import write_zip
from ..report.messages import RequestError
from ..report.request.source import read_notebook
from .doctor import LOCK
from .kit import TO_RATE, write_handouts

FOLDER = "stslab-offline"  # what the zip unpacks into
SYSTEM_NAMES = {"Darwin": "macOS"}  # where Python's name is not the usual one
# Files in the zip and their sources. One script is there twice: Finder starts .command files only.
START_FILES = {
    "START.txt": "START.txt",
    "start.sh": "start.sh",
    "start.bat": "start.bat",
    "start.command": "start.sh",
}


def build_offline(checkout: Path, folder: Path, *, torch_index: str | None = None) -> Path:
    """Gather the wheels that ``.[lab]`` needs here, and zip them with notebooks and handouts.

    The live page is among the handouts, in its compact form, for phones and for locked computers.

    Parameters
    ----------
    checkout : Path
        Where stslab's ``pyproject.toml``, ``requirements.lock`` and ``notebooks/`` are.
    folder : Path
        Where the zip goes, under a name that tells system, processor and Python.
    torch_index : str, optional
        The package index that PyTorch was installed from, if it was another one.

    Raises
    ------
    RequestError
        If there is no checkout, or pip finds no wheels.
    """
    for name in ("pyproject.toml", LOCK, "notebooks/01_what_is_sts.ipynb"):
        if not (checkout / name).is_file():
            raise RequestError(f"no {name} here. Run it in a checkout of stslab.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".offline-", dir=folder) as scratch:
        wheels, handouts = Path(scratch, "wheels"), Path(scratch, "handouts")
        gather_wheels(checkout, wheels, torch_index)
        write_handouts(checkout / "notebooks" / TO_RATE, handouts)
        build_live(folder=handouts, compact=True).replace(handouts / "live.html")
        return pack(checkout, wheels, folder, handouts)


def gather_wheels(checkout: Path, wheels: Path, torch_index: str | None = None) -> None:
    """Gather all wheels in a folder, in the lock's versions, with the PyTorch installed here."""
    torch = f"torch=={importlib.metadata.version('torch')}"  # with its build, such as +cpu
    wheels.mkdir()
    target = str(wheels.resolve())  # pip runs in another folder
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "-c", LOCK]
    pip += ["--wheel-dir", target, "--find-links", target]
    commands = [[*pip, torch, ".[lab]"]]
    if torch_index:
        # PyTorch first and alone: the second command finds its wheel in the folder.
        commands.insert(0, [*pip, "--index-url", torch_index, torch])
    for command in commands:
        if subprocess.run(command, cwd=checkout).returncode:
            raise RequestError(
                f"pip could not gather the wheels (see above); nothing was zipped. If it misses "
                f"{torch}, give the index it was installed from: TORCH_INDEX=… (or --torch-index)."
            )


def pack(checkout: Path, wheels: Path, folder: Path, handouts: Path) -> Path:
    """Zip wheels, notebooks, handouts and start scripts; equal files give equal bytes."""
    version = ".".join(map(str, sys.version_info[:2]))
    system = SYSTEM_NAMES.get(platform.system(), platform.system())
    machine = platform.machine()
    name = f"{FOLDER}-{system}-{machine}-py{version.replace('.', '')}.zip".lower()
    oldest = oldest_python(wheels, version)
    release = f"Python {version} (not another)"
    if not oldest.endswith(".0"):
        release = f"Python {version} (not another), {oldest} or newer,"
    values = {
        "PYTHON": version,
        "OLDEST": oldest,
        "RELEASE": release,
        "SYSTEM": platform.system(),
        "MACHINE": machine,
        "NEEDS": f"{system} {machine}",
    }
    files: dict[str, bytes | Path] = dict(start_files(values))
    files[LOCK] = (checkout / LOCK).read_bytes()
    files["requirements.txt"] = f"-c {LOCK}\nstslab[lab]\n".encode()
    files |= notebook_files(checkout / "notebooks")
    files |= {page.name: page.read_bytes() for page in sorted(handouts.glob("*.html"))}
    # As paths: the wheels are too large to hold in memory.
    files |= {f"wheels/{wheel.name}": wheel for wheel in sorted(wheels.glob("*.whl"))}
    return write_zip(
        folder / name, {f"{FOLDER}/{path}": content for path, content in files.items()}
    )


def start_files(values: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the start scripts and their instructions, with values for each ``@NAME@``."""
    folder = importlib.resources.files(__package__).joinpath("start")
    for name, source in START_FILES.items():
        text = folder.joinpath(source).read_text("utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        if name.endswith(".bat"):
            text = text.replace("\n", "\r\n")
        yield name, text.encode()


def notebook_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder of notebooks, without hidden files and without outputs.

    A notebook that cannot be read is left out: nobody could open it.
    """
    for path in sorted(folder.rglob("*")):
        relative_path = path.relative_to(folder)
        hidden = any(name.startswith((".", "__")) for name in relative_path.parts)
        if hidden or not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".ipynb":
            try:
                read_notebook(path)
            except RequestError:
                continue
            content = without_outputs(content)
        yield f"notebooks/{relative_path.as_posix()}", content


def without_outputs(content: bytes) -> bytes:
    """Return a notebook without outputs; the same bytes if it has none."""
    notebook = json.loads(content)
    executed = [
        cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")
    ]
    if not executed:
        return content
    for cell in executed:
        cell |= {"outputs": [], "execution_count": None}
    return f"{json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)}\n".encode()


def oldest_python(wheels: Path, version: str) -> str:
    """Return the first release of a version of Python that all wheels admit.

    Parameters
    ----------
    wheels : Path
        A folder of wheels.
    version : str
        Such as ``"3.11"``.

    Returns
    -------
    str
        Such as ``"3.11.0"``; the running release if no older one will do.
    """
    specifiers = [required_python(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    for patch in range(sys.version_info.micro):
        release = f"{version}.{patch}"
        if all(specifier.contains(release) for specifier in specifiers):
            return release
    return f"{version}.{sys.version_info.micro}"


def required_python(wheel: Path) -> SpecifierSet:
    """Return the releases of Python that a wheel's metadata admit."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                metadata = email.message_from_bytes(archive.read(name))
                return SpecifierSet(metadata["Requires-Python"] or "")
    return SpecifierSet()
