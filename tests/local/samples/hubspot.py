"""HubSpot wants a contact and, as the contract has it, an account."""

from collections.abc import Mapping
from typing import Any

from tests.local.samples import Body, Person, Plant, Sample, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, USER


def lead(plant: Plant) -> Body:
    contact = plant("contacts", firstname="Ada", lastname="Lovelace", email=f"ada{next(numbers)}@example.com")
    company = plant("companies", name="Analytical Engines")
    return {"title": "Engine no. 2", "contact": {"id": contact}, "account": {"id": company}}


def more(plant: Plant) -> Body:
    owner = plant("owners", firstName="Charles", lastName="Babbage", email="charles@example.com")
    return {
        "owner": {"id": owner},
        "custom_fields": {"favourite_colour": "teal"},
        "lead_type": "NEW_BUSINESS",
        "status": "new-stage-id",
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": "default"}}


def to(record_id: str, *type_ids: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one} for one in type_ids]
    return {"to": {"id": record_id}, "types": types}


def story(plant: Plant) -> Mapping[str, str]:
    first, last = USER["name"].split()
    owner = plant("users", firstName=first, lastName=last, email=USER["email"])
    same = ("name", "domain", "website", "phone", "city", "description")
    industry = COMPANY["industry"].upper()
    company = plant("companies", **{key: COMPANY[key] for key in same}, industry=industry, hubspot_owner_id=owner)
    contact = plant(
        "contacts",
        firstname=CONTACT["first_name"],
        lastname=CONTACT["last_name"],
        jobtitle=CONTACT["title"],
        email=CONTACT["email"],
        phone=CONTACT["phone"],
        city=CONTACT["city"],
        company=COMPANY["name"],
        favourite_colour="teal",
        hubspot_owner_id=owner,
        associations=[to(company, 279, 1)],
    )
    deal = plant(
        "deals",
        dealname=DEAL["name"],
        amount=DEAL["amount"],
        deal_currency_code=DEAL["currency"],
        closedate=f"{DEAL['close_date']}T00:00:00.000Z",
        description=DEAL["description"],
        pipeline="default",
        dealstage="qualifiedtobuy",
        favourite_colour="teal",
        hubspot_owner_id=owner,
        associations=[to(contact, 3), to(company, 341, 5)],
    )
    about = [to(contact, 578), to(company, 580)]
    name = f"{CONTACT['first_name']} {CONTACT['last_name']}"
    made = plant("leads", hs_lead_name=name, hubspot_owner_id=owner, favourite_colour="teal", associations=about)
    return {"users": owner, "companies": company, "contacts": contact, "deals": deal, "leads": made}


def person(one: Person) -> Body:
    return {
        "firstname": one.first,
        "lastname": one.last,
        "jobtitle": one.title,
        "email": one.email,
        "phone": one.phone,
        "hubspot_owner_id": one.owner,
        "createdate": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"lastname": last}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    story=story,
    person=person,
    rename=rename,
)
