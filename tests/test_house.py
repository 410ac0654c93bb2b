"""The house: two doors of a size that stays, rooms in one direction, no hidden channel.

Each module under ``src/stslab`` is read, not imported, so that none is missed.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import importlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import nbformat
import pytest

import stslab

PACKAGE = Path(stslab.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi"))
APART = ("studies", "stores", "report", "cli", "live", "workshop")
# What notebooks import from.
DOORS = ("stslab", "stslab.studies", "stslab.stores")
# A room imports from those before it, and from what lies open to all.
ROOMS = ["inputs", "models", "scores", "figures", "studies", "stores"]
OPEN = {"wording", "csv_text", "mime_types", "dask_client"}
# The report's rooms: what each may import beside itself. Pages are made and notebooks are run
# without a word about each other.
REPORT = {
    "request": set(),
    "page": {"request"},
    "running": set(),
    "editions": {"request", "page"},
    "building": {"request", "page", "running"},
    "reproducing": {"request", "page", "running", "building"},
}
# What the report takes from elsewhere: where models are and what they are, the cache's state, and
# the reading of files, to refuse one before a notebook runs on it.
OUTSIDE = {"stslab", "stslab.models.finding", "stslab.models.cache"}
OUTSIDE |= {"stslab.inputs.checks", "stslab.inputs.tables", "stslab.mime_types"}
OUTSIDE |= {"stslab.inputs.gold_scale"}
OUTSIDE |= {"stslab.wording", "stslab.dask_client"}  # plurals and lists; a cluster


def name_of(path: Path) -> str:
    """Name a module; a stub is the module that it describes."""
    parts = ("stslab", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path) for path in SOURCES}


def imported_by(path: Path) -> Iterator[str]:
    """List the modules of stslab that a module imports, wherever it does so."""
    package = name_of(path).split(".")[: None if path.stem == "__init__" else -1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        found = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            whole = [f"{module}.{alias.name}" for alias in node.names]
            found = [each if each in MODULES else module for each in whole]
        yield from (each for each in found if each.split(".")[0] == "stslab")


# The stubs name what a door opens on; what it costs to come in is none of the rooms' business.
IMPORTS = {
    name_of(path): set(imported_by(path)) - {name_of(path)}
    for path in SOURCES
    if path.suffix == ".py"
}


def room_of(module: str, folder: str = "stslab") -> str:
    """Name the room, or the file, that a module is in; empty for the folder itself."""
    return module.removeprefix(folder).lstrip(".").split(".")[0]


# Size


def test_the_first_door_has_at_most_34_names() -> None:
    """What a lesson needs to read, score and show, and the words that its sentences need."""
    assert len(stslab.__all__) <= 34, sorted(stslab.__all__)


def test_the_core_stands_on_at_most_19_packages() -> None:
    """Whoever reads the core needs to know these, so each new one is a decision."""
    packages = {
        name
        for path in SOURCES
        if room_of(name_of(path)) not in APART and path.suffix == ".py"
        for name in packages_imported_by(path)
    }
    assert len(packages) <= 19, sorted(packages)


def packages_imported_by(path: Path) -> Iterator[str]:
    """List the packages from elsewhere that a module imports, but for the standard library."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            names = []
        for name in names:
            package = name.split(".")[0]
            if package not in sys.stdlib_module_names and package != "stslab":
                yield package


# Direction


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    allowed = {*ROOMS[: ROOMS.index(room) + 1], *OPEN}
    wrong = {
        module: others
        for module, imports in IMPORTS.items()
        if room_of(module) == room and (others := {room_of(each) for each in imports} - allowed)
    }
    assert wrong == {}


def test_the_core_imports_nothing_that_is_apart() -> None:
    wrong = {
        module: others
        for module, imports in IMPORTS.items()
        if room_of(module) not in APART and (others := {room_of(i) for i in imports} & {*APART})
    }
    assert wrong == {}


