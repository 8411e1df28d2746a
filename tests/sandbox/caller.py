"""A small HTTP client of the sandbox, for its own tests and for scripts: no retries, no redirects, no pool."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def _bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}


class Caller:
    def __init__(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        kind: str = "oauth2",
        sign: Callable[[dict[str, Any]], dict[str, str]] = _bearer,
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.url = url
        self.headers = headers or {}
        self.kind, self.sign = kind, sign

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 5.0,
    ) -> Reply:
        sent = self.headers | (headers or {})
        payload = None
        if form is not None:
            payload, sent = urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"} | sent
        elif body is not None:
            payload, sent = json.dumps(body).encode(), {"Content-Type": "application/json"} | sent
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path + (f"?{urlencode(query)}" if query else ""), payload, sent)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Reply:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.send("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.send("PATCH", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.send("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.send("DELETE", path, **options)

    # The control plane.

    def grant(self, **wishes: Any) -> dict[str, Any]:
        return self.post("/_sandbox/grants", wishes).json

    def authorised(self, **wishes: Any) -> "Caller":
        """The same CRM, with fresh credentials."""
        return Caller(self.url, self.sign(self.grant(**{"kind": self.kind, **wishes})), self.kind, self.sign)

    def plant(self, noun: str, fields: dict[str, Any]) -> Any:
        return self.post(f"/_sandbox/records/{noun}", fields).json["id"]

    def stored(self, noun: str) -> list[Any]:
        return self.get(f"/_sandbox/records/{noun}").json

    def fault(self, kind: str, **members: Any) -> None:
        self.post("/_sandbox/faults", {"kind": kind, **members})

    def adjust(self, **settings: Any) -> None:
        self.post("/_sandbox/settings", settings)

    def counts(self) -> dict[str, int]:
        return self.get("/_sandbox/counts").json
