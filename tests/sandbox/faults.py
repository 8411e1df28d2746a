"""Faults that a test or a developer arms through the control plane; each is consumed by the requests it matches."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultKind(StrEnum):
    REFUSED = "refused"
    DROPPED_BEFORE = "dropped_before"
    DROPPED_AFTER = "dropped_after"
    STALLED = "stalled"
    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_SILENT = "rate_limited_silent"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY_HTML = "bad_gateway_html"
    TRUNCATED_JSON = "truncated_json"
    REVOKED_TOKEN = "revoked_token"
    MISSING_SCOPE = "missing_scope"
    DUPLICATE = "duplicate"


PROCESSED_FIRST = frozenset({FaultKind.DROPPED_AFTER, FaultKind.STALLED, FaultKind.TRUNCATED_JSON})
"""After these the record exists although the caller cannot know it; `store` in the fault overrides."""

BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"
)


class FaultError(ValueError):
    """The control plane was asked for a fault that does not exist."""


@dataclass
class Fault:
    kind: FaultKind
    method: str | None = None
    route: str = "*"
    times: int | None = 1
    seconds: float = 1.0
    wait: float = 1.0
    store: bool | None = None
    status: int | None = None
    id: str | None = None

    @property
    def processes(self) -> bool:
        return self.kind in PROCESSED_FIRST if self.store is None else self.store

    def matches(self, method: str, route: str) -> bool:
        return self.method in (None, method) and fnmatchcase(route, self.route)

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Fault":
        unknown = fields.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise FaultError(f"unknown members: {', '.join(sorted(unknown))}")
        try:
            kind = FaultKind(fields.get("kind", ""))
        except ValueError as odd:
            raise FaultError(f"{odd}; kinds: {', '.join(FaultKind)}") from odd
        return cls(kind, **{name: value for name, value in fields.items() if name != "kind"})


class Faults:
    def __init__(self) -> None:
        self.armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def take(self, method: str, route: str) -> Fault | None:
        """The first armed fault that matches; it is used up after `times` (None: never)."""
        for fault in self.armed:
            if not fault.matches(method, route):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
            return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.armed]
