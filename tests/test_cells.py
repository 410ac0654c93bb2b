"""A learner's way through a notebook: cells run again, the check left out, what was checked said.

One kernel runs a notebook from top to bottom, each cell twice in a row and the check not at all;
then the check, and what follows it once more.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import NOTEBOOKS, ROOT
from lessons import QUICKER, code_of, executed, is_check, said, slips

pytestmark = pytest.mark.thorough

ALL = sorted((ROOT / "notebooks").glob("*.ipynb"))  # lessons and reports
every_notebook = pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Encode what notebooks share once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STSLAB_CACHE", str(tmp_path_factory.mktemp("embeddings")))
        yield


@every_notebook
def test_each_cell_runs_twice_and_none_needs_the_check(path: Path, cache: None) -> None:
    """And what the shipped texts make it say is well written."""
    code = code_of(path)
    parameters, *others = code  # a second time they would undo the values given
    twice = [parameters, *[cell for cell in others if not is_check(cell) for _ in range(2)]]
    checks = [number for number, cell in enumerate(code) if is_check(cell)]
    rest = [cell for number in checks for cell in code[number:]]
    outputs = executed(twice + rest, QUICKER.get(path.stem))
    assert slips(outputs) == []
    assert len([text for text in said(outputs, "text") if text.startswith("Checked: ")]) == len(
        checks
    )


@every_notebook
def test_only_the_check_asserts_and_it_says_at_its_end_what_was_checked(path: Path) -> None:
    """A lesson has one, a report at most one: to leave out each is to leave out one."""
    code = code_of(path)
    assert sum(map(is_check, code)) in ({1} if path in NOTEBOOKS else {0, 1})
    for cell in code:
        tree = ast.parse("".join(cell["source"]))
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(tree))
        assert asserts == is_check(cell), cell["id"]
        last = ast.unparse(tree.body[-1])
        assert (last.startswith("show_text(") and "Checked: " in last) == is_check(cell)
