"""The query grammar: bracket objects, `[]` and indexed arrays, in plain or percent-encoded brackets.

foo[bar][baz]=1            {"foo": {"bar": {"baz": "1"}}}
foo[]=a&foo[]=b            {"foo": ["a", "b"]}        also foo[0]=a&foo[1]=b, and foo=a&foo=b
foo[][a]=1&foo[][a]=2      {"foo": [{"a": "1"}, {"a": "2"}]}: every [] begins an element
foo[0][a]=1&foo[0][b]=2    {"foo": [{"a": "1", "b": "2"}]}
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from switchboard.crm.problem import Fault, Kind, Problem

DEPTH = 5
PARAMETERS = 1000
INDEX_DIGITS = 9
FORBIDDEN = frozenset({"__proto__", "constructor", "prototype"})
NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
STEP = re.compile(r"\[([^\[\]]*)\]")

type Tree = dict[str, Any]


def parse(raw: str) -> Tree:
    """A raw query string as nested objects and arrays of strings. Raises `invalid-request` naming the parameter."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict")
    except UnicodeDecodeError:
        raise _fault("query", "not_utf8", "the query is not percent-encoded UTF-8") from None
    except ValueError:
        raise _fault("query", "too_many", f"at most {PARAMETERS} parameters are taken") from None
    tree: Tree = {}
    for name, value in pairs:
        _plant(tree, name, value)
    return {name: _arrays(value) for name, value in tree.items()}


class _Repeated(list[str]):
    """A parameter given more than once without brackets; it may still turn out to be an array."""


def _plant(tree: Tree, name: str, value: str) -> None:
    matched = NAME.fullmatch(name)
    if not matched:
        raise _fault(name, "malformed", "brackets do not match")
    steps = [matched[1], *STEP.findall(matched[2])]
    if len(steps) > DEPTH:
        raise _fault(matched[1], "too_deep", f"nests deeper than {DEPTH}")
    if not FORBIDDEN.isdisjoint(steps):
        raise _fault(matched[1], "forbidden_name", "has a name that is not taken")
    if any(step.isdecimal() and len(step) > INDEX_DIGITS for step in steps[1:]):
        raise _fault(matched[1], "too_large", "has an index that is too large")
    node = tree
    for depth, step in enumerate(steps[:-1], start=1):
        # An empty step begins a new element; elements are kept by number until the end.
        key = step or _next(node) if depth > 1 else step
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise _fault(matched[1], "conflict", "is given both as a value and as an object")
    last = steps[-1] or _next(node)
    if last not in node:
        node[last] = value
    elif isinstance(node[last], dict):
        raise _fault(matched[1], "conflict", "is given both as a value and as an object")
    else:
        before = node[last]
        node[last] = _Repeated([*(before if isinstance(before, _Repeated) else [before]), value])


def _next(node: Tree) -> str:
    """The index behind all that are there."""
    return str(max((int(key) + 1 for key in node if key.isdecimal()), default=0))


def _arrays(node: Any) -> Any:
    """Objects whose keys are all numbers become arrays, in the order of the numbers."""
    if isinstance(node, _Repeated):
        return list(node)
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() for key in node):
        return [_arrays(node[key]) for key in sorted(node, key=int)]
    return {key: _arrays(value) for key, value in node.items()}


def below(raw: str, name: str) -> tuple[tuple[str, str], ...]:
    """The parameters within an object, as they were written: `name[foo][]=x` is `foo[]=x`. `raw` has been parsed."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    steps = [(STEP.findall(given), value) for given, value in pairs if given.partition("[")[0] == name]
    return tuple((first + "".join(f"[{step}]" for step in rest), value) for [first, *rest], value in steps)


def _fault(name: str, code: str, detail: str) -> Problem:
    return Problem(Kind.INVALID, f"{name}: {detail}", faults=(Fault(name, code, detail, name),))
