"""HubSpot: property bags and typed associations.

Objects      https://developers.hubspot.com/docs/api-reference/crm-objects-v3
Leads        https://developers.hubspot.com/docs/api-reference/crm-leads-v3/guide
Associations https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
Errors       https://developers.hubspot.com/docs/api-reference/error-handling
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Resource
from switchboard.crm.codecs import moment, text, utc
from switchboard.crm.dialect import Answer, Complaint, Dialect, Draft, Gone, Rate, sentence
from switchboard.crm.mapping import Named, Record, Slots, Table, row
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Pairs, Request, Response, Talk, dig, many, merged, texts, word
from switchboard.models.lead import LEAD

VERSION = "2026-09"
"""The dated API: supported for 18 months from 8 September 2026. Bodies are those of v3."""

OBJECTS = f"/crm/objects/{VERSION}"

LOCKED = 423
"""The record is being written by another; two seconds are to be waited at the least."""

CHANGED = "hs_lastmodifieddate"
"""What a search for changes is sorted by; a record's own `updatedAt` says the same."""

SEARCH_END = 10_000
"""A search gives no result beyond this position."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An associated record. Written as a typed association, read from `?associations=`, where the label is lost."""

    objects: str
    type_id: int
    other_id: int
    columns: tuple[str, ...] = ()

    def get(self, record: Record) -> Any:
        links = record.get("associations")
        if isinstance(links, list):  # as we write it, or as a caller's remote_data does
            types = (self.type_id, self.other_id)
            own = (
                each for each in links if any(dig(kind, "associationTypeId") in types for kind in many(each, "types"))
            )
            return dig(next(own, None), "to.id")
        return dig(links, f"{self.objects}.results.0.id")

    def put(self, record: Record, value: Any) -> Sequence[str]:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self.type_id}
        record.setdefault("associations", []).append({"to": {"id": value}, "types": [kind]})
        return ()


STANDARD = re.compile(
    r"^(hs_|hubspot_)|^(id|url|archived|associations|createdAt|updatedAt|createdate|lastmodifieddate)$"
)
"""Names that no custom property of a portal has: HubSpot keeps these prefixes for itself."""

CONTACT = Linked("contacts", 578, 608)
"""A lead's contact: the primary one as we write it, any as we read it."""

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "hs_lead_name", text, key=True),
    row("owner.id", "hubspot_owner_id", text),
    row("contact.id", CONTACT, text, required=True, key=True),
    row("account.id", Linked("companies", 580, 610), text, required=True),
    row("lead_type", "hs_lead_type", text),
    row("status", "hs_pipeline_stage", text),
    row("custom_fields", Named(lambda key: not STANDARD.match(key), "HubSpot keeps hs_ and hubspot_ for itself")),
    row("lead_source", "hs_lead_source", text, read_only=True),
    row("first_name", "hs_associated_contact_firstname", text, read_only=True),
    row("last_name", "hs_associated_contact_lastname", text, read_only=True),
    row("email_addresses", Slots("email", {"primary": "hs_associated_contact_email"}), read_only=True),
    row("last_activity_at", "hs_last_activity_date", moment, read_only=True),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "updatedAt", moment, read_only=True),
)


NAME = ("firstname", "lastname", "email")
"""What a contact is called by."""


def name_of(contact: Any) -> str:
    """The name of a contact, else its e-mail address; HubSpot's own form names a lead so."""
    first, last, email = (word(contact, f"properties.{part}") for part in NAME)
    return " ".join(part for part in (first, last) if part) or email or f"Contact {dig(contact, 'id')}"


OUTER = ("id", "createdAt", "updatedAt", "associations")
"""What a record has beside its properties."""


def properties(resource: Resource) -> list[str]:
    """The properties to ask for; what stands around them comes by itself."""
    return [name for name in resource.table.columns if name not in OUTER]


