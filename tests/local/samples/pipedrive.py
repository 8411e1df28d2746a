"""Pipedrive wants a title, and a person or an organization."""

from collections.abc import Mapping

from tests.local.samples import Body, Person, Plant, Sample, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, USER

COLOUR = "41a9126405da95fdffe67771be300d4c31227aca"
"""A custom field of a text, which persons, organizations, deals and leads of the fake have."""


def lead(plant: Plant) -> Body:
    return {"title": "Engine no. 2", "contact": {"id": plant("persons", name="Ada Lovelace")}}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("users", name="Charles")},
        "account": {"id": plant("organizations", name="Analytical Engines")},
        "custom_fields": {COLOUR: "teal"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": "1"}}


def story(plant: Plant) -> Mapping[str, str]:
    """Links are numbers. job_title and postal_address are there in accounts that sync their contacts."""
    owner = plant("users", name=USER["name"], email=USER["email"])
    company = plant(
        "companies",
        name=COMPANY["name"],
        website=COMPANY["website"],
        address={"value": COMPANY["city"], "locality": COMPANY["city"]},
        owner_id=int(owner),
    )
    contact = plant(
        "contacts",
        name=f"{CONTACT['first_name']} {CONTACT['last_name']}",
        emails=[{"value": CONTACT["email"], "primary": True, "label": "work"}],
        phones=[{"value": CONTACT["phone"], "primary": True, "label": "work"}],
        job_title=CONTACT["title"],
        postal_address={"value": CONTACT["city"], "locality": CONTACT["city"]},
        org_id=int(company),
        owner_id=int(owner),
        custom_fields={COLOUR: "teal"},
    )
    deal = plant(
        "deals",
        title=DEAL["name"],
        value=DEAL["amount"],
        currency=DEAL["currency"],
        expected_close_date=DEAL["close_date"],
        person_id=int(contact),
        org_id=int(company),
        owner_id=int(owner),
        custom_fields={COLOUR: "teal"},
    )
    links = {"person_id": int(contact), "organization_id": int(company), "owner_id": int(owner), COLOUR: "teal"}
    value = {"amount": DEAL["amount"], "currency": DEAL["currency"]}
    made = plant("leads", title=DEAL["name"], value=value, expected_close_date=DEAL["close_date"], **links)
    return {"users": str(owner), "companies": str(company), "contacts": str(contact), "deals": str(deal), "leads": made}


def person(one: Person) -> Body:
    return {
        "name": f"{one.first} {one.last}",
        "emails": [{"value": one.email, "primary": True, "label": "work"}],
        "phones": [{"value": one.phone, "primary": True, "label": "work"}],
        "owner_id": int(one.owner),
        "add_time": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"name": f"{first} {last}"}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    origin="https://sandbox.pipedrive.com",
    duplicates="its leads know no duplicates: nothing in its contract refuses one",
    story=story,
    person=person,
    rename=rename,
)
