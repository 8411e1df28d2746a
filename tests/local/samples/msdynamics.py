"""Microsoft Dynamics 365 Sales requires nothing of a lead; its own forms ask for a topic and a last name."""

from tests.local.samples import Body, Plant, Sample, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("systemusers", fullname="Charles Babbage", internalemailaddress="charles@example.com")},
        "contact": {"id": plant("contacts", firstname="Ada", lastname="Lovelace")},
        "account": {"id": plant("accounts", name="Analytical Engines")},
        "lead_source": "Web",
        "industry": "Consulting",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "work"}],
        "addresses": [{"street_1": "12 St James's Square", "street_2": "Flat 2", "city": "London", "country": "UK"}],
        "description": "Wants the second engine.",
        "website": "https://example.com",
        "number_of_employees": 12,
        "custom_fields": {"cr123_favouritecolour": "teal"},
    }


SAMPLE = Sample(
    lead,
    more,
    origin="https://sandbox.crm.dynamics.com",
    settings=lambda granted: {"tenant": granted["tenant"]},
    duplicates="its rules for duplicates are off for the API unless a header, which we do not send, turns them on",
)
