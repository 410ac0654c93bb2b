"""What would make two builds differ is found in the outputs, and the cell is named."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4

from stslab.report.building.volatile import changed_outputs, volatile_outputs


def executed(*outputs: Any) -> Any:
    cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell("f()", id="cell-f")]
    cells[1].outputs = list(outputs)
    return v4.new_notebook(cells=cells)


def shown(text: str, **metadata: Any) -> Any:
    return v4.new_output("display_data", data={"text/plain": text}, metadata=metadata)


def found(*outputs: Any) -> list[str]:
    return list(volatile_outputs(executed(*outputs), Path("/home/me/project")))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<object object at 0x7f3ca41ac9d0>", "an object's address ('at 0x7f3ca41ac9d0')"),
        ("id 0x7f3ca41ac9d0", "an object's address ('0x7f3ca41ac9d0')"),
        ("/tmp/x/ipykernel_4711/1.py:1: UserWarning", "a process id ('ipykernel_4711')"),
        ("worker pid=4711 started", "a process id ('pid=4711')"),
        ("Wall time: 3.2 s", "a timing ('Wall time: 3.2')"),
        ("CPU times: user 12 ms", "a timing ('CPU times: user 12')"),
        ("took 0.31 seconds", "a timing ('took 0.31')"),
        ("100%|██████| 10/10 [00:01<00:00,  9.87it/s]", "a timing ('7it/s')"),
        ("1.3 µs per loop", "a timing ('1.3 µs')"),
        ("2026-11-23 14:49:34", "a time of day ('2026-11-23 14:49')"),
        ("saved in /home/me/project/out", "a path ('/home/me/project')"),
        (f"{tempfile.gettempdir()}/stslab-x/work", f"a path ('{tempfile.gettempdir()}')"),
        (f"{Path.home()}/.cache", f"a path ('{Path.home()}')"),
    ],
)
def test_each_kind_is_found_and_its_cell_named(text: str, what: str) -> None:
    """In what is printed and in what is displayed."""
    for output in (v4.new_output("stream", name="stderr", text=text), shown(text)):
        assert any(
            said.startswith(f"cell 2 (cell-f): its output holds {what}") for said in found(output)
        )


@pytest.mark.parametrize(
    "text",
    [
        "0.4189", "3 msgs", "in 2026", "2026-11-23", "0x10", "pidgin 12", "10 nsec",
        "The cat took a nap.", "colour #7f3ca4", "/home/you", "elapsed",
    ],
)  # fmt: skip
def test_ordinary_outputs_are_left_alone(text: str) -> None:
    assert found(shown(text)) == []


def test_sentences_of_a_user_in_the_helpers_tables_are_left_alone() -> None:
    """They may speak of milliseconds, dates and durations."""
    table = shown("It took 12 ms on 2026-11-23 14:49.", stslab={"kind": "table", "name": "t"})
    assert found(table) == []


def test_addresses_and_paths_are_found_in_the_helpers_outputs_too() -> None:
    """No sentence holds one, and a computed text might."""
    text = shown("<Model at 0x7f3ca41ac9d0>", stslab={"kind": "text"})
    assert len(found(text)) == 1


def test_only_what_is_read_first_counts() -> None:
    """The other forms of an output say the same; base64 is full of accidents."""
    data = {"text/plain": "a heatmap", "image/png": "0x7f3ca41ac9d0", "text/html": "took 3 s"}
    assert found(v4.new_output("display_data", data=data)) == []


def test_an_output_that_changed_by_itself_names_its_cell() -> None:
    same = executed(shown("1"))
    assert list(changed_outputs(same, executed(shown("1")))) == []
    (said,) = changed_outputs(same, executed(shown("2")))
    assert said.startswith("cell 2 (cell-f): its output is not the one of the last build")
