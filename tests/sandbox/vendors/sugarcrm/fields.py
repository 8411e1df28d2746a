"""The stock fields of the modules, and what may be written into each.

Strict: what a field's type does not take is refused. Decimals go out as strings, empty text as "", dates as null.
https://support.sugarcrm.com (Developer Guide: Metadata, Vardefs)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tests.sandbox.exchange import Json

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
FLAGS = ("primary_address", "opt_out", "invalid_email")


class FieldError(ValueError):
    """A value that does not fit its field."""


@dataclass(frozen=True)
class Field:
    """`options`: the name of an enum's list; `module`: where the record of an id is; `own`: nobody may write it."""

    type: str = "varchar"
    len: int = 255
    options: str = ""
    module: str = ""
    required: bool = False
    own: bool = False

    @property
    def empty(self) -> Json:
        match self.type:
            case "bool":
                return False
            case "date" | "datetime" | "decimal":
                return None
            case "email":
                return []
            case "team_list":
                return [{"id": "1", "name": "Global", "name_2": "", "primary": True}]
            case _:
                return ""


def texts(*names: str, type_: str = "varchar", length: int = 255) -> dict[str, Field]:
    return {name: Field(type_, length) for name in names}


def own(*names: str, type_: str = "varchar") -> dict[str, Field]:
    return {name: Field(type_, own=True) for name in names}


def address(prefix: str) -> dict[str, Field]:
    lengths = {"street": 150, "city": 100, "state": 100, "postalcode": 20, "country": 255}
    return {f"{prefix}_address_{part}": Field(len=length) for part, length in lengths.items()}


COMMON = (
    own("id", type_="id")
    | own("name", "modified_by_name", "created_by_name", "assigned_user_name")
    | own("modified_user_id", "created_by", type_="id")
    | own("date_entered", "date_modified", type_="datetime")
    | own("deleted", "following", "my_favorite", type_="bool")
    | own("team_name", type_="team_list")
    | own("team_count", "doc_owner", "user_favorites")
    | {"description": Field("text", 65_535), "assigned_user_id": Field("id", 36, module="users")}
)
PERSON = {
    "first_name": Field(len=100),
    "last_name": Field(len=100, required=True),
    "full_name": Field(own=True),
    "title": Field(len=100),
    "email": Field("email"),
    "lead_source": Field("enum", 100, "lead_source_dom"),
} | texts("phone_work", "phone_mobile", type_="phone", length=100)
MORE_OF_A_PERSON = (
    texts("phone_home", type_="phone", length=100)
    | {"department": Field(), "do_not_call": Field("bool"), "salutation": Field("enum", 255, "salutation_dom")}
    | address("primary")
)
"""Listed for contacts; leads share the template, which the inventory neither confirms nor denies (`bare_leads`)."""

FIELDS: Mapping[str, Mapping[str, Field]] = {
    "leads": COMMON
    | PERSON
    | {
        "account_name": Field(),
        "website": Field("url"),
        "status": Field("enum", 100, "lead_status_dom"),
        "converted": Field("bool", own=True),
        "contact_id": Field("id", 36, module="contacts"),
        "account_id": Field("id", 36, module="accounts"),
        "opportunity_id": Field("id", 36, module="opportunities"),
    }
    | MORE_OF_A_PERSON,
    "contacts": COMMON
    | PERSON
    | MORE_OF_A_PERSON
    | {"account_id": Field("id", 36, module="accounts"), "account_name": Field(own=True)},
    "accounts": COMMON
    | {
        "name": Field("name", 150, required=True),
        "website": Field("url"),
        "industry": Field("enum", 50, "industry_dom"),
        "account_type": Field("enum", 50, "account_type_dom"),
        "annual_revenue": Field(len=100),
        "employees": Field(len=10),
        "email": Field("email"),
        "parent_id": Field("id", 36, module="accounts"),
        "parent_name": Field(own=True),
    }
    | texts("phone_office", "phone_fax", type_="phone", length=100)
    | address("billing"),
    "users": COMMON
    | own("user_name", "first_name", "last_name", "full_name", "status", "employee_status", "title")
    | {"email": Field("email", own=True), "is_admin": Field("bool", own=True)},
    "opportunities": COMMON
    | {
        "name": Field("name", 50, required=True),
        "account_id": Field("id", 36, module="accounts", required=True),
        "date_closed": Field("date", required=True),
        "amount": Field("decimal", required=True),
        "sales_stage": Field("enum", 255, "sales_stage_dom"),
        "sales_status": Field("enum", 255, "sales_status_dom", own=True),
        "opportunity_type": Field("enum", 255, "opportunity_type_dom"),
        "lead_source": Field("enum", 100, "lead_source_dom"),
        "commit_stage": Field("enum", 50, "commit_stage_dom"),
        "next_step": Field(len=100),
        "currency_id": Field("id", 36, module="currencies"),
        "probability": Field("decimal"),
        "best_case": Field("decimal"),
        "worst_case": Field("decimal"),
    }
    | own("account_name", "campaign_id", "campaign_name", "currency_name", "currency_symbol", "img")
    | own("amount_usdollar", "base_rate", "date_closed_timestamp", type_="decimal")
    | own("last_activity_date", type_="datetime"),
    "currencies": COMMON | own("name", "symbol", "iso4217", "status") | own("conversion_rate", type_="decimal"),
}
BARE_LEADS_LACK = frozenset(MORE_OF_A_PERSON) | {"website"}

