"""Everything that arrived, in order. Secrets never enter: headers are not kept, token bodies are masked."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import cast

from tests.sandbox.exchange import Json, Request

SECRETS = frozenset(
    {"access_token", "refresh_token", "client_id", "client_secret", "code", "code_verifier", "token", "password"}
    | {"api_token", "assertion", "redirect_uri"}
)


@dataclass
class Entry:
    n: int
    method: str
    path: str
    query: dict[str, str]
    route: str
    status: int | None
    fault: str | None
    body: Json


class Journal:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def arrived(self, request: Request, route: str) -> Entry:
        query, body = masked(request.query), readable_body(request)
        if route == "token" and isinstance(body, dict):
            body = masked(cast("dict[str, Json]", body))
        entry = Entry(len(self.entries) + 1, request.method, request.path, query, route, None, None, body)
        self.entries.append(entry)
        return entry

    def requests(self) -> list[dict[str, Json]]:
        return [asdict(entry) for entry in self.entries]

    def counts(self) -> dict[str, int]:
        """How often each route was called, as "POST leads"; dropped requests arrived too."""
        return dict(Counter(f"{entry.method} {entry.route}" for entry in self.entries))


def masked(pairs: dict[str, Json]) -> dict[str, Json]:
    return {name: "[redacted]" if name in SECRETS else value for name, value in pairs.items()}


def readable_body(request: Request) -> Json:
    if not request.body:
        return None
    if request.is_form:
        return masked(request.form)
    try:
        return json.loads(request.body)
    except ValueError:
        return request.body.decode("utf-8", "replace")
