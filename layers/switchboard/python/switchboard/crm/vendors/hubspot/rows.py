"""What HubSpot's records hold: properties, and links to other records.

Contacts  https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
Companies https://developers.hubspot.com/docs/api-reference/crm-companies-v3/guide
Deals     https://developers.hubspot.com/docs/api-reference/crm-deals-v3/guide
Leads     https://developers.hubspot.com/docs/api-reference/crm-leads-v3/guide
Owners    https://developers.hubspot.com/docs/api-reference/crm-owners-v3/guide
Pipelines https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from switchboard.crm.catalog import Resource, Within
from switchboard.crm.codecs import Codec, boolean, choice, day, moment, number, text
from switchboard.crm.dialect import OUTER
from switchboard.crm.mapping import Bag, Row, Table, row
from switchboard.crm.paging import Token, Whole
from switchboard.crm.places import Always, Each, Ended, Joined, Named, Postal, Record, Slots
from switchboard.crm.wire import dig, many
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.schema import Schema
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

VERSION = "2026-09"
"""The dated API: supported for 18 months from 8 September 2026. Bodies are those of v3."""

OBJECTS = f"/crm/objects/{VERSION}"

OWNERS = "/crm/v3/owners"
"""Users who may own records have no path of the dated API."""

PIPELINES = f"/crm/pipelines/{VERSION}/deals"
PROPERTIES = f"/crm/properties/{VERSION}/contacts"

FIRST_STAGES: list[Record] = [
    {"label": "Open", "displayOrder": 0, "metadata": {"probability": "0.5", "isClosed": "false"}},
    {"label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0", "isClosed": "true"}},
    {"label": "Lost", "displayOrder": 2, "metadata": {"probability": "0.0", "isClosed": "true"}},
]
"""HubSpot makes no pipeline without stages, and a deal has to end somewhere."""

STAGES_WITHIN = "A stage is found in the list of all pipelines: HubSpot reads and removes it by pipeline and stage."

AFTER = "paging.next.after"
LIST = Token("results", "after", AFTER)


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
        # A pair with a label, such as the primary one, stands there twice: with it, and as one without any.
        told = many(links, f"{self.objects}.results")
        labelled = (each for each in told if not str(each.get("type")).endswith("_unlabeled"))
        return dig(next(labelled, None) or next(iter(told), None), "id")

    def put(self, record: Record, value: Any) -> Sequence[str]:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self.type_id}
        record.setdefault("associations", []).append({"to": {"id": value}, "types": [kind]})
        return ()


class Employer(Linked):
    """The company of a contact. A property names the primary one, and is all that a search tells; the association says
    it in a read, also where the property does not do so yet."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        return record.get(PRIMARY) or super().get(record)


@dataclass(frozen=True, slots=True)
class EmployerName:
    """What a contact says that its company is called; without a company it is a mere text."""

    columns: tuple[str, ...] = ("company",)

    def get(self, record: Record) -> Any:
        name = record.get("company")
        return name if EMPLOYER.get(record) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


PRIMARY = "associatedcompanyid"
EMPLOYER = Employer("companies", 1, 279, (PRIMARY,))

STANDARD = re.compile(r"^(hs_|hubspot_|(id|url|archived|associations|(created|updated)At|(create|lastmodified)date)$)")
"""Names that no custom property of a portal has: HubSpot keeps these prefixes for itself."""

ABOUT = Linked("contacts", 578, 608)
"""A lead's contact: the primary one as we write it, any as we read it."""

HINT = "HubSpot keeps hs_ and hubspot_ for itself"

OWN = {
    *("amount_in_home_currency", "company", "days_to_close", "dealtype", "lifecyclestage", "num_associated_contacts"),
    *("notes_last_updated", "num_contacted_notes", "num_notes", "website"),
}
"""Properties of HubSpot's own without a prefix, beside those that are an object's own rows."""


def bag(schema: Schema, *rows: Row) -> Table:
    """The rows of an object whose standard properties mostly have no prefix: one of these is not custom. A read tells
    of those custom ones alone that it asks for by name."""
    own = OWN.union(*(each.place.columns for each in rows))
    custom = Named(lambda key: key not in own and not STANDARD.match(key), HINT)
    return Table(
        schema,
        row("id", "id", text, read_only=True),
        *rows,
        row("owner.id", "hubspot_owner_id", text),
        row("custom_fields", custom),
        row("urls", Slots("url", {"record": "url"}), read_only=True),
        row("last_activity_at", "notes_last_updated", moment, read_only=True),
        row("created_at", "createdAt", moment, read_only=True),
        row("updated_at", "updatedAt", moment, read_only=True),
    )


contact = bag(
    CONTACT,
    row("first_name", "firstname", text, key=True),
    row("last_name", "lastname", text, key=True),
    row("name", Joined(("firstname", "lastname")), read_only=True),
    row("title", "jobtitle", text),
    row("emails", Slots("email", {"primary": "email"}), key=True),
    row("phones", Slots("number", {"primary": "phone", "work": "phone", "mobile": "mobilephone", "fax": "fax"})),
    row("addresses", Postal("address", "city", "state", "zip", "country")),
    row("lead_status", "hs_lead_status", text),
    row("company.id", EMPLOYER, text),
    row("company.name", EmployerName(), text, read_only=True),
)

