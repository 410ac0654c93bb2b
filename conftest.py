"""What holds for the examples in docstrings, too."""

import sys

# As the command does: its import compiles a grammar of web addresses that nothing here asks for.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
