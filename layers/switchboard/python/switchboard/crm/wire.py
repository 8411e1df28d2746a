"""What travels between us and a CRM: requests, responses, and the conversations made of them."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal
from urllib.parse import quote

type Talk[T] = Generator[Request, Response, T]
"""An operation as a conversation: it yields requests, receives responses and ends in a result. It does no I/O."""

type Pairs = tuple[tuple[str, str], ...]
"""Parameters as a caller wrote them; a name may stand there more than once."""

type Party = Literal["api", "token"]
"""Which of a vendor's hosts a request is for: its API, or the one that hands out OAuth tokens."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, without a host: the sender joins the path to the account's host.

    `safe` says that sending it twice changes nothing more than sending it once; only then may it be retried.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    safe: bool = False
    to: Party = "api"
    passed: Pairs = ()
    """What the caller wants passed on untouched, behind the query."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `body` is the parsed JSON, or the text where it is not JSON (then `readable` is false)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    readable: bool = True

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx. The body may still hold a refusal: `Dialect.complaint` knows."""
        return 200 <= self.status < 300


def get(path: str, query: Mapping[str, str] | None = None) -> Request:
    """A read: safe to repeat."""
    return Request("GET", path, query or {}, safe=True)


def post(path: str, json: Any, *, safe: bool = False, passed: Pairs = ()) -> Request:
    """A POST with a JSON body; `safe` where the vendor reads by POST (searches, batch reads)."""
    return Request("POST", path, json=json, safe=safe, passed=passed)


def delete(path: str) -> Request:
    """A removal: repeating it removes nothing more."""
    return Request("DELETE", path, safe=True)


def passing[T](talk: Talk[T], passed: Pairs, *, reads: bool = True) -> Talk[T]:
    """The same conversation, whose first request carries what a caller wants passed on; with `reads` off the first that
    is no GET, so that what is looked at before a change stays as it is."""
    waiting = True
    try:
        request = next(talk)
    except StopIteration as end:
        return end.value
    while True:
        if waiting and (reads or request.method != "GET"):
            request, waiting = replace(request, passed=passed), False
        try:
            response = yield request
        except Exception as fault:
            step = partial(talk.throw, fault)
        else:
            step = partial(talk.send, response)
        try:
            request = step()
        except StopIteration as end:
            return end.value


def segment(value: Any) -> str:
    """An id as one segment of a path, whatever it holds: it cannot name anything beside or above."""
    text = quote(str(value), safe="")
    return text.replace(".", "%2E") if text in (".", "..") else text


def dig(json: Any, path: str) -> Any:
    """The value at a dotted path (`"a.0.b"`), or None wherever the path leaves the document. Never raises."""
    for step in path.split("."):
        if isinstance(json, dict):
            json = json.get(step)
        elif isinstance(json, list) and step.isdecimal() and int(step) < len(json):
            json = json[int(step)]
        else:
            return None
    return json


def many(json: Any, path: str) -> list[dict[str, Any]]:
    """The objects in the list at a dotted path; empty where there is no such list. Never raises."""
    found = dig(json, path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def texts(json: Any, path: str) -> tuple[str, ...]:
    """The strings in the list at a dotted path, or the one string that stands there. Never raises."""
    found = dig(json, path)
    listed = found if isinstance(found, list) else [found]
    return tuple(each for each in listed if isinstance(each, str))


def word(json: Any, path: str) -> str | None:
    """The string at a dotted path, or None. Never raises."""
    found = dig(json, path)
    return found if isinstance(found, str) else None


def inside(body: Any, key: str, beside: str | None = None) -> Any:
    """The object that an envelope holds under a key; the body itself where it has no such envelope. `beside` is what
    tells an envelope of the vendor's from a record that has such a key."""
    held = dig(body, key)
    return held if isinstance(held, dict) and (beside is None or dig(body, beside) is not None) else body


def plant(json: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, making the objects on the way."""
    *way, last = path.split(".")
    for step in way:
        json = json.setdefault(step, {})
    json[last] = value


def merged(under: Any, over: Any) -> Any:
    """`over` laid deep over `under`: objects merge, everything else (arrays too) is replaced."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}}
