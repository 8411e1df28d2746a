"""Salesforce wants a last name and a company, which is read from the account. It makes no pipelines and no stages."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(plant: Plant) -> Body:
    account = plant("Account", Name="Analytical Engines")
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    names = {"first_name": "Ada", "last_name": "Lovelace"}
    return {"title": "Engine no. 2", **names, "account": {"id": account}, "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("User", LastName="Babbage", Username=f"charles{next(numbers)}@example.com")},
        "lead_source": "Web",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Favourite_Colour__c": "teal"},
    }


CONVERTED = {"converted_contact": {"id": "0038M0000016Wv8QAE"}, "converted_account": {"id": "0018M0000016Wv8QAE"}}


def story(plant: Plant) -> Mapping[str, str]:
    first, last = USER["name"].split()
    username = f"charles{next(numbers)}@example.com"  # unique over all orgs
    owner = plant("users", FirstName=first, LastName=last, Email=USER["email"], Username=username)
    company = plant(
        "companies",
        Name=COMPANY["name"],
        Website=COMPANY["website"],
        Phone=COMPANY["phone"],
        BillingCity=COMPANY["city"],
        Industry=COMPANY["industry"],
        Description=COMPANY["description"],
        OwnerId=owner,
    )
    person = {
        "FirstName": CONTACT["first_name"],
        "LastName": CONTACT["last_name"],
        "Title": CONTACT["title"],
        "Email": CONTACT["email"],
        "Phone": CONTACT["phone"],
        "OwnerId": owner,
        "Favourite_Colour__c": "teal",
    }
    contact = plant("contacts", **person, MailingCity=CONTACT["city"], AccountId=company)
    deal = plant(
        "deals",
        Name=DEAL["name"],
        Amount=DEAL["amount"],
        CurrencyIsoCode=DEAL["currency"],
        CloseDate=DEAL["close_date"],
        Description=DEAL["description"],
        StageName="Qualification",
        AccountId=company,
        ContactId=contact,
        OwnerId=owner,
        Favourite_Colour__c="teal",
    )
    made = plant("leads", **person, Company=LEAD["company"], City=LEAD["city"])
    return {"users": owner, "companies": company, "contacts": contact, "deals": deal, "leads": made}


def person(one: Person) -> Body:
    return {
        "FirstName": one.first,
        "LastName": one.last,
        "Title": one.title,
        "Email": one.email,
        "Phone": one.phone,
        "OwnerId": one.owner,
        "CreatedDate": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"LastName": last}


SAMPLE = Sample(
    lead,
    more,
    refused=CONVERTED,
    needs=("account", "last_name"),
    origin="https://sandbox.my.salesforce.com",
    story=story,
    person=person,
    rename=rename,
)
