"""What the records of Nutshell hold.

Relations are links: ids by the name of the relation. An answer may hold the records that they name beside its own, and
as far as it does, these tell their names. Tags and the industry are nothing but names of such: no record tells them.
"""

from datetime import UTC, datetime
from typing import Any

from switchboard.crm.catalog import Resource, fixed
from switchboard.crm.codecs import Codec, boolean, choice, moment, number, rfc3339, same, text
from switchboard.crm.dialect import SOURCE
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Offset, Whole
from switchboard.crm.places import Always, Each, First, Record
from switchboard.crm.vendors.nutshell.overlapping import Overlapping
from switchboard.crm.wire import dig, many, texts
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

BESIDE = "_beside"
"""Where a record has those that its links name, by the name of the link, as far as they came with it."""


def seconds(value: Any) -> int | None:
    """A moment as leads write it (an object with a `timestamp`), or as all others do; in whole Unix seconds."""
    told = number.into(dig(value, "timestamp") if isinstance(value, dict) else value)
    return None if told is None else int(told)


def _instant(value: Any) -> str | None:
    told = seconds(value)
    try:
        return moment.into(value) if told is None else rfc3339(datetime.fromtimestamp(told, UTC))
    except (OverflowError, OSError, ValueError):
        return None


def _values(given: Any) -> dict[str, str]:
    told = {name: text.into(value) for name, value in given.items() if value is not None}
    if None in told.values():
        raise ValueError("has to hold texts, numbers and booleans")
    return told


instant = Codec(same.out, _instant)

its_day = Codec(same.out, lambda value: (_instant(value) or "")[:10] or None)
"""The day of a moment."""

first = Codec(lambda value: [value], lambda value: next(iter(texts({"ids": value}, "ids")), None))
"""The first of a list of ids."""

values = Codec(_values, same.into)
"""Custom fields by the names that people see; every value is a text."""

page_of = Codec(same.out, lambda value: [{"url": value, "type": "record"}] if isinstance(value, str) else None)

decimal = Codec(text.out, number.into)
"""A number, written as a text."""


def _website(value: Any) -> str | None:
    listed = sorted(many({"urls": value}, "urls"), key=lambda each: each.get("isPrimary") is not True)
    told = (text.into(each.get("value")) for each in listed)
    return next((each for each in told if each and not each.startswith("@")), None)


website = Codec(lambda value: [{"value": value}], _website)
"""The first of several web addresses; among them stand names at other places, such as `@nutshell`."""


class Phones(Each):
    """Numbers are told in parts or as one text; the parts of the row are those that are written."""

    __slots__ = ()
    TOLD = ("countryCodeAndNumber", "E164", "numberFormatted", "number")

    def get(self, record: Record) -> Any:
        found: list[Record] = []
        for each in many(record, self.path):
            value = each.get("value")
            parts: Any = value if isinstance(value, dict) else {"number": value}
            number = next((parts[name] for name in self.TOLD if parts.get(name)), None)
            told = {"number": number, "extension": parts.get("extension"), "type": each.get("name")}
            found.append({name: word for name, part in told.items() if (word := text.into(part))})
        return [each for each in found if "number" in each] or None


EMAILS = Each("emails", {"email": "value", "type": "name"})
LINES = {"street_1": "address_1", "street_2": "address_2", "postal_code": "postalCode"}
PARTS = LINES | {part: part for part in ("city", "state", "country")}
ADDRESSES = Each("addresses", {"type": "name"} | {ours: f"value.{theirs}" for ours, theirs in PARTS.items()})

