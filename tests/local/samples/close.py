"""Close wants nothing at all; we want something by which a lead can be called and found again."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, USER

SALES = "pipe_gQzJd6NVcLhAMhBsw3mlJxzzVpBhoye1jOSnGqFAdvL"
"""The pipeline that every new organization of the fake begins with; none can be planted."""

COLOUR = "custom.cf_n37FLavMWyMxjEB4QhS1L5151WXupBeJ0jVqTjldhos"
"""A custom field of a text, which its organizations have as well."""

COLOURS = {
    "contacts": "custom.cf_BHPWwmmF9QrX4uIgt0EL9a74NlF0Xr5PL4vi4rp33kY",
    "deals": "custom.cf_ymRb64B59iYux18vF1acIE5iSvUwkCIsq3lbnr6mV50",
}
"""The same of contacts and of opportunities."""


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "work"}
    person = {"title": "Countess", "first_name": "Ada", "last_name": "Lovelace"}
    return {"name": "Analytical Engines", **person, "email_addresses": [email]}


def more(_: Plant) -> Body:
    return {
        "phone_numbers": [{"number": "+14155551234", "type": "mobile"}],
        "addresses": [{"street_1": "12 St James's Square", "city": "London", "country": "GB", "type": "office"}],
        "description": "It weaves algebra.",
        "website": "https://engines.example.com",
        "status": "Qualified",
        "custom_fields": {COLOUR: "blue"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": SALES}}


def story(plant: Plant) -> Mapping[str, str]:
    """A lead is the company, and nobody owns it; a deal has no name of its own, and its value is in cents."""
    first, last = USER["name"].split()
    owner = plant("users", first_name=first, last_name=last, email=USER["email"])
    company = plant(
        "companies",
        name=COMPANY["name"],
        url=COMPANY["website"],
        description=COMPANY["description"],
        addresses=[{"label": "business", "city": COMPANY["city"], "country": "GB"}],
        **{COLOUR: "teal"},
    )
    phone = {"phone": CONTACT["phone"].replace(" ", ""), "phone_formatted": CONTACT["phone"], "country": "GB"}
    contact = plant(
        "contacts",
        lead_id=company,
        name=f"{CONTACT['first_name']} {CONTACT['last_name']}",
        title=CONTACT["title"],
        emails=[{"email": CONTACT["email"], "type": "office"}],
        phones=[phone],
        **{COLOURS["contacts"]: "teal"},
    )
    deal = plant(
        "deals",
        lead_id=company,
        contact_id=contact,
        user_id=owner,
        value=DEAL["amount"] * 100,
        value_currency=DEAL["currency"],
        date_won=DEAL["close_date"],
        note=DEAL["description"],
        **{COLOURS["deals"]: "teal"},
    )
    return {"users": owner, "companies": company, "contacts": contact, "deals": deal, "leads": company}


def person(one: Person) -> Body:
    return {
        "lead_id": one.company,
        "name": f"{one.first} {one.last}",
        "title": one.title,
        "emails": [{"email": one.email, "type": "office"}],
        "date_created": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"name": f"{first} {last}"}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    duplicates="it looks for none: the same company made twice is two leads",
    story=story,
    person=person,
    rename=rename,
)