class HubSpot(Dialect):
    """Records are `{id, properties, associations}`; every property is a string or null."""

    codes = {  # noqa: RUF012
        "RATE_LIMIT": Kind.CRM_RATE_LIMITED,
        "OBJECT_NOT_FOUND": Kind.CRM_NOT_FOUND,
        "CONFLICT": Kind.CRM_CONFLICT,
        "MISSING_SCOPES": Kind.CRM_FORBIDDEN,
        "EXPIRED_AUTHENTICATION": Kind.NEEDS_REAUTH,
        "INVALID_AUTHENTICATION": Kind.NEEDS_REAUTH,
    }
    statuses = {477: Kind.CRM_RATE_LIMITED}  # noqa: RUF012 - the portal is being moved; it says for how long
    forwarded = ("x-hubspot-",)
    request_id_headers = ("x-hubspot-correlation-id", "x-request-id")

    def seal(self, resource: Resource, record: Record) -> Any:
        links = record.pop("associations", None)
        return {"properties": record} | ({"associations": links} if links else {})

    def open(self, resource: Resource, body: Any) -> Record:
        known = dig(body, "properties")
        record: Record = dict(known) if isinstance(known, dict) else {}
        return record | {key: body[key] for key in OUTER if dig(body, key) is not None}

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        columns = [*properties(resource), *(name for name in extra if name not in OUTER)]
        links = [each.place.objects for each in resource.table.rows if isinstance(each.place, Linked)]
        return {"properties": ",".join(columns)} | ({"associations": ",".join(links)} if links else {})

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """A create answers computed properties but never the associations."""
        return False

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        body = response.body
        message = sentence(body)
        names = [name for each in many(body, "errors") for name in texts(each, "context.propertyName")]
        # The id of the record in the way stands in the sentence alone.
        existing = re.search(r"Existing ID: (\d+)", message or "")
        waits = {"TEN_SECONDLY_ROLLING": 10, "SECONDLY": 1}
        told = response.headers.get("retry-after", "")
        locked = 2 if response.status == LOCKED else None
        return Complaint(
            code=word(body, "errorType") or word(body, "category") or word(body, "errors.0.code"),
            message=message,
            fields=tuple(names),
            existing_id=existing[1] if existing else None,
            retry_after=int(told) if told.isdecimal() else waits.get(str(dig(body, "policyName")), locked),
            missing_scopes=texts(body, "context.requiredGranularScopes") or texts(body, "context.requiredScopes"),
        )

    def request_id(self, response: Response) -> str | None:
        return super().request_id(response) or word(response.body, "correlationId")

    def rate(self, response: Response) -> Rate | None:
        names = ("max", "remaining", "interval-milliseconds")
        figures = [response.headers.get(f"x-hubspot-ratelimit-{name}", "") for name in names]
        if not all(figure.isdecimal() for figure in figures):
            return None
        return Rate(int(figures[0]), int(figures[1]), -(-int(figures[2]) // 1000))

    def create(self, resource: Resource, draft: Draft, *, passed: Pairs = (), whole: bool = True) -> Talk[Answer]:
        """A lead needs a name; without a title it takes the name of its contact, as HubSpot's own form does."""
        if resource.table.row("title") and not dig(draft.body, "properties.hs_lead_name"):
            about = CONTACT.get(self.open(resource, draft.body))
            path = f"{OBJECTS}/contacts/{wire.segment(about)}"
            person = yield from self.ask(wire.get(path, {"properties": ",".join(NAME)}))
            draft = replace(draft, body=merged(draft.body, {"properties": {"hs_lead_name": name_of(person.body)}}))
        return (yield from super().create(resource, draft, passed=passed, whole=whole))

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The leads of the draft's contact, by their associations: search lags behind writes by up to half a minute."""
        about = CONTACT.get(self.open(resource, draft.body))
        path = f"{OBJECTS}/contacts/{wire.segment(about)}"
        query = {"properties": ",".join(NAME), "associations": "leads"}
        contact = (yield from self.ask(wire.get(path, query))).body
        ids = [str(dig(each, "id")) for each in self._linked(contact)]
        if any(dig(links, "paging.next") for links in _lists(contact)):
            ids = yield from self._all_linked(str(about))
        leads: list[Any] = []
        for start in range(0, len(ids), 100):
            inputs = [{"id": each} for each in ids[start : start + 100]]
            wanted = {"properties": properties(resource), "propertiesWithHistory": [], "inputs": inputs}
            found = yield from self.ask(wire.post(f"{resource.path}/batch/read", wanted, safe=True))
            leads += many(found.body, "results")
        if not dig(draft.body, "properties.hs_lead_name"):  # then it was named after its contact
            leads = [each for each in leads if word(each, "properties.hs_lead_name") == name_of(contact)]
        # They were found through the contact; a batch read does not repeat it.
        link = {"contacts": {"results": [{"id": about}]}}
        return [each | {"associations": link} for each in leads]

    def _all_linked(self, contact: str) -> Talk[list[str]]:
        """The ids of all leads of a contact that has more than its own record shows."""
        path, query = f"/crm/v4/objects/contacts/{wire.segment(contact)}/associations/leads", {"limit": "500"}
        ids: list[str] = []
        while True:
            page = (yield from self.ask(wire.get(path, query))).body
            ids += [str(each["toObjectId"]) for each in many(page, "results") if "toObjectId" in each]
            after = word(page, "paging.next.after")
            if not after or query.get("after") == after:
                return list(dict.fromkeys(ids))
            query = {**query, "after": after}

    @staticmethod
    def _linked(contact: Any) -> list[Any]:
        """The associations in a contact that was asked for its leads alone, whatever key they stand under."""
        found = [each for links in _lists(contact) for each in many(links, "results") if dig(each, "id")]
        return list({str(each["id"]): each for each in found}.values())  # the same pair may stand under two labels

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Mapping[str, Any], limit: int
    ) -> Request:
        """A plain list has no updated-since: what changed is searched for, oldest change first."""
        if since is None:
            query = self.view(resource) | {"limit": str(min(limit, 100))}
            return wire.get(resource.path, query | ({"after": cursor["after"]} if "after" in cursor else {}))
        after = str(cursor.get("after", "0"))
        start = {"propertyName": CHANGED, "operator": "GTE", "value": cursor.get("from") or _ms(since)}
        search: dict[str, Any] = {
            "filterGroups": [{"filters": [start]}],
            "sorts": [{"propertyName": CHANGED, "direction": "ASCENDING"}],
            "properties": [*properties(resource), CHANGED],
            "limit": max(1, min(limit, 200, SEARCH_END - int(after))),
            "after": after,
        }
        return wire.post(f"{resource.path}/search", search, safe=True)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Mapping[str, Any]
    ) -> tuple[list[Any], Mapping[str, Any] | None]:
        """Every page begins the window anew at its last moment, without the ids already given there.

        A position in a search is an offset: a record that changes meanwhile moves to the end, and the one behind it
        would be passed over. Only within one millisecond is the offset used, and there it ends at 10,000.
        """
        bodies = [each for each in many(response.body, "results") if word(each, "id")]
        after = word(response.body, "paging.next.after") or ""
        if since is None:
            return bodies, {"after": after} if after else None
        seen = cursor.get("seen", ())
        fresh = [each for each in bodies if each["id"] not in seen]
        moments = [utc(dig(each, f"properties.{CHANGED}")) or utc(each.get("updatedAt")) for each in bodies]
        if not after.isdecimal() or not moments or (last := moments[-1]) is None:
            return fresh, None
        start, at = cursor.get("from") or _ms(since), _ms(last)
        here = [each["id"] for each, moment in zip(bodies, moments, strict=True) if moment and _ms(moment) == at]
        if at != start:
            return fresh, {"from": at, "after": "0", "seen": here}
        if int(after) >= SEARCH_END:
            raise Problem(Kind.CRM_REJECTED, f"More than {SEARCH_END} records changed within one millisecond.")
        return fresh, {"from": at, "after": after, "seen": list(dict.fromkeys([*seen, *here]))}

    def deleted(
        self, resource: Resource, *, since: datetime, cursor: Mapping[str, Any] | None = None
    ) -> Talk[Gone | None]:
        """Archived records stand in a list of their own; search leaves them out, and this list knows no since."""
        query = {"archived": "true", "limit": "100"} | dict(cursor or {})
        response = yield from self.ask(wire.get(resource.path, query))
        bodies = many(response.body, "results")
        gone = [each for each in bodies if (at := utc(each.get("archivedAt"))) and at >= since]
        ids = [found for each in gone if (found := word(each, "id"))]
        after = word(response.body, "paging.next.after")
        return Gone(ids, {"after": after} if after else None)


def _lists(contact: Any) -> list[Any]:
    links = dig(contact, "associations")
    return list(links.values()) if isinstance(links, dict) else []


def _ms(when: datetime) -> str:
    return str(int(when.timestamp() * 1000))


_API = Host("https://api.hubapi.com")

CRM = catalog.CRM(
    name="hubspot",
    title="HubSpot",
    docs="https://developers.hubspot.com/docs/api-reference/overview",
    hosts={"api": _API, "token": _API},
    auth={
        "oauth2": OAuth2(f"/oauth/{VERSION}/token", lifetime=1800),
        "api_key": Header(),
    },
    dialect=HubSpot(),
    resources={"leads": Resource(lead, f"{OBJECTS}/leads")},
)
