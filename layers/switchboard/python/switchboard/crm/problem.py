"""The one error. Everything that goes wrong, here or at a CRM, is a `Problem` of some `Kind`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """One per reaction that a caller can have. The value ends the problem's `type` URI and names its page in README."""

    MALFORMED = "malformed-request"
    TOO_LARGE = "body-too-large"
    MEDIA_TYPE = "unsupported-media-type"
    API_KEY = "invalid-api-key"
    RATE_LIMITED = "rate-limited"
    FORBIDDEN = "insufficient-permissions"
    INVALID = "invalid-request"
    VALIDATION = "validation"
    MISSING_FIELD = "missing-required-field"
    UNSUPPORTED = "unsupported-by-crm"
    NOT_FOUND = "not-found"
    METHOD = "method-not-allowed"
    IN_PROGRESS = "idempotency-in-progress"
    KEY_REUSED = "idempotency-key-reused"
    PRECONDITION = "precondition-failed"
    OUTCOME_UNKNOWN = "outcome-unknown"
    NEEDS_REAUTH = "needs-reauth"
    CRM_REJECTED = "crm-rejected"
    CRM_FORBIDDEN = "crm-forbidden"
    CRM_NOT_FOUND = "crm-not-found"
    CRM_BAD_ID = "crm-bad-id"
    CRM_CONFLICT = "crm-conflict"
    CRM_RATE_LIMITED = "crm-rate-limited"
    CRM_UNAVAILABLE = "crm-unavailable"
    CRM_TIMEOUT = "crm-timeout"
    INTERNAL = "internal-error"


class Outcome(StrEnum):
    """What is certain about the CRM's data after a failure."""

    NOTHING = "nothing"
    """Nothing that changes data was sent."""
    REFUSED = "refused"
    """The CRM answered that it did not do it."""
    UNKNOWN = "unknown"
    """A change was sent and its fate was not told."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request. `pointer` is a JSON pointer with `#` in front, or the name of a parameter."""

    field: str
    code: str
    detail: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """What the CRM itself said."""

    status: int
    code: str | None = None
    message: str | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    request_id: str | None = None
    existing_id: str | None = None


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """A failure that a caller is told about. Its texts are ours; what the CRM said is kept apart in `remote`."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        crm: str | None = None,
        remote: Remote | None = None,
        retry_after: int | None = None,
        outcome: Outcome = Outcome.NOTHING,
        insight: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        told: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.crm = crm
        self.remote = remote
        self.retry_after = retry_after
        self.outcome = outcome
        self.insight = dict(insight or {})
        self.headers = dict(headers or {})
        self.told = told
        """The words that clients of the pods surface know it by, where these are not the detail."""

    def __repr__(self) -> str:
        return f"Problem({self.kind}, {self.detail!r}, outcome={self.outcome})"


def pointer(*steps: str | int) -> str:
    """A JSON pointer into the body (RFC 6901, as a URI fragment)."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointed(path: str) -> str:
    """The pointer of one of our own paths, such as `email_addresses[1].type`."""
    return pointer(*re.findall(r"[^.\[\]]+", path))


def invalid(field_name: str, code: str, detail: str, where: str | None = None) -> Problem:
    """The problem of one invalid field of the body; `where` is its pointer, if the name does not tell."""
    where = where or pointed(field_name)
    return Problem(Kind.INVALID, f"{field_name}: {detail}", faults=(Fault(field_name, code, detail, where),))
