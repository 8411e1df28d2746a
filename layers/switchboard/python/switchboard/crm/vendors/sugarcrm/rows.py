"""What Sugar's modules hold of people, companies and what is sold to them: flat records of columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from switchboard.crm.catalog import Resource, Unsupported, fixed
from switchboard.crm.codecs import Codec, day, moment, number, plain, text
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Whole
from switchboard.crm.places import First, Named, Postal, Record, Slots
from switchboard.crm.wire import dig, many, word
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

API = "/rest/{version}"
VERSION = "v11"
"""Of all versions the one that every instance serves; a number behind it says which release it is of."""

CHANGED = "date_modified"
"""What every list is sorted by: a record tells it always, whatever its user may see."""


def flag(value: Any) -> bool:
    """Whether a flag is set; older versions write it as a text."""
    return str(value).lower() in ("1", "true")


@dataclass(frozen=True, slots=True)
class Emails(Slots):
    """A list of e-mail addresses, one of which is flagged as the primary one; it comes first."""

    def get(self, record: Record) -> Any:
        told = [(flag(each.get("primary_address")), word(each, "email_address")) for each in many(record, "email")]
        ordered = sorted(((first, email) for first, email in told if email), key=lambda each: not each[0])
        return [{"email": email} | ({"type": "primary"} if first else {}) for first, email in ordered] or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        order = sorted(enumerate(value), key=lambda each: each[1].get("type") != "primary")
        if order:
            record["email"] = [
                {"email_address": item["email"], "primary_address": place == 0} for place, (_, item) in enumerate(order)
            ]
        return [
            f"[{index}].type"
            for place, (index, item) in enumerate(order)
            if item.get("type") and (place or item["type"] != "primary")
        ]


@dataclass(frozen=True, slots=True)
class Became:
    """What a lead was converted to. In a lead that was not, the same columns name what it is related to."""

    path: str
    columns: tuple[str, ...] = ("converted",)

    def get(self, record: Record) -> Any:
        return record.get(self.path) if flag(record.get("converted")) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


@dataclass(frozen=True, slots=True)
class Added:
    """A record that a new one is linked to. What a record is linked to is not told in it."""

    link: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.link,)

    def get(self, record: Record) -> Any:
        return dig(record, f"{self.link}.add.0")

    def put(self, record: Record, value: Any) -> Sequence[str]:
        record[self.link] = {"add": [value]}
        return ()


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a deal is closed: by the keys of the vendor's own lists of stages and of states; others are open."""

    columns: tuple[str, ...] = ("sales_stage", "sales_status")

    def get(self, record: Record) -> Any:
        told = [name for column in self.columns if (name := word(record, column))]
        return next((CLOSED[name] for name in told if name in CLOSED), "open" if told else None)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


CLOSED = {"Closed Won": "won", "Closed Lost": "lost"}

PHONES = {"primary": "phone_work", "work": "phone_work", "mobile": "phone_mobile", "home": "phone_home"}

PARTS = ("street", "city", "state", "postalcode", "country")
ADDRESS, BILLING = (Postal(*(f"{kind}_address_{part}" for part in PARTS)) for kind in ("primary", "billing"))
ADDED = Named(lambda key: key.endswith("_c"), "names of custom fields end with _c")
EMAILS = Emails("email", {"primary": "email"})

foremost = Codec(lambda value: value, lambda told: told[0]["email"] if told else None)
"""Of a list of e-mail addresses the first."""


def _spelled(key: Any) -> str | None:
    """The key of an option as an id, in which nothing is blank and nothing leads out of a path: `Closed+Won`."""
    told = text.into(key)
    return quote(told, safe=" ", errors="replace").replace("%", "~").replace(" ", "+") if told else None


def _key(id: str) -> str:
    """The key that an id spells."""
    return unquote(re.sub("~(?=[0-9A-F]{2})", "%", id.replace("+", " ")))


spelled = Codec(_key, _spelled)
worded = Codec(lambda value: text.out(number.into(value)), number.into)
"""A number in a field of text."""
active = Codec(lambda value: value, lambda value: {"active": True, "inactive": False}.get(plain(value)))

