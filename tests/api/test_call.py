"""Opening the envelope of an event: what is read from it, and every body that is none."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api.call import BODY_BYTES, Call, Surface, surface
from switchboard.crm.problem import Kind, Problem


def event(body: str | None = None, *, encoded: bool = False, **headers: str) -> dict[str, Any]:
    """An event of an HTTP API, payload 2.0, as far as it matters."""
    found: dict[str, Any] = {
        "version": "2.0",
        "rawPath": "/unified/crm/leads",
        "rawQueryString": "a=1&b%5B%5D=2",
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": "POST", "path": "/unified/crm/leads"}},
        "isBase64Encoded": encoded,
    }
    return found if body is None else found | {"body": body}


def call(content: bytes | str, media: str | None = "application/json") -> Call:
    """A call with this body."""
    content = content if isinstance(content, bytes) else content.encode()
    headers = {} if media is None else {"content-type": media}
    return Call("POST", "/unified/crm/leads", "", headers, content, "0" * 16)


def refusal(content: bytes | str, media: str | None = "application/json") -> Problem:
    with pytest.raises(Problem) as raised:
        call(content, media).json()
    return raised.value


def test_an_event_is_read() -> None:
    found = Call.of(event('{"a": 1}', Content_Type="application/json"), "trace")
    assert found == Call(
        method="POST",
        path="/unified/crm/leads",
        query="a=1&b%5B%5D=2",
        headers={"content-type": "application/json"},
        content=b'{"a": 1}',
        trace_id="trace",
    )


def test_an_encoded_body_is_decoded() -> None:
    body = b64encode('{"a": "café"}'.encode()).decode()
    assert Call.of(event(body, encoded=True, content_type="application/json"), "t").json() == {"a": "café"}


def test_a_body_that_is_not_encoded_is_taken_as_utf_8() -> None:
    assert Call.of(event('{"a": "café"}', content_type="application/json"), "t").json() == {"a": "café"}


def test_an_event_without_body_or_query_is_a_call_all_the_same() -> None:
    bare = event()
    del bare["rawQueryString"]
    found = Call.of(bare, "t")
    assert (found.content, found.query) == (b"", "")


MEDIA = [
    ("application/json", True),
    ("application/json; charset=utf-8", True),
    ("Application/JSON", True),
    ("application/merge-patch+json", True),
    ("application/problem+json; x=y", True),
    ("", False),
    (None, False),
    ("text/plain", False),
    ("text/json", False),
    ("application/jsonp", False),
    ("application/x-www-form-urlencoded", False),
    ("multipart/form-data; boundary=application/json", False),
]


@pytest.mark.parametrize(("media", "taken"), MEDIA)
def test_json_is_taken_and_nothing_else(media: str | None, taken: bool) -> None:
    if taken:
        assert call("{}", media).json() == {}
    else:
        assert refusal("{}", media).kind is Kind.MEDIA_TYPE


def test_a_body_of_a_megabyte_is_taken_and_a_byte_more_is_not() -> None:
    largest = b'{"a":"' + b"x" * (BODY_BYTES - 8) + b'"}'
    assert len(largest) == BODY_BYTES == 1024 * 1024
    assert call(largest).json()
    assert refusal(largest + b" ").kind is Kind.TOO_LARGE


def test_the_size_is_that_of_the_decoded_body() -> None:
    body = b64encode(b'{"a":"' + b"x" * (BODY_BYTES - 8) + b'"}').decode()
    assert Call.of(event(body, encoded=True, content_type="application/json"), "t").json()


def test_a_body_that_is_too_large_is_so_whatever_its_type() -> None:
    assert refusal(b"x" * (BODY_BYTES + 1), "text/plain").kind is Kind.TOO_LARGE


MALFORMED: list[bytes | str] = [
    "", " ", "{", "}", "{}{}", '{"a":}', "{'a': 1}", '{"a": 1,}', "\ufeff{}", '{"a": 01}', '{"a": "\t"}', "nul",
    '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": [{"b": NaN}]}',
    b"\xff\xfe{\x00}\x00", b'{"a": "\xe9"}', b'{"a": "\xed\xa0\x80"}',
    "[]", "1", '"text"', "null", "true",
    "[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, '{"a": ' + "9" * 5000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("content", MALFORMED, ids=lambda content: repr(content[:16]))
def test_what_is_no_json_object_is_malformed(content: bytes | str) -> None:
    assert refusal(content).kind is Kind.MALFORMED


@pytest.mark.parametrize("content", ['{"a": 1e999}', '{"a": [-1e999]}'])
def test_a_number_that_no_double_holds_is_malformed_because_no_crm_could_be_told_it(content: str) -> None:
    assert refusal(content).kind is Kind.MALFORMED


@pytest.mark.parametrize("content", ['{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": [{"b": "x\\udc00y"}]}'])
def test_half_a_surrogate_pair_is_malformed_because_it_cannot_be_written_again(content: str) -> None:
    assert refusal(content).kind is Kind.MALFORMED


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert call('{"a": "\\ud83d\\ude00"}').json() == {"a": "😀"}


@pytest.mark.parametrize(
    "content", ['{"a": 1, "a": 1}', '{"x": {"a": 1, "b": 2, "a": 3}}', '{"x": [{"a": 1, "a": 2}]}']
)
def test_a_name_that_stands_twice_is_named(content: str) -> None:
    problem = refusal(content)
    assert problem.kind is Kind.MALFORMED
    assert [(fault.field, fault.code) for fault in problem.faults] == [("a", "duplicate")]


def test_one_name_in_two_objects_is_no_duplicate() -> None:
    assert call('{"x": {"a": 1}, "y": {"a": 1}}').json() == {"x": {"a": 1}, "y": {"a": 1}}


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_whatever_is_sent_the_answer_is_an_object_or_a_problem(content: bytes) -> None:
    try:
        found: object = call(content).json()
    except Problem as problem:
        found = problem.kind
    assert isinstance(found, dict) or found is Kind.MALFORMED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), JSON, max_size=4))
def test_every_object_is_read_as_it_was_written(body: dict[str, Any]) -> None:
    try:
        written = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a name in the depth held half a surrogate pair
        return
    assert call(written).json() == body


SURFACES = [
    ("/unified/crm/leads", Surface.UNIFIED),
    ("/unified/crm/capabilities", Surface.UNIFIED),
    ("/unified/crm/teapots/7", Surface.UNIFIED),
    ("/unified", Surface.UNIFIED),
    ("/v1/pods", Surface.PODS),
    ("/v1/pods/64b7/x", Surface.PODS),
    ("/v1/templates", Surface.PODS),
    ("/api/v1/pods/new", Surface.PODS),
    ("/api/v1/pods/teapot", Surface.PODS),
    ("/pods/64b7/live", Surface.PODS),
    ("/pods/edit/64b7", Surface.PODS),
    ("/v1/contacts", Surface.RECORDS),
    ("/v1/contacts/search", Surface.RECORDS),
    ("/v1/teapots", Surface.RECORDS),
    ("/", Surface.RECORDS),
    ("", Surface.RECORDS),
    ("/favicon.ico", Surface.RECORDS),
]


@pytest.mark.parametrize(("path", "expected"), SURFACES)
def test_the_beginning_of_a_path_tells_its_surface_also_where_there_is_no_such_path(
    path: str, expected: Surface
) -> None:
    assert surface(path) is expected


PREFERENCES = [
    ("handling=strict", True),
    ("Handling=Strict", True),
    ("handling = strict", True),
    ("respond-async, handling=strict", True),
    ("respond-async;wait=10,handling=strict", True),
    ("handling=strict; foo=bar", True),
    ('handling="strict"', True),
    ("handling=lenient", False),
    ("handling", False),
    ("handling=strictly", False),
    ("strict", False),
    ("", False),
]


@pytest.mark.parametrize(("header", "strict"), PREFERENCES)
def test_a_preference_is_found_in_its_header(header: str, strict: bool) -> None:
    found = Call("POST", "/", "", {"prefer": header}, b"", "t")
    assert found.prefers("handling=strict") is strict


def test_without_the_header_nothing_is_preferred() -> None:
    assert not call("{}").prefers("handling=strict")
