"""What Zoho's records hold. Records name users, companies and persons by an object, pipelines and stages by their
names; fields of an organization's own stand among the vendor's, without a mark.

Fields https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
Users  https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
"""

from typing import Any

from switchboard.crm.catalog import Resource, Within
from switchboard.crm.codecs import Codec, day, moment, number, percent, ref, text, texts
from switchboard.crm.dialect import OUTER
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Whole
from switchboard.crm.places import Always, Each, First, Joined, Named, Postal, Slots
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

API = "/crm/v8"
SETTINGS = f"{API}/settings"
PIPELINES = f"{SETTINGS}/pipeline"

JOINT = "_joint"
"""The id of a stage: one value of the picklist may stand in several pipelines, so that both have to be named."""

EMAILS = Slots("email", {"primary": "Email", "secondary": "Secondary_Email"})
PHONES = {"primary": "Phone", "work": "Phone", "mobile": "Mobile", "fax": "Fax"}

OF_ALL = (
    "id Owner Created_By Created_Time Modified_By Modified_Time Last_Activity_Time Description Tag Record_Image Layout "
    "Currency Exchange_Rate"
)
OF_CONTACTS = (
    "First_Name Last_Name Full_Name Salutation Title Department Account_Name Vendor_Name Reporting_To Date_of_Birth "
    "Email Secondary_Email Email_Opt_Out Phone Home_Phone Other_Phone Mobile Fax Assistant Asst_Phone Lead_Source "
    "Skype_ID Twitter Unsubscribed_Mode Unsubscribed_Time"
)
OF_COMPANIES = (
    "Account_Name Account_Number Account_Site Account_Type Annual_Revenue Employees Fax Industry Ownership "
    "Parent_Account Phone Rating SIC_Code Ticker_Symbol Website"
)
OF_DEALS = (
    "Account_Name Amount Campaign_Source Closing_Date Contact_Name Deal_Name Expected_Revenue Lead_Conversion_Time "
    "Lead_Source Next_Step Overall_Sales_Duration Pipeline Probability Sales_Cycle_Duration Stage Type"
)
OF_ADDRESSES = (
    "Street City State Zip Code Country Address Coordinates Latitude Longitude Flat_House_No_Building_Apartment_Name"
)


def custom(own: str, *addresses: str) -> Named:
    """Custom fields: all but the fields that every organization has, and those that the vendor itself adds to them,
    which begin with `$` or end with `__s`."""
    placed = (f"{which}_{part}" for which in addresses for part in OF_ADDRESSES.split())
    standard = {*OF_ALL.split(), *own.split(), *placed}
    return Named(
        lambda name: name not in standard and not name.startswith("$") and not name.endswith("__s"),
        "this is a field that Zoho itself has",
    )


OF_RECORDS = (
    row("description", "Description", text),
    row("owner.id", "Owner", ref()),
    row("owner.name", "Owner.name", text, read_only=True),
    row("owner.email", "Owner.email", text, read_only=True),
    row("tags", "Tag", texts("name")),
    row("last_activity_at", "Last_Activity_Time", moment, read_only=True),
    row("created_at", "Created_Time", moment, read_only=True),
    row("updated_at", "Modified_Time", moment, read_only=True),
)
"""What is told of every record but a user: who owns it, what is said of it, and when it was touched."""

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "First_Name", text, key=True),
    row("last_name", "Last_Name", text, required=True, key=True),
    row("name", Joined(("First_Name", "Last_Name")), read_only=True),
    row("title", "Title", text),
    row("emails", EMAILS, key=True),
    row("phones", Slots("number", PHONES)),
    row("addresses", Postal("Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "Mailing_Country")),
    row("company.id", "Account_Name", ref()),
    row("company.name", "Account_Name.name", text, read_only=True),
    row("custom_fields", custom(OF_CONTACTS, "Mailing", "Other")),
    *OF_RECORDS,
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "Account_Name", text, required=True, key=True),
    row("website", "Website", text),
    row("phones", Slots("number", {"primary": "Phone", "work": "Phone", "fax": "Fax"})),
    row("industry", "Industry", text),
    row("number_of_employees", "Employees", number),
    row("annual_revenue", "Annual_Revenue", number),
    row("addresses", Postal("Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country")),
    row("custom_fields", custom(OF_COMPANIES, "Billing", "Shipping")),
    *OF_RECORDS,
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "Deal_Name", text, required=True, key=True),
    row("amount", "Amount", number),
    # A create needs the name of a stage, and of a pipeline where there are several; callers give ids.
    row("pipeline.name", "Pipeline", text, read_only=True),
    row("stage.name", "Stage", text, read_only=True),
    row("probability", "Probability", percent),
    row("close_date", "Closing_Date", day),
    row("company.id", "Account_Name", ref()),
    row("company.name", "Account_Name.name", text, read_only=True),
    row("contact.id", "Contact_Name", ref()),
    row("contact.name", "Contact_Name.name", text, read_only=True),
    row("custom_fields", custom(OF_DEALS)),
    *OF_RECORDS,
)


