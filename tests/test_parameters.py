"""The parameters cell is read, never run, and values are checked before any kernel starts."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import pytest

from stslab.report.messages import RequestError
from stslab.report.request.parameters import parameters_table, read_parameters
from stslab.report.request.values import CommandLineText, Parameter, check_values, parse_assignment

CELL = """\
from pathlib import Path
from typing import Literal

model_name: str = "all-MiniLM-L6-v2"  # which model to load
# The sentences to compare,
# or a file of them.
sentences: list[str] | Path = [
    "One.",  # the first
    "Two.",
]
pairs: list[tuple[str, str]] | Path = [("a", "b")]
top_k: int = 3  # answers to show (k=1 is enough for most)
threshold: float = 0.5
cluster: bool = False
order: Literal["input", "score"] = "input"
b: int | None = None
g = "a=b"
labels: Path | None = None
queries: list[str] = ["Why?"]
note: str | None = None
"""


def notebook(folder: Path, source: str = CELL, name: str = "07_semantic_search.ipynb") -> Path:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# A notebook"},
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": source.splitlines(keepends=True),
        },
    ]
    path = folder / name
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
    return path


@pytest.fixture
def parameters(tmp_path: Path) -> dict[str, Parameter]:
    return read_parameters(notebook(tmp_path))


def check(parameters: dict[str, Parameter], **values: Any) -> dict[str, Any]:
    return check_values(
        parameters, values, place="preset 'support.yaml'", notebook="07_semantic_search"
    )


def typed(parameters: dict[str, Parameter], *assignments: str) -> dict[str, Any]:
    values = dict(map(parse_assignment, assignments))
    return check_values(parameters, values, place="command line", notebook="07_semantic_search")


def test_names_types_defaults_and_help_come_from_the_syntax_tree(
    parameters: dict[str, Parameter],
) -> None:
    """A line that papermill's regex drops is read like any other."""
    assert parameters["b"] == Parameter("b", "int | None", int | None, None)
    assert parameters["g"] == Parameter("g", "str", str, "a=b")
    assert parameters["top_k"].help == "answers to show (k=1 is enough for most)"
    assert parameters["order"].type == Literal["input", "score"]
    assert parameters["sentences"].default == ["One.", "Two."]
    assert parameters["sentences"].help == "The sentences to compare, or a file of them."
    assert parameters["pairs"].annotation == "list[tuple[str, str]] | Path"
    assert list(parameters)[:3] == ["model_name", "sentences", "pairs"]


def test_a_parameter_takes_a_file_when_its_type_admits_a_path(
    parameters: dict[str, Parameter],
) -> None:
    assert [p.name for p in parameters.values() if p.takes_file] == ["sentences", "pairs", "labels"]


@pytest.mark.parametrize(
    "annotation",
    [
        "list[str]",
        "'list[str]'",
        "typing.Optional[list]",
        "Union[list[str], None]",
        "tuple[str, ...]",
        "tuple[str, str] | list[str]",
    ],
)
def test_common_spellings_of_types_are_understood(tmp_path: Path, annotation: str) -> None:
    parameters = read_parameters(notebook(tmp_path, f"x: {annotation} = ['a', 'b']"))
    assert check(parameters, x=["c", "d"]) == {"x": ["c", "d"]}


@pytest.mark.parametrize(
    ("default", "annotation"),
    [("3", "int"), ("0.5", "float"), ("True", "bool"), ("['a']", "list[str]"), ("{}", "dict")],
)
def test_a_plain_assignment_takes_the_type_of_its_default(
    tmp_path: Path, default: str, annotation: str
) -> None:
    assert read_parameters(notebook(tmp_path, f"x = {default}"))["x"].annotation == annotation


def test_a_notebook_without_the_tag_has_no_parameters(tmp_path: Path) -> None:
    path = tmp_path / "03_installation.ipynb"
    path.write_text('{"cells": [], "nbformat": 4}')
    assert read_parameters(path) == {}


