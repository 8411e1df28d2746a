"""One HTTP exchange: what arrived, what is answered, and how it goes over the wire (HTTP/1.1, keep-alive)."""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

type Json = Any


class NotHttpError(Exception):
    """The bytes are no HTTP request."""


@dataclass
class Request:
    """One request as it arrived. `args` and `scopes` are filled in on the way through the fake."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    args: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        parts = urlsplit("//sandbox" + self.target if self.target.startswith("/") else self.target)
        self.path = unquote(parts.path)
        self.query_string = parts.query
        self.query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}

    def many(self, name: str) -> list[str]:
        """Values of a query parameter that may be repeated or joined by commas."""
        pairs = parse_qsl(self.query_string, keep_blank_values=True)
        return [part for key, value in pairs if key == name for part in value.split(",") if part]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    def json(self) -> Json:
        """The JSON body; ValueError says that it is none."""
        return json.loads(self.body)

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass
class Answer:
    """A status, a body (JSON; `bytes` go out as they are; None is an empty body) and headers."""

    status: int
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    def wire(self, *, keep_alive: bool, head: bool = False) -> bytes:
        payload = self.payload()
        headers = {"Content-Type": "application/json;charset=utf-8"} if payload else {}
        headers |= self.headers
        if self.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(payload))
        headers["Connection"] = "keep-alive" if keep_alive else "close"
        phrase = HTTPStatus(self.status).phrase if self.status in HTTPStatus else "Unassigned"
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if head else payload)


class RefusalError(Exception):
    """Raised anywhere in a fake to end the request with the vendor's own refusal."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Delivery:
    """What the transport does with an answer; no answer at all means that the connection is dropped."""

    answer: Answer | None
    wait: float = 0.0
    closes_door_for: float | None = None


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection, or None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as overrun:
        raise NotHttpError("headers too long") from overrun
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    try:
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in rest)}
        length = int(headers.get("content-length", "0"))
    except ValueError as broken:
        raise NotHttpError("not HTTP") from broken
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        body = await _read_chunks(reader) if chunked else await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(method.upper(), target, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while (await reader.readline()).strip():
        pass
    return body
