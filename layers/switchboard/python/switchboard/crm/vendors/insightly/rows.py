"""What Insightly's records hold. A lead names its source by an id, and has one e-mail address; no contact and no
account can be linked to it. Moments have no zone, and are told in UTC; a day is its first moment.

Reference https://api.na1.insightly.com/v3.1/Help
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from switchboard.crm.catalog import Resource, fixed
from switchboard.crm.codecs import Codec, boolean, choice, day, moment, number, number_id, percent, text, texts
from switchboard.crm.dialect import SOURCE
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Offset, Overlapping, Since, just_before, second
from switchboard.crm.places import Each, Joined, Listed, Postal, Record, Slots
from switchboard.crm.wire import many
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

MOST = 500
"""The largest page."""

CHANGED = "DATE_UPDATED_UTC"
"""The moment of change in records."""

API = "/v3.1"

CUSTOM = Listed("CUSTOMFIELDS", "FIELD_NAME", "FIELD_VALUE", lambda name: name.endswith("__c"), "they end with __c")

PHONES = {"primary": "PHONE", "work": "PHONE", "mobile": "MOBILE", "fax": "FAX"}
PHONES_OF_CONTACTS = {
    "primary": "PHONE",
    "work": "PHONE",
    "mobile": "PHONE_MOBILE",
    "home": "PHONE_HOME",
    "secondary": "PHONE_OTHER",
    "fax": "PHONE_FAX",
}

STATES = choice({"open": "OPEN", "won": "WON", "lost": "LOST"})


def _state(value: Any) -> Any:
    return STATES.into(value.upper()) if isinstance(value, str) else None


midnight = Codec(lambda value: f"{day.out(value)} 00:00:00", day.into)
"""A day, as the vendor tells it and takes it: by its first moment."""


def address(which: str = "") -> Postal:
    """The columns of an address."""
    return Postal(*(f"ADDRESS_{which}{part}" for part in ("STREET", "CITY", "STATE", "POSTCODE", "COUNTRY")))


ENDS = ("LINK_OBJECT", "OBJECT")
"""A link has two of them."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The id of the first contact that a record is linked with; a link is made by a request of its own, only read.
    Which end of it is told first, depends on where it was made."""

    columns: tuple[str, ...] = ("LINKS",)

    def get(self, record: Record) -> Any:
        ends = [(each.get(f"{end}_NAME"), each.get(f"{end}_ID")) for each in many(record, "LINKS") for end in ENDS]
        return next((id for name, id in ends if str(name).upper() == "CONTACT" and id is not None), None)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


OF_RECORDS = (
    row("owner.id", "OWNER_USER_ID", number_id),
    row("tags", "TAGS", texts("TAG_NAME"), read_only=True),  # by requests of their own
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LAST_ACTIVITY_DATE_UTC", moment, read_only=True),
    row("created_at", "DATE_CREATED_UTC", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)
"""What is told of contacts, companies and deals alike."""

contact = Table(
    CONTACT,
    row("id", "CONTACT_ID", text, read_only=True),
    row("first_name", "FIRST_NAME", text, required=True, key=True),
    row("last_name", "LAST_NAME", text, key=True),
    row("name", Joined(("FIRST_NAME", "LAST_NAME")), read_only=True),
    row("title", "TITLE", text),
    row("emails", Slots("email", {"primary": "EMAIL_ADDRESS"}), key=True),
    row("phones", Slots("number", PHONES_OF_CONTACTS)),
    row("addresses", address("MAIL_")),
    row("description", "BACKGROUND", text),
    row("company.id", "ORGANISATION_ID", number_id),
    *OF_RECORDS,
)

company = Table(
    COMPANY,
    row("id", "ORGANISATION_ID", text, read_only=True),
    row("name", "ORGANISATION_NAME", text, required=True, key=True),
    row("domain", "EMAILDOMAINS.0.EMAIL_DOMAIN", text, read_only=True),
    row("website", "WEBSITE", text),
    row("phones", Slots("number", {"primary": "PHONE", "work": "PHONE", "fax": "PHONE_FAX"})),
    row("addresses", address("BILLING_")),
    row("description", "BACKGROUND", text),
    *OF_RECORDS,
)

deal = Table(
    DEAL,
    row("id", "OPPORTUNITY_ID", text, read_only=True),
    row("name", "OPPORTUNITY_NAME", text, required=True, key=True),
    row("amount", "BID_AMOUNT", number),
    row("currency", "BID_CURRENCY", text),
    row("pipeline.id", "PIPELINE_ID", text, read_only=True),  # set by a request of its own, as is the stage
    row("stage.id", "STAGE_ID", text, read_only=True),
    row("status", "OPPORTUNITY_STATE", Codec(STATES.out, _state)),
    row("probability", "PROBABILITY", percent),
    row("close_date", "FORECAST_CLOSE_DATE", midnight),
    row("description", "OPPORTUNITY_DETAILS", text),
    row("company.id", "ORGANISATION_ID", number_id),
    row("contact.id", Linked(), text, read_only=True),
    row("closed_at", "ACTUAL_CLOSE_DATE", moment, read_only=True),
    *OF_RECORDS,
)

user = Table(
    USER,
    row("id", "USER_ID", text, read_only=True),
    row("name", Joined(("FIRST_NAME", "LAST_NAME")), read_only=True),
    row("first_name", "FIRST_NAME", text, read_only=True),
    row("last_name", "LAST_NAME", text, read_only=True),
    row("email", "EMAIL_ADDRESS", text, read_only=True),
    row("active", "ACTIVE", boolean, read_only=True),
    row("created_at", "DATE_CREATED_UTC", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "LEAD_ID", text, read_only=True),
    row("title", "TITLE", text, key=True),
    row("owner.id", "OWNER_USER_ID", number_id),
    row("first_name", "FIRST_NAME", text, key=True),
    row("last_name", "LAST_NAME", text, required=True, key=True),
    row("lead_source", SOURCE, text),
    row("email_addresses", Slots("email", {"primary": "EMAIL"}), key=True),
    row("phone_numbers", Slots("number", PHONES)),
    row("addresses", address()),
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LAST_ACTIVITY_DATE_UTC", moment, read_only=True),
    row("converted_at", "CONVERTED_DATE_UTC", moment, read_only=True),
    row("converted_contact", "CONVERTED_CONTACT_ID", text, read_only=True),
    row("converted_account", "CONVERTED_ORGANISATION_ID", text, read_only=True),
    row("created_at", "DATE_CREATED_UTC", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

STEPS = {"id": "STAGE_ID", "name": "STAGE_NAME", "pipeline.id": "PIPELINE_ID"}

pipeline = Table(
    PIPELINE,
    row("id", "PIPELINE_ID", text, read_only=True),
    row("name", "PIPELINE_NAME", text, read_only=True),
    # One of projects alone is of nothing that we have a word for.
    row("entity", "FOR_OPPORTUNITIES", choice({"opportunity": True}), read_only=True),
    row("stages", Each("stages", STEPS), read_only=True),
)

stage = Table(
    STAGE,
    row("id", "STAGE_ID", text, read_only=True),
    row("name", "STAGE_NAME", text, read_only=True),
    row("pipeline.id", "PIPELINE_ID", text, read_only=True),
    row("position", "STAGE_ORDER", number, read_only=True),
)

SEE = "https://api.na1.insightly.com/v3.1/Help"
FIXED = fixed("Pipelines and their stages can only be read by the API; an administrator makes them.", SEE)

LIST = Offset(start="skip", size="top", most=MOST)

SINCE = Since("updated_after_utc", lambda when: second(just_before(when)))


def searched(id: str) -> Overlapping:
    """The list itself knows no moments; the search does, and without one it gives all."""
    return Overlapping(start="skip", size="top", most=MOST, id=id, at=CHANGED, since=SINCE)


# Nothing tells of what was deleted.
contacts = Resource(contact, f"{API}/Contacts", paging=searched("CONTACT_ID"), listed=f"{API}/Contacts/Search")
companies = Resource(company, f"{API}/Organisations")
deals = Resource(deal, f"{API}/Opportunities")
users = Resource(user, f"{API}/Users")
leads = Resource(lead, f"{API}/Leads", paging=searched("LEAD_ID"), listed=f"{API}/Leads/Search")
STAGES_BESIDE = "Its stages are found in the list of all of them."
pipelines = Resource(
    pipeline,
    f"{API}/Pipelines",
    paging=LIST,
    lacks=FIXED,
    emulates=dict.fromkeys(("list", "get"), STAGES_BESIDE),
)
stages = Resource(stage, f"{API}/PipelineStages", paging=LIST, lacks=FIXED)
