"""Names for pages and reports: safe on every file system, and not mistaken for one another.

This is not ``pathvalidate``, version 3.3 of which accepts invisible characters, ``..``,
``.hidden``, ``CON .a`` and ``conin$``, and takes no two names for one. A name that looks like
``index`` must not replace the index.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

MAX_NAME_BYTES = 120  # a page's figures put their own names behind it; file systems allow 255
# Files of the reports folder itself: a report of the same name would take their place.
_RESERVED = re.compile(r"index|index\.html|readme\.md|.*\.zip", re.DOTALL)
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]|con(in|out)\$")  # of Windows


def name_problem(name: str) -> str:
    """Return why a name cannot be a page's file name; empty if it can."""
    if not name.strip(". "):
        return "is empty"
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        return "starts or ends with a dot or a space"
    for character in name:
        if _is_unsafe(character):
            return f"contains {character!r}. Use letters, digits, spaces, - and _"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes. Choose a shorter one"
    file_name = same_file_name(name)
    if _RESERVED.fullmatch(file_name):
        return "is reserved for a file of the reports folder. Choose another name"
    if _DEVICE.fullmatch(file_name.partition(".")[0].rstrip()):
        return "is a device on Windows, with any extension. Choose another name"
    if file_name.endswith(".failed"):
        return "ends in .failed, which is reserved for notebooks that failed. Choose another name"
    return ""


def same_file_name(name: str) -> str:
    """Return a form that is equal for names that a file system, or a reader, takes for one.

    >>> same_file_name("Cafe\\u0301") == same_file_name("caf\\u00e9")
    True
    """
    # Twice, because folding the case of a composed character can decompose it.
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def _is_unsafe(character: str) -> bool:
    if character in '/\\<>:"|?*':
        return True
    # Cf cannot be seen: some of it hides an extension, all of it makes equal names differ.
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def safe_stem(path: str | Path, fallback: str = "report") -> str:
    """Make a folder name of a file's stem, one in which `name_problem` finds nothing wrong.

    >>> safe_stem("texts/my report.txt"), safe_stem("..txt"), safe_stem("a:b?.csv")
    ('my report', 'report', 'a_b_')
    >>> safe_stem("index.html.txt"), safe_stem("con.txt")
    ('index_html', 'con_')
    """
    name = unicodedata.normalize("NFC", Path(path).stem)
    for character in set(name):
        if _is_unsafe(character):
            name = name.replace(character, "_")
    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    name = re.sub(r"^[\s.]+|[\s.]+$", "", name) or fallback
    # A name with a meaning of its own has it mostly by what follows a dot.
    if name_problem(name):
        for character in set(name):
            if "." in same_file_name(character):  # also such as ․, which looks like one
                name = name.replace(character, "_")
    if name_problem(name):
        name += "_"
    return name