OWNER = (
    row("owner.id", "assigned_user_id", text),
    row("owner.name", "assigned_user_name", text, read_only=True),
)
DATES = (
    row("created_at", "date_entered", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)
ACTIVITY = row("last_activity_at", "last_activity_date", moment, read_only=True)

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "first_name", text, key=True),
    row("last_name", "last_name", text, required=True, key=True),
    row("name", First(("full_name", "name")), text, read_only=True),
    row("title", "title", text),
    row("emails", EMAILS, key=True),
    row("phones", Slots("number", PHONES)),
    row("company.id", "account_id", text),
    row("company.name", "account_name", text, read_only=True),
    *OWNER,
    row("addresses", ADDRESS),
    row("description", "description", text),
    row("custom_fields", ADDED),
    *DATES,
    ACTIVITY,
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "website", text),
    row("phones", Slots("number", {"primary": "phone_office", "work": "phone_office", "fax": "phone_fax"})),
    row("industry", "industry", text),
    row("description", "description", text),
    row("number_of_employees", "employees", worded),
    row("annual_revenue", "annual_revenue", worded),
    *OWNER,
    row("addresses", BILLING),
    row("custom_fields", ADDED),
    *DATES,
    ACTIVITY,
)

# A deal tells the id of its currency and no code. Where an instance has revenue line items, amount, day and stage are
# theirs, and cannot be written here.
deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("amount", "amount", number),
    row("stage.id", "sales_stage", spelled),
    row("status", Status(), read_only=True),
    row("probability", "probability", number),
    row("close_date", "date_closed", day),
    row("description", "description", text),
    row("company.id", "account_id", text, key=True),
    row("company.name", "account_name", text, read_only=True),
    row("contact.id", Added("contacts"), text, write_only=True),
    *OWNER,
    row("custom_fields", ADDED),
    *DATES,
    ACTIVITY,
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", First(("full_name", "name")), text, read_only=True),
    row("first_name", "first_name", text, read_only=True),
    row("last_name", "last_name", text, read_only=True),
    row("email", EMAILS, foremost, read_only=True),
    row("title", "title", text, read_only=True),
    row("active", "status", active, read_only=True),
    *DATES,
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, key=True),
    row("owner.id", "assigned_user_id", text),
    row("contact.id", "contact_id", text),
    row("account.id", "account_id", text),
    row("first_name", "first_name", text, key=True),
    row("last_name", "last_name", text, required=True, key=True),
    row("lead_source", "lead_source", text),
    row("status", "status", text),
    row("email_addresses", EMAILS, key=True),
    row("phone_numbers", Slots("number", PHONES)),
    row("addresses", ADDRESS),
    row("description", "description", text, write_only=True),
    row("website", "website", text, write_only=True),
    row("custom_fields", ADDED),
    row("converted_contact", Became("contact_id"), text, read_only=True),
    row("converted_account", Became("account_id"), text, read_only=True),
    row("created_at", "date_entered", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "key", spelled, read_only=True),
    row("name", "label", text, read_only=True),
    row("position", "position", number, read_only=True),
)


GUIDE = "https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/"
OPTIONS = f"{GUIDE}Endpoints/moduleenumfield_GET/"
NO_PIPELINES = Unsupported(
    "Sugar has no pipelines: an opportunity's sales stages are the options of one field.", OPTIONS
)
NO_WRITES = fixed("The options of a field can be read by the API; they are changed in the Dropdown Editor.", OPTIONS)

leads = Resource(lead, f"{API}/Leads", link="/#Leads/{id}", asks_for_changes=True, deletions="listed")
contacts = Resource(contact, f"{API}/Contacts", link="/#Contacts/{id}", asks_for_changes=True, deletions="told")
companies = Resource(company, f"{API}/Accounts", link="/#Accounts/{id}")
deals = Resource(deal, f"{API}/Opportunities", link="/#Opportunities/{id}")
users = Resource(user, f"{API}/Users")
stages = Resource(
    stage,
    f"{API}/Opportunities/enum/sales_stage",
    lacks=NO_WRITES,
    nearest="The options of the field `sales_stage` of opportunities stand for stages, each under its key; where an "
    "instance has revenue line items, its stages stand in their module.",
    paging=Whole(),
    list_only=True,
)
