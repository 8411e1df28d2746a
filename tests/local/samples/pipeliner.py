"""Pipeliner wants a name, which comes back as the title. An account has a space, which stands in every path."""

from tests.local.samples import Body, Person, Plant, Sample, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    return {"name": f"Engine no. {next(numbers)}"}


def more(plant: Plant) -> Body:
    owner = plant("clients", first_name="Charles", last_name="Babbage", email=f"charles{next(numbers)}@example.com")
    return {"owner": {"id": owner}, "description": "It weaves algebra.", "created_at": "2024-05-01T12:00:00Z"}


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}"}


def story(plant: Plant) -> Body:
    """Who belongs to whom is told by relations, each a record of its own."""
    first, last = USER["name"].split()
    user = plant("users", first_name=first, last_name=last, email=USER["email"])
    company = plant(
        "companies",
        owner_id=user,
        name=COMPANY["name"],
        home_page=COMPANY["website"],
        phone1=COMPANY["phone"],
        city=COMPANY["city"],
        industry_id=COMPANY["industry"],
        comments=COMPANY["description"],
    )
    contact = plant(
        "contacts",
        owner_id=user,
        first_name=CONTACT["first_name"],
        last_name=CONTACT["last_name"],
        position=CONTACT["title"],
        email1=CONTACT["email"],
        phone1=CONTACT["phone"],
        city=CONTACT["city"],
        account_relations=[{"account_id": company, "is_primary": True}],
        shoe_size=37,
        tags=[{"tag_id": plant("tags", name="steam", color=1)}],
    )
    relations = {
        "account_relations": [{"account_id": company, "is_primary": True}],
        "contact_relations": [{"contact_id": contact, "is_primary": True}],
    }
    deal = plant(
        "deals",
        owner_id=user,
        name=DEAL["name"],
        description=DEAL["description"],
        value={"base_value": DEAL["amount"], "currency": DEAL["currency"]},
        closing_date=DEAL["close_date"],
        favourite_colour="teal",
        **relations,
    )
    lead = plant(
        "leads",
        owner_id=user,
        name=f"{LEAD['first_name']} {LEAD['last_name']}",
        quick_contact_name=f"{LEAD['first_name']} {LEAD['last_name']}",
        quick_email=LEAD["email"],
        quick_phone=LEAD["phone"],
        quick_account_name=LEAD["company"],
        favourite_colour="teal",
        **relations,
    )
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def credentials(granted: Body) -> Body:
    return {"username": granted["username"], "api_key": granted["api_key"]}


def person(one: Person) -> Body:
    return {
        "first_name": one.first,
        "last_name": one.last,
        "position": one.title,
        "email1": one.email,
        "phone1": one.phone,
        "owner_id": one.owner,
        "created": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"last_name": last}


SAMPLE = Sample(
    lead,
    more,
    mark="name",
    told="title",
    pipeline=named,
    stage=stage,
    story=story,
    kind="api_key",
    credentials=credentials,
    origin="https://eu-central.api.pipelinersales.com",
    settings=lambda granted: {"space": granted["space_id"]},
    duplicates="no error of it about duplicates is documented, and none was ever recorded",
    person=person,
    rename=rename,
)
