"""Pipedrive wants a title, and a person or an organization."""

from tests.local.samples import Body, Plant, Sample, named, numbers


def lead(plant: Plant) -> Body:
    return {"title": "Engine no. 2", "contact": {"id": plant("persons", name="Ada Lovelace")}}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("users", name="Charles")},
        "account": {"id": plant("organizations", name="Analytical Engines")},
        "custom_fields": {"41a9126405da95fdffe67771be300d4c31227aca": "teal"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": "1"}}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    origin="https://sandbox.pipedrive.com",
    duplicates="its leads know no duplicates: nothing in its contract refuses one",
)
