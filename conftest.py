"""A toy model for the examples in docstrings."""

import sys
from typing import Any

import pytest

# As the command does: its import compiles a grammar of web addresses that nothing here asks for.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


class Letters:
    """Count a, b and c, as in the example of `stslab.Encoder`."""

    def encode(self, inputs: list[str]) -> list[list[int]]:
        return [[text.count(letter) for letter in "abc"] for text in inputs]


@pytest.fixture(autouse=True)
def _toy_model(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["Letters"] = Letters
