"""What may be written on a lead, a contact, an organisation and an opportunity, how long, and the custom fields.

Lengths and types as in the vendor's Swagger document of v3.1 (https://api.insightly.com/v3.1/Help): strict types,
nothing is coerced but the record's own id, which a live client sends as a string.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox.exchange import Json


class FieldError(ValueError):
    """A value that does not fit, in the words of the refusal."""


type Reader = Callable[[Json], object]


def wrong(why: str) -> object:
    raise FieldError(why)


def text(most: int = 255) -> Reader:
    def read(value: Json) -> object:
        if not isinstance(value, str):
            return wrong("must be a string")
        return value if len(value) <= most else wrong(f"is longer than {most} characters")

    return read


def email(value: Json) -> object:
    """The form of an address is not documented as checked; the stricter reading is that it is."""
    text()(value)
    return value if value == "" or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) else wrong("is no e-mail address")


def integer(bits: int) -> Reader:
    def read(value: Json) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            return wrong("must be an integer")
        return value if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else wrong(f"does not fit into {bits} bits")

    return read


def number(value: Json) -> object:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else wrong("must be a number")


def flag(value: Json) -> object:
    return value if isinstance(value, bool) else wrong("must be a boolean")


def moment(value: Json) -> object:
    """`YYYY-MM-DD HH:MM:SS`, dates as their midnight: no other form was ever recorded."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
        return wrong("must be a date as YYYY-MM-DD HH:MM:SS")
    try:
        return str(datetime.fromisoformat(value))
    except ValueError:
        return wrong("must be a date as YYYY-MM-DD HH:MM:SS")


LONG, SHORT = text(4000), text(128)
ID, COUNT = integer(64), integer(32)
SOCIAL: Mapping[str, Reader] = {f"SOCIAL_{site}": text() for site in ("LINKEDIN", "FACEBOOK", "TWITTER")}


def address(*prefixes: str) -> dict[str, Reader]:
    parts: dict[str, Reader] = {"STREET": text(), "CITY": text(), "STATE": text(), "POSTCODE": SHORT, "COUNTRY": text()}
    return {f"{prefix}_{part}": reader for prefix in prefixes for part, reader in parts.items()}


@dataclass(frozen=True)
class Kind:
    """One kind of record. `unset`: what an empty member looks like where it is not null; `more`: read-only members."""

    one: str
    id: str
    required: str
    fields: Mapping[str, Reader]
    more: Mapping[str, Json]
    unset: Mapping[str, Json] = field(default_factory=dict[str, Json])
    kept: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict[str, str])


ACTIVITY = {"LAST_ACTIVITY_DATE_UTC": None, "NEXT_ACTIVITY_DATE_UTC": None, "VISIBLE_TO": "EVERYONE"}
OWNER = {"OWNER_USER_ID": "users"}
BRIEFLY_ABSENT = ("CUSTOMFIELDS", "TAGS", "LINKS", "DATES")

