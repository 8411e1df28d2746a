"""The properties of each object and which values they take.

https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide (types and formats of values)
https://developers.hubspot.com/docs/api-reference/crm-leads-v3/guide (leads, object 0-136)
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.hubspot.refusals import Invalid

OBJECT_TYPES = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "leads": "0-136"}
MODIFIED = {"contacts": "lastmodifieddate", "companies": "hs_lastmodifieddate", "deals": "hs_lastmodifieddate"} | {
    "leads": "hs_lastmodifieddate"
}
CREATED = {"contacts": "createdate", "companies": "createdate", "deals": "createdate", "leads": "hs_createdate"}
SHOWN = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("domain", "name"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "leads": ("hs_lead_name",),
}
"""Besides id and dates, what comes back when no properties are asked for."""

REQUIRED = {"leads": ("hs_lead_name",)}
SEARCHED = {
    "contacts": ("firstname", "lastname", "email", "phone", "company"),
    "companies": ("name", "domain", "website", "phone"),
    "deals": ("dealname",),
    "leads": ("hs_lead_name",),
}

FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "enumeration": "select",
    "datetime": "date",
    "date": "date",
    "bool": "booleancheckbox",
}


@dataclass(frozen=True)
class Property:
    name: str
    type: str = "string"
    options: tuple[str, ...] = ()
    read_only: bool = False
    calculated: bool = False
    custom: bool = False

    @property
    def label(self) -> str:
        return self.name.removeprefix("hs_").replace("_", " ").capitalize()


def _properties(*rows: Property | str) -> dict[str, Property]:
    listed = [row if isinstance(row, Property) else Property(row) for row in rows]
    shared = [
        Property("hs_object_id", "number", read_only=True),
        Property("hs_object_source", read_only=True),
        Property("hs_object_source_id", read_only=True),
        Property("hs_object_source_label", read_only=True),
        Property("hubspot_owner_id", "enumeration"),
    ]
    return {row.name: row for row in [*shared, *listed]}


def _moment(name: str) -> Property:
    return Property(name, "datetime", read_only=True)


LEAD_STAGES = tuple(f"{word}-stage-id" for word in ("new", "attempting", "connected", "qualified", "unqualified"))
INDUSTRIES = ("COMPUTER_SOFTWARE", "INFORMATION_TECHNOLOGY_AND_SERVICES", "BANKING", "MACHINERY")
LIFECYCLE = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "other")

PROPERTIES = {
    "contacts": _properties(
        "email", "firstname", "lastname", "salutation", "phone", "mobilephone", "fax", "company", "jobtitle", "website",
        "address", "city", "state", "zip", "country", "message", "twitterhandle", "hs_linkedin_url",
        Property("lifecyclestage", "enumeration", LIFECYCLE),
        Property("hs_lead_status", "enumeration", ("NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED", "CONNECTED")),
        _moment("createdate"), _moment("lastmodifieddate"), _moment("notes_last_updated"),
        Property("associatedcompanyid", "number", read_only=True, calculated=True),
        Property("favourite_colour", custom=True),
        Property("loyalty_points", "number", custom=True),
    ),
    "companies": _properties(
        "name", "domain", "phone", "website", "address", "address2", "city", "state", "zip", "country", "description",
        "twitterhandle", "linkedin_company_page", "timezone",
        Property("industry", "enumeration", INDUSTRIES),
        Property("type", "enumeration", ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER")),
        Property("numberofemployees", "number"), Property("annualrevenue", "number"),
        Property("lifecyclestage", "enumeration", LIFECYCLE),
        _moment("createdate"), _moment("hs_lastmodifieddate"), _moment("notes_last_updated"),
        Property("favourite_colour", custom=True),
    ),
    "deals": _properties(
        "dealname", "description", "closed_lost_reason", "hs_next_step",
        Property("dealstage", "enumeration"), Property("pipeline", "enumeration"),
        Property("amount", "number"), Property("closedate", "datetime"),
        Property("dealtype", "enumeration", ("newbusiness", "existingbusiness")),
        Property("deal_currency_code", "enumeration", ("USD", "EUR", "GBP")),
        Property("hs_priority", "enumeration", ("low", "medium", "high")),
        *(Property(f"hs_is_closed{end}", "bool", read_only=True, calculated=True) for end in ("", "_won", "_lost")),
        Property("hs_deal_stage_probability", "number", read_only=True, calculated=True),
        _moment("createdate"), _moment("hs_createdate"), _moment("hs_lastmodifieddate"), _moment("notes_last_updated"),
        Property("favourite_colour", custom=True),
    ),
    "leads": _properties(
        "hs_lead_name",
        Property("hs_lead_type", "enumeration", ("NEW_BUSINESS", "RE_ATTEMPT", "UPSELL")),
        Property("hs_lead_label", "enumeration", ("WARM", "HOT", "COLD")),
        Property("hs_pipeline", "enumeration"), Property("hs_pipeline_stage", "enumeration"),
        Property("hs_lead_source", "enumeration", ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "OFFLINE", "OTHER")),
        _moment("hs_createdate"), _moment("hs_lastmodifieddate"), _moment("hs_last_activity_date"),
        *(
            Property(f"hs_associated_{name}", read_only=True, calculated=True)
            for name in ("contact_firstname", "contact_lastname", "contact_email", "company_name")
        ),
        Property("favourite_colour", custom=True),
        Property("contract_end", "date", custom=True),
        Property("preferred_channels", "enumeration", ("email", "phone", "chat"), custom=True),
    ),
}  # fmt: skip

MULTIPLE = frozenset({"preferred_channels"})


class UnfitError(ValueError):
    """A value that the property does not take."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def accepted(kind: str, values: dict[str, Json], options: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The values as they are stored, or every fault at once."""
    kept: dict[str, str] = {}
    faults: list[Invalid] = []
    for name, value in values.items():
        try:
            kept[name] = _stored(PROPERTIES[kind].get(name), name, value, options.get(name, ()))
        except UnfitError as unfit:
            faults.append(Invalid(name, unfit.code, str(unfit)))
    if faults:
        raise InvalidValuesError(faults)
    return kept


