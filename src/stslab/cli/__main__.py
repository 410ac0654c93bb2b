"""``python -m stslab.cli`` is ``stslab``."""

from . import main

main()
