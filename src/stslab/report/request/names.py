"""Names that can be a page's or a report's: safe on every file system, and what they seem."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

MAX_NAME_BYTES = 120  # a page's figures put their own names behind it; file systems allow 255
# Files of the reports folder itself: a report of the same name would take their place.
_TAKEN = re.compile(r"index|index\.html|readme\.md|.*\.zip", re.DOTALL)
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]|con(in|out)\$")  # of Windows


def name_problem(name: str) -> str:
    """Say why a name cannot be a page's file name; nothing when it can."""
    if not name.strip(". "):
        return "is empty"
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        return "starts or ends with a dot or a space"
    if unsafe := next(filter(_is_unsafe, name), ""):
        return f"contains {unsafe!r}. Use letters, digits, spaces, - and _"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes. Choose a shorter one"
    same = same_file_name(name)
    if _TAKEN.fullmatch(same):
        return "is reserved for a file of the reports folder. Choose another name"
    if _DEVICE.fullmatch(same.partition(".")[0].rstrip()):
        return "is a device on Windows, with any extension. Choose another name"
    if same.endswith(".failed"):
        return "ends in .failed, which is reserved for notebooks that failed. Choose another name"
    return ""


def same_file_name(name: str) -> str:
    """Give what two names share when a file system, or a reader, takes them for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _is_unsafe(character: str) -> bool:
    return (
        character in '/\\<>:"|?*'
        # Cf cannot be seen: some of it hides an extension, all of it makes equal names differ.
        or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


def safe_stem(path: str | Path, fallback: str = "report") -> str:
    """Make a folder name of a file's stem, one that `name_problem` finds nothing wrong with.

    >>> safe_stem("texts/my report.txt"), safe_stem("..txt"), safe_stem("a:b?.csv")
    ('my report', 'report', 'a_b_')
    >>> safe_stem("index.html.txt"), safe_stem("con.txt")
    ('index_html', 'con_')
    """
    stem = unicodedata.normalize("NFC", Path(path).stem)
    name = "".join("_" if _is_unsafe(character) else character for character in stem)
    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    name = re.sub(r"^[\s.]+|[\s.]+$", "", name) or fallback
    if name_problem(name):  # a name with a meaning of its own, mostly by what follows a dot
        name = "".join("_" if "." in same_file_name(each) else each for each in name)
    return f"{name}_" if name_problem(name) else name
