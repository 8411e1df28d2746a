"""The field table that an org's describe calls show, and how it takes values.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.salesforce.ids import PREFIXES, normal


@dataclass(frozen=True)
class Field:
    name: str
    type: str = "string"
    length: int = 255
    required: bool = False
    read_only: bool = False
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    references: tuple[str, ...] = ()
    default: Json = None
    create_only: bool = False

    @property
    def label(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name.removesuffix("__c").replace("_", " "))
        return words.removesuffix(" Id") + " ID" if words.endswith(" Id") else words

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def filterable(self) -> bool:
        """Long text and compound fields cannot be filtered or sorted by."""
        return self.type != "address" and not (self.type == "textarea" and self.length > 255)


def _text(*names: str, length: int = 255) -> list[Field]:
    return [Field(name, length=length) for name in names]


CURRENCIES = ("USD", "EUR", "GBP")
METADATA = ("OpportunityStage", "LeadStatus")
"""Values of picklists that are shown as rows: no data call changes them, and none of them is ever in the bin."""


def _system(sobject: str) -> list[Field]:
    """Users are switched off and never binned; who owns a role of a contact is who owns its opportunity."""
    bin_flag = Field("IsDeleted", "boolean", read_only=True, default=False)
    ownerless = ("User", "OpportunityContactRole", *METADATA)
    return [
        Field("Id", "id", 18, read_only=True),
        *([] if sobject in ("User", *METADATA) else [bin_flag]),
        *(Field(name, "datetime", read_only=True) for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")),
        *(
            Field(name, "reference", 18, read_only=True, references=("User",))
            for name in ("CreatedById", "LastModifiedById")
        ),
        *([] if sobject in ownerless else [Field("OwnerId", "reference", 18, references=("User",))]),
        *([] if sobject in METADATA else [Field("CurrencyIsoCode", "picklist", picklist=CURRENCIES, default="USD")]),
    ]


def _address(prefix: str) -> list[Field]:
    parts = [Field(f"{prefix}Street", "textarea", 255), Field(f"{prefix}City", length=40)]
    parts += [Field(f"{prefix}State", length=80), Field(f"{prefix}PostalCode", length=20)]
    return [*parts, Field(f"{prefix}Country", length=80), Field(f"{prefix}Address", "address", 0, read_only=True)]


LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
INDUSTRIES = ("Apparel", "Banking", "Biotechnology", "Machinery", "Technology", "Telecommunications", "Other")
STAGES = ("Prospecting", "Qualification", "Needs Analysis", "Negotiation/Review", "Closed Won", "Closed Lost")
FORECASTS = ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")


def forecast(stage: str) -> tuple[int, str]:
    """The chance in per cent that an opportunity has by its stage, and the category it is forecast under."""
    if stage.startswith("Closed"):
        return (100, "Closed") if stage == "Closed Won" else (0, "Omitted")
    return (STAGES.index(stage) + 1) * 10 if stage in STAGES else 0, "Pipeline"


_PERSON = [
    Field("FirstName", length=40), Field("LastName", length=80, required=True),
    Field("Name", length=121, read_only=True),
    Field("Salutation", "picklist", picklist=("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")),
    Field("Email", "email", 80), Field("Phone", "phone", 40), Field("MobilePhone", "phone", 40),
    Field("Fax", "phone", 40), Field("LastActivityDate", "date", read_only=True),
    *(Field(name, "datetime", read_only=True) for name in ("LastViewedDate", "LastReferencedDate")),
    Field("Title", length=128),
    Field("Description", "textarea", 32_000), Field("LeadSource", "picklist", picklist=SOURCES),
]  # fmt: skip

TABLES: dict[str, list[Field]] = {
    "Lead": [
        *_PERSON, Field("Company", required=True), Field("Website", "url"), *_address(""),
        Field("Status", "picklist", picklist=LEAD_STATUSES, restricted=True, default=LEAD_STATUSES[0]),
        Field("Rating", "picklist", picklist=RATINGS, restricted=True),
        Field("Industry", "picklist", picklist=INDUSTRIES),
        Field("NumberOfEmployees", "int"), Field("AnnualRevenue", "currency"),
        Field("IsConverted", "boolean", read_only=True, default=False),
        Field("ConvertedDate", "date", read_only=True),
        *(
            Field(f"Converted{name}Id", "reference", 18, read_only=True, references=(name,))
            for name in ("Contact", "Account", "Opportunity")
        ),
        Field("CleanStatus", "picklist", read_only=True, picklist=("Pending", "InSync"), default="Pending"),
        Field("Favourite_Colour__c"), Field("Contract_End__c", "date"), Field("Score__c", "double"),
        Field("Tier__c", "picklist", picklist=("Gold", "Silver", "Bronze"), restricted=True),
    ],
    "Contact": [
        *_PERSON, Field("Department", length=80), Field("AccountId", "reference", 18, references=("Account",)),
        *_address("Mailing"), *_address("Other"), Field("Favourite_Colour__c"), Field("Birthdate", "date"),
        *(Field(name, "phone", 40) for name in ("HomePhone", "OtherPhone", "AssistantPhone")),
        Field("AssistantName", length=40), Field("ReportsToId", "reference", 18, references=("Contact",)),
        Field("IsEmailBounced", "boolean", read_only=True, default=False),
    ],
    "Account": [
        Field("Name", required=True), Field("AccountNumber", length=40), Field("Website", "url"),
        Field("Phone", "phone", 40), Field("Industry", "picklist", picklist=INDUSTRIES),
        Field("Type", "picklist", picklist=("Prospect", "Customer - Direct", "Customer - Channel", "Other")),
        Field("NumberOfEmployees", "int"), Field("AnnualRevenue", "currency"),
        Field("Description", "textarea", 32_000), Field("ParentId", "reference", 18, references=("Account",)),
        *_address("Billing"), *_address("Shipping"),
        Field("Fax", "phone", 40), Field("Rating", "picklist", picklist=RATINGS), Field("Site", length=80),
        Field("AccountSource", "picklist", picklist=SOURCES), Field("LastActivityDate", "date", read_only=True),
        *(Field(name, "datetime", read_only=True) for name in ("LastViewedDate", "LastReferencedDate")),
        Field("Favourite_Colour__c"),
    ],
    "Opportunity": [
        Field("Name", length=120, required=True), Field("CloseDate", "date", required=True),
        Field("StageName", "picklist", required=True, picklist=STAGES, restricted=True),
        Field("Amount", "currency"), Field("Probability", "percent"), Field("NextStep"),
        Field("AccountId", "reference", 18, references=("Account",)),
        Field("Type", "picklist", picklist=("New Customer", "Existing Customer - Upgrade")),
        Field("LeadSource", "picklist", picklist=SOURCES), Field("Description", "textarea", 32_000),
        Field("IsClosed", "boolean", read_only=True), Field("IsWon", "boolean", read_only=True),
        Field("ContactId", "reference", 18, references=("Contact",), create_only=True),
        Field("ExpectedRevenue", "currency", read_only=True), Field("TotalOpportunityQuantity", "double"),
        Field("ForecastCategory", read_only=True), Field("ForecastCategoryName", "picklist", picklist=FORECASTS),
        Field("IsPrivate", "boolean", default=False), Field("LastActivityDate", "date", read_only=True),
        Field("HasOpportunityLineItem", "boolean", read_only=True, default=False),
        *(Field(name, "datetime", read_only=True) for name in ("LastViewedDate", "LastReferencedDate")),
        Field("Favourite_Colour__c"),
    ],
    "OpportunityContactRole": [
        Field("OpportunityId", "reference", 18, required=True, references=("Opportunity",), create_only=True),
        Field("ContactId", "reference", 18, required=True, references=("Contact",)),
        Field("Role", "picklist", picklist=("Decision Maker", "Economic Buyer", "Evaluator", "Other")),
        Field("IsPrimary", "boolean", default=False),
    ],
    "User": [
        *_text("FirstName", length=40), Field("LastName", length=80, required=True),
        Field("Name", length=121, read_only=True), Field("Email", "email", 128), Field("Username", length=80),
        Field("IsActive", "boolean", default=True),
        Field("UserType", "picklist", picklist=("Standard", "AutomatedProcess"), default="Standard"),
        *_text("Alias", "Title", "Department", "CompanyName", "TimeZoneSidKey", "LocaleSidKey", length=80),
        Field("Phone", "phone", 40), Field("MobilePhone", "phone", 40), *_address(""),
    ],
    "OpportunityStage": [
        *(Field(name, read_only=True) for name in ("ApiName", "MasterLabel", "ForecastCategoryName")),
        Field("SortOrder", "int", read_only=True), Field("DefaultProbability", "percent", read_only=True),
        *(Field(name, "boolean", read_only=True) for name in ("IsActive", "IsClosed", "IsWon")),
    ],
    "LeadStatus": [
        *(Field(name, read_only=True) for name in ("ApiName", "MasterLabel")),
        Field("SortOrder", "int", read_only=True),
        *(Field(name, "boolean", read_only=True) for name in ("IsDefault", "IsConverted")),
    ],
}  # fmt: skip

SCHEMA = {
    sobject: {field.name.lower(): field for field in [*_system(sobject), *rows]} for sobject, rows in TABLES.items()
}
"""sObject -> lower-cased name -> field: names are case-insensitive in requests and canonical in answers."""

CHILDREN = {
    ("Account", "contacts"): ("Contacts", "Contact", "AccountId"),
    ("Account", "opportunities"): ("Opportunities", "Opportunity", "AccountId"),
    ("Opportunity", "opportunitycontactroles"): ("OpportunityContactRoles", "OpportunityContactRole", "OpportunityId"),
    ("Contact", "opportunitycontactroles"): ("OpportunityContactRoles", "OpportunityContactRole", "ContactId"),
}
"""(sObject, name of its children in lower case) -> the name, the children's sObject, their field that says whose."""