KINDS: Mapping[str, Kind] = {
    "leads": Kind(
        "Lead",
        "LEAD_ID",
        "LAST_NAME",
        {name: text() for name in ("FIRST_NAME", "LAST_NAME", "TITLE", "FAX", "MOBILE", "PHONE", "WEBSITE")}
        | {"SALUTATION": text(50), "ORGANISATION_NAME": text(), "INDUSTRY": SHORT, "LEAD_DESCRIPTION": LONG}
        | {"LEAD_SOURCE_ID": ID, "LEAD_STATUS_ID": ID, "OWNER_USER_ID": ID, "RESPONSIBLE_USER_ID": ID}
        | {"EMAIL": email, "EMPLOYEE_COUNT": COUNT, "LEAD_RATING": COUNT, "EMAIL_OPTED_OUT": flag}
        | address("ADDRESS"),
        {"CONVERTED": False, "IMAGE_URL": None, "VISIBLE_TEAM_ID": None, "TAGS": [], "LINKS": []}
        | {f"CONVERTED_{what}": None for what in ("CONTACT_ID", "DATE_UTC", "OPPORTUNITY_ID", "ORGANISATION_ID")}
        | ACTIVITY,
        {"EMAIL": "", "EMPLOYEE_COUNT": 0, "EMAIL_OPTED_OUT": False},
        ("LEAD_SOURCE_ID", "LEAD_STATUS_ID", "OWNER_USER_ID"),
        OWNER | {"RESPONSIBLE_USER_ID": "users", "LEAD_SOURCE_ID": "leadSources", "LEAD_STATUS_ID": "leadStatuses"},
    ),
    "contacts": Kind(
        "Contact",
        "CONTACT_ID",
        "FIRST_NAME",
        {name: text() for name in ("FIRST_NAME", "LAST_NAME", "TITLE", "ASSISTANT_NAME", "PHONE")}
        | {f"PHONE_{where}": text() for where in ("HOME", "MOBILE", "OTHER", "ASSISTANT", "FAX")}
        | {"SALUTATION": text(50), "BACKGROUND": LONG, "EMAIL_ADDRESS": email, "DATE_OF_BIRTH": moment}
        | {"OWNER_USER_ID": ID, "ORGANISATION_ID": ID, "EMAIL_OPTED_OUT": flag}
        | SOCIAL
        | address("ADDRESS_MAIL", "ADDRESS_OTHER"),
        {"IMAGE_URL": None, "VISIBLE_TEAM_ID": None, "TAGS": [], "DATES": [], "LINKS": []} | ACTIVITY,
        {"EMAIL_OPTED_OUT": False},
        ("OWNER_USER_ID",),
        OWNER | {"ORGANISATION_ID": "organisations"},
    ),
    "organisations": Kind(
        "Organisation",
        "ORGANISATION_ID",
        "ORGANISATION_NAME",
        {name: text() for name in ("ORGANISATION_NAME", "PHONE", "PHONE_FAX", "WEBSITE")}
        | {"BACKGROUND": LONG, "IMAGE_URL": text(500), "OWNER_USER_ID": ID}
        | SOCIAL
        | address("ADDRESS_BILLING", "ADDRESS_SHIP"),
        {"VISIBLE_TEAM_ID": None, "TAGS": [], "DATES": [], "LINKS": [], "EMAILDOMAINS": []} | ACTIVITY,
        {},
        ("OWNER_USER_ID",),
        OWNER,
    ),
    "opportunities": Kind(
        "Opportunity",
        "OPPORTUNITY_ID",
        "OPPORTUNITY_NAME",
        {"OPPORTUNITY_NAME": text(), "OPPORTUNITY_DETAILS": LONG, "IMAGE_URL": text()}
        | {name: text(20) for name in ("OPPORTUNITY_STATE", "BID_CURRENCY", "BID_TYPE")}
        | {"BID_AMOUNT": number, "BID_DURATION": COUNT, "PROBABILITY": COUNT}
        | {"FORECAST_CLOSE_DATE": moment, "ACTUAL_CLOSE_DATE": moment}
        | dict.fromkeys(("CATEGORY_ID", "ORGANISATION_ID", "OWNER_USER_ID", "RESPONSIBLE_USER_ID"), ID),
        {"OPPORTUNITY_VALUE": None, "PIPELINE_ID": None, "STAGE_ID": None, "PRICEBOOK_ID": None}
        | {"VISIBLE_TEAM_ID": None, "TAGS": [], "LINKS": []}
        | ACTIVITY,
        {"OPPORTUNITY_STATE": "OPEN", "BID_CURRENCY": "USD", "BID_TYPE": "Fixed Bid"},
        ("OWNER_USER_ID",),
        OWNER | {"RESPONSIBLE_USER_ID": "users", "ORGANISATION_ID": "organisations"},
    ),
}


def custom_field(owner: str, name: str, kind: str = "TEXT", options: tuple[str, ...] = ()) -> dict[str, Json]:
    """The metadata of one custom field; `owner` is LEAD, CONTACT, ORGANISATION, OPPORTUNITY."""
    rows = [
        {"OPTION_ID": number, "OPTION_VALUE": value, "OPTION_DEFAULT": False}
        for number, value in enumerate(options, start=1)
    ]
    return {
        "FIELD_NAME": name,
        "FIELD_ORDER": 1,
        "FIELD_FOR": owner,
        "FIELD_LABEL": name.removesuffix("__c").replace("_", " "),
        "FIELD_TYPE": kind,
        "FIELD_HELP_TEXT": None,
        "DEFAULT_VALUE": None,
        "EDITABLE": True,
        "VISIBLE": True,
        "CUSTOM_FIELD_OPTIONS": rows,
        "DEPENDENCY": None,
        "JOIN_OBJECT": None,
    }


CUSTOM = (
    custom_field("LEAD", "Favourite_Colour__c"),
    custom_field("LEAD", "Tier__c", "DROPDOWN", ("Gold", "Silver", "Bronze")),
    custom_field("LEAD", "Interests__c", "MULTISELECT", ("Music", "Sports", "Travel")),
    custom_field("LEAD", "Newsletter__c", "BIT"),
    custom_field("LEAD", "Score__c", "NUMERIC"),
    custom_field("LEAD", "Renewal__c", "DATE"),
    custom_field("CONTACT", "Hobby__c"),
    custom_field("ORGANISATION", "Region__c"),
    custom_field("OPPORTUNITY", "Delivery__c"),
)


def custom_value(meta: dict[str, Json], value: Json) -> Json:
    """One FIELD_VALUE, checked against the metadata of its field; null unsets."""
    if value is None:
        return None
    if not meta["EDITABLE"] or meta["FIELD_TYPE"] == "AUTONUMBER":
        raise FieldError("cannot be written")
    options = [row["OPTION_VALUE"] for row in meta["CUSTOM_FIELD_OPTIONS"]]
    match meta["FIELD_TYPE"]:
        case "BIT":
            return flag(value)
        case "NUMERIC" | "PERCENT" | "CURRENCY":
            return number(value)
        case "DATE" | "DATETIME":
            return moment(value)
        case "DROPDOWN":
            return value if value in options else wrong("is not one of the options")
        case "MULTISELECT":
            picked = str(text(4000)(value)).split(";")
            return value if set(picked) <= set(options) else wrong("is not made of the options, joined by ;")
        case _:
            return text(4000)(value)
