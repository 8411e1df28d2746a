"""Brevo has no leads: a contact stands for one, which wants an e-mail address or a phone number."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(_: Plant) -> Body:
    phone = {"number": f"+336{10_000_000 + next(numbers)}", "type": "mobile"}
    return {"phone_numbers": [phone], "custom_fields": {"JOB_TITLE": "Analyst"}}


def story(plant: Plant) -> Mapping[str, str]:
    """A contact has no owner and no company of its own: companies and deals link to it. A deal has no currency."""
    user = plant("users", email=USER["email"])
    names = {"FIRSTNAME": CONTACT["first_name"], "LASTNAME": CONTACT["last_name"], "JOB_TITLE": CONTACT["title"]}
    more = {"LANDLINE_NUMBER": CONTACT["phone"].replace(" ", "").lstrip("+"), "FAVOURITE_COLOUR": "Brass"}
    contact = plant("contacts", email=CONTACT["email"], attributes=names | more)
    own = {name: COMPANY[name] for name in ("name", "domain", "website", "industry")}
    company = plant(
        "companies",
        attributes=own | {"phone_number": COMPANY["phone"], "owner": user},
        linkedContactsIds=[int(contact)],
    )
    sale = {"deal_name": DEAL["name"], "amount": DEAL["amount"], "close_date": f"{DEAL['close_date']}T00:00:00Z"}
    deal = plant(
        "deals",
        attributes=sale | {"deal_owner": user},
        linkedContactsIds=[int(contact)],
        linkedCompaniesIds=[company],
    )
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": contact}


def person(one: Person) -> Body:
    return {
        "email": one.email,
        "attributes": {"FIRSTNAME": one.first, "LASTNAME": one.last, "JOB_TITLE": one.title},
        "createdAt": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"attributes": {"LASTNAME": last}}


SAMPLE = Sample(
    lead,
    more,
    mark="first_name",
    nouns={"leads": "contacts"},
    unique="an e-mail address belongs to one contact",
    story=story,
    person=person,
    rename=rename,
)
