"""What Close's records hold. A lead is the company, which nobody owns; a contact has one name, an opportunity none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from switchboard.crm.catalog import Resource, Within
from switchboard.crm.codecs import cents, choice, day, moment, number, percent, text
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Whole
from switchboard.crm.places import Always, Each, First, Joined, Named, Record, Slots
from switchboard.crm.wire import many, plant, word
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

BASE = "/api/v1"
"""Every path ends with a slash: the redirect of one without loses the body."""


@dataclass(frozen=True, slots=True)
class Typed(Slots):
    """A list of typed values as a list of objects. `by_type` goes from our type to the vendor's, in which several of
    ours may be one; a value without a type, or of one that the vendor lacks, takes the first."""

    path: str
    part: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.path,)

    def get(self, record: Record) -> Any:
        ours = {theirs: kind for kind, theirs in reversed(list(self.by_type.items()))}
        told = [(word(body, self.part), word(body, "type")) for body in many(record, self.path)]
        found = [
            {self.value: value} | ({"type": ours.get(kind, kind)} if kind else {}) for value, kind in told if value
        ]
        return found or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        first = next(iter(self.by_type.values()))
        bodies = [{self.part: item[self.value], "type": self.by_type.get(item.get("type"), first)} for item in value]
        if bodies:
            plant(record, self.path, bodies)
        return [
            f"[{index}].{part}"
            for index, item in enumerate(value)
            for part, given in item.items()
            if given and part != self.value and (part != "type" or self._odd(item))
        ]


@dataclass(frozen=True, slots=True)
class Called:
    """What an opportunity may be called, which has no name: the company, and the first line of the note."""

    columns: tuple[str, ...] = ("lead_name", "note")

    def get(self, record: Record) -> Any:
        told = [(word(record, column) or "").strip().partition("\n")[0].strip() for column in self.columns]
        return ": ".join(part for part in told if part) or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


@dataclass(frozen=True, slots=True)
class Closing:
    """When an opportunity was lost; else when it was won, or is expected to be. `over`: only if it is closed."""

    over: bool = False
    columns: tuple[str, ...] = ("date_won", "date_lost", "status_type")

    def get(self, record: Record) -> Any:
        status, won, lost = record.get("status_type"), record.get("date_won"), record.get("date_lost")
        if self.over and status not in ("won", "lost"):
            return None
        return lost if status == "lost" and lost else won

    def put(self, record: Record, value: Any) -> Sequence[str]:
        plant(record, "date_won", value)
        return ()


TYPES = {
    "work": "office", "primary": "office", "mobile": "mobile", "home": "home", "fax": "fax", "direct": "direct",
    "other": "other", "secondary": "other",
}  # fmt: skip
"""Our types of e-mail addresses and phone numbers, and those of a Close contact."""

ADDRESS = {
    "street_1": "address_1", "street_2": "address_2", "city": "city", "state": "state", "postal_code": "zipcode",
    "country": "country", "type": "label",
}  # fmt: skip

CUSTOM = Named(lambda key: key.startswith("custom.cf_"), "Close names them custom.cf_ and an id")

LINKS = Slots("url", {"record": "html_url", "website": "url"})
TIMES = (
    row("created_at", "date_created", moment, read_only=True),
    row("updated_at", "date_updated", moment, read_only=True),
)

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "first", text),  # parts of the name
    row("last_name", "last", text),
    row("name", First(("name", "display_name")), text, key=True),
    row("title", "title", text),
    row("emails", Typed("email", TYPES, "emails", "email"), key=True),
    row("phones", Typed("number", TYPES, "phones", "phone")),
    row("company.id", "lead_id", text, required=True),  # without one, Close makes a company up
    row("custom_fields", CUSTOM),
    row("urls", Typed("url", {}, "urls", "url"), read_only=True),
    *TIMES,
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", First(("name", "display_name")), text, key=True),
    row("website", "url", text),
    row("description", "description", text),
    row("addresses", Each("addresses", ADDRESS)),
    row("custom_fields", CUSTOM),
    row("urls", LINKS, read_only=True),
    *TIMES,
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", Called(), read_only=True),
    row("amount", "value", cents, key=True),
    row("currency", "value_currency", text, read_only=True),  # the organization's
    row("pipeline.id", "pipeline_id", text),
    row("pipeline.name", "pipeline_name", text, read_only=True),
    row("stage.id", "status_id", text, key=True),
    row("stage.name", "status_label", text, read_only=True),
    row("status", "status_type", choice({"open": "active", "won": "won", "lost": "lost"}), read_only=True),
    row("probability", "confidence", percent),
    row("close_date", Closing(), day),
    row("description", "note", text, key=True),
    row("company.id", "lead_id", text, required=True, key=True),  # as with a contact
    row("company.name", "lead_name", text, read_only=True),
    row("contact.id", "contact_id", text),
    row("contact.name", "contact_name", text, read_only=True),
    row("owner.id", "user_id", text),
    row("owner.name", "user_name", text, read_only=True),
    row("custom_fields", CUSTOM),
    row("closed_at", Closing(over=True), moment, read_only=True),
    *TIMES,
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", Joined(("first_name", "last_name")), read_only=True),
    row("first_name", "first_name", text, read_only=True),
    row("last_name", "last_name", text, read_only=True),
    row("email", "email", text, read_only=True),
    *TIMES,
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "contact.title", text, key=True),
    row("name", "name", text, write_only=True),
    row("first_name", "contact.first", text, key=True),
    row("last_name", "contact.last", text, key=True),
    row("email_addresses", Typed("email", TYPES, "contact.emails", "email"), key=True),
    row("phone_numbers", Typed("number", TYPES, "contact.phones", "phone")),  # no key: it writes them anew
    row("addresses", Each("addresses", ADDRESS)),
    row("description", "description", text, write_only=True),
    row("website", "url", text, write_only=True),
    row("status", "status", text),
    row("custom_fields", CUSTOM),
    row("urls", LINKS, read_only=True),
    *TIMES,
)

STATUSES = {"id": "id", "name": "label", "status": "type", "pipeline.id": "^id"}

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("statuses", STATUSES)),
    *TIMES,
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "label", text, required=True, key=True),
    row("pipeline.id", "pipeline_id", text, required=True, key=True),
    row("pipeline.name", "pipeline_name", text, read_only=True),
    row("position", "position", number, read_only=True),
)

contacts = Resource(contact, f"{BASE}/contact/", asks_for_changes=True, deletions="listed")
companies = Resource(company, f"{BASE}/lead/", nearest="A lead is the company, with the people in it and its deals.")
deals = Resource(deal, f"{BASE}/opportunity/")
users = Resource(user, f"{BASE}/user/")
leads = Resource(
    lead,
    f"{BASE}/lead/",
    any_of=(("title", "name", "first_name", "last_name", "email_addresses"),),
    asks_for_changes=True,
)
pipelines = Resource(
    pipeline,
    f"{BASE}/pipeline/",
    paging=Whole("data", at="date_updated"),
    list_only=True,  # not every version of the vendor's documents has a read of one
)
WITHIN = "A stage is found in the list of all pipelines: whether the list of stages tells theirs is not documented."
stages = Resource(
    stage,
    f"{BASE}/status/opportunity/",
    within=Within(pipelines, "statuses"),
    emulates={"list": WITHIN, "get": WITHIN},
)
