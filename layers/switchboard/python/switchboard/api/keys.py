"""API keys: `trpt_<brand>_<random>`, shown once and kept as a hash.

`<brand>` is six of a-z and 0-9. `<random>` is 27 characters of base 62 (160 bits) and a checksum of six: a CRC-32 of
all that stands before it, so that a mistyped key is refused without a look-up and a scanner can tell a leaked one.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import choice
from zlib import crc32

from switchboard.api.call import Call, Surface
from switchboard.crm.problem import Kind, Problem
from switchboard.ports import Access, Admission, Exhausted, KeyRefusal

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM = 27
CHECK = 6
FORM = re.compile(rf"trpt_([a-z0-9]{{6}})_[0-9A-Za-z]{{{RANDOM + CHECK}}}", re.ASCII)
WINDOW_SECONDS = 10
LIMIT = 500
"""Calls per window, per key and group of routes, where the key's record says nothing else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: an admitted key."""

    admission: Admission
    window_ends: int

    @property
    def brand(self) -> str:
        return self.admission.brand

    @property
    def limits(self) -> dict[str, str]:
        """Our own limit as headers; the reset is in epoch seconds."""
        return headers(self.admission.limit, self.admission.used, self.window_ends)


def headers(limit: int, used: int, ends: int) -> dict[str, str]:
    """Our own limit as headers, which the unified surface does not have: there they are the CRM's."""
    figures = {"limit": limit, "remaining": max(0, limit - used), "reset": ends}
    return {f"x-ratelimit-{name}": str(figure) for name, figure in figures.items()}


def issue(brand: str) -> str:
    """A new key of a brand."""
    body = f"trpt_{brand}_" + "".join(choice(ALPHABET) for _ in range(RANDOM))
    return body + checksum(body)


def checksum(body: str) -> str:
    """The last six characters of a key, from all before them."""
    number, digits = crc32(body.encode()), ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def brand_of(key: str) -> str | None:
    """The brand in a key that is well formed; no look-up."""
    form = FORM.fullmatch(key)
    return form[1] if form and checksum(key[:-CHECK]) == key[-CHECK:] else None


def digest(key: str) -> str:
    """What is kept of a key. It has 160 bits of its own, so a plain hash is enough."""
    return sha256(key.encode()).hexdigest()


def authenticate(call: Call, access: Access, now: float) -> Caller:
    """Who is calling; counts the call. Every key that does not open the door gets the same 401."""
    kind, _, key = call.headers.get("authorization", "").partition(" ")
    key = key.strip()
    brand = brand_of(key) if kind.lower() == "bearer" else None
    if brand is None:
        raise refused()
    admitted = access.admit(brand, digest(key), call.surface, window=WINDOW_SECONDS, now=int(now))
    ends = (int(now) // WINDOW_SECONDS + 1) * WINDOW_SECONDS
    match admitted:
        case KeyRefusal.UNKNOWN:
            raise refused()
        case Exhausted(limit):
            wait = max(1, ends - int(now))
            told = {} if call.surface is Surface.UNIFIED else headers(limit, limit, ends)
            detail = "This API key has used up its calls for now."
            raise Problem(Kind.RATE_LIMITED, detail, retry_after=wait, headers=told)
        case Admission():
            return Caller(admitted, ends)


def refused() -> Problem:
    """The one answer to a missing, malformed, unknown, revoked or deleted key."""
    return Problem(Kind.API_KEY, "Invalid or revoked API key")
