"""What the doctor found, as a short code to send in: Crockford's base32, in groups of four.

The alphabet has no I, L, O or U; a mistyped I or L is read as 1, an O as 0. Ten characters hold
the state, two check them: each wrong character and each swap of neighbours is noticed, and all but
one in a thousand of other slips.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from typing import NamedTuple

from .doctor import Line

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TYPED = str.maketrans("ILO", "110", " -")
LENGTH = 12
PRIME = 1021  # the largest below 32 × 32
EDITION = 1  # of the fields
SYSTEMS = ("Linux", "Darwin", "Windows", "another system")
CHECKS = ("Python", "packages", "weights", "disk", "fonts", "browser", "JupyterLab", "score")
# Edition, system, Python's three numbers, packages off, GB free, a GPU, then each check.
SIZES = (128, len(SYSTEMS), 4, 64, 64, 256, 1024, 2, *(2 for _ in CHECKS))


class State(NamedTuple):
    """What a code holds; numbers above their field's largest count as that one."""

    system: str
    python: tuple[int, int, int]
    off: int  # packages
    free: int  # GB
    gpu: bool
    ok: tuple[bool, ...]  # each of CHECKS

    def lines(self) -> list[Line]:
        """Give the lines again, without the doctor's advice."""
        says = {
            "Python": f"{'.'.join(map(str, self.python))} on {self.system}",
            "packages": f"{self.off} off",
            "disk": f"{self.free} GB free",
        }
        words = ("not as it should be", "as it should be")
        checked = zip(CHECKS, self.ok, strict=True)
        gpu = Line("GPU", True, f"{'one' if self.gpu else 'none'} found; none is needed")
        return [*(Line(name, ok, says.get(name, words[ok])) for name, ok in checked), gpu]


def state_of(lines: Iterable[Line]) -> State:
    """Sum up the lines that the doctor gave on this computer."""
    by_name = {line.name: line for line in lines}
    system = platform.system()
    return State(
        system if system in SYSTEMS else SYSTEMS[-1],
        sys.version_info[:3],
        by_name["packages"].count,
        by_name["disk"].count,
        bool(by_name["GPU"].count),
        tuple(by_name[name].ok for name in CHECKS),
    )


def write_code(state: State) -> str:
    """Write a state as a code.

    >>> write_code(State("Linux", (3, 11, 7), 0, 76, False, (True,) * 8))
    '09JR-W016-7ZTT'
    """
    numbers = (*state.python, state.off, state.free, state.gpu, *state.ok)
    fields = (EDITION, SYSTEMS.index(state.system), *numbers)
    value = 0
    for field, size in zip(fields, SIZES, strict=True):
        value = value * size + min(int(field), size - 1)
    value = value * 1024 + value % PRIME
    digits = "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(LENGTH)))
    return "-".join(digits[start : start + 4] for start in range(0, LENGTH, 4))


def read_code(code: str) -> State:
    """Read a code as it was typed: small letters, spaces and hyphens make no difference.

    Raises
    ------
    ValueError
        If it is mistyped, or of another edition of stslab.
    """
    typed = code.upper().translate(TYPED)
    if wrong := sorted(set(typed) - set(ALPHABET)):
        raise ValueError(
            f"code {code!r}: {wrong[0]!r} is in no code. Compare it with the original."
        )
    if len(typed) != LENGTH:
        raise ValueError(
            f"code {code!r}: {len(typed)} characters, expected {LENGTH}. Ask for it again, whole."
        )
    value = 0
    for digit in typed:
        value = value * 32 + ALPHABET.index(digit)
    value, check = divmod(value, 1024)
    if value % PRIME != check:
        raise ValueError(f"code {code!r} is mistyped. Compare it with the original.")
    fields: list[int] = []
    for size in reversed(SIZES):
        value, field = divmod(value, size)
        fields.insert(0, field)
    edition, system, major, minor, micro, off, free, gpu, *ok = fields
    if edition != EDITION:
        raise ValueError(f"code {code!r} is from another edition of stslab. Read it with that one.")
    return State(SYSTEMS[system], (major, minor, micro), off, free, bool(gpu), tuple(map(bool, ok)))