def test_a_path_may_have_its_default_written_as_text(tmp_path: Path) -> None:
    """The file is looked for when the notebook runs, not when the cell is read."""
    parameters = read_parameters(notebook(tmp_path, "x: list[str] | Path = 'mine.txt'"))
    assert parameters["x"].default == "mine.txt"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a = ['x']\nn = len(a)", r"07_semantic_search.ipynb.*line 2.*len\(a\).*literals only"),
        ("import os", "line 1.*import os.*not allowed.*imports from pathlib and typing"),
        ("print('hello')", "line 1.*not allowed"),
        ("a, b = 1, 2", "line 1.*not allowed"),
        ("x: Path = Path('a.txt')", "literals only"),
        ("x: int", "a default is a literal"),
        ("x = f'{1}'", "literals only"),
        ("x = {1, 2}", "no parameter can be a set"),
        ("x: complex = 1", "unknown type 'complex'.*Types: int, float"),
        ("x: list[Path] = []", "Path stands by itself"),
        ("x: dict[int, str] = {}", "unknown type 'dict.int, str.'"),
        ("x: __import__('os').system('true') = 1", "unknown type"),
        ("x: Literal[f()] = 1", "a Literal lists texts"),
        ("x: int = '3'", "default is wrong: expected int, got '3'"),
        ("x: Literal['a'] = 'b'", "default is wrong: 'b' is not one of 'a'"),
        ("x = 1\nx = 2", "line 2.*'x' is set a second time"),
        ("%matplotlib inline", "line 1.*not Python.*Allowed here"),
    ],
)
def test_a_cell_with_more_than_literals_is_refused(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_parameters(notebook(tmp_path, source))


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "-" * 100_000 + "1",
        "x = " + "[" * 100_000,
        "x: " + "int | " * 5_000 + "int = 1",
        "x: " + "a." * 5_000 + "a = 1",
        "x: 'list[" + "int | " * 5_000 + "int]' = 1",
        "x = 'a\0b'",
        "x = " + "not " * 100_000 + "1",
    ],
    ids=range(7),
)
def test_a_cell_that_is_nested_too_deeply_is_refused(tmp_path: Path, source: str) -> None:
    """In one message, as any other."""
    with pytest.raises(RequestError, match=r"^07_semantic_search.ipynb, parameters cell"):
        read_parameters(notebook(tmp_path, source))


def test_a_cell_of_many_lines_is_read_in_proportion_to_its_length(tmp_path: Path) -> None:
    started = time.process_time()
    lines = "\n".join(f"a{number}: int = 1  # the {number}th" for number in range(4_000))
    assert len(read_parameters(notebook(tmp_path, lines))) == 4_000
    assert time.process_time() - started < 10


def test_source_in_messages_and_tables_is_on_one_line(tmp_path: Path) -> None:
    """Whatever ends its lines, and whatever letters come before."""
    cell = "é = 'é'; x: list[\r\n  int\r] = [1]\ny = len(\n'ü')"
    with pytest.raises(RequestError, match=r"line 4: \"y = len\( 'ü'\)\": a default is a literal"):
        read_parameters(notebook(tmp_path, cell))
    rows = parameters_table(notebook(tmp_path, cell.partition("\ny")[0]))
    assert rows[1]["type"] == "list[ int ]"


def test_nothing_in_the_cell_is_run(tmp_path: Path) -> None:
    """Reading the parameters of a notebook somebody sent is safe."""
    trap = tmp_path / "trap"
    with pytest.raises(RequestError):
        read_parameters(notebook(tmp_path, f"x: open({str(trap)!r}, 'w') = 1"))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not a Jupyter notebook"),
        ('{"worksheets": []}', "version 4"),
        ("[]", "version 4"),
        ("[" * 100_000, "version 4"),
        *(
            (json.dumps({"nbformat": 4, "cells": [], "metadata": {}} | change), "version 4")
            for change in (
                {"nbformat": 3},
                {"nbformat": "4"},
                {"cells": {}},
                {"cells": ["x"]},
                {"metadata": []},
                {"metadata": {"kernelspec": 7}},
                {"metadata": {"kernelspec": {"name": 7}}},
                {"metadata": {"language_info": "python"}},
                {"metadata": {"language_info": {"name": 7}}},
                *(
                    {"cells": [{"cell_type": "code", "source": "", "metadata": {}} | wrong]}
                    for wrong in (
                        {"cell_type": 7},
                        {"source": 7},
                        {"source": ["x", 7]},
                        {"metadata": None},
                        {"metadata": {"tags": 7}},
                        {"metadata": {"tags": "parameters"}},
                        {"id": 7},
                        {"attachments": {"a.png": "x"}},
                    )
                ),
            )
        ),
    ],
)
def test_a_file_that_is_no_notebook_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "08_heatmap.ipynb"
    path.write_text(content)
    with pytest.raises(RequestError, match=f"08_heatmap.ipynb: .*{words}"):
        read_parameters(path)


