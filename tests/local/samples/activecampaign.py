"""ActiveCampaign makes a contact of a lead, and wants an e-mail address. Every account has a host of its own."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, api_key, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    field = plant("fields", title="Favourite Engine", type="text")
    return {
        "phone_numbers": [{"number": "+442071234567", "type": "primary"}],
        "custom_fields": {field: "no. 2", "2": "Gold"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": "1"}}


def story(plant: Plant) -> Mapping[str, str]:
    """A contact has no owner, and its title is at its place in the account. Money is in cents.

    City, phone, industry and description of an account, and the day a deal is to close, are values of custom fields.
    """
    first, last = USER["name"].split()
    user = plant("users", username="charles", firstName=first, lastName=last, email=USER["email"])
    company = plant("companies", name=COMPANY["name"], accountUrl=COMPANY["website"], owner=user)
    for field, name in enumerate(("description", "city", "industry", "phone"), start=1):
        plant("accountCustomFieldData", accountId=company, customFieldId=field, fieldValue=COMPANY[name])
    contact = plant(
        "contacts",
        email=CONTACT["email"],
        firstName=CONTACT["first_name"],
        lastName=CONTACT["last_name"],
        phone=CONTACT["phone"],
        fieldValues=[{"field": "1", "value": "Brass"}],
    )
    plant("accountContacts", account=company, contact=contact, jobTitle=CONTACT["title"])
    deal = plant(
        "deals",
        title=DEAL["name"],
        value=DEAL["amount"] * 100,
        currency=DEAL["currency"].lower(),
        description=DEAL["description"],
        contact=contact,
        account=company,
        owner=user,
        group="1",
    )
    plant("dealCustomFieldData", dealId=deal, customFieldId=1, fieldValue=DEAL["close_date"])
    plant("dealCustomFieldData", dealId=deal, customFieldId=2, fieldValue="Difference")
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": contact}


def person(one: Person) -> Body:
    return {"email": one.email, "firstName": one.first, "lastName": one.last, "phone": one.phone, "cdate": one.iso}


def rename(first: str, last: str) -> Body:
    return {"lastName": last}


SAMPLE = Sample(
    lead,
    more,
    mark="first_name",
    pipeline=named,
    stage=stage,
    nouns={"leads": "contacts", "pipelines": "dealGroups", "stages": "dealStages"},
    kind="api_key",
    credentials=api_key,
    origin="https://sandbox.api-us1.com",
    unique="an e-mail address belongs to one contact",
    story=story,
    refusals={"revoked_token": (403, "one 403 may be a missing right, and the key proves good when it is asked whose")},
    person=person,
    rename=rename,
)
