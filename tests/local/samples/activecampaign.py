"""ActiveCampaign makes a contact of a lead, and wants an e-mail address. Every account has a host of its own."""

from tests.local.samples import Body, Plant, Sample, api_key, named, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    field = plant("fields", title="Favourite Engine", type="text")
    return {
        "phone_numbers": [{"number": "+442071234567", "type": "primary"}],
        "custom_fields": {field: "no. 2", "2": "Gold"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": "1"}}


SAMPLE = Sample(
    lead,
    more,
    mark="first_name",
    pipeline=named,
    stage=stage,
    nouns={"leads": "contacts", "pipelines": "dealGroups", "stages": "dealStages"},
    kind="api_key",
    credentials=api_key,
    origin="https://sandbox.api-us1.com",
    unique="an e-mail address belongs to one contact",
    refusals={"revoked_token": (403, "one 403 may be a missing right, and the key proves good when it is asked whose")},
)
