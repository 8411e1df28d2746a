"""Zendesk Sell wants a last name, and takes a lead source by its name. It makes no pipelines and no stages."""

from tests.local.samples import Body, Plant, Sample, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Countess", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    source = f"Analytical Society {next(numbers)}"
    plant("lead_sources", name=source)
    return {
        "owner": {"id": plant("users", name="Charles Babbage", email=f"charles{next(numbers)}@example.com")},
        "lead_source": source,
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Tier": "Gold"},
    }


SAMPLE = Sample(
    lead,
    more,
    duplicates="records are not unique there: the same lead made twice is two",
)