class InvalidValuesError(Exception):
    def __init__(self, faults: list[Invalid]) -> None:
        super().__init__(len(faults))
        self.faults = faults


def _stored(prop: Property | None, name: str, value: Json, options: tuple[str, ...]) -> str:
    if prop is None:
        raise UnfitError("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if prop.read_only:
        raise UnfitError("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnfitError("INVALID_VALUE", f'"{name}" takes a string or a number')
    text = str(value)
    if text == "":
        return text  # clears the property
    if prop.type == "enumeration":
        return _option(prop, text, options)
    if name == "email":
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
            raise UnfitError("INVALID_EMAIL", f"Email address {text} is invalid")
        return text.lower()
    return READERS.get(prop.type, _text)(prop, text)


def _text(prop: Property, text: str) -> str:
    if len(text) > 65_536:
        raise UnfitError("PROPERTY_LENGTH", f"{prop.name} is too long")
    return text


def _number(prop: Property, text: str) -> str:
    try:
        float(text)
    except ValueError as odd:
        raise UnfitError("INVALID_NUMBER", f"{text} was not a valid number.") from odd
    return text


def _option(prop: Property, text: str, options: tuple[str, ...]) -> str:
    for value in text.split(";") if prop.name in MULTIPLE else [text]:
        if value not in options and prop.name == "hubspot_owner_id":
            raise UnfitError("INVALID_OWNER_ID", f"The owner id {text} does not exist")
        if value not in options:
            allowed = ", ".join(options)
            raise UnfitError("INVALID_OPTION", f"{value} was not one of the allowed options: [{allowed}]")
    return text


def _bool(prop: Property, text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise UnfitError("INVALID_BOOLEAN", f"{text} was not a valid boolean.")
    return text.lower()


def _datetime(prop: Property, text: str) -> str:
    try:
        return iso(milliseconds(text) / 1000)
    except ValueError as odd:
        raise UnfitError("INVALID_DATE", f"{text} was not a valid long.") from odd


def _date(prop: Property, text: str) -> str:
    """Midnight UTC in milliseconds, or YYYY-MM-DD."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.fromisoformat(text).date().isoformat()
        at = milliseconds(text)
    except ValueError as odd:
        raise UnfitError("INVALID_DATE", f"{text} was not a valid date.") from odd
    if at % 86_400_000:
        raise UnfitError("INVALID_DATE", f"{text} is at {iso(at / 1000)} and not at midnight UTC.")
    return iso(at / 1000)[:10]


READERS: dict[str, Callable[[Property, str], str]] = {
    "number": _number,
    "bool": _bool,
    "datetime": _datetime,
    "date": _date,
}


def milliseconds(text: str) -> int:
    """Epoch milliseconds of ISO 8601 or of epoch milliseconds; epoch seconds are refused since 2026-09."""
    if re.fullmatch(r"-?\d+", text):
        if len(text) <= 10:
            raise ValueError(text)
        return int(text)
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def described(prop: Property, values: tuple[str, ...]) -> dict[str, Json]:
    """A property as the properties API shows it."""
    options = {value: value.replace("_", " ").capitalize() for value in values}
    return {
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "name": prop.name,
        "label": prop.label,
        "type": prop.type,
        "fieldType": "checkbox" if prop.name in MULTIPLE else FIELD_TYPES[prop.type],
        "description": "",
        "groupName": "information",
        "options": [
            {"label": label, "value": value, "displayOrder": order, "hidden": False}
            for order, (value, label) in enumerate(options.items())
        ],
        "displayOrder": -1,
        "calculated": prop.calculated,
        "externalOptions": prop.name == "hubspot_owner_id",
        "hasUniqueValue": prop.name == "email",
        "hidden": False,
        "hubspotDefined": not prop.custom,
        "modificationMetadata": {
            "archivable": prop.custom,
            "readOnlyDefinition": not prop.custom,
            "readOnlyValue": prop.read_only,
        },
        "formField": not prop.read_only,
    }
