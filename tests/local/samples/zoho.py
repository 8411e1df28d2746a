"""Zoho wants a first and a last name, as the contract has it. A stage goes into a pipeline, which keeps its own."""

from tests.local.samples import Body, Plant, Sample, named, numbers


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


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    refusals={"missing_scope": (403, "it says so with a 401, which no new token mends")},
)
