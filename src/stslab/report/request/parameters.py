"""The parameters cell of a notebook is the schema: read it, and check values against it.

The cell is read, never run: its syntax tree gives names, types and defaults, its comments the
help. So a wrong request is refused before any kernel starts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import Any, Literal, Union

from .source import read_notebook
from .values import (
    Parameter,
    RequestError,
    shown,
    validated,
)

ALLOWED = (
    "Allowed here: 'name: type = literal', 'name = literal', and imports from pathlib and typing"
)
TYPES = (
    "Types: int, float, bool, str, Path, list[…], tuple[…], dict[str, …], Literal[…], "
    "and unions of these with | (None too)"
)
_SIMPLE: dict[str, Any] = {
    kind.__name__: kind for kind in (int, float, bool, str, Path, list, tuple, dict)
}


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Read the cell tagged ``parameters`` of a notebook.

    Parameters
    ----------
    notebook : Path
        An ``.ipynb`` file, version 4.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; empty when no cell has the tag.

    Raises
    ------
    RequestError
        If the file is not a notebook, or the cell holds more than literals.
    """
    tagged = [
        "".join(cell["source"])
        for cell in read_notebook(notebook)["cells"]
        if cell["cell_type"] == "code" and "parameters" in cell.get("metadata", {}).get("tags", ())
    ]
    if len(tagged) > 1:
        raise RequestError(
            f"{notebook.name}: {len(tagged)} cells are tagged 'parameters'. Keep the tag on one."
        )
    return read_cell(tagged[0], f"{notebook.name}, parameters cell") if tagged else {}


def parameters_table(notebook: Path) -> list[dict[str, str]]:
    """Describe a notebook's parameters: rows of ``name, type, default, help``, all text."""
    return [
        {"name": p.name, "type": p.annotation, "default": shown(p.default), "help": p.help}
        for p in read_parameters(notebook).values()
    ]


# The cell --------------------------------------------------------------------------------------


def read_cell(source: str, where: str) -> dict[str, Parameter]:
    """Read the source of a parameters cell; `where` names it in messages."""
    try:
        return _read_cell(source, where)
    except (MemoryError, RecursionError):  # what Python's own parser and tree raise
        raise RequestError(f"{where}: nested too deeply to be read. {ALLOWED}.") from None


def _read_cell(source: str, where: str) -> dict[str, Parameter]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        line = f"{where}, line {error.lineno}"
        raise RequestError(f"{line}: not Python ({error.msg}). {ALLOWED}.") from None
    except ValueError:  # NUL, half a character
        raise RequestError(f"{where}: not Python. {ALLOWED}.") from None
    comments = _Comments(source)
    lines = [line.encode() for line in re.split(r"\r\n|\r|\n", source)]
    parameters: dict[str, Parameter] = {}
    for node in statements:
        if _is_allowed_import(node):
            continue
        refused = f"{where}, line {node.lineno}: {shown(_code(node, lines))}"
        annotation: ast.expr | None = None
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                annotation, value = node.annotation, node.value
            case ast.Assign(targets=[ast.Name(id=name)]):
                value = node.value
            case _:
                raise RequestError(f"{refused} is not allowed. {ALLOWED}.")
        if name in parameters:
            raise RequestError(f"{refused}: {name!r} is set a second time. Keep one line.")
        try:
            default = ast.literal_eval(value) if value is not None else ...
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            default = ...
        if default is ...:
            raise RequestError(
                f"{refused}: a default is a literal (numbers, texts, lists of them; a path is "
                "written as a text): literals only, because a derived value would go stale when "
                "a preset changes its source. Derive it in the next cell."
            )
        try:
            kind = _inferred(default) if annotation is None else _resolved(annotation)
        except ValueError as error:
            raise RequestError(f"{refused}: {error}. {TYPES}.") from None
        text = _written(kind if annotation is None else annotation, lines)
        parameter = Parameter(name, text, kind, default, comments.of(node))
        if not (parameter.takes_file and isinstance(default, str)):
            try:
                validated(default, parameter)
            except ValueError as error:
                raise RequestError(f"{refused}: the default is wrong: {error}") from None
        parameters[name] = parameter
    return parameters


