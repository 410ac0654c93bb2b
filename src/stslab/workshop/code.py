"""The doctor's findings as a short code to send in: six bytes and their CRC-32, in base32.

Base32 (RFC 4648) has letters and the digits from 2 to 7. A wrong character, and two neighbors that
changed places, alter at most 24 successive bits: CRC-32 notices every change within 32 successive
bits, and all but one in four billion others.
"""

from __future__ import annotations

import base64
import platform
import sys
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from .doctor import Line

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LOOKALIKES = "01"  # not in the alphabet, so they can only be meant for O, I and L
LENGTH = 16  # characters of ten bytes
LARGEST = 255  # that a byte holds
EDITION = 2  # of the bytes' meaning
SYSTEMS = ("Linux", "Darwin", "Windows", "another system")
CHECKS = ("Python", "packages", "weights", "disk", "fonts", "browser", "JupyterLab", "score")


class State(NamedTuple):
    """The content of a code."""

    system: str
    python: tuple[int, int]  # minor and micro version of Python 3
    packages_off: int
    free_gigabytes: int
    gpu: bool
    ok: tuple[bool, ...]  # for each of CHECKS

    def lines(self) -> list[Line]:
        """Return the doctor's lines, without advice."""
        minor, micro = self.python
        free = f"{self.free_gigabytes} GB free"
        if self.free_gigabytes == LARGEST:
            free = f"{LARGEST} GB or more free"
        details = {
            "Python": f"3.{minor}.{micro} on {self.system}",
            "packages": f"{self.packages_off} off",
            "disk": free,
        }
        lines = []
        for name, ok in zip(CHECKS, self.ok, strict=True):
            message = "not as it should be"
            if ok:
                message = "as it should be"
            lines.append(Line(name, ok, details.get(name, message)))
        gpus = "none"
        if self.gpu:
            gpus = "one"
        lines.append(Line("GPU", True, f"{gpus} found; none is needed"))
        return lines


def state_of(lines: Iterable[Line]) -> State:
    """Return the state that the doctor's lines describe, on this computer."""
    by_name = {line.name: line for line in lines}
    system = platform.system()
    if system not in SYSTEMS:
        system = SYSTEMS[-1]
    return State(
        system,
        sys.version_info[1:3],
        by_name["packages"].count,
        by_name["disk"].count,
        bool(by_name["GPU"].count),
        tuple(by_name[name].ok for name in CHECKS),
    )


def write_code(state: State) -> str:
    """Return a state as a code, in groups of four to read aloud; numbers above 255 become 255.

    >>> write_code(State("Linux", (11, 7), 0, 76, False, (True,) * 8))
    'CAFQ-OACM-74KE-LXJJ'
    """
    # The first byte holds three numbers: the edition times 8, the GPU times 4, and the system.
    first_byte = EDITION * 8 + state.gpu * 4 + SYSTEMS.index(state.system)
    # One bit a check, the first check's lowest.
    check_bits = sum(ok << place for place, ok in enumerate(state.ok))
    numbers = [first_byte, *state.python, state.packages_off, state.free_gigabytes, check_bits]
    content = bytes(min(number, LARGEST) for number in numbers)
    code = base64.b32encode(content + _checksum(content)).decode()
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def read_code(code: str) -> State:
    """Return the state in a code as it was typed.

    Case, spaces and hyphens make no difference. A 0 is read as O, a 1 as I or L.

    Raises
    ------
    ValueError
        If it is mistyped, or of another edition of stslab.
    """
    typed = "".join(code.upper().split()).replace("-", "")
    unknown = sorted(set(typed) - set(ALPHABET + LOOKALIKES))
    if unknown:
        raise ValueError(
            f"code {code!r}: {unknown[0]!r} is in no code. Compare it with the original."
        )
    if len(typed) != LENGTH:
        raise ValueError(
            f"code {code!r}: {len(typed)} characters, expected {LENGTH}. Ask for it again, whole."
        )
    content = _decode(typed)
    if content is None:
        raise ValueError(f"code {code!r} is mistyped. Compare it with the original.")
    first_byte, minor, micro, packages_off, free_gigabytes, check_bits = content
    edition, gpu_and_system = divmod(first_byte, 8)
    if edition != EDITION:
        raise ValueError(f"code {code!r} is from another edition of stslab. Read it with that one.")
    gpu, system = divmod(gpu_and_system, 4)
    ok = tuple(bool(check_bits >> place & 1) for place in range(len(CHECKS)))
    return State(SYSTEMS[system], (minor, micro), packages_off, free_gigabytes, bool(gpu), ok)


def _decode(typed: str) -> bytes | None:
    """Return the six bytes of a code; None if the checksum is wrong, for a 1 as I and as L."""
    for letter in "IL":
        decoded = base64.b32decode(typed, map01=letter)
        content, checksum = decoded[:-4], decoded[-4:]
        if _checksum(content) == checksum:
            return content
    return None


def _checksum(content: bytes) -> bytes:
    # Little-endian, as in gzip: the bits follow the content's in the order of the polynomial, so
    # the promise for 32 successive bits holds across the border, too.
    return zlib.crc32(content).to_bytes(4, "little")
