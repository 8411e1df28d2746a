"""What the records of Zendesk Sell hold.

Persons and organizations are contacts, and share their ids; which of both one is, is said when it is made.
"""

from collections.abc import Sequence
from typing import Any

from switchboard.crm.catalog import Resource, fixed
from switchboard.crm.codecs import Codec, day, moment, number, number_id, percent, same, text, texts
from switchboard.crm.dialect import SOURCE
from switchboard.crm.mapping import Table, row
from switchboard.crm.places import Always, At, Each, Postal, Record, Slots
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.schema import Verb
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

REFERENCE = "https://developer.zendesk.com/api-reference/sales-crm/"


class ByName(At):
    """An object of custom fields by the names that people see; those without a value are left out."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        told = super().get(record)
        known = told if isinstance(told, dict) else {}
        return {name: value for name, value in known.items() if value is not None} or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        return super().put(record, value) if value else ()


active = Codec(same.out, lambda value: value == "active" if value in ("active", "inactive") else None)


ADDRESS = Postal(*(f"address.{part}" for part in ("line1", "city", "state", "postal_code", "country")))
EMAILS = Slots("email", {"primary": "email"})
PHONES = Slots("number", {"work": "phone", "primary": "phone", "mobile": "mobile", "fax": "fax"})
TIMES = (
    row("created_at", "created_at", moment, read_only=True),
    row("updated_at", "updated_at", moment, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, key=True),
    row("owner.id", "owner_id", number_id),
    row("first_name", "first_name", text, key=True),
    row("last_name", "last_name", text, required=True, key=True),  # by the contract; an organization's name would do
    row("lead_source", SOURCE, text),
    row("email_addresses", EMAILS, key=True),
    row("phone_numbers", PHONES),
    row("addresses", ADDRESS),
    row("custom_fields", ByName("custom_fields")),
    row("status", "status", text, read_only=True),
    *TIMES,
)

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "first_name", text, key=True),
    row("last_name", "last_name", text, required=True, key=True),
    row("name", "name", text, read_only=True),  # of a person it is made of both names
    row("title", "title", text),
    row("emails", EMAILS, key=True),
    row("phones", PHONES),
    row("company.id", "contact_id", number_id),
    row("owner.id", "owner_id", number_id),
    row("addresses", ADDRESS),
    row("tags", "tags", texts()),
    row("description", "description", text),
    row("custom_fields", ByName("custom_fields")),
    *TIMES,
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "website", text),
    row("phones", PHONES),
    row("industry", "industry", text),
    row("description", "description", text),
    row("owner.id", "owner_id", number_id),
    row("addresses", ADDRESS),
    row("tags", "tags", texts()),
    row("custom_fields", ByName("custom_fields")),
    *TIMES,
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("amount", "value", number),
    row("currency", "currency", text),
    row("stage.id", "stage_id", number_id),  # which tells the pipeline and whether the deal is won or lost
    row("probability", "customized_win_likelihood", percent),  # without one, that of the stage holds
    row("close_date", "estimated_close_date", day),
    row("company.id", "organization_id", number_id, read_only=True),  # that of the person
    row("contact.id", "contact_id", number_id, required=True, key=True),
    row("owner.id", "owner_id", number_id),
    row("tags", "tags", texts()),
    row("custom_fields", ByName("custom_fields")),
    row("last_activity_at", "last_activity_at", moment, read_only=True),
    *TIMES,
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("email", "email", text, read_only=True),
    row("phone", "phone_number", text, read_only=True),
    row("active", "status", active, read_only=True),
    *TIMES,
)

STEPS = {"id": "id", "name": "name", "status": "category", "pipeline.id": "pipeline_id"}
pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", STEPS), read_only=True),
    *TIMES,
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("pipeline.id", "pipeline_id", text, read_only=True),
    row("position", "position", number, read_only=True),
    *TIMES,
)

BY_IDS: dict[Verb, str] = {"get": "It is found by the list's filter of ids: Zendesk Sell reads none by its address."}
STEPS_TOO = "Its stages are found in the list of all of them."
TOLD: dict[Verb, str] = {"list": STEPS_TOO, "get": f"{BY_IDS['get']} {STEPS_TOO}"}
FIXED = fixed("Stages and their pipelines are only read by the API of Zendesk Sell.", f"{REFERENCE}resources/stages/")

leads = Resource(lead, "/v2/leads", asks_for_changes=True)
contacts = Resource(contact, "/v2/contacts", asks_for_changes=True)
companies = Resource(company, "/v2/contacts")
deals = Resource(deal, "/v2/deals")
users = Resource(user, "/v2/users")
pipelines = Resource(pipeline, "/v2/pipelines", lacks=FIXED, emulates=TOLD, asks_for_changes=True)
stages = Resource(stage, "/v2/stages", lacks=FIXED, emulates=BY_IDS, asks_for_changes=True)