# They are not in the record itself: to read them takes a request for each record.
CUSTOM = row("custom_fields", "customFields", values, write_only=True)
PAGE = row("urls", "htmlUrl", page_of, read_only=True)
OWNER = (
    row("owner.id", "links.owner", text),
    row("owner.name", f"{BESIDE}.owner.0.name", text, read_only=True),
    row("owner.email", First((f"{BESIDE}.owner.0.emails.0.value", f"{BESIDE}.owner.0.emails.0")), text, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "description", text, required=True, key=True),
    row("owner.id", "links.owner", text),
    row("contact.id", "links.contacts", first),
    row("account.id", "links.accounts", first),
    CUSTOM,
    row("lead_source", SOURCE, text, read_only=True),
    row("status", "status", text, read_only=True),
    PAGE,
    row("last_activity_at", "lastContactedTime", instant, read_only=True),
    row("created_at", "createdTime", instant, read_only=True),
)

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("first_name", "firstName", text, read_only=True),  # the vendor parts the name
    row("last_name", "lastName", text, read_only=True),
    row("title", "jobTitle", text, read_only=True),
    row("emails", EMAILS, key=True),
    row("phones", Phones("phones", {"number": "value.number", "extension": "value.extension", "type": "name"})),
    row("company.id", "links.accounts", first),
    row("company.name", f"{BESIDE}.accounts.0.name", text, read_only=True),
    *OWNER,
    row("addresses", ADDRESSES),
    row("description", "description", text),
    CUSTOM,
    PAGE,
    row("created_at", "createdTime", instant, read_only=True),
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "urls", website),
    row("phones", Phones("phones", {"number": "value", "type": "name"})),
    row("description", "description", text),
    row("number_of_employees", "employeeCount", number, read_only=True),
    row("annual_revenue", "revenue.amount", number, read_only=True),
    *OWNER,
    row("addresses", ADDRESSES),
    CUSTOM,
    PAGE,
    row("created_at", "createdTime", instant, read_only=True),
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "description", text, required=True, key=True),
    row("amount", First(("manualValue", "value.amount")), decimal),  # it is the sum of its products, if not given
    row("currency", "value.currency", text, read_only=True),
    row("pipeline.id", "links.stageset", text, read_only=True),
    row("pipeline.name", f"{BESIDE}.stageset.0.name", text, read_only=True),
    row("stage.id", "links.stage", text, read_only=True),
    row("stage.name", f"{BESIDE}.stage.0.name", text, read_only=True),
    row("status", "status", choice({status: status for status in ("open", "won", "lost")}), read_only=True),
    row("probability", "confidence", number, read_only=True),
    row("close_date", First(("closedTime", "anticipatedClosedTime")), its_day, read_only=True),
    row("company.id", "links.accounts", first),
    row("company.name", f"{BESIDE}.accounts.0.name", text, read_only=True),
    row("contact.id", "links.contacts", first),
    row("contact.name", f"{BESIDE}.contacts.0.name", text, read_only=True),
    *OWNER,
    CUSTOM,
    PAGE,
    row("closed_at", "closedTime", instant, read_only=True),
    row("last_activity_at", "lastContactedTime", instant, read_only=True),
    row("created_at", "createdTime", instant, read_only=True),
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("first_name", "firstName", text, read_only=True),
    row("email", First(("emails.0.value", "emails.0")), text, read_only=True),
    row("active", "isEnabled", boolean, read_only=True),
    row("updated_at", "modifiedTime", instant, read_only=True),
)

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", {"id": "id", "name": "name", "pipeline.id": "^id"}), read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("pipeline.id", "links.stageset", text, read_only=True),
    row("position", "position", number, read_only=True),
)

SEE = "https://developers.nutshell.com/reference"
FIXED = fixed("Pipelines and stages are set up in Nutshell itself; its API only reads them.", SEE)
ONE = "Nutshell has one object for both: what it calls a lead is the deal."

BY_AGE = Offset("leads", start="page[page]", size="page[limit]", most=500, first=0, query={"sort": "-age"})
"""The oldest lead first, so that a new one displaces none that is still to come."""

leads = Resource(lead, "/rest/leads", paging=BY_AGE, asks_for_changes=True)
deals = Resource(deal, "/rest/leads", nearest=ONE)
contacts = Resource(
    contact,
    "/rest/contacts",
    paging=Overlapping("contacts"),
    asks_for_changes=True,
    deletions="listed",
    emulates={"list": "Which contacts changed is found in the log of changes: no filter of the list asks for it."},
)
companies = Resource(company, "/rest/accounts")
users = Resource(user, "/rest/users")
pipelines = Resource(pipeline, "/rest/stagesets", lacks=FIXED, paging=Whole(), list_only=True)
stages = Resource(stage, "/rest/stages", lacks=FIXED, paging=Whole(), list_only=True)
