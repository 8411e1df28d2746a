"""Pipeliner wants a name, which comes back as the title. An account has a space, which stands in every path."""

from tests.local.samples import Body, Plant, Sample, named, numbers


def lead(_: Plant) -> Body:
    return {"name": f"Engine no. {next(numbers)}"}


def more(plant: Plant) -> Body:
    owner = plant("clients", first_name="Charles", last_name="Babbage", email=f"charles{next(numbers)}@example.com")
    return {"owner": {"id": owner}, "description": "It weaves algebra.", "created_at": "2024-05-01T12:00:00Z"}


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}"}


def credentials(granted: Body) -> Body:
    return {"username": granted["username"], "api_key": granted["api_key"]}


SAMPLE = Sample(
    lead,
    more,
    mark="name",
    told="title",
    pipeline=named,
    stage=stage,
    kind="api_key",
    credentials=credentials,
    origin="https://eu-central.api.pipelinersales.com",
    settings=lambda granted: {"space": granted["space_id"]},
    duplicates="no error of it about duplicates is documented, and none was ever recorded",
)
