"""YAML as people mean it: plain scalars of YAML 1.2, no repeated keys, and line numbers.

This is not ``ruamel.yaml``, version 0.19 of which reads ``010`` as 10, ``1_000`` as 1000 and
``2026-01-31`` as a date, and expands aliases without a limit. Resolvers, lines of paths and the
limit would stay here, so it would be a package more and hardly a line less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Sequence
from itertools import chain
from typing import Any

import yaml

LARGEST = 5_000_000  # characters of a preset with its aliases written out
# What JSON leaves as it is, and YAML takes for the end of a line or refuses.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
LineOf = Callable[[Sequence[object]], int]


class PlainLoader(yaml.SafeLoader):
    """`yaml.SafeLoader` with the scalars of YAML 1.2, refusing repeated keys.

    YAML 1.1 reads ``yes`` as true, ``12:30`` as 750, ``010`` as 8 and ``1e-3`` as text. In a
    preset full of sentences those are surprises: here the first three are text and the last is a
    number.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first_lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:  # before the base class merges `<<`, which may repeat keys
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # the base class explains it
            line = key_node.start_mark.line + 1
            if key in first_lines:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key!r} is here a second time (first in line "
                    f"{first_lines[key]}). Keep one of them",
                    problem_mark=key_node.start_mark,
                )
            first_lines[key] = line
        return super().construct_mapping(node, deep=deep)


# YAML 1.2 core schema, https://yaml.org/spec/1.2.2/#103-core-schema (without octal and hex).
PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("merge", r"^<<$", "<"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$",
        "-+.0123456789",
    ),
):
    PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first)
    )


def _check_size(root: yaml.Node) -> None:
    """Refuse aliases by which a few lines stand for millions of values, or for themselves."""
    sizes: dict[yaml.Node, int] = {}

    def size(node: yaml.Node) -> int:
        if node not in sizes:
            sizes[node] = LARGEST  # while it is open: a node inside itself
            if isinstance(node, yaml.ScalarNode):
                sizes[node] = 1 + len(node.value)
            elif isinstance(node, yaml.MappingNode):
                sizes[node] = 1 + sum(map(size, chain.from_iterable(node.value)))
            else:
                sizes[node] = 1 + sum(map(size, node.value))
            if sizes[node] > LARGEST:
                raise yaml.composer.ComposerError(
                    problem=f"with its aliases written out, this holds more than {LARGEST:,} "
                    "characters. Put the texts into a file",
                    problem_mark=node.start_mark,
                )
        return sizes[node]

    size(root)


def yaml_line(value: Any) -> str:
    """Write plain data on one line, so that `parse_yaml` and any YAML reader give it back exactly.

    It is JSON, in which every text is quoted: bare, ``1e3`` and ``yes`` are texts to one reader and
    a number and a truth to another.

    >>> yaml_line(["1e3", 1e3, "a: b\x85"])
    '["1e3", 1000.0, "a: b\\\\u0085"]'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda character: f"\\u{ord(character[0]):04x}", text)


def yaml_key(name: str) -> str:
    """Write a parameter's name: bare, unless YAML would take it for something else.

    >>> yaml_key("top_k"), yaml_key("null")
    ('top_k', '"null"')
    """
    value, _ = parse_yaml(name)
    if value == name:
        return name
    return yaml_line(name)


def parse_yaml(text: str) -> tuple[Any, LineOf]:
    """Return the value of a YAML document, None if it is empty, and a function that finds lines.

    A path of keys and positions, ``("notebooks", 3, "name")``, has a line (from 1); one that leads
    nowhere has that where it was last on track.
    """
    loader = PlainLoader(text)
    try:
        root = loader.get_single_node()
        if root:
            _check_size(root)
            data = loader.construct_document(root)
        else:
            data = None
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None

    def line_of(path: Sequence[object]) -> int:
        node, line = root, 1
        for key in path:
            if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
                node = node.value[key]
                line = node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                pairs = node.value
                node = None
                for key_node, value_node in pairs:  # the last of a repeated key counts
                    if key_node.value == str(key):
                        node = value_node
                        line = key_node.start_mark.line + 1
            else:
                break
        return line

    return data, line_of
