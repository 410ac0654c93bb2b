"""What a lesson is: the library first, short cells, values to see, and the way to the next one."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import NOTEBOOKS

TUTORIAL = [path for path in NOTEBOOKS if path.stem < "10"]
# A call or an attribute of sentence-transformers, of a model that is loaded, or of a tensor.
DIRECT = re.compile(r"\b(?:plain_)?model\.\w+|\butil\.\w+|\bSentenceTransformer\b|\btorch\.\w+")
IMPORT = re.compile(r"(?:from|import) (?:sentence_transformers|torch|transformers)\b")
CALL = re.compile(r"\bmodel\.(?:encode|similarity)\w*\(|\butil\.\w+\(|\bSentenceTransformer\(")
OURS = re.compile(
    r"\b(?:encode|score_pairs|rank|search|similarity_matrix|near_duplicates|"
    r"communities|best_matches|sentence_map|compare_models)\("
)
SHOWN = ("show_", "display(")
names = [path.stem for path in NOTEBOOKS]


def cells_of(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    return [
        each for each in json.loads(path.read_text("utf-8"))["cells"] if each["cell_type"] == kind
    ]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def code_of(path: Path) -> list[str]:
    """The code cells but that of the parameters."""
    cells = cells_of(path)
    return [source(each) for each in cells if "parameters" not in each["metadata"].get("tags", [])]


def own_calls(code: str) -> list[str]:
    """The calls of our functions, not of methods of the same name."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [call.func.id for call in calls if isinstance(call.func, ast.Name)]


def ends_in_something_to_see(code: str) -> bool:
    body = ast.parse(code).body
    last = body[-1] if body else None
    if isinstance(last, ast.Expr):
        return True
    return any(word in code for word in SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_no_code_cell_is_longer_than_eight_lines(path: Path) -> None:
    long = [code for code in code_of(path) if len(code.splitlines()) > 8]
    assert long == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_prose_and_code_alternate(path: Path) -> None:
    text, code = cells_of(path, "markdown"), cells_of(path)
    assert 0.7 <= len(text) / len(code) <= 1.5
    long = [source(each) for each in text if len(source(each).split()) > 95]
    assert long == []


@pytest.mark.parametrize("path", TUTORIAL, ids=[path.stem for path in TUTORIAL])
def test_half_of_a_lessons_cells_end_in_something_to_see(path: Path) -> None:
    """A value as the library returns it, a table or a figure."""
    code = code_of(path)
    assert 2 * sum(map(ends_in_something_to_see, code)) >= len(code)


def lines_of_the_library(path: Path) -> int:
    """Count the lines that call the library, or use a value as the library returned it."""
    count, values = 0, set[str]()
    for code in code_of(path):
        for node in ast.parse(code).body:
            text = ast.get_source_segment(code, node) or ""
            uses = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & values
            if DIRECT.search(text) or IMPORT.match(text) or uses:
                count += len(text.splitlines())
            if isinstance(node, ast.Assign) and DIRECT.search(text):
                found = [each for target in node.targets for each in ast.walk(target)]
                values |= {each.id for each in found if isinstance(each, ast.Name)}
    return count


def test_a_hundred_and_twenty_lines_of_the_tutorial_use_the_library() -> None:
    counts = {path.stem: lines_of_the_library(path) for path in TUTORIAL}
    assert sum(counts.values()) >= 120, counts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_the_librarys_own_call_comes_before_ours(path: Path) -> None:
    code = code_of(path)
    library = [index for index, each in enumerate(code) if CALL.search(each)]
    ours = [
        index
        for index, each in enumerate(code)
        if any(OURS.fullmatch(f"{name}(") for name in own_calls(each))
    ]
    assert library
    assert not ours or library[0] <= ours[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_no_name_is_imported_and_assigned(path: Path) -> None:
    """A cell that is run again must not break a later one."""
    tree = ast.parse("\n".join(code_of(path)))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assigned = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert imported & assigned == set()


@pytest.mark.parametrize("number", range(len(NOTEBOOKS) - 1))
def test_next_leads_to_the_next_notebook(number: int) -> None:
    last = source(cells_of(NOTEBOOKS[number], "markdown")[-1])
    assert re.findall(r"Next: .*?\]\(([\w.-]+\.ipynb)\)", last) == [NOTEBOOKS[number + 1].name]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_no_value_is_changed_in_silence(path: Path) -> None:
    """A `top_k` that is too large is an error, as the parameter's text says."""
    assert not re.search(r"top_k = (?:min|max)\(|top_k=min\(top_k", "\n".join(code_of(path)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_the_text_speaks_of_no_data_that_may_not_be_there(path: Path) -> None:
    """A page on other sentences says nothing of the shipped ones, nor of cells that it folds."""
    text = "\n".join(map(source, cells_of(path, "markdown")))
    assert not re.search(r"default (?:pairs|sentences|list)|written for this notebook", text)
    assert not re.search(r"(?:next|first|second) cell\b|\bThe cell\b|\btwo cells", text)
