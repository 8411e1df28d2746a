"""One customer, told to every CRM in its own words: who works there, what is to be sold, and by whom.

A sample plants it behind the API, and the tests ask for it through ours: what a CRM holds of it has to come out.
"""

from collections.abc import Mapping
from typing import Any

USER: Mapping[str, Any] = {"name": "Charles Babbage", "email": "charles@example.com"}
"""Who owns it all. CRMs that keep two names have Charles and Babbage."""

COMPANY: Mapping[str, Any] = {
    "name": "Analytical Engines",
    "domain": "engines.example",
    "website": "https://engines.example",
    "phone": "+44 20 7946 0000",
    "city": "London",
    "industry": "Machinery",
    "description": "Builders of engines.",
}

CONTACT: Mapping[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "title": "Head of Programmes",
    "email": "ada@engines.example",
    "phone": "+44 20 7946 0001",
    "city": "London",
}
"""Works at the company."""

DEAL: Mapping[str, Any] = {
    "name": "Engine no. 2",
    "amount": 12500,
    "currency": "GBP",
    "close_date": "2026-12-31",
    "description": "One engine, delivered and set up.",
}
"""Is to be sold to the company, through the contact; open, in some stage of some pipeline."""

LEAD: Mapping[str, Any] = {**CONTACT, "company": COMPANY["name"]}
"""Where the CRM has leads that are people or offers of their own."""
