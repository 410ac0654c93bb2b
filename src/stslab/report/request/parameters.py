"""The parameters cell of a notebook, which is the schema for its values.

The cell is read, never run: its syntax tree gives names, types and defaults, its comments the
help. So a wrong request is refused before any kernel starts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Union

from ..messages import RequestError, short_repr
from .source import read_notebook
from .values import Parameter, validated

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
    """Read the cell tagged ``parameters`` of a notebook, in its order; empty without the tag."""
    sources = [
        "".join(cell["source"])
        for cell in read_notebook(notebook)["cells"]
        if cell["cell_type"] == "code" and "parameters" in cell.get("metadata", {}).get("tags", ())
    ]
    if not sources:
        return {}
    if len(sources) > 1:
        raise RequestError(
            f"{notebook.name}: {len(sources)} cells are tagged 'parameters'. Keep the tag on one."
        )
    return read_cell(sources[0], f"{notebook.name}, parameters cell")


def parameters_table(notebook: Path) -> list[dict[str, str]]:
    """Describe a notebook's parameters: rows of ``name, type, default, help``, all text."""
    return [
        {
            "name": parameter.name,
            "type": parameter.annotation,
            "default": short_repr(parameter.default),
            "help": parameter.help,
        }
        for parameter in read_parameters(notebook).values()
    ]


def read_cell(source: str, place: str) -> dict[str, Parameter]:
    """Read the source of a parameters cell; `place` names it in messages."""
    try:
        return _read_cell(source, place)
    except (MemoryError, RecursionError):  # what Python's own parser and tree raise
        raise RequestError(f"{place}: nested too deeply to be read. {ALLOWED}.") from None


def _read_cell(source: str, place: str) -> dict[str, Parameter]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        line = f"{place}, line {error.lineno}"
        raise RequestError(f"{line}: not Python ({error.msg}). {ALLOWED}.") from None
    except ValueError:  # NUL, half a character
        raise RequestError(f"{place}: not Python. {ALLOWED}.") from None
    comments = _Comments(source)
    # In bytes, as the columns in a syntax tree count them.
    lines = [line.encode() for line in re.split(r"\r\n|\r|\n", source)]
    parameters: dict[str, Parameter] = {}
    for statement in statements:
        if _is_import_for_types(statement):
            continue
        subject = f"{place}, line {statement.lineno}: {short_repr(_code(statement, lines))}"
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                type_node: ast.expr | None = annotation
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                type_node = None
            case _:
                raise RequestError(f"{subject} is not allowed. {ALLOWED}.")
        if name in parameters:
            raise RequestError(f"{subject}: {name!r} is set a second time. Keep one line.")
        default = _literal(value, subject)
        type_ = _type_of(type_node, default, subject)
        written_type = _written_type(type_node, type_, lines)
        parameter = Parameter(name, written_type, type_, default, comments.comment_on(statement))
        _check_default(parameter, subject)
        parameters[name] = parameter
    return parameters


