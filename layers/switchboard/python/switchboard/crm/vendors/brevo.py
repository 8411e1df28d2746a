"""Brevo: a lead is a contact, whose fields are attributes in capitals, and pipelines can only be read.

Contacts    https://developers.brevo.com/reference/create-contact
Attributes  https://developers.brevo.com/reference/get-attributes
Pipelines   https://developers.brevo.com/reference/get-all-pipelines
Limits      https://developers.brevo.com/docs/limit-headers
Known IPs   https://developers.brevo.com/docs/ip-security
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Resource, Within, fixed
from switchboard.crm.codecs import moment, number, text
from switchboard.crm.dialect import OUTER, Answer, Complaint, Dialect, Draft, Rate, absent, rate, sentence, whole
from switchboard.crm.mapping import Always, Bag, Each, First, Named, Record, Slots, Table, row
from switchboard.crm.paging import Offset, Since, Whole, bodies
from switchboard.crm.problem import Kind, Problem, invalid, pointer
from switchboard.crm.wire import Request, Response, Talk, dig, many, texts, word
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE

CONTACTS = "/v3/contacts"
ATTRIBUTES = f"{CONTACTS}/attributes"
DETAILS = "/v3/crm/pipeline/details"
FIRST = First(("FIRSTNAME", "PRENOM", "FNAME"))
LAST = First(("LASTNAME", "NOM", "LNAME"))
"""What accounts call a name, by their age and language. We write the first of them until the account was asked."""
SPELLINGS = {each.columns[0]: each.columns for each in (FIRST, LAST)}
SMS = "SMS"
IDENTIFIERS = {"email": "email_id", SMS: "phone_id"}
"""What no two contacts have in common, and how a look-up calls it."""
OWN = ("EMAIL", SMS, *FIRST.columns, *LAST.columns)
ADDED = Named(lambda key: key.isupper() and key not in OWN, "Brevo names its attributes in capital letters")
PRINT = r"[\s().-]"
DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:T[\d:.+Z-]+)?", re.ASCII)
BY_ID = re.compile(rf"{CONTACTS}/[0-9]+")
UNKNOWN_IP = re.compile(r"\bIP\b")
BAD_REQUEST, UNAUTHORIZED, TOO_EARLY = 400, 401, 425
BUSY_SECONDS = 2
"""The same contact is being written; for how long is not told."""

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("first_name", FIRST, text, key=True),
    row("last_name", LAST, text, key=True),
    row("email_addresses", Slots("email", {"primary": "email"}), key=True),
    row("phone_numbers", Slots("number", {"mobile": SMS, "primary": SMS}), key=True),
    row("custom_fields", ADDED),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "modifiedAt", moment, read_only=True),
)

BAG = Bag("attributes", ("id", "email", "createdAt", "modifiedAt"))

# What a deal is at a stage is not told: `winProbability` is 100 at all stages but one, and their names are anybody's.
pipeline = Table(
    PIPELINE,
    row("id", "pipeline", text, read_only=True),
    row("name", "pipeline_name", text, read_only=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", {"id": "id", "name": "name", "pipeline.id": "^pipeline"}), read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("pipeline.id", f"{OUTER}.pipeline", text, read_only=True),
    row("pipeline.name", f"{OUTER}.pipeline_name", text, read_only=True),
)


def dialled(given: str) -> str:
    """A phone number in the one form of `+33…`, `0033…` and `33…`, all of which Brevo takes."""
    digits = re.sub(PRINT, "", given).removeprefix("+").removeprefix("00")
    return f"+{digits}" if whole(digits) is not None else given


def just_before(when: datetime) -> str:
    """A moment in milliseconds, one earlier: whether "modified since" holds the moment itself is not told."""
    earlier = datetime.fromtimestamp(max(when.timestamp() - 0.001, 0), UTC)
    return earlier.strftime("%Y-%m-%dT%H:%M:%S.") + f"{earlier.microsecond // 1000:03}Z"


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

    def seal(self, resource: Resource, record: Record) -> Any:
        return BAG.seal({name: re.sub(PRINT, "", value) if name == SMS else value for name, value in record.items()})

    def open(self, resource: Resource, body: Any) -> Record:
        if resource is not leads:
            return super().open(resource, body)
        record = BAG.open(body)
        phone = text.into(record.get(SMS))
        return record | {SMS: dialled(phone)} if phone else record

    def member(self, resource: Resource, id: str) -> str:
        """The path of a contact takes e-mail addresses as well, and `attributes` lies beside them: only numbers."""
        if resource is leads and whole(id) is None:
            raise absent()
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
        if not isinstance(given, dict) or not set(given) - {SMS}:
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
        if resource is not pipelines:
            return (yield from super().get(resource, id, extra))
        try:
            answer = yield from self.ask(wire.get(self.member(resource, id)))
        except Problem as problem:
            told = problem.remote if problem.remote and problem.remote.status == BAD_REQUEST else None
            if told and told.code in (None, "invalid_parameter", "document_not_found"):
                raise absent() from problem
            raise
        return (yield from self.pick(resource, bodies(answer.body, ""), id))


def refused(name: str, code: str, detail: str) -> Problem:
    ours = {FIRST.columns[0]: "first_name", LAST.columns[0]: "last_name"}.get(name)
    return invalid(ours or f"custom_fields.{name}", code, detail, None if ours else pointer("custom_fields", name))


SEE = "https://developers.brevo.com/reference/get-all-pipelines"
NO_PIPELINES = fixed("Brevo's API reads pipelines and has no call that writes one; its web app does.", SEE)
NO_STAGES = fixed("Stages are read with their pipeline, and Brevo's API has no call that writes one.", SEE)
WITHIN = "A stage is found in the list of all pipelines."

leads = Resource(
    lead,
    CONTACTS,
    nearest="Brevo has no leads: a lead is a contact there.",
    emulates={"create": "The account's attributes are read first, because Brevo drops in silence what is none."},
    any_of=(("email_addresses", "phone_numbers"),),
    # By creation, oldest first: it cannot be sorted by change.
    paging=Offset("contacts", most=1000, since=Since("modifiedSince", just_before), query={"sort": "asc"}),
)
pipelines = Resource(pipeline, DETAILS, lacks=NO_PIPELINES, paging=Whole(), listed=f"{DETAILS}/all")
stages = Resource(
    stage,
    DETAILS,
    lacks=NO_STAGES,
    emulates={"list": WITHIN, "get": WITHIN},
    within=Within(pipelines, "stages"),
)

CRM = catalog.CRM(
    name="brevo",
    title="Brevo",
    docs="https://developers.brevo.com/",
    hosts={"api": Host("https://api.brevo.com"), "token": Host("https://oauth.brevo.com")},
    auth={"oauth2": OAuth2("/realms/partner/oauth/token", lifetime=3600), "api_key": Header("api-key", "")},
    dialect=Brevo(),
    resources={"leads": leads, "pipelines": pipelines, "stages": stages},
)