company = bag(
    COMPANY,
    row("name", "name", text, key=True),
    row("domain", "domain", text, key=True),
    row("website", "website", text),
    row("phones", Slots("number", {"primary": "phone"})),
    row("industry", "industry", text),
    row("description", "description", text),
    row("number_of_employees", "numberofemployees", number),
    row("annual_revenue", "annualrevenue", number),
    row("addresses", Postal("address", "city", "state", "zip", "country", street_2="address2")),
)


@dataclass(frozen=True, slots=True)
class ClosedAt:
    """When a deal was closed: its closing date, which is no more than expected before that."""

    columns: tuple[str, str] = ("closedate", "hs_is_closed")

    def get(self, record: Record) -> Any:
        return record.get("closedate") if boolean.into(record.get("hs_is_closed")) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


def _midnight(value: date) -> str:
    return f"{value.isoformat()}T00:00:00Z"


def _per_cent(value: Any) -> Any:
    found = number.into(value)
    return None if found is None else number.into(round(found * 100, 6))  # 0.4 comes with fifty digits


deal = bag(
    DEAL,
    row("name", "dealname", text, required=True, key=True),
    row("amount", "amount", number, key=True),
    row("currency", "deal_currency_code", text),
    row("pipeline.id", "pipeline", text),
    row("stage.id", "dealstage", text, key=True),
    row("status", Ended(("hs_is_closed", "hs_is_closed_won")), read_only=True),
    row("probability", "hs_deal_stage_probability", Codec(number.out, _per_cent), read_only=True),
    row("close_date", "closedate", Codec(_midnight, day.into)),
    row("closed_at", ClosedAt(), moment, read_only=True),
    row("description", "description", text),
    row("company.id", Linked("companies", 5, 341), text, key=True),
    row("contact.id", Linked("contacts", 3, 3), text, key=True),
)


def _not(value: Any) -> bool | None:
    told = boolean.into(value)
    return None if told is None else not told


user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", Joined(("firstName", "lastName")), read_only=True),
    row("first_name", "firstName", text, read_only=True),
    row("last_name", "lastName", text, read_only=True),
    row("email", "email", text, read_only=True),
    row("active", "archived", Codec(_not, _not), read_only=True),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "updatedAt", moment, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "hs_lead_name", text, key=True),
    row("owner.id", "hubspot_owner_id", text),
    row("contact.id", ABOUT, text, required=True, key=True),
    row("account.id", Linked("companies", 580, 610), text, required=True),
    row("lead_type", "hs_lead_type", text),
    row("status", "hs_pipeline_stage", text),
    row("custom_fields", Named(lambda key: not STANDARD.match(key), HINT)),
    row("lead_source", "hs_lead_source", text, read_only=True),
    row("first_name", "hs_associated_contact_firstname", text, read_only=True),
    row("last_name", "hs_associated_contact_lastname", text, read_only=True),
    row("email_addresses", Slots("email", {"primary": "hs_associated_contact_email"}), read_only=True),
    row("last_activity_at", "hs_last_activity_date", moment, read_only=True),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "updatedAt", moment, read_only=True),
)


def closed(stage: Record) -> bool:
    """Whether deals end in a stage; HubSpot writes it as a text, and takes it from a probability of all or nothing."""
    told = str(dig(stage, "metadata.probability")) in ("0", "0.0", "1", "1.0")
    return told or str(dig(stage, "metadata.isClosed")).lower() == "true"


class Outcomes(Each):
    """The stages of a pipeline, with what a deal is there: closed with a probability of one is won, of none lost."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        found = super().get(record)
        for item, body in zip(found or (), many(record, self.path), strict=False):
            won = str(dig(body, "metadata.probability")) in ("1.0", "1")
            item["status"] = ("won" if won else "lost") if closed(body) else "open"
        return found


pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "label", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Outcomes("stages", {"id": "id", "name": "label", "pipeline.id": "^id"})),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "updatedAt", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "label", text, required=True, key=True),
    row("pipeline.id", f"{OUTER}.id", text, required=True, key=True),
    row("pipeline.name", f"{OUTER}.label", text, read_only=True),
    row("position", "displayOrder", number, read_only=True),
    row("status", "archived", choice({"active": False, "inactive": True}), read_only=True),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "updatedAt", moment, read_only=True),
)

BAG = Bag("properties", ("id", "url", "createdAt", "updatedAt", "associations"))


leads = Resource(lead, f"{OBJECTS}/leads", paging=LIST, asks_for_changes=True, deletions="listed")
contacts = Resource(
    contact,
    f"{OBJECTS}/contacts",
    any_of=(("emails", "first_name", "last_name"),),
    paging=LIST,
    asks_for_changes=True,
    deletions="listed",
)
companies = Resource(company, f"{OBJECTS}/companies", any_of=(("name", "domain"),))
deals = Resource(deal, f"{OBJECTS}/deals")
users = Resource(user, OWNERS)
pipelines = Resource(
    pipeline,
    PIPELINES,
    paging=Whole("results", at="updatedAt"),
    emulates={
        "create": (
            "HubSpot wants stages with it, and a probability for each: without any named it begins with Open, Won and "
            "Lost, and Won and Lost follow those that are named where deals end in none of them."
        )
    },
)
stages = Resource(
    stage,
    PIPELINES,
    within=Within(pipelines, "stages", at="updatedAt"),
    emulates={
        "create": "The order and the probability that HubSpot wants are read from the stages that are there.",
        **dict.fromkeys(("list", "get", "delete"), STAGES_WITHIN),
    },
)
