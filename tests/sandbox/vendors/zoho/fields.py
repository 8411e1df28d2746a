"""The field tables of the modules, and how a field takes a value: types are strict, lookups are objects.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.zoho.refusals import Fault, at, fault

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"


class RejectedError(Exception):
    """A value that its field does not take; `below` is where in the value."""

    def __init__(self, message: str = "invalid data", below: str = "", **details: Json) -> None:
        super().__init__(message)
        self.message, self.below, self.details = message, below, details

    def fault(self, path: str, name: str) -> Fault:
        if self.below:
            path, name = f"{path}.{name}", self.below
        return fault("INVALID_DATA", self.message, **at(path, name, **self.details))


@dataclass(frozen=True)
class Field:
    """`mandatory` is by the system or by the layout; `options` are display values, or "display=actual"."""

    name: str
    type: str = "text"
    length: int = 255
    mandatory: str = ""
    read_only: bool = False
    custom: bool = False
    options: tuple[str, ...] = ()
    lookup: str = ""

    @property
    def label(self) -> str:
        return self.name.removesuffix("__s").replace("_", " ")

    @property
    def json_type(self) -> str:
        return JSON_TYPES.get(self.type, "string")


JSON_TYPES = {
    "integer": "integer",
    "currency": "double",
    "double": "double",
    "boolean": "boolean",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "multiselectpicklist": "jsonarray",
    "tags": "jsonarray",
}

SOURCES = (
    "Advertisement", "Cold Call", "Employee Referral", "External Referral", "Partner Referral", "Trade Show",
    "Web Download", "Web Research", "Chat",
)  # fmt: skip
STATUSES = (
    "Attempted to Contact", "Contact in Future", "Contacted", "Junk Lead", "Lost Lead", "Not Contacted",
    "Pre-Qualified", "Not Qualified",
)  # fmt: skip
INDUSTRIES = ("ASP", "Data/Telecom OEM", "ERP", "Engineering", "Large Enterprise", "Service Provider", "Technology")
RATINGS = ("Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down", "Hot")
LOSSES = ("Expectation Mismatch", "Price", "Unqualified Customer", "Lack of response", "Missed Follow Ups", "Other")
STAGES = (
    ("Qualification", "Open", "Pipeline", 10),
    ("Needs Analysis", "Open", "Pipeline", 20),
    ("Value Proposition", "Open", "Pipeline", 40),
    ("Identify Decision Makers=Id. Decision Makers", "Open", "Pipeline", 60),
    ("Proposal/Price Quote", "Open", "Pipeline", 75),
    ("Negotiation/Review", "Open", "Pipeline", 90),
    ("Closed Won", "Closed Won", "Closed", 100),
    ("Closed Lost", "Closed Lost", "Omitted", 0),
    ("Closed Lost to Competition", "Closed Lost", "Omitted", 0),
)

_SYSTEM = [
    Field("id", "bigint", 20, read_only=True),
    Field("Owner", "ownerlookup", 120),
    *(Field(name, "ownerlookup", 120, read_only=True) for name in ("Created_By", "Modified_By")),
    *(Field(name, "datetime", 120, read_only=True) for name in ("Created_Time", "Modified_Time", "Last_Activity_Time")),
    Field("Description", "textarea", 32_000),
    Field("Locked__s", "boolean", read_only=True),
    Field("Tag", "tags"),
]

_IMAGE = Field("Record_Image", "profileimage", read_only=True)
_NEARBY = Field("nearby_distance__s", "double", read_only=True)


def _address(prefix: str, code: str) -> list[Field]:
    return [
        *(Field(f"{prefix}{name}") for name in ("Street", "City", "State", "Country")),
        Field(f"{prefix}{code}"),
        Field(f"{prefix}Flat_House_No_Building_Apartment_Name"),
        *(Field(f"{prefix}{name}", "double", read_only=True) for name in ("Latitude", "Longitude")),
        *(Field(f"{prefix}{name}", read_only=True) for name in ("Coordinates", "Address")),
    ]


_PERSON = [
    Field("Salutation", "picklist", options=("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")),
    Field("First_Name", length=40),
    Field("Last_Name", length=80, mandatory="system"),
    Field("Full_Name", length=80, read_only=True),
    Field("Email", "email", 100),
    Field("Secondary_Email", "email", 100),
    *(Field(name, "phone", 30) for name in ("Phone", "Mobile", "Fax")),
    Field("Lead_Source", "picklist", options=SOURCES),
    Field("Email_Opt_Out", "boolean"),
    Field("Skype_ID", length=50),
    Field("Twitter", length=50),
    Field("Unsubscribed_Mode", "picklist", read_only=True),
    Field("Unsubscribed_Time", "datetime", read_only=True),
]

CUSTOM = [
    Field("Favourite_Colour", custom=True),
    Field("Contract_End", "date", 20, custom=True),
    Field("Score", "double", 16, custom=True),
    Field("Tier", "picklist", 120, custom=True, options=("Gold", "Silver", "Bronze")),
    Field("Interests", "multiselectpicklist", 1000, custom=True, options=("Engines", "Looms", "Poetry")),
    Field("Next_Visit", "datetime", 120, custom=True),
]

TABLES: dict[str, list[Field]] = {
    "leads": [
        *_SYSTEM,
        _IMAGE,
        *_PERSON,
        Field("Company", length=200, mandatory="layout"),
        Field("Designation", length=100),
        Field("Website", "website", 450),
        Field("Lead_Status", "picklist", options=STATUSES),
        Field("Industry", "picklist", options=INDUSTRIES),
        Field("Rating", "picklist", options=RATINGS),
        Field("No_of_Employees", "integer", 9),
        Field("Annual_Revenue", "currency", 16),
        *_address("", "Zip_Code"),
        _NEARBY,
        *CUSTOM,
    ],
    "contacts": [
        *_SYSTEM,
        _IMAGE,
        *_PERSON,
        Field("Account_Name", "lookup", 200, lookup="accounts"),
        Field("Reporting_To", "lookup", 200, lookup="contacts"),
        Field("Title", length=100),
        Field("Department", length=50),
        Field("Date_of_Birth", "date", 20),
        Field("Assistant", length=50),
        *(Field(name, "phone", 30) for name in ("Home_Phone", "Other_Phone", "Asst_Phone")),
        *_address("Mailing_", "Zip"),
        *_address("Other_", "Zip"),
        _NEARBY,
        CUSTOM[0],
    ],
    "accounts": [
        *_SYSTEM,
        _IMAGE,
        Field("Account_Name", length=200, mandatory="system"),
        Field("Account_Number", length=100),
        Field("Website", "website", 450),
        *(Field(name, "phone", 30) for name in ("Phone", "Fax")),
        Field("Industry", "picklist", options=INDUSTRIES),
        Field("Rating", "picklist", options=RATINGS),
        Field("Account_Type", "picklist", options=("Analyst", "Competitor", "Customer", "Partner", "Prospect")),
        Field("Employees", "integer", 9),
        Field("Annual_Revenue", "currency", 16),
        Field("Parent_Account", "lookup", 200, lookup="accounts"),
        Field("Ownership", "picklist", options=("Other", "Private", "Public", "Subsidiary")),
        *(Field(name, length=80) for name in ("Account_Site", "Ticker_Symbol")),
        Field("SIC_Code", "integer", 9),
        *_address("Billing_", "Code"),
        *_address("Shipping_", "Code"),
        _NEARBY,
        CUSTOM[0],
    ],
    "deals": [
        *_SYSTEM,
        Field("Deal_Name", length=120, mandatory="system"),
        Field("Stage", "picklist", 120, mandatory="system", options=tuple(name for name, *_ in STAGES)),
        Field("Pipeline", "picklist", 120, mandatory="system"),
        Field("Closing_Date", "date", 20, mandatory="layout"),
        Field("Amount", "currency", 16),
        Field("Probability", "integer", 9),
        Field("Expected_Revenue", "currency", 16, read_only=True),
        Field("Account_Name", "lookup", 200, lookup="accounts"),
        Field("Contact_Name", "lookup", 200, lookup="contacts"),
        Field("Campaign_Source", "lookup", 200, lookup="campaigns"),
        Field("Type", "picklist", 120, options=("Existing Business", "New Business")),
        Field("Lead_Source", "picklist", options=SOURCES),
        Field("Next_Step", length=100),
        Field("Reason_For_Loss__s", "picklist", options=LOSSES),
        Field("Lead_Conversion_Time", "integer", 9, read_only=True),
        *(Field(name, "integer", 9, read_only=True) for name in ("Overall_Sales_Duration", "Sales_Cycle_Duration")),
        CUSTOM[0],
    ],
}
FIELDS = {kind: {field.name: field for field in rows} for kind, rows in TABLES.items()}
MODULES = {kind.capitalize(): kind for kind in FIELDS}


def read(field: Field, value: Json, options: list[str]) -> Json:
    """A sent value as it is stored, or RejectedError. Null and empty text unset; `options` bound a pick list."""
    if value is None or value == "":
        return None
    if field.type in ("picklist", "multiselectpicklist"):
        return _options(field, value, options)
    return READERS.get(field.type, _text)(field, value)


def _wrong(expected: str) -> RejectedError:
    return RejectedError(expected_data_type=expected)


def _text(field: Field, value: Json) -> str:
    if not isinstance(value, str):
        raise _wrong("text")
    if len(value) > field.length:
        raise RejectedError(maximum_length=field.length)
    return value


def _pattern(expected: str, pattern: str) -> Callable[[Field, Json], Json]:
    def reader(field: Field, value: Json) -> Json:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _wrong(expected)
        return _text(field, value)

    return reader


def _integer(field: Field, value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong("integer")
    if len(str(abs(value))) > field.length:
        raise RejectedError(maximum_length=field.length)
    return value


def _number(field: Field, value: Json) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong("double")
    return value


def _flag(field: Field, value: Json) -> bool:
    if not isinstance(value, bool):
        raise _wrong("boolean")
    return value


def _date(field: Field, value: Json) -> str:
    try:
        return date.fromisoformat(value if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else "").isoformat()
    except (TypeError, ValueError) as odd:
        raise _wrong("date") from odd


def _moment(field: Field, value: Json) -> str:
    """Whole seconds and an offset; neither milliseconds nor Z."""
    try:
        datetime.fromisoformat(value if re.fullmatch(MOMENT, value) else "")
    except (TypeError, ValueError) as odd:
        raise _wrong("datetime") from odd
    return value


def _lookup(field: Field, value: Json) -> Json:
    """The shape alone: whether the record is there, the organization knows."""
    if not isinstance(value, dict):
        raise _wrong("jsonobject")
    if "id" in value and not (isinstance(value["id"], str) and value["id"].isdigit()):
        raise RejectedError(below="id", expected_data_type="bigint")
    return value


def _tags(field: Field, value: Json) -> Json:
    if not isinstance(value, list) or not all(isinstance(one, dict) and one.get("name") for one in value):
        raise _wrong("jsonarray")
    return [{"name": one["name"]} for one in value]


def _options(field: Field, value: Json, options: list[str]) -> Json:
    several = field.type == "multiselectpicklist"
    if not isinstance(value, list if several else str):
        raise _wrong("jsonarray" if several else "text")
    unknown = [one for one in (value if several else [value]) if one not in options]
    if unknown:
        raise RejectedError(f"The field value given for {field.name} is invalid")
    return None if value in ([], NONE) else value


NONE = "-None-"
"""The option that every pick list begins with; writing it unsets."""

READERS: dict[str, Callable[[Field, Json], Json]] = {
    "email": _pattern("email", r"[^@\s,]+@[^@\s,]+\.[^@\s.,]+"),
    "phone": _pattern("phone", r"\+?[0-9A-Za-z()./;,#\s-]+"),
    "website": _pattern("website", r"\S+\.\S+"),
    "integer": _integer,
    "currency": _number,
    "double": _number,
    "boolean": _flag,
    "date": _date,
    "datetime": _moment,
    "lookup": _lookup,
    "ownerlookup": _lookup,
    "tags": _tags,
}