def _is_import_for_types(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom(module="pathlib" | "typing" | "__future__"):
            return True
        case ast.Import(names=aliases):
            return {alias.name for alias in aliases} <= {"pathlib", "typing"}
    return False


def _literal(value: ast.expr | None, subject: str) -> Any:
    """Return the value of a literal; raise RequestError if it is none."""
    literal = ...
    if value is not None:
        with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            literal = ast.literal_eval(value)
    if literal is ...:  # nobody's default, so it can stand for none
        raise RequestError(
            f"{subject}: a default is a literal (numbers, texts, lists of them; a path is "
            "written as a text): literals only, because a derived value would go stale when "
            "a preset changes its source. Derive it in the next cell."
        )
    return literal


def _type_of(node: ast.expr | None, default: Any, subject: str) -> Any:
    """Return a parameter's type: the annotated one, or else that of the default."""
    try:
        if node is None:
            return _inferred(default)
        return _resolved(node)
    except ValueError as error:
        raise RequestError(f"{subject}: {error}. {TYPES}.") from None


def _check_default(parameter: Parameter, subject: str) -> None:
    """Raise RequestError if the default has not the parameter's type."""
    if parameter.takes_file and isinstance(parameter.default, str):
        return  # a path; whether the file is there is the notebook's affair
    try:
        validated(parameter.default, parameter)
    except ValueError as error:
        raise RequestError(f"{subject}: the default is wrong: {error}") from None


def _written_type(node: ast.expr | None, type_: Any, lines: list[bytes]) -> str:
    """Return a type as the cell writes it, or the name of the inferred one."""
    match node:
        case None if isinstance(type_, type):
            return type_.__name__
        case None:
            return str(type_)
        case ast.Constant(value=str(text)):  # an annotation in quotes
            return text
    return _code(node, lines)


class _Comments:
    """The comments of a cell, by line."""

    def __init__(self, source: str) -> None:
        self.behind_code: dict[int, str] = {}
        self.alone: dict[int, str] = {}
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                comments = self.alone
                if token.line[:column].strip():
                    comments = self.behind_code
                comments[line] = token.string.lstrip("#").strip()

    def comment_on(self, statement: ast.stmt) -> str:
        """Return the comment behind a statement, or else the lines of comments above it."""
        for line in (statement.end_lineno, statement.lineno):
            if line and self.behind_code.get(line):
                return self.behind_code[line]
        comments_above: list[str] = []
        line = statement.lineno - 1
        while line in self.alone:
            comments_above.insert(0, self.alone[line])
            line -= 1
        return " ".join(comments_above).strip()


def _code(node: ast.stmt | ast.expr, lines: list[bytes]) -> str:
    """Return a node's source on one line.

    `ast.get_source_segment` would split the whole source for each node.
    """
    node_lines = lines[node.lineno - 1 : node.end_lineno]
    # The end first: of a node on one line, cutting the beginning would move it.
    node_lines[-1] = node_lines[-1][: node.end_col_offset]
    node_lines[0] = node_lines[0][node.col_offset :]
    return " ".join(b" ".join(node_lines).decode().split())


def _inferred(default: Any) -> Any:
    """Return the type of a default, for a parameter without an annotation."""
    if default is None:
        return Any
    if isinstance(default, list) and len({type(item) for item in default}) == 1:
        return list[_inferred(default[0])]  # type: ignore[misc]
    if type(default) not in _SIMPLE.values():
        raise ValueError(f"no parameter can be a {type(default).__name__}")
    return type(default)


def _resolved(node: ast.expr, inside: bool = False) -> Any:
    """Turn an annotation's syntax tree into a typing object; nothing is evaluated."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            try:
                return _resolved(ast.parse(text, mode="eval").body, inside)
            except SyntaxError:
                raise ValueError(f"unknown type {text!r}") from None
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="pathlib" | "typing"), attr=name):
            if name == "Path" and inside:
                raise ValueError("Path stands by itself or in a union, one file a parameter")
            if name in _SIMPLE:
                return _SIMPLE[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[_resolved(left, inside), _resolved(right, inside)]  # noqa: UP007
        case ast.Subscript(
            value=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="typing"), attr=name),
            slice=index,
        ):
            items = [index]
            if isinstance(index, ast.Tuple):
                items = index.elts
            return _subscripted(name, items, inside)
    raise ValueError(f"unknown type {ast.unparse(node)!r}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _subscripted(name: str, items: list[ast.expr], inside: bool) -> Any:
    """Turn ``name[items]`` into a typing object."""
    if name == "Literal":
        return _literal_type(items)
    if not items and name != "tuple":
        raise ValueError(f"unknown type '{name}[()]'")
    if name in ("Optional", "Union"):
        branches = [_resolved(item, inside) for item in items]
        if name == "Optional":
            branches.append(None)
        return Union[tuple(branches)]  # noqa: UP007
    item_types: list[Any] = []
    for item in items:
        if _is_ellipsis(item):
            item_types.append(...)
        else:
            item_types.append(_resolved(item, inside=True))
    if _fits(name, item_types):
        return _SIMPLE[name][tuple(item_types)]
    raise ValueError(f"unknown type '{name}[{', '.join(map(ast.unparse, items))}]'")


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _fits(name: str, item_types: list[Any]) -> bool:
    """Return whether a container can have items of these types, of which ``...`` is one."""
    if name == "tuple" and len(item_types) == 2 and item_types[1] is ...:
        return item_types[0] is not ...
    if ... in item_types:
        return False
    if name == "list":
        return len(item_types) == 1
    if name == "dict":
        return len(item_types) == 2 and item_types[0] is str
    return name == "tuple"


def _literal_type(items: list[ast.expr]) -> Any:
    try:
        values = tuple(ast.literal_eval(item) for item in items)
    except ValueError:
        values = ()
    if not values or not all(map(_can_be_listed, values)):
        raise ValueError("a Literal lists texts, whole numbers, True, False or None")
    return Literal[values]


def _can_be_listed(value: Any) -> bool:
    """Return whether a Literal can list a value: no half a character, and nothing compound."""
    if isinstance(value, str):
        return _is_unicode(value)
    return isinstance(value, (int, type(None)))