CUSTOM: Mapping[str, Mapping[str, Field]] = {
    "leads": {
        "favourite_colour_c": Field(len=50),
        "tier_c": Field("enum", 100, "tier_list"),
        "score_c": Field("decimal"),
        "renewal_c": Field("date"),
        "newsletter_c": Field("bool"),
    },
    "contacts": {"favourite_colour_c": Field(len=50)},
    "accounts": {"favourite_colour_c": Field(len=50)},
    "opportunities": {"favourite_colour_c": Field(len=50)},
}
BASE_CURRENCY = "-99"
"""Stands for the currency of the instance, which is no record (or one that cannot be read)."""

_SOURCES = (
    "Cold Call",
    "Existing Customer",
    "Self Generated",
    "Partner",
    "Conference",
    "Web Site",
    "Campaign",
    "Other",
)
_STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers",
    "Perception Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost",
)  # fmt: skip
LISTS: Mapping[str, Mapping[str, str]] = {
    "lead_source_dom": {"": ""} | {key: key for key in _SOURCES},
    "lead_status_dom": {
        "": "", "New": "New", "Assigned": "Assigned", "In Process": "In Process",
        "Converted": "Converted", "Recycled": "Recycled", "Dead": "Dead",
    },
    "industry_dom": {"": "", "Banking": "Banking", "Education": "Education", "Machinery": "Machinery",
                     "Technology": "Technology"},
    "salutation_dom": {"": "", "Mr.": "Mr.", "Ms.": "Ms.", "Dr.": "Dr."},
    "sales_status_dom": {key: key for key in ("New", "In Progress", "Closed Won", "Closed Lost")},
    "opportunity_type_dom": {"": "", "Existing Business": "Existing Business", "New Business": "New Business"},
    "commit_stage_dom": {"": "", "include": "Include", "exclude": "Exclude"},
    "account_type_dom": {"": "", "Customer": "Customer", "Partner": "Partner", "Other": "Other"},
    "sales_stage_dom": {key: key for key in _STAGES},
    "tier_list": {"": "", "gold": "Gold", "silver": "Silver", "bronze": "Bronze"},
}  # fmt: skip
"""Key -> label; the key is written and read, the label is shown. Customers change these lists."""


def wrong(why: str) -> Json:
    raise FieldError(why)


def read(field: Field, value: Json, lists: Mapping[str, Mapping[str, str]]) -> Json:
    """The value as it is kept; null and "" empty it."""
    if value is None or (value == "" and field.type != "email"):
        return field.empty
    match field.type:
        case "bool":
            return value if isinstance(value, bool) else wrong("is not true or false")
        case "decimal":
            return decimal(value)
        case "date":
            return day(value)
        case "email":
            return emails(value)
        case "enum":
            return value if isinstance(value, str) and value in lists[field.options] else wrong("is not in the list")
        case _:
            return text(value, field.len)


def text(value: Json, most: int) -> Json:
    if not isinstance(value, str):
        return wrong("is not a string")
    return value if len(value) <= most else wrong(f"is longer than {most}")


def decimal(value: Json) -> Json:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return wrong("is not a number")
    return str(value)


def day(value: Json) -> Json:
    try:
        return value if re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value) else wrong("is no date")
    except (TypeError, ValueError):
        return wrong("is no date")


def moment(value: Json) -> int:
    """Seconds of an ISO 8601 time with an offset; a plus that the URL made a blank is none."""
    try:
        read_ = datetime.fromisoformat(value)
    except (TypeError, ValueError) as odd:
        raise FieldError("is no time") from odd
    if read_.tzinfo is None:
        raise FieldError("has no offset")
    return int(read_.timestamp())


def emails(value: Json) -> Json:
    """A list of addresses, each once whatever its case, of which one is primary."""
    if not isinstance(value, list):
        return wrong("is not a list")
    kept: list[dict[str, Json]] = []
    for one in value:
        if not isinstance(one, dict) or not one.keys() <= {"email_address", *FLAGS}:
            return wrong("has entries of another shape")
        if not ADDRESS.fullmatch(str(one.get("email_address"))):
            return wrong("has no valid address")
        if any(str(one["email_address"]).lower() == other["email_address"].lower() for other in kept):
            continue
        kept.append({"email_address": one["email_address"]} | {name: truth(one.get(name, False)) for name in FLAGS})
    primaries = sum(one["primary_address"] for one in kept)
    if primaries > 1:
        return wrong("has two primary addresses")
    if kept and not primaries:
        kept[0]["primary_address"] = True
    return kept


def truth(value: Json) -> bool:
    """Flags of addresses are booleans, or "0" and "1"."""
    if isinstance(value, bool):
        return value
    if value not in ("0", "1"):
        raise FieldError("has a flag that is neither 0 nor 1")
    return value == "1"
