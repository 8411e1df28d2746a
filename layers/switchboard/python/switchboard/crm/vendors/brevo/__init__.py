"""Brevo: a lead is a contact, whose fields are attributes in capitals, and pipelines can only be read.

Contacts    https://developers.brevo.com/reference/create-contact
Companies   https://developers.brevo.com/reference/get-a-company
Deals       https://developers.brevo.com/reference/get-a-deal
Owners      https://developers.brevo.com/reference/get-company-attributes
Attributes  https://developers.brevo.com/reference/get-attributes
Pipelines   https://developers.brevo.com/reference/get-all-pipelines
Limits      https://developers.brevo.com/docs/limit-headers
Known IPs   https://developers.brevo.com/docs/ip-security
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Pace, Resource
from switchboard.crm.codecs import number, text
from switchboard.crm.complaint import Complaint, absent, misshapen, sentence
from switchboard.crm.dialect import Answer, Dialect, Draft, Rate, rate, whole
from switchboard.crm.mapping import Bag
from switchboard.crm.paging import Cursor, Stretch, bodies, sliced
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem, invalid, pointer
from switchboard.crm.vendors.brevo.rows import (
    BESIDE,
    CONTACTS,
    FIRST,
    LANDLINE,
    LAST,
    SMS,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, texts, word

ATTRIBUTES = f"{CONTACTS}/attributes"
SPELLINGS = {each.columns[0]: each.columns for each in (FIRST, LAST)}
IDENTIFIERS = {"email": "email_id", SMS: "phone_id"}
"""What no two contacts have in common, and how a look-up calls it."""
PRINT = r"[\s().-]"
DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:T[\d:.+Z-]+)?", re.ASCII)
BY_ID = re.compile(rf"{CONTACTS}/[0-9]+")
UNKNOWN_IP = re.compile(r"\bIP\b")
BAD_REQUEST, UNAUTHORIZED, TOO_EARLY = 400, 401, 425
BUSY_SECONDS = 2
"""The same contact is being written; for how long is not told."""

PEOPLE = (leads, contacts)
READ = (contacts, companies, deals)
DIALLED = {"leads": (SMS,), "contacts": (SMS, LANDLINE)}
PERSON = Bag("attributes", ("id", "email", "createdAt", "modifiedAt"))
SALES = (companies, deals)
SALE = Bag("attributes", BESIDE)
HEX = re.compile(r"[0-9A-Fa-f]{24}")
"""The id of a company, a deal or a user."""


def dialled(given: str) -> str:
    """A phone number in the one form of `+33…`, `0033…` and `33…`, all of which Brevo takes."""
    digits = re.sub(PRINT, "", given).removeprefix("+").removeprefix("00")
    return f"+{digits}" if whole(digits) is not None else given


def misfit(value: Any, attribute: Record) -> str | None:
    """What an attribute holds, where it cannot hold this value; where that is not certain Brevo has the word."""
    kind = "category" if attribute.get("category") == "category" else word(attribute, "type")
    numbered = [str(each.get("value")) for each in many(attribute, "enumeration")]
    options = numbered or texts(attribute, "multiCategoryOptions")
    given = value if isinstance(value, list) else [value]
    offered = not options or {str(each) for each in given} <= set(options)
    verdicts = {
        "float": number.into(str(value).replace(",", ".")) is not None,
        "date": isinstance(value, str) and bool(DAY.fullmatch(value)),
        "boolean": isinstance(value, bool),
        "text": isinstance(value, str),
        "category": given is not value and offered,
        "multiple-choice": given is value and offered,
    }
    fits = value in (None, "") or verdicts.get(kind or "", True)
    return None if fits else f"a {kind}" + (f" of {', '.join(options)}" if options else "")


class Brevo(Dialect):
    """A record is `{id, email, attributes}`. A value for an attribute that is not there is dropped, and the create
    succeeds: so the account's attributes are read before every create, and nothing is lost in silence."""

    codes = {  # noqa: RUF012
        "duplicate_parameter": Kind.CRM_CONFLICT,
        "document_not_found": Kind.CRM_NOT_FOUND,
        "permission_denied": Kind.CRM_FORBIDDEN,
        "account_in_process": Kind.CRM_RATE_LIMITED,
    }
    statuses = {TOO_EARLY: Kind.CRM_RATE_LIMITED}  # noqa: RUF012
    forwarded = ("x-sib-ratelimit-",)
    request_id_headers = ("sib-request-id", "x-request-id")
    whole_answers = False  # a create answers `{id}`
    lag = 10  # that lists tell of a change at once is told nowhere; nobody has seen the contrary either

    def seal(self, resource: Resource, record: Record) -> Any:
        if resource in SALES:
            return SALE.seal(record)
        phones = {name: re.sub(PRINT, "", record[name]) for name in DIALLED.get(resource.plural, ()) if name in record}
        return PERSON.seal(record | phones)

    def open(self, resource: Resource, body: Any) -> Record:
        if resource in SALES:
            return SALE.open(body)
        if resource not in PEOPLE:
            return super().open(resource, body)
        record = PERSON.open(body)
        told = {name: phone for name in DIALLED[resource.plural] if (phone := text.into(record.get(name)))}
        named = {each.columns[0]: name for each in (FIRST, LAST) if (name := each.get(record))}
        return record | named | {name: dialled(phone) for name, phone in told.items()}

    def member(self, resource: Resource, id: str) -> str:
        """The path of a contact takes e-mail addresses as well, and `attributes` lies beside them: only numbers. Beside
        companies and deals lie `import` and `link-unlink`."""
        if (resource in PEOPLE and whole(id) is None) or (resource in SALES and not HEX.fullmatch(id)):
            raise misshapen()
        return super().member(resource, id)

    def exchange(self, request: Request) -> Talk[Response]:
        """A number in the path of a contact is its id, and no phone number."""
        named = {"identifierType": "contact_id"} if BY_ID.fullmatch(request.path) else {}
        return (yield from super().exchange(replace(request, query={**named, **request.query})))

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        message, taken = sentence(response.body), texts(response.body, "metadata.duplicate_identifiers")
        kind = Kind.CRM_FORBIDDEN if response.status == UNAUTHORIZED and UNKNOWN_IP.search(message or "") else None
        # The code for a record in the way has changed over the years; what is said of it has not.
        if response.status == BAD_REQUEST and (taken or re.search(r"already (exist|associated)", message or "")):
            kind = Kind.CRM_CONFLICT
        waits = {429: whole(response.headers.get("x-sib-ratelimit-reset")), TOO_EARLY: BUSY_SECONDS}
        wait = whole(response.headers.get("retry-after")) or waits.get(response.status)
        return Complaint(word(response.body, "code"), message, fields=taken, retry_after=wait, kind=kind)

    def expired(self, response: Response) -> bool:
        """Not where an address is unknown: the key is good, and no other one would help."""
        return super().expired(response) and (told := self.complaint(response)) is not None and told.kind is None

    def rate(self, response: Response) -> Rate | None:
        return rate(response, *(f"x-sib-ratelimit-{name}" for name in ("limit", "remaining", "reset")))

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The names as this account calls them; what it has no attribute for is refused."""
        # An update of a contact that is there (a caller's own wish) answers nothing, unless asked for the id.
        body = {"getId": True, **body} if body.get("updateEnabled") else body
        given = dig(body, "attributes")
        if resource not in PEOPLE or not isinstance(given, dict) or not set(given) - {SMS}:
            return body
        listed = many((yield from self.ask(wire.get(ATTRIBUTES))).body, "attributes")
        own = [each for each in listed if each.get("category") not in ("calculated", "global")]  # Brevo writes those
        known = {name: each for each in own if (name := word(each, "name"))}
        attributes: Record = {}
        for name, value in given.items():
            called = next((each for each in SPELLINGS.get(name, ()) if each in known), name)
            if name != SMS and called not in known:
                valid = "it has " + (", ".join(sorted(known)) or "none")
                raise refused(name, "unknown_value", f"the Brevo account has no attribute for it; {valid}")
            if kept := misfit(value, known.get(called, {})):
                detail = f"the Brevo account keeps {kept} there, and would drop anything else"
                raise refused(name, "invalid_value", detail)
            attributes[called] = value
        return body | {"attributes": attributes}

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The one contact that has the draft's e-mail address or phone number: no two may have the same."""
        record = self.open(resource, draft.body)
        return (yield from self._having(record, next(column for column in IDENTIFIERS if record.get(column))))

    def _having(self, record: Record, column: str) -> Talk[list[Any]]:
        """The one contact that has this in common with a record, if there is one."""
        path = f"{leads.path}/{wire.segment(record[column])}"
        found = yield from self.look(wire.get(path, {"identifierType": IDENTIFIERS[column]}))
        return [] if found is None else [found]

    def holder(self, resource: Resource, draft: Draft, refusal: Problem) -> Talk[str | None]:
        """Who has the identifier that is taken."""
        record, taken = self.open(resource, draft.body), [fault.field.casefold() for fault in refusal.faults]
        for column in IDENTIFIERS:
            if record.get(column) and (column.casefold() in taken or not taken):  # older refusals do not say which
                for body in (yield from self._having(record, column)):
                    return text.into(dig(body, "id"))
        return None

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """A pipeline by its id is a list, too; an id that is none is answered as a bad request."""
        try:
            if resource is not pipelines:
                return (yield from super().get(resource, id, extra))
            answer = yield from self.ask(wire.get(self.member(resource, id)))
        except Problem as problem:
            told = problem.remote if problem.remote and problem.remote.status == BAD_REQUEST else None
            if resource is pipelines and told and told.code in (None, "invalid_parameter", "document_not_found"):
                raise absent() from problem
            if resource in READ and told and told.code == "invalid_parameter":
                raise misshapen() from problem  # nothing else was given
            raise
        return (yield from self.pick(resource, bodies(answer.body, ""), id))

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """The users are the options of every attribute that holds one."""
        if resource is not users:
            return super().page(resource, response, since, cursor, limit)
        lists = [each for each in bodies(response.body, "") if each.get("attributeTypeName") == "user"]
        return sliced([option for each in lists for option in many(each, "attributeOptions")], cursor, limit)

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """A contact does not tell its company, but companies are listed by their contacts."""
        if resource is not contacts or other is not companies:
            return (yield from super().related(resource, answer, name, other))
        asked = {"linkedContactsIds": answer.item["id"], "limit": "1"}
        listed = many((yield from self.ask(wire.get(other.path, asked))).body, "items")
        # Should the filter be passed over, the list begins with anybody's.
        found = [each for each in listed if answer.item["id"] in _told(dig(each, "linkedContactsIds"))]
        return (yield from self.answer(other, found[0])) if found else None


def _told(ids: Any) -> list[str | None]:
    """Ids as ours are: texts."""
    return [text.into(each) for each in ids] if isinstance(ids, list) else []


def refused(name: str, code: str, detail: str) -> Problem:
    ours = {FIRST.columns[0]: "first_name", LAST.columns[0]: "last_name"}.get(name)
    return invalid(ours or f"custom_fields.{name}", code, detail, None if ours else pointer("custom_fields", name))


CRM = catalog.CRM(
    name="brevo",
    title="Brevo",
    docs="https://developers.brevo.com/",
    hosts={"api": Host("https://api.brevo.com"), "token": Host("https://oauth.brevo.com")},
    auth={"oauth2": OAuth2("/realms/partner/oauth/token", lifetime=3600), "api_key": Header("api-key", "")},
    dialect=Brevo(),
    pace=Pace(10, 1),  # of contacts, in every plan; and 36,000 an hour, which is the same. All else: 100 an hour
    resources={
        "leads": leads,
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "users": users,
        "pipelines": pipelines,
        "stages": stages,
    },
    pods={"deals": "deals", "companies": "companies"},
)
