"""Nutshell wants a title; who the lead is about is linked to it. It makes no pipelines and no stages."""

from datetime import UTC, datetime

from tests.local.samples import Body, Person, Plant, Sample
from tests.local.story import COMPANY, CONTACT, DEAL, USER


def lead(plant: Plant) -> Body:
    return {"title": "Engine no. 2", "contact": {"id": plant("contacts", name="Ada Lovelace")}}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": "1-users"},
        "account": {"id": plant("accounts", name="Analytical Engines")},
        "custom_fields": {"Favorite Number": "12"},
    }


def credentials(granted: Body) -> Body:
    return {name: granted[name] for name in ("username", "api_key")}


def story(plant: Plant) -> Body:
    """A lead is the offer. Its day is told twice: the contract has no word on which of the two is the one to close."""
    user = plant("users", name=USER["name"], emails=[USER["email"]])
    industry = plant("industries", name=COMPANY["industry"])
    company = plant(
        "companies",
        name=COMPANY["name"],
        description=COMPANY["description"],
        urls=[{"value": COMPANY["website"]}],
        phones=[{"value": COMPANY["phone"]}],
        addresses=[{"value": {"city": COMPANY["city"]}}],
        links={"owner": user, "industry": industry},
    )
    contact = plant(
        "contacts",
        name=f"{CONTACT['first_name']} {CONTACT['last_name']}",
        jobTitle=CONTACT["title"],
        emails=[{"value": CONTACT["email"]}],
        phones=[{"value": CONTACT["phone"]}],
        addresses=[{"value": {"city": CONTACT["city"]}}],
        links={"owner": user, "accounts": [company]},
        customFields={"Favorite Number": "12"},
    )
    due = int(datetime.fromisoformat(DEAL["close_date"]).replace(tzinfo=UTC).timestamp())
    deal = plant(
        "deals",
        description=DEAL["name"],
        manualValue=str(DEAL["amount"]),
        currency=DEAL["currency"],
        dueTime=due,
        anticipatedClosedTime=due,
        links={"owner": user, "accounts": [company], "contacts": [contact]},
        customFields={"Favorite Number": "12"},
    )
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": deal}


def person(one: Person) -> Body:
    return {
        "name": f"{one.first} {one.last}",
        "jobTitle": one.title,
        "emails": [{"value": one.email}],
        "phones": [{"value": one.phone}],
        "links": {"owner": one.owner},
        "createdTime": int(one.made.timestamp()),
    }


def rename(first: str, last: str) -> Body:
    return {"name": f"{first} {last}"}


SAMPLE = Sample(
    lead,
    more,
    story=story,
    nouns={"pipelines": "stagesets"},
    kind="api_key",
    credentials=credentials,
    duplicates="it makes a second record of the same kind without a word",
    person=person,
    rename=rename,
)
