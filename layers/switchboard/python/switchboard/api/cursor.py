"""Positions in a list, as callers hold them: signed, unreadable, and good for that list alone.

A vendor's position goes into its queries again, so that nobody but us may write one. A position of ours may be that of
a record that the caller may not see, so that nobody but us may read one.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from switchboard.crm.paging import Cursor
from switchboard.crm.problem import Fault, Kind, Problem, pointed

SEAL_BYTES = 16
LENGTH = 8192
"""So long a cursor is read at most; ours are far shorter."""


def seal(key: bytes, where: Any, position: Cursor) -> str:
    """A position of the list that `where` tells of (JSON), for a caller."""
    told = json.dumps(position, separators=(",", ":")).encode()
    given = _seal(key, where, told)
    return urlsafe_b64encode(given + _veiled(key, given, told)).decode().rstrip("=")


def unseal(key: bytes, where: Any, cursor: str, name: str = "next_cursor") -> dict[str, Any]:
    """The position in a cursor of ours, which the caller has sent under that name. Raises `invalid-request` for any
    other, and for one of another list."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) if len(cursor) <= LENGTH else b""
    except ValueError:
        raw = b""
    given = raw[:SEAL_BYTES]
    told = _veiled(key, given, raw[SEAL_BYTES:])
    if not hmac.compare_digest(given, _seal(key, where, told)):
        detail = "is no cursor of this list; a list is read on with the filters that it began with"
        where_ = name if name == "next_cursor" else pointed(name)  # a parameter, or a field of the body
        raise Problem(Kind.INVALID, f"{name}: {detail}", faults=(Fault(name, "invalid_value", detail, where_),))
    return json.loads(told)


def _seal(key: bytes, where: Any, told: bytes) -> bytes:
    bound = json.dumps(where, separators=(",", ":"), sort_keys=True).encode()
    return hmac.digest(key, bound + b"\0" + told, sha256)[:SEAL_BYTES]


def _veiled(key: bytes, given: bytes, told: bytes) -> bytes:
    """The same bytes made unreadable, or readable again: the seal, which no other position has, begins the stream."""
    blocks = range(-(-len(told) // sha256().digest_size))
    stream = b"".join(hmac.digest(key, b"veil" + given + block.to_bytes(4), sha256) for block in blocks)
    return bytes(one ^ other for one, other in zip(told, stream, strict=False))