class _Comments:
    """The comments of a cell by line: behind code, and alone on their line."""

    def __init__(self, source: str) -> None:
        self.behind: dict[int, str] = {}
        self.alone: dict[int, str] = {}
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found = self.behind if token.line[: token.start[1]].strip() else self.alone
                found[token.start[0]] = token.string.lstrip("#").strip()

    def of(self, node: ast.stmt) -> str:
        """Give the comment on a statement's last or first line, else right above it."""
        for line in (node.end_lineno or node.lineno, node.lineno):
            if comment := self.behind.get(line):
                return comment
        above = node.lineno - 1
        while above in self.alone:
            above -= 1
        return " ".join(self.alone[line] for line in range(above + 1, node.lineno)).strip()


def _is_allowed_import(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(module="pathlib" | "typing" | "__future__"):
            return True
        case ast.Import(names=names):
            return {alias.name for alias in names} <= {"pathlib", "typing"}
    return False


def _code(node: ast.stmt | ast.expr, lines: list[bytes]) -> str:
    """Give a node's source on one line; `ast.get_source_segment` splits the whole for each."""
    part = lines[node.lineno - 1 : node.end_lineno]
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return " ".join(b" ".join(part).decode().split())


def _written(annotation: ast.expr | Any, lines: list[bytes]) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    if isinstance(annotation, ast.expr):
        return _code(annotation, lines)
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _inferred(default: Any) -> Any:
    if default is None:
        return Any
    if isinstance(default, list) and default and len({type(each) for each in default}) == 1:
        return list[_inferred(default[0])]  # type: ignore[misc]
    if type(default) not in _SIMPLE.values():
        raise ValueError(f"no parameter can be a {type(default).__name__}")
    return type(default)


def _resolved(node: ast.expr, *, inside: bool = False) -> Any:
    """Turn an annotation's syntax tree into a typing object; nothing is evaluated."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            try:
                return _resolved(ast.parse(text, mode="eval").body, inside=inside)
            except SyntaxError:
                raise ValueError(f"unknown type {text!r}") from None
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="pathlib" | "typing"), attr=name):
            if name == "Path" and inside:
                raise ValueError("Path stands by itself or in a union, one file a parameter")
            if name in _SIMPLE:
                return _SIMPLE[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[_resolved(left, inside=inside), _resolved(right, inside=inside)]  # noqa: UP007
        case ast.Subscript(
            value=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="typing"), attr=name),
            slice=index,
        ):
            return _subscripted(
                name, index.elts if isinstance(index, ast.Tuple) else [index], inside
            )
    raise ValueError(f"unknown type {ast.unparse(node)!r}")


def _subscripted(name: str, items: list[ast.expr], inside: bool) -> Any:
    if name == "Literal":
        try:
            values = tuple(ast.literal_eval(item) for item in items)
        except ValueError:
            values = (...,)
        if all(isinstance(value, (str, int, type(None))) for value in values):
            return Literal[values]
        raise ValueError("a Literal lists texts, whole numbers, True, False or None")
    if name in ("Optional", "Union"):
        kinds = [_resolved(item, inside=inside) for item in items]
        return Union[tuple([*kinds, None] if name != "Union" else kinds)]  # noqa: UP007
    kinds = [
        ...
        if isinstance(item, ast.Constant) and item.value is ...
        else _resolved(item, inside=True)
        for item in items
    ]
    match name, kinds:
        case "list", [kind] if kind is not ...:
            return list[kind]  # type: ignore[valid-type]
        case "tuple", [kind, last] if kind is not ... and last is ...:
            return tuple[kind, ...]  # type: ignore[valid-type]
        case "tuple", _ if ... not in kinds:
            return tuple[tuple(kinds)]  # type: ignore[misc]
        case "dict", [key, kind] if key is str and kind is not ...:
            return dict[str, kind]  # type: ignore[valid-type]
    raise ValueError(f"unknown type '{name}[{', '.join(map(ast.unparse, items))}]'")
