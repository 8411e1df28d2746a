"""One call to us: the envelope of an API Gateway event (HTTP API, payload 2.0), opened no further than is needed."""

import json
import math
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from switchboard.crm.problem import Fault, Kind, Problem

BODY_BYTES = 1024 * 1024


class Surface(StrEnum):
    """Which clients a path serves; it decides the members of a problem's body."""

    UNIFIED = "unified"
    PODS = "pods"
    RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to us. Header names are lower-case; the body is as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    content: bytes
    trace_id: str
    domain: str = ""
    """The host that was called, as API Gateway tells it; no caller can write it."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the walk learns and the log line says; never anything secret."""

    @classmethod
    def of(cls, event: Mapping[str, Any], trace_id: str) -> "Call":
        """The call that an event carries."""
        http = event["requestContext"]["http"]
        body = event.get("body") or ""
        return cls(
            method=http["method"],
            path=event["rawPath"],
            query=event.get("rawQueryString", ""),
            headers={name.lower(): value for name, value in event.get("headers", {}).items()},
            content=b64decode(body) if event.get("isBase64Encoded") else body.encode(),
            trace_id=trace_id,
            domain=event["requestContext"].get("domainName", ""),
        )

    @property
    def surface(self) -> Surface:
        """The surface that the path belongs to, also where no route does."""
        return surface(self.path)

    def prefers(self, preference: str) -> bool:
        """Whether the caller's `Prefer` header holds this preference (RFC 7240)."""
        given = self.headers.get("prefer", "").replace(" ", "").replace('"', "").lower()
        return preference in given.replace(";", ",").split(",")

    def json(self) -> dict[str, Any]:
        """The JSON object in the body. Raises what is wrong with it: size, type, syntax, a name given twice."""
        if len(self.content) > BODY_BYTES:
            raise Problem(Kind.TOO_LARGE, f"The body is larger than {BODY_BYTES} bytes.")
        media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
            raise Problem(Kind.MEDIA_TYPE, "The body has to be sent as application/json.")
        try:
            body = json.loads(
                self.content.decode(), object_pairs_hook=_once_each, parse_constant=_no_constant, parse_float=_finite
            )
            if b"\\u" in self.content:
                json.dumps(body, ensure_ascii=False).encode()
        except UnicodeDecodeError:
            raise Problem(Kind.MALFORMED, "The body is not UTF-8.") from None
        except UnicodeEncodeError:
            raise Problem(Kind.MALFORMED, "The body holds half of a surrogate pair.") from None
        except RecursionError:
            raise Problem(Kind.MALFORMED, "The body nests too deep.") from None
        except ValueError as fault:
            raise Problem(Kind.MALFORMED, f"The body is not JSON: {fault}.") from None
        if not isinstance(body, dict):
            raise Problem(Kind.MALFORMED, "The body has to be a JSON object.")
        return body


def surface(path: str) -> Surface:
    """The surface that a path belongs to."""
    if path.startswith("/unified"):
        return Surface.UNIFIED
    return Surface.PODS if path.startswith(("/v1/pods", "/v1/templates", "/api/v1/pods", "/pods")) else Surface.RECORDS


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        fault = Fault(twice, "duplicate", "stands twice in one object", "#")
        raise Problem(Kind.MALFORMED, f"{twice}: stands twice in one object", faults=(fault,))
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
