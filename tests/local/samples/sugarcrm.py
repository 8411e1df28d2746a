"""SugarCRM wants a last name. Every instance has a host of its own, and makes no pipelines and no stages."""

from tests.local.samples import Body, Plant, Sample, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("Users", user_name=f"charles{next(numbers)}", last_name="Babbage")},
        "contact": {"id": plant("Contacts", first_name="Ada", last_name="Lovelace")},
        "account": {"id": plant("Accounts", name="Analytical Engines")},
        "lead_source": "Web Site",
        "status": "New",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "work"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "description": "Wants the second engine.",
        "website": "https://example.com",
        "custom_fields": {"favourite_colour_c": "teal"},
    }


SAMPLE = Sample(
    lead,
    more,
    origin="https://sandbox.sugarondemand.com",
    settings=lambda granted: {"platform": granted["platform"]},
    duplicates="a create refuses none; its check for duplicates is a call of its own",
)
