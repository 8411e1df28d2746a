"""What every space has: people and units, drop-down options, custom fields, two pipelines, one lead process."""

from collections.abc import Mapping

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.pipeliner.columns import named

COMPANY, EMEA = named("unit company"), named("unit emea")
PEOPLE = ("00000000-0000-0000-0000-000000008e97", "00000000-0000-0000-0000-000000008e98")
LEAD_TYPE, LEAD_PROCESS = named("lead type standard"), named("lead process")

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "lead_source": ("Website", "Referral", "Trade show", "Other"),
    "reason_of_close": ("No budget", "Competitor", "Other"),
    "customer_type": ("Existing customer", "Prospect", "Other"),
    "industry": ("Agriculture", "Banking", "Other"),
    "tier": ("Gold", "Silver", "Bronze"),
}
"""Drop-downs share their words: an option is found by its set and its name, never by its name alone."""

RATES = {"GBP": 1.0, "EUR": 0.8, "USD": 0.75}
"""What one of a currency is worth in the space's own, the first."""
SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}

CUSTOM: tuple[dict[str, Json], ...] = (
    {"entity_name": "Lead", "api_name": "favourite_colour", "type_id": "input"},
    {"entity_name": "Lead", "api_name": "tier", "type_id": "dropdown", "data_set_id": named("tier")},
    {"entity_name": "Lead", "api_name": "contract_end", "type_id": "date"},
    {"entity_name": "Lead", "api_name": "score", "type_id": "float"},
    {"entity_name": "Contact", "api_name": "shoe_size", "type_id": "integer"},
    {"entity_name": "Account", "api_name": "founded", "type_id": "date"},
    {"entity_name": "Opportunity", "api_name": "favourite_colour", "type_id": "input"},
)

PROCESSES: tuple[tuple[str, str, str, tuple[tuple[str, int], ...]], ...] = (
    (
        "pipelines",
        named("pipeline new business"),
        "New business",
        (("Qualify", 10), ("Needs analysis", 30), ("Proposal", 60), ("Negotiation", 80), ("Closing", 95)),
    ),
    ("pipelines", named("pipeline renewals"), "Renewals", (("Review", 40), ("Offer", 70), ("Signature", 90))),
    ("leadProcesses", LEAD_PROCESS, "Lead process", (("New", 0), ("Contacted", 20), ("Qualified", 50))),
    ("quoteProcesses", named("quote process"), "Quote process", (("Draft", 0), ("Sent", 50), ("Accepted", 100))),
)


def _step(process: str, name: str, percent: int) -> dict[str, Json]:
    return {"id": named(f"step {process} {name}"), "name": name, "percent": percent}


RECORDS: tuple[tuple[str, dict[str, Json]], ...] = (
    ("salesUnits", {"id": COMPANY, "name": "Company"}),
    ("salesUnits", {"id": EMEA, "name": "EMEA", "parent_id": COMPANY}),
    (
        "clients",
        {"id": PEOPLE[0], "first_name": "Anna", "last_name": "Admin", "email": "anna@example.com"}
        | {"default_unit_id": COMPANY},
    ),
    (
        "clients",
        {"id": PEOPLE[1], "first_name": "Sam", "last_name": "Seller", "email": "sam@example.com"}
        | {"default_unit_id": EMEA},
    ),
    ("contactTypes", {"id": named("contact type"), "name": "Standard"}),
    ("accountTypes", {"id": named("account type"), "name": "Standard"}),
    *(
        (noun, {"id": process_id, "name": name, "color": 0, "steps": [_step(name, *step) for step in steps]})
        for noun, process_id, name, steps in PROCESSES
    ),
    ("leadTypes", {"id": LEAD_TYPE, "name": "Standard", "lead_process_id": LEAD_PROCESS}),
    *(
        ("currencies", {"id": named(code), "code": code, "symbol": SIGNS[code], "is_base": rate == 1})
        for code, rate in RATES.items()
    ),
    *(
        ("opportunityTypes", {"id": named(f"type {name}"), "name": name, "pipeline_id": process_id})
        for noun, process_id, name, _ in PROCESSES
        if noun == "pipelines"
    ),
    *(
        (
            "data",
            {
                "id": named(f"{data_set} {word}"),
                "data_set_id": named(data_set),
                "option_name": word,
                "sort_order": place,
            },
        )
        for data_set, words in OPTIONS.items()
        for place, word in enumerate(words)
    ),
)
