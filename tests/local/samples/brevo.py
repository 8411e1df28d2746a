"""Brevo has no leads: a contact stands for one, which wants an e-mail address or a phone number."""

from tests.local.samples import Body, Plant, Sample, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(_: Plant) -> Body:
    phone = {"number": f"+336{10_000_000 + next(numbers)}", "type": "mobile"}
    return {"phone_numbers": [phone], "custom_fields": {"JOB_TITLE": "Analyst"}}


SAMPLE = Sample(
    lead,
    more,
    mark="first_name",
    nouns={"leads": "contacts"},
    unique="an e-mail address belongs to one contact",
)