def test_only_the_command_imports_the_command() -> None:
    """It stands over reports and stores, so that neither needs the other."""
    importing = {name for name, imports in IMPORTS.items() if "cli" in map(room_of, imports)}
    assert {room_of(name) for name in importing} == {"cli"}


def test_only_the_command_imports_what_workshops_need() -> None:
    importing = {name for name, imports in IMPORTS.items() if "workshop" in map(room_of, imports)}
    assert {room_of(name) for name in importing} <= {"cli", "workshop"}


def test_what_is_open_to_all_imports_nothing_of_ours_but_the_like() -> None:
    wrong = {room: IMPORTS[f"stslab.{room}"] for room in OPEN}
    assert {room: {room_of(each) for each in found} - OPEN for room, found in wrong.items()} == {
        room: set() for room in OPEN
    }


def test_the_report_knows_nothing_of_similarity() -> None:
    """It takes where a model is and what it is, whether the cache is well, and reads files."""
    wrong = {
        module: others
        for module, imports in IMPORTS.items()
        if room_of(module) == "report"
        and (others := {i for i in imports if room_of(i) != "report"} - OUTSIDE)
    }
    assert wrong == {}


@pytest.mark.parametrize("room", ["clients", "filling", "measuring"])
def test_a_room_of_the_stores_imports_no_other_of_them(room: str) -> None:
    """Each stands on what lies beside the rooms; only the opening leads into the clients'."""
    others = {"clients", "filling", "measuring"} - {room}
    wrong = {
        module: found
        for module, imports in IMPORTS.items()
        if room_of(module, "stslab.stores") == room
        and room_of(module) == "stores"
        and (
            found := {room_of(i, "stslab.stores") for i in imports if room_of(i) == "stores"}
            & others
        )
    }
    assert wrong == {}


@pytest.mark.parametrize("room", REPORT)
def test_a_room_of_the_report_imports_only_rooms_before_it(room: str) -> None:
    """What lies beside the rooms is either under them all or over them all."""
    under = under_the_rooms()
    wrong = {}
    for module, imports in IMPORTS.items():
        if room_of(module, "stslab.report") == room:
            beside = {room_of(i, "stslab.report") for i in imports if room_of(i) == "report"}
            if others := beside - {room} - REPORT[room] - under:
                wrong[module] = others
    assert wrong == {}


