"""The unified records, one module per resource, so that a function pays only for its own."""

from importlib import import_module

from switchboard.models.schema import Schema

MODULES = {
    "leads": "lead",
    "pipelines": "pipeline",
    "stages": "stage",
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "users": "user",
}
"""The plurals of the unified resources, and the module of each."""


def load(plural: str) -> Schema:
    """The schema of a resource by its plural; KeyError if there is none. Imports that one resource only."""
    name = MODULES[plural]
    return getattr(import_module(f"switchboard.models.{name}"), name.upper())
