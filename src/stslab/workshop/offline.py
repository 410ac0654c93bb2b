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
NAMES = {"Darwin": "macOS"}  # systems that call themselves otherwise
# The same script twice: Finder starts what is named .command.
STARTS = {each: each for each in ("START.txt", "start.sh", "start.bat")}
STARTS["start.command"] = "start.sh"


def build_offline(checkout: Path, folder: Path, *, torch_index: str | None = None) -> Path:
    """Gather the wheels that ``.[lab]`` needs here, and zip them with notebooks and handouts.

    The page that computes, compact, is among them, for phones and for computers that are locked.

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
    for needed in ("pyproject.toml", LOCK, "notebooks/01_what_is_sts.ipynb"):
        if not (checkout / needed).is_file():
            raise RequestError(f"no {needed} here. Run it in a checkout of stslab.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".offline-", dir=folder) as scratch:
        wheels, handouts = Path(scratch, "wheels"), Path(scratch, "handouts")
        gather_wheels(checkout, wheels, torch_index)
        write_handouts(checkout / "notebooks" / TO_RATE, handouts)
        build_live(folder=handouts, compact=True).replace(handouts / "live.html")
        return pack(checkout, wheels, folder, handouts)


def gather_wheels(checkout: Path, wheels: Path, torch_index: str | None = None) -> None:
    """Let pip put all wheels into a folder: the lock's versions, and the PyTorch installed here."""
    torch = f"torch=={importlib.metadata.version('torch')}"  # with its build, such as +cpu
    wheels.mkdir()
    where = wheels.resolve()
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "-c", LOCK]
    pip += ["--wheel-dir", str(where), "--find-links", str(where)]
    steps = [[*pip, torch, ".[lab]"]]
    if torch_index:
        steps.insert(0, [*pip, "--index-url", torch_index, torch])
    for step in steps:
        if subprocess.run(step, cwd=checkout).returncode:
            raise RequestError(
                f"pip could not gather the wheels (see above); nothing was zipped. If it misses "
                f"{torch}, give the index it was installed from: TORCH_INDEX=… (or --torch-index)."
            )


def pack(checkout: Path, wheels: Path, folder: Path, handouts: Path) -> Path:
    """Zip wheels, notebooks, handouts and start scripts; equal files give equal bytes."""
    version = ".".join(map(str, sys.version_info[:2]))
    system = NAMES.get(platform.system(), platform.system())
    machine = platform.machine()
    name = f"{FOLDER}-{system}-{machine}-py{version.replace('.', '')}.zip".lower()
    oldest = oldest_python(wheels, version)
    needed = f"Python {version} (not another)"
    if not oldest.endswith(".0"):
        needed = f"Python {version} (not another), {oldest} or newer,"
    values = {
        "PYTHON": version,
        "OLDEST": oldest,
        "RELEASE": needed,
        "SYSTEM": platform.system(),
        "MACHINE": machine,
        "NEEDS": f"{system} {machine}{oldest_system(wheels)}",
        "UNPACKED": f"{1.1 * size_on_disk(wheels) / 1e9:.1f} GB",  # it is an estimate
    }
    texts = dict(start_files(values)) | {
        LOCK: (checkout / LOCK).read_bytes(),
        "requirements.txt": f"-c {LOCK}\nstslab[lab]\n".encode(),
        **dict(notebook_files(checkout / "notebooks")),
        **{page.name: page.read_bytes() for page in sorted(handouts.glob("*.html"))},
    }
    files: dict[str, bytes | Path] = dict(texts)
    files |= {f"wheels/{wheel.name}": wheel for wheel in sorted(wheels.glob("*.whl"))}
    return write_zip(
        folder / name, {f"{FOLDER}/{path}": content for path, content in files.items()}
    )


def start_files(values: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Give the start scripts and their instructions, with values for each ``@NAME@``."""
    for name, source in STARTS.items():
        text = importlib.resources.files(__package__).joinpath("start", source).read_text("utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        yield name, text.replace("\n", "\r\n" if name.endswith(".bat") else "\n").encode()


def notebook_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give what is in a folder of notebooks, but for hidden files and for outputs.

    A notebook that cannot be read is left out: nobody could open it, nor take its outputs out.
    """
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in inside.parts)
        if hidden or not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".ipynb":
            try:
                read_notebook(path)
            except RequestError:
                continue
            content = without_outputs(content)
        yield f"notebooks/{inside.as_posix()}", content


def without_outputs(content: bytes) -> bytes:
    """Take the outputs out of a notebook; one that has none stays as it is."""
    notebook = json.loads(content)
    ran = [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")]
    if not ran:
        return content
    for cell in ran:
        cell |= {"outputs": [], "execution_count": None}
    return f"{json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)}\n".encode()


def oldest_system(wheels: Path) -> str:
    """Say which system all wheels need at least, as their names tell.

    A wheel for several is good for the oldest of them.
    """
    needed: dict[str, tuple[int, int]] = {}
    for wheel in wheels.glob("*.whl"):
        tags = re.findall(r"(manylinux|macosx)_(\d+)_(\d+)_", wheel.name)
        if tags:
            kind, version = tags[0][0], min((int(major), int(minor)) for _, major, minor in tags)
            needed[kind] = max(needed.get(kind, version), version)
    called = {"manylinux": " with glibc", "macosx": ""}
    return "".join(f"{called[kind]} {a}.{b} or newer" for kind, (a, b) in needed.items())


def oldest_python(wheels: Path, version: str) -> str:
    """Find the first release of a version of Python that all wheels admit.

    Parameters
    ----------
    wheels : Path
        A folder of wheels.
    version : str
        Such as ``"3.11"``.

    Returns
    -------
    str
        Such as ``"3.11.0"``; the running release where no older one will do.
    """
    specifiers = [required_python(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    for patch in range(sys.version_info.micro):
        release = f"{version}.{patch}"
        if all(specifier.contains(release) for specifier in specifiers):
            return release
    return f"{version}.{sys.version_info.micro}"


def required_python(wheel: Path) -> SpecifierSet:
    """Read from a wheel's metadata which releases of Python it admits."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                metadata = email.message_from_bytes(archive.read(name))
                return SpecifierSet(metadata["Requires-Python"] or "")
    return SpecifierSet()


def size_on_disk(wheels: Path) -> int:
    """Estimate the bytes of disk that wheels take, together with what is installed from them.

    What Python compiles a file to is about as large as the file; disks count in blocks of 4 KiB.
    """
    size = 0
    for wheel in wheels.glob("*.whl"):
        size += wheel.stat().st_size
        with zipfile.ZipFile(wheel) as archive:
            for each in archive.infolist():
                blocks = -(-each.file_size // 4096)
                size += 4096 * blocks * (2 if each.filename.endswith(".py") else 1)
    return size