RELATIONS = {
    (sobject, field.name.removesuffix("Id").lower()): field
    for sobject, fields in SCHEMA.items()
    for field in fields.values()
    if field.references and field.name.endswith("Id")
}


class RejectedError(Exception):
    """One fault of a written record, in Salesforce's codes."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.code = code
        self.fields = list(fields)


def _misread(kind: str, value: Json) -> RejectedError:
    token = {bool: "VALUE_BOOLEAN", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
    shown = token.get(type(value), "START_OBJECT")
    message = (
        f"Cannot deserialize instance of {kind} from {shown} value {value} or request may be missing a required field"
    )
    return RejectedError("JSON_PARSER_ERROR", f"{message} at [line:1, column:1]")


def read(field: Field, value: Json) -> Json:
    """A sent value as it is stored. Types are strict: a number is no string, and a string is no number.

    Text is never empty, and never has white space at its ends (Apex guide, primitive data types).
    """
    value = value.strip() if isinstance(value, str) else value
    if value is None or value == "":
        return None
    reader = READERS.get(field.type, _string)
    return reader(field, value)


def _string(field: Field, value: Json) -> str:
    if not isinstance(value, str):
        raise _misread("string", value)
    if len(value) > field.length:
        raise RejectedError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            field.name,
        )
    if field.type == "email" and not re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s.,]+", value):
        raise RejectedError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", field.name)
    if field.restricted and value not in field.picklist:
        raise RejectedError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {value}",
            field.name,
        )
    return value


def _boolean(field: Field, value: Json) -> bool:
    if not isinstance(value, bool):
        raise _misread("boolean", value)
    return value


def _number(field: Field, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misread("double", value)
    if field.type == "int" and value != int(value):
        raise _misread("int", value)
    return value


def _date(field: Field, value: Json) -> str:
    try:
        return date.fromisoformat(value[:10] if re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", value) else "").isoformat()
    except (TypeError, ValueError) as odd:
        raise _misread("date", value) from odd


def _datetime(field: Field, value: Json) -> str:
    try:
        return moment(datetime.fromisoformat(value).timestamp())
    except (TypeError, ValueError) as odd:
        raise _misread("datetime", value) from odd


def _reference(field: Field, value: Json) -> str:
    if not isinstance(value, str):
        raise _misread("reference", value)
    found = normal(value)
    if found is None or found[:3] not in {PREFIXES[name] for name in field.references}:
        raise RejectedError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name)
    return found


READERS = {
    "boolean": _boolean,
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
}


def moment(at: float) -> str:
    """Whole seconds and an offset without a colon."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def described(field: Field) -> dict[str, Json]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length if field.type in ("string", "email", "phone", "url", "textarea", "picklist") else 0,
        "nillable": not field.required,
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId",
        "createable": not field.read_only,
        "updateable": not (field.read_only or field.create_only),
        "filterable": field.filterable,
        "sortable": field.filterable,
        "custom": field.custom,
        "idLookup": field.name in ("Id", "Email"),
        "unique": False,
        "referenceTo": list(field.references),
        "relationshipName": field.name.removesuffix("Id") if field.references else None,
        "restrictedPicklist": field.restricted,
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.picklist
        ],
    }
