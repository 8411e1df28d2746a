"""Microsoft Dynamics 365 Sales requires nothing of a lead; its own forms ask for a topic and a last name."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("systemusers", fullname="Charles Babbage", internalemailaddress="charles@example.com")},
        "contact": {"id": plant("contacts", firstname="Ada", lastname="Lovelace")},
        "account": {"id": plant("accounts", name="Analytical Engines")},
        "lead_source": "Web",
        "industry": "Consulting",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "work"}],
        "addresses": [{"street_1": "12 St James's Square", "street_2": "Flat 2", "city": "London", "country": "UK"}],
        "description": "Wants the second engine.",
        "website": "https://example.com",
        "number_of_employees": 12,
        "custom_fields": {"cr123_favouritecolour": "teal"},
    }


def story(plant: Plant) -> Mapping[str, str]:
    """Lookups are planted as they are read, `_x_value`. None of the industries to choose from is the company's."""
    first, last = USER["name"].split()
    user = plant("users", firstname=first, lastname=last, internalemailaddress=USER["email"])
    owned = {"_ownerid_value": user}
    company = plant(
        "companies",
        name=COMPANY["name"],
        websiteurl=COMPANY["website"],
        telephone1=COMPANY["phone"],
        address1_city=COMPANY["city"],
        description=COMPANY["description"],
        **owned,
    )
    person = {
        "firstname": CONTACT["first_name"],
        "lastname": CONTACT["last_name"],
        "jobtitle": CONTACT["title"],
        "emailaddress1": CONTACT["email"],
        "telephone1": CONTACT["phone"],
        "address1_city": CONTACT["city"],
        "cr123_favouritecolour": "Brass",
    }
    contact = plant("contacts", **person, **owned, _parentcustomerid_value=company)
    pound = plant(
        "transactioncurrencies",
        currencyname="Pound Sterling",
        isocurrencycode=DEAL["currency"],
        currencysymbol="£",
        exchangerate=0.75,
    )
    deal = plant(
        "deals",
        name=DEAL["name"],
        estimatedvalue=DEAL["amount"],
        estimatedclosedate=DEAL["close_date"],
        description=DEAL["description"],
        salesstage=1,
        stepname="2-Develop",
        _transactioncurrencyid_value=pound,
        _customerid_value=company,
        _parentaccountid_value=company,
        _parentcontactid_value=contact,
        **owned,
    )
    lead = plant("leads", subject=DEAL["name"], companyname=LEAD["company"], **person, **owned)
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def person(one: Person) -> Body:
    return {
        "firstname": one.first,
        "lastname": one.last,
        "jobtitle": one.title,
        "emailaddress1": one.email,
        "telephone1": one.phone,
        "_ownerid_value": one.owner,
        "createdon": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"lastname": last}


SAMPLE = Sample(
    lead,
    more,
    origin="https://sandbox.crm.dynamics.com",
    settings=lambda granted: {"tenant": granted["tenant"]},
    story=story,
    duplicates="its rules for duplicates are off for the API unless a header, which we do not send, turns them on",
    person=person,
    rename=rename,
)
