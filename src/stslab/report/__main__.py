"""``python -m stslab.report`` is ``stslab``."""

from .cli import main

main()
