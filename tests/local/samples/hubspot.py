"""HubSpot wants a contact and, as the contract has it, an account."""

from tests.local.samples import Body, Plant, Sample, named, numbers


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


SAMPLE = Sample(lead, more, pipeline=named, stage=stage)
