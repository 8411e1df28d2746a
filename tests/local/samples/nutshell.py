"""Nutshell wants a title; who the lead is about is linked to it. It makes no pipelines and no stages."""

from tests.local.samples import Body, Plant, Sample


def lead(plant: Plant) -> Body:
    return {"title": "Engine no. 2", "contact": {"id": plant("contacts", name="Ada Lovelace")}}


def more(plant: Plant) -> Body:
    return {
        "owner": {"id": "1-users"},
        "account": {"id": plant("accounts", name="Analytical Engines")},
        "custom_fields": {"Favorite Number": "12"},
    }


def credentials(granted: Body) -> Body:
    return {name: granted[name] for name in ("username", "api_key")}


SAMPLE = Sample(
    lead,
    more,
    nouns={"pipelines": "stagesets"},
    kind="api_key",
    credentials=credentials,
    duplicates="it makes a second record of the same kind without a word",
)
