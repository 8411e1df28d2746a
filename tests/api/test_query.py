"""The query grammar: everything that Truto's clients put on the wire, and nothing that could break us."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api import query
from switchboard.api.query import below, parse
from switchboard.crm.problem import Kind, Problem

SAID = [
    ("", {}),
    ("foo=bar", {"foo": "bar"}),
    ("foo=", {"foo": ""}),
    ("foo", {"foo": ""}),
    ("foo=1&bar=true", {"foo": "1", "bar": "true"}),
    ("foo[bar]=baz&foo[bar1][bar2]=baz2", {"foo": {"bar": "baz", "bar1": {"bar2": "baz2"}}}),
    ("foo[]=a&foo[]=b", {"foo": ["a", "b"]}),
    ("foo[]=a", {"foo": ["a"]}),
    ("foo[0]=a&foo[1]=b", {"foo": ["a", "b"]}),
    ("foo[1]=b&foo[0]=a", {"foo": ["a", "b"]}),
    ("foo[10]=k&foo[9]=j", {"foo": ["j", "k"]}),
    ("foo=a&foo=b&foo=c", {"foo": ["a", "b", "c"]}),
    ("foo%5B%5D=a&foo%5B%5D=b", {"foo": ["a", "b"]}),
    ("foo%5B0%5D=a&foo%5b1%5d=b", {"foo": ["a", "b"]}),
    ("foo%5Bbar%5D%5Bbaz%5D=1", {"foo": {"bar": {"baz": "1"}}}),
    ("foo[]=bar&foo[][bar1]=baz1", {"foo": ["bar", {"bar1": "baz1"}]}),
    ("foo[][a]=1&foo[][a]=2", {"foo": [{"a": "1"}, {"a": "2"}]}),
    ("foo[][a]=1&foo[][b]=2", {"foo": [{"a": "1"}, {"b": "2"}]}),
    ("foo[0][a]=1&foo[0][b]=2", {"foo": [{"a": "1", "b": "2"}]}),
    ("foo[a][]=1&foo[a][]=2", {"foo": {"a": ["1", "2"]}}),
    ("created_at[gt]=2026-01-01T00:00:00Z", {"created_at": {"gt": "2026-01-01T00:00:00Z"}}),
    ("status[in]=a,b", {"status": {"in": "a,b"}}),
    ("q=caf%C3%A9+au+lait", {"q": "café au lait"}),
    ("q=a%26b%3Dc", {"q": "a&b=c"}),
    ("a=1&&b=2&", {"a": "1", "b": "2"}),
    ("a[b][c][d][e]=deep", {"a": {"b": {"c": {"d": {"e": "deep"}}}}}),
]


@pytest.mark.parametrize(("raw", "tree"), SAID)
def test_the_grammar_reads(raw: str, tree: Any) -> None:
    assert parse(raw) == tree


REFUSED = [
    ("a[b][c][d][e][f][g]=1", "too_deep"),
    ("a[][][][][][]=1", "too_deep"),
    ("&".join(f"p{index}=1" for index in range(1001)), "too_many"),
    ("foo=1&foo[a]=2", "conflict"),
    ("foo[a]=2&foo=1", "conflict"),
    ("foo[]=1&foo=2", "conflict"),
    ("foo=1&foo[]=2", "conflict"),
    ("foo[a]=1&foo[a][b]=2", "conflict"),
    ("foo[a][b]=2&foo[a]=1", "conflict"),
    ("foo=1&foo=2&foo[a]=3", "conflict"),
    ("__proto__=1", "forbidden_name"),
    ("__proto__[x]=1", "forbidden_name"),
    ("a[__proto__]=1", "forbidden_name"),
    ("a[constructor][prototype]=1", "forbidden_name"),
    ("a%5B__proto__%5D=1", "forbidden_name"),
    ("foo[=1", "malformed"),
    ("foo]=1", "malformed"),
    ("foo[a=1", "malformed"),
    ("foo[a]b=1", "malformed"),
    ("foo[[a]]=1", "malformed"),
    ("[a]=1", "malformed"),
    ("=1", "malformed"),
    ("q=%FF", "not_utf8"),
    ("%C3=1", "not_utf8"),
    ("q=%ED%A0%80", "not_utf8"),
]


@pytest.mark.parametrize(("raw", "code"), REFUSED, ids=[raw[:30] for raw, _ in REFUSED])
def test_the_grammar_refuses(raw: str, code: str) -> None:
    with pytest.raises(Problem) as raised:
        parse(raw)
    assert raised.value.kind is Kind.INVALID
    assert [fault.code for fault in raised.value.faults] == [code]


def test_a_thousand_parameters_are_taken() -> None:
    assert len(parse("&".join(f"p{index}=1" for index in range(1000)))) == 1000


def test_a_refusal_names_the_parameter() -> None:
    with pytest.raises(Problem) as raised:
        parse("good=1&bad=1&bad[x]=2")
    assert raised.value.faults[0].field == "bad"


def test_an_index_of_five_thousand_digits_is_a_fault_and_no_accident() -> None:
    with pytest.raises(Problem):
        parse(f"foo[{'9' * 5000}]=a&foo[1]=b")


def test_every_empty_bracket_begins_an_element_also_behind_a_numbered_one() -> None:
    assert parse("foo[1]=a&foo[]=b") == {"foo": ["a", "b"]}


NAMES = st.text(st.characters(exclude_characters="[]", codec="utf-8"), min_size=1, max_size=6).filter(
    lambda name: name not in query.FORBIDDEN and not name.isdecimal()
)
VALUES = st.text(st.characters(codec="utf-8"), max_size=6)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES,
        lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def depth(node: Any) -> int:
    match node:
        case dict():
            return 1 + max(map(depth, node.values()), default=0)
        case list():
            return 1 + max(map(depth, node), default=0)
        case _:
            return 0


@given(TREES.filter(lambda tree: depth(tree) <= query.DEPTH))
def test_a_tree_that_is_made_flat_is_read_as_the_same_tree(tree: dict[str, Any]) -> None:
    assert parse(urlencode(flat(tree))) == tree


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_both_spellings_of_an_array_are_one(values: list[str]) -> None:
    bare = "&".join(f"foo[]={quote(value, safe='')}" for value in values)
    indexed = "&".join(f"foo%5B{index}%5D={quote(value, safe='')}" for index, value in enumerate(values))
    assert parse(bare) == parse(indexed) == {"foo": values}


PIECES = st.sampled_from(
    ["foo", "[", "]", "[]", "[0]", "[a]", "=", "&", "1", "%5B", "%5D", "%", "%FF", "__proto__", "é", "+"]
)


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_whatever_is_asked_the_answer_is_a_tree_or_a_problem(raw: str) -> None:
    try:
        found: object = {type(value) for value in flat(parse(raw)).values()} - {str}
    except Problem as problem:
        found = (problem.kind, len(problem.faults))
    assert found in (set(), (Kind.INVALID, 1))


def flat(tree: dict[str, Any]) -> dict[str, str]:
    """A tree written down: what `parse` reads, the other way."""
    found: dict[str, str] = {}

    def walk(name: str, node: Any) -> None:
        match node:
            case dict():
                for key, value in node.items():
                    walk(f"{name}[{key}]", value)
            case list():
                for index, value in enumerate(node):
                    walk(f"{name}[{index}]", value)
            case _:
                found[name] = node

    for name, node in tree.items():
        walk(name, node)
    return found


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("remote_query[dry]=1", (("dry", "1"),)),
        ("remote_query[a][b]=c%20d&x=1", (("a[b]", "c d"),)),
        ("remote_query%5Bids%5D%5B%5D=1&remote_query[ids][]=2", (("ids[]", "1"), ("ids[]", "2"))),
        ("remote_query[n]=1&remote_query[n]=2", (("n", "1"), ("n", "2"))),
        ("other[a]=1&remote_queries[a]=1", ()),
    ],
)
def test_what_is_meant_for_the_crm_is_passed_on_as_it_was_written(raw: str, found: tuple[tuple[str, str], ...]) -> None:
    assert below(raw, "remote_query") == found
