"""SugarCRM wants a last name. Every instance has a host of its own, and makes no pipelines and no stages."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("Users", user_name=f"charles{next(numbers)}", last_name="Babbage")},
        "contact": {"id": plant("Contacts", first_name="Ada", last_name="Lovelace")},
        "account": {"id": plant("Accounts", name="Analytical Engines")},
        "lead_source": "Web Site",
        "status": "New",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "work"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "description": "Wants the second engine.",
        "website": "https://example.com",
        "custom_fields": {"favourite_colour_c": "teal"},
    }


def story(plant: Plant) -> Mapping[str, str]:
    """A contact and a deal name their account in a field of theirs; a deal has its contacts by a link."""
    first, last = USER["name"].split()
    address = [{"email_address": USER["email"], "primary_address": True}]
    user = plant("users", user_name="charles", first_name=first, last_name=last, email=address)
    owned = {"assigned_user_id": user}
    company = plant(
        "companies",
        name=COMPANY["name"],
        website=COMPANY["website"],
        phone_office=COMPANY["phone"],
        billing_address_city=COMPANY["city"],
        industry=COMPANY["industry"],
        description=COMPANY["description"],
        **owned,
    )
    person = {
        "first_name": CONTACT["first_name"],
        "last_name": CONTACT["last_name"],
        "title": CONTACT["title"],
        "email": [{"email_address": CONTACT["email"], "primary_address": True}],
        "phone_work": CONTACT["phone"],
        "primary_address_city": CONTACT["city"],
        "favourite_colour_c": "brass",
    }
    contact = plant("contacts", **person, **owned, account_id=company)
    pound = plant("currencies", name="Pound", symbol="£", iso4217=DEAL["currency"], conversion_rate="0.75")
    deal = plant(
        "deals",
        name=DEAL["name"],
        account_id=company,
        contacts={"add": [contact]},
        amount=str(DEAL["amount"]),
        currency_id=pound,
        date_closed=DEAL["close_date"],
        description=DEAL["description"],
        sales_stage="Prospecting",
        **owned,
    )
    lead = plant("leads", **person, **owned, account_name=LEAD["company"])
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def person(one: Person) -> Body:
    return {
        "first_name": one.first,
        "last_name": one.last,
        "title": one.title,
        "email": [{"email_address": one.email, "primary_address": True}],
        "phone_work": one.phone,
        "assigned_user_id": one.owner,
        "date_entered": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"last_name": last}


SAMPLE = Sample(
    lead,
    more,
    origin="https://sandbox.sugarondemand.com",
    settings=lambda granted: {"platform": granted["platform"]},
    story=story,
    duplicates="a create refuses none; its check for duplicates is a call of its own",
    person=person,
    rename=rename,
)