def under_the_rooms() -> set[str]:
    """Find the modules beside the report's rooms that import no room, directly or not."""
    beside = {
        room_of(module, "stslab.report"): {room_of(i, "stslab.report") for i in imports}
        for module, imports in IMPORTS.items()
        if room_of(module) == "report" and room_of(module, "stslab.report") not in REPORT
    }
    under = set(beside)
    while over := {name for name in under if beside[name] & beside.keys() - under}:
        under -= over
    while over := {name for name in under if beside[name] & ({*REPORT} | (beside.keys() - under))}:
        under -= over
    return under


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also inside functions, and where only a type checker looks."""
    tuple(TopologicalSorter(IMPORTS).static_order())


# No hidden channel


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_results_travel_by_no_hidden_channel(path: Path) -> None:
    """No DataFrame.attrs, no weak dictionary, no private attribute on somebody else's object."""
    hidden = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            private &= node.attr not in ("_replace", "_asdict", "_fields")  # of a named tuple
            ours = ast.unparse(node.value) in ("self", "cls", "super()")
            # The report is made of parts of Jupyter, which it takes as they are.
            if node.attr == "attrs" or (private and not ours and "report" not in path.parts):
                hidden.append(ast.unparse(node))
        elif isinstance(node, ast.Name | ast.alias):
            name = node.id if isinstance(node, ast.Name) else node.name
            hidden += [name] if "WeakKeyDictionary" in name or "weakref" in name else []
    assert hidden == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_private_name_is_imported_from_another_module(path: Path) -> None:
    private = [
        alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert private == []


# Examples and notebooks


def names_without_import(documented: ast.ClassDef | ast.FunctionDef) -> set[str]:
    """Return the names that a docstring's examples use and neither import nor assign."""
    examples = doctest.DocTestParser().get_examples(ast.get_docstring(documented) or "")
    used, bound = set(), {documented.name, *dir(builtins)}
    for node in ast.walk(ast.parse("".join(example.source for example in examples))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        elif isinstance(node, ast.Name):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
    return used - bound


@pytest.mark.parametrize("door", DOORS)
def test_examples_run_as_they_stand(door: str) -> None:
    """Whoever reads `search?` has imported `search`, and copies the rest from there."""
    names = set(importlib.import_module(door).__all__)
    incomplete = {
        node.name: missing
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names
        if (missing := names_without_import(node))
    }
    assert incomplete == {}


NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_come_in_by_the_doors(path: Path) -> None:
    """A learner finds every name that a notebook uses behind one of three doors.

    The report on a class stands on what workshops need, which has a door of its own.
    """
    doors = {*DOORS, "stslab.examples"}
    if path.stem == "report_class":
        doors.add("stslab.workshop")
    imported = set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ImportFrom):
                    imported.add(node.module or "")
                elif isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
    ours = {name for name in imported if name.split(".")[0] == "stslab"}
    assert ours <= doors, sorted(ours - doors)


# Vocabulary

# Words that say nothing of what a name holds: adverbs, prepositions, participles, pronouns.
WORDS = """
about above after again all and any are asked been before behind being below beneath beside between
both came closed done drawn each else found given gone held here how is kept known left like made
meant more most no none now of on one ones other others over own part rest said same seen shown some
such taken that the them then there these thing things this those told tried under wanted was went
were what when where which who whole why with within without
"""
# Public parameters, fields of files that people have or write, number words, Python's own.
KEPT_NAMES = {"about", "done", "left", "when", "why", "ONES", "__all__"}
VOCABULARY = [path for path in SOURCES if path.suffix == ".py"]
# A docstring's first line says what is returned or done: "Return the cells that hold text."
ODD_BEGINNINGS = re.compile(
    r"(Ask|Be|Give|Have|Hear|Hold|How|Know|Let|Part|Say|See|Tell|What|Where|Whether|Who)\b"
)
MOST_CONDITIONAL_EXPRESSIONS = 1  # for 100 lines of code, in each room


def bound_names(tree: ast.Module) -> Iterator[str]:
    """List the names that a module binds: variables, parameters, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("path", VOCABULARY, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_name_says_what_it_holds(path: Path) -> None:
    names = set(bound_names(ast.parse(path.read_text("utf-8"))))
    empty = {name for name in names if name.strip("_").lower() in WORDS.split()}
    assert empty - KEPT_NAMES == set()


@pytest.mark.parametrize("path", VOCABULARY, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_docstring_begins_with_what_is_returned_or_done(path: Path) -> None:
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    beginnings = [
        (ast.get_docstring(node) or "").partition("\n")[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, documented)
    ]
    assert [line for line in beginnings if ODD_BEGINNINGS.match(line)] == []


def test_conditional_expressions_are_rare_in_every_room() -> None:
    """An `if` is read from top to bottom; folded into an expression, from the middle."""
    expressions, lines = Counter[str](), Counter[str]()
    for path in VOCABULARY:
        source = path.read_text("utf-8")
        room = room_of(name_of(path))
        expressions[room] += sum(
            isinstance(node, ast.IfExp) for node in ast.walk(ast.parse(source))
        )
        lines[room] += sum(bool(line.strip()) for line in source.splitlines())
    rates = {room: 100 * expressions[room] / lines[room] for room in lines if lines[room] > 100}
    assert {room: rate for room, rate in rates.items() if rate > MOST_CONDITIONAL_EXPRESSIONS} == {}