def test_a_notebook_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = notebook(tmp_path)
    path.write_bytes(path.read_bytes() + b"\xff")
    with pytest.raises(RequestError, match="not a Jupyter notebook"):
        read_parameters(path)


def test_two_tagged_cells_are_refused(tmp_path: Path) -> None:
    path = notebook(tmp_path)
    content = json.loads(path.read_text())
    content["cells"] *= 2
    path.write_text(json.dumps(content))
    with pytest.raises(RequestError, match="2 cells are tagged 'parameters'"):
        read_parameters(path)


def test_the_table_shows_short_defaults(tmp_path: Path) -> None:
    rows = parameters_table(notebook(tmp_path, f"x: list[str] = ['{'long ' * 50}']  # texts"))
    assert rows[0]["type"] == "list[str]"
    assert rows[0]["help"] == "texts"
    assert len(rows[0]["default"]) == 60
    assert rows[0]["default"].endswith("…")


# Values ----------------------------------------------------------------------------------------


def test_right_values_come_out_as_plain_json(parameters: dict[str, Parameter]) -> None:
    """Tuples are lists and 1 is 1.0, so that equal requests have equal digests."""
    values = check(parameters, pairs=[["a", "b"]], threshold=1, b=None, top_k=5, cluster=True)
    expected = {
        "pairs": [["a", "b"]], "threshold": 1.0, "b": None, "top_k": 5, "cluster": True,
    }  # fmt: skip
    assert json.dumps(values) == json.dumps(expected)


def test_an_unknown_name_gets_the_message_of_the_style_guide(
    parameters: dict[str, Parameter],
) -> None:
    with pytest.raises(RequestError) as caught:
        check(parameters, **{"top-k": 5})
    assert str(caught.value) == (
        "preset 'support.yaml': unknown parameter 'top-k' for 07_semantic_search. "
        "Did you mean 'top_k'?"
    )


def test_an_unknown_name_like_no_other_gets_the_list(parameters: dict[str, Parameter]) -> None:
    with pytest.raises(RequestError, match="Choose from: model_name, sentences, pairs"):
        check(parameters, xyz=5)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("top_k", "3", "'top_k' of 07_semantic_search: expected int, got '3'.*without quotes"),
        ("top_k", True, "expected int, got True"),
        ("top_k", 3.0, "expected int, got 3.0"),
        ("top_k", None, "expected int, got nothing"),
        ("threshold", "0.5", "expected float, got '0.5'.*without quotes"),
        ("threshold", True, "expected float, got True"),
        ("threshold", float("nan"), "expected float, got nan"),
        ("cluster", 1, "expected bool, got 1"),
        ("cluster", "yes", "expected bool, got 'yes'. Write true or false"),
        ("model_name", 12, "expected str, got 12. Put quotes around it"),
        ("queries", "Why?", r"expected list\[str\], got 'Why\?'. Write a list: \['Why\?'\]"),
        ("queries", ["a", 12], r"got 12 \(item 2\). Put quotes around it"),
        ("pairs", [["a", "b"], ["c"]], r"got \['c'\] \(item 2\)"),
        ("pairs", 5, r"expected list\[tuple\[str, str\]\] \| Path, got 5"),
        ("b", "None", "expected int . None, got 'None'. Write null for none"),
        ("order", "scor", "'scor' is not one of 'input', 'score'. Did you mean 'score'"),
        ("order", 3, "3 is not one of 'input', 'score'"),
        ("model_name", "\ud800", "expected str"),
    ],
)
def test_a_wrong_value_is_named_with_the_repair(
    parameters: dict[str, Parameter], name: str, value: Any, words: str
) -> None:
    with pytest.raises(RequestError, match=f"preset 'support.yaml': parameter .*{words}"):
        check(parameters, **{name: value})


def test_true_is_no_choice_of_one(tmp_path: Path) -> None:
    parameters = read_parameters(notebook(tmp_path, "x: Literal[1, 2] = 1"))
    with pytest.raises(RequestError, match="True is not one of 1, 2"):
        check(parameters, x=True)


