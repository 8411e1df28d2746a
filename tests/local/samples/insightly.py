"""Insightly wants a last name, and takes a lead source by its name. It makes no pipelines and no stages."""

from tests.local.samples import Body, Person, Plant, Sample, api_key, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("Users", FIRST_NAME="Charles", LAST_NAME="Babbage", EMAIL_ADDRESS="charles@example.com")},
        "lead_source": "Phone Enquiry",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Favourite_Colour__c": "teal"},
    }


def story(plant: Plant) -> Body:
    """Ids are numbers there. The contact comes to the deal by a link, the company by its id."""
    first, last = USER["name"].split()
    user = plant("users", FIRST_NAME=first, LAST_NAME=last, EMAIL_ADDRESS=USER["email"])
    owner = {"OWNER_USER_ID": int(user)}
    company = plant(
        "companies",
        ORGANISATION_NAME=COMPANY["name"],
        WEBSITE=COMPANY["website"],
        PHONE=COMPANY["phone"],
        ADDRESS_BILLING_CITY=COMPANY["city"],
        BACKGROUND=COMPANY["description"],
        EMAILDOMAINS=[{"EMAIL_DOMAIN_ID": 1, "EMAIL_DOMAIN": COMPANY["domain"]}],
        **owner,
    )
    person = {"FIRST_NAME": CONTACT["first_name"], "LAST_NAME": CONTACT["last_name"], "TITLE": CONTACT["title"]}
    contact = plant(
        "contacts",
        EMAIL_ADDRESS=CONTACT["email"],
        PHONE=CONTACT["phone"],
        ADDRESS_MAIL_CITY=CONTACT["city"],
        ORGANISATION_ID=int(company),
        CUSTOMFIELDS=[{"FIELD_NAME": "Hobby__c", "FIELD_VALUE": "Weaving"}],
        **person,
        **owner,
    )
    deal = plant(
        "deals",
        OPPORTUNITY_NAME=DEAL["name"],
        OPPORTUNITY_DETAILS=DEAL["description"],
        BID_AMOUNT=DEAL["amount"],
        BID_CURRENCY=DEAL["currency"],
        FORECAST_CLOSE_DATE=f"{DEAL['close_date']} 00:00:00",
        ORGANISATION_ID=int(company),
        CUSTOMFIELDS=[{"FIELD_NAME": "Delivery__c", "FIELD_VALUE": "By cart"}],
        LINKS=[{"LINK_OBJECT_NAME": "Contact", "LINK_OBJECT_ID": int(contact)}],
        **owner,
    )
    lead = plant(
        "leads",
        ORGANISATION_NAME=LEAD["company"],
        EMAIL=LEAD["email"],
        PHONE=LEAD["phone"],
        ADDRESS_CITY=LEAD["city"],
        CUSTOMFIELDS=[{"FIELD_NAME": "Favourite_Colour__c", "FIELD_VALUE": "teal"}],
        **person,
        **owner,
    )
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def person(one: Person) -> Body:
    return {
        "FIRST_NAME": one.first,
        "LAST_NAME": one.last,
        "TITLE": one.title,
        "EMAIL_ADDRESS": one.email,
        "PHONE": one.phone,
        "OWNER_USER_ID": int(one.owner),
        "DATE_CREATED_UTC": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"LAST_NAME": last}


SAMPLE = Sample(
    lead,
    more,
    story=story,
    nouns={"stages": "pipelineStages"},
    kind="api_key",
    refusals={"missing_scope": (403, "a right that is missing is told as a 404 there, by its text")},
    credentials=api_key,
    duplicates="it looks for none: nothing in its contract refuses one",
    person=person,
    rename=rename,
)
