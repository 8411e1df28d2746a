"""What the tables of Dataverse hold of people, companies and what is sold to them.

Opportunity https://learn.microsoft.com/dynamics365/sales/developer/entities/opportunity
Contact     https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/contact
Account     https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/account
User        https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/systemuser
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.crm.catalog import Resource, Unsupported, Within, fixed
from switchboard.crm.codecs import Codec, boolean, choice, day, moment, number, text
from switchboard.crm.dialect import whole
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Cursor, Stretch, Whole, second
from switchboard.crm.places import First, Named, Postal, Record, Slots
from switchboard.crm.wire import Response, dig, many
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

DATA = "/api/data/v9.2"
BINDS = {
    "_ownerid_value": ("ownerid", "systemusers"),
    "_owninguser_value": ("ownerid", "systemusers"),
    "_parentaccountid_value": ("parentaccountid", "accounts"),
    "_parentcontactid_value": ("parentcontactid", "contacts"),
    "parentcustomerid_account.accountid": ("parentcustomerid_account", "accounts"),
}
"""Where a lookup leads. It is read as its value, and written as a path through the navigation property; one that may
lead to records of several tables has such a property for each."""

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CUSTOM = re.compile(r"(?!address\d_|revenue_base$|aging\d0_base$)[a-z][a-z0-9]{1,7}_\w+", re.ASCII)
"""Columns that somebody added begin with the prefix of a publisher; a few that all environments have look like it."""

SHOWN = "OData.Community.Display.V1.FormattedValue"
"""The annotation of a value as users see it, such as the name of a choice; others tell traces of its faults."""

MADE, CHANGED, VERSION = "createdon", "modifiedon", "versionnumber"
"""Lists are sorted by a moment of whole seconds, then by the version, which no two records share; ids know no `gt`.
https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators
"""


def _guid(value: Any) -> str:
    if isinstance(value, str) and GUID.fullmatch(value):
        return value
    raise ValueError("must be a GUID, such as 0928bcb4-bb27-ed11-9db1-002248274ada; an owner is a user, never a team")


guid = Codec(_guid, text.into)
option = Codec(lambda value: int(value) if whole(value) is not None else value, text.into)
"""The number of a choice; what is none the vendor refuses."""
integer = Codec(number.into, number.into)
"""A number that has no fraction, not even `.0`, where the column takes none; what has one the vendor refuses."""
opposite = Codec(lambda value: not value, lambda value: None if (no := boolean.into(value)) is None else not no)

PHONES = {"work": "telephone1", "mobile": "mobilephone", "home": "telephone2", "secondary": "telephone3", "fax": "fax"}
"""By the vendor's labels: business, mobile, home and other phone. A caller's first is the one of the business."""
EMAILS = {"primary": "emailaddress1", "secondary": "emailaddress2", "other": "emailaddress3"}
PARTS = ("line1", "city", "stateorprovince", "postalcode", "country", "line2")
ADDRESS = Postal(*(f"address1_{part}" for part in PARTS))
ADDED = Named(lambda key: bool(CUSTOM.fullmatch(key)), "they begin with a publisher's prefix: new_")


@dataclass(frozen=True, slots=True)
class Picked:
    """A part of what was chosen, which is told as its number and its name, and written as its number."""

    column: str
    part: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def get(self, record: Record) -> Any:
        told = record.get(self.column)
        return told.get(self.part) if isinstance(told, dict) else told if self.part == "id" else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        record[self.column] = value
        return ()


@dataclass(frozen=True, slots=True)
class NameOf:
    """What a record is called that is told in one of several ways, each with an id and a name: the first that has an
    id, though that record may not be seen, and so has no name."""

    ids: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.ids, *self.names)

    def get(self, record: Record) -> Any:
        told = [(dig(record, id), dig(record, name)) for id, name in zip(self.ids, self.names, strict=True)]
        return next((name for id, name in told if id), None)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


ACCOUNT = First(("_parentaccountid_value", "customerid_account.accountid"))
PERSON = First(("_parentcontactid_value", "customerid_contact.contactid"))
ACCOUNT_NAME = NameOf(ACCOUNT.columns, ("parentaccountid.name", "customerid_account.name"))
PERSON_NAME = NameOf(PERSON.columns, ("parentcontactid.fullname", "customerid_contact.fullname"))

# Owners may be teams: the user among them stands in a lookup of its own. Without it a record has no owner of ours.
OWNER = (
    row("owner.id", "_owninguser_value", guid),
    row("owner.name", "owninguser.fullname", text, read_only=True),
    row("owner.email", "owninguser.internalemailaddress", text, read_only=True),
)
DATES = (
    row("created_at", MADE, moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

# Whom a contact belongs to may be a contact as well. Columns that were added are told to who asks for them by name.
contact = Table(
    CONTACT,
    row("id", "contactid", text, read_only=True),
    row("first_name", "firstname", text, key=True),
    row("last_name", "lastname", text, key=True),
    row("name", "fullname", text, read_only=True),
    row("title", "jobtitle", text),
    row("emails", Slots("email", EMAILS), key=True),
    row("phones", Slots("number", {"primary": "telephone1"} | PHONES)),
    row("company.id", "parentcustomerid_account.accountid", guid),
    row("company.name", "parentcustomerid_account.name", text, read_only=True),
    *OWNER,
    row("addresses", ADDRESS),
    row("description", "description", text),
    row("custom_fields", ADDED),
    *DATES,
)

company = Table(
    COMPANY,
    row("id", "accountid", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "websiteurl", text),
    row("phones", Slots("number", {"primary": "telephone1", "work": "telephone1"})),
    row("industry", "industrycode", text),
    row("description", "description", text),
    row("number_of_employees", "numberofemployees", number),
    row("annual_revenue", "revenue", number),
    *OWNER,
    row("addresses", ADDRESS),
    row("custom_fields", ADDED, write_only=True),
    *DATES,
)

# The customer of a deal is one of two tables; what its form asks for are an account and a contact. A deal is closed by
# actions of its own, and its currency is named by its id.
deal = Table(
    DEAL,
    row("id", "opportunityid", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("amount", "estimatedvalue", number),
    row("currency", "transactioncurrencyid.isocurrencycode", text, read_only=True),
    row("stage.id", Picked("salesstage", "id"), option),
    row("stage.name", Picked("salesstage", "name"), text, read_only=True),
    row("status", "statecode", choice({"open": 0, "won": 1, "lost": 2}), read_only=True),
    row("probability", "closeprobability", integer),
    row("close_date", "estimatedclosedate", day),
    row("description", "description", text),
    row("company.id", ACCOUNT, guid, key=True),
    row("company.name", ACCOUNT_NAME, text, read_only=True),
    row("contact.id", PERSON, guid, key=True),
    row("contact.name", PERSON_NAME, text, read_only=True),
    *OWNER,
    row("custom_fields", ADDED, write_only=True),
    row("closed_at", "actualclosedate", moment, read_only=True),
    *DATES,
)

user = Table(
    USER,
    row("id", "systemuserid", text, read_only=True),
    row("name", "fullname", text, read_only=True),
    row("first_name", "firstname", text, read_only=True),
    row("last_name", "lastname", text, read_only=True),
    row("email", "internalemailaddress", text, read_only=True),
    row("active", "isdisabled", opposite, read_only=True),
    *DATES,
)

lead = Table(
    LEAD,
    row("id", "leadid", text, read_only=True),
    row("title", "subject", text, key=True),
    row("owner.id", "_ownerid_value", guid),
    row("contact.id", "_parentcontactid_value", guid, key=True),
    row("account.id", "_parentaccountid_value", guid, key=True),
    row("first_name", "firstname", text, key=True),
    row("last_name", "lastname", text, key=True),
    row("lead_source", "leadsourcecode", text),
    row("email_addresses", Slots("email", EMAILS), key=True),
    row("phone_numbers", Slots("number", {"primary": "telephone1"} | PHONES)),
    row("addresses", ADDRESS),
    row("description", "description", text, write_only=True),
    row("industry", "industrycode", text, write_only=True),
    row("website", "websiteurl", text, write_only=True),
    row("number_of_employees", "numberofemployees", write_only=True),
    row("custom_fields", ADDED, write_only=True),  # columns are asked for by name: which were added we do not know
    row("status", "statuscode", text, read_only=True),
    row("created_at", MADE, moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "Value", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("position", "position", number, read_only=True),
    row("status", "IsHidden", choice({"active": False, "inactive": True}), read_only=True),
)

ATTRIBUTES = DATA + "/EntityDefinitions(LogicalName='{}')/Attributes"
PICKLISTS = ATTRIBUTES + "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"


def options(*columns: str) -> dict[str, str]:
    """The query for what may be chosen in these columns; for several it is that for all, as it was recorded."""
    query = {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"}
    return query | ({"$filter": f"LogicalName eq '{columns[0]}'"} if len(columns) == 1 else {})


@dataclass(frozen=True, slots=True)
class Walk:
    """Records in the order of a moment. `$skip` is unknown, and a next link would name a host.

    The version has to be among the columns that are asked for.
    """

    since: str = CHANGED
    """The moment that is asked about. All records come in the order in which they were made: so no change moves one."""
    changes: bool = True

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        stamp = self.since if since else MADE
        query = {"$orderby": f"{stamp},{VERSION}", "$top": str(limit)}
        if "at" in cursor:
            at = second(datetime.fromisoformat(cursor["at"]))
            query["$filter"] = f"{stamp} gt {at} or ({stamp} eq {at} and {VERSION} gt {int(cursor['version'])})"
        elif since:
            query["$filter"] = f"{stamp} ge {second(since)}"
        return query

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        found, stamp = many(response.body, "value"), self.since if since else MADE
        at, version = (moment.into(dig(found[-1], stamp)), dig(found[-1], VERSION)) if found else (None, None)
        if len(found) < limit or at is None or not isinstance(version, int):
            return found, None
        return found, {"at": at, "version": version}


SEE = "https://learn.microsoft.com/dynamics365/sales/developer/entities/opportunity"
NO_PIPELINES = Unsupported(
    "Dataverse has no table of pipelines: an opportunity has one choice of sales stages, and any number of business "
    "process flows, which are made in their designer.",
    SEE,
)
NO_WRITES = fixed("The choices of a column are a part of its definition, which takes a customizer to change.", SEE)

leads = Resource(lead, f"{DATA}/leads", paging=Walk())
contacts = Resource(contact, f"{DATA}/contacts", paging=Walk())
companies = Resource(company, f"{DATA}/accounts")
deals = Resource(deal, f"{DATA}/opportunities")
users = Resource(user, f"{DATA}/systemusers")
sales_stage = Resource(stage, PICKLISTS.format("opportunity"), paging=Whole("value", query=options("salesstage")))
stages = Resource(
    stage,
    sales_stage.path,
    lacks=NO_WRITES,
    nearest="The choices of the column `salesstage` of opportunities stand for stages; its definition tells them.",
    within=Within(sales_stage, "OptionSet.Options"),
)
