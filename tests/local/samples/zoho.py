"""Zoho wants a first and a last name, as the contract has it. A stage goes into a pipeline, which keeps its own."""

from tests.local.samples import Body, Person, Plant, Sample, named, numbers
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER


def lead(_: Plant) -> Body:
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": f"Lovelace {next(numbers)}"}


def more(plant: Plant) -> Body:
    owner = plant("users", first_name="Charles", last_name="Babbage", email=f"charles{next(numbers)}@example.com")
    return {
        "owner": {"id": owner},
        "lead_source": "Cold Call",
        "phone_numbers": [{"number": "555-555-5555", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "description": "It weaves algebra.",
        "industry": "ERP",
        "website": "https://engines.example.com",
        "number_of_employees": 250,
    }


def stage(plant: Plant) -> Body:
    pipeline = plant("pipelines", display_value=f"Engines {next(numbers)}")
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": pipeline}}


def story(plant: Plant) -> Body:
    first, last = USER["name"].split()
    user = plant("users", first_name=first, last_name=last, email=USER["email"])
    owner = {"Owner": {"id": user}}
    company = plant(
        "companies",
        Account_Name=COMPANY["name"],
        Website=COMPANY["website"],
        Phone=COMPANY["phone"],
        Billing_City=COMPANY["city"],
        Industry=COMPANY["industry"],
        Description=COMPANY["description"],
        **owner,
    )
    person = {"First_Name": CONTACT["first_name"], "Last_Name": CONTACT["last_name"]}
    person |= {"Email": CONTACT["email"], "Phone": CONTACT["phone"]}
    contact = plant(
        "contacts",
        Title=CONTACT["title"],
        Mailing_City=CONTACT["city"],
        Account_Name={"id": company},
        Favourite_Colour="teal",
        **person,
        **owner,
    )
    deal = plant(
        "deals",
        Deal_Name=DEAL["name"],
        Amount=DEAL["amount"],
        Closing_Date=DEAL["close_date"],
        Description=DEAL["description"],
        Account_Name={"id": company},
        Contact_Name={"id": contact},
        Favourite_Colour="teal",
        **owner,
    )
    lead = plant("leads", Company=LEAD["company"], Designation=LEAD["title"], City=LEAD["city"], **person, **owner)
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead}


def person(one: Person) -> Body:
    return {
        "First_Name": one.first,
        "Last_Name": one.last,
        "Title": one.title,
        "Email": one.email,
        "Phone": one.phone,
        "Owner": {"id": one.owner},
        "Created_Time": one.iso,
    }


def rename(first: str, last: str) -> Body:
    return {"Last_Name": last}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    story=story,
    refusals={"missing_scope": (403, "it says so with a 401, which no new token mends")},
    person=person,
    rename=rename,
)
