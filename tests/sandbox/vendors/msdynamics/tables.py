"""Tables, columns and lookups of an environment.

Names are case-sensitive. A lookup is read as `_x_value` and written through a navigation property.
https://learn.microsoft.com/dynamics365/sales/developer/entities/lead
https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/contact
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Column:
    name: str
    type: str = "String"
    """As in `<type>AttributeMetadata`; DateOnly is a DateTime whose format is that."""
    length: int = 100
    limits: tuple[float, float] = (0, 1e12)
    options: Mapping[int, str] = field(default_factory=dict[int, str])
    states: Mapping[int, int] = field(default_factory=dict[int, int])
    """Of a Status column: to which state each of its values belongs."""
    creatable: bool = True
    updatable: bool = True
    schema_name: str = ""
    label: str = ""

    @property
    def edm(self) -> str:
        """The type that OData messages name."""
        return EDM.get(self.type, "Edm.Int32")


EDM = {
    "String": "Edm.String",
    "Memo": "Edm.String",
    "Boolean": "Edm.Boolean",
    "Money": "Edm.Decimal",
    "Double": "Edm.Double",
    "Decimal": "Edm.Decimal",
    "BigInt": "Edm.Int64",
    "DateTime": "Edm.DateTimeOffset",
    "DateOnly": "Edm.Date",
    "Uniqueidentifier": "Edm.Guid",
}
CHOICES = ("Picklist", "State", "Status")


@dataclass(frozen=True)
class Lookup:
    name: str
    navigations: Mapping[str, tuple[str, ...]]
    """Navigation property -> the entity sets that it may lead to."""
    writable: bool = True
    column: str = ""
    """Where a plain column of ids holds the link, in place of a `_x_value`."""

    @property
    def value(self) -> str:
        return self.column or f"_{self.name}_value"


@dataclass(frozen=True)
class Table:
    logical_name: str
    entity_set: str
    privilege: str
    name_column: str
    columns: Mapping[str, Column]
    lookups: Mapping[str, Lookup]
    writable: bool = True

    @property
    def key(self) -> str:
        return f"{self.logical_name}id"

    @property
    def values(self) -> dict[str, Lookup]:
        return {lookup.value: lookup for lookup in self.lookups.values() if not lookup.column}

    @property
    def navigations(self) -> dict[str, Lookup]:
        return {name: lookup for lookup in self.lookups.values() for name in lookup.navigations}


def _texts(words: str) -> list[Column]:
    """`name:50` is a text of at most 50 characters."""
    pairs = (word.partition(":") for word in words.split())
    return [Column(name, length=int(length or 100)) for name, _, length in pairs]


def _typed(kind: str, words: str) -> list[Column]:
    return [Column(name, kind) for name in words.split()]


def _choice(name: str, *labels: str, start: int = 1) -> Column:
    return Column(name, "Picklist", options=dict(enumerate(labels, start)))


def _closed(column: Column) -> Column:
    return replace(column, creatable=False, updatable=False)


def _memo(name: str, length: int = 2000) -> Column:
    return Column(name, "Memo", length)


def _address(number: int, *types: str) -> list[Column]:
    at = f"address{number}_"
    texts = "city:80 country:80 county:50 fax:50 line1:250 line2:250 line3:250 name:100 postalcode:20 postofficebox:20 "
    texts += "stateorprovince:50 telephone1:50 telephone2:50 telephone3:50 upszone:4"
    return [
        *(replace(column, name=at + column.name) for column in _texts(texts)),
        Column(f"{at}addressid", "Uniqueidentifier"),
        _choice(f"{at}addresstypecode", *(types or ("Default Value",))),
        _choice(f"{at}shippingmethodcode", "Default Value"),
        Column(f"{at}latitude", "Double", limits=(-90, 90)),
        Column(f"{at}longitude", "Double", limits=(-180, 180)),
        Column(f"{at}utcoffset", "Integer", limits=(-1500, 1500)),
        _closed(_memo(f"{at}composite")),
    ]


def _state(states: dict[int, str], statuses: dict[int, tuple[str, int]]) -> list[Column]:
    """A new row is always active: its state cannot be chosen, its status reason can."""
    return [
        Column("statecode", "State", options=states, creatable=False, label="Status"),
        Column(
            "statuscode",
            "Status",
            options={value: label for value, (label, _) in statuses.items()},
            states={value: state for value, (_, state) in statuses.items()},
            label="Status Reason",
        ),
    ]


_ACTIVE = _state({0: "Active", 1: "Inactive"}, {1: ("Active", 0), 2: ("Inactive", 1)})
_LEAD_STATE = _state(
    {0: "Open", 1: "Qualified", 2: "Disqualified"},
    {
        1: ("New", 0), 2: ("Contacted", 0), 3: ("Qualified", 1), 4: ("Lost", 2),
        5: ("Cannot Contact", 2), 6: ("No Longer Interested", 2), 7: ("Canceled", 2),
    },
)  # fmt: skip
_OPPORTUNITY_STATE = [
    replace(column, updatable=column.type == "Status")
    for column in _state(
        {0: "Open", 1: "Won", 2: "Lost"},
        {1: ("In Progress", 0), 2: ("On Hold", 0), 3: ("Won", 1), 4: ("Canceled", 2), 5: ("Out-Sold", 2)},
    )
]
"""Won and lost by actions alone, which are not here."""
_SYSTEM = [
    *(_closed(Column(name, "DateTime")) for name in ("createdon", "modifiedon")),
    _closed(Column("versionnumber", "BigInt")),
]
_PROCESS = [
    Column("processid", "Uniqueidentifier"),
    Column("stageid", "Uniqueidentifier"),
    *_texts("traversedpath:1250"),
]
_IMPORTED = [
    Column("importsequencenumber", "Integer", limits=(-(2**31), 2**31 - 1), updatable=False),
    Column("overriddencreatedon", "DateTime", updatable=False),
]
_RATE = _closed(Column("exchangerate", "Decimal"))
_FULL_NAME = _closed(Column("fullname", length=160, label="Name"))
_REACH = "donotbulkemail donotemail donotfax donotphone donotpostalmail donotsendmm followemail participatesinworkflow"
SOURCES = (
    "Advertisement", "Employee Referral", "External Referral", "Partner", "Public Relations", "Seminar", "Trade Show",
    "Web", "Word of Mouth", "Other",
)  # fmt: skip
INDUSTRIES = (
    "Accounting", "Agriculture and Non-petrol Natural Resource Extraction", "Broadcasting Printing and Publishing",
    "Brokers", "Building Supply Retail", "Business Services", "Consulting", "Consumer Services",
    "Design, Direction and Creative Management", "Distributors, Dispatchers and Processors",
    "Doctor's Offices and Clinics", "Durable Manufacturing", "Eating and Drinking Places", "Entertainment Retail",
    "Equipment Rental and Leasing", "Financial", "Food and Tobacco Processing", "Inbound Capital Intensive Processing",
    "Inbound Repair and Services", "Insurance", "Legal Services", "Non-Durable Merchandise Retail",
    "Outbound Consumer Service", "Petrochemical Extraction and Distribution", "Service Retail", "SIG Affiliations",
    "Social Services", "Special Outbound Trade Contractors", "Specialty Realty", "Transportation",
    "Utility Creation and Distribution", "Vehicle Retail", "Wholesale",
)  # fmt: skip
ADDRESS_TYPES = ("Bill To", "Ship To", "Primary", "Other")
STAGES = ("Qualify", "Develop", "Propose", "Close")


def _money(words: str) -> list[Column]:
    """Each amount has a twin in the base currency."""
    return [
        column
        for name in words.split()
        for column in (Column(name, "Money", limits=(0, 1e14)), _closed(Column(f"{name}_base", "Money")))
    ]


_LEAD = [
    *_texts("firstname:50 middlename:50 lastname:50 salutation companyname subject:300 jobtitle emailaddress1"),
    *_texts("emailaddress2 emailaddress3 telephone1:50 telephone2:50 telephone3:50 mobilephone:20 fax:50 pager:20"),
    *_texts("websiteurl:200 sic:20 businesscardattributes:4000"),
    _FULL_NAME, _memo("description"), _memo("qualificationcomments"), _memo("businesscard", 2**30 - 1),
    *_address(1), *_address(2),
    *_typed("Boolean", f"{_REACH} confirminterest decisionmaker evaluatefit"),
    *_money("budgetamount estimatedamount revenue"), Column("estimatedvalue", "Double", limits=(0, 1e9)),
    Column("numberofemployees", "Integer", limits=(0, 1_000_000)),
    Column("estimatedclosedate", "DateOnly"),
    *_typed("DateTime", "lastonholdtime schedulefollowup_prospect schedulefollowup_qualify"),
    replace(Column("lastusedincampaign", "DateTime"), creatable=False),
    _choice("leadsourcecode", *SOURCES), _choice("leadqualitycode", "Hot", "Warm", "Cold"),
    _choice("industrycode", *INDUSTRIES),
    _choice("budgetstatus", "No Committed Budget", "May Buy", "Can Buy", "Will Buy", start=0),
    _choice("initialcommunication", "Contacted", "Not Contacted", start=0),
    _choice("need", "Must have", "Should have", "Good to have", "No need", start=0),
    _choice("preferredcontactmethodcode", "Any", "Email", "Phone", "Fax", "Mail"),
    _choice("prioritycode", "Default Value"), _choice("salesstagecode", "Default Value"),
    _choice("purchaseprocess", "Individual", "Committee", "Unknown", start=0),
    _choice("purchasetimeframe", "Immediate", "This Quarter", "Next Quarter", "This Year", "Unknown", start=0),
    _choice("salesstage", STAGES[0], start=0),
    *_LEAD_STATE, *_PROCESS, *_IMPORTED, _RATE,
    Column("cr123_favouritecolour", schema_name="cr123_FavouriteColour", label="Favourite Colour"),
    replace(
        _choice("cr123_tier", "Gold", "Silver", "Bronze", start=856_480_000), schema_name="cr123_Tier", label="Tier"
    ),
    Column("cr123_contractend", "DateOnly", schema_name="cr123_ContractEnd", label="Contract End"),
]  # fmt: skip
_CONTACT = [
    *_texts("firstname:50 middlename:50 lastname:50 nickname:50 salutation suffix:10 jobtitle department"),
    *_texts("emailaddress1 emailaddress2 emailaddress3 telephone1:50 telephone2:50 telephone3:50 mobilephone:50"),
    *_texts("fax:50 business2:50 home2:50 callback:50 company:50 pager:50 websiteurl:200 ftpsiteurl:200"),
    *_texts("assistantname assistantphone:50 managername:100 managerphone:50 childrensnames:255"),
    *_texts("spousesname employeeid:50 externaluseridentifier:50 governmentid:50 yomifirstname:150 yomilastname:150 "),
    *_texts("yomimiddlename:150 address1_primarycontactname"),
    _FULL_NAME, _memo("description"),
    *_address(1, *ADDRESS_TYPES), *_address(2), *_address(3), _choice("address1_freighttermscode", "FOB", "No Charge"),
    *_typed("Boolean", f"{_REACH} donotbulkpostalmail creditonhold isbackofficecustomer marketingonly"),
    *_money("annualincome creditlimit"),
    *_typed("DateOnly", "anniversary birthdate"),
    Column("lastonholdtime", "DateTime"), replace(Column("lastusedincampaign", "DateTime"), creatable=False),
    Column("numberofchildren", "Integer", limits=(0, 1_000_000_000)),
    Column("subscriptionid", "Uniqueidentifier"),
    _choice("accountrolecode", "Decision Maker", "Employee", "Influencer"), _choice("gendercode", "Male", "Female"),
    _choice("familystatuscode", "Single", "Married", "Divorced", "Widowed"),
    _choice("preferredcontactmethodcode", "Any", "Email", "Phone", "Fax", "Mail"),
    *(
        _choice(name, "Default Value")
        for name in (
            "customersizecode", "customertypecode", "educationcode", "haschildrencode", "leadsourcecode",
            "paymenttermscode", "preferredappointmentdaycode", "preferredappointmenttimecode", "shippingmethodcode",
            "territorycode",
        )
    ),
    *_ACTIVE, *_PROCESS, *_IMPORTED, _RATE,
    Column("cr123_favouritecolour", schema_name="cr123_FavouriteColour", label="Favourite Colour"),
]  # fmt: skip
_ACCOUNT = [
    *_texts("name:160 accountnumber:20 websiteurl:200 telephone1:50 emailaddress1"), _memo("description"),
    *_address(1, *ADDRESS_TYPES), Column("numberofemployees", "Integer", limits=(0, 1_000_000_000)), *_money("revenue"),
    Column("creditonhold", "Boolean"), _choice("industrycode", *INDUSTRIES),
    _choice("accountcategorycode", "Preferred Customer", "Standard"), *_ACTIVE, _RATE,
]  # fmt: skip
_OPPORTUNITY = [
    *_texts("name:300 stepname:200 emailaddress qualificationcomments:2000 msdyn_scorehistory msdyn_scorereasons"),
    *_texts("msdyn_similaropportunities quotecomments:2000 customerpainpoints:2000"),
    *(_memo(name) for name in ("description", "proposedsolution", "customerneed", "currentsituation")),
    *_money("estimatedvalue actualvalue budgetamount totalamount totallineitemamount totaltax totaldiscountamount"),
    *_money("totalamountlessfreight freightamount discountamount"),
    *(_closed(Column(name, "Money")) for name in ("totallineitemdiscountamount", "totallineitemdiscountamount_base")),
    *_typed("DateOnly", "estimatedclosedate actualclosedate finaldecisiondate"),
    *_typed("DateTime", "lastonholdtime schedulefollowup_prospect schedulefollowup_qualify scheduleproposalmeeting"),
    Column("closeprobability", "Integer", limits=(0, 100)), Column("discountpercentage", "Decimal", limits=(0, 100)),
    *_typed("Boolean", "captureproposalfeedback completefinalproposal completeinternalreview confirminterest"),
    *_typed("Boolean", "decisionmaker developproposal evaluatefit filedebrief identifycompetitors"),
    *_typed("Boolean", "identifycustomercontacts identifypursuitteam isrevenuesystemcalculated msdyn_gdproptout"),
    *_typed("Boolean", "participatesinworkflow presentfinalproposal presentproposal pursuitdecision resolvefeedback"),
    *_typed("Boolean", "sendthankyounote"),
    _choice("salesstage", *STAGES, start=0), _choice("salesstagecode", "Default Value"),
    _choice("prioritycode", "Default Value"), _choice("opportunityratingcode", "Hot", "Warm", "Cold"),
    _choice("budgetstatus", "No Committed Budget", "May Buy", "Can Buy", "Will Buy", start=0),
    _choice("initialcommunication", "Contacted", "Not Contacted", start=0),
    _choice("need", "Must have", "Should have", "Good to have", "No need", start=0),
    _choice("purchaseprocess", "Individual", "Committee", "Unknown", start=0),
    _choice("purchasetimeframe", "Immediate", "This Quarter", "Next Quarter", "This Year", "Unknown", start=0),
    _choice("pricingerrorcode", "None", start=0), _choice("skippricecalculation", "DoPriceCalcAlways", start=0),
    _choice("timeline", "Immediate", "This Quarter", "Next Quarter", "This Year", "Not known", start=0),
    _choice("msdyn_forecastcategory", "Pipeline", "Best case", "Committed", start=100_000_001),
    *_typed("Integer", "msdyn_opportunityscore msdyn_opportunityscoretrend msdyn_opportunitygrade onholdtime"),
    *_typed("Integer", "teamsfollowed timespentbymeonemailandmeetings timezoneruleversionnumber"),
    *_typed("Integer", "utcconversiontimezonecode"),
    *_OPPORTUNITY_STATE, *_PROCESS, Column("stepid", "Uniqueidentifier"), *_IMPORTED, _RATE,
    Column("cr123_favouritecolour", schema_name="cr123_FavouriteColour", label="Favourite Colour"),
]  # fmt: skip
_USER = [
    *_texts("fullname:200 firstname lastname internalemailaddress domainname:1024"),
    Column("isdisabled", "Boolean"),
    *_typed("Uniqueidentifier", "azureactivedirectoryobjectid applicationid"),
]
_CURRENCY = [*_texts("currencyname isocurrencycode:5 currencysymbol:13"), Column("exchangerate", "Decimal")]

_OWNED = [
    Lookup("ownerid", {"ownerid": ("systemusers", "teams")}),
    Lookup("owninguser", {"owninguser": ("systemusers",)}, writable=False),
    Lookup("owningteam", {"owningteam": ("teams",)}, writable=False),
    Lookup("createdby", {"createdby": ("systemusers",)}, writable=False),
    Lookup("modifiedby", {"modifiedby": ("systemusers",)}, writable=False),
]
_IN_CURRENCY = Lookup("transactioncurrencyid", {"transactioncurrencyid": ("transactioncurrencies",)})


_ON_BEHALF = ("createdonbehalfby", "modifiedonbehalfby")
_ELSEWHERE = {
    "campaignid": "campaigns",
    "pricelevelid": "pricelevels",
    "owningbusinessunit": "businessunits",
    "slaid": "slas",
    "slainvokedid": "slas",
    "msdyn_predictivescoreid": "msdyn_predictivescores",
    "msdyn_opportunitykpiid": "msdyn_opportunitykpiitems",
    "msdyn_segmentid": "msdyn_segments",
}
"""Lookups to tables that are not here: always null."""


def _customer(name: str) -> Lookup:
    return Lookup(name, {f"{name}_account": ("accounts",), f"{name}_contact": ("contacts",)})


def _table(
    logical_name: str,
    entity_set: str,
    privilege: str,
    columns: list[Column],
    *lookups: Lookup,
    named: str = "fullname",
    writable: bool = True,
) -> Table:
    key = Column(f"{logical_name}id", "Uniqueidentifier", updatable=False)
    every = {column.name: column for column in [key, *columns, *_SYSTEM]}
    links = {lookup.name: lookup for lookup in lookups}
    return Table(logical_name, entity_set, privilege, named, every, links, writable)


TABLES = {
    table.entity_set: table
    for table in (
        _table(
            "lead", "leads", "Lead", _LEAD, *_OWNED, _IN_CURRENCY, _customer("customerid"),
            Lookup("parentaccountid", {"parentaccountid": ("accounts",)}),
            Lookup("parentcontactid", {"parentcontactid": ("contacts",)}),
            Lookup("campaignid", {"campaignid": ("campaigns",)}),
            Lookup("qualifyingopportunityid", {"qualifyingopportunityid": ("opportunities",)}, writable=False),
            # The navigation of a custom lookup keeps the capitals of its schema name.
            Lookup("cr123_partnerid", {"cr123_PartnerId": ("accounts",)}),
        ),
        _table(
            "contact", "contacts", "Contact", _CONTACT, *_OWNED, _IN_CURRENCY, _customer("parentcustomerid"),
        ),
        _table(
            "account", "accounts", "Account", _ACCOUNT, *_OWNED, _IN_CURRENCY,
            Lookup("primarycontactid", {"primarycontactid": ("contacts",)}),
            Lookup("parentaccountid", {"parentaccountid": ("accounts",)}),
            named="name",
        ),
        _table(
            "opportunity", "opportunities", "Opportunity", _OPPORTUNITY, *_OWNED, _IN_CURRENCY, _customer("customerid"),
            Lookup("parentaccountid", {"parentaccountid": ("accounts",)}),
            Lookup("parentcontactid", {"parentcontactid": ("contacts",)}),
            Lookup("accountid", {"accountid": ("accounts",)}, writable=False),
            Lookup("contactid", {"contactid": ("contacts",)}, writable=False),
            Lookup("originatingleadid", {"originatingleadid": ("leads",)}),
            Lookup(
                "stageid_processstage", {"stageid_processstage": ("processstages",)}, writable=False, column="stageid"
            ),
            *(Lookup(name, {name: ("systemusers",)}, writable=False) for name in _ON_BEHALF),
            *(Lookup(name, {name: (entity_set,)}, writable=False) for name, entity_set in _ELSEWHERE.items()),
            named="name",
        ),
        _table(
            "processstage", "processstages", "ProcessStage", _texts("stagename") + _typed("Integer", "stagecategory"),
            named="stagename", writable=False,
        ),
        _table("systemuser", "systemusers", "User", _USER, writable=False),
        _table("team", "teams", "Team", _texts("name:160"), named="name", writable=False),
        _table(
            "transactioncurrency", "transactioncurrencies", "TransactionCurrency", _CURRENCY,
            named="currencyname", writable=False,
        ),
    )
}  # fmt: skip
"""Entity set -> table."""

DEFINED = {table.logical_name: table for table in TABLES.values()}
"""Logical name -> table."""

COLLECTIONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("accounts", "contact_customer_accounts"): ("contacts", "parentcustomerid"),
    ("accounts", "opportunity_customer_accounts"): ("opportunities", "customerid"),
}
"""Entity set and navigation -> the entity set of the many, and their lookup that leads back."""
