"""What Salesforce's records hold: fields side by side; the names of those that an org adds end in __c.

Objects https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm
"""

from switchboard.crm.catalog import Resource, Unsupported, fixed
from switchboard.crm.codecs import Codec, boolean, choice, day, moment, number, text
from switchboard.crm.mapping import Table, row
from switchboard.crm.places import Ended, Joined, Named, Postal, Slots
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

VERSION = "v66.0"
"""Pinned below the newest; a version is served for at least three years, and answers depend on it alone."""

DATA = f"/services/data/{VERSION}"

ACCOUNT = "_account"
"""A lead names its company in a text, not by an id: this holds the id until the name has been read."""

converted = Codec(lambda value: value["id"], text.into)
"""A converted record: `{id}` in a request, a bare id in an answer."""

PHONES = {"primary": "Phone", "work": "Phone", "mobile": "MobilePhone", "fax": "Fax"}

CUSTOM = Named(lambda key: key.endswith("__c"), "names of custom fields end with __c")

lead = Table(
    LEAD,
    row("id", "Id", text, read_only=True),
    row("title", "Title", text, key=True),
    row("owner.id", "OwnerId", text),
    row("account.id", ACCOUNT, text, write_only=True),
    row("first_name", "FirstName", text, key=True),
    row("last_name", "LastName", text, key=True),
    row("lead_source", "LeadSource", text),
    row("email_addresses", Slots("email", {"primary": "Email"}), key=True),
    row("phone_numbers", Slots("number", PHONES), key=True),
    row("addresses", Postal("Street", "City", "State", "PostalCode", "Country")),
    row("custom_fields", CUSTOM),
    row("converted_contact", "ConvertedContactId", converted),
    row("converted_account", "ConvertedAccountId", converted),
    row("status", "Status", text, read_only=True),
    row("last_activity_at", "LastActivityDate", moment, read_only=True),
    row("converted_at", "ConvertedDate", moment, read_only=True),
    row("created_at", "CreatedDate", moment, read_only=True),
    row("updated_at", "LastModifiedDate", moment, read_only=True),
)

contact = Table(
    CONTACT,
    row("id", "Id", text, read_only=True),
    row("first_name", "FirstName", text, key=True),
    row("last_name", "LastName", text, required=True, key=True),
    row("name", Joined(("FirstName", "LastName")), read_only=True),
    row("title", "Title", text),
    row("emails", Slots("email", {"primary": "Email"}), key=True),
    row("phones", Slots("number", PHONES), key=True),
    row("addresses", Postal("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry")),
    row("description", "Description", text),
    row("company.id", "AccountId", text, key=True),
    row("owner.id", "OwnerId", text),
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LastActivityDate", moment, read_only=True),
    row("created_at", "CreatedDate", moment, read_only=True),
    row("updated_at", "LastModifiedDate", moment, read_only=True),
)

account = Table(
    COMPANY,
    row("id", "Id", text, read_only=True),
    row("name", "Name", text, required=True, key=True),
    row("website", "Website", text, key=True),
    row("phones", Slots("number", {"primary": "Phone", "work": "Phone", "fax": "Fax"})),
    row("industry", "Industry", text),
    row("description", "Description", text),
    row("number_of_employees", "NumberOfEmployees", number),
    row("annual_revenue", "AnnualRevenue", number),
    row("addresses", Postal("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry")),
    row("owner.id", "OwnerId", text),
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LastActivityDate", moment, read_only=True),
    row("created_at", "CreatedDate", moment, read_only=True),
    row("updated_at", "LastModifiedDate", moment, read_only=True),
)


# A stage is a value of a picklist: an opportunity names it by that value, not by an id, and its label is elsewhere.
# The contact is that of the primary role. Orgs of one currency have no field for it.
opportunity = Table(
    DEAL,
    row("id", "Id", text, read_only=True),
    row("name", "Name", text, required=True, key=True),
    row("amount", "Amount", number, key=True),
    row("currency", "CurrencyIsoCode", text),
    row("stage.id", "StageName", text, required=True),
    row("status", Ended(("IsClosed", "IsWon")), read_only=True),
    row("probability", "Probability", number),
    row("close_date", "CloseDate", day, required=True, key=True),
    row("description", "Description", text),
    row("company.id", "AccountId", text, key=True),
    row("contact.id", "ContactId", text),
    row("owner.id", "OwnerId", text),
    row("custom_fields", CUSTOM),
    row("last_activity_at", "LastActivityDate", moment, read_only=True),
    row("created_at", "CreatedDate", moment, read_only=True),
    row("updated_at", "LastModifiedDate", moment, read_only=True),
)

user = Table(
    USER,
    row("id", "Id", text, read_only=True),
    row("name", Joined(("FirstName", "LastName")), read_only=True),
    row("first_name", "FirstName", text, read_only=True),
    row("last_name", "LastName", text, read_only=True),
    row("email", "Email", text, read_only=True),
    row("title", "Title", text, read_only=True),
    row("phone", "Phone", text, read_only=True),
    row("active", "IsActive", boolean, read_only=True),
    row("created_at", "CreatedDate", moment, read_only=True),
    row("updated_at", "LastModifiedDate", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "Id", text, read_only=True),
    row("name", "MasterLabel", text, read_only=True),
    row("position", "SortOrder", number, read_only=True),
    row("status", "IsActive", choice({"active": True, "inactive": False}), read_only=True),
)

SEE = "https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_standardvalueset.htm"
NO_PIPELINES = Unsupported("Stages are values of the picklist Opportunity.StageName; there is no pipeline object.", SEE)
NO_WRITES = fixed("Stages are values of a picklist: the data API only reads them.", SEE)

contacts = Resource(contact, f"{DATA}/sobjects/Contact", link="/{id}", asks_for_changes=True, deletions="listed")
companies = Resource(account, f"{DATA}/sobjects/Account", link="/{id}")
deals = Resource(opportunity, f"{DATA}/sobjects/Opportunity", link="/{id}")
users = Resource(user, f"{DATA}/sobjects/User")
leads = Resource(lead, f"{DATA}/sobjects/Lead", link="/{id}", asks_for_changes=True, deletions="listed")
stages = Resource(stage, f"{DATA}/sobjects/OpportunityStage", lacks=NO_WRITES)
