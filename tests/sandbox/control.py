"""The control plane under /_sandbox/: credentials, prerequisite records, faults, and what arrived. No auth, JSON.

GET  health                    {name, spec_checks}
POST grants                    {kind: oauth2|api_key, expires_in, expired, rotates, scopes} -> working credentials
POST grants/revoke             {token, access_only} -> {revoked}; access_only leaves the refresh token alive
POST records/{object}          {fields} -> {id}, or [{fields}, ...] -> {ids}; past the API's checks, not in the journal
GET  records/{object}          everything stored, deleted ones too
PATCH records/{object}/{id}    {fields} -> changed as a colleague would in the CRM itself: its moment of change moves
DELETE records/{object}/{id}   deleted as a colleague would
GET  requests, counts          what arrived at the vendor's paths, one by one and as {"POST leads": 3}
POST, GET, DELETE faults       see faults.py; `route` is a label of counts, with * as wildcard
POST, GET settings             limits, lags and switches that the fake declares in `defaults`
POST reset                     as new
"""

from typing import TYPE_CHECKING, Any, cast

from tests.sandbox import spec
from tests.sandbox.exchange import Answer, Delivery, Json, Request
from tests.sandbox.faults import Fault, FaultError, FaultKind

if TYPE_CHECKING:
    from tests.sandbox.fake import Fake


class ControlError(ValueError):
    """The control plane cannot do what it was asked."""


class Control:
    def __init__(self, fake: "Fake") -> None:
        self.fake = fake

    def receive(self, request: Request) -> Delivery:
        try:
            fields: Any = request.json() if request.body else {}
            return self.perform(request.method, request.path.removeprefix("/_sandbox").strip("/"), fields)
        except (ControlError, FaultError, AttributeError, LookupError, ValueError, TypeError) as problem:
            return Delivery(Answer(400, {"error": str(problem)}))

    def perform(self, method: str, path: str, fields: Any) -> Delivery:
        match method, path.split("/"):
            case "GET", ["health"]:
                return done({"name": self.fake.name, "spec_checks": spec.available() and bool(self.fake.contracts)})
            case "GET", ["requests"]:
                return done(self.fake.journal.requests())
            case "GET", ["counts"]:
                return done(self.fake.journal.counts())
            case "GET", ["faults"]:
                return done(self.fake.faults.listed())
            case "DELETE", ["faults"]:
                self.fake.faults.armed.clear()
                return done({})
            case "POST", ["faults"]:
                return self.arm(fields)
            case "POST", ["grants"]:
                return done(self.mint(**fields), 201)
            case "POST", ["grants", "revoke"]:
                return done({"revoked": self.fake.grants.revoke(**fields)})
            case "POST", ["records", noun] if isinstance(fields, list):
                return done({"ids": [self.fake.plant(self.fake.noun(noun), one) for one in cast("list[Any]", fields)]})
            case "POST", ["records", noun]:
                return done({"id": self.fake.plant(self.fake.noun(noun), fields)}, 201)
            case "GET", ["records", noun]:
                return done(self.fake.stored(self.fake.noun(noun)))
            case "PATCH", ["records", noun, id]:
                self.fake.alter(self.fake.noun(noun), id, fields)
                return done({})
            case "DELETE", ["records", noun, id]:
                self.fake.erase(self.fake.noun(noun), id)
                return done({})
            case "GET", ["settings"]:
                return done(self.fake.settings)
            case "POST", ["settings"]:
                return self.adjust(fields)
            case "POST", ["reset"]:
                self.fake.reset()
                return done({})
            case _:
                return done({"error": f"the control plane has no {method} {path}"}, 404)

    def arm(self, fields: dict[str, Any]) -> Delivery:
        fault = Fault.of(fields)
        if fault.kind is FaultKind.REFUSED:
            return Delivery(Answer(201, fields), closes_door_for=fault.seconds)
        self.fake.faults.arm(fault)
        return done(fields, 201)

    def adjust(self, fields: dict[str, Any]) -> Delivery:
        unknown = fields.keys() - self.fake.defaults.keys()
        if unknown:
            raise ControlError(f"no such settings: {', '.join(sorted(unknown))}")
        self.fake.settings |= fields
        return done(self.fake.settings)

    def mint(
        self,
        *,
        kind: str = "oauth2",
        expires_in: float | None = None,
        expired: bool = False,
        rotates: bool | None = None,
        scopes: list[str] | None = None,
    ) -> dict[str, Json]:
        allowed = None if scopes is None else frozenset(scopes)
        if kind == "api_key":
            if self.fake.key_prefix is None:
                raise ControlError(f"{self.fake.name} knows no API keys")
            return {
                "kind": kind,
                "api_key": self.fake.grants.mint_key(self.fake.key_prefix, allowed).value,
                "expires_at": None,
                **self.fake.grant_facts(),
            }
        if kind != "oauth2":
            raise ControlError(f"no grant of kind {kind!r}: oauth2 or api_key")
        issued = self.fake.grants.mint(
            lifetime=self.fake.token_lifetime if expires_in is None else expires_in,
            expired=expired,
            rotates=self.fake.rotates if rotates is None else rotates,
            scopes=allowed,
        )
        return {
            "kind": kind,
            "client_id": issued.grant.client_id,
            "client_secret": issued.grant.client_secret,
            "refresh_token": issued.refresh_token,
            "access_token": issued.access_token,
            "expires_at": issued.expires_at,
            "code": issued.grant.code,
            "token_path": self.fake.token_path,
            **self.fake.grant_facts(),
        }


def done(body: Json, status: int = 200) -> Delivery:
    return Delivery(Answer(status, body))