def _works(status: Any) -> bool | None:
    return status == "active" if isinstance(status, str) else None


user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", "full_name", text, read_only=True),
    row("first_name", "first_name", text, read_only=True),
    row("last_name", "last_name", text, read_only=True),
    row("email", "email", text, read_only=True),
    row("phone", First(("phone", "mobile")), text, read_only=True),
    row("active", "status", Codec(bool, _works), read_only=True),
    row("created_at", "created_time", moment, read_only=True),
    row("updated_at", "Modified_Time", moment, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "Designation", text, key=True),
    row("owner.id", "Owner", ref()),
    row("first_name", "First_Name", text, required=True, key=True),  # by the contract; Zoho could do without
    row("last_name", "Last_Name", text, required=True, key=True),
    row("lead_source", "Lead_Source", text),
    row("phone_numbers", Slots("number", PHONES)),
    row("addresses", Postal("Street", "City", "State", "Zip_Code", "Country")),
    row("description", "Description", text, write_only=True),
    row("industry", "Industry", text, write_only=True),
    row("website", "Website", text, write_only=True),
    row("number_of_employees", "No_of_Employees", number, write_only=True),
    row("email_addresses", EMAILS, read_only=True),
    row("status", "Lead_Status", text, read_only=True),
    row("last_activity_at", "Last_Activity_Time", moment, read_only=True),
    row("converted_at", "Converted_Date_Time", moment, read_only=True),
    row("converted_contact", "$converted_detail.contact", text, read_only=True),
    row("converted_account", "$converted_detail.account", text, read_only=True),
    row("created_at", "Created_Time", moment, read_only=True),
    row("updated_at", "Modified_Time", moment, read_only=True),
)

PLACES = {"id": f"{OUTER}.id", "name": "display_value", "status": "forecast_type", "pipeline.id": "^id"}

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "display_value", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("maps", PLACES)),
)

stage = Table(
    STAGE,
    row("id", JOINT, text, read_only=True),
    row("name", "display_value", text, required=True, key=True),
    row("pipeline.id", f"{OUTER}.id", text, required=True, key=True),
    row("pipeline.name", f"{OUTER}.display_value", text, read_only=True),
    row("position", "sequence_number", number, read_only=True),
    row("status", Always("active"), read_only=True),
)

BY_LAYOUT = "The default layout of deals, by which Zoho keeps its pipelines, is read first."

contacts = Resource(contact, f"{API}/Contacts", asks_for_changes=True, deletions="listed")
companies = Resource(company, f"{API}/Accounts")
deals = Resource(deal, f"{API}/Deals")
users = Resource(user, f"{API}/users")
leads = Resource(
    lead,
    f"{API}/Leads",
    asks_for_changes=True,
    deletions="listed",
    emulates={
        "create": "The company that Zoho wants of a lead is the name of the person, where `remote_data` gives none.",
        "list": "A query tells which leads there are, by which they are read: a page token would end in a day.",
    },
)
pipelines = Resource(
    pipeline,
    PIPELINES,
    paging=Whole("pipeline"),
    emulates={
        "create": f"{BY_LAYOUT} Stages are found by their names; without any, they are those of the default pipeline.",
        **dict.fromkeys(("list", "get"), BY_LAYOUT),
        "delete": "A job is scheduled that moves the deals to the default pipeline, which stays, and removes this one: "
        "each goes to the same stage, else to the first that is open, won or lost as well.",
    },
)
stages = Resource(
    stage,
    PIPELINES,
    within=Within(pipelines, "maps"),
    nearest="A stage is the place of a value of a picklist in a pipeline; its id names both.",
    emulates={
        "create": "The value is added to the picklist where it is not there; the pipeline is written and read again.",
        "delete": "It is taken out of the pipeline; the value stays in the picklist.",
    },
)
