"""Salesforce wants a last name and a company, which is read from the account. It makes no pipelines and no stages."""

from tests.local.samples import Body, Plant, Sample, numbers


def lead(plant: Plant) -> Body:
    account = plant("Account", Name="Analytical Engines")
    email = {"email": f"ada{next(numbers)}@example.com", "type": "primary"}
    names = {"first_name": "Ada", "last_name": "Lovelace"}
    return {"title": "Engine no. 2", **names, "account": {"id": account}, "email_addresses": [email]}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": plant("User", LastName="Babbage", Username=f"charles{next(numbers)}@example.com")},
        "lead_source": "Web",
        "phone_numbers": [{"number": "+44 20 7946 0000", "type": "mobile"}],
        "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
        "custom_fields": {"Favourite_Colour__c": "teal"},
    }


CONVERTED = {"converted_contact": {"id": "0038M0000016Wv8QAE"}, "converted_account": {"id": "0018M0000016Wv8QAE"}}

SAMPLE = Sample(
    lead, more, refused=CONVERTED, needs=("account", "last_name"), origin="https://sandbox.my.salesforce.com"
)
