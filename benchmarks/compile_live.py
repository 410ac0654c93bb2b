"""Compile the engine and the script of the page that computes, which are committed.

make engine             installs the pinned compilers first, into a folder of their own

The same bytes on every machine: CI compares them. A test says when the script is out of date.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import minify

ROOT = Path(__file__).parent.parent
LIVE = ROOT / "src" / "stslab" / "live"
sys.path.insert(0, str(ROOT / "src"))

from stslab.live.script import live_script, stamp  # noqa: E402

OPTIONS = (
    "-target wasm32-freestanding -O3 -msimd128 -ffp-contract=off -nostdlib -fno-builtin "
    "-fvisibility=hidden -Wl,--no-entry -Wl,--export-dynamic -Wl,--strip-all"
)


def main() -> None:
    engine = LIVE / "engine"
    zig = [sys.executable, "-m", "ziglang", "cc", *OPTIONS.split()]
    # Not from within the folder: make gives PYTHONPATH as seen from here.
    target, source = engine / "encoder.wasm", engine / "encoder.c"
    subprocess.run([*zig, "-o", str(target), str(source)], check=True)
    script = live_script()
    short = minify.string("application/javascript", script)
    (engine / "page.js").write_text(f"{stamp(script)}\n{short}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
