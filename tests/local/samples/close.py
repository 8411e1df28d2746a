"""Close wants nothing at all; we want something by which a lead can be called and found again."""

from tests.local.samples import Body, Plant, Sample, named, numbers

SALES = "pipe_gQzJd6NVcLhAMhBsw3mlJxzzVpBhoye1jOSnGqFAdvL"
"""The pipeline that every new organization of the fake begins with; none can be planted."""

COLOUR = "custom.cf_n37FLavMWyMxjEB4QhS1L5151WXupBeJ0jVqTjldhos"
"""A custom field of a text, which its organizations have as well."""


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "work"}
    person = {"title": "Countess", "first_name": "Ada", "last_name": "Lovelace"}
    return {"name": "Analytical Engines", **person, "email_addresses": [email]}


def more(_: Plant) -> Body:
    return {
        "phone_numbers": [{"number": "+14155551234", "type": "mobile"}],
        "addresses": [{"street_1": "12 St James's Square", "city": "London", "country": "GB", "type": "office"}],
        "description": "It weaves algebra.",
        "website": "https://engines.example.com",
        "status": "Qualified",
        "custom_fields": {COLOUR: "blue"},
    }


def stage(_: Plant) -> Body:
    return {"name": f"Stage {next(numbers)}", "pipeline": {"id": SALES}}


SAMPLE = Sample(
    lead,
    more,
    pipeline=named,
    stage=stage,
    duplicates="it looks for none: the same company made twice is two leads",
)