def test_a_list_inside_itself_is_refused(tmp_path: Path) -> None:
    parameters = read_parameters(notebook(tmp_path, "x = []"))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RequestError, match="expected list"):
        check(parameters, x=endless)


# Files -----------------------------------------------------------------------------------------


def test_a_text_for_a_path_is_a_file_relative_to_the_base(
    parameters: dict[str, Parameter], tmp_path: Path
) -> None:
    (tmp_path / "my.txt").write_text("One.\nTwo.\n")
    values = check_values(parameters, {"sentences": "my.txt"}, place="", base=tmp_path)
    assert values == {"sentences": tmp_path / "my.txt"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("gone.txt", "'gone.txt' does not exist"),
        (".", "is a folder"),
        ("x" * 5000, "cannot be read"),
        ("a\0b", "does not exist|cannot be read"),
        (Path("gone.txt"), "'gone.txt' does not exist"),
    ],
)
def test_a_file_that_is_not_there_says_where_it_was_looked_for(
    parameters: dict[str, Parameter], tmp_path: Path, value: str | Path, words: str
) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        check_values(parameters, {"sentences": value}, place="", base=tmp_path)
    assert f"Looked for it in {tmp_path}" in str(caught.value)


def test_a_file_that_may_not_be_read_is_refused(
    parameters: dict[str, Parameter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text("One.")

    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(RequestError, match=r"cannot be read .Permission denied"):
        check_values(parameters, {"sentences": "secret.txt"}, place="", base=tmp_path)


# The command line ------------------------------------------------------------------------------


def test_text_stays_text_on_the_command_line(parameters: dict[str, Parameter]) -> None:
    """The parameter's type decides, so no quoting inside quotes is needed."""
    for text in ("yes", "12", "null", "", "[a]", "a: b", "#5", "x=y"):
        assert typed(parameters, f"model_name={text}") == {"model_name": text}


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("top_k=5", 5),
        ("threshold=1", 1.0),
        ("threshold=1e-3", 0.001),
        ("cluster=true", True),
        ("b=null", None),
        ("b=7", 7),
        ("order=score", "score"),
        ('queries=[how so, "Why?"]', ["how so", "Why?"]),
        ("pairs=[[a, b]]", [["a", "b"]]),
        ("note=12", "12"),
        ("note=null", None),
        ("note=", ""),
        ("labels=null", None),
    ],
)
def test_a_typed_value_is_read_by_the_type(
    parameters: dict[str, Parameter], assignment: str, value: Any
) -> None:
    assert list(typed(parameters, assignment).values()) == [value]


@pytest.mark.parametrize("name", ["my file.txt", "12", "a: b.txt"])
def test_any_file_name_can_be_typed(
    parameters: dict[str, Parameter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("One.")
    assert typed(parameters, f"sentences={name}") == {"sentences": tmp_path / name}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("top_k", "-p 'top_k': expected NAME=VALUE, for example -p top_k=5"),
        ("=5", "expected NAME=VALUE"),
        ("top_k=five", "command line: parameter 'top_k'.*expected int, got 'five'"),
        ("top_k=#5", "expected int, got '#5'"),
        ("top_k=5.5", "expected int, got 5.5"),
        (
            "queries=[Why?]",
            r"expected list\[str\], got '\[Why\?\]'. Put each text in double quotes",
        ),
        ("queries=[1]", r"got 1 \(item 1\)"),
        ("topk=5", "Did you mean 'top_k'"),
        ("sentences=gone.txt", "'gone.txt' does not exist"),
    ],
)
def test_a_wrong_assignment_is_refused(
    parameters: dict[str, Parameter], assignment: str, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        typed(parameters, assignment)


@pytest.mark.parametrize("value", ["[" * 10_000, "{a: " * 10_000, "&a [*a]", "- " * 10_000])
def test_a_typed_value_that_is_nested_too_deeply_is_refused(
    parameters: dict[str, Parameter], value: str
) -> None:
    with pytest.raises(RequestError, match="expected int, got"):
        check(parameters, top_k=CommandLineText(value))


def test_the_module_imports_without_the_heavy_libraries() -> None:
    """A wrong request is answered at once, before torch or pandas are imported."""
    code = "import sys, stslab.report.request.presets; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "pandas", "numpy", "matplotlib", "nbformat", "papermill", "nbconvert"}
    assert heavy & set(re.split(r"\s+", out.stdout)) == set()
