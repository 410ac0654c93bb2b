"""The parameters cell of a notebook is the schema: read it, and check values against it.

The cell is read, never run: its syntax tree gives names, types and defaults, its comments the
help. So a wrong request is refused before any kernel starts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, Union

from .source import read_notebook
from .values import Parameter, RequestError, shown, validated

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
    behind, alone = _comments(source)
    lines = [line.encode() for line in re.split(r"\r\n|\r|\n", source)]
    parameters: dict[str, Parameter] = {}
    for node in statements:
        refused = f"{where}, line {node.lineno}: {shown(_code(node, lines))}"
        match node:
            case ast.ImportFrom(module="pathlib" | "typing" | "__future__"):
                continue
            case ast.Import(names=names) if {each.name for each in names} <= {"pathlib", "typing"}:
                continue
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                annotation: ast.expr | None = getattr(node, "annotation", None)
            case _:
                raise RequestError(f"{refused} is not allowed. {ALLOWED}.")
        if name in parameters:
            raise RequestError(f"{refused}: {name!r} is set a second time. Keep one line.")
        default = ...
        with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            default = ast.literal_eval(node.value or ast.Constant(...))
        if default is ...:
            raise RequestError(
                f"{refused}: a default is a literal (numbers, texts, lists of them; a path is "
                "written as a text): literals only, because a derived value would go stale when "
                "a preset changes its source. Derive it in the next cell."
            )
        try:
            kind = _resolved(annotation) if annotation else _inferred(default)
        except ValueError as error:
            raise RequestError(f"{refused}: {error}. {TYPES}.") from None
        match annotation:
            case None:
                written = kind.__name__ if isinstance(kind, type) else str(kind)
            case ast.Constant(value=str(written)):
                pass
            case _:
                written = _code(annotation, lines)
        comment = behind.get(node.end_lineno or 0) or behind.get(node.lineno)
        comment = comment or _comment_above(node.lineno, alone)
        parameter = Parameter(name, written, kind, default, comment)
        if not (parameter.takes_file and isinstance(default, str)):
            try:
                validated(default, parameter)
            except ValueError as error:
                raise RequestError(f"{refused}: the default is wrong: {error}") from None
        parameters[name] = parameter
    return parameters


def _comments(source: str) -> tuple[dict[int, str], dict[int, str]]:
    """Find a cell's comments by line: those behind code, and those alone on their line."""
    behind: dict[int, str] = {}
    alone: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found = behind if token.line[: token.start[1]].strip() else alone
            found[token.start[0]] = token.string.lstrip("#").strip()
    return behind, alone


def _comment_above(line: int, alone: Mapping[int, str]) -> str:
    above = list(takewhile(lambda each: each in alone, range(line - 1, 0, -1)))
    return " ".join(alone[each] for each in reversed(above)).strip()


def _code(node: ast.stmt | ast.expr, lines: list[bytes]) -> str:
    """Give a node's source on one line; `ast.get_source_segment` splits the whole for each."""
    part = lines[node.lineno - 1 : node.end_lineno]
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return " ".join(b" ".join(part).decode().split())


def _inferred(default: Any) -> Any:
    if default is None:
        return Any
    if isinstance(default, list) and default and len({type(each) for each in default}) == 1:
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
            items = index.elts if isinstance(index, ast.Tuple) else [index]
            return _subscripted(name, items, inside)
    raise ValueError(f"unknown type {ast.unparse(node)!r}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _subscripted(name: str, items: list[ast.expr], inside: bool) -> Any:
    if name == "Literal":
        try:
            values = tuple(ast.literal_eval(item) for item in items)
        except ValueError:
            values = (...,)
        half_characters = any(isinstance(v, str) and not _is_unicode(v) for v in values)
        allowed = all(isinstance(value, (str, int, type(None))) for value in values)
        if values and allowed and not half_characters:
            return Literal[values]
        raise ValueError("a Literal lists texts, whole numbers, True, False or None")
    if not items and name != "tuple":
        raise ValueError(f"unknown type '{name}[()]'")
    if name in ("Optional", "Union"):
        branches = [_resolved(item, inside) for item in items]
        return Union[tuple([*branches, None] if name != "Union" else branches)]  # noqa: UP007
    dots = [isinstance(item, ast.Constant) and item.value is ... for item in items]
    pairs = zip(items, dots, strict=True)
    kinds = tuple(... if dot else _resolved(item, inside=True) for item, dot in pairs)
    fits = {
        "list": dots == [False],
        "tuple": dots == [False, True] or not any(dots),
        "dict": dots == [False, False] and kinds[0] is str,
    }
    if fits.get(name):
        return _SIMPLE[name][kinds]
    raise ValueError(f"unknown type '{name}[{', '.join(map(ast.unparse, items))}]'")
