"""Zendesk Sell wants a last name, and takes a lead source by its name. It makes no pipelines and no stages."""

from tests.local.samples import Body, Person, Plant, Sample, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Countess", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    source = f"Analytical Society {next(numbers)}"
    plant("lead_sources", name=source)
    return {
        "owner": {"id": plant("users", name="Charles Babbage", email=f"charles{next(numbers)}@example.com")},
        "lead_source": source,
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Tier": "Gold"},
    }


def story(plant: Plant) -> Body:
    """Ids are numbers there; a company is a contact. The company of a deal is that of its contact."""
    user = plant("users", name=USER["name"], email=USER["email"])
    owner = {"owner_id": int(user)}
    company = plant(
        "companies",
        name=COMPANY["name"],
        website=COMPANY["website"],
        phone=COMPANY["phone"],
        industry=COMPANY["industry"],
        description=COMPANY["description"],
        address={"city": COMPANY["city"]},
        custom_fields={"Tier": "Gold"},
        **owner,
    )
    person = {name: CONTACT[name] for name in ("first_name", "last_name", "title", "email", "phone")}
    person |= {"address": {"city": CONTACT["city"]}, "custom_fields": {"Favourite colour": "teal"}}
    contact = plant("contacts", contact_id=int(company), **person, **owner)
    deal = plant(
        "deals",
        name=DEAL["name"],
        value=DEAL["amount"],
        currency=DEAL["currency"],
        estimated_close_date=DEAL["close_date"],
        contact_id=int(contact),
        custom_fields={"Favourite colour": "teal"},
        **owner,
    )
    lead = plant("leads", organization_name=LEAD["company"], **person, **owner)
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def person(one: Person) -> Body:
    return {
        "first_name": one.first,
        "last_name": one.last,
        "title": one.title,
        "email": one.email,
        "phone": one.phone,
        "owner_id": int(one.owner),
        "created_at": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"last_name": last}


SAMPLE = Sample(
    lead,
    more,
    story=story,
    duplicates="records are not unique there: the same lead made twice is two",
    person=person,
    rename=rename,
)
