"""Insightly wants a last name, and takes a lead source by its name. It makes no pipelines and no stages."""

from tests.local.samples import Body, Plant, Sample, api_key, numbers


def lead(_: Plant) -> Body:
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    return {"title": "Engine no. 2", "first_name": "Ada", "last_name": "Lovelace", "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("Users", FIRST_NAME="Charles", LAST_NAME="Babbage", EMAIL_ADDRESS="charles@example.com")},
        "lead_source": "Phone Enquiry",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Favourite_Colour__c": "teal"},
    }


SAMPLE = Sample(
    lead,
    more,
    nouns={"stages": "pipelineStages"},
    kind="api_key",
    refusals={"missing_scope": (403, "a right that is missing is told as a 404 there, by its text")},
    credentials=api_key,
    duplicates="it looks for none: nothing in its contract refuses one",
)
